"""Verdicts of paired intervals, and claims with what was recorded of them."""

import math

import pandas as pd
import pytest

from genept_utils import ledger
from genept_book import claims

NO = math.nan


@pytest.mark.parametrize("value, low, high, expected", [
    (.10, .05, .15, "ahead"), (.02, .001, .04, "ahead"), (.015, .005, .025, "slightly ahead"),
    (.0, -.02, .02, "level"), (.01, -.005, .019, "level"), (.01, -.03, .05, "undecided"),
    (.015, .0, .03, "undecided"), (-.015, -.02, -.01, "slightly behind"),
    (-.1, -.2, -.05, "behind"), (.1, NO, NO, "undecided")])
def test_verdict_and_its_mirror(value, low, high, expected):
    assert claims.verdict(value, low, high) == expected
    mirror = {"ahead": "behind", "behind": "ahead"}
    last = expected.split()[-1]
    assert claims.verdict(value, low, high, lower_is_better=True) == expected.replace(
        last, mirror.get(last, last))


def test_the_margin_is_the_claims_own():
    assert [claims.verdict(.03, .01, .05, margin) for margin in (.02, .05)] == [
        "ahead", "slightly ahead"]
    assert [claims.verdict(.0, -.03, .03, margin) for margin in (.02, .05)] == [
        "undecided", "level"]


@pytest.mark.parametrize("printed, low, high, expected", [
    (.90, .85, .92, "reached"), (.83, .767, .814, "below"), (.956, .960, .966, "above"),
    (.73, .38, .89, "undecided"), (.73, NO, NO, "undecided"), (.85, .85, .92, "reached")])
def test_printed_number_and_our_interval(printed, low, high, expected):
    assert claims.against_printed(printed, low, high) == expected


SCORE = {"item": "Fig 2c", "task": "ggi", "dataset": "Gene2vec test", "metric": "roc_auc",
         "value": .79, "low": .77, "high": .81}
HEAD = ("id,notebook,glance,claim,method,nothing,letters,words,text,expression,annotations,printed,"
        "item,task,dataset,label,classifier,metric,split,unit,margin\n")
LINE = ("ggi,03-x,yes,Pairs,GenePT MiniLM,{nothing},{letters},,,,,{printed},Fig 2c,ggi,"
        "Gene2vec test,,,roc_auc,,gene,{margin}\n")


@pytest.fixture
def written(results_folder, tmp_path, monkeypatch):
    """A function that records scores and differences and writes one claim of them."""
    monkeypatch.setattr(ledger.paths, "DATA", tmp_path / "data")
    (tmp_path / "data").mkdir()

    def write(differences, lines=1, **columns):
        pd.DataFrame([{**SCORE, "label": "", "classifier": "", "spread": "", "source": "a",
                       "note": "", "method": "GenePT ada-002", "value": .83}]).to_csv(
            tmp_path / "data" / "published.csv", index=False)
        ledger.record("03-x", [{**SCORE, "method": name} for name in (
            "GenePT MiniLM", "permuted", "spelling")], [
            {**SCORE, "n": 9, "method": method, "against": against, "value": value,
             "low": value - .01, "high": value + .01} for method, against, value in differences])
        columns = {"nothing": "permuted", "letters": "spelling", "printed": "GenePT ada-002",
                   "margin": "", **columns}
        (tmp_path / "data" / "claims.csv").write_text(HEAD + LINE.format(**columns) * lines)

    return write


BOTH = [("GenePT MiniLM", "permuted", .2), ("spelling", "GenePT MiniLM", .1)]


def test_each_control_has_its_difference_and_verdict(written):
    written(BOTH)
    shown = claims.verdicts()
    assert shown[["kind", "against", "verdict"]].values.tolist() == [
        ["nothing", "permuted", "ahead"], ["letters", "spelling", "behind"],
        ["printed", "GenePT ada-002", "below"]]
    assert shown["value"].round(4).tolist() == [.2, -.1, -.04]
    assert shown["low"].round(4).tolist() == [.19, -.11, -.06]
    assert claims.scores()["kind"].tolist() == ["subject", "nothing", "letters", "printed"]


@pytest.mark.parametrize("differences, said", [
    (BOTH[:1], ["0 differences of 'GenePT MiniLM' to 'spelling' for claim 'ggi'"]),
    ([], ["to 'permuted'", "to 'spelling'"]),
    ([*BOTH, ("GenePT MiniLM", "spelling", .1)], ["2 differences"])])
def test_what_was_not_recorded_is_named(written, differences, said):
    written(differences)
    with pytest.raises(ValueError) as fault:
        claims.verdicts()
    assert all(words in str(fault.value) for words in said)


@pytest.mark.parametrize("columns, said", [
    ({"nothing": "spelling"}, "'spelling' reads letters, not nothing"),
    ({"letters": "no method"}, "reads what is not known"), ({"lines": 2}, "a claim twice: ggi"),
    ({"letters": '"spelling, all n-grams"'}, "0 recorded results of 'spelling, all n-grams'"),
    ({"printed": "scGPT"}, "0 printed results of 'scGPT'")])
def test_a_claim_that_fits_nothing_is_an_error(written, columns, said):
    written(BOTH, **columns)
    with pytest.raises(ValueError, match=said):
        claims.verdicts()


def test_agreement_with_the_batch_is_better_where_lower():
    rows = pd.DataFrame([{"task": task, "value": .1, "low": .05, "high": .15}
                         for task in ("batch agreement", "cell type agreement")])
    assert claims.of_rows(rows)["verdict"].tolist() == ["behind", "ahead"]


def test_the_score_over_several_sets_is_their_mean(results_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(ledger.paths, "DATA", tmp_path / "data")
    (tmp_path / "data").mkdir()
    pd.DataFrame(columns=[*SCORE, "method", "label", "classifier", "source", "note", "spread"]
                 ).to_csv(tmp_path / "data" / "published.csv", index=False)
    line = LINE.format(nothing="permuted", letters="", printed="", margin="")
    (tmp_path / "data" / "claims.csv").write_text(HEAD + line.replace("Gene2vec test", "2 sets"))
    bare = {name: value for name, value in SCORE.items() if name not in ("low", "high")}
    ledger.record("03-x", [
        {**bare, "dataset": name, "method": method, "value": value} for name, method, value in [
            ("a", "GenePT MiniLM", .6), ("b", "GenePT MiniLM", .8), ("a", "permuted", .2),
            ("b", "permuted", .3)]], [
        {**SCORE, "dataset": "2 sets", "method": "GenePT MiniLM", "against": "permuted",
         "value": .45, "low": .4, "high": .5}])
    assert claims.scores()["value"].round(4).tolist() == [.7, .25]
    assert claims.verdicts()["verdict"].tolist() == ["ahead"]
    (tmp_path / "data" / "claims.csv").write_text(HEAD + line.replace("Gene2vec test", "3 sets"))
    with pytest.raises(ValueError, match="0 recorded results of 'GenePT MiniLM'"):
        claims.scores()
