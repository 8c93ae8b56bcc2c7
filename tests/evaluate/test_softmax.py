"""Logistic regression of several classes: scikit-learn's steps."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from genept_utils.evaluate.softmax import softmax


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
    for tol, steps in ((.01, 500), (1e-4, 7)):
        there = LogisticRegression(C=C, tol=tol, max_iter=steps).fit(X, y)
        here = softmax(X, y, C, tol=tol, max_iter=steps)
        off = here.weights - np.vstack([there.coef_.T, there.intercept_])
        assert np.abs(off).max() < close * np.abs(there.coef_).max()
        assert (here.predict(X) == there.predict(X)).all()


def test_two_classes_and_sparse_features_are_refused():
    X, y = rows()
    with pytest.raises(ValueError, match="three classes or more, not 2"):
        softmax(X, y == "a")
    with pytest.raises(ValueError, match="dense features"):
        softmax(sp.csr_matrix(X), y)
