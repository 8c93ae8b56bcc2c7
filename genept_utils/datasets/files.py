"""Files of cells, read a block of rows at a time."""

import warnings

import anndata as ad
import numpy as np
import scipy.sparse as sp


def read_h5ad(path, rows=1000):
    """An ``.h5ad`` file with ``.X`` as float32 CSR, read a block of rows at a time.

    A dense matrix is never held whole: 13,576 x 14,053 float32 numbers take 763 MB.

    Parameters
    ----------
    path : path
        The file.
    rows : int
        Rows of a dense matrix that are read at a time.
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
                          var=backed.var.copy(), uns=_kept_uns(backed))
    finally:
        backed.file.close()


def _kept_uns(adata):
    """Of a file's notes only scanpy's mark that the values are logged."""
    return {"log1p": {}} if "log1p" in adata.uns else {}
