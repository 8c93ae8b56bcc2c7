"""L2 logistic regression of several classes, as scikit-learn's, with a start and without its checks
of every step, which on a few hundred cells take longer than the step."""

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


def along_axes(X):
    """Dense vectors centred and turned to their principal axes: a fit stays the same, and with
    ``scaled`` steps it takes a third of them."""
    X = X - X.mean(axis=0)
    return X @ np.linalg.eigh((X.T @ X).astype(float))[1].astype(X.dtype)


def softmax(X, y, C=1.0, start=None, scaled=False, gtol=1e-4, ftol=64 * np.finfo(float).eps,
            max_iter=100):
    """Fit the minimum of ``|w|^2 / 2 + C * sum(log loss)`` over three classes or more by L-BFGS.

    Parameters
    ----------
    X : numpy.ndarray
        (n, d) dense features; steps are taken in their precision.
    y : array-like
        (n,) labels.
    C : float
        Inverse strength of the penalty; the intercepts have none.
    start : Linear, optional
        A fit to begin from, where it has the same classes; else zero.
    scaled : bool
        Take each column in units of an upper bound of its curvature (Boehning 1992, Ann. Inst.
        Stat. Math. 44:197), which pays on principal axes. Without it and without a start the
        steps are those of scikit-learn's ``LogisticRegression``.
    gtol, ftol : float
        The largest slope, and the smallest gain of a step, at which it stops.
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
    unit, shape = np.ones((d + 1, 1)), (d + 1, len(classes))
    if scaled:
        unit = 1 / np.sqrt(ridge * (C * n)
                           + C / 4 * np.append(np.einsum("ij,ij->j", X, X), n)[:, None])

    def objective(given):
        weights = given.reshape(shape) * unit
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
        return (ridge * weights**2).sum() / 2 + loss / n, (slope * unit).ravel()

    same = start is not None and np.array_equal(start.classes_, classes)
    found = minimize(objective, (start.weights / unit if same else np.zeros(shape)).ravel(),
                     jac=True, method="L-BFGS-B",
                     options={"maxiter": max_iter, "maxls": 50, "gtol": gtol, "ftol": ftol})
    return Linear(classes, (found.x.reshape(shape) * unit).astype(X.dtype))
