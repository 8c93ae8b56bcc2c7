"""The weighted sum of gene vectors: one sparse product."""

import numpy as np


def weighted_sum(X, vectors):
    """Expression-weighted sum of gene vectors: (n_cells, n_genes) CSR @ (n_genes, d) -> float32.

    Its rows scaled to unit length are the weighted means scaled to unit length, for a cell's
    total weight is a positive number.
    """
    return np.asarray(X @ vectors, dtype=np.float32)
