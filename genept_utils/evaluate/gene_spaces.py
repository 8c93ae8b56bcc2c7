"""Several sets of gene vectors on the same genes, and cells written with each of them."""

import weakref

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import cells, embed
from genept_utils.embed.vectors import by_symbol, checked

WAYS = ("plain", "centred", "whitened")
COLUMNS = 192  # of the vectors that are summed at a time: fastest, and no copy of all of them
_WHITENED = {}  # mean and matrix of vectors, by their id, for as long as these vectors live


class GeneSpaces:
    """Gene vectors of several methods on the genes that all of them have, and cells written with
    each of them. The vectors stay where they are: only row numbers are kept.

    Parameters
    ----------
    embeddings : dict of str to anndata.AnnData or callable
        As in :func:`genept_utils.evaluate.across_panels`.
    pool : sequence of str
        Symbols of the measured genes.
    seed : int
        What callables are given at first.

    Raises
    ------
    ValueError
        No gene has a vector in all of the embeddings.
    """

    def __init__(self, embeddings, pool, seed=0):
        self.methods = list(embeddings)
        self.controls = {name: given for name, given in embeddings.items() if callable(given)}
        first = {name: given(seed) if callable(given) else given
                 for name, given in embeddings.items()}
        shared, rows = shared_rows(first)
        kept = shared.isin(pool)
        self.genes = shared[kept].to_numpy(object)
        self._places = {name: (first[name].X, own[kept]) for name, own in rows.items()}

    def draw(self, method, number):
        """Draw a control anew."""
        embedding = self.controls[method](number)
        rows = by_symbol(embedding).reindex(self.genes, fill_value=-1).to_numpy()
        if (rows < 0).any():
            raise ValueError(f"{method}: {(rows < 0).sum():,} of {len(rows):,} genes that it had "
                             "at first have no vector in a later draw")
        self._places[method] = embedding.X, rows

    def sums(self, X, method):
        """Sums of a method's gene vectors weighted by expression.

        Parameters
        ----------
        X : scipy.sparse.csr_matrix
            (n_cells, n_genes) expression of :attr:`genes`, in their order.

        Returns
        -------
        numpy.ndarray
            (n_cells, d + 1) float32: the sums, and the sum of the weights. Sums of two panels
            add up to those of both.
        """
        vectors, rows = self._places[method]
        made = np.empty((X.shape[0], vectors.shape[1] + 1), np.float32)
        for start in range(0, vectors.shape[1], COLUMNS):
            part = slice(start, min(start + COLUMNS, vectors.shape[1]))
            made[:, part] = cells.weighted_sum(X, vectors[rows, part])
        made[:, -1] = np.asarray(X.sum(axis=1)).ravel()
        return made

    def write(self, sums, method, how="plain"):
        """Cells by one method, from :meth:`sums`: GenePT-w of prepared gene vectors, standardised.

        A sum of centred vectors is the sum of the vectors less the sum of the weights times their
        mean; whitening is a product with a matrix, which may as well come after the sum. Mean and
        matrix are those of all genes that the method has.
        """
        if how not in WAYS:
            raise ValueError(f"how={how!r} is not one of {', '.join(WAYS)}")
        made = sums[:, :-1]
        if how != "plain":
            mean, root = _whitening(self._places[method][0])
            made = made - sums[:, -1:] * mean
        if how == "whitened":
            made = made @ root
        return standardise(embed.unit(made))


def placed(X, places, width):
    """Cells (CSR, genes in order) with each gene at another place; the genes whose place is
    negative are left out."""
    X = sp.csr_matrix(X)
    found = places.astype(np.int32)[X.indices]
    kept = found >= 0
    total = np.cumsum(kept, dtype=np.int32)
    ends = np.where(X.indptr > 0, total[X.indptr - 1], 0) if len(total) else X.indptr
    made = sp.csr_matrix((X.data[kept], found[kept], ends), shape=(X.shape[0], width))
    made.has_sorted_indices = X.has_sorted_indices and (np.diff(places[places >= 0]) > 0).all()
    made.sort_indices()
    return made


def _whitening(X):
    """Mean and matrix, made once: a permuted map shares the vectors of the original, and sets
    share their methods."""
    if id(X) not in _WHITENED:
        mean, root = cells.whitening(X)
        _WHITENED[id(X)] = mean, root.astype(np.float32)
        weakref.finalize(X, _WHITENED.pop, id(X))
    return _WHITENED[id(X)]


def standardise(X):
    """Each column brought to mean 0 and standard deviation 1; a constant column becomes 0."""
    X = np.asarray(X, dtype=np.float32)
    X = X - X.mean(axis=0)
    X /= np.maximum(np.sqrt(np.einsum("ij,ij->j", X, X) / len(X)), 1e-6)
    return X


def shared_rows(embeddings):
    """Symbols (n,), sorted, of the genes that all of some embeddings have, and their rows (n,) in
    each; ValueError for none."""
    known = {method: by_symbol(checked(embedding)) for method, embedding in embeddings.items()}
    shared = next(iter(known.values())).index if known else pd.Index([])
    for own in known.values():
        if not shared.equals(own.index):  # most are the same
            shared = shared.intersection(own.index)
    if not len(shared):
        raise ValueError("no gene has a vector in all of the embeddings: " + ", ".join(
            f"{method} has {len(own):,}" for method, own in known.items()))
    shared = shared.sort_values()
    return shared, {method: own.loc[shared].to_numpy() for method, own in known.items()}
