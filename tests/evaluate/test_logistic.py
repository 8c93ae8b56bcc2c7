"""Many logistic regressions at once are those of scikit-learn, one by one."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from genept_utils.evaluate.logistic import logistic_path

STRENGTHS = (10, .1, 1)


@pytest.fixture
def rows():
    """(60, 8) features off centre, labels that half of them tell, two training parts."""
    draw = np.random.default_rng(0)
    X = draw.standard_normal((60, 8)) + 2
    y = (X[:, 0] - X[:, 1] + draw.standard_normal(60) > 0).astype(int)
    return X, y, np.array([np.arange(60) < 40, np.arange(60) % 3 > 0])


def expected(X, y, trained):
    return np.array([[LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(X[part], y[part])
                      .decision_function(X) for part in trained] for C in STRENGTHS])


@pytest.mark.parametrize("form", ["dense", "sparse", "wide"])
def test_decisions_are_scikit_learns(rows, form):
    X, y, trained = rows
    if form == "wide":
        X = np.hstack([X, np.random.default_rng(1).standard_normal((60, 90))])
    made = logistic_path(sp.csr_array(X) if form == "sparse" else X, y, trained, STRENGTHS, 1e-8)
    np.testing.assert_allclose(made, expected(X, y, trained), atol=1e-4)


def test_pairs_of_genes_give_what_their_features_give(rows):
    genes, y, trained = rows
    pairs = np.random.default_rng(2).integers(0, 60, (60, 2))
    A = sp.csr_array((np.ones(120), (np.repeat(np.arange(60), 2), pairs.ravel())), (60, 60))
    made = logistic_path((A, genes), y, trained, STRENGTHS, 1e-8)
    np.testing.assert_allclose(made, expected(A @ genes, y, trained), atol=1e-4)


def test_rows_alike_are_ranked_alike():
    """Words that training never saw have no weight, so that texts which differ in them tie."""
    words = np.eye(6)[[0, 0, 1, 1, 2, 3]] + np.eye(6)[[4, 4, 5, 5, 4, 4]]
    made = logistic_path(words, [0, 1, 1, 1, 0, 0], [[True] * 4 + [False] * 2], [10], 1e-8)
    assert made[0, 0, 4] == pytest.approx(made[0, 0, 5], abs=1e-6)


@pytest.mark.parametrize("y, part", [([0, 1, 2] * 20, slice(None)), ([0, 1] * 30, slice(0, 60, 2))])
def test_labels_that_cannot_be_learnt_are_refused(rows, y, part):
    trained = np.zeros((1, 60), bool)
    trained[0, part] = True
    with pytest.raises(ValueError, match="labels must be 0 and 1, with both in every"):
        logistic_path(rows[0], y, trained, [1])


def test_a_path_that_does_not_converge_is_refused(rows):
    with pytest.raises(ValueError, match="did not converge in 2 steps at C = 0.1"):
        logistic_path(*rows, STRENGTHS, max_iter=2)
