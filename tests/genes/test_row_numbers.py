"""Bare numbers as names: rows that lost their names are refused, Entrez ids are found."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import genes
from genept_utils.genes import features


@pytest.fixture
def entrez(source):
    source(genes.HGNC)
    ids = genes.hgnc()["entrez_id"]
    return ids[ids != ""]


def some_rows(n, of, seed=0):
    return np.sort(np.random.default_rng(seed).choice(of, n, replace=False))


@pytest.mark.parametrize("names", [
    range(5, 3000), range(0, 40), range(1, 20_000), np.random.default_rng(0).permutation(3000),
    ["gene", *range(12)], ["", *range(7, 90)], np.arange(5.0, 60.0), [0, 1, 2], [5, 6, 7, 8],
    some_rows(2000, 33_000), some_rows(2000, 12_000), some_rows(300, 60_000), some_rows(40, 33_000),
    [*range(30), "TP53", "BRCA1"],
], ids=lambda names: f"{names[0]}-{names[-1]}-{len(names)}")
def test_row_numbers_are_refused_in_any_order_and_after_a_filter(entrez, names):
    with pytest.raises(ValueError, match="row numbers, not genes"):
        genes.match(names)


def test_numbers_that_lie_close_together_are_row_numbers_even_where_all_are_entrez_ids(entrez):
    ids = np.sort(entrez.astype(int).to_numpy())
    runs = np.split(ids, np.flatnonzero(np.diff(ids) != 1) + 1)
    run = max(runs, key=len)
    assert len(run) >= 10
    for rows in (run, range(200_000, 200_400)):
        with pytest.raises(ValueError, match="written as GeneID:7157"):
            genes.match(rows)
    assert (genes.match([f"GeneID:{i}" for i in run]).symbols != "").all()


def test_entrez_ids_pass_in_any_form(entrez):
    sets = [entrez.sample(n, random_state=n) for n in (1, 3, 12, 40, 300, 5000)]
    cancer = entrez[["TP53", "BRCA1", "EGFR", "KRAS", "MYC", "PTEN", "RB1", "APC", "VHL", "KIT",
                     "MET", "ATM"]]  # all below 12,000, where three in four numbers are known
    assert cancer.astype(int).max() < 12_000
    for ids in [*sets, cancer, entrez[entrez.astype(int) < 12_000].sample(60, random_state=0)]:
        for form in (ids, ids.astype(int), ids.astype(float), ids + ".0"):
            assert list(genes.match(form).symbols) == list(ids.index)
    assert list(genes.match(["7157", "7158", "7159"]).symbols) == ["TP53", "TP53BP1", "TP53BP2"]
    assert list(genes.match(["GeneID:7157", "LOC7157", "entrez:7157"]).symbols) == ["TP53"] * 3


@pytest.mark.parametrize("code", ["gene_{}", "V{}", "G{}", "x{}", "gene-{}", "Gene{}", "c{}"])
def test_codes_of_positions_are_missing(entrez, code):
    for numbers_of in (range(1, 400), some_rows(200, 300)):
        found = genes.match([code.format(i) for i in numbers_of])
        assert (found.symbols == "").all() and found.counts["missing"] == len(numbers_of)


def test_a_gene_family_is_no_code_of_positions(entrez):
    family = [f"ZNF{i}" for i in range(1, 60) if f"ZNF{i}" in genes.hgnc().index]
    assert len(family) > 15
    assert list(genes.match(family).symbols) == family


@pytest.mark.parametrize("values, text", [
    ([7157, 672], ["7157", "672"]), ([7157.0, np.nan], ["7157", ""]),
    (["7157.0", None], ["7157", ""]),
    (["TP53.0", " A "], ["TP53.0", "A"]), (pd.Categorical(["7157.0", "672"]), ["7157", "672"]),
])
def test_values_as_the_text_that_is_looked_up(values, text):
    assert list(features.as_text(values)) == text


def cells(names, **columns):
    return ad.AnnData(np.ones((2, len(names)), dtype=np.float32),
                      var=pd.DataFrame(columns, index=[str(name) for name in names]))


SYMBOLS = ["TP53", "GAPDH", "CD3E", "MS4A1", "LYZ", "NKG7", "CD8A", "PPBP", "CD4", "ACTB", "GNLY",
           "IL7R"]


@pytest.mark.parametrize("column, values", [
    ("features", SYMBOLS), ("feature_name", pd.Categorical(SYMBOLS)),
    ("gene_symbols", [None, *SYMBOLS[1:]]), ("anything", [np.nan, *SYMBOLS[1:]]),
])
@pytest.mark.parametrize("rows", [range(12), range(5, 17), [3, 1, 2, 0, 9, 8, 7, 6, 4, 5, 10, 11],
                                  [7, 9, 10, 12, 13, 14, 15, 16, 18, 19, 20, 21]])
def test_names_in_a_column_beside_row_numbers(entrez, rows, column, values):
    found = genes.match(cells(rows, n_cells=np.arange(12) + 9, chromosome=["1", "2"] * 6,
                              **{column: values}))
    assert list(found.symbols[1:]) == SYMBOLS[1:] and f"'{column}'" in found.column


@pytest.mark.parametrize("rows", [[1, 2, 9, 10, 12, 13, 14, 15, 16], [7157, 672, 675, 1956, 4609]])
def test_names_in_words_win_over_numbers_that_could_be_entrez_ids(entrez, rows):
    """A handful of numbers that all are Entrez ids, beside a column of names: the names count."""
    found = genes.match(cells(rows, features=SYMBOLS[:len(rows)]))
    assert list(found.symbols) == SYMBOLS[:len(rows)] and "'features'" in found.column
    assert (genes.match(cells(rows)).symbols != "").all()


def test_a_handful_of_numbers_never_wins_over_names_of_which_some_are_unknown(entrez):
    for rows in ([1, 2, 9, 10, 12], [2, 9, 12, 13, 14, 15, 16, 18]):
        names = [*SYMBOLS[:len(rows) - 2], "none", "such"]
        found = genes.match(cells(rows, features=names))
        assert list(found.symbols) == [*SYMBOLS[:len(rows) - 2], "", ""]


@pytest.mark.parametrize("numbers_of", [
    [1] * 40, [1, 2, 9] * 9, [*["7"] * 20, "12", "", *["9"] * 9], [12.0] * 12])
def test_numbers_of_groups_are_no_entrez_ids(entrez, numbers_of):
    with pytest.raises(ValueError, match="row numbers, not genes"):
        genes.match(numbers_of)
    names = list(entrez.index[:len(numbers_of) - 1])
    found = genes.of_table(numbers_of, pd.DataFrame({"gene": [*names, "none"]}))
    assert list(found.symbols) == [*names, ""] and "'gene'" in found.column
    pairs = ["7157", "672"] * 20  # of a network
    assert list(genes.match(pairs).symbols) == ["TP53", "BRCA1"] * 20


def test_a_column_of_names_far_to_the_right_or_with_repeated_names(entrez):
    words = {f"note {i}": [f"w{i}x{j}" for j in range(12)] for i in range(40)}
    found = genes.match(cells(range(12), **words, gene_symbol=SYMBOLS))
    assert list(found.symbols) == SYMBOLS
    markers = list(entrez.index[:150]) * 4  # each gene in four clusters
    found = genes.of_table(range(600), pd.DataFrame({"cluster": np.repeat(range(4), 150),
                                                     "marker": markers}))
    assert list(found.symbols) == markers


@pytest.mark.parametrize("form", [
    lambda ids: ids.astype(int), lambda ids: ids.astype(float),
    lambda ids: ids + ".0", lambda ids: pd.Categorical(ids), lambda ids: ids.where(ids != "7157"),
    lambda ids: ids.astype(float).where(ids != "7157"), lambda ids: ids.astype("Int64"),
])
def test_entrez_ids_in_a_column_beside_codes(entrez, form):
    ids = pd.Series(entrez[SYMBOLS].to_numpy())
    values = form(ids)
    adata = cells([f"probe_{i}" for i in range(12)],
                  entrez_id=values.to_numpy() if isinstance(values, pd.Series) else values)
    found = genes.match(adata)
    assert list(found.symbols[1:]) == SYMBOLS[1:] and "entrez_id" in found.column


def test_numbers_of_cells_are_no_entrez_ids(entrez):
    """Counts of cells that happen to be Entrez ids now and then must not become genes."""
    counts = some_rows(12, 9000, seed=3)
    probes = [f"probe_{i}" for i in range(12)]
    found = genes.match(cells(probes, n_cells=counts, other=counts, mean=counts / 7))
    assert (found.symbols == "").all() and found.column == "var_names"
    known = entrez[SYMBOLS].astype(int).to_numpy()
    for column in ("n_cells", "total_counts", "length"):
        assert (genes.match(cells(probes, **{column: known})).symbols == "").all()
    assert list(genes.match(cells(probes, any_name=known)).symbols) == SYMBOLS
