"""Gene programs: communities of genes with similar vectors."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import extras


def gene_programs(vectors, threshold=0.9, resolution=20, min_genes=10, seed=0):
    """Communities of genes with similar vectors (Fig. 2g of Chen & Zou 2024).

    Genes are joined where the cosine of their vectors exceeds ``threshold``; Leiden communities
    (RB configuration model) of ``min_genes`` or more are programs.

    Returns
    -------
    tuple
        (n_genes,) int program of each gene, largest first, -1 for none; and the share of gene
        pairs that are joined.
    """
    igraph, leidenalg = extras.need("igraph"), extras.need("leidenalg")

    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    edges = np.argwhere(np.triu(unit @ unit.T > threshold, 1))
    n = len(vectors)
    found = leidenalg.find_partition(igraph.Graph(n=n, edges=edges),
                                     leidenalg.RBConfigurationVertexPartition,
                                     resolution_parameter=resolution, seed=seed)
    program = np.asarray(found.membership)  # leidenalg numbers communities by size
    sizes = np.bincount(program)
    return np.where(sizes[program] >= min_genes, program, -1), len(edges) / (n * (n - 1) / 2)


def cosine_threshold(vectors, density):
    """The cosine that a share ``density`` of all pairs of vectors exceeds."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    cosines = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    kept = max(round(density * len(cosines)), 1)
    return float(np.partition(cosines, -kept)[-kept])


def explained_by(labels, values):
    """Share of the variance of each column of values that lies between labels (eta squared).

    Parameters
    ----------
    labels : array-like
        (n,) label of each row, for example the cell type.
    values : numpy.ndarray
        (n, k), for example the score of k programs in n cells.

    Returns
    -------
    numpy.ndarray
        (k,) between 0 and 1; NaN for a constant column.
    """
    codes, names = pd.factorize(np.asarray(labels))
    one_hot = sp.csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))))
    centred = values - values.mean(axis=0)
    sums = one_hot @ centred
    between = (sums**2 / np.bincount(codes)[:, None]).sum(axis=0)
    total = (centred**2).sum(axis=0)
    return np.divide(between, total, out=np.full(len(total), np.nan), where=total > 0)
