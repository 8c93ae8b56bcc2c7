"""Gene sets: a term scores as scikit-learn alone scores it."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC

from genept_utils import evaluate
from genept_utils.evaluate.gene_sets import products

SPREAD = (0.1, 1.0, 10.0, 100.0, 1000.0)


@pytest.fixture
def term():
    rng = np.random.default_rng(0)
    label = (rng.random(160) < .25).astype(int)
    X = rng.standard_normal((160, 6)) + label[:, None] * .8
    return X, label, np.repeat([0, 1, 2, 3], 40)


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
    scores, used = evaluate.score_term(X, label, fold)
    assert roc_auc_score(label[fold == 3], scores) == pytest.approx(value, abs=3e-3) and used == C


def test_sparse_rows_with_the_linear_kernel(term):
    X, label, fold = term
    X = np.maximum(X, 0)
    value, C = by_hand(X, label, fold, kernel="linear")
    scores, used = evaluate.score_term(sp.csr_matrix(X), label, fold, "linear")
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
    wanted = evaluate.score_term(moved, label, fold, C=1.0)[0]
    np.testing.assert_allclose(evaluate.score_term(moved, label, fold, C=1.0, dots=after)[0],
                               wanted)


def test_a_given_c_is_used(term):
    X, label, fold = term
    wanted = SVC(C=.1, class_weight="balanced").fit(X[fold < 3], label[fold < 3])
    scores, used = evaluate.score_term(X, label, fold, C=.1)
    wanted = wanted.decision_function(X[fold == 3])
    assert used == .1
    np.testing.assert_allclose(scores - scores.mean(), wanted - wanted.mean(), atol=5e-3)


def test_two_hold_outs_are_scored_by_one_machine(term):
    X, label, fold = term
    both = np.where(np.arange(160) % 2 & (fold == 3), 4, fold)
    scores, used = evaluate.score_term(X, label, both)
    assert used == evaluate.score_term(X, label, fold)[1] and len(scores) == 40
    np.testing.assert_allclose(scores, evaluate.score_term(X, label, fold)[0])


def test_a_term_with_one_class_has_no_score(term):
    X, label, fold = term
    assert evaluate.score_term(X, np.where(fold < 3, 0, label), fold)[0] is None
    with pytest.raises(ValueError, match="'cubic' is not one of rbf, linear"):
        evaluate.score_term(X, label, fold, "cubic")


def test_genes_without_a_vector_are_left_out(term):
    X, label, fold = term
    table = pd.DataFrame({"term": "T", "label": label, "fold": fold, "row": np.arange(160),
                          "gene": np.arange(160).astype(str)})
    table.loc[::9, "row"] = -1
    kept = table["row"] >= 0
    found = evaluate.score_sets(X, table)
    assert found["gene"].tolist() == table.loc[kept & (fold == 3), "gene"].tolist()
    np.testing.assert_allclose(found["score"],
                               evaluate.score_term(X[kept], label[kept], fold[kept])[0])


def test_pairs_of_a_fold(term):
    X = term[0]
    rng = np.random.default_rng(1)
    pairs = rng.integers(0, 160, (300, 2))
    label = (X[pairs].sum(axis=1)[:, 0] > 1).astype(int)
    pairs[:5, 0] = -1
    part = np.arange(300)
    folds = [{"train": part[:200], "test": part[200:],
              "inner": [(part[:100], part[100:200]), (part[100:200], part[:100])]}]
    found = evaluate.score_pair_folds(X, pairs, label, folds, ratio=50).iloc[0]
    assert found["n_test"] == 100 and found["roc_auc"] > .9
    S = X[pairs[5:, 0]] + X[pairs[5:, 1]]
    wanted = SVC(C=found["C"], class_weight="balanced").fit(S[:195], label[5:200])
    assert found["roc_auc"] == pytest.approx(
        roc_auc_score(label[200:], wanted.decision_function(S[195:])), abs=2e-3)
