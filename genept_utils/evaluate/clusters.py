"""Agreement of clusters of cells with labels, and the silhouette of the labels."""

import numpy as np
import pandas as pd

from genept_utils.evaluate.checks import checked
from genept_utils.evaluate.splits import subsample


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
    from sklearn.cluster import KMeans, kmeans_plusplus
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
    from threadpoolctl import threadpool_limits

    columns = labels if isinstance(labels, dict) else {"": labels}
    for place, values in enumerate(columns.values()):  # the first sets the number of clusters
        checked(X, values, 1 if place else 2)
    columns = {name: pd.factorize(np.asarray(values))[0] for name, values in columns.items()}
    k = next(iter(columns.values())).max() + 1
    X = np.asarray(X, dtype=np.float32)
    X = X - X.mean(axis=0)
    precise, rows = X.astype(np.float64), []  # float32 costs the seeding twice the time
    for run in range(seed, seed + seeds) if isinstance(seeds, int) else seeds:
        with threadpool_limits(1):  # the steps are small: threads would wait for each other
            start, _ = kmeans_plusplus(precise, k, random_state=run)
            found = KMeans(k, init=start.astype(np.float32), n_init=1).fit_predict(X)
        rows += [{"seed": run, "label": name, "ari": adjusted_rand_score(codes, found),
                  "ami": adjusted_mutual_info_score(codes, found)}
                 for name, codes in columns.items()]
    table = pd.DataFrame(rows)
    return table if isinstance(labels, dict) else table.drop(columns="label")


def asw(X, labels, metric="cosine", max_cells=3000, seed=0):
    """Average silhouette width of the true labels, in [-1, 1].

    On at most ``max_cells`` cells, with the share of every label kept.
    """
    from sklearn.metrics import silhouette_score

    labels = checked(X, labels, 2)
    rows = subsample(labels, max_cells, seed)
    X = np.asarray(X, dtype=np.float32)[rows]
    return float(silhouette_score(X, labels[rows], metric=metric))
