"""Files of cells as AnnData, whatever wrote them: one reader, chosen by what the file holds.

Only what is asked for is read: one matrix (``X``, a layer or ``raw``), the annotations of cells
and genes, and the named entries of ``obsm``.
"""

import contextlib
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import compression, untrusted
from genept_utils.datasets.matrix import other_matrices, read_whole, stored_matrix


def read_h5ad(path, layer=None, raw=False, obsm=()):
    """An ``.h5ad`` file with one of its matrices as float32 CSR ``.X``.

    A dense matrix is never held whole: 13,576 x 14,053 float32 numbers take 763 MB. A matrix
    that lies in columns is read once and turned, so that time grows with its values.

    Parameters
    ----------
    path : path
        The file.
    layer : str, optional
        Read this layer instead of ``X``.
    raw : bool
        Read the matrix and the genes of ``raw`` instead.
    obsm : sequence of str
        Keys of ``obsm`` to keep.

    Returns
    -------
    anndata.AnnData
        ``uns["genept_data"]["elsewhere"]`` lists where else counts may lie, as arguments.

    Raises
    ------
    KeyError
        There is no such layer, no raw, or no such key; the message names what there is.
    ValueError
        There is no ``X``, the file is broken, or a part of it lies in another file.
    """
    path = Path(path)
    with readable(path), untrusted.hdf5(path) as file:
        return read_group(file, path.name, layer, raw, obsm)


def read_group(group, name, layer=None, raw=False, obsm=()):
    """What :func:`read_h5ad` returns, from an open group of HDF5 or zarr."""
    matrix, genes = stored(group, name, layer, raw)
    X = read_whole(matrix)
    X.sum_duplicates()
    X.eliminate_zeros()
    return ad.AnnData(X, obs=read_frame(group["obs"]), var=genes.var, uns=genes.uns,
                      obsm={key: _vectors(group, key, name) for key in obsm})


def stored(group, name, layer=None, raw=False, values=None):
    """The stored matrix that holds the values, and an AnnData of its genes alone, with what the
    file (or its reader, by ``values``) declares of the values."""
    matrix = matrix_of(group, name, layer, raw)
    genes = ad.AnnData(var=read_frame(group["raw/var" if raw else "var"]))
    if "uns" in group and "log1p" in group["uns"] and not layer:
        genes.uns["log1p"] = {}
    genes.uns["genept_data"] = {"elsewhere": other_matrices(group, layer, raw)} | (
        {"values": values, "sure": True} if values else {})
    return matrix, genes


def matrix_of(group, name, layer=None, raw=False):
    """The stored matrix that holds the values, as something that gives rows."""
    matrix = stored_matrix(group, name, layer, raw)
    obs, var = group["obs"], group["raw/var" if raw else "var"]
    if not (hasattr(obs, "keys") and hasattr(var, "keys")):
        raise ValueError(f"{name} was written before anndata 0.7; write it anew: "
                         f"anndata.read_h5ad({name!r}).write_h5ad({name!r})")
    matrix = matrix if hasattr(matrix, "shape") else ad.io.sparse_dataset(matrix)
    check_declared(obs, var, matrix, name)
    untrusted.compressed(matrix)
    return matrix


def anndata_in(group, name, table=None):
    """The group with the AnnData: the one given, the modality of a MuData file (``mod``) or the
    table of a SpatialData store (``tables``) that is asked for, or the only one there is.

    Raises
    ------
    ValueError
        There are several, and none of them is asked for; the message names them.
    """
    place = next((place for place in ("mod", "tables", "table") if place in group and
                  hasattr(group[place], "keys") and (place == "mod" or "obs" not in group)), None)
    if place:
        return group[place][one_of(sorted(group[place]), table, name)]
    return group if table is None else one_of([], table, name)  # which raises


def one_of(tables, table, name):
    """The table that is asked for, or the only one."""
    if table is None and len(tables) == 1:
        return tables[0]
    if table not in tables:
        some = " or ".join(f"table={found!r}" for found in tables)
        raise ValueError(f"{name} holds " + (
            f"{len(tables)} tables; give {some}, or {name}/{tables[0]}" if tables else
            f"no table{f' called {table!r}' if table else ' of cells'}"))
    return table


def _vectors(group, key, name):
    stored = group.get("obsm", {})
    if key not in stored:
        raise KeyError(f"{name} has no {key!r} in obsm; there "
                       + (f"are {', '.join(stored)}" if len(stored) else "is nothing"))
    found = ad.io.read_elem(stored[key])
    untrusted.compressed(found)
    try:
        found = np.asarray(found.toarray() if sp.issparse(found) else found, dtype=np.float32)
    except (TypeError, ValueError):
        raise ValueError(f"{key!r} in obsm of {name} holds something other than numbers") from None
    if found.ndim != 2 or not np.isfinite(found).all():
        raise ValueError(f"{key!r} in obsm of {name} is no table of finite numbers; remove the "
                         "cells without a vector")
    return found


def read_frame(group):
    """A stored table; the marks of its type may be missing, as where another program wrote it."""
    if "encoding-type" in group.attrs:
        return ad.io.read_elem(group)
    columns = {str(key): ad.io.read_elem(part) for key, part in group.items()
               if not str(key).startswith("__")}
    names = columns.pop(_index(group), None)
    found = pd.DataFrame(columns, index=names)
    found.index = found.index.map(lambda name: name.decode() if isinstance(name, bytes) else name)
    return found.set_axis(found.index.astype(str))


def _index(group):
    """The name of the column with the names of a stored table."""
    usual = (group.attrs.get("_index", "_index"), "_index", "index")
    return next((key for key in usual if key in group), None)


def check_declared(obs, var, matrix, name):
    """Check sizes before anything is read: a row a cell, a column a gene, and names of all.

    Raises
    ------
    ValueError
        The matrix has another shape, or a file declares what it does not store.
    """
    rows, columns = (rows_of(table, name) for table in (obs, var))
    if tuple(matrix.shape) != (rows, columns):
        raise ValueError(f"{name}: the matrix is {matrix.shape[0]:,} x {matrix.shape[1]:,}, but "
                         f"there are {rows:,} cells and {columns:,} genes")
    if hasattr(matrix, "format"):
        _check_stored(matrix.group["indptr"], name)
        _check_stored(matrix.group["indices"], name, 50)  # those of full rows are much alike


def rows_of(table, name):
    """Number of rows of a stored table, once its names are known to lie in the file."""
    names = table[_index(table) or next(iter(table))]
    _check_stored(names, name)
    return names.shape[0]


def _check_stored(array, name, alike=1):
    """Names and places of values differ, so that they take up space, however packed."""
    stored = array.id.get_storage_size() if isinstance(array, h5py.Dataset) else (
        array.nbytes_stored())
    if array.size * 4 > alike * compression.LARGEST * stored + compression.SPARE:
        raise ValueError(f"{name} declares {array.size:,} entries of {array.name} and stores "
                         f"{stored:,} bytes of them; it is damaged, so copy or download it again")


@contextlib.contextmanager
def readable(path):
    """Name the file in any error of a library that reads it."""
    try:
        yield
    except (FileNotFoundError, ImportError, MemoryError):
        raise
    except Exception as error:  # a file of others may make a library raise anything
        said = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
        if isinstance(error, (KeyError, ValueError)) and (
                path.name in said or said.startswith(("layer and", "there is"))):
            raise
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise ValueError(f"{path.name} cannot be read ({first}); it is broken or not complete, so "
                         "copy or download it again") from error
