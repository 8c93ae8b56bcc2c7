"""The same cell vectors from a matrix that is not in memory: Dask arrays and open files.

Cells do not depend on each other once three things are known of the whole matrix: whether it
holds counts or logarithms, what each gene sums to, and (for ``hvg`` and ``whitened``) what the
genes' means are. They are found in a pass over blocks of cells; after that a block is checked,
normalised, multiplied and scaled to unit length by itself.
"""

import functools

import numpy as np
import scipy.sparse as sp

from genept_utils import embed, untrusted
from genept_utils.cells.kernel import weighted_sum
from genept_utils.cells.normalise import scale_and_log
from genept_utils.cells.values import Seen, judged, look

CELLS = 10_000  # of a file that are read at a time


def in_memory(X):
    """Whether X is a numpy array or a scipy matrix: no Dask array, nothing in an open file."""
    return sp.issparse(X) or isinstance(X, np.ndarray)


def is_dask(X):
    return hasattr(X, "dask") and hasattr(X, "map_blocks")


def survey(X, kept=None):
    """One pass over a matrix that is not in memory.

    Parameters
    ----------
    X : dask.array.Array or backed matrix
        (n_cells, n_genes).
    kept : numpy.ndarray, optional
        Of a backed matrix the columns to look at, (n_genes,) bool.

    Returns
    -------
    seen : genept_utils.cells.values.Seen
        What the values are, for :func:`genept_utils.cells.values.judged`.
    totals : numpy.ndarray
        (n_genes,) float64 sums over the cells.
    """
    return functools.reduce(_together, _each(X, _surveyed, kept), (Seen(), 0))


def gene_means(X):
    """Means over the cells, (n_genes,) float64, of a Dask array."""
    return sum(_each(X, gene_totals)) / X.shape[0]


def gene_totals(X):
    """Sums over the cells of a block, (n_genes,) float64."""
    return np.asarray(X.sum(axis=0, dtype=np.float64)).ravel()


def normalised_blocks(X, scale):
    """A Dask array as one of log-normalised CSR blocks; ``scale`` as in :func:`log_block`."""
    return X.map_blocks(log_block, scale, dtype=np.float32,
                        meta=sp.csr_matrix((0, 0), dtype=np.float32))


def vector_blocks(X, vectors, offset=None, columns=None):
    """A Dask array (n_cells, d) of the cell vectors of log-normalised blocks."""
    import dask

    held = dask.delayed(vectors)  # one node of the graph, not a copy in every block's task
    return X.map_blocks(vector_block, held, offset, columns, 1, dtype=np.float32,
                        chunks=(X.chunks[0], (vectors.shape[1],)),
                        meta=np.empty((0, 0), dtype=np.float32))


def log_block(X, scale, seen=None, declared=(None, False), first=None):
    """A block of cells as log-normalised float32 CSR; the block itself stays as it is.

    Parameters
    ----------
    X : array or sparse matrix
        (n, n_genes) values.
    scale : {"raw", "log"}
        What the whole matrix holds.
    seen : Seen, optional
        What was seen of the matrix when ``scale`` was judged. Where that was only a part of it,
        the block must agree.
    declared : tuple
        As :func:`genept_utils.cells.normalise.marks` gives it.
    first : int, optional
        Number of the first cell, for the message.

    Raises
    ------
    ValueError
        The block holds NaN, infinite or negative values, or values by which the whole matrix
        would be judged otherwise.
    """
    if seen is not None:
        here = seen + look(X)
        where = "" if first is None else f"cells {first:,} to {first + X.shape[0]:,}: "
        try:
            found, _ = judged(here, *declared)
        except ValueError as error:
            raise ValueError(f"{where}{error}") from None
        if found != scale:
            named = {"raw": "counts", "log": "logarithms"}
            raise ValueError(f"{where}these values are {named[found]}, but those that were looked "
                             f"at before are {named[scale]}; say which with values=")
    X = sp.csr_matrix(X, dtype=np.float32, copy=True)
    X.eliminate_zeros()
    if scale == "raw":
        scale_and_log(X)
    return X


def vector_block(X, vectors, offset=None, columns=None, threads=None):
    """Cell vectors (n, d) float32 of unit length from log-normalised cells (n, n_genes).

    Parameters
    ----------
    X : scipy.sparse matrix
        (n, n_genes) log-normalised values.
    vectors : numpy.ndarray
        (n_genes, d), or (n_used, d) with ``columns``.
    offset : numpy.ndarray, optional
        (d,) that is taken from every sum: the genes' means times their vectors.
    columns : numpy.ndarray, optional
        (n_genes,) bool: the genes that are used.
    threads : int, optional
        As in :func:`weighted_sum`.
    """
    if columns is not None:  # otherwise rows of zeros cost less than a copy of the matrix
        X = X.tocsr()[:, columns]
    made = weighted_sum(X, vectors, threads)
    if offset is not None:
        made -= offset
    return embed.unit(made, out=made)


def backed_blocks(X, kept=None, rows=CELLS):
    """The rows of a matrix in an open file as (first row, CSR block), with the columns ``kept``.

    A matrix that lies in columns is read whole, for a row of it is spread over all of it.
    """
    if getattr(X, "format", "csr") == "csc":
        whole = X.to_memory()
        untrusted.compressed(whole)
        whole = whole.tocsr()
        yield 0, whole if kept is None else whole[:, kept]
        return
    for start in range(0, X.shape[0], rows):
        block = read_rows(X, start, min(start + rows, X.shape[0]))
        yield start, block if kept is None else block[:, kept]


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


def _each(X, function, kept=None):
    """``function`` of every block of rows: for a Dask array computed by its scheduler."""
    if not is_dask(X):
        return [function(block) for _, block in backed_blocks(X, kept)]
    import dask

    blocks = whole_rows(X).to_delayed().ravel()
    return dask.compute(*[dask.delayed(function)(block) for block in blocks])


def whole_rows(X):
    """A Dask array whose blocks hold all genes of their cells."""
    return X if X.numblocks[1] == 1 else X.rechunk({1: X.shape[1]})


def _surveyed(X):
    untrusted.compressed(X)
    return look(X), gene_totals(X)


def _together(a, b):
    return a[0] + b[0], a[1] + b[1]
