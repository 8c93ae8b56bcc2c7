"""Anybody's vectors on the book's tasks: the chapters' numbers, refusals, resumption, a page."""

import json
import multiprocessing
import os
import re
import signal

import anndata as ad
import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_book import ledger, score, score_cells, score_page, score_tasks
from genept_book.notebooks import definitions
from genept_book.score_tasks import Task
from genept_utils import embed, evaluate, genes
from genept_utils.cli import main

RANGE = "gene_tasks/41467_2020_16106_MOESM4_ESM.csv"


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """A folder of scores of the test's own, with controls that no file is needed for."""
    monkeypatch.setattr(score, "_folder", lambda digest: tmp_path / digest[:16])
    monkeypatch.setattr(score, "CONTROLS", {"permuted": "permuted",
                                            "spelling, all n-grams": "letters"})
    return tmp_path


@pytest.fixture
def vectors(cached, source):
    """64 numbers for each of 400 genes, as a file."""
    source(genes.HGNC, genes.REFSEQ)
    symbols = genes.gene_table().index[:400]
    path = cached / "mine.csv"
    pd.DataFrame(np.random.default_rng(0).normal(size=(400, 64)), symbols).to_csv(path)
    return path


@pytest.fixture
def small(monkeypatch, vectors):
    """Two tasks whose scores are drawn, the second of which can be made to fail."""
    symbols, calls = pd.read_csv(vectors, index_col=0).index, []

    def task(number, genes):
        def run(method, source, kept):
            calls.append((number, method))
            if number == fails.get("number") and method == fails["method"]:
                if fails.get("kill"):
                    os.kill(os.getpid(), signal.SIGKILL)
                raise KeyboardInterrupt
            value = np.random.default_rng(len(method)).random(len(kept))
            return pd.DataFrame({"gene": sorted(kept), "value": value, "split": "whole"})
        return Task("11", f"Task {number}", "accuracy", "units", ("gene",),
                    lambda: pd.Series("", genes), run)

    fails = {}
    monkeypatch.setattr(score_tasks, "TASKS", {
        "one": task(1, symbols), "two": task(2, symbols[:100]),
        "far": task(3, [f"no gene {i}" for i in range(50)])})
    return vectors, calls, fails


def test_a_stopped_score_goes_on(small):
    path, calls, fails = small
    fails |= {"number": 2, "method": "permuted"}
    with pytest.raises(KeyboardInterrupt):
        score.score(str(path), ["one", "two"], report=str)
    first = list(calls)
    assert first == [(1, "mine"), (1, "permuted"), (1, "spelling, all n-grams"), (2, "mine"),
                     (2, "permuted")]
    calls.clear(), fails.clear()
    scores, differences = score.score(str(path), ["one", "two"], report=str)
    assert calls == [(2, "permuted"), (2, "spelling, all n-grams")]
    assert list(scores["task"]) == ["one"] * 3 + ["two"] * 3
    assert list(scores["n_genes"]) == [400] * 3 + [100] * 3
    own = scores.query("task == 'two'").set_index("method")["value"]
    gap = differences.query("task == 'two'").set_index("against")["value"]
    assert gap["permuted"] == pytest.approx(own["mine"] - own["permuted"], abs=1e-6)
    calls.clear()
    again, _ = score.score(str(path), ["one", "two"], report=str)
    pd.testing.assert_frame_equal(again, scores)
    assert not calls


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("method, left", [
    ("mine", ["mine", "permuted", "spelling, all n-grams"]),  # between two tasks
    ("spelling, all n-grams", ["spelling, all n-grams"])])
def test_a_killed_score_goes_on(small, method, left, jobs):
    path, calls, fails = small
    fails |= {"number": 2, "method": method, "kill": True}
    child = multiprocessing.get_context("fork").Process(
        target=score.score, args=(str(path), ["one", "two"]))
    child.start(), child.join(60)
    assert child.exitcode == -signal.SIGKILL and not calls
    fails.clear()
    with joblib.parallel_config(backend="threading"):
        scores, _ = score.score(str(path), ["one", "two"], jobs=jobs, report=str)
    assert calls == [(2, method) for method in left]
    for kept in path.parent.glob("*/*"):
        kept.unlink()
    whole, _ = score.score(str(path), ["one", "two"], report=str)
    pd.testing.assert_frame_equal(scores, whole)


def test_controls_are_computed_once_and_other_vectors_anew(small, cached):
    path, calls, _ = small
    score.score(str(path), ["one"], report=str)
    pd.read_csv(path, index_col=0).mul(2).to_csv(cached / "other.csv")
    calls.clear()
    score.score(str(cached / "other.csv"), ["one"], report=str)
    assert calls == [(1, "other"), (1, "permuted")]


def test_too_few_genes_are_a_sentence_and_no_score(small):
    path, calls, _ = small
    said = []
    scores, differences = score.score(str(path), ["far"], report=said.append)
    assert said == ["Task 3: no score, since mine has a vector for 0 of 50 genes."]
    assert scores.attrs["left_out"] == said and not calls
    assert not len(scores) and not len(differences)
    assert said[0] in score_page.page(scores, differences, "")


def test_each_class_must_be_covered():
    groups = pd.Series(["a"] * 9 + ["b"] * 3, list("abcdefghijkl"))
    has = pd.Series([True] * 9 + [False, False, True], groups.index)
    assert score._too_few(groups, has) == "1 of 3 genes of b"
    assert not score._too_few(groups, has | (groups.index == "k"))


@pytest.mark.parametrize("given, message", [
    ({"tasks": ["dosge"]}, "task dosge is not one of one, two, far"),
    ({"name": "permuted"}, "the name of a control")])
def test_what_cannot_be_scored_is_refused(small, given, message):
    with pytest.raises(ValueError, match=message):
        score.score(str(small[0]), **given, report=str)


def test_the_command_writes_a_page_that_asks_for_nothing(small, cached, capsys):
    assert main(["score", str(small[0]), "--tasks", "one,far", "--jobs", "1", "--out",
                 str(cached / "made")]) == 0
    assert str(cached / "made.html") in capsys.readouterr().out
    text = (cached / "made.html").read_text()
    assert not re.search(r"<script|<link|<img|@import|url\(|\ssrc=|http-equiv", text)
    assert "prefers-color-scheme: dark" in text and "width=device-width" in text
    made = json.loads((cached / "made.json").read_text())
    assert made["schema"] == score_page.SCHEMA
    assert made["embedding"] | {"sha256": ""} == {"name": "mine", "genes": 400, "dimensions": 64,
                                                  "sha256": ""}
    assert {"embedding", "task", "split", "dataset", "method", "reads", "metric", "value", "low",
            "high", "n", "n_genes", "of_genes", "genes", "source", "dimensions"} <= set(
                made["scores"][0])
    first = made["differences"][0]
    assert first["method"] == "mine" and first["against"] == "permuted"
    assert first["verdict"] in text and first["reads"] == "nothing"
    assert len(made["left_out"]) == 1 and made["left_out"][0] in text


def test_names_from_a_file_stay_text(small, cached):
    pd.DataFrame(np.ones((400, 2)), pd.read_csv(small[0], index_col=0).index).to_csv(
        cached / "<b>.csv")
    scores, differences = score.score(str(cached / "<b>.csv"), ["one"], report=str)
    assert "<b>" not in score_page.page(scores, differences, "")


@pytest.mark.parametrize("number, names", [
    ("02", ["STRENGTHS", "answers"]), ("03", ["STRENGTHS", "tuned"]),
    ("05", ["STRENGTHS", "cuts", "scored", "run", "chosen", "PLACE"]),
    ("07", ["datasets", "draws", "seeds"]), ("10", ["ways", "choose"]), ("11", ["LEARNERS", "weights", "fit", "run", "run_pairs"])])
def test_pages_hold_what_tasks_are_made_of(number, names):
    assert set(names) < set(definitions(number, *names))
    with pytest.raises(KeyError, match="has no nothing_of_this_name"):
        definitions(number, "nothing_of_this_name")


def test_functions_of_a_page_see_the_values_that_are_given():
    tuned = definitions("03", "tuned", inputs="of the task", seed=7)["tuned"]
    assert (tuned.__globals__["inputs"], tuned.__globals__["seed"]) == ("of the task", 7)


def test_a_score_equals_the_one_of_the_chapter(cached, source):
    source(RANGE)
    scores, differences = score.score("minilm", ["range"], report=str)
    where = "split == '5 random folds x 5' and dataset == 'Chen 2020' and metric == 'roc_auc'"
    asked = f"{where} and classifier == 'lr, C chosen'"
    theirs = ledger.results("05-chromatin-and-dosage").query(asked).set_index("method")
    gaps = ledger.differences("05-chromatin-and-dosage").query(asked).set_index("against")
    mine = scores.query(where).set_index("method")
    less = differences.query(where).set_index("against")
    numbers = ["value", "low", "high"]
    for ours, recorded in ((mine.loc["minilm"], theirs.loc["GenePT MiniLM"]),
                           (less.loc["permuted"], gaps.loc["permuted"]),
                           (less.loc["spelling, all n-grams"], gaps.loc["spelling, all n-grams"])):
        assert ours[numbers].astype(float).to_numpy() == pytest.approx(
            recorded[numbers].astype(float).to_numpy(), abs=.01)
    assert mine.loc["minilm", "n_genes"] == theirs.loc["GenePT MiniLM", "n"]


@pytest.fixture
def two_sets(monkeypatch, vectors):
    """Two sets of 90 cells of three types, which 400 and 200 genes part."""
    symbols, rng, made = pd.read_csv(vectors, index_col=0).index, np.random.default_rng(0), {}
    for name, n in (("first", 400), ("second", 200)):
        types = np.repeat(["a", "b", "c"], 30)
        means = rng.gamma(.5, .2, (3, n))[np.repeat(range(3), 30)]
        X = sp.csr_matrix(np.log1p(rng.poisson(means)).astype(np.float32))
        made[name] = ad.AnnData(X, pd.DataFrame({"cell_type": types}, types + np.arange(90).astype(
            str)), pd.DataFrame(index=symbols[:n]))
    monkeypatch.setattr(score_cells, "_sets", lambda: made)
    return embed.read_embedding(str(vectors)), made, symbols


@pytest.mark.filterwarnings("ignore:the values are fractions")
@pytest.mark.parametrize("method, row", [
    ("mine", "mine whitened"), ("permuted", "permuted whitened"), ("random", "random whitened"),
    (score_cells.PCA, "PCA L2")])
def test_clusters_are_those_of_the_chapter(two_sets, method, row):
    given, sets, symbols = two_sets
    found = score_cells.clusters(method, given, set(symbols[:350]))
    assert list(found["set"]) == ["first"] * 10 + ["second"] * 10
    for name, n in (("first", 350), ("second", 200)):
        theirs, used = [], sorted(symbols[:n])
        for way, X in evaluate.ways(sets[name][:, used], {"mine": given[used].X}):
            if way["method"] == row:
                first = way["draw"]
                runs = range(10) if first is None else range(first, 10, 5)
                theirs += list(evaluate.clustering(X, sets[name].obs["cell_type"], runs)["ari"])
        assert list(found[found["set"] == name]["value"]) == pytest.approx(theirs)
    assert found["value"].std() > 0


@pytest.mark.filterwarnings("ignore:The number of components", "ignore:the values are fractions")
def test_clusters_by_words_are_projected_alike(two_sets):
    _, sets, symbols = two_sets
    words = pd.Series([f"{symbol[0]} word{i % 7}" for i, symbol in enumerate(symbols)], symbols)
    narrow = score_cells._narrow(evaluate.gene_input(words, symbols))
    assert narrow.shape == (400, 384) and isinstance(narrow, np.ndarray)
    assert len(score_cells.clusters("words", words, set(symbols))) == 20


def test_methods_on_different_pairs_are_refused():
    task = Task("03", "Pairs", "roc_auc", "pairs", ("gene",), None, None)
    rng = np.random.default_rng(0)
    pairs = pd.DataFrame({"a": list("abcdefgh"), "b": list("ijklmnop"), "label": [0, 1] * 4,
                          "score": rng.random(8), "split": "whole"})
    other = pairs.assign(score=pairs["label"] + rng.random(8))
    scores, gaps = score._summed(task, {"x": other, "y": pairs}, [("x", "y")])
    assert list(scores["method"]) == ["x", "y"] and list(scores["split"]) == ["whole"] * 2
    assert gaps["value"][0] == pytest.approx(1 - scores["value"][1])
    with pytest.raises(ValueError, match="different pairs"):
        score._summed(task, {"x": other, "y": pairs.assign(b=list("jiklmnop"))}, [("x", "y")])


def test_published_scores_are_compared_term_by_term(monkeypatch):
    own = pd.DataFrame({"term": list("aaaabbbbcccc"), "gene": list("12345678") + list("1234"),
                        "label": [0, 0, 1, 1] * 3, "score": [1, 2, 3, 4, 1, 3, 2, 4, 4, 3, 2, 1],
                        "split": "hold-out"})
    monkeypatch.setattr(score.disease_and_function, "published_terms", lambda name: pd.DataFrame({
        "embedding": "THEIRS", "genes": ["all"] * 3 + ["common"] * 3, "term": list("abcabc"),
        "roc_auc": [.5, .5, .2, 0, 0, 0]}))
    task = Task("06", "Sets", "roc_auc", "terms", ("term",), None, None, published="disease")
    scores, gaps = score._published(task, own, "mine")
    assert scores[["split", "method", "value", "n"]].values.tolist() == [
        ["hold-out", "THEIRS", pytest.approx(.4), 3]]
    assert gaps["value"][0] == pytest.approx((.5 + .25 - .2) / 3) and gaps["n"][0] == 3


@pytest.mark.parametrize("chapter, metric, margin", [
    ("11", "centred cosine", .01), ("06", "roc_auc", .02), ("06", "of no claim", .02)])
def test_the_margin_is_that_of_the_claims_of_the_chapter(chapter, metric, margin):
    assert score._margin(chapter, metric) == margin


def test_vectors_in_memory_need_no_file(small, cached):
    given = embed.read_embedding(str(small[0]))
    scores, _ = score.score(given, ["two"], "in memory", report=str)
    assert scores["embedding"].unique() == ["in memory"]
