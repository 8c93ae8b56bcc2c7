"""UMAP of some thousand rows, for drawing."""

import numpy as np
import scipy.sparse as sp

from genept_utils import optional
from genept_utils.evaluate.neighbours import neighbours_and_sums

STEPS = 40  # halvings of the range in which the width of a neighbourhood is sought


def umap_layout(X, seed=0, n_neighbors=15, min_dist=0.1, n_epochs=200):
    """Two coordinates a row by UMAP (McInnes et al. 2018).

    The graph of exact neighbours is made here, as umap-learn makes it, which first compiles for
    eight seconds and finds the neighbours of so few rows pair by pair; umap-learn places it.

    Parameters
    ----------
    X : numpy.ndarray
        (n, d), compared by Euclidean distance.
    seed : int
        Of the placing.
    n_neighbors, min_dist, n_epochs
        As umap-learn has them; it takes 500 epochs by default.

    Returns
    -------
    numpy.ndarray
        (n, 2) float32.
    """
    optional.need("umap")
    from sklearn.utils import check_random_state
    from umap.umap_ import find_ab_params, simplicial_set_embedding

    a, b = find_ab_params(1, min_dist)
    X = np.asarray(X, dtype=np.float32)
    made, _ = simplicial_set_embedding(
        X, neighbour_graph(X, n_neighbors), 2, 1, a, b, 1, 5, n_epochs, "spectral",
        check_random_state(seed), "euclidean", {}, False, {}, False)
    return made


def neighbour_graph(X, n_neighbors=15):
    """UMAP's graph of neighbours, (n, n) CSR: weights fall with the distance beyond the nearest
    neighbour, at a width of each row at which they add up to log2(n_neighbors)."""
    k = min(n_neighbors, len(X))  # a row is among them
    near, _ = neighbours_and_sums(X, np.zeros(len(X), int), k - 1)
    far = np.column_stack([np.linalg.norm(X[one] - X, axis=1) for one in near.T])
    first = np.where(far > 0, far, np.inf).min(axis=1, keepdims=True)
    beyond = np.maximum(far - np.where(np.isfinite(first), first, 0), 0)
    low, high = np.zeros((len(X), 1)), 10 * beyond.max(axis=1, keepdims=True) + 1e-12
    for _ in range(STEPS):
        width = (low + high) / 2
        wide = np.exp(-beyond / width).sum(axis=1, keepdims=True) > np.log2(k)
        low, high = np.where(wide, low, width), np.where(wide, width, high)
    width = np.maximum(high, 1e-3 * far.sum(axis=1, keepdims=True) / k + 1e-12)
    weights = np.exp(-beyond / width).astype(np.float32)
    graph = sp.csr_matrix((weights.ravel(), near.ravel(), np.arange(0, near.size + 1, k - 1)),
                          (len(X), len(X)))
    return graph + graph.T - graph.multiply(graph.T)  # either may be the other's neighbour
