"""Counts or log-normalised values, and the published normalisation."""

import warnings

import h5py
import numpy as np
import scipy.sparse as sp

from genept_utils import untrusted
from genept_utils.cells.values import judged, look

TARGET = 10_000  # counts a cell is scaled to
BLOCK = 4000  # cells of a file that are read at a time


def chosen(adata, layer=None, raw=False, values=None, read=True):
    """The AnnData whose ``.X`` is worked on: ``adata`` itself, one of its layers, or its raw.

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes), in memory or backed by a file.
    layer : str, optional
        The layer that takes the place of ``.X``.
    raw : bool
        ``adata.raw`` takes the place of ``.X`` and ``.var``; it may have more genes.
    values : {"raw", "log"}, optional
        What the values are: counts or log-normalised.
    read : bool
        Read a matrix that lies in an open file into memory.

    Returns
    -------
    anndata.AnnData
        ``adata`` where nothing is asked for and ``.X`` is in memory.

    Raises
    ------
    KeyError
        There is no such layer, or no raw; the message names what there is.
    ValueError
        There is no ``.X``, both are asked for, or ``values`` is neither word.
    """
    if values not in (None, "", "raw", "log"):
        raise ValueError(f'values={values!r}; it is "raw" for counts or "log" for log-normalised')
    if layer and raw:
        raise ValueError("layer and raw are both given; one place holds the values")
    if layer and layer not in adata.layers:
        raise KeyError(f"there is no layer {layer!r}; there are "
                       f"{', '.join(map(str, adata.layers)) or 'no layers'}")
    if raw and adata.raw is None:
        raise KeyError("the AnnData has no raw; leave raw=True out"
                       + "".join(f", or give {place}" for place in elsewhere(adata)))
    X = adata.layers[layer] if layer else adata.raw.X if raw else adata.X
    if X is None:
        raise ValueError("the AnnData has no X; " + _advice(adata))
    untrusted.compressed(X)
    backed = not (sp.issparse(X) or isinstance(X, np.ndarray))
    if not (layer or raw or values or backed and read):
        return adata
    if backed and read and hasattr(X, "to_memory"):
        X = X.to_memory()  # whole: rows of columns are slow
        untrusted.compressed(X)
        X = sp.csr_matrix(X, dtype=np.float32)
    elif read and isinstance(X, h5py.Dataset):
        X = sp.vstack([sp.csr_matrix(X[start:start + BLOCK], dtype=np.float32)
                       for start in range(0, adata.n_obs, BLOCK)], format="csr")
    made = type(adata)(X, obs=adata.obs.copy(), var=(adata.raw if raw else adata).var.copy())
    own = _own_marks(adata)
    if layer or raw or values:  # the marks of X say nothing about another matrix
        own = {key: value for key, value in own.items() if key not in ("values", "sure")}
    asked = f'layer="{layer}"' if layer else "raw=True" if raw else None
    own["elsewhere"] = [place for place in elsewhere(adata) if place != asked]
    if "log1p" in adata.uns and not (layer or values):
        made.uns["log1p"] = {}
    made.uns["genept_data"] = own | ({"values": values, "sure": True} if values else {})
    return made


def elsewhere(adata):
    """Where else counts may lie, as arguments: ``['layer="counts"', 'raw=True']``.

    Layers and raw without negative values, whole numbers first; or what was noted when the file
    was read.
    """
    places = {f'layer="{name}"': X for name, X in adata.layers.items()}
    if adata.raw is not None:
        places["raw=True"] = adata.raw.X
    for X in places.values():
        untrusted.compressed(X)
    seen = {place: look(X[:BLOCK]) for place, X in places.items()
            if X is not None and not hasattr(X, "dask")}  # a Dask array is not computed for this
    good = [place for place, found in seen.items()
            if not found.bad and found.lowest >= 0 and found.highest > 0]
    return (sorted(good, key=lambda place: not seen[place].whole)
            or list(_own_marks(adata).get("elsewhere", [])))


def _advice(adata):
    places = elsewhere(adata)
    if places:
        return f"give {' or '.join(places)} to use what lies there"
    return "no layer and no raw holds counts either, so go back to the data from before scaling"


def scale_of(adata):
    """Whether the values of ``adata.X`` are ``"raw"`` counts or ``"log"``-normalised.

    The rule is :func:`genept_utils.cells.values.judged`; the marks are
    ``uns["genept_data"]["values"]`` and scanpy's ``uns["log1p"]``.

    Raises
    ------
    ValueError
        There is no X, values are NaN, infinite or negative, or there is no value above zero.
    """
    return _judged(adata)[0]


def marks(adata):
    """What the marks of an AnnData declare, as arguments of ``judged``: (declared, sure)."""
    own, logged = _own_marks(adata), "log1p" in adata.uns
    declared = own.get("values")
    if own.get("sure"):
        return declared, True
    if declared == "raw" and logged:
        return None, False  # one of the two was left behind
    return declared or ("log" if logged else None), False


def _own_marks(adata):
    own = adata.uns.get("genept_data", {})
    own = dict(own) if hasattr(own, "keys") else {}
    if own.get("values") not in ("raw", "log"):
        own.pop("values", None)
    return own


def judge(adata, seen):
    """What a matrix of which ``seen`` is known holds, ``"raw"`` or ``"log"``; what is to be said
    about it is said as a warning."""
    scale, word = _judged(adata, seen)
    if word:
        warnings.warn(word, stacklevel=4)
    return scale


def _judged(adata, seen=None):
    try:
        return judged(seen or look(chosen(adata).X), *marks(adata))
    except ValueError as error:
        if "negative" in str(error) or "all zeros" in str(error):
            raise ValueError(f"{error}; {_advice(adata)}") from None
        raise


def normalise(adata, target=TARGET, layer=None, raw=False, values=None):
    """Counts scaled to ``target`` a cell, then log(1 + x): as published, and as in scanpy.

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes) counts in ``.X``, dense or sparse, in memory or backed. Log-normalised
        values are left as they are; where nothing declares them, a warning says so.
    target : float
        Counts that each cell is scaled to.
    layer, raw, values
        As in :func:`chosen`.

    Returns
    -------
    anndata.AnnData
        A copy with float32 CSR ``.X`` and the ``.obsm`` of ``adata``; a cell without counts
        stays all zero.

    Raises
    ------
    ValueError
        NaN, infinite or negative values, or no counts at all.

    Warns
    -----
    UserWarning
        A mark was overridden by the values, or the values leave open what they are.
    """
    source = chosen(adata, layer, raw, values)
    scale, word = _judged(source)
    if word:
        warnings.warn(word, stacklevel=2)
    X = sp.csr_matrix(source.X, dtype=np.float32, copy=True)
    X.eliminate_zeros()
    if scale == "raw":
        scale_and_log(X, target)
    made = type(adata)(X, obs=source.obs.copy(), var=source.var.copy(), obsm=dict(adata.obsm))
    made.uns["genept_data"] = {**_own_marks(source), "values": "log", "sure": False}
    made.uns["log1p"] = {}
    return made


def scale_and_log(X, target=TARGET):
    """Counts (n_cells, n_genes) float32 CSR to log(1 + scaled), in place and in float64, a
    stretch of cells at a time so that no second matrix is held."""
    total = np.asarray(X.sum(axis=1, dtype=np.float64)).ravel()
    factor = np.divide(target, total, out=np.zeros_like(total), where=total > 0)
    for start in range(0, X.shape[0], 500):
        rows = X.indptr[start:start + 501]
        part = X.data[rows[0]:rows[-1]]
        part[:] = np.log1p(part * np.repeat(factor[start:start + 500], np.diff(rows)))


def normalised(adata, layer=None, raw=False, values=None):
    """``adata`` itself where its ``.X`` is sparse and known to be logged, else a normalised
    copy."""
    source = chosen(adata, layer, raw, values)
    if sp.issparse(source.X) and marks(source)[0] == "log" and scale_of(source) == "log":
        return source
    return normalise(source)
