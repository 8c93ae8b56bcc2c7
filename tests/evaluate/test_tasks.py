"""Methods on lists of genes: the same folds for all, scores and differences as one table."""

import numpy as np
import pandas as pd
import pytest

from genept_utils import embed, evaluate


@pytest.fixture(scope="module")
def tasks():
    """Two lists of real symbols whose label is one axis of the shipped vectors."""
    shipped = embed.read_embedding()
    made = {}
    for number, key in enumerate([("easy", "A"), ("easy", "B")]):
        some = shipped[number * 100:number * 100 + 100]
        axis = some.X[:, number]
        made[key] = pd.DataFrame({"symbol": some.obs_names, "label": axis > np.median(axis)})
    return made


@pytest.fixture(scope="module")
def scores(tasks):
    inputs = {"vectors": "minilm", "letters": "letters"}
    return pd.concat([
        evaluate.task_scores(tasks, inputs, "random folds", 2, seed=3),
        evaluate.task_scores(tasks, {"vectors": "minilm"}, "families", 1, family="symbol")])


def test_every_method_is_scored_on_every_task(tasks, scores):
    assert len(scores) == 2 * 2 * 10 + 2 * 5
    own = scores.query("method == 'vectors' and dataset == 'B' and split == 'random folds'")
    table = tasks["easy", "B"]
    expected = evaluate.cross_validate(embed.read_embedding()[table["symbol"]].X, table["label"],
                                       repeats=2, seed=3)
    np.testing.assert_array_equal(own["roc_auc"], expected["roc_auc"])
    grouped = evaluate.cross_validate(
        embed.read_embedding()[table["symbol"]].X, table["label"], repeats=1,
        groups=evaluate.families(table["symbol"]))
    own = scores.query("dataset == 'B' and split == 'families'")
    np.testing.assert_array_equal(own["roc_auc"], grouped["roc_auc"])


def test_rows_and_the_table_across_tasks(scores):
    rows = evaluate.task_rows(scores)
    assert len(rows) == 6 and set(rows["n"]) == {100}
    row = rows.iloc[0]
    part = scores.query("method == 'vectors' and dataset == 'A' and split == 'random folds'")
    value, low, high = evaluate.interval(part["roc_auc"], .2)
    assert (row["value"], row["low"]) == pytest.approx((value, low))
    assert row["high"] == pytest.approx(min(high, 1))
    wide = evaluate.across_tasks(rows[rows["split"] == "random folds"])
    assert wide.columns.tolist() == ["easy (A)", "easy (B)"]
    assert wide.index.tolist() == ["vectors", "letters"]
    assert wide.loc["vectors", "easy (A)"] == round(value, 3)


def test_gains_are_paired_and_only_where_both_were_scored(scores):
    gains = evaluate.task_gains(scores, "vectors", ["letters"])
    assert gains["split"].tolist() == ["random folds"] * 2
    a, b = (scores.query("method == @name and dataset == 'A' and split == 'random folds'")
            ["roc_auc"].to_numpy() for name in ("vectors", "letters"))
    expected = evaluate.paired(a, b, .2)
    assert gains.iloc[0][["difference", "low", "high"]].tolist() == pytest.approx(
        [expected["difference"], expected["low"], expected["high"]])


def test_the_choice_is_made_inside_the_training_part(tasks):
    one = {("easy", "A"): tasks["easy", "A"]}
    noise = embed.read_embedding("random")
    inputs = {"vectors": "minilm", "noise": noise}
    found = evaluate.chosen_scores(one, inputs, ["vectors", "noise", "vectors + noise"], "chosen",
                                   "random folds", 1)
    assert found["features"].isin(["vectors", "vectors + noise"]).all()
    assert len(found) == 5 and found["roc_auc"].mean() > .7
    only = evaluate.chosen_scores(one, inputs, ["noise"], "chosen", "random folds", 1)
    assert only["roc_auc"].mean() < .7 and set(only["n"]) == {100}


def test_forests_are_used_where_asked(tasks):
    one = {("easy", "A"): tasks["easy", "A"]}
    made = evaluate.task_scores(one, {"vectors": "minilm", "letters": "letters"}, "x", 1, "rf")
    linear = evaluate.task_scores(one, {"vectors": "minilm", "letters": "letters"}, "x", 1)
    same = (made["roc_auc"] == linear["roc_auc"]).groupby(made["method"]).all()
    assert same["letters"] and not same["vectors"]
    assert set(made["classifier"]) == {"rf"}
