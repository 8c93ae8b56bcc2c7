"""Files of cells, read a block of rows at a time."""

import warnings

import anndata as ad
import numpy as np
import scipy.sparse as sp


def read_h5ad(path, rows=1000, obsm=()):
    """An ``.h5ad`` file with ``.X`` as float32 CSR, read a block of rows at a time.

    A dense matrix is never held whole: 13,576 x 14,053 float32 numbers take 763 MB.

    Parameters
    ----------
    path : path
        The file.
    rows : int
        Rows of a dense matrix that are read at a time.
    obsm : sequence of str
        Keys of ``obsm`` to keep, (n_cells, d) numbers each.

    Raises
    ------
    KeyError
        A key of ``obsm`` does not exist.
    ValueError
        There is no matrix X, or a key of ``obsm`` holds NaN or no table of numbers.
    """
    with warnings.catch_warnings():  # files of old anndata versions are read all the same
        warnings.filterwarnings("ignore", message=".*written without encoding metadata")
        backed = ad.read_h5ad(path, backed="r")
    try:
        if backed.X is None:
            raise ValueError(f"{path} has no matrix X")
        blocks = [sp.csr_matrix(backed.X[start:start + rows], dtype=np.float32)
                  for start in range(0, backed.n_obs, rows)]
        return ad.AnnData(sp.vstack(blocks, format="csr"), obs=backed.obs.copy(),
                          var=backed.var.copy(), uns=_kept_uns(backed),
                          obsm={key: _vectors(backed, key, path) for key in obsm})
    finally:
        backed.file.close()


def _kept_uns(adata):
    """Of a file's notes only scanpy's mark that the values are logged."""
    return {"log1p": {}} if "log1p" in adata.uns else {}


def _vectors(adata, key, path):
    if key not in adata.obsm:
        raise KeyError(f"{path} has no {key!r} in obsm; there "
                       + (f"are {', '.join(adata.obsm)}" if len(adata.obsm) else "is nothing"))
    found = adata.obsm[key]
    try:
        found = np.asarray(found.toarray() if sp.issparse(found) else found, dtype=np.float32)
    except (TypeError, ValueError):
        raise ValueError(f"{key!r} in obsm of {path} holds something other than numbers") from None
    if found.ndim != 2 or not np.isfinite(found).all():
        raise ValueError(f"{key!r} in obsm of {path} is no table of finite numbers, one row a cell; "
                         "remove the cells without a vector")
    return found
