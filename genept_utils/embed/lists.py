"""Which genes are near a list of genes, and how near genes are to random lists of that size."""

import numpy as np
import pandas as pd

from genept_utils.embed.find import with_keys
from genept_utils.embed.vectors import unit

LEVEL = 0.95  # of random lists that have no gene as near as the limit


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
