"""Results are written whole, joined by name, and compared within a tolerance."""

import numpy as np
import pandas as pd
import pytest

from genept_utils import ledger

ROW = {"item": "Fig 2c", "task": "ggi", "dataset": "Gene2vec test", "label": "shared GO",
       "method": "GenePT MiniLM", "classifier": "lr", "metric": "roc_auc", "value": 0.78812345,
       "low": 0.75, "high": 0.82, "n": 21448}


def test_recorded_rows_come_back_rounded(results_folder):
    written = ledger.record("03-gene-interactions", [ROW])
    read = ledger.results("03-gene-interactions")
    pd.testing.assert_frame_equal(written, read, check_dtype=False)
    assert read["value"].tolist() == [0.7881]
    assert read["notebook"].tolist() == ["03-gene-interactions"]


@pytest.mark.parametrize("change, message", [
    ({"metric": None}, "lacks"), ({"colour": "red"}, "colour"), ({"low": 0.9}, "interval")])
def test_wrong_rows_are_refused(results_folder, change, message):
    row = {key: value for key, value in {**ROW, **change}.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        ledger.record("03-gene-interactions", [row])
    assert list(results_folder.iterdir()) == []


def test_the_same_result_twice_is_refused(results_folder):
    with pytest.raises(ValueError, match="twice"):
        ledger.record("03-gene-interactions", [ROW, {**ROW, "value": 0.79}])


def test_ours_stands_beside_the_published_number(results_folder):
    ledger.record("03-gene-interactions", [ROW, {**ROW, "method": "spelling"}])
    table = ledger.join().query("item == 'Fig 2c'")
    both = table.dropna(subset=["published", "ours"])
    assert both[["published", "ours", "our_method"]].values.tolist() == [
        [0.83, 0.7881, "GenePT MiniLM"]]
    assert table[table["our_method"] == "spelling"]["published"].isna().all()
    assert len(table) == len(ledger.published("Fig 2c")) + 1


def test_no_rows_are_an_empty_table():
    none = pd.DataFrame(columns=["method", "against", "value", "low", "high"])
    assert ledger.shown(none, "against", "method").empty


def test_a_number_that_was_not_found_stays_empty():
    unknown = ledger.published()["value"].isna()
    assert unknown.sum() == 5


@pytest.mark.parametrize("moved, note, found", [
    ({"value": .005, "low": .005, "high": .005}, None, False),
    ({"value": .02}, None, True), ({"value": .02}, "tolerance=0.05", False),
    ({"low": .0175, "high": -.0175}, None, True),  # half as wide
    ({"low": .006, "high": -.006}, None, False), ({"low": .0175}, "tolerance=0.06", False),
    ({"high": np.nan}, None, True), ({"low": np.nan, "high": np.nan}, None, True)])
@pytest.mark.parametrize("against", [None, "spelling"])
def test_compare_names_values_and_limits_that_moved(moved, note, found, against):
    committed = pd.DataFrame([{**ROW, "notebook": "03", "note": note, "against": against}])
    fresh = committed.assign(note="p 0.02", **{name: committed[name] + by
                                               for name, by in moved.items()})
    table = ledger.compare(fresh, committed)
    assert len(table) == found
    assert not found or table["low_committed"].tolist() == [.75]


def test_compare_tells_rows_apart_and_names_those_of_one_side():
    rows = pd.DataFrame([{**ROW, "notebook": "03", "method": method, "note": note,
                          "against": against, "low": None, "high": None}
                         for method, note, against in [
                             ("a", None, None), ("a", "twice", None), ("a", None, "b"),
                             ("only one side", None, None)]])
    fresh = rows[:3].copy()
    fresh["value"] += [0, .02, .03]
    table = ledger.compare(fresh, rows)
    assert table[["method", "against"]].values.tolist() == [["a", ""], ["a", "b"],
                                                            ["only one side", ""]]
    assert np.isnan(table["value_fresh"].iloc[-1])


def test_tables_and_common_columns_become_rows(results_folder):
    shown = pd.DataFrame({"method": ["a", "b"], "value": [.5, .6], "note": [None, "own"]})
    written = ledger.record("03-gene-interactions", shown, [{"method": "c", "value": .7}],
                            **{key: ROW[key] for key in ("item", "task", "dataset", "metric")},
                            note="given")
    assert written["method"].tolist() == ["a", "b", "c"]
    assert written["note"].tolist() == ["given", "own", "given"]
    assert set(written["item"]) == {ROW["item"]}


def test_rows_are_shown_side_by_side_in_their_order():
    table = pd.DataFrame([{"method": method, "metric": metric, "value": .12345, "low": .1,
                           "high": .2} for method in ("b", "a") for metric in ("f1", "accuracy")])
    made = ledger.shown(table, across="metric")
    assert made.index.tolist() == ["b", "a"]
    assert made.columns.tolist() == [(metric, number) for metric in ("f1", "accuracy")
                                     for number in ("value", "low", "high")]
    assert made["f1"].loc["b"].tolist() == [.123, .1, .2]
    assert ledger.shown(table, ["method", "metric"]).loc[("a", "f1"), "value"] == .123


def test_what_third_parties_measured_stands_apart():
    theirs, printed = ledger.third_parties(), ledger.published()
    assert set(theirs["source"]) >= {"dmiao623/GPT-scEmbed", "elan6666/DinoGenePT",
                                     "jethrocsau/GenePT", "Zhong et al. 2025"}
    assert list(theirs) == list(printed) and theirs["value"].between(0, 1).all()
    assert not set(printed["source"]) & (set(theirs["source"]) - {ledger.THIRD_PARTY})
    assert not theirs.duplicated([*ledger.KEY, "source"]).any()


def test_numbers_of_others_beside_ours(results_folder):
    row = {**ROW, "item": "Gene sets", "task": "disease", "dataset": "Zhong 2025",
           "label": "OMIM disease", "classifier": "svm"}
    ledger.record("06-disease-and-function", [row])
    assert ledger.join().query("item == 'Gene sets'")["published"].isna().all()
    table = ledger.join(ledger.third_parties()).query("item == 'Gene sets'").dropna(subset="ours")
    assert table[["published", "our_method", "source"]].values.tolist() == [
        [.8289, "GenePT MiniLM", "Zhong et al. 2025"]]


def test_a_page_run_by_hand_leaves_the_committed_results_alone(project, monkeypatch):
    monkeypatch.delenv("GENEPT_RESULTS", raising=False)
    committed = ledger.paths.DATA / "results" / "03-gene-interactions.json"
    committed.write_text("[]\n")
    ledger.record("03-gene-interactions", [ROW])
    assert committed.read_text() == "[]\n"
    assert len(ledger.results(folder=ledger.paths.own_results())) == 1


def test_a_difference_is_no_score(results_folder):
    ledger.record("03-gene-interactions", [
        ROW, {**ROW, "against": "spelling", "value": .02, "low": .01, "high": .03}])
    assert ledger.results()["value"].tolist() == [0.7881]
    assert ledger.differences()[["against", "value", "reads"]].values.tolist() == [
        ["spelling", .02, "text"]]
