"""Logistic regression of several classes: scikit-learn's steps, scikit-learn's optimum."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from genept_utils.evaluate.logistic import along_axes, softmax, softmax_path


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


@pytest.mark.parametrize("C, steps, close", [(.1, 12, 1e-3), (10, 20, 5e-4), (1000, 20, 5e-3)])
def test_scaled_axes_take_few_steps(C, steps, close):
    X, y = rows()
    X = along_axes(X)
    wanted = chances(softmax(X, y, C, scaled=True, gtol=1e-12, ftol=0, max_iter=9000), X)
    made = softmax(X, y, C, scaled=True, gtol=1e-9, ftol=0, max_iter=steps)
    assert np.abs(chances(made, X) - wanted).max() < close
    plain = softmax(X, y, C, gtol=1e-9, ftol=0, max_iter=steps)
    assert np.abs(chances(plain, X) - wanted).max() > 5 * close


def test_it_stops_where_steps_gain_little():
    X, y = rows()
    done = softmax(X, y, 10, gtol=0, ftol=0, max_iter=9000)
    off = [np.abs(softmax(X, y, 10, gtol=0, ftol=ftol, max_iter=9000).weights
                  - done.weights).max() for ftol in (1e-3, 1e-5, 1e-9)]
    assert off[0] > 2 * off[1] > 10 * off[2]


@pytest.mark.parametrize("labels", [["a", "b", "c"], ["a", "b", "d", "c"]])
def test_a_start_is_taken_for_the_same_classes(labels):
    """One step from the optimum stays there; of other classes it begins at zero."""
    X, y = rows()
    some = np.isin(y, labels)
    done = softmax(X[some], y[some], gtol=1e-9, max_iter=2000)
    again = softmax(X[some], y[some], start=done, max_iter=1)
    np.testing.assert_allclose(again.weights, done.weights, atol=1e-4)
    assert done.predict(X[:5]).dtype.kind == "U" and again.weights.shape == (41, len(labels))
    assert softmax(X.astype(np.float32), y).weights.dtype == np.float32


@pytest.mark.parametrize("dtype, tol, close", [
    (np.float64, 1e-6, 5e-5), (np.float32, 1e-3, .03), (np.float32, .01, .08)])
def test_a_path_has_the_optimum_of_each_strength(dtype, tol, close):
    """In the order in which they are asked for, whatever the order of the fits."""
    X, y = rows()
    strengths = [1, .001, .1]
    for C, model in zip(strengths, softmax_path(X.astype(dtype), y, strengths, tol)):
        wanted = LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(X, y).predict_proba(X)
        np.testing.assert_allclose(chances(model, X), wanted, atol=close)
        assert model.weights.dtype == dtype and model.weights.shape == (41, 4)


def test_a_path_takes_more_than_two_classes_or_two():
    X, y = rows()
    model, = softmax_path(X, y == "a", [.1], tol=1e-6)
    wanted = LogisticRegression(C=.2, tol=1e-10, max_iter=10_000).fit(X, y == "a")
    # two rows of weights share what one row has: half of the penalty
    np.testing.assert_allclose(chances(model, X), wanted.predict_proba(X), atol=1e-4)
    assert model.predict(X).dtype == bool
