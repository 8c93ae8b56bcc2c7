"""Logistic regression on pairs of genes, without the matrix of pair features."""

import numpy as np
import scipy.linalg
import scipy.sparse as sp


def pair_features(vectors, pairs, kind="sum"):
    """One row per pair from the vectors of its two genes.

    Parameters
    ----------
    vectors : numpy.ndarray
        (n_genes, d).
    pairs : numpy.ndarray
        (n, 2) row numbers into ``vectors``.
    kind : {"sum", "product", "difference"}
        The sum (as published), the elementwise product or the absolute difference.
    """
    a, b = vectors[pairs[:, 0]], vectors[pairs[:, 1]]
    if kind == "sum":
        return a + b
    if kind == "product":
        return a * b
    if kind == "difference":
        return np.abs(a - b)
    raise ValueError(f"pair feature {kind!r} is not one of sum, product, difference")


def fit_pairs(vectors, pairs, y, features="sum", C=1.0, tol=1e-8, max_iter=50):
    """L2 logistic regression on pairs without the matrix of pair features.

    The minimum of ``|w|^2 / 2 + C * sum(log loss)``, the same as scikit-learn's
    ``LogisticRegression(C=C)``, by Newton's method. With the sum the features of all pairs are
    ``A @ G`` (A sparse pairs x genes, two ones a row; G the gene vectors), so that a Hessian is
    ``G.T @ (A.T @ D @ A) @ G``: its cost grows with genes, not with pairs. The other features
    are built in blocks of 8,192 pairs.

    Parameters
    ----------
    vectors, pairs
        As in :func:`pair_features`.
    y : array-like
        (n,) labels 0 or 1.
    C : float
        Inverse strength of the penalty.
    tol : float
        Stop when no coefficient moves by more.

    Returns
    -------
    tuple
        Coefficients (d,) and intercept. Use :func:`score_pairs` for decision values.

    Raises
    ------
    ValueError
        Labels other than 0 and 1, or Newton's method does not converge.
    """
    pairs, y = np.asarray(pairs), np.asarray(y, dtype=float)
    if set(np.unique(y)) != {0.0, 1.0}:
        raise ValueError("pair labels must be 0 and 1, with both present")
    moments = _incidence_moments if features == "sum" else _block_moments
    step_of = moments(np.asarray(vectors), pairs, features)
    weights = np.zeros(vectors.shape[1] + 1)
    ridge = np.append(np.ones(vectors.shape[1]), 0.0)  # the intercept is not penalised

    def loss(weights):
        margin = step_of.decision(weights)
        return (ridge * weights**2).sum() / 2 + C * (np.logaddexp(0, margin) - y * margin).sum()

    value = loss(weights)
    for _ in range(max_iter):
        p = 1 / (1 + np.exp(-step_of.decision(weights)))
        gradient = ridge * weights + C * step_of.gradient(p - y)
        hessian = np.diag(ridge) + C * step_of.hessian(p * (1 - p))
        step = scipy.linalg.solve(hessian, gradient, assume_a="pos")
        size = 1.0
        while (trial := loss(weights - size * step)) > value + 1e-9 * abs(value):
            size /= 2
            if size < 1e-6:
                raise ValueError("pair logistic regression did not converge; lower C")
        weights, value = weights - size * step, trial
        if np.abs(step).max() * size < tol:
            return weights[:-1], weights[-1]
    raise ValueError(f"pair logistic regression did not converge in {max_iter} steps; lower C")


class _incidence_moments:
    """Decision values, gradient and Hessian of the sum features through the incidence matrix."""

    def __init__(self, vectors, pairs, _):
        used, codes = np.unique(pairs, return_inverse=True)
        codes = codes.reshape(pairs.shape)
        n = len(pairs)
        self.A = sp.csr_array((np.ones(2 * n), (np.repeat(np.arange(n), 2), codes.ravel())),
                              shape=(n, len(used)))
        self.G = vectors[used].astype(np.float64)

    def decision(self, weights):
        return self.A @ (self.G @ weights[:-1]) + weights[-1]

    def gradient(self, residual):
        return np.append(self.G.T @ (self.A.T @ residual), residual.sum())

    def hessian(self, d):
        weighted = self.A.T @ sp.dia_array((d[None], [0]), shape=(len(d), len(d))) @ self.A
        edge = self.G.T @ (self.A.T @ d)
        return np.block([[self.G.T @ (weighted @ self.G), edge[:, None]],
                         [edge[None], d.sum()]])


class _block_moments:
    """The same for features that do not factor, a block of pairs at a time."""

    def __init__(self, vectors, pairs, kind):
        self.vectors, self.pairs, self.kind = vectors.astype(np.float64), pairs, kind

    def blocks(self):
        for start in range(0, len(self.pairs), 8192):
            rows = slice(start, start + 8192)
            block = pair_features(self.vectors, self.pairs[rows], self.kind)
            yield rows, np.column_stack([block, np.ones(len(block))])

    def decision(self, weights):
        return np.concatenate([block @ weights for _, block in self.blocks()])

    def gradient(self, residual):
        return sum(block.T @ residual[rows] for rows, block in self.blocks())

    def hessian(self, d):
        return sum(block.T @ (d[rows, None] * block) for rows, block in self.blocks())


def score_pairs(vectors, pairs, model, features="sum"):
    """Decision values (n,) of pairs under a model of :func:`fit_pairs`."""
    weights, intercept = model
    pairs = np.asarray(pairs)
    if features == "sum":
        each = vectors @ weights
        return each[pairs[:, 0]] + each[pairs[:, 1]] + intercept
    return np.concatenate([pair_features(vectors, pairs[i:i + 8192], features) @ weights
                           for i in range(0, len(pairs), 8192)]) + intercept
