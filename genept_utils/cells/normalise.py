"""Counts or log-normalised values, and the published normalisation."""

import warnings

import numpy as np
import scipy.sparse as sp

TARGET = 10_000  # counts a cell is scaled to
LOG_CEILING = 15  # log1p of a million is 13.8: no log-normalised value is larger


def scale_of(adata):
    """Whether the values of ``adata.X`` are ``"raw"`` counts or ``"log"``-normalised.

    What is declared (``uns["genept_data"]["values"]``, or scanpy's ``uns["log1p"]``) counts;
    without that, whole numbers are counts, and so are fractions above :data:`LOG_CEILING`
    (corrected counts).

    Raises
    ------
    ValueError
        Values are NaN, infinite or negative, or there is no value above zero.
    """
    values = adata.X.data if sp.issparse(adata.X) else np.asarray(adata.X)
    if not np.isfinite(values).all():
        raise ValueError("the expression matrix holds NaN or infinite values; remove those cells "
                         "or genes, or set the values to 0")
    if values.size and values.min() < 0:
        raise ValueError("the expression matrix holds negative values, so it is neither counts nor "
                         "log-normalised counts (scaled data?); put counts into adata.X, "
                         "for example adata.X = adata.layers['counts'] or adata.raw.X")
    if not values.size or values.max() <= 0:
        raise ValueError("the expression matrix is all zeros; put counts into adata.X")
    if _declared(adata):
        return _declared(adata)
    whole = np.array_equal(values, np.rint(values))
    return "raw" if whole or values.max() > LOG_CEILING else "log"


def _declared(adata):
    logged = "log" if "log1p" in adata.uns else None
    return adata.uns.get("genept_data", {}).get("values", logged)


def normalise(adata, target=TARGET):
    """Counts scaled to ``target`` a cell, then log(1 + x): as published, and as in scanpy.

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes) counts in ``.X``, dense or sparse. Log-normalised values are left as
        they are; where nothing declares them, a warning says so.
    target : float
        Counts that each cell is scaled to.

    Returns
    -------
    anndata.AnnData
        A copy with float32 CSR ``.X``; a cell without counts stays all zero.

    Raises
    ------
    ValueError
        NaN, infinite or negative values, or no counts at all.
    """
    scale = scale_of(adata)
    if scale == "log" and not _declared(adata):
        warnings.warn("adata.X holds fractions below 15, so it looks log-normalised and is used as "
                      "it is; give counts to have it normalised here", stacklevel=3)
    X = sp.csr_matrix(adata.X, dtype=np.float32, copy=True)
    X.eliminate_zeros()
    if scale == "raw":
        total = np.asarray(X.sum(axis=1, dtype=np.float64)).ravel()
        factor = np.divide(target, total, out=np.zeros_like(total), where=total > 0)
        X.data = np.log1p(X.data * np.repeat(factor, np.diff(X.indptr))).astype(np.float32)
    made = type(adata)(X, obs=adata.obs.copy(), var=adata.var.copy())
    made.uns["genept_data"] = {**adata.uns.get("genept_data", {}), "values": "log"}
    made.uns["log1p"] = {}
    return made


def normalised(adata):
    ready = sp.issparse(adata.X) and scale_of(adata) == "log" and _declared(adata)
    return adata if ready else normalise(adata)
