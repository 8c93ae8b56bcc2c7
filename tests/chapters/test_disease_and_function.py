"""Words of a term deleted from texts: which, how many, and nothing else; and a term scores as
scikit-learn alone scores it."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC

from genept_utils.chapters import disease_and_function as chapter
from genept_utils.chapters.disease_and_function import beginnings
from genept_utils.evaluate.svm import Products, products


@pytest.fixture
def words():
    return chapter.WordTable([
        "A1 causes retinitis pigmentosa, and Retinal decay.", "A2 binds DNA in muscle.",
        "A3 is found in muscles and in the retina", "A4 is a kinase"])


def masked_by(words, name, rows=(0, 1, 2, 3)):
    positions = words.positions(np.array(rows), words.of(name))
    return words.without(positions)


@pytest.mark.parametrize("name, left", [
    ("retinal disease", {0: "A1 causes pigmentosa, and decay.", 2: "A3 is found in muscles and in "
                         "the"}),
    ("muscle of the DNA", {1: "A2 binds in", 2: "A3 is found in and in the retina"}),
    ("the of in", {}),
])
def test_words_are_deleted_with_their_forms(words, name, left):
    assert masked_by(words, name).to_dict() == left


def test_only_the_rows_that_were_asked_for_change(words):
    assert list(masked_by(words, "retinal disease", [1, 2]).index) == [2]


def test_beginnings():
    starts, whole = beginnings("autosomal dominant nonsyndromic deafness")
    assert {"deaf", "hearing", "domin"} <= starts and "autoso" in starts and not whole
    assert beginnings("B cell deficiency")[1] == {"b", "bs", "cell", "cells"}


@pytest.fixture
def sets():
    rows = list(range(8))
    label = {"T1": [1, 1, 0, 0, 0, 0, 0, 0], "T2": [0, 0, 0, 0, 1, 1, 0, 0],
             "T3": [1, 0, 0, 0, 0, 0, 1, 0]}
    names = {"T1": "cataract", "T2": "anemia", "T3": "kinase"}
    return pd.concat([pd.DataFrame({"term": t, "name": names[t], "row": rows, "label": values,
                                    "fold": [0, 1, 2, 3] * 2}) for t, values in label.items()])


TEXTS = ["g0 cataract cataract", "g1 lens kinase", "g2 anemia", "g3 anemia anemia", "g4 anaemia x",
         "g5 cataracts", "g6 kinase", "g7 none"]


def test_as_many_words_of_another_term(sets):
    words = chapter.WordTable(TEXTS)
    found = {term: (own, other, about) for term, own, other, about in
             chapter.masked(words, sets)}
    own, other, about = found["T1"]
    assert own.to_dict() == {0: "g0", 1: "g1 kinase", 5: "g5"} and about["deleted"] == 4
    assert about["other"] == "anemia", "T3 shares a gene with T1"
    lost = sum(len(TEXTS[row].split()) - len(text.split()) for row, text in other.items())
    assert lost == about["deleted"] and about["told"] == 1
    assert not any("cataract" in TEXTS[row] for row in other.index)
    again = list(chapter.masked(words, sets))
    assert all(a[2].equals(b[2]) for a, b in zip(again, chapter.masked(words, sets)))


def test_a_term_that_shares_genes_with_all_others_is_left_out(sets):
    sets.loc[(sets["term"] == "T3") & (sets["row"] == 4), "label"] = 1
    assert "T3" not in [term for term, *_ in chapter.masked(chapter.WordTable(TEXTS), sets)]


def test_terms_that_cannot_be_compared_are_refused(sets):
    with pytest.raises(ValueError, match="none of the 1 terms has another one.*more terms"):
        list(chapter.masked(chapter.WordTable(TEXTS), sets[sets["term"] == "T1"]))


def test_scores_fall_when_the_answer_is_the_text(monkeypatch):
    rng = np.random.default_rng(0)
    label = np.tile([1, 0, 0, 0], 40)
    filler = [" ".join(rng.choice([f"w{i}" for i in range(60)], 12)) for _ in label]
    texts = [f"{text} cataract" if is_in else f"{text} anemia" for text, is_in in
             zip(filler, label)]
    table = pd.DataFrame({"term": "T1", "name": "cataract", "row": range(160), "label": label,
                          "fold": np.repeat([0, 1, 2, 3], 40)})
    other = table.assign(term="T2", name="anemia", label=np.roll(label, 1))
    both = pd.concat([table, other])
    changes = list(chapter.masked(chapter.WordTable(texts), both))[:1]
    table = both.assign(gene=both["row"].astype(str)).sample(frac=1, random_state=0)
    single = chapter.masked_scores(texts, table, changes, "words", {"T1": 1.0})
    monkeypatch.setattr(chapter, "_pays", lambda n, table: n < 200)
    found = chapter.masked_scores(texts, table, changes, "words", {"T1": 1.0})
    pd.testing.assert_frame_equal(found, single, rtol=1e-4)  # multiplied for all terms at once
    found = {method: roc_auc_score(part["label"], part["score"])
             for method, part in found.groupby("method")}
    assert found["untouched"] == 1 and found["term words deleted"] < found["untouched"]
    assert found["other words deleted"] > .99, "the word of the term still stands there"


SPREAD = (0.1, 1.0, 10.0, 100.0, 1000.0)


@pytest.fixture
def term():
    rng = np.random.default_rng(0)
    label = (rng.random(160) < .25).astype(int)
    X = rng.standard_normal((160, 6)) + label[:, None] * .8
    return X, label, np.repeat([0, 1, 2, 3], 40)


def by_term(X, label, fold, C=None):
    return chapter.score_term(Products.of(X), label, fold, C)


def by_hand(X, label, fold, **kernel):
    """The published protocol, step by step: (ROC-AUC of the hold-out, C)."""
    def area(train, test, C):
        model = SVC(C=C, class_weight="balanced", **kernel).fit(X[train], label[train])
        return roc_auc_score(label[test], model.decision_function(X[test]))

    inner = [np.mean([area((fold != k) & (fold < 3), fold == k, C) for k in range(3)])
             for C in SPREAD]
    C = SPREAD[int(np.argmax(inner))]
    return area(fold < 3, fold == 3, C), C


def test_a_term_scores_as_the_published_protocol_does(term):
    X, label, fold = term
    value, C = by_hand(X, label, fold)
    scores, used = by_term(X, label, fold)
    assert roc_auc_score(label[fold == 3], scores) == pytest.approx(value, abs=3e-3) and used == C


def test_sparse_rows_with_the_linear_kernel(term):
    X, label, fold = term
    X = np.maximum(X, 0)
    value, C = by_hand(X, label, fold, kernel="linear")
    scores, used = by_term(sp.csr_matrix(X), label, fold)
    assert roc_auc_score(label[fold == 3], scores) == pytest.approx(value, abs=3e-3) and used == C


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_products_after_some_rows_changed(term, kind):
    """Only the changed rows are multiplied again, and what was known stays as it was."""
    X, label, fold = term
    changed = np.array([3, 50, 159])
    moved = X.copy()
    moved[changed] *= -2
    before = products(kind(X))
    kept = before.copy()
    after = products(kind(moved), before, changed)
    np.testing.assert_allclose(after, moved @ moved.T, atol=1e-12)
    np.testing.assert_array_equal(before, kept)
    wanted = by_term(moved, label, fold, C=1.0)[0]
    np.testing.assert_allclose(chapter.score_term(Products.of(moved, after), label, fold, C=1.0)[0],
                               wanted)


def test_a_given_c_is_used(term):
    X, label, fold = term
    wanted = SVC(C=.1, class_weight="balanced").fit(X[fold < 3], label[fold < 3])
    scores, used = by_term(X, label, fold, C=.1)
    wanted = wanted.decision_function(X[fold == 3])
    assert used == .1
    np.testing.assert_allclose(scores - scores.mean(), wanted - wanted.mean(), atol=5e-3)


def test_two_hold_outs_are_scored_by_one_machine(term):
    X, label, fold = term
    both = np.where(np.arange(160) % 2 & (fold == 3), 4, fold)
    scores, used = by_term(X, label, both)
    assert used == by_term(X, label, fold)[1] and len(scores) == 40
    np.testing.assert_allclose(scores, by_term(X, label, fold)[0])


def test_a_term_with_one_class_has_no_score(term):
    X, label, fold = term
    assert by_term(X, np.where(fold < 3, 0, label), fold)[0] is None


def test_genes_without_a_vector_are_left_out(term):
    X, label, fold = term
    table = pd.DataFrame({"term": "T", "label": label, "fold": fold, "row": np.arange(160),
                          "gene": np.arange(160).astype(str)})
    table.loc[::9, "row"] = -1
    kept = table["row"] >= 0
    found = chapter.score_sets(X, table)
    assert found["gene"].tolist() == table.loc[kept & (fold == 3), "gene"].tolist()
    np.testing.assert_allclose(found["score"],
                               by_term(X[kept], label[kept], fold[kept])[0])


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_pairs_are_sums_of_two_genes(term, kind):
    X, ends = term[0], np.random.default_rng(1).integers(0, 160, (50, 2))
    S = X[ends[:, 0]] + X[ends[:, 1]]
    made, wanted = Products.of(kind(X)).of_pairs(ends), Products.of(kind(S))
    some = np.arange(50)[::-2]
    np.testing.assert_allclose(made.some(some, some[:9]), wanted.some(some, some[:9]), rtol=1e-5)
    np.testing.assert_allclose(made.size, wanted.size, atol=1e-9)
    np.testing.assert_allclose(made.total, wanted.total, atol=1e-9)


def test_pairs_of_a_fold(monkeypatch, term):
    X = term[0]
    rng = np.random.default_rng(1)
    ends = rng.integers(0, 160, (300, 2))
    label = (X[ends].sum(axis=1)[:, 0] > 1).astype(int)
    pairs = pd.DataFrame(ends.astype(str), columns=["a", "b"]).assign(label=label)
    pairs.loc[:4, "a"] = "none"
    row = pd.Series(np.arange(-1, 160), ["none", *map(str, range(160))])
    monkeypatch.setattr(chapter, "known", lambda source, entrez, seed: (X, row))
    part = np.arange(300)
    folds = [{"train": part[:200], "test": part[200:],
              "inner": [(part[:100], part[100:200]), (part[100:200], part[:100])]}]
    found, = chapter.pair_auc("x", pairs, folds, ratio=50)
    S = X[ends[5:, 0]] + X[ends[5:, 1]]
    wanted = {C: roc_auc_score(label[200:], SVC(C=C, class_weight="balanced").fit(
        S[:195], label[5:200]).decision_function(S[195:])) for C in SPREAD}
    assert found > .9 and min(abs(found - value) for value in wanted.values()) < 2e-3


def test_equal_rows_are_one_that_counts_more_and_tie(term):
    """Of facts many genes have the same."""
    X, label, fold = np.round(term[0][:, :1]), term[1], term[2]
    once, back = np.unique(X, axis=0, return_inverse=True)
    wanted = SVC(C=1, class_weight="balanced", tol=1e-6).fit(X[fold < 3], label[fold < 3])
    wanted = wanted.decision_function(X[fold == 3])
    found, _ = chapter.score_term(Products.of(once), label, fold, C=1.0, rows=back.ravel())
    np.testing.assert_allclose(found - found.mean(), wanted - wanted.mean(), atol=5e-3)
    assert len(np.unique(found)) == len(np.unique(X[fold == 3]))


def test_the_width_of_the_kernel_is_that_of_the_training_rows():
    rng, fold = np.random.default_rng(0), np.repeat([0, 1, 2, 3], 60)
    X = rng.uniform(-1, 1, (240, 2))
    label = ((X**2).sum(axis=1) < .4).astype(int)
    label ^= rng.random(240) < .25
    X[(fold == 3) & (rng.random(240) < .3)] *= 6  # far from all others
    train, test = fold < 3, fold == 3
    wide = 1 / (2 * X.var())
    scores = [SVC(C=1, gamma=gamma, class_weight="balanced").fit(
        X[train], label[train]).decision_function(X[test]) for gamma in ("scale", wide)]
    value, other = (roc_auc_score(label[test], one) for one in scores)
    found, _ = by_term(X, label, fold, C=1.)
    assert roc_auc_score(label[test], found) == pytest.approx(value)
    assert abs(value - other) > .01
