"""Agreement of clusters of cells with labels."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils.evaluate.checks import checked


def clustering(X, labels, seeds=20, seed=0):
    """k-means with as many clusters as there are labels, and its agreement with the labels.

    One start (``n_init=1``, k-means++) per seed, so that the spread over seeds is what a single
    run, as published, leaves to chance.

    Parameters
    ----------
    X : numpy.ndarray
        (n_cells, d).
    labels : array-like or dict of str to array-like
        (n_cells,) labels. Of several columns the first sets the number of clusters.
    seeds : int or sequence of int
        Number of runs from ``seed`` on, or their seeds.

    Returns
    -------
    pandas.DataFrame
        One row per run: ``seed``, ``ari``, ``ami``; with several columns one row per run and
        ``label``.
    """
    from threadpoolctl import threadpool_limits

    columns = labels if isinstance(labels, dict) else {"": labels}
    for place, values in enumerate(columns.values()):  # the first sets the number of clusters
        checked(X, values, 1 if place else 2)
    columns = {name: pd.factorize(np.asarray(values))[0] for name, values in columns.items()}
    k = next(iter(columns.values())).max() + 1
    runs = range(seed, seed + seeds) if isinstance(seeds, int) else seeds
    with threadpool_limits(1):  # the steps are small: threads would wait for each other
        made = k_means(X, k, runs)
    rows = [{"seed": run, "label": name, **_agreement(codes, found)}
            for run, found in zip(runs, made) for name, codes in columns.items()]
    table = pd.DataFrame(rows)
    return table if isinstance(labels, dict) else table.drop(columns="label")


def k_means(X, k, seeds, max_iter=300, tol=1e-4):
    """Clusters of the same rows from several starts, which take their steps together.

    scikit-learn's ``KMeans(k, n_init=1)`` of each seed, with its random numbers, up to the
    rounding of float32; a product with the centres of all runs at once takes a third of the time
    of one with the centres of each. A cluster that loses its rows keeps its centre.

    Parameters
    ----------
    X : numpy.ndarray
        (n, d).
    k : int
        Clusters.
    seeds : sequence of int
        One k-means++ start each.
    max_iter : int
        Most steps.
    tol : float
        A run ends when its centres move by a smaller square than this share of the mean variance.

    Returns
    -------
    numpy.ndarray
        (n_seeds, n) the cluster of each row, from 0 to k - 1.
    """
    X = np.asarray(X, dtype=np.float32)
    X = X - X.mean(axis=0)
    squares, least = np.einsum("ij,ij->i", X, X), tol * X.var(axis=0).mean()
    centres = X[_starts(X, squares, k, seeds)]
    labels, going = np.full((len(centres), len(X)), -1, np.int32), np.arange(len(centres))
    for _ in range(max_iter):
        now = centres[going]
        found = _nearest(now, X)
        done = (found == labels[going]).all(axis=1)
        labels[going] = found
        member = (found[:, None] == np.arange(k, dtype=np.int32)[:, None]).astype(np.float32)
        size = member.sum(axis=2)[..., None]
        sums = (member.reshape(-1, len(X)) @ X).reshape(now.shape)
        centres[going] = np.where(size > 0, sums / np.maximum(size, 1), now)
        still = ~done & (((centres[going] - now) ** 2).sum(axis=(1, 2)) <= least)
        if still.any():
            labels[going[still]] = _nearest(centres[going[still]], X)
        going = going[~done & ~still]
        if not len(going):
            break
    return labels


def _nearest(centres, X):
    """The nearest of each run's centres (runs, k, d) to each row: (runs, n)."""
    gap = (centres.reshape(-1, X.shape[1]) @ X.T).reshape(*centres.shape[:2], -1)
    gap *= -2
    gap += np.einsum("rkd,rkd->rk", centres, centres)[..., None]
    least, found = gap[:, 0].copy(), np.zeros(gap[:, 0].shape, dtype=np.int32)
    for one in range(1, gap.shape[1]):  # numpy's argmin along a short axis takes ten times as long
        np.copyto(found, one, where=gap[:, one] < least)
        np.minimum(least, gap[:, one], out=least)
    return found


def _starts(X, squares, k, seeds):
    """Rows (runs, k) that k-means++ chooses as first centres, as in scikit-learn."""
    draws = [np.random.RandomState(seed) for seed in seeds]
    runs, n, trials = np.arange(len(draws)), len(X), 2 + int(np.log(k))
    chosen = np.array([[draw.choice(n, p=np.full(n, 1 / n))] for draw in draws])

    def gaps(rows):
        made = X[rows] @ X.T
        made *= -2
        made += squares
        made += squares[rows, None]
        made[np.arange(len(rows)), rows] = 0
        return np.maximum(made, 0, out=made)

    nearest = gaps(chosen[:, 0])
    for _ in range(1, k):
        total = nearest.cumsum(axis=1, dtype=float)
        tried = np.array([np.searchsorted(one, draw.uniform(size=trials) * one[-1])
                          for draw, one in zip(draws, total)]).clip(max=n - 1)
        after = np.minimum(gaps(tried.ravel()).reshape(*tried.shape, n), nearest[:, None])
        best = after.sum(axis=2, dtype=float).argmin(axis=1)
        nearest, chosen = after[runs, best], np.column_stack([chosen, tried[runs, best]])
    return chosen


def _agreement(codes, found):
    """ARI and AMI of two groupings numbered from 0, as scikit-learn has them, which first looks
    through the labels for three times as long."""
    from sklearn.metrics.cluster import expected_mutual_information

    table = np.bincount(codes * (found.max() + 1) + found,
                        minlength=(codes.max() + 1) * (found.max() + 1))
    table, n = table.reshape(codes.max() + 1, -1).astype(np.int64), len(codes)
    sides = table.sum(axis=1), table.sum(axis=0)
    pairs = (table * (table - 1)).sum()
    first, second = ((side * (side - 1)).sum() for side in sides)
    chance, most = first * second / (n * (n - 1)), (first + second) / 2
    share = table[table > 0] / n
    shared = (share * np.log(share / (np.outer(*sides)[table > 0] / n**2))).sum()
    expected = expected_mutual_information(sp.csr_matrix(table), n)
    entropy = -sum((side / n * np.log(side / n)).sum() for side in sides) / 2
    return {"ari": (pairs - chance) / (most - chance),
            "ami": (shared - expected) / (entropy - expected)}
