"""Which columns of a file hold genes: exactly half is enough, less is not, and the same genes
count once."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import genes

A = ["TP53", "CD3E", "CD4", "GATA1"]
B = ["SOX2", "PAX5", "LYZ", "CD14"]


@pytest.fixture(autouse=True)
def hgnc(source):
    source(genes.HGNC)


def of_table(tmp_path, columns):
    """The report of such a table, with a column of numbers that makes its first line a head."""
    columns = columns | {"score": [f".{i}" for i in range(len(next(iter(columns.values()))))]}
    lines = [list(columns), *zip(*columns.values())]
    (tmp_path / "a.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))
    found = genes.of_file(tmp_path / "a.tsv")
    return found, (found.table["place"].tolist() if "place" in found.table else None)


NOTES = ["some words", "more of them", "and so on", "the end"]
MOST_B = ["SOX2", "q_one", "PAX5", "LYZ"]
LESS_B = ["SOX2", "q_one", "q_two", "q_three"]


@pytest.mark.parametrize("columns, names, places", [
    ({"gene": A, "note": NOTES}, A, 0), ({"a": A, "b": B}, A + B, "ab"),
    ({"a": A, "b": B, "c": B}, A + B, "ab"),  # twice the same genes
    ({"a": A, "b": MOST_B}, A + MOST_B, "ab"), ({"a": A, "b": LESS_B}, A, 0),
    ({"a": A, "b": [*A[:2], *B[:2]]}, A, 0),  # half of them the same
    ({"a": A, "b": [A[0], *B[1:]]}, A + [A[0], *B[1:]], "ab"),
    ({"n": ["1.5", "2", "3e4", "-"], "a": A}, A, 0), ({"a": A, "n": ["1", "2", "7157", "x"]}, A, 0),
    ({"n": ["", "", "", ""], "a": A, "b": B}, A + B, "ab"),
    ({"a": A, "kind": ["pp"] * 4, "b": B}, A + B, "ab"),
    ({"a": A, "kind": ["Antibody Capture"] * 2 + ["Gene Expression"] * 2}, A, 0)])
def test_columns_that_hold_other_genes(tmp_path, columns, names, places):
    found, stood = of_table(tmp_path, columns)
    assert found.table["name"].tolist() == names
    places = list(places or "")
    assert stood == ([place for place in places for _ in range(4)] or None)
    if places:
        assert "the columns " + ", ".join(map(repr, places)) == found.column


@pytest.mark.parametrize("cells, names", [
    (["TP53;CD3E", "CD4", "GATA1", "SOX2"], ["TP53", "CD3E", "CD4", "GATA1", "SOX2"]),
    (["TP53;q_one", "CD4", "GATA1", "SOX2"], ["TP53", "q_one", "CD4", "GATA1", "SOX2"]),  # half
    (["TP53;q_one;q_two", "CD4", "GATA1", "SOX2"], ["TP53;q_one;q_two", "CD4", "GATA1", "SOX2"]),
    (["CD4", "12;15", "GATA1", "SOX2"], ["CD4", "12;15", "GATA1", "SOX2"]),
    (["HLA-A;HLA-B;", "CD4", "LYZ", "SOX2"], ["HLA-A", "HLA-B", "CD4", "LYZ", "SOX2"]),
    (["CD4", "TP53 / CD3E", "LYZ", "TP53 / CD3E"], ["CD4", "TP53", "CD3E", "LYZ", "TP53", "CD3E"])])
def test_cells_with_several_names(tmp_path, cells, names):
    found, stood = of_table(tmp_path, {"gene": cells, "note": NOTES})
    assert found.table["name"].tolist() == names and stood is None


def test_lists_of_many_columns_name_five(tmp_path):
    names = genes.hgnc().index
    names = names[names.str.fullmatch("[A-Z]{4}[0-9]")][:60].to_numpy().reshape(-1, 6)
    for n, more in ((5, ""), (6, " and 1 more")):
        columns = {f"set {i}": list(names[:, i]) for i in range(n)}
        found, stood = of_table(tmp_path, columns)
        assert found.column == "the columns " + ", ".join(
            f"'set {i}'" for i in range(5)) + more
        assert len(stood) == 10 * n == len(found.table)


@pytest.mark.parametrize("rows, places", [
    ([["higher", "lower"], ["TP53", "SOX2"], ["CD3E", "PAX5"]], ["higher"] * 2 + ["lower"] * 2),
    ([["1", "2"], ["TP53", "SOX2"], ["CD3E", "PAX5"]], ["1"] * 2 + ["2"] * 2)])
def test_a_head_line_without_a_word_for_genes(tmp_path, rows, places):
    (tmp_path / "a.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    found = genes.of_file(tmp_path / "a.tsv")
    assert found.table["place"].tolist() == places
    assert found.symbols.tolist() == ["TP53", "CD3E", "SOX2", "PAX5"]


def test_two_lines_of_genes_have_no_head_line(tmp_path):
    (tmp_path / "a.tsv").write_text("TP53\tSOX2\nCD3E\tPAX5\n")
    assert sorted(genes.of_file(tmp_path / "a.tsv").symbols) == ["CD3E", "PAX5", "SOX2", "TP53"]


def test_one_set_says_where_its_names_stood(tmp_path):
    (tmp_path / "a.gmt").write_text("A\tna\tTP53\tCD3E\n")
    found = genes.of_file(tmp_path / "a.gmt")
    assert found.table["place"].tolist() == ["A", "A"] and found.column == "1 sets"


# ------------------------------------------------------------------ counts of an AnnData

@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix, sp.csc_array])
@pytest.mark.parametrize("X, known", [
    ([[1, 0, 2], [3, 4, 0]], [4, 4, 2]), ([[0, 0, 0], [0, 0, 0]], [0, 0, 0]),
    ([[.5, 0, 0], [0, 0, .25]], [.5, 0, .25]), ([[1, -1, 0], [0, 5, 0]], None),
    ([[1, np.nan, 0], [0, 5, 0]], None), ([[np.inf, 1, 0], [0, 5, 0]], None)])
def test_what_each_gene_sums_to(form, X, known):
    adata = ad.AnnData(form(np.array(X, dtype=np.float32)), var=pd.DataFrame(index=["TP53", "CD4", "x"]))
    made = genes.totals_of(adata)
    assert (made is None) if known is None else made.tolist() == known
    found = genes.of_cells(adata)
    assert any("share of the counts is not told" in note for note in found.notes) is (known is None)
    given = genes.of_cells(adata, counts=[1, 1, 2])
    assert given.count_fraction == .5 and not given.notes


@pytest.mark.parametrize("names", [
    np.array(["TP53", "CD4"], dtype="S"), [b"TP53", "CD4"], ["b'TP53'", 'b"CD4"'],
    np.array([7157, 920], dtype=np.uint64), [7157.0, "920.0"], np.array(["TP53", "CD4"], dtype=">U8"),
    pd.array(["TP53", "CD4"], dtype="string"), pd.CategoricalIndex(["TP53", "CD4"])])
def test_names_as_other_programs_hold_them(names):
    assert list(genes.match(names).symbols) == ["TP53", "CD4"]


@pytest.mark.parametrize("dtype, form", [
    (np.int8, np.asarray), (np.uint8, np.asarray), (np.float16, np.asarray),
    (np.int8, sp.csr_matrix), (np.uint8, sp.csr_matrix)])
def test_sums_are_larger_than_the_numbers_that_hold_the_counts(dtype, form):
    X = np.full((600, 2), 120, dtype=dtype)
    adata = ad.AnnData(form(X), var=pd.DataFrame(index=["TP53", "x"]))
    assert genes.totals_of(adata).tolist() == [72_000, 72_000]
    found = genes.of_cells(adata)
    assert found.count_fraction == .5 and not found.notes


def test_no_values_and_no_cells():
    bare = ad.AnnData(var=pd.DataFrame(index=["TP53", "x"]))
    assert genes.totals_of(bare) is None and not genes.of_cells(bare).notes
    none = ad.AnnData(np.zeros((0, 2), dtype=np.float32), var=bare.var)
    assert genes.totals_of(none).tolist() == [0, 0]


def test_identifiers_of_keys():
    known = genes.identified(["TP53", "CD4"])
    assert known.loc["TP53", "ensembl_id"] == "ENSG00000141510" and "symbol" not in known
    mixed = genes.identified(["P53", "CD4", "nothing_at_all"])
    assert mixed.index.tolist() == ["P53", "CD4", "nothing_at_all"]
    assert mixed["symbol"].tolist() == ["TP53", "CD4", ""]
    assert mixed["ensembl_id"].tolist()[0] == "ENSG00000141510" and mixed["entrez_id"].iloc[2] == ""
