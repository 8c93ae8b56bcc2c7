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


# ------------------------------------------------------------------ how many steps it takes

@pytest.fixture
def long():
    """(60, 8) features of very different lengths: steps along one axis do not do."""
    draw = np.random.default_rng(0)
    X = (draw.standard_normal((60, 8)) + 2) * np.linspace(3, .1, 8)
    y = (X[:, 0] - X[:, 1] + draw.standard_normal(60) > 0).astype(int)
    return X, y, np.array([np.arange(60) < 40, np.arange(60) % 3 > 0])


@pytest.mark.parametrize("strengths, steps", [
    ([.1], 15), ([1], 34), ([10], 78), ([1000], 157), ([10, .1, 1], 39)])
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_steps_until_it_converges(long, strengths, steps, dtype):
    """Momentum and restarts are right: no more steps than were measured, but for a tenth; and it
    stops where scikit-learn does with the same tolerance, not before."""
    X, y, trained = long
    made = logistic_path(X.astype(dtype), y, trained, strengths, max_iter=int(1.1 * steps) + 1)
    assert made.dtype == dtype and made.shape == (len(strengths), 2, 60)
    for C, found in zip(strengths, made):
        for part, decisions in zip(trained, found):
            wanted = LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(
                X[part], y[part]).decision_function(X)
            assert np.abs(decisions - wanted).max() < .01 * np.abs(wanted).max()
    with pytest.raises(ValueError, match="did not converge"):
        logistic_path(X, y, trained, strengths, max_iter=steps // 2)


def test_steps_of_more_features_than_rows_and_of_pairs(long):
    X, y, trained = long
    wide = np.hstack([X, np.random.default_rng(1).standard_normal((60, 90))])
    logistic_path(wide, y, trained, STRENGTHS, max_iter=110)
    pairs = np.random.default_rng(2).integers(0, 60, (60, 2))
    A = sp.csr_array((np.ones(120), (np.repeat(np.arange(60), 2), pairs.ravel())), (60, 60))
    logistic_path((A, X), y, trained, STRENGTHS, max_iter=16)


@pytest.mark.parametrize("shape", [(60, 8), (20, 20), (20, 60)])
def test_axes_keep_the_inner_products(shape):
    from genept_utils.evaluate.logistic import _principal

    X = np.random.default_rng(0).standard_normal(shape) + 3
    X[:, 1] = X[:, 0]  # no full rank
    _, Z, size = _principal(None, X)
    centred = X - X.mean(axis=0)
    np.testing.assert_allclose(Z @ Z.T, centred @ centred.T, atol=1e-8)
    np.testing.assert_allclose((Z**2).sum(axis=0), size, atol=1e-8)
    off = Z.T @ Z - np.diag(size)
    assert np.abs(off).max() < 1e-8 and Z.shape[1] == (shape[1] if shape[1] <= shape[0] else 19)
    given = X.copy()
    _principal(None, X), _principal(sp.eye_array(shape[0]), X)
    np.testing.assert_array_equal(X, given)


def test_axes_of_pairs_are_those_of_their_sums():
    from genept_utils.evaluate.logistic import _principal

    G = np.random.default_rng(0).standard_normal((7, 3)) + 2
    pairs = np.random.default_rng(1).integers(0, 7, (30, 2))
    A = sp.csr_array((np.ones(60), (np.repeat(np.arange(30), 2), pairs.ravel())), (30, 7))
    B, Z, size = _principal(A, G)
    made, sums = B @ Z, A @ G
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(made @ made.T, (sums - sums.mean(axis=0)) @ (sums - sums.mean(axis=0)).T,
                               atol=1e-9)
    np.testing.assert_allclose((made**2).sum(axis=0), size, atol=1e-9)
