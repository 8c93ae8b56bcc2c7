"""Logistic regression of several classes: scikit-learn's steps, scikit-learn's optimum."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from genept_utils.evaluate.logistic import along_axes, softmax


def rows(n=300, d=40, seed=0):
    rng = np.random.default_rng(seed)
    y = np.array(["a", "b", "c", "d"])[rng.choice(4, n, p=[.6, .2, .15, .05])]
    X = rng.standard_normal((n, d)) * np.linspace(2, .05, d) + 1
    X[:, :4] += np.eye(4)[np.unique(y, return_inverse=True)[1]]
    return X, y


@pytest.mark.parametrize("C", [.01, 1, 100])
@pytest.mark.parametrize("dtype, close", [(np.float64, 1e-6), (np.float32, 1e-3)])
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_steps_are_scikit_learns(C, dtype, close):
    """Also where both stop long before the optimum."""
    X, y = rows()
    X = X.astype(dtype)
    for gtol, steps in ((.01, 500), (1e-4, 7)):
        there = LogisticRegression(C=C, tol=gtol, max_iter=steps).fit(X, y)
        here = softmax(X, y, C, gtol=gtol, max_iter=steps)
        off = here.weights - np.vstack([there.coef_.T, there.intercept_])
        assert np.abs(off).max() < close * np.abs(there.coef_).max()
        assert (here.predict(X) == there.predict(X)).all()


def chances(model, X):
    made = np.exp(X @ model.weights[:-1] + model.weights[-1])
    return made / made.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("C", [.1, 1, 100])
def test_scaled_axes_and_another_start_reach_the_optimum(C):
    X, y = rows()
    wanted = LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(X, y).predict_proba(X)
    turned = along_axes(X)
    assert np.abs(np.corrcoef(turned.T) - np.eye(X.shape[1])).max() < 1e-9
    start = None
    for before in (C / 100, C / 10, C):
        start = softmax(turned, y, before, start, scaled=True, gtol=1e-9, max_iter=2000)
    np.testing.assert_allclose(chances(start, turned), wanted, atol=1e-4)


def test_a_start_spares_steps_and_one_of_other_classes_is_not_taken():
    X, y = rows()
    X = along_axes(X)
    done = softmax(X, y, 10, scaled=True, gtol=1e-9, max_iter=2000)
    again = softmax(X, y, 10, done, scaled=True, max_iter=1)
    np.testing.assert_allclose(chances(again, X), chances(done, X), atol=1e-4)
    few = y != "d"
    np.testing.assert_array_equal(softmax(X[few], y[few], 10, done).weights,
                                  softmax(X[few], y[few], 10).weights)


def test_two_classes_and_sparse_features_are_refused():
    X, y = rows()
    with pytest.raises(ValueError, match="three classes or more, not 2"):
        softmax(X, y == "a")
    with pytest.raises(ValueError, match="dense features"):
        softmax(sp.csr_matrix(X), y)
