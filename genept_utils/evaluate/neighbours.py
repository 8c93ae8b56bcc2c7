"""Neighbours and silhouettes of cells from one pass over their distances."""

import numpy as np

HELD = 10_000_000  # distances held at a time, 4 bytes each; all at once take half the time


def neighbours_and_sums(X, groups, k, n_groups=None, apart=None):
    """Nearest rows of each row, and the sums of its distances to each group (Euclidean, float32).

    Parameters
    ----------
    X : numpy.ndarray
        (n, d).
    groups : numpy.ndarray
        (n,) whole numbers from 0.
    k : int
        Neighbours; at most n - 1 are given.
    n_groups : int, optional
        By default the largest number and one.
    apart : tuple of numpy.ndarray and int, optional
        Numbers (n,) and a second ``k``: also the nearest rows that have another number; those
        with -1 are nobody's neighbour.

    Returns
    -------
    near : numpy.ndarray
        (n, k) other rows, nearest first.
    sums : numpy.ndarray
        (n, n_groups) float32.
    others : numpy.ndarray
        With ``apart``: (n, k) rows, nearest first.
    """
    from genept_utils.evaluate.smallest import smallest  # numba takes a while to import

    X = np.asarray(X, dtype=np.float32)
    X = X - X.mean(axis=0)  # near zero, where float32 is finest
    n, half = len(X), np.einsum("ij,ij->i", X, X) / 2
    size = max(HELD // max(n, 1), 1)
    member = np.eye(n_groups or groups.max() + 1, dtype=np.float32)[groups]
    near, sums, others = [], np.empty((n, member.shape[1]), np.float32), []
    for start in range(0, n, size):
        rows = np.arange(start, min(start + size, n))
        gap = X[start:start + size] @ X.T  # of all rows numpy does one half and copies it
        np.subtract(half, gap, out=gap)  # half the squared distances
        gap += half[rows, None]
        np.maximum(gap, 0, out=gap)
        gap[np.arange(len(rows)), rows] = -1  # before its doubles
        near.append(smallest(gap, min(k, n - 1) + 1)[:, 1:])
        gap[np.arange(len(rows)), rows] = 0
        sums[rows] = np.sqrt(gap, out=gap) @ member * np.float32(2**.5)
        if apart is not None:
            gap[(apart[0][rows, None] == apart[0]) | (apart[0] < 0)] = np.inf
            others.append(smallest(gap, min(apart[1], n)))
    made = np.concatenate(near), sums
    return made if apart is None else (*made, np.concatenate(others))


def silhouettes(sums, codes):
    """Silhouette width of each row, as scikit-learn's ``silhouette_samples``.

    Parameters
    ----------
    sums : numpy.ndarray
        (n, n_groups) summed distances of each row to each group.
    codes : numpy.ndarray
        (n,) the row's group; groups without rows do not count.

    Returns
    -------
    numpy.ndarray
        (n,), 0 for the only row of a group.
    """
    rows, sizes = np.arange(len(codes)), np.bincount(codes, minlength=sums.shape[1])
    own = sums[rows, codes] / np.maximum(sizes[codes] - 1, 1)
    mean = np.where(sizes > 0, sums / np.maximum(sizes, 1), np.inf)
    mean[rows, codes] = np.inf
    other = mean.min(axis=1)
    width = (other - own) / np.maximum(np.maximum(own, other), 1e-12)
    return np.where(sizes[codes] > 1, width, 0)
