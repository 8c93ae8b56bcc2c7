"""L2 logistic regression: of two classes for many training parts and penalties at once, and of
several classes along penalties, without scikit-learn's checks of every step, which
on a few hundred cells take longer than the step."""

import math

import numpy as np
import scipy.sparse as sp


def logistic_path(X, y, trained, strengths, tol=1e-4, max_iter=2000, overwrite=False):
    """Decision values of logistic regressions on parts of the same rows.

    Each is the minimum of ``|w|^2 / 2 + C * sum(log loss)`` over the rows that it may see, as
    scikit-learn's ``LogisticRegression(C=C)`` finds it. A nested cross-validation asks for
    hundreds of them; here they are the columns of one matrix, so that a step of all costs two
    matrix products. A step divides the gradient by an upper bound of the curvature (Boehning &
    Lindsay 1988, Ann. Inst. Stat. Math. 40:641), taken along the principal axes, where it is
    diagonal, with momentum that restarts (O'Donoghue & Candes 2015, Found. Comput. Math. 15:715).
    Penalties go from strong to weak, each starting from the one before.

    Parameters
    ----------
    X : numpy.ndarray, scipy.sparse matrix or tuple
        (n, d) features; or (A, G), whose product they are: ``A`` (n, m) sparse with rows of equal
        sum, such as pairs x genes, and ``G`` (m, d) dense. Steps are taken in their precision.
    y : array-like
        (n,) labels 0 or 1.
    trained : array-like
        (p, n) bool, the rows that each of p fits sees.
    strengths : sequence of float
        (k,) values of C.
    tol : float
        A fit has converged when a step moves it by a smaller share of its size.
    overwrite : bool
        Dense features may be changed, which spares a copy of them.

    Returns
    -------
    numpy.ndarray
        (k, p, n) decision values of all rows, seen or not.

    Raises
    ------
    ValueError
        A label other than 0 and 1, a fit that sees one label only, or no convergence.
    """
    y, trained = np.asarray(y, dtype=float), np.atleast_2d(trained)
    seen = [set(np.unique(y[rows])) for rows in trained.astype(bool)]
    if any(labels != {0.0, 1.0} for labels in seen):
        raise ValueError("labels must be 0 and 1, with both in every training part")
    A, Z, size = _principal(*(X if isinstance(X, tuple) else (None, X)), overwrite)
    bound = np.append(size, len(y))[:, None] / 4
    ridge = np.append(np.ones(len(size)), 0)[:, None]  # the intercept is not penalised
    sign = (2 * y - 1)[:, None].astype(Z.dtype)
    bound, ridge = bound.astype(Z.dtype), ridge.astype(Z.dtype)
    weights = np.zeros((len(size) + 1, len(trained)), Z.dtype)
    seen, found = sign * trained.T, {}

    def decide(weights):
        made = Z @ weights[:-1]
        return (made if A is None else A @ made) + weights[-1]

    def gradient(weights, C):
        pull = -C * seen / (1 + np.exp(np.minimum(sign * decide(weights), 80)))
        back = pull if A is None else A.T @ pull
        return ridge * weights + np.vstack([Z.T @ back, pull.sum(axis=0)])

    for C in sorted(strengths):
        curve, ahead, pace = ridge + C * bound, weights, 1.0
        for _ in range(max_iter):
            slope = gradient(ahead, C)
            following = ahead - slope / curve
            step = following - weights
            pace = 1.0 if (slope * step).sum() > 0 else pace
            faster = (1 + math.sqrt(1 + 4 * pace**2)) / 2  # a numpy number would widen float32
            weights, ahead, pace = (following, following + (pace - 1) / faster * step, faster)
            moved, total = ((curve * part**2).sum(axis=0) for part in (step, weights))
            if (moved <= tol**2 * total).all():
                break
        else:
            raise ValueError(f"logistic regression did not converge in {max_iter} steps at C = {C}")
        found[C] = decide(weights).T
    return np.array([found[C] for C in strengths])


def _principal(A, G, overwrite=False):
    """Features with mean zero along their principal axes: (A, Z, squared length of each axis)."""
    G = G.toarray() if sp.issparse(G) else np.asarray(G) if overwrite else np.array(G)
    G = G if G.dtype == np.float32 else G.astype(float, copy=False)
    if A is not None:
        A = sp.csr_array(A, dtype=G.dtype)
        share = np.asarray(A.sum(axis=0)).ravel()
        G -= share @ G / share.sum()
        size, axes = np.linalg.eigh((G.T @ ((A.T @ A) @ G)).astype(float))
        return A, _turned(G, axes), np.maximum(size, 0)
    G -= G.mean(axis=0)
    if G.shape[1] <= G.shape[0]:
        size, axes = np.linalg.eigh((G.T @ G).astype(float))
        return None, _turned(G, axes), np.maximum(size, 0)
    size, axes = np.linalg.eigh(G.astype(float) @ G.T)  # fewer rows: the same inner products
    kept = size > 1e-10 * size[-1]
    return None, (axes[:, kept] * np.sqrt(size[kept])).astype(G.dtype), size[kept]


def _turned(G, axes):
    """``G`` times the axes, in its own memory."""
    axes = axes.astype(G.dtype)
    for start in range(0, len(G), 4096):
        G[start:start + 4096] = G[start:start + 4096] @ axes
    return G


class Linear:
    """A fitted model: ``weights`` (d + 1, n_classes), the intercepts last, and ``classes_``."""

    def __init__(self, classes, weights):
        self.classes_, self.weights = classes, weights

    def predict(self, X):
        """The class of each row."""
        return self.classes_[(X @ self.weights[:-1] + self.weights[-1]).argmax(axis=1)]


def along_axes(X):
    """Dense vectors centred and turned to their principal axes: a fit stays the same and takes a
    third of the steps."""
    X = X - X.mean(axis=0)
    return X @ np.linalg.eigh((X.T @ X).astype(float))[1].astype(X.dtype)


def softmax_path(X, y, strengths, tol=0.001, memory=5, max_iter=2000, start=None):
    """Minima of ``|w|^2 / 2 + C * sum(log loss)`` over several classes, each from the one of the
    smaller C.

    L-BFGS (Nocedal & Wright 2006, algorithm 7.5) whose first guess of the curvature is the mean
    one of each class and column at the fit before: for the few hundred cells of a draw half the
    steps of a start from one number, and without the checks of every step.

    Parameters
    ----------
    X : numpy.ndarray
        (n, d) dense features; steps are taken in their precision.
    y : array-like
        (n,) labels.
    strengths : sequence of float
        (k,) values of C, the inverse strength of the penalty; the intercepts have none.
    tol : float
        A fit has converged where the next step would move it by a smaller share of its size.
    memory, max_iter : int
        Steps that are remembered, and most steps of a fit.
    start : Linear, optional
        A fit to begin from; one of other classes is left aside. A fit may stop short of its
        minimum by ``tol``, so the start must not have seen rows that are tested.

    Returns
    -------
    list of Linear
        One per strength, in their order.
    """
    classes, codes = np.unique(y, return_inverse=True)
    X = np.column_stack([X, np.ones(len(X), X.dtype)])
    back, rows = np.ascontiguousarray(X.T), np.arange(len(X))
    truth = (np.arange(len(classes))[:, None] == codes).astype(X.dtype)
    size, ridge = np.einsum("ij,ij->j", X, X), np.append(np.ones(X.shape[1] - 1), 0).astype(X.dtype)
    W, found = np.zeros((len(classes), X.shape[1]), X.dtype), {}
    if start is not None and np.array_equal(start.classes_, classes):
        W = np.ascontiguousarray(start.weights.T)

    def chances(W):  # classes in rows: numpy is slow along short ones
        P = W @ back
        P -= P.max(axis=0)
        own = P[codes, rows].sum(dtype=float)
        np.exp(P, out=P)
        total = P.sum(axis=0)
        P /= total
        return np.log(total).sum(dtype=float) - own, P

    def value(W, C):
        (loss, P), pull = chances(W), ridge * W
        P -= truth
        slope = P @ X
        slope *= C
        slope += pull
        return C * loss + float(np.vdot(pull, W)) / 2, slope

    for C in map(float, sorted(strengths)):
        spread = (lambda P: (P * (1 - P)).mean(axis=1))(chances(W)[1])
        unit, past, (now, slope) = 1 / (ridge + C * spread[:, None] * size), [], value(W, C)
        for _ in range(max_iter):
            step, shares = slope.copy(), []
            for s, g, dot, _ in reversed(past):
                shares.append(float(np.vdot(s, step)) / dot)
                step -= shares[-1] * g
            step *= unit * (past[-1][3] if past else 1.0)
            for (s, g, dot, _), share in zip(past, reversed(shares)):
                step += (share - float(np.vdot(g, step)) / dot) * s
            gain, length = float(np.vdot(step, slope)), 1.0
            if gain <= tol**2 * float((W * W / unit).sum()):
                break
            while True:
                after, turned = value(W - length * step, C)
                if after <= now - 1e-4 * length * gain or length < 1e-3:
                    break
                length /= 2
            if after > now:  # rounding is all that is left
                break
            s, g = -length * step, turned - slope
            dot = float(np.vdot(s, g))
            if dot > 0:
                past = [*past, (s, g, dot, dot / float(np.vdot(g * unit, g)))][-memory:]
            W, now, slope = W + s, after, turned
        found[C] = Linear(classes, np.ascontiguousarray(W.T))
    return [found[float(C)] for C in strengths]
