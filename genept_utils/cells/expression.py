"""The baseline that needs no text: variable genes and principal components."""

import functools

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import optional
from genept_utils.cells.normalise import normalised
from genept_utils.datasets.matrix import each


def highly_variable(adata, n=2000, occurs=None):
    """Mask (n_genes,) of the ``n`` most variable genes, by scanpy's default rule on the
    log-normalised values; all genes that occur where there are no more than ``n``.

    As of scanpy's ``highly_variable_genes(flavor="seurat")``, the same genes in a third of the
    memory. Where ``occurs`` (n_genes,) says which genes occur, ``.X`` is taken as normalised, and
    may be a Dask array. ValueError where no gene varies between the cells.
    """
    data = normalised(adata) if occurs is None else adata
    unit = np.log(data.uns.get("log1p", {}).get("base") or np.e)  # of the logarithms
    seen, mean, squares = map(sum, zip(*each(data.X, functools.partial(_sums, unit))))
    occurs = seen > 0 if occurs is None else np.asarray(occurs)
    if occurs.sum() <= n:
        return occurs
    n_cells = data.shape[0]
    mean = mean[occurs] / n_cells
    variance = np.maximum(squares[occurs] / n_cells - mean**2, 0) * n_cells / max(n_cells - 1, 1)
    dispersion = np.log(np.where(variance > 0, variance, np.nan) / mean)
    like = pd.Series(dispersion).groupby(pd.cut(np.log1p(mean), 20), observed=True)
    average, deviation = like.transform("mean"), like.transform("std")
    alone = deviation.isna()  # the only gene of its bin
    score = (dispersion - average.where(~alone, 0)) / deviation.where(~alone, average)
    order = np.sort(score.dropna())
    if not len(order):
        raise ValueError(f"no gene varies between the {n_cells:,} cells, so none of them is among "
                         f"the {n} most variable")
    mask = np.zeros(len(occurs), dtype=bool)
    mask[np.flatnonzero(occurs)[score >= order[-min(n, len(order))]]] = True
    return mask


def _sums(unit, X):
    """Per gene of a block the cells that express it, and the sums of the values before the
    logarithm and of their squares; a stretch at a time, so that no second matrix is held."""
    X, found = sp.csr_matrix(X), np.zeros((3, X.shape[1]))
    for start in range(0, X.nnz, 1_000_000):
        values, genes = (part[start:start + 1_000_000] for part in (X.data, X.indices))
        values = np.expm1(values if unit == 1 else values * X.dtype.type(unit)).astype(float)
        for total, weight in zip(found, (values > 0, values, values**2)):
            total += np.bincount(genes, weight, len(total))
    return tuple(found)


def pca(adata, n_components=50, hvg=2000, seed=0, key="X_pca"):
    """Principal components of the log-normalised expression of the most variable genes.

    The baseline that needs no text. Genes are centred, not scaled to unit variance.

    Returns
    -------
    anndata.AnnData
        ``adata`` itself, with (n_cells, n_components) float32 in ``obsm[key]``.

    Raises
    ------
    ValueError
        Fewer than two cells or genes, or :func:`normalise` refuses the values.
    """
    data = normalised(adata)
    adata.obsm[key] = components(data.X[:, highly_variable(data, hvg)].tocsr(), n_components, seed)
    return adata


def components(X, n=50, seed=0, centred=True):
    """Principal components (n_cells, n) float32 of expression in CSR; with ``centred=False``
    those of a truncated SVD. ValueError for fewer than two cells or genes."""
    optional.need("sklearn")
    from sklearn.decomposition import PCA, TruncatedSVD

    if min(X.shape) < 2:
        raise ValueError(f"principal components need two cells and two genes that occur; there "
                         f"are {X.shape[0]} cells and {X.shape[1]} genes")
    rank = min(n, min(X.shape) - 1)
    model = (PCA(rank, svd_solver="arpack", random_state=seed) if centred
             else TruncatedSVD(rank, algorithm="arpack", random_state=seed))
    return model.fit_transform(X).astype(np.float32)
