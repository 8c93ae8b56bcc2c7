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
    import sklearn
    from sklearn.cluster import KMeans, kmeans_plusplus
    from threadpoolctl import threadpool_limits

    columns = labels if isinstance(labels, dict) else {"": labels}
    for place, values in enumerate(columns.values()):  # the first sets the number of clusters
        checked(X, values, 1 if place else 2)
    columns = {name: pd.factorize(np.asarray(values))[0] for name, values in columns.items()}
    k = next(iter(columns.values())).max() + 1
    X = np.asarray(X, dtype=np.float32)
    X = X - X.mean(axis=0)
    precise, rows = X.astype(np.float64), []  # float32 costs the seeding twice the time
    # the steps are small: threads would wait for each other, and checks take as long
    with threadpool_limits(1), sklearn.config_context(assume_finite=True,
                                                      skip_parameter_validation=True):
        for run in range(seed, seed + seeds) if isinstance(seeds, int) else seeds:
            start, _ = kmeans_plusplus(precise, k, random_state=run)
            found = KMeans(k, init=start.astype(np.float32), n_init=1).fit_predict(X)
            rows += [{"seed": run, "label": name, **_agreement(codes, found)}
                     for name, codes in columns.items()]
    table = pd.DataFrame(rows)
    return table if isinstance(labels, dict) else table.drop(columns="label")


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
