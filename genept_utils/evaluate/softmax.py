"""L2 logistic regression of several classes: scikit-learn's steps without its checks of each, which
on a few hundred cells take as long as the step."""

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize


class Linear:
    """A fitted model: ``weights`` (d + 1, n_classes), the intercepts last, and ``classes_``."""

    def __init__(self, classes, weights):
        self.classes_, self.weights = classes, weights

    def predict(self, X):
        """The class of each row."""
        return self.classes_[(X @ self.weights[:-1] + self.weights[-1]).argmax(axis=1)]


def softmax(X, y, C=1.0, tol=1e-4, max_iter=100):
    """Fit the minimum of ``|w|^2 / 2 + C * sum(log loss)`` over three classes or more by L-BFGS, as
    ``LogisticRegression`` does, from zero.

    Parameters
    ----------
    X : numpy.ndarray
        (n, d) dense features; steps are taken in their precision.
    y : array-like
        (n,) labels.
    C : float
        Inverse strength of the penalty; the intercepts have none.
    tol : float
        The largest slope of the mean loss at which it stops.
    max_iter : int
        Most steps.

    Returns
    -------
    Linear

    Raises
    ------
    ValueError
        Fewer than three classes, which have a fit of their own, or sparse features.
    """
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 3 or sp.issparse(X):
        raise ValueError("softmax takes dense features and three classes or more, not "
                         f"{len(classes)}")
    n, d = X.shape
    back, rows = np.ascontiguousarray(X.T), np.arange(n)
    ridge = np.append(np.ones(d), 0)[:, None] / (C * n)  # the intercept is not penalised
    shape = d + 1, len(classes)

    def objective(given):
        weights = given.reshape(shape)
        single = weights.astype(X.dtype, copy=False)
        chance = X @ single[:-1]
        chance += single[-1]
        chance -= chance.max(axis=1, keepdims=True)
        loss = -chance[rows, codes].sum(dtype=float)
        np.exp(chance, out=chance)
        total = chance.sum(axis=1, keepdims=True)
        loss += np.log(total).sum(dtype=float)
        chance /= total
        chance[rows, codes] -= 1
        slope = ridge * weights
        slope[:-1] += (back @ chance) / n
        slope[-1] += chance.sum(axis=0) / n
        return (ridge * weights**2).sum() / 2 + loss / n, slope.ravel()

    found = minimize(objective, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B",
                     options={"maxiter": max_iter, "maxls": 50, "gtol": tol,
                              "ftol": 64 * np.finfo(float).eps})
    return Linear(classes, found.x.reshape(shape).astype(X.dtype))
