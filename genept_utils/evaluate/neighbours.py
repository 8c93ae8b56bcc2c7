"""Cell typing by the nearest neighbours."""

import warnings

import numpy as np
import pandas as pd

from genept_utils.datasets import missing
from genept_utils.evaluate.checks import checked
from genept_utils.evaluate.splits import splits

BLOCK = 1000  # cells whose distances to all others are held at a time


def knn_predict(train, y, test, k=10):
    """Labels by vote of the ``k`` nearest training cells, found by exact search.

    Parameters
    ----------
    train, test : numpy.ndarray, or sequence of numpy.ndarray
        (n_train, d) and (n_test, d). Of several representations each sends its ``k`` neighbours
        to one vote: the ensemble of the paper's Appendix C4. The distance is Euclidean, which
        orders vectors of unit length as the cosine does.
    y : array-like
        (n_train,) labels.

    Returns
    -------
    numpy.ndarray
        (n_test,) labels; of tied labels the one that sorts first.
    """
    from sklearn.neighbors import NearestNeighbors

    single = isinstance(train, np.ndarray)
    pairs = [(train, test)] if single else list(zip(train, test))
    for near, _ in pairs:
        y = checked(near, y)
    codes, names = pd.factorize(y, sort=True)
    votes = np.zeros((len(pairs[0][1]), len(names)), dtype=np.int32)
    for near, asked in pairs:
        search = NearestNeighbors(n_neighbors=min(k, len(near)), algorithm="brute")
        found = codes[search.fit(near).kneighbors(asked, return_distance=False)]
        for column in range(found.shape[1]):
            votes[np.arange(len(votes)), found[:, column]] += 1
    return names[votes.argmax(axis=1)]


def label_scores(true, predicted):
    """Accuracy and macro precision, recall and F1 over the labels that ``true`` holds: a dict."""
    codes, names = pd.factorize(np.asarray(true))
    found = pd.Index(names).get_indexer(np.asarray(predicted))
    size, named = np.bincount(codes), np.bincount(found[found >= 0], minlength=len(names))
    hits = np.bincount(codes[codes == found], minlength=len(names))
    return {"accuracy": hits.sum() / len(codes),
            "precision_macro": (hits / np.maximum(named, 1)).mean(),
            "recall_macro": (hits / size).mean(), "f1_macro": (2 * hits / (size + named)).mean()}


def neighbour_agreement(X, labels, k=10):
    """Mean share of the ``k`` nearest other cells (cosine) that have the cell's own label."""
    from sklearn.neighbors import NearestNeighbors

    labels = np.asarray(labels)
    near = NearestNeighbors(n_neighbors=min(k, len(labels) - 1), metric="cosine",
                            algorithm="brute").fit(X).kneighbors(return_distance=False)
    return float((labels[near] == labels[:, None]).mean())


def neighbours_and_width(X, labels, k=40):
    """Each cell's nearest cells and the silhouette of the labels, in one pass over distances.

    Parameters
    ----------
    X : numpy.ndarray
        (n_cells, d).
    labels : array-like
        (n_cells,) two labels or more.
    k : int
        Neighbours of a cell.

    Returns
    -------
    near : numpy.ndarray
        (n_cells, k) rows of the nearest other cells (Euclidean), nearest first; fewer columns
        where there are fewer other cells.
    width : float
        Average silhouette width, Euclidean, as scikit-learn's ``silhouette_score``.
    """
    labels = checked(X, labels, 2)
    X, (codes, names) = np.ascontiguousarray(X, dtype=np.float32), pd.factorize(labels)
    n, sizes = len(X), np.bincount(codes)
    member, squares = np.eye(len(names), dtype=np.float32)[codes], np.einsum("ij,ij->i", X, X)
    k, near, sums = min(k, n - 1), [], np.empty((n, len(names)))
    for start in range(0, n, BLOCK):
        rows = np.arange(start, min(start + BLOCK, n))
        gap = (-2 * X[rows]) @ X.T
        gap += squares
        gap += squares[rows, None]
        np.maximum(gap, 0, out=gap)
        gap[np.arange(len(rows)), rows] = -1  # before its doubles
        close = np.argpartition(gap, k, axis=1)[:, :k + 1]
        order = np.argsort(np.take_along_axis(gap, close, 1), axis=1, kind="stable")
        near.append(np.take_along_axis(close, order, 1)[:, 1:].astype(np.int32))
        gap[np.arange(len(rows)), rows] = 0
        sums[rows] = np.sqrt(gap, out=gap) @ member
    cells = np.arange(n)
    own = sums[cells, codes] / np.maximum(sizes[codes] - 1, 1)
    sums /= sizes
    sums[cells, codes] = np.inf
    other = sums.min(axis=1)
    width = (other - own) / np.maximum(np.maximum(own, other), 1e-12)
    return np.concatenate(near), float(np.where(sizes[codes] > 1, width, 0).mean())


def cell_typing(X, labels, k=10, folds=5, groups=None, seed=0, near=None):
    """k-nearest-neighbour cell typing over folds, or with one group held out at a time.

    Parameters
    ----------
    X : numpy.ndarray, or sequence of numpy.ndarray
        (n_cells, d), or several representations for one vote (:func:`knn_predict`).
    labels : array-like
        (n_cells,) cell types.
    folds : int
        Stratified folds; a type with fewer cells than folds is missing from some of them.
    groups : array-like, optional
        (n_cells,) batch or donor: each is held out once, instead of folds.
    near : numpy.ndarray, optional
        (n_cells, m) nearest cells of all (:func:`neighbours_and_width`): they spare the search.

    Returns
    -------
    pandas.DataFrame
        One row per split: ``held_out``, ``n_test`` and the scores of :func:`label_scores`. With
        groups only cells of types that the other groups hold as well are scored; a group that
        has none such is left out, as are cells without a group.
    """
    parts = [X] if isinstance(X, np.ndarray) else list(X)
    for part in parts:
        labels = checked(part, labels, 2)
    labels = labels.astype(str)
    if groups is None:
        with warnings.catch_warnings():  # rare types, as said above
            warnings.filterwarnings("ignore", message="The least populated class")
            held = [(fold, *rows) for fold, rows in enumerate(splits(labels, folds, 1, None,
                                                                     seed))]
    else:
        known = ~missing(groups)
        groups = np.asarray(groups).astype(str)
        held = [(group, np.flatnonzero(known & (groups != group)),
                 np.flatnonzero(known & (groups == group))) for group in np.unique(groups[known])]
    rows = []
    for name, train, test in held:
        test = test[np.isin(labels[test], labels[train])]
        if not len(test):
            continue
        found = (knn_predict([part[train] for part in parts], labels[train],
                             [part[test] for part in parts], k)
                 if near is None else _voted(near, labels, train, test, k))
        rows.append({"held_out": name, "n_test": len(test), **label_scores(labels[test], found)})
    return pd.DataFrame(rows)


def _voted(near, labels, train, test, k):
    """As :func:`knn_predict`, from neighbours among all cells: the first ``k`` in training."""
    codes, names = pd.factorize(labels, sort=True)
    counts = np.isin(near[test], train)
    counts &= counts.cumsum(axis=1) <= k
    if near.shape[1] < len(labels) - 1 and counts.sum(axis=1).min() < k:
        raise ValueError(f"{near.shape[1]} neighbours of a cell hold fewer than {k} training cells")
    votes = np.zeros((len(test), len(names)), dtype=np.int32)
    np.add.at(votes, (np.arange(len(test))[:, None], codes[near[test]]), counts)
    return names[votes.argmax(axis=1)]
