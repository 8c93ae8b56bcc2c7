"""The baseline that needs no text: variable genes and principal components."""

import anndata as ad
import numpy as np
import scipy.sparse as sp

from genept_utils import optional
from genept_utils.cells.normalise import normalised


def highly_variable(adata, n=2000, occurs=None):
    """Mask (n_genes,) of the ``n`` most variable genes, by scanpy's default rule on the
    log-normalised values; all genes that occur where there are no more than ``n``.

    Where ``occurs`` (n_genes,) says which genes occur, ``.X`` is taken as normalised, and may be
    a Dask array.
    """
    sc = optional.need("scanpy")
    data = normalised(adata) if occurs is None else adata
    if occurs is None:
        occurs = np.asarray((data.X > 0).sum(axis=0)).ravel() > 0
    mask = np.zeros(data.n_vars, dtype=bool)
    if occurs.sum() <= n:
        return occurs
    X = data.X[:, occurs]  # by itself: a view of all would copy every obsm
    if isinstance(X, sp.sparray):  # scanpy 1.11 takes matrices only
        X = sp.csr_matrix(X)
    part = ad.AnnData(X, uns={"log1p": dict(data.uns.get("log1p", {}))})
    sc.pp.highly_variable_genes(part, n_top_genes=n)
    mask[np.flatnonzero(occurs)[part.var["highly_variable"].to_numpy()]] = True
    return mask


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
