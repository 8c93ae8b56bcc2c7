"""Cells of several sets: donors held out, small shares, and scores that are undefined."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import evaluate
from genept_utils.chapters import cell_types, phenotypes
from genept_utils.chapters.batch_and_context import integration


@pytest.fixture
def cohort():
    """Vectors and obs of 24 donors with ten cells each, half of each donor's cells ill."""
    rng = np.random.default_rng(0)
    obs = pd.DataFrame({"donor": np.repeat([f"d{i}" for i in range(24)], 10),
                        "condition": np.tile(["ill", "well"], 120)})
    X = rng.standard_normal((240, 6)).astype(np.float32)
    X[:, 0] += 3 * (obs["condition"] == "ill")
    return X, obs


@pytest.mark.parametrize("donors, splits", [(2, 2), (9, 9), (10, 10), (24, 10)])
def test_from_ten_donors_on_there_are_ten_folds_of_donors(cohort, donors, splits):
    rows = cohort[1].iloc[:10 * donors]
    made = phenotypes.donor_splits(rows["condition"], rows["donor"])
    assert len(made) == splits
    names = rows["donor"].to_numpy()
    for train, test in made:
        assert not set(names[train]) & set(names[test])
    assert sorted(np.concatenate([test for _, test in made])) == list(range(len(rows)))


def test_cells_without_a_donor_stand_in_no_split(cohort):
    donor = cohort[1]["donor"].to_numpy(object)
    donor[:7] = [None, np.nan, "nan", "", pd.NA, "NaN", " "]
    for train, test in phenotypes.donor_splits(cohort[1]["condition"], donor):
        assert min(train) >= 7 and min(test) >= 7
    said = []
    phenotypes.phenotype_tests(cohort[1].assign(donor=donor), report=said.append)
    assert said == ["7 of 240 cells have no donor and are left out where donors are held out."]


@pytest.mark.parametrize("donor, word", [(["d"] * 240, "there is 1"), (None, "donor=COLUMN"),
                                         (["a", "b"] * 120, "there are 2")])
def test_where_no_donor_can_be_held_out_the_page_says_so(cohort, donor, word):
    obs = cohort[1].drop(columns="donor")  # of two donors each has one condition only
    obs = obs if donor is None else obs.assign(donor=donor)
    said = []
    made = phenotypes.phenotype_tests(obs, report=said.append)
    assert {name for name, _, _ in made} == {"random cells"} and word in said[0]


@pytest.mark.parametrize("donors", [24, 40])
def test_the_condition_of_a_donor_is_found_alone_and_in_folds(donors):
    rng = np.random.default_rng(1)
    ill = np.repeat(np.arange(donors) % 2, 5)
    X = rng.standard_normal((len(ill), 4)) + 2 * ill[:, None]
    made, table = phenotypes.leave_one_donor_out(X, np.repeat(np.arange(donors), 5), ill, 20)
    made = made.set_index("metric")
    assert made.loc["accuracy", "value"] > .9
    assert made.loc["roc_auc", "note"] == "permutation p-value 0.05"  # 1 of 21
    for metric, kind in (("roc_auc", "auc"), ("accuracy", "donors")):
        row = evaluate.summarise(table.assign(method="a"), values="right", kind=kind).iloc[0]
        columns = ["value", "low", "high", "n"]
        assert row[columns].tolist() == pytest.approx(made.loc[metric, columns].tolist())
        assert row["low"] < row["value"] and row["n"] == donors


def test_a_donor_of_two_conditions_is_named(cohort):
    with pytest.raises(ValueError, match="donor 'd0' has cells of 2 conditions"):
        phenotypes.leave_one_donor_out(*cohort[:1], cohort[1]["donor"], cohort[1]["condition"])
    alone = np.where(cohort[1]["donor"] == "d0", "ill", "well")
    with pytest.raises(ValueError, match="a condition that one donor alone has"):
        phenotypes.leave_one_donor_out(*cohort[:1], cohort[1]["donor"], alone)


@pytest.mark.parametrize("types, share, word", [
    (["a", "b"] * 20 + ["c"], .2, "Types of one cell are left out here: c"),
    (["a"] * 30, .1, "fewer than two types"), (["a", "b", "c"] * 20, .02, "between 0.05 and 0.95"),
    (["a", "b", "c"] * 20, .99, "between 0.05 and 0.95")])
def test_a_share_that_does_not_do_is_said(types, share, word):
    said = []
    made = phenotypes.small_share(types, share, 3, report=said.append)
    assert word in said[0]
    assert len(made) == (3 if word.startswith("Types") else 0)
    for train, test in made:
        assert set(np.array(types)[train]) == {"a", "b"}
    if "between" in word:  # what the sentence advises does
        assert len(phenotypes.small_share(types, .05, 1)) == 1


def test_fine_tuning_on_a_phenotype_gathers_held_out_cells(cohort):
    X, obs = cohort
    adata = ad.AnnData(X, obs=obs.set_index(obs.index.astype(str)), obsm={"a": X})
    made = phenotypes.agreement({"set": adata}, ["a", "absent"], max_iter=60)
    means = made.groupby("vectors")[["knn_agreement", "asw", "chance"]].mean()
    assert means.loc["after", "knn_agreement"] > means.loc["before", "knn_agreement"] + .05
    assert means.loc["after", "asw"] > means.loc["before", "asw"]
    assert means["chance"].to_numpy() == pytest.approx(.5)
    alone = adata[adata.obs["condition"] == "ill"]
    assert not len(phenotypes.agreement({"set": alone}, ["a"]))


def test_a_batch_of_other_types_and_cells_without_a_batch_are_not_scored():
    rng = np.random.default_rng(0)
    labels = np.array(["B", "T"] * 30 + ["HSC"] * 10)
    batch = np.array(["x", "x", "y", "y"] * 15 + ["z"] * 10, dtype=object)
    batch[:4] = [None, "nan", np.nan, ""]
    made = cell_types.cell_typing(rng.standard_normal((70, 3)), labels, groups=batch)
    assert made["held_out"].tolist() == ["x", "y"] and made["n_test"].sum() == 56


def test_mixing_is_undefined_where_batch_and_type_are_one():
    rng = np.random.default_rng(0)
    labels = np.repeat(["B", "T"], 40)
    made = integration(rng.standard_normal((80, 3)), labels, labels)
    assert np.isnan(made["asw_batch"]) and 0 <= made["clisi"] <= 1
    made = integration(rng.standard_normal((80, 3)), ["one"] * 80, labels)
    assert np.isnan(made["ilisi"]) and 0 <= made["asw_label"] <= 1


def test_scores_of_sets_and_ways_in_tables_by_name():
    obs = pd.DataFrame({"cell_type": ["a", "b"]}, index=["1", "2"])
    sets = {name: ad.AnnData(np.eye(2) * n, obs=obs) for n, name in enumerate(("one", "two"))}

    def ways(adata):
        yield {"method": "x"}, adata.X
        yield {"method": "y"}, adata.X + 1

    made = evaluate.score_all(sets, ways, lambda X, obs, way: {
        "mean": {"mean": X.mean()}, "n": pd.DataFrame({"n": [7, 8], "of": way["method"]})})
    assert made["mean"]["mean"].tolist() == [0, 1, .5, 1.5] and (made["mean"]["n"] == 2).all()
    assert made["n"]["n"].tolist() == [7, 8] * 4 and made["n"]["of"].tolist()[2:4] == ["y", "y"]
    assert evaluate.score_all({}, ways, None) == {}
