"""Which vector belongs to a name, and which genes are near."""

import numpy as np

from genept_utils import genes
from genept_utils.embed.vectors import checked, keys_of, unit


def align(embedding, names, counts=None, species=None):
    """Which row of an embedding belongs to each name.

    Parameters
    ----------
    embedding : anndata.AnnData
        (n_genes, d), from :func:`read_embedding`.
    names : sequence of str, or anndata.AnnData
        (n,) names in any form that :func:`genept_utils.genes.match` takes.
    counts : array_like, optional
        As in :func:`genept_utils.genes.match`.
    species : str or int, optional
        As in :func:`genept_utils.genes.match`: names of another species lead to the vectors of
        their human orthologs.

    Returns
    -------
    rows : numpy.ndarray
        (n,) int, row of the embedding, -1 where it has none. Two names of one gene share a row.
        A name that is itself a key of the embedding takes that row, otherwise the row of its
        approved symbol. Of another species' names that holds only where the keys are others'
        own, as released: the keys of our embeddings are human.
    matched : genept_utils.genes.Matched
        The names and their match types; ``count_fraction`` is the share of counts on names
        with a row.

    Raises
    ------
    ValueError
        The names are row numbers, the species is not known, or the embedding has no X, bad
        numbers or a key twice.

    Warns
    -----
    UserWarning
        Each of the report's ``notes``.
    """
    find = genes.of_cells if hasattr(names, "var_names") else genes.look_up
    matched = find(names, counts, species, keys=keys_of(checked(embedding)))
    matched.warn()
    return matched.rows, matched


def with_keys(embedding, names):
    """The embedding itself, once it is sound (:func:`~genept_utils.embed.vectors.checked`) and all
    names are keys of it; KeyError otherwise."""
    keys = checked(embedding).obs_names
    unknown = [str(name) for name in names if name not in keys]
    if unknown:
        more = f" and {len(unknown) - 5:,} more" if len(unknown) > 5 else ""
        verb = "is no key" if len(unknown) == 1 else "are no keys"
        raise KeyError(f"{', '.join(unknown[:5])}{more} {verb} of the embedding; "
                       "gp.match(names).symbols holds the approved symbols")
    return embedding


def nearest(embedding, names, k=10, among=None):
    """The genes whose vectors have the highest cosine with those of given genes, one by one.

    Of a list as a whole see :func:`genept_utils.embed.nearest_to_list`.

    Parameters
    ----------
    embedding : anndata.AnnData
        (n_genes, d).
    names : sequence of str, or str
        (n,) keys of the embedding; one may stand alone.
    k : int
        How many, the gene itself left out; fewer where there are no more.
    among : sequence of str, optional
        Keys to choose from; by default all.

    Returns
    -------
    keys : numpy.ndarray
        (n, k) str, nearest first.
    cosines : numpy.ndarray
        float32, of the same shape.

    Raises
    ------
    KeyError
        A name is no key of the embedding.
    ValueError
        The embedding has no X, bad numbers or a key twice.
    """
    names = [names] if isinstance(names, str) else list(names)
    embedding = with_keys(embedding, names)
    pool = embedding if among is None else embedding[list(among)]
    cosines = unit(embedding[names].X) @ unit(pool.X).T
    own = pool.obs_names.get_indexer(names)
    cosines[np.flatnonzero(own >= 0), own[own >= 0]] = -np.inf
    k = min(k, int(np.isfinite(cosines).sum(axis=1).min()))
    best = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
    found = np.take_along_axis(cosines, best, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    return pool.obs_names.to_numpy()[best], np.take_along_axis(found, order, axis=1)
