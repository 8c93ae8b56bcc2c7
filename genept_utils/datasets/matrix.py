"""One door to a matrix of cells x genes: X, a layer or raw, of an AnnData or of an open file; its
rows in blocks, whether they lie in memory, in the file or in a Dask array."""

import anndata as ad
import h5py
import numpy as np
import scipy.sparse as sp

from genept_utils import untrusted

BLOCK = 10_000  # cells of a file that are read at a time
PEEK = 10_000  # stored values by which it is told whether a matrix may hold counts
BACK = "no layer and no raw holds counts either, so go back to the data from before scaling"


def select_matrix(adata, layer=None, raw=False, values=None, read=True):
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
    check_scale(values)
    X = stored_matrix(adata, "the AnnData", layer, raw)
    untrusted.compressed(X)
    if not (layer or raw or values or read and not in_memory(X)):
        return adata
    if read and (hasattr(X, "to_memory") or isinstance(X, h5py.Dataset)):
        X = read_whole(X)
    made = type(adata)(X, obs=adata.obs.copy(), var=(adata.raw if raw else adata).var.copy())
    own = declared(adata)
    if layer or raw or values:  # the marks of X say nothing about another matrix
        own = {key: value for key, value in own.items() if key not in ("values", "sure")}
    own["elsewhere"] = other_matrices(adata, layer, raw)
    if "log1p" in adata.uns and not (layer or values):
        made.uns["log1p"] = {}
    made.uns["genept_data"] = own | ({"values": values, "sure": True} if values else {})
    return made


def check_scale(values):
    """Raise a ValueError for another word than those of ``values=``."""
    if values not in (None, "", "raw", "log"):
        raise ValueError(f'values={values!r}; it is "raw" for counts or "log" for log-normalised')


def stored_matrix(source, name, layer=None, raw=False):
    """The matrix that is asked for, of an AnnData or of an open group of HDF5 or zarr, which is
    called ``name`` in a message."""
    if layer and raw:
        raise ValueError("layer and raw are both given; one place holds the values")
    layers, of_raw = _parts(source)
    if layer:
        if layer not in layers:
            there = ", ".join(layers) or "none"
            raise KeyError(f"{name} has no layer {layer!r}; there are {there}")
        return layers[layer]
    if raw:
        if of_raw is None:
            places = other_matrices(source, raw=True)
            raise KeyError(f"{name} has no raw; leave raw=True out"
                           + "".join(f", or give {place}" for place in places))
        return of_raw
    X = source.X if isinstance(source, ad.AnnData) else source["X"] if "X" in source else None
    if X is None or not isinstance(source, ad.AnnData) and (
            X.attrs.get("encoding-type") == "null"):
        raise ValueError(f"{name} has no X; {advice(source)}")
    return X


def _parts(source):
    """The layers and the raw matrix of an AnnData or of an open group."""
    if isinstance(source, ad.AnnData):
        return source.layers, None if source.raw is None else source.raw.X
    return source.get("layers", {}), source.get("raw/X")


def other_matrices(source, layer=None, raw=False):
    """Where else counts may lie, as arguments: ``['layer="counts"', 'raw=True']``.

    Layers and raw without negative values, whole numbers first; or what was noted when the file
    was read.
    """
    layers, of_raw = _parts(source)
    places = {f'layer="{name}"': layers[name] for name in layers if name != layer}
    if of_raw is not None and not raw:
        places["raw=True"] = of_raw
    good = {}
    for place, matrix in places.items():
        some = _some_values(matrix)
        if some.size and np.isfinite(some).all() and some.min() >= 0 < some.max():
            good[place] = bool((some == np.rint(some)).all())
    noted = declared(source).get("elsewhere", []) if isinstance(source, ad.AnnData) else []
    asked = f'layer="{layer}"' if layer else "raw=True" if raw else None
    return (sorted(good, key=lambda place: not good[place])
            or [place for place in noted if place != asked])


def _some_values(matrix):
    """The first stored values; none of a Dask array, which is not computed for this."""
    if matrix is None or is_dask(matrix):
        return np.empty(0)
    if sp.issparse(matrix):
        return matrix.data[:PEEK]
    stored = getattr(matrix, "group", matrix)
    if hasattr(stored, "shape"):
        return np.asarray(stored[:max(1, PEEK // stored.shape[1])])
    return np.asarray(stored["data"][:PEEK])


def advice(source):
    """What to do where X holds no counts, as the rest of a sentence."""
    places = other_matrices(source)
    return f"give {' or '.join(places)} to use what lies there" if places else BACK


def declared(adata):
    """What the loader noted of an AnnData (``uns["genept_data"]``), as a dict of its own."""
    own = adata.uns.get("genept_data", {})
    own = dict(own) if hasattr(own, "keys") else {}
    if own.get("values") not in ("raw", "log"):
        own.pop("values", None)
    return own


def declared_scale(adata):
    """What the metadata of an AnnData declare, as arguments of
    :func:`genept_utils.cells.infer_scale`: (declared, sure)."""
    own, logged = declared(adata), "log1p" in adata.uns
    if own.get("sure"):
        return own.get("values"), True
    if own.get("values") == "raw" and logged:
        return None, False  # one of the two was left behind
    return own.get("values") or ("log" if logged else None), False


def in_memory(X):
    """Whether X is a numpy array or a scipy matrix: no Dask array, nothing in an open file."""
    return sp.issparse(X) or isinstance(X, np.ndarray)


def is_dask(X):
    return hasattr(X, "dask") and hasattr(X, "map_blocks")


def each(X, function, kept=None):
    """``function`` of every block of rows: for a Dask array computed by its scheduler."""
    if not is_dask(X):
        return [function(block) for block in blocks(X, kept)]
    import dask

    def checked(block):
        untrusted.compressed(block)
        return function(block)

    return dask.compute(*map(dask.delayed(checked), X.rechunk({1: -1}).to_delayed().ravel()))


def blocks(X, kept=None, rows=None):
    """The rows of a matrix in blocks, with the columns ``kept``: all at once of what is in memory,
    unless ``rows`` are given, CSR blocks of what lies in an open file, and those of a Dask array.

    A matrix that lies in columns is read whole, for a row of it is spread over all of it.
    """
    if is_dask(X):
        return (X.blocks[number].compute() for number in range(X.numblocks[0]))
    if not in_memory(X) and getattr(X, "format", "csr") == "csc":
        X = read_whole(X)
    if in_memory(X) and rows is None:
        return [X if kept is None else X[:, kept]]
    step, n = rows or BLOCK, X.shape[0]
    parts = (read_rows(X, start, min(start + step, n)) for start in range(0, n, step))
    return parts if kept is None else (part[:, kept] for part in parts)


def read_whole(X):
    """A matrix in an open file as float32 CSR."""
    if not hasattr(X, "to_memory"):
        return read_rows(X, 0, X.shape[0]).astype(np.float32)
    X = X.to_memory()  # whole, for rows of columns are slow
    untrusted.compressed(X)
    return sp.csr_matrix(X, dtype=np.float32)


def read_rows(X, start, end, at_once=1000):
    """Rows of a matrix in an open file as CSR; of a dense one a stretch at a time, for it takes
    20 times the memory."""
    kind = np.float32 if X.dtype == np.float16 else X.dtype.newbyteorder("=")
    if hasattr(X, "format"):
        block = X[start:end]
        untrusted.compressed(block)
        return block
    # scipy's matrices know no half precision, and no other order of bytes
    parts = [sp.csr_matrix(np.asarray(X[a:min(a + at_once, end)], dtype=kind))
             for a in range(start, end, at_once)]
    return sp.vstack(parts, format="csr")
