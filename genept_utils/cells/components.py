"""Principal components of cells that are passed a block at a time.

Musco & Musco 2015, "Randomized block Krylov methods for stronger and faster approximate singular
value decomposition". The matrix of genes x genes is multiplied and never formed, so that memory
grows with the genes and the size of a block, and not with the cells.
"""

import numpy as np
import scipy.sparse as sp

from genept_utils.cells.kernel import weighted_sum
from genept_utils.cells.normalise import scale_and_log

CLIP = 10  # standard deviations, as in scanpy's scale(max_value=10)
HELD = 50_000_000  # stored values up to which the scaled cells stay in memory (8 bytes each)


def plain(block):
    """A block as float32 CSR of its own: each value once, no zeros, sorted."""
    made = sp.csr_matrix(block, dtype=np.float32, copy=True)
    made.sum_duplicates()
    made.eliminate_zeros()
    return made


def moments(blocks, kind):
    """Mean, standard deviation (0 for a constant gene) and number of cells of each gene."""
    total, squares, occurs, n = 0, 0, 0, 0
    for X in blocks:
        if kind == "raw":
            scale_and_log(X)
        total = total + np.bincount(X.indices, X.data, X.shape[1])
        squares = squares + np.bincount(X.indices, np.square(X.data, dtype=float), X.shape[1])
        occurs = occurs + np.bincount(X.indices, minlength=X.shape[1])
        n += X.shape[0]
    mean = total / n
    variance = (squares - n * mean ** 2) / max(n - 1, 1)
    variance[variance < 1e-9 * squares / n] = 0  # what rounding leaves of a constant gene
    return mean, np.sqrt(variance), occurs


class Scaled:
    """Cells with each gene scaled and cut, as a sparse matrix and what zeros became.

    A zero of a gene is the same number everywhere, which centring takes away again; so only the
    other values are kept, less that number. Genes that are not used keep their columns, with
    zeros: that costs less than to take columns out of every block.
    """

    def __init__(self, blocks, kind, used, mean, deviation):
        self.blocks, self.kind, self.used = blocks, kind, used
        self.mean = np.where(used, mean, 0).astype(np.float32)
        self.factor = np.divide(1, deviation, out=np.zeros(len(used)), where=used).astype(
            np.float32)
        self.zero = np.maximum(-self.mean * self.factor, -CLIP)
        self.held, size = [], 0
        for block in self._made():
            size += block.nnz
            if size > HELD:
                self.held = None
                break
            self.held.append(block)

    def _made(self):
        for X in self.blocks():
            if self.kind == "raw":
                scale_and_log(X)
            X.data -= self.mean[X.indices]
            X.data *= self.factor[X.indices]
            np.clip(X.data, -CLIP, CLIP, out=X.data)
            X.data -= self.zero[X.indices]
            yield X

    def gram(self, Q):
        """The centred cells' transpose times themselves times Q (genes that are used, k), in one
        pass."""
        wide = np.zeros((len(self.used), Q.shape[1]), dtype=np.float32)
        wide[self.used] = Q
        made, total, n = np.zeros_like(wide), np.zeros(len(wide)), 0
        for X in self._made() if self.held is None else self.held:
            made += X.T @ weighted_sum(X, wide)
            total += np.bincount(X.indices, X.data, X.shape[1])
            n += X.shape[0]
        total = total[self.used]
        return made[self.used] - np.outer(total, total @ Q) / n

    def leading(self, n, passes, seed=0):
        """:func:`leading` of the genes x genes; by way of cells x cells, exactly, where these are
        few."""
        size, cells = int(self.used.sum()), sum(X.shape[0] for X in self.held or [])
        if not cells or cells > n * passes:
            return leading(self.gram, size, n, passes, seed)
        mean = sum(np.bincount(X.indices, X.data, X.shape[1]) for X in self.held) / cells
        mean = mean.astype(np.float32)
        ends = np.cumsum([X.shape[0] for X in self.held])[:-1]

        def back(Q):
            parts = (X.T @ part for X, part in zip(self.held, np.split(Q, ends)))
            return sum(parts) - np.outer(mean, Q.sum(axis=0))

        def kernel(Q):
            Y = back(Q)
            return np.vstack([weighted_sum(X, Y) for X in self.held]) - mean @ Y

        values, turned = leading(kernel, cells, n, passes, seed)
        axes = back(turned)[self.used]
        return values, _signed(axes / np.maximum(np.linalg.norm(axes, axis=0), 1e-12))


def leading(gram, size, n, passes, seed=0):
    """The leading eigenvalues and eigenvectors of a symmetric matrix that is only multiplied.

    Block Krylov iteration with full orthogonalisation (Musco & Musco 2015).

    Parameters
    ----------
    gram : callable
        (size, k) -> the matrix times it.
    size, n : int
        Rows of the matrix, and eigenvectors that are wanted.
    passes : int
        Calls of ``gram``, each with ``n`` vectors.
    seed : int
        Seed of the first block.

    Returns
    -------
    values : numpy.ndarray
        (n,) largest first.
    axes : numpy.ndarray
        (size, n); of each the largest number is positive.
    """
    width = min(n, size)
    room = min(size, max(width * passes, n))
    basis, small, end = np.zeros((size, room), np.float32), np.zeros((room, room)), 0
    block = np.random.default_rng(seed).standard_normal((size, width)).astype(np.float32)
    while end < room:
        block = block[:, :room - end]
        for _ in range(2):  # once leaves what rounding adds
            block = block - basis[:, :end] @ (basis[:, :end].T @ block)
            block, _ = np.linalg.qr(block)
        start, end = end, end + block.shape[1]
        basis[:, start:end] = block
        product = np.asarray(gram(block), dtype=np.float32)
        small[:end, start:end] = basis[:, :end].T @ product
        small[start:end, :end] = small[:end, start:end].T
        block = product
    values, turned = np.linalg.eigh(small)
    return values[::-1][:n], _signed(basis @ turned[:, ::-1][:, :n].astype(np.float32))


def _signed(axes):
    """Columns turned so that of each the largest number is positive."""
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return axes * np.where(largest < 0, -1, 1)
