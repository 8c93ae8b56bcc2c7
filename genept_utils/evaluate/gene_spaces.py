"""Several sets of gene vectors on the same genes, and cells written with each of them."""

import weakref

import numpy as np
import pandas as pd

from genept_utils import cells, embed
from genept_utils.embed.vectors import by_symbol
from genept_utils.embed.vectors import as_embedding, checked

WAYS = ("plain", "centred", "whitened")
_WHITENED = {}  # mean and matrix of vectors, by their id, for as long as these vectors live


def on_shared_genes(embeddings):
    """Several embeddings cut to the genes that all of them have, in one order.

    Parameters
    ----------
    embeddings : dict of str to anndata.AnnData
        Gene vectors by method, as :func:`genept_utils.embed.read_embedding` gives them. Genes go
        by their approved symbol; of two vectors of a gene the first is taken.

    Returns
    -------
    dict of str to anndata.AnnData
        The same methods, each (n_shared, d) and indexed by symbol.

    Raises
    ------
    ValueError
        No gene has a vector in all of them; the message says how many each has.
    """
    shared, rows = _shared(embeddings)
    return {method: as_embedding(embedding.X[rows[method]],
                                 pd.DataFrame(index=shared.rename("symbol")), **_about(embedding))
            for method, embedding in embeddings.items()}


def side_by_side(*embeddings):
    """One embedding of several: each scaled to unit length, one behind the other.

    Raises
    ------
    ValueError
        They are not of the same genes in the same order (:func:`on_shared_genes` makes them so).
    """
    names = embeddings[0].obs_names
    if not all(names.equals(other.obs_names) for other in embeddings[1:]):
        raise ValueError("the embeddings are of different genes, or have them in another order; "
                         "on_shared_genes aligns them")
    about = pd.DataFrame([_about(embedding) for embedding in embeddings])
    return as_embedding(np.hstack([embed.unit(embedding.X) for embedding in embeddings]),
                        pd.DataFrame(index=names), **about.agg(" + ".join).to_dict())


def relabelled(embedding, seed=0):
    """The vectors of an embedding under the names of other genes: a permuted map that shares the
    memory of the original."""
    names = np.random.default_rng(seed).permutation(checked(embedding).obs_names.to_numpy())
    return type(embedding)(embedding.X, obs=pd.DataFrame(index=names))


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
        self._controls = {name: given for name, given in embeddings.items() if callable(given)}
        first = {name: given(seed) if callable(given) else given
                 for name, given in embeddings.items()}
        shared, rows = _shared(first)
        kept = shared.isin(pool)
        self.genes = shared[kept].to_numpy(object)
        ends = np.cumsum([0] + [embedding.n_vars for embedding in first.values()])
        self._cut = {name: slice(*pair) for name, pair in zip(first, zip(ends[:-1], ends[1:]))}
        self._places = {name: (first[name].X, own[kept]) for name, own in rows.items()}

    def draw(self, number):
        """Draw the controls anew."""
        for name, control in self._controls.items():
            embedding = control(number)
            rows = by_symbol(embedding).reindex(self.genes, fill_value=-1).to_numpy()
            if (rows < 0).any():
                raise ValueError(f"{name}: {(rows < 0).sum():,} of {len(rows):,} genes that it had "
                                 "at first have no vector in a later draw")
            self._places[name] = embedding.X, rows

    def sums(self, X, symbols):
        """Sums of gene vectors weighted by expression, of those genes that all methods have.

        Parameters
        ----------
        X : scipy.sparse.csr_matrix
            (n_cells, n_genes) expression.
        symbols : sequence of str
            (n_genes,).

        Returns
        -------
        numpy.ndarray
            (n_cells, all d + 1) float32: the sums of all methods side by side, and the sum of
            the weights. Sums of two panels add up to those of both.
        """
        rows = pd.Index(self.genes).get_indexer(symbols)
        if (rows < 0).any():
            X, rows = X[:, np.flatnonzero(rows >= 0)], rows[rows >= 0]
        total = np.asarray(X.sum(axis=1), dtype=np.float32).reshape(-1, 1)
        return np.hstack([*(cells.weighted_sum(X, vectors[own[rows]])
                            for vectors, own in self._places.values()), total])

    def write(self, sums, method, how="plain"):
        """Cells by one method, from :meth:`sums`: GenePT-w of prepared gene vectors, standardised.

        A sum of centred vectors is the sum of the vectors less the sum of the weights times their
        mean; whitening is a product with a matrix, which may as well come after the sum. Mean and
        matrix are those of all genes that the method has.
        """
        if how not in WAYS:
            raise ValueError(f"how={how!r} is not one of {', '.join(WAYS)}")
        made = sums[:, self._cut[method]]
        if how != "plain":
            mean, root = _whitening(self._places[method][0])
            made = made - sums[:, -1:] * mean
        if how == "whitened":
            made = made @ root
        return standardise(embed.unit(made))


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
    return (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-6)


def shared_symbols(embeddings):
    """Symbols (n,), sorted, of the genes that all of some embeddings have; ValueError for none."""
    return _shared(embeddings)[0].to_numpy(object)


def _shared(embeddings):
    """These symbols as an Index, and their rows (n,) in each embedding."""
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


def _about(embedding):
    own = embedding.uns.get("genept", {})
    return {name: str(own.get(name, "unknown")) for name in ("model", "text")}
