"""Cell typing by the nearest neighbours."""

import numpy as np
import pandas as pd

from genept_utils.evaluate.checks import checked


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
