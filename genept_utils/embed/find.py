"""Which vector belongs to a name, and which genes are near: to a gene, and to a list of genes,
held against random lists of that size."""

import numpy as np
import pandas as pd

from genept_utils import genes
from genept_utils.embed.vectors import checked, keys_of, unit

LEVEL = 0.95  # of random lists that have no gene as near as the limit


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


def centred(vectors, pool=None):
    """Unit vectors (n, d) minus the mean of those of a ``pool`` (m, d), by default their own, at
    unit length again; rows of zeros stay zero.

    Texts share most of their words, so all vectors point one way, and a gene that points that way
    most is near every list. The mean is taken away for that reason.
    """
    vectors = unit(vectors)
    return unit(np.where(vectors.any(axis=1, keepdims=True), vectors - middle(
        vectors if pool is None else unit(pool)), 0))


def middle(vectors):
    """(d,) mean of the unit vectors (n, d) that are not zero."""
    return vectors.sum(axis=0) / max(vectors.any(axis=1).sum(), 1)


def spread(vectors):
    """(n,) root mean square cosine of each gene with all of them, of what :func:`centred` gives.

    Members of large families (olfactory receptors, microRNAs) have large cosines, to each other
    and to the mean of any list that holds one of them; a cosine is measured by it.
    """
    moments = vectors.T @ vectors / len(vectors)
    return np.sqrt(np.maximum(np.einsum("ij,ij->i", vectors @ moments, vectors), 1e-12))


def nearest_to_list(embedding, names, k=10, among=None, lists=1000, level=LEVEL, seed=0):
    """Genes near a list of genes, and whether they are nearer than genes are to random lists.

    Vectors are centred (:func:`centred`) among the genes to choose from. The score of a gene is
    its cosine with the mean of the list's vectors, divided by the gene's :func:`spread`. Every
    random list of that size has a gene with the largest score; the limit is the quantile ``level``
    of those. A gene above it stands out from all genes at once: of ten thousands of genes none
    does so for ``level`` of the random lists.

    Parameters
    ----------
    embedding : anndata.AnnData
        (n_genes, d).
    names : sequence of str
        (n,) keys of the embedding, each counted once; they are left out of what is found.
    k : int
        How many genes at most.
    among : sequence of str, optional
        Keys to choose from, and to draw random lists from; by default all.
    lists : int
        How many random lists.
    level : float
        Share of random lists without a gene above the limit.
    seed : int
        Of the random lists.

    Returns
    -------
    pandas.DataFrame
        (k, 3) indexed by gene, largest score first: ``cosine``, ``score`` and ``above`` (bool).
        ``.attrs``: ``limit``, ``lists``, ``level`` and ``size``.

    Raises
    ------
    KeyError
        A name is no key of the embedding.
    ValueError
        The embedding has no X, bad numbers or a key twice; there are no names, or no others.
    """
    names = list(dict.fromkeys(names))
    embedding = with_keys(embedding, names)
    keys = embedding.obs_names if among is None else pd.Index(dict.fromkeys(among))
    own = keys.isin(names)
    if not names or own.all():
        raise ValueError("a list needs a name, and more genes to choose from than it has")
    pool = embedding[keys].X
    vectors, listed = centred(pool), centred(embedding[names].X, pool)
    cosines = vectors @ unit(listed.mean(axis=0, keepdims=True))[0]
    sizes = spread(vectors)
    score = np.where(own, -np.inf, cosines / sizes)
    best = np.argsort(-score, kind="stable")[:min(k, int((~own).sum()))]
    limit = float(np.quantile(largest_scores(vectors, sizes, len(names), lists, seed), level))
    found = pd.DataFrame({"cosine": cosines[best], "score": score[best],
                          "above": score[best] > limit}, pd.Index(keys[best], name="gene"))
    found.attrs |= {"limit": limit, "lists": lists, "level": level, "size": len(names)}
    return found


def largest_scores(vectors, sizes, size, lists=1000, seed=0):
    """(lists,) largest score of any other gene with each of some random lists of ``size`` genes.

    ``vectors`` (n, d) and ``sizes`` (n,) as :func:`centred` and :func:`spread` give them, of the
    genes that lists are drawn from.
    """
    rng, largest = np.random.default_rng(seed), np.empty(lists)
    size = min(size, len(vectors) - 1)
    for start in range(0, lists, 100):
        drawn = np.array([rng.choice(len(vectors), size, replace=False, shuffle=False)
                          for _ in range(start, min(start + 100, lists))])
        means = np.array([vectors[rows].mean(axis=0) for rows in drawn])
        scores = unit(means) @ vectors.T / sizes
        np.put_along_axis(scores, drawn, -np.inf, axis=1)
        largest[start:start + len(drawn)] = scores.max(axis=1)
    return largest
