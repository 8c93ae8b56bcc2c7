"""Names to genes, and the texts of genes."""


import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import genes, paths, sources
from genept_utils.genes import rewritten, synonyms
from genept_utils.genes import table as gene_tables


@pytest.fixture
def hgnc(source):
    source(genes.HGNC)
    return genes.hgnc()


@pytest.fixture
def table(source):
    source(genes.HGNC, genes.REFSEQ)
    return genes.gene_table()


def one(name):
    return genes.match([name]).table.iloc[0]


@pytest.mark.parametrize("name, symbol, how", [
    ("TP53", "TP53", "approved"), (" TP53 ", "TP53", "approved"),
    ("ENSG00000141510", "TP53", "ensembl"), ("ENSG00000141510.18", "TP53", "ensembl"),
    ("ensg00000141510", "TP53", "case"), ("7157", "TP53", "entrez"),
    (7157, "TP53", "entrez"), ("HGNC:11998", "TP53", "hgnc"), ("MARCH1", "MARCHF1", "previous"),
    ("SEPT9", "SEPTIN9", "previous"), ("p53", "TP53", "alias"), ("tp53", "TP53", "case"),
    ("C1orf112", "FIRRM", "previous"), ("C1ORF112", "FIRRM", "case"),
    ("C1ORF43", "C1orf43", "case"), ("c1orf43", "C1orf43", "case"),
    ("2-Sep", "SEPTIN2", "date"), ("Sep-2", "SEPTIN2", "date"), ("02-Sep", "SEPTIN2", "date"),
    ("2006-09-02", "SEPTIN2", "date"), ("2006-09-02 00:00:00", "SEPTIN2", "date"),
    ("1-Dec", "DELEC1", "date"), ("7-Mar", "MARCHF7", "date"), ("NA", "XK", "previous"),
    ("nan", "", "missing"), (None, "", "missing"), (np.nan, "", "missing"),
    ("", "", "missing"), ("32-Mar", "", "missing"), ("no such gene", "", "missing"),
])
def test_a_name_finds_its_gene(hgnc, name, symbol, how):
    found = one(name)
    assert (found["symbol"], found["match_type"], found["candidates"]) == (symbol, how, "")


@pytest.mark.parametrize("name, candidates", [
    ("1-Mar", "MARCHF1|MTARC1"), ("Mar-02", "MARCHF2|MTARC2"), ("OCT3", "POU5F1|SLC22A3"),
    ("ENSG00000230417", "LINC00595|LINC00856"),
])
def test_an_ambiguous_name_is_reported_and_not_picked(hgnc, name, candidates):
    found = one(name)
    assert tuple(found[["symbol", "match_type", "candidates"]]) == ("", "ambiguous", candidates)


def test_an_approved_symbol_wins_over_the_same_previous_symbol_and_alias(hgnc):
    other = hgnc["prev_symbol"].str.split("|").explode()
    shared = other[other.isin(hgnc.index) & (other.index != other)].unique()
    assert len(shared) > 100
    found = genes.match(shared).table
    assert (found["symbol"] == found["name"]).all() and (found["match_type"] == "approved").all()


def test_every_gene_is_found_by_each_of_its_identifiers(hgnc):
    for column, how in (("ensembl_id", "ensembl"), ("entrez_id", "entrez"), ("hgnc_id", "hgnc")):
        known = hgnc[(hgnc[column] != "") & ~hgnc[column].duplicated(keep=False)]
        found = genes.match(known[column]).table
        assert (found["symbol"].to_numpy() == known.index).all()
        assert (found["match_type"] == how).all()


def test_the_report_says_what_happened(hgnc):
    report = genes.match(["TP53", "TP53", "1-Mar", "zzz"], counts=[6, 1, 2, 1])
    assert report.count_fraction == pytest.approx(.7)
    with pytest.warns(FutureWarning, match="is now Matched.count_fraction"):
        assert report.mass == report.count_fraction
    assert report.missing == ["zzz"]
    assert report.ambiguous.to_dict("list") == {"name": ["1-Mar"],
                                                "candidates": ["MARCHF1|MTARC1"]}
    assert report.counts["approved"] == 2 and report.counts.sum() == 4
    assert "2 of 4 names" in str(report) and "70.0%" in str(report)
    assert list(report.symbols) == ["TP53", "TP53", "", ""]


def test_an_anndata_brings_its_counts(hgnc):
    adata = ad.AnnData(sp.csr_matrix(np.array([[1., 3.], [2., 2.]], dtype=np.float32)),
                       var=pd.DataFrame(index=["TP53", "zzz"]))
    assert genes.match(adata).count_fraction == pytest.approx(3 / 8)


def test_counts_of_another_length_are_refused(hgnc):
    with pytest.raises(ValueError, match="2 names but counts for 3"):
        genes.match(["TP53", "A1BG"], counts=[1, 2, 3])


def test_row_numbers_are_no_entrez_ids(hgnc):
    with pytest.raises(ValueError, match="row numbers, not genes"):
        genes.match(ad.AnnData(np.ones((2, 30), dtype=np.float32)))


def test_no_names_and_no_counts_do_not_break(hgnc):
    assert genes.match([]).table.empty
    assert genes.match(["TP53"], counts=[0]).count_fraction == 0


def test_names_without_hgnc(monkeypatch):
    """Where HGNC's file cannot be had the shipped embedding stands in, and the report says so."""
    if not (paths.EMBEDDINGS / "minilm.h5ad").is_file():
        pytest.skip("the shipped embedding is not here")
    fetch = sources.fetch

    def fetch_all_but_hgnc(key, progress=None):
        if key == genes.HGNC:
            raise sources.SourceError(f"{key} could not be had.")
        return fetch(key, progress)

    monkeypatch.setattr(sources, "fetch", fetch_all_but_hgnc)
    caches = gene_tables.hgnc, gene_tables.named_genes, synonyms.synonyms, rewritten._known
    for cache in caches:
        cache.cache_clear()
    try:
        found = genes.match(["TP53", "ENSG00000141510", "7157", "tp53", "no such gene"])
        assert list(found.symbols) == ["TP53"] * 4 + [""]
        assert "shipped embedding" in str(found) and genes.HGNC in found.source
        if "Ensembl 100" in found.source:
            assert list(genes.match(["MARCH1", "p53"]).symbols) == ["MARCHF1", "TP53"]
        assert genes.identified(["TP53"])["ensembl_id"].tolist() == ["ENSG00000141510"]
    finally:
        for cache in caches:
            cache.cache_clear()


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("wrong", [-1., np.nan])
def test_the_share_of_the_counts_is_not_told_of_values_that_are_none(form, wrong):
    X = np.array([[1., 5.], [3., 0.]], dtype=np.float32)
    cells = ad.AnnData(form(X), var=pd.DataFrame(index=["TP53", "no gene"]))
    assert genes.match(cells).count_fraction == pytest.approx(4 / 9)
    X[0, 1] = wrong
    found = genes.match(ad.AnnData(form(X), var=cells.var))
    assert found.count_fraction is None and "negative, missing" in " ".join(found.notes)
