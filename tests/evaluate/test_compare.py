"""One table of scores: a row a method, a row a pair of methods, whatever the kind of interval."""

import numpy as np
import pandas as pd
import pytest

from genept_utils import evaluate


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    table = pd.DataFrame([{"dataset": data, "method": method, "donor": donor, "n": 50}
                          for data in ("x", "y") for donor in range(8) for method in "abc"])
    donor = rng.random(8)
    table["accuracy"] = .4 * rng.random(len(table)) + .5 * donor[table.donor]
    table["f1"] = table["accuracy"] / 2
    return table


@pytest.mark.parametrize("kind, how", [
    ("units", evaluate.mean_interval), ("donors", evaluate.mean_interval),
    ("folds", lambda x: evaluate.interval(x, .3)), ("spread", evaluate.spread),
    ("range", lambda x: (x.mean(), x.min(), x.max()))])
def test_a_row_a_group_and_metric(scores, kind, how):
    made = evaluate.summarise(scores, ["dataset", "method"], ["accuracy", "f1"], kind,
                              test_size=.3)
    assert len(made) == 12 and made["repeats"].eq(8).all()
    row = made.set_index(["dataset", "method", "metric"]).loc[("y", "b", "f1")]
    known = how(scores.query("dataset == 'y' and method == 'b'")["f1"].to_numpy())
    assert tuple(row[["value", "low", "high"]]) == pytest.approx(np.clip(known, 0, 1))
    assert row["n"] == (8 if kind in ("units", "donors") else 50)
    gap = evaluate.compare(scores, [("a", "b"), ("a", "absent")], "donor", ["accuracy", "f1"],
                           "dataset", kind, .3)
    wide = scores.query("dataset == 'x'").pivot(index="donor", columns="method", values="f1")
    assert len(gap) == 4 and gap["n"].eq(8).all()
    assert tuple(gap.iloc[1][["value", "low", "high"]]) == pytest.approx(
        how((wide["a"] - wide["b"]).to_numpy()))


def test_scores_of_one_unit_are_averaged_first_and_only_shared_units_compared(scores):
    twice = pd.concat([scores, scores.assign(accuracy=scores.accuracy + .1)])
    once = scores.assign(accuracy=scores.accuracy + .05)
    for by in ("value", "low", "high", "n"):
        assert evaluate.summarise(twice, "method", "accuracy", "units", "donor")[by].tolist() == (
            pytest.approx(evaluate.summarise(once, "method", "accuracy", "units", "donor")[by]))
    some = scores[(scores.method != "b") | (scores.donor < 5)]
    assert evaluate.compare(some, [("a", "b")], "donor", "accuracy", "dataset")["n"].eq(5).all()


def test_a_table_a_method_and_the_end_of_the_scale():
    runs = {"a": pd.DataFrame({"repeat": 0, "fold": range(5), "n_test": 20,
                               "auc": [.9, 1, 1, 1, 1]}),
            "b": pd.DataFrame({"repeat": 0, "fold": range(5), "n_test": 20, "auc": .5})}
    made = evaluate.summarise(runs, values=["auc"], kind="folds").set_index("method")
    assert made.loc["a", "high"] == 1 and made.loc["a", "n"] == 20
    gap = evaluate.compare(runs, [("a", "b")], ["repeat", "fold"], "auc", kind="folds").iloc[0]
    assert gap["value"] == pytest.approx(.48) and gap["high"] > .5


def test_unpaired_units_and_unknown_kinds(scores):
    from scipy import stats

    some = scores.query("dataset == 'x'")
    a, b = (some.loc[some.method == method, "f1"] for method in "ab")
    made = evaluate.compare(some, [("a", "b")], value="f1", kind="unpaired").iloc[0]
    assert (made["low"], made["high"]) == pytest.approx(
        stats.ttest_ind(a, b, equal_var=False).confidence_interval())
    fewer = evaluate.compare(some.drop(b.index[2:]), [("a", "b")], value="f1", kind="unpaired")
    assert fewer["n"].item() == 2 < len(a)
    with pytest.raises(ValueError, match="'t' is not one of units, donors, folds"):
        evaluate.summarise(scores, "method", "f1", "t")


@pytest.fixture
def decisions():
    rng = np.random.default_rng(0)
    table = pd.DataFrame([{"term": term, "gene": gene, "label": int(gene % 3 == term % 3)}
                          for term in range(12) for gene in range(40)])
    return pd.concat([table.assign(method=method, score=strength * table.label
                                   + rng.standard_normal(len(table)))
                      for method, strength in (("a", 1.5), ("b", 1.), ("same", 1.))])


def test_terms_that_share_genes(decisions):
    made = evaluate.summarise(decisions, kind="terms").set_index("method")
    assert made["n"].eq(12).all() and made["metric"].eq("roc_auc").all()
    assert (made["low"] < made["value"]).all() and made.loc["a", "value"] > made.loc["b", "value"]
    less = decisions[(decisions.method != "b") | (decisions.term > 1) & (decisions.gene > 2)]
    gap = evaluate.compare(less, [("a", "b"), ("a", "a")], kind="terms")
    assert gap["n"].tolist() == [10, 12]
    assert gap.loc[1, ["value", "low", "high"]].tolist() == [0, 0, 0]
    one = gap.iloc[0]
    both = decisions.query("term > 1 and gene > 2")  # the genes that both methods have
    alone = [evaluate.term_areas(both[both.method == m])[0].mean() for m in "ab"]
    assert one["low"] < one["value"] == pytest.approx(alone[0] - alone[1])


def test_donors_with_one_score_each(decisions):
    donors = decisions.query("term == 0 and gene < 12").rename(columns={"gene": "donor"})
    made = evaluate.summarise(donors, kind="auc").set_index("method").loc["a"]
    part = donors[donors.method == "a"]
    assert tuple(made[["value", "low", "high"]]) == evaluate.donor_auc(part.label, part.score)
    gap = evaluate.compare(donors, [("a", "b")], kind="auc").iloc[0]
    assert gap["n"] == 12 and gap["low"] < gap["value"] < gap["high"]


def test_curves_of_pairs_alone_and_of_several_data_sets():
    rng = np.random.default_rng(0)
    y, pairs = rng.integers(0, 2, 300), rng.integers(0, 50, (300, 2))
    score = y + rng.standard_normal(300)
    curves = evaluate.pair_roc(y, {"a": score, "b": score + .01 * rng.standard_normal(300)},
                               pairs)
    made = evaluate.summarise(curves)
    assert made["n"].eq(300).all() and made["value"].tolist() == [
        curves["a"]["auc"], curves["b"]["auc"]]
    gap = evaluate.compare({"x": curves, "y": curves}, [("a", "b"), ("a", "c")])
    assert gap["dataset"].tolist() == ["x", "y"]
    assert (gap["high"] - gap["low"]).max() < .1 * (made["high"] - made["low"]).min()
    other = evaluate.pair_roc(y, {"b": score}, pairs)
    with pytest.raises(ValueError, match="same pairs"):
        evaluate.compare({"a": curves["a"], "b": other["b"]}, [("a", "b")])


# ------------------------------------------------------------------ small tables, worked by hand

def runs(**methods):
    return pd.concat([pd.DataFrame({"method": method, "unit": range(len(values)), "value": values})
                      for method, values in methods.items()], ignore_index=True)


@pytest.mark.parametrize("values, kind, known", [
    ([.2, .4, .9], "range", (.5, .2, .9)), ([-1, 0, 4.], "range", (1, -1, 4)),
    ([0, 1.], "spread", (.5, .025, .975)), ([np.nan, .2, .4], "spread", (.3, .205, .395)),
    ([0, .9, 1, 1, 1, 1, 1], "folds", (.8428571, None, 1)),  # cut at the end of the scale
    ([0, 0, 0, 0, 0, 0, .2], "folds", (.0285714, 0, None)),
    ([.9, 1, 1, 1, 1, 1.1], "folds", (1, None, 1.1049)),  # no share, and not cut
    ([-.1, 0, 0, 0, 0, 0.1], "folds", (0, -.1049, None)),
])
def test_the_interval_of_a_group(values, kind, known):
    row = evaluate.summarise(runs(a=values), kind=kind).iloc[0]
    assert row["repeats"] == len(values) and "n" not in row and "metric" not in row
    for name, value in zip(("value", "low", "high"), known):
        assert value is None or row[name] == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("turned", [list, pd.Categorical])
def test_groups_come_as_they_stand_and_columns_name_their_size(turned):
    table = runs(z=[.1, .2, .6], a=[.5, np.nan, .7, .9])
    table["method"] = (pd.Categorical(table["method"], ["a", "never", "z"])
                       if turned is pd.Categorical else table["method"])
    made = evaluate.summarise(table, kind="units", unit="unit")
    assert made["method"].tolist() == ["z", "a"]
    assert made.set_index("method")["n"].to_dict() == {"z": 3, "a": 3}
    assert made.set_index("method")["value"].to_dict() == pytest.approx({"z": .3, "a": .7})
    for sizes, n in (({"n": range(7, 14)}, [7, 10]), ({"n_test": range(7, 14)}, [7, 10]),
                     ({"n_test": range(7), "n": range(7, 14)}, [7, 10])):
        table["method"] = table["method"].astype(str)
        assert evaluate.summarise(table.assign(**sizes))["n"].tolist() == n
    table["unit"] = pd.Categorical(table["unit"], range(9))
    assert evaluate.summarise(table, kind="units", unit="unit")["n"].tolist() == [3, 3]


@pytest.mark.parametrize("categories", [False, True])
def test_differences_of_a_pair(categories):
    table = runs(z=[.5, .7, .9, .4], a=[.1, .2, .6], b=[.3, .3, .3, .3])
    if categories:
        table["method"] = pd.Categorical(table["method"], ["a", "b", "never", "z"])
        table["unit"] = pd.Categorical(table["unit"], range(9))
    made = evaluate.compare(table, [("z", "a"), ("a", "z"), ("z", "z"), ("z", "never"),
                                    ("never", "a")], "unit", kind="range")
    assert list(made.columns) == ["method", "against", "value", "low", "high", "n"]
    assert made[["method", "against"]].to_numpy().tolist() == [["z", "a"], ["a", "z"], ["z", "z"]]
    assert made["n"].tolist() == [3, 3, 4]
    np.testing.assert_allclose(made[["value", "low", "high"]], [
        [1.2 / 3, .3, .5], [-1.2 / 3, -.5, -.3], [0, 0, 0]], atol=1e-12)
    none = evaluate.compare(table, [("z", "a")], "unit", kind="units")
    assert none["value"].item() == pytest.approx(.4)
    unpaired = evaluate.compare(table, [("z", "a"), ("a", "a"), ("never", "a")], kind="unpaired")
    assert unpaired["value"].tolist() == pytest.approx([.325, 0]) and unpaired["n"][0] == 3


def test_columns_are_compared_one_by_one_in_their_order():
    table = pd.concat([runs(a=[.5, .6], b=[.1, .1]).assign(set=name, other=1.)
                       for name in ("y", "x")])
    made = evaluate.compare(table, [("a", "b")], "unit", ["value", "other"], "set", "range")
    assert made[["set", "metric", "value"]].to_numpy().tolist() == [
        ["y", "value", pytest.approx(.45)], ["y", "other", 0],
        ["x", "value", pytest.approx(.45)], ["x", "other", 0]]
    table["set"] = pd.Categorical(table["set"], ["x", "never", "y"])
    made = evaluate.compare(table, [("a", "b")], "unit", by=["set"], kind="range")
    assert made["set"].tolist() == ["y", "x"] and "metric" not in made


def test_a_pair_that_is_right_or_wrong_has_the_interval_of_differences():
    made = evaluate.compare(runs(a=[1, 1, 1, 0, 1, 0, 1], b=[0, 1, 0, 0, 1, 0, 1]), [("a", "b")],
                            "unit").iloc[0]
    assert tuple(made[["value", "low", "high"]]) == pytest.approx(
        evaluate.mean_interval([1, 0, 1, 0, 0, 0, 0], difference=True))


def test_a_range_of_nothing_and_tables_by_method():
    empty = evaluate.compare(runs(a=[np.nan], b=[.5]), [("a", "b")], "unit", kind="range")
    assert not len(empty) or empty[["value", "low", "high"]].isna().all(axis=None)
    apart = runs(a=[.5, np.nan], b=[np.nan, .5])
    row = evaluate.compare(apart, [("a", "b")], "unit", kind="range").iloc[0]
    assert row["n"] == 0 and row[["value", "low", "high"]].isna().all()
    made = evaluate.summarise({"b": runs(x=[.1, .3]).drop(columns="method"),
                               "a": runs(x=[.5]).drop(columns="method")}, kind="range")
    assert made["method"].tolist() == ["b", "a"] and made["value"].tolist() == [.2, .5]
    assert not len(evaluate.summarise({})) and not len(evaluate.compare({}, [("a", "b")]))


def test_rows_of_curves_are_numbered_through():
    rng = np.random.default_rng(0)
    y, pairs = np.arange(60) % 2, rng.integers(0, 20, (60, 2))
    curves = evaluate.pair_roc(y, {"a": y + rng.random(60), "b": rng.random(60)}, pairs)
    made = evaluate.summarise({"x": curves, "y": curves})
    assert made.index.tolist() == [0, 1, 2, 3] and made["dataset"].tolist() == list("xxyy")
    assert made[["low", "value", "high"]].iloc[0].tolist() == [
        curves["a"][name] for name in ("low", "auc", "high")]
    gap = evaluate.compare(curves, [("a", "b"), ("b", "a"), ("a", "a"), ("c", "a")])
    assert gap["value"].tolist() == pytest.approx([
        curves["a"]["auc"] - curves["b"]["auc"], curves["b"]["auc"] - curves["a"]["auc"], 0])
    assert (gap["low"] + gap["high"]).to_numpy() == pytest.approx(2 * gap["value"].to_numpy())
    assert gap["low"][0] < gap["value"][0] and gap["n"].eq(60).all()
