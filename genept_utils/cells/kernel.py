"""The weighted sum of gene vectors: one sparse product, and what it costs.

scipy's product runs on one thread and fetches the gene vectors from memory anew for every cell.
:mod:`genept_utils.cells.simd` keeps them in the processor's cache, on all threads. Its first
use in a process costs about as much as scipy needs for :data:`LOADING` multiply-adds, so small
sets go through scipy until they add up to that.
"""

import concurrent.futures
import os
import warnings

import numpy as np
import scipy.sparse as sp

SMALL = 10_000_000  # multiply-adds below which threads and buffers cost more than they save
LOADING = 2_000_000_000  # multiply-adds that scipy does while the compiled part is loaded
_spent = 0  # multiply-adds that went through scipy in this process


def weighted_sum(X, vectors, threads=None):
    """Expression-weighted sums of gene vectors.

    Rows scaled to unit length are the weighted means scaled to unit length, for a cell's total
    weight is a positive number.

    Parameters
    ----------
    X : scipy.sparse matrix or array, or numpy.ndarray
        (n_cells, n_genes) weights.
    vectors : numpy.ndarray
        (n_genes, d).
    threads : int, optional
        By default :func:`n_threads`. The result does not depend on it.

    Returns
    -------
    numpy.ndarray
        (n_cells, d) float32, summed in float32.

    Raises
    ------
    ValueError
        NaN or infinite values in ``X`` or ``vectors``, or shapes that do not fit.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or X.shape[1] != vectors.shape[0]:
        raise ValueError(f"the weights are {X.shape} and the vectors {vectors.shape}; the first "
                         "needs as many columns as the second has rows")
    if not sp.issparse(X):
        X = np.asarray(X, dtype=np.float32)
        _require_finite(X, vectors)
        return X @ vectors
    X = sp.csr_matrix(X, dtype=np.float32)
    _require_finite(X.data, vectors)
    simd = _compiled(X.nnz * vectors.shape[1])
    if simd is None:
        return np.asarray(X @ vectors, dtype=np.float32)
    return _tiled(simd, X, vectors, threads or n_threads())


def n_threads():
    """Threads of the kernel: ``NUMBA_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the cores
    that this process may use."""
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(name, "").isdecimal() and int(os.environ[name]):
            return int(os.environ[name])
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system tells
        return os.cpu_count() or 1


def _require_finite(*arrays):
    for array in arrays:
        with np.errstate(over="ignore", invalid="ignore"):
            total = array.sum()  # a quarter of the time of isfinite; one bad value spoils it
        if not np.isfinite(total) and not np.isfinite(array).all():
            raise ValueError("the weights or the gene vectors hold NaN or infinite values; remove "
                             "those cells or genes, or set the values to 0")


def _compiled(work):
    """The compiled part, or None where it would cost more than it saves."""
    global _spent
    if work < SMALL or _spent + work < LOADING:
        _spent += work
        return None
    _spent = LOADING  # loaded: from now on only the size of the set counts
    try:
        from genept_utils.cells import simd
    except ImportError as error:
        warnings.warn(f"numba cannot be used ({error}); the weighted sum runs through scipy, about "
                      "ten times as slowly", stacklevel=4)
        return None
    return simd


def _tiled(simd, X, vectors, threads):
    """All tiles of the columns; where they do not share out evenly, rows are cut as well."""
    if not X.has_sorted_indices:
        X = X.sorted_indices()
    n, d = X.shape[0], vectors.shape[1]
    shape = (0,) * simd.registers(d)
    width = len(shape) * simd.LANES
    count = -(-d // width)
    blocks = -(-X.shape[1] * 4 * width // simd.BUFFER)
    genes = -(-X.shape[1] // max(blocks, 1))
    indptr = X.indptr.astype(np.int64)
    borders = np.empty((-(-X.shape[1] // genes) + 1, n), dtype=np.int64)
    borders[-1] = indptr[1:]
    out = np.empty((n, count * width), dtype=np.float32)
    parts = 1 if count % threads == 0 else threads
    edges = np.linspace(0, n, parts + 1).astype(int)
    split = np.linspace(0, n, threads + 1).astype(int)

    def find(a, b):
        simd.borders(indptr[a:b + 1], X.indices, genes, borders[:-1, a:b])

    def add(tile, a, b):
        simd.tile(X.data, X.indices, borders, vectors, out, tile, (a, b), genes, shape)

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        run = pool.map if threads > 1 else map  # a second thread begins with cold caches
        list(run(find, split[:-1], split[1:]))
        jobs = [(tile, a, b) for tile in range(count) for a, b in zip(edges[:-1], edges[1:])]
        list(run(add, *zip(*jobs)))
    return out if out.shape[1] == d else np.ascontiguousarray(out[:, :d])
