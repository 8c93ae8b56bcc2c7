"""Gene-task loaders: known counts of the published lists, and what is left out of them."""

import pytest

from genept_utils import genes, sources
from genept_utils.chapters import chromatin_and_dosage as tasks
from genept_utils.chapters import gene_functions
from genept_utils.chapters import gene_interactions as pair_sets


@pytest.fixture(scope="module", autouse=True)
def lists_are_here():
    keys = [genes.HGNC, "genes/gene_info_table.csv", tasks._DOSAGE, tasks._BIVALENT,
            tasks._LYS4, tasks._NONE, tasks._CHEN, tasks._RANGE,
            *(key for keys in pair_sets.PAIR_SETS.values() for key in keys)]
    missing = [key for key in keys if sources.local(key) is None]
    if missing:
        pytest.skip(f"{len(missing)} label files are not here, for example {missing[0]}")


@pytest.mark.parametrize("key", tasks.GENE_TASKS)
def test_a_task_keeps_each_gene_once_and_accounts_for_every_line(key):
    table = tasks.gene_task(*key)
    loss = table.attrs["loss"]
    assert table["symbol"].is_unique and (table["symbol"] != "").all()
    assert set(table["label"]) == {0, 1}
    assert loss["genes"] == len(table)
    assert loss["lines"] == (loss["genes"] + loss["unmatched"] + loss["repeated"]
                             + 2 * loss["contradictory"])


def test_published_list_sizes():
    lines = {key: tasks.gene_task(*key).attrs["loss"]["lines"] for key in tasks.GENE_TASKS}
    assert list(lines.values()) == [122 + 368, 107 + 42, 107 + 80, 80 + 42, 60, 46 + 130]


def test_long_range_is_the_positive_class_of_both_lists():
    chen = tasks.gene_task("long- vs short-range", "Chen 2020")["label"]
    theodoris = tasks.gene_task("long- vs short-range", "Theodoris")["label"]
    assert (chen.sum(), 60 - chen.sum()) == (49, 11)
    assert theodoris.sum() <= 46 < (1 - theodoris).sum()


def test_unknown_names_are_refused_with_what_is_known():
    with pytest.raises(ValueError, match="dosage-sensitive vs insensitive / Theodoris"):
        tasks.gene_task("dosage")
    with pytest.raises(ValueError, match="HuRI"):
        pair_sets.gene_pairs("huri")
    with pytest.raises(ValueError, match="symbol, any"):
        gene_functions.gene_classes("all")


def test_gene_classes_are_fifteen_in_both_universes():
    by_symbol, by_any = gene_functions.gene_classes(), gene_functions.gene_classes("any")
    for table in (by_symbol, by_any):
        assert table["gene_type"].nunique() == 15
        assert table["symbol"].isin(genes.gene_table().index).all()
        loss = table.attrs["loss"]
        assert loss["lines"] == 80_529 == (loss["unlabelled"] + loss["unmatched"]
                                           + loss["small_classes"] + loss["rows"])
    assert len(by_any) > len(by_symbol) > 32_000


def test_ggi_keeps_its_split_and_the_gene_called_na():
    pairs = pair_sets.gene_pairs("ggi")
    counts = pairs.groupby("split").size()
    assert pairs.attrs["loss"]["lines"] == 263_016 + 5_568 + 21_448
    assert counts["train"] > 262_000 and counts["test"] > 21_000
    raw = pair_sets._ggi("train")
    assert (raw[["a", "b"]] == "NA").any().any()
    assert not raw.isna().any().any()


@pytest.mark.parametrize("name", ["HuRI", "Lit-BM", "tissue-specific"])
def test_networks_have_no_self_pair_and_no_repeat(name):
    pairs = pair_sets.gene_pairs(name)
    assert (pairs["a"] < pairs["b"]).all()
    assert not pairs.duplicated().any()
    loss = pairs.attrs["loss"]
    assert loss["lines"] == (loss["unmatched"] + loss["self_pairs"] + loss["repeated"]
                             + loss["pairs"])
    assert loss["self_pairs"] > 0
    assert pairs["a"].isin(genes.gene_table().index).all()
    assert pairs["b"].isin(genes.gene_table().index).all()
