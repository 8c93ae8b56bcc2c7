"""Pairs that were not reported, and cuts of pairs that share no gene."""

import numpy as np
import pandas as pd


def degree(pairs, n_genes):
    """How often each gene occurs in the pairs: (n_genes,) int."""
    return np.bincount(np.asarray(pairs).ravel(), minlength=n_genes)


def random_negatives(pairs, n_genes=None, seed=0):
    """As many pairs as given, drawn uniformly from the genes that occur, none of them reported.

    As published: "drawn at random from tested proteins not reported as pairs".
    """
    pool = np.unique(pairs)
    draw = np.random.default_rng(seed)
    return _negatives(pairs, lambda n: draw.choice(pool, (n, 2)))


def matched_negatives(pairs, seed=0):
    """As many pairs as given in which each gene occurs about as often as among the given ones.

    Ends of the reported pairs are shuffled (configuration model); reported pairs, self-pairs and
    repeats are drawn again. A classifier cannot then win by knowing which genes are well studied.
    """
    ends = np.asarray(pairs).ravel()
    draw = np.random.default_rng(seed)

    def shuffled(n):
        mixed = draw.permutation(ends)
        return mixed.reshape(-1, 2) if n == len(ends) // 2 else draw.choice(ends, (n, 2))

    return _negatives(pairs, shuffled)


def _negatives(pairs, draw):
    pairs = np.sort(np.asarray(pairs), axis=1)
    width = int(pairs.max()) + 1
    taken = np.unique(pairs[:, 0] * width + pairs[:, 1])
    kept = np.empty(0, dtype=np.int64)
    for _ in range(200):
        missing = len(pairs) - len(kept)
        if not missing:
            return np.column_stack([kept // width, kept % width])
        drawn = np.sort(draw(missing).astype(np.int64), axis=1)
        drawn = drawn[drawn[:, 0] != drawn[:, 1]]
        code = pd.unique(drawn[:, 0] * width + drawn[:, 1])
        code = code[~np.isin(code, taken)]
        kept = np.concatenate([kept, code[~np.isin(code, kept)]])
    raise ValueError("the pairs are so dense that not enough unreported pairs exist")


def labelled(positive, negative):
    """Reported and unreported pairs as one array (n, 2), and their labels 1 and 0."""
    return np.vstack([positive, negative]), np.repeat([1, 0], [len(positive), len(negative)])


def node_disjoint(pairs, test_share=0.3, seed=0, groups=None):
    """Pairs cut so that no gene (with ``groups``: no family) stands on both sides.

    ``test_share`` of the genes or families is put aside; pairs with one gene on each side are
    dropped.

    Parameters
    ----------
    pairs : numpy.ndarray
        (n, 2) gene numbers.
    groups : array-like, optional
        (n_genes,) family of each gene number.

    Returns
    -------
    tuple of numpy.ndarray
        Boolean (n,) masks of training and of test pairs.
    """
    pairs = np.asarray(pairs)
    if groups is not None:  # numbers, since comparing names takes minutes
        pairs = np.unique(np.asarray(groups).astype(str), return_inverse=True)[1][pairs]
    pool = np.unique(pairs)
    aside = np.random.default_rng(seed).permutation(pool)[:round(test_share * len(pool))]
    inside = np.isin(pairs, aside)
    return ~inside.any(axis=1), inside.all(axis=1)


def strata(values, bins=20):
    """Number (n,) of the quantile bin of each value; equal values share a bin."""
    return pd.qcut(np.asarray(values), bins, labels=False, duplicates="drop")
