"""Train and test rows: repeated, stratified, by family; and samples that keep every label."""

import numpy as np
import pandas as pd

from genept_utils import genes, renamed


@renamed.parameters(folds="n_splits", repeats="n_repeats", test_share="test_size")
def splits(y, n_splits=5, n_repeats=1, groups=None, seed=0, test_size=None):
    """Train and test rows of repeated stratified splits.

    Parameters
    ----------
    y : array-like
        (n,) labels.
    n_splits, n_repeats : int
        Folds of each repeat, and repeats; each repeat shuffles anew.
    groups : array-like, optional
        (n,) group of each row; a group never stands on both sides of a split.
    test_size : float, optional
        Take ``n_repeats`` random splits with this share of test rows (or of groups) instead of
        folds.

    Returns
    -------
    list of tuple of numpy.ndarray
        (train, test) row numbers, ``n_repeats`` x ``n_splits`` of them (``n_repeats`` with
        ``test_size``).
    """
    from sklearn.model_selection import (GroupShuffleSplit, RepeatedStratifiedKFold,
                                         StratifiedGroupKFold, StratifiedShuffleSplit)

    y, blank = np.asarray(y), np.zeros(len(y))
    if test_size is not None:
        splitter = StratifiedShuffleSplit if groups is None else GroupShuffleSplit
        made = splitter(n_repeats, test_size=test_size, random_state=seed)
        return list(made.split(blank, y, groups))
    if groups is None:
        made = RepeatedStratifiedKFold(n_splits=n_splits, n_repeats=n_repeats, random_state=seed)
        return list(made.split(blank, y))
    return [split for repeat in range(n_repeats)
            for split in StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed + repeat)
            .split(blank, y, groups)]


def families(symbols, kind="symbol"):
    """A family name for each gene, for grouped splits.

    Parameters
    ----------
    symbols : sequence of str
        (n,) approved symbols.
    kind : {"symbol", "gene_group"}
        ``"symbol"``: the letters before the first digit or hyphen, without the last of them where
        there are more than three (ZNF683 -> ZNF, HOXA1 and HOXB2 -> HOX, CTSB -> CTS).
        ``"gene_group"``: the first HGNC gene group, and where HGNC has none the symbol family.

    Returns
    -------
    numpy.ndarray
        (n,) str.
    """
    symbols = pd.Series(list(symbols), dtype=str)
    stem = symbols.str.extract(r"^([^\d-]+)", expand=False).fillna(symbols)
    stem = stem.where(stem.str.len().le(3), stem.str[:-1])
    if kind == "symbol":
        return stem.to_numpy()
    if kind != "gene_group":
        raise ValueError(f"family {kind!r} is not one of symbol, gene_group")
    group = symbols.map(genes.gene_table()["gene_group"]).fillna("")
    group = group.str.split("|").str[0]
    return group.where(group.ne(""), stem).to_numpy()


def subsample(labels, n, seed=0, least=10):
    """Row numbers (sorted) of about ``n`` cells with the share of every label kept.

    A label keeps at least ``least`` of its cells, or all it has. All rows where there are no
    more than ``n``.
    """
    codes, _ = pd.factorize(np.asarray(labels))
    if len(codes) <= n:
        return np.arange(len(codes))
    rng = np.random.default_rng(seed)
    kept = []
    for code in range(codes.max() + 1):
        rows = np.flatnonzero(codes == code)
        take = min(len(rows), max(least, round(n * len(rows) / len(codes))))
        kept.append(rng.choice(rows, take, replace=False))
    return np.sort(np.concatenate(kept))


def strata(values, bins=20):
    """Number (n,) of the quantile bin of each value; equal values share a bin."""
    return pd.qcut(np.asarray(values), bins, labels=False, duplicates="drop")
