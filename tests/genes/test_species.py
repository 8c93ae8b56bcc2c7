"""Genes of other species, through their human orthologs."""

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import genes, sources
from genept_utils.genes import orthologs, rewritten, synonyms, table
from genept_utils.genes.species import species_name, taxon

MOUSE = ["Trp53", "Cd3e", "Cd4", "Ms4a1", "Nkg7", "Cd8a", "Lyz2"]


@pytest.fixture
def homologene(source):
    source(genes.HGNC, orthologs.HOMOLOGENE)
    return orthologs.homologene()


@pytest.fixture
def ensembl(source):
    source(genes.HGNC, orthologs.HOMOLOGENE, orthologs.ENSEMBL_MOUSE)


def one(name, species):
    found = genes.match([name], species=species).table.iloc[0]
    return found["symbol"], found["match_type"], found["candidates"]


@pytest.mark.parametrize("given", ["mouse", "Mouse", "Mus musculus", "mus_musculus", 10090, "10090",
                                   "NCBITaxon:10090", "txid10090"])
def test_a_species_by_any_of_its_names(given):
    assert taxon(given) == 10090 and species_name(given) == "mouse"


def test_no_species_is_human_and_an_unknown_one_is_refused():
    assert species_name(None) == species_name("human") == species_name(9606) == "human"
    for wrong in ("pig", 9823, "mouses", ""):
        with pytest.raises(ValueError, match="not known here; known are human, mouse, rat"):
            genes.match(["TP53"], species=wrong)


@pytest.mark.parametrize("name, species, symbol, how, candidates", [
    ("Trp53", "mouse", "TP53", "ortholog", ""), ("22059", "mouse", "TP53", "ortholog", ""),
    ("Lyz2", "mouse", "LYZ", "co-ortholog", ""), ("Lyz1", "mouse", "LYZ", "co-ortholog", ""),
    ("Ppbp", "mouse", "PPBP", "case", ""), ("Smn1", "mouse", "", "ambiguous", "SMN1|SMN2"),
    ("Ccl2", "mouse", "", "ambiguous", "CCL13|CCL2"), ("Bmi1", "mouse", "BMI1", "case", ""),
    ("cd4", "mouse", "CD4", "ortholog", ""), ("H2.K1", "mouse", "HLA-A", "rewritten", ""),
    ("mm10___Trp53", "mouse", "TP53", "rewritten", ""), ("Cd4-1", "mouse", "CD4", "rewritten", ""),
    *[(name, "mouse", "", "missing", "") for name in ("7157", "LOC7157", "GeneID:7157", "x|7157")],
    ("Linc00106", "mouse", "LINC00106", "case", ""), ("GRCh38_CD4", "mouse", "", "missing", ""), ("zzz", "mouse", "", "missing", ""),
    ("Tp53", "rat", "TP53", "ortholog", ""), ("24842", "rat", "TP53", "ortholog", ""),
    ("tp53", "zebrafish", "TP53", "ortholog", ""), ("TP53", "cow", "TP53", "ortholog", ""),
])
def test_a_name_of_another_species_finds_its_human_gene(homologene, name, species, symbol, how,
                                                       candidates):
    assert one(name, species) == (symbol, how, candidates)


@pytest.mark.parametrize("name, symbol, how", [
    ("ENSMUSG00000059552", "TP53", "ortholog"), ("ENSMUSG00000059552.14", "TP53", "ortholog"),
    ("ENSMUSG00000023274", "CD4", "ortholog"), ("ENSMUSG00000069516", "LYZ", "co-ortholog"),
    ("ENSMUSG00000059552_Trp53", "TP53", "rewritten"), ("Gm1992", "", "no ortholog"),
    ("ENSMUSG00000051951", "XKR4", "ortholog"), ("ENSG00000141510", "", "missing"),
])
def test_mouse_ensembl_ids(ensembl, name, symbol, how):
    assert one(name, "mouse")[:2] == (symbol, how)


def test_one_to_one_pairs_are_those_of_homologene(homologene):
    """Counted by another way than the module's: groups with one mouse and one human gene."""
    sizes = homologene.groupby(["group", "taxon"])["entrez_id"].nunique().unstack(fill_value=0)
    single = sizes.index[(sizes[10090] == 1) & (sizes[9606] == 1)]
    pairs = homologene[homologene["group"].isin(single)]
    human = dict(zip(genes.hgnc()["entrez_id"], genes.hgnc().index))
    of_group = pairs[pairs["taxon"] == 9606].set_index("group")["entrez_id"].map(human).dropna()
    mouse = pairs[(pairs["taxon"] == 10090) & pairs["group"].isin(of_group.index)]
    mouse = mouse[~mouse["symbol"].isin(mouse.loc[mouse["symbol"].duplicated(), "symbol"])]
    found = genes.match(mouse["symbol"], species="mouse").table
    expected = mouse["group"].map(of_group).to_numpy()
    exact = found["match_type"].eq("ortholog").to_numpy()
    assert exact.sum() > 15_900 and (found["symbol"].to_numpy() == expected)[exact].all()
    rest = found[~exact]  # two sources that contradict each other, or a readthrough gene
    assert len(rest) < 450 and rest["match_type"].isin(["ambiguous", "case", "co-ortholog",
                                                 "no ortholog"]).all()


@pytest.mark.parametrize("names, species", [
    (MOUSE, "mouse"),
    ([f"mm10___{name}" for name in MOUSE] + ["GRCh38_TP53", "GRCh38_CD4"], "mouse"),
    (["ENSMUSG00000059552", "ENSMUSG00000023274", "ENSMUSG00000069516"], "mouse"),
    (["ENSRNOG00000010756", "ENSRNOG00000016294", "ENSRNOG00000000001"], "rat"),
    (["TP53", "BRCA1", "EGFR", *MOUSE], "mouse"),
])
def test_a_set_that_looks_like_another_species_is_said(homologene, names, species):
    with pytest.warns(UserWarning, match=f"look like {species} genes; give species='{species}'"):
        found = genes.match(names)
    assert found.species == "human" and f"look like {species}" in str(found)


@pytest.mark.parametrize("names", [MOUSE, ["ENSMUSG00000059552", "ENSMUSG00000023274",
                                           "ENSMUSG00000069516"]])
def test_mouse_names_in_a_column_beside_row_numbers(ensembl, names):
    adata = ad.AnnData(np.ones((2, len(names)), dtype=np.float32),
                       var=pd.DataFrame({"names": names}, index=[*map(str, range(len(names)))]))
    with pytest.warns(UserWarning, match="look like mouse genes"):
        found = genes.match(adata)
    assert found.looks_like == "mouse" and "'names'" in found.column
    assert (genes.match(adata, species="mouse").symbols != "").all()


@pytest.mark.parametrize("names, species", [
    (MOUSE, "human"), (MOUSE, "mouse"), (["TP53", "CD4", "C1orf43"], None), (["Trp53"], None),
    (["tp53", "cd4", "gapdh"], None),
    (["p53", "Trp53", *["TP53", "BRCA1", "EGFR", "MYC"] * 3], None),
])
def test_no_word_where_none_is_due(homologene, names, species):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        genes.match(names, species=species)


def test_human_names_given_as_mouse_are_said(homologene):
    with pytest.warns(UserWarning, match="look like human genes, not like mouse"):
        genes.match(["TP53", "HLA-A", "ENSG00000141510", "KRT1"], species="mouse")


@pytest.mark.parametrize("species, ids", [
    ("rat", ["ENSRNOG00000010756"] * 3), ("zebrafish", ["ENSDARG00000035559", "tp53"])])
def test_ensembl_ids_that_the_files_do_not_hold_are_said(homologene, species, ids):
    with pytest.warns(UserWarning, match=f"symbols and Entrez ids of {species}, no Ensembl ids"):
        genes.match(ids, species=species)


def test_mouse_without_its_ensembl_file(homologene, monkeypatch):
    fetch = sources.fetch

    def fetch_all_but_one(key, progress=None):
        if key == orthologs.ENSEMBL_MOUSE:
            raise sources.SourceError(f"{key} could not be had.")
        return fetch(key, progress)

    monkeypatch.setattr(sources, "fetch", fetch_all_but_one)
    caches = synonyms.synonyms, orthologs.mouse_ensembl, rewritten._known
    for cache in caches:
        cache.cache_clear()
    try:
        with pytest.warns(UserWarning, match="ENSMUSG ids are not looked up: .*could not be had"):
            found = genes.match(["ENSMUSG00000059552", "Trp53"], species="mouse")
        assert list(found.symbols) == ["", "TP53"]
    finally:
        for cache in caches:
            cache.cache_clear()


def test_orthologs_are_derived_once_and_whole(homologene, tmp_path, monkeypatch):
    """A kept table with the hash of its source in its name; nothing half-written beside it."""
    monkeypatch.setenv("GENEPT_CACHE", str(tmp_path))
    calls = []
    monkeypatch.setattr(orthologs, "_parsed", lambda path: calls.append(path) or homologene)
    for _ in range(2):
        orthologs.homologene.cache_clear()
        assert orthologs.homologene().equals(homologene)
    kept = [path for path in (tmp_path / "derived").iterdir() if "homologene" in path.name]
    digest = sources.registry().sha256[orthologs.HOMOLOGENE][:16]
    name = f"homologene_{digest}-{sources._code()}.csv"
    assert len(calls) == 1 and {path.name for path in kept} == {name, f"{name}.sha256"}
    orthologs.homologene.cache_clear()


@pytest.mark.parametrize("key, make, name", [
    (orthologs.ENSEMBL_MOUSE, orthologs._mouse, "mouse_ensembl"),
    (table.ENSEMBL, table._ensembl100, "ensembl100")])
def test_what_is_kept_of_ensembl_is_what_the_file_gives(source, key, make, name):
    """A kept table is not made again where the code that makes it changes."""
    made, kept = make(source(key)), table.kept_table(key, name, make)
    assert list(kept.columns) == list(made.columns) and len(kept) == len(made) > 20_000
    assert (kept.to_numpy() == made.to_numpy()).all()


OLDER = {"Sept7": "SEPTIN7", "March5": "MARCHF5", "H2afz": "H2AZ1", "Hist1h1c": "H1-2",
         "Ctgf": "CCN2", "Cyr61": "CCN1", "Sepp1": "SELENOP", "Tceb2": "ELOB"}


@pytest.mark.parametrize("species, names", [
    ("mouse", OLDER), ("rat", OLDER), ("mouse", {"mt-Nd1": "MT-ND1", "mm10_Sept7": "SEPTIN7"}),
    ("rat", {"Mt-nd1": "MT-ND1", "Mt-co1": "MT-CO1"}), ("macaque", {"MT-ND1": "MT-ND1"}),
    ("zebrafish", {"mt-nd1": "MT-ND1", "mt-co1": "MT-CO1"})])
def test_older_and_mitochondrial_names_are_found_by_the_human_name(ensembl, species, names):
    assert list(genes.match(list(names), species=species).symbols) == list(names.values())


def test_a_species_finds_no_less_than_none(ensembl):
    """Human symbols, former ones and aliases as mouse names: all are found, but for names that a
    mouse gene with another ortholog bears; of names of mouse genes on record more are found."""
    human = genes.hgnc()
    for names, more in ((human.index.to_series(), -.01), (human["prev_symbol"], -.001),
                        (human["alias_symbol"], -.01),
                        (orthologs.of_species("mouse")["symbol"], .05)):
        names = names.str.split("|").explode().drop_duplicates()
        # "LOC7157" is the Entrez id of a gene of the species
        names = names[(names != "") & ~names.str.match(r"(?i)LOC\d")].str.capitalize()[::15]
        none, mouse = (genes.look_up(names, species=one).table for one in ("human", "mouse"))
        found, kept = (none["symbol"] != ""), (mouse["symbol"] != "")
        assert kept.sum() >= (1 + more) * found.sum(), names.name
        assert mouse.loc[found & ~kept, "match_type"].isin(["ambiguous", "no ortholog"]).all()


def test_zebrafish_names_get_a_word(homologene):
    names = orthologs.of_species("zebrafish")["symbol"].drop_duplicates()[::50]
    with pytest.warns(UserWarning, match="look like zebrafish genes; give species='zebrafish'"):
        genes.match(names)
    assert genes.look_up([name.lower() for name in genes.hgnc().index[::100]]).looks_like == ""
