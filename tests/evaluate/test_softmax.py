"""Logistic regression of several classes has scikit-learn's optimum."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from genept_utils.evaluate.logistic import along_axes, softmax_path


def rows(n=300, d=40, seed=0):
    rng = np.random.default_rng(seed)
    y = np.array(["a", "b", "c", "d"])[rng.choice(4, n, p=[.6, .2, .15, .05])]
    X = rng.standard_normal((n, d)) * np.linspace(2, .05, d) + 1
    X[:, :4] += np.eye(4)[np.unique(y, return_inverse=True)[1]]
    return X, y


def chances(model, X):
    made = np.exp(X @ model.weights[:-1] + model.weights[-1])
    return made / made.sum(axis=1, keepdims=True)


def test_axes_keep_the_fit_and_spare_steps():
    X, y = rows()
    turned = along_axes(X)
    assert np.abs(np.corrcoef(turned.T) - np.eye(X.shape[1])).max() < 1e-9
    wanted = LogisticRegression(C=10, tol=1e-10, max_iter=10_000).fit(X, y).predict_proba(X)
    off = [np.abs(chances(softmax_path(given, y, [10], 0, max_iter=15)[0], given) - wanted).max()
           for given in (turned, X)]
    assert 5 * off[0] < off[1], off


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


def test_a_fit_to_other_rows_is_a_start_and_no_other_optimum():
    X, y = rows(600)
    first, = softmax_path(X[:300], y[:300], [10], 1e-8)
    cold, warm = (softmax_path(X[300:], y[300:], [10], 1e-8, start=start)[0]
                  for start in (None, first))
    wanted = chances(cold, X)
    np.testing.assert_allclose(chances(warm, X), wanted, atol=1e-5)
    assert np.abs(chances(first, X) - wanted).max() > .1
    off = [np.abs(chances(softmax_path(X[300:], y[300:], [10], 0, max_iter=4, start=start)[0], X)
                  - wanted).max() for start in (None, cold)]
    assert off[1] < 1e-4 < .01 < off[0], off


def test_a_start_of_other_classes_is_left_aside():
    X, y = rows()
    other, = softmax_path(X[y != "a"], y[y != "a"], [1])
    assert (softmax_path(X, y, [1], start=other)[0].weights
            == softmax_path(X, y, [1])[0].weights).all()
