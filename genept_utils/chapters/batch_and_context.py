"""Chapter 8: batches mixed and cell types kept, scores after scIB."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils.evaluate.checks import checked
from genept_utils.evaluate.neighbours import neighbours_and_sums, silhouettes
from genept_utils.evaluate.splits import subsample

NEIGHBOURS = 30


def integration(X, batch, labels, max_cells=3000, seed=0):
    """How well batches are mixed and cell types are kept apart, each from 0 (bad) to 1 (good).

    After Luecken et al. 2022 (scIB), computed with scikit-learn. Two differences: the inverse
    Simpson index counts the 30 nearest neighbours alike, where scIB weighs 90 of them by a
    Gaussian of that perplexity, and no score is rescaled by the other methods.

    Parameters
    ----------
    X : numpy.ndarray
        (n_cells, d).
    batch, labels : array-like
        (n_cells,) batch and cell type.
    max_cells : int
        The scores are computed on a stratified sample of at most so many cells.

    Returns
    -------
    dict
        ``asw_batch``: 1 - \\|silhouette of the batch\\| within each cell type, mean over types;
        ``ilisi``: median inverse Simpson index of the batch among the neighbours, rescaled;
        ``connectivity``: share of each type's cells in the largest component of its
        15-neighbour graph, mean over types; ``asw_label``: silhouette of the cell type, halved
        and raised to [0, 1]; ``clisi``: as ``ilisi`` for cell types, 1 where neighbours agree.
        ``asw_batch`` is NaN where no cell type occurs in two batches.
    """
    batch, labels = checked(X, batch).astype(str), checked(X, labels, 2).astype(str)
    rows = subsample(labels, max_cells, seed)
    batch, batches = pd.factorize(batch[rows])
    labels, names = pd.factorize(labels[rows])
    joint = len(names), len(batches)
    near, sums = neighbours_and_sums(X[rows], labels * joint[1] + batch, NEIGHBOURS,
                                     joint[0] * joint[1])
    sums, few = sums.reshape(-1, *joint), near[:, :15]
    graph = sp.csr_matrix((np.ones(few.size), few.ravel(),
                           np.arange(0, few.size + 1, few.shape[1])), (len(near), len(near)))
    graph = graph.maximum(graph.T)
    mixed, joined = [], []
    for label in range(len(names)):
        here = np.flatnonzero(labels == label)
        _, part = sp.csgraph.connected_components(graph[here][:, here], directed=False)
        joined.append(np.bincount(part).max() / len(here))
        if 1 < len(np.unique(batch[here])) < len(here):
            mixed.append(np.mean(1 - np.abs(silhouettes(sums[here, label], batch[here]))))
    batch_lisi, label_lisi = _lisi(near, batch), _lisi(near, labels)
    return {
        "asw_batch": float(np.mean(mixed)) if mixed else np.nan,
        "ilisi": (batch_lisi - 1) / (joint[1] - 1) if joint[1] > 1 else np.nan,
        "connectivity": float(np.mean(joined)),
        "asw_label": (float(silhouettes(sums.sum(axis=2), labels).mean()) + 1) / 2,
        "clisi": (joint[0] - label_lisi) / (joint[0] - 1),
    }


def _lisi(neighbours, codes):
    """Median inverse Simpson index of the labels (n,) among each cell's neighbours (n, k)."""
    near = codes[neighbours]
    shares = np.stack([(near == code).mean(axis=1) for code in range(codes.max() + 1)])
    return float(np.median(1 / (shares**2).sum(axis=0)))
