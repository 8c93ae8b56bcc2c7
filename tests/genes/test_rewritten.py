"""Names as other tools write them."""

import pandas as pd
import pytest

from genept_utils import genes
from genept_utils.genes import rewritten


@pytest.fixture
def hgnc(source):
    source(genes.HGNC)
    return genes.hgnc()


@pytest.mark.parametrize("name, symbol", [
    ("GRCh38_TP53", "TP53"), ("hg38___TP53", "TP53"), ("hg19_HLA-A", "HLA-A"),
    ("GRCh38-TP53", "TP53"), ("GRCh38_ENSG00000141510", "TP53"), ("gene-TP53", "TP53"),
    ("HLA.A", "HLA-A"), ("MT.CO1", "MT-CO1"), ("HLA_DRB1", "HLA-DRB1"), ("NKX2.1", "NKX2-1"),
    ("TP53-1", "TP53"), ("TP53.1", "TP53"), ("TP53_1", "TP53"), ("TP53...12", "TP53"),
    ("GAPDH-1", "GAPDH"), ("HLA.A.1", "HLA-A"), ("ENSG00000141510-1", "TP53"),
    ("TP53_ENSG00000141510", "TP53"), ("ENSG00000141510|TP53", "TP53"),
    ("ENSG00000141510.18_TP53", "TP53"), ("TP53_ENSG00000999999", "TP53"),
    ("clone7_ENSG00000141510", "TP53"), ("TP53|7157", "TP53"), ("TP53 (7157)", "TP53"),
    ("HGNC:11998|TP53", "TP53"), ("GRCh38_TP53-1", "TP53"), ("LOC7157", "TP53"),
    ("TNFα", "TNF"), ("IFN-γ", "IFNG"), ("IL-2Rα", "IL2RA"), ("HLA-DRβ1", "HLA-DRB1"),
    ("β-catenin", "CTNNB1"), ("NF-κB", "NFKB1"), ("Ki67", "MKI67"), ("ki67", "MKI67"),
])
def test_a_rewritten_name_finds_its_gene_in_a_way_of_its_own(hgnc, name, symbol):
    found = genes.match([name]).table.iloc[0]
    assert (found["symbol"], found["match_type"], found["candidates"]) == (symbol, "rewritten", "")


@pytest.mark.parametrize("name, candidates", [
    ("TP53_ENSG00000012048", "BRCA1|TP53"), ("ENSG00000012048|TP53", "BRCA1|TP53"),
    ("TP53|672", "BRCA1|TP53"), ("TP53 (672)", "BRCA1|TP53"), ("C4B.2", "C4B|C4B_2"),
])
def test_where_two_genes_can_be_meant_both_are_said(hgnc, name, candidates):
    found = genes.match([name]).table.iloc[0]
    assert tuple(found[["symbol", "match_type", "candidates"]]) == ("", "ambiguous", candidates)


@pytest.mark.parametrize("name", [
    "gene_1", "V1", "GRCh38_7157", "gene-7157", "mm10_CD4", "mm10___Cd4", "ENSMUSG00000023274_Cd4",
    "C4B-7", "GTF2H2C.5", "RP11-34P13.99", "clone_7", "AC000000.1", "TP53_", "p53-x",
    "baz", "bar", "αα", "Ki6",
])
def test_what_is_no_human_name_in_any_writing_is_missing(hgnc, name):
    found = genes.match([name]).table.iloc[0]
    assert (found["symbol"], found["match_type"]) == ("", "missing")


def test_an_identifier_settles_a_symbol_that_stands_for_several(hgnc):
    assert genes.match(["OCT3"]).table["match_type"].tolist() == ["ambiguous"]
    ensembl = hgnc.at["POU5F1", "ensembl_id"]
    assert list(genes.match([f"OCT3_{ensembl}", f"{ensembl}|OCT3"]).symbols) == ["POU5F1"] * 2


def test_the_way_a_symbol_is_written_never_changes_its_gene(hgnc):
    """Every approved symbol with the signs and suffixes of R, scanpy and 10x: found or left, not
    taken for another gene."""
    own, ids = pd.Series(hgnc.index), hgnc["ensembl_id"].reset_index(drop=True)
    for names, least in ((own.str.replace("-", "."), .99), ("GRCh38_" + own, 1),
                         (own + "...9", .99), ((own + "_" + ids)[ids != ""], .99),
                         (own + "__7", 0)):
        table = genes.match(names, species="human").table
        differs, found = (names != own[names.index]).to_numpy(), table["match_type"].eq("rewritten")
        assert (table["symbol"].to_numpy() == own[names.index].to_numpy())[found].all()
        assert found[differs].sum() >= least * (differs & table["match_type"].isin(
            ["rewritten", "missing", "ambiguous"])).sum()


def test_the_report_counts_rewritten_names(hgnc):
    report = genes.match(["TP53", "GRCh38_TP53", "HLA.A", "zzz"])
    assert report.counts["rewritten"] == 2 and "rewritten 2" in str(report)
    assert genes.MATCH_TYPES.index("date") < genes.MATCH_TYPES.index("rewritten") < genes.MATCH_TYPES.index("missing")


@pytest.mark.parametrize("name", ["MARCKS-1", "MARCO.1", "DECR1-1", "AUGUSTA-1"])
def test_a_symbol_that_begins_like_a_month_is_no_date(hgnc, name):
    found = genes.match([name]).table.iloc[0]
    assert found["match_type"] in ("rewritten", "missing") and found["candidates"] == ""


@pytest.mark.parametrize("stem", ["PC_", "MET_", "SET_", "Topic_", "CAT.", "KIT-", "ATR...", "pc_"])
@pytest.mark.parametrize("numbers", [range(1, 51), range(3), range(100, 200, 9)])
def test_codes_are_no_gene(hgnc, stem, numbers):
    """One gene for many names is no match."""
    codes = [f"{stem}{number}" for number in numbers]
    table = genes.match(codes).table
    assert (table["symbol"] == "").all() and (table["match_type"] == "missing").all()
    own = list(hgnc.index[:500])
    if len(codes) > rewritten.FEW:  # also among genes, and beside other codes
        found = genes.match([*own, *codes, *(f"NET_{i}" for i in range(50))])
        assert list(found.symbols[:500]) == own and (found.symbols[500:] == "").all()


def test_every_symbol_with_numbers_is_a_code(hgnc):
    for symbol in hgnc.index[hgnc["gene_type"] == "gene with protein product"][::997]:
        codes = [f"{symbol}_{i}" for i in range(1, 31)]
        assert genes.match(codes).share < .1, symbol


@pytest.mark.parametrize("names, symbols", [
    (["TP53", "TP53-1", "TP53-2", "MET", "MET.1"], ["TP53"] * 3 + ["MET"] * 2),
    (["TP53-1", "TP53-2"], ["TP53"] * 2),
    ([f"TP53-{i}" for i in range(201, 230)], ["TP53"] * 29),  # transcripts
])
def test_numbers_that_make_names_unique_are_taken_away(hgnc, names, symbols):
    assert list(genes.match(names).symbols) == symbols


def test_a_library_of_guides_is_found(hgnc):
    genes_of = [symbol for symbol in hgnc.index[::400] for _ in range(12)]
    guides = [f"{symbol}_{i % 12 + 1}" for i, symbol in enumerate(genes_of)]
    found = genes.match(guides).symbols
    assert (found == genes_of).mean() > .97 and not set(found) - {"", *genes_of}
