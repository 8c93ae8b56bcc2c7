"""Logistic regression on pairs of genes, without the matrix of pair features."""

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.sparse as sp


def pair_features(vectors, pairs, kind="sum"):
    """One row per pair from the vectors of its two genes.

    Parameters
    ----------
    vectors : numpy.ndarray or scipy.sparse matrix
        (n_genes, d); a sparse one gives sparse features.
    pairs : numpy.ndarray
        (n, 2) row numbers into ``vectors``.
    kind : {"sum", "product", "difference"}
        The sum (as published), the elementwise product or the absolute difference.

    Raises
    ------
    ValueError
        A row number below 0: a gene that has no vector.
    """
    pairs = _known(pairs)
    a, b = vectors[pairs[:, 0]], vectors[pairs[:, 1]]
    if kind == "sum":
        return a + b
    if kind == "product":
        return a.multiply(b).tocsr() if sp.issparse(a) else a * b
    if kind == "difference":
        return abs(a - b)
    raise ValueError(f"pair feature {kind!r} is not one of sum, product, difference")


def _known(pairs):
    """Pairs as an array, once each of their genes has a row; -1 would take the last one."""
    pairs = np.asarray(pairs)
    if pairs.size and pairs.min() < 0:
        raise ValueError(f"{(pairs < 0).any(axis=1).sum():,} of {len(pairs):,} pairs name a gene "
                         "without a vector (row -1); leave them out")
    return pairs


def fit_pairs(vectors, pairs, y, features="sum", C=1.0, tol=1e-8, max_iter=50,
              start=None):
    """L2 logistic regression on pairs without the matrix of pair features.

    The minimum of ``|w|^2 / 2 + C * sum(log loss)``, the same as scikit-learn's
    ``LogisticRegression(C=C)``, by Newton's method. With the sum the features of all pairs are
    ``A @ G`` (A sparse pairs x genes, two ones a row; G the gene vectors), so that a Hessian is
    ``G.T @ (A.T @ D @ A) @ G``: its cost grows with genes, not with pairs. The other features
    are built in blocks of 8,192 pairs. Sparse vectors, of tens of thousands of words, have no
    Hessian that fits into memory: the same loss is then minimised by L-BFGS, whose steps cost as
    much as the entries of ``A`` and ``G``.

    Parameters
    ----------
    vectors, pairs
        As in :func:`pair_features`.
    y : array-like
        (n,) labels 0 or 1.
    C : float
        Inverse strength of the penalty.
    tol : float
        Stop when no coefficient moves by more; for sparse vectors, when a step changes the loss
        by a smaller share than ``tol / 1000``.
    start : tuple, optional
        For sparse vectors, coefficients and intercept to begin with.

    Returns
    -------
    tuple
        Coefficients (d,) and intercept. Use :func:`score_pairs` for decision values.

    Raises
    ------
    ValueError
        Labels other than 0 and 1, a row number below 0 (a gene that has no vector), or the method
        does not converge.
    """
    pairs, y = _known(pairs), np.asarray(y, dtype=float)
    if set(np.unique(y)) != {0.0, 1.0}:
        raise ValueError("pair labels must be 0 and 1, with both present")
    if sp.issparse(vectors):
        return _fit_sparse(vectors, pairs, y, features, C, tol, start)
    moments = _incidence_moments if features == "sum" else _block_moments
    step_of = moments(np.asarray(vectors), pairs, features)
    weights = np.zeros(vectors.shape[1] + 1)
    ridge = np.append(np.ones(vectors.shape[1]), 0.0)  # the intercept is not penalised

    def loss(weights):
        margin = step_of.decision(weights)
        value = (ridge * weights**2).sum() / 2 + C * (np.logaddexp(0, margin) - y * margin).sum()
        return value, margin

    value, margin = loss(weights)
    for _ in range(max_iter):
        p = 1 / (1 + np.exp(-margin))
        gradient = ridge * weights + C * step_of.gradient(p - y)
        hessian = np.diag(ridge) + C * step_of.hessian(p * (1 - p))
        step = scipy.linalg.solve(hessian, gradient, assume_a="pos")
        size = 1.0
        while (trial := loss(weights - size * step))[0] > value + 1e-9 * abs(value):
            size /= 2
            if size < 1e-6:
                raise ValueError("pair logistic regression did not converge; lower C")
        weights, (value, margin) = weights - size * step, trial
        if np.abs(step).max() * size < tol:
            return weights[:-1], weights[-1]
    raise ValueError(f"pair logistic regression did not converge in {max_iter} steps; lower C")


def _fit_sparse(vectors, pairs, y, features, C, tol, start=None):
    """The minimum of :func:`fit_pairs` by L-BFGS, for vectors of many mostly empty dimensions."""
    if features == "sum":
        pairs, vectors = _incidence(pairs, vectors)
        rows, columns = [pairs, vectors], [vectors.T.tocsr(), pairs.T.tocsr()]
    else:
        table = sp.csr_array(pair_features(vectors, pairs, features), dtype=np.float64)
        rows, columns = [table], [table.T.tocsr()]
    sign = 2 * y - 1

    def through(factors, values):
        for factor in reversed(factors):
            values = factor @ values
        return values

    def loss(weights):
        margin = sign * (through(rows, weights[:-1]) + weights[-1])
        small = np.exp(-np.abs(margin))  # np.logaddexp takes ten times as long
        lost = np.log1p(small) - np.minimum(margin, 0)
        residual = -C * sign * np.where(margin > 0, small, 1) / (1 + small)
        value = weights[:-1] @ weights[:-1] / 2 + C * lost.sum()
        return value, np.append(weights[:-1] + through(columns, residual), residual.sum())

    start = np.zeros(vectors.shape[1] + 1) if start is None else np.append(*start)
    found = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={
        "maxiter": 5000, "maxfun": 10_000, "maxcor": 20, "gtol": 1e-6 * C, "ftol": tol / 1000})
    if not found.success:
        raise ValueError(f"pair logistic regression did not converge ({found.message}); lower C")
    return found.x[:-1], found.x[-1]


def _incidence(pairs, vectors):
    """Pairs x genes with two ones a row, and the vectors of the genes that occur."""
    used, codes = np.unique(pairs, return_inverse=True)
    n = len(pairs)
    A = sp.csr_array((np.ones(2 * n), (np.repeat(np.arange(n), 2), codes.ravel())),
                     shape=(n, len(used)))
    some = vectors[used].astype(np.float64)
    return A, sp.csr_array(some) if sp.issparse(some) else some


class _incidence_moments:
    """Decision values, gradient and Hessian of the sum features through the incidence matrix."""

    def __init__(self, vectors, pairs, _):
        self.A, self.G = _incidence(pairs, vectors)

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
        made, root = 0, np.sqrt(d)[:, None]
        for rows, block in self.blocks():
            block *= root[rows]
            made += block.T @ block  # of one array: BLAS computes half of it
        return made


def score_pairs(vectors, pairs, model, features="sum"):
    """Decision values (n,) of pairs under a model of :func:`fit_pairs`."""
    weights, intercept = model
    pairs = _known(pairs)
    if features == "sum":
        each = vectors @ weights
        return each[pairs[:, 0]] + each[pairs[:, 1]] + intercept
    return np.concatenate([pair_features(vectors, pairs[i:i + 8192], features) @ weights
                           for i in range(0, len(pairs), 8192)]) + intercept
