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
