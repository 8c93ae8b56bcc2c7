"""ROC-AUC with intervals that know what scores have in common: pairs share genes, terms share
genes, donors are few.

Each row's *influence* is how far it moves the area (DeLong, DeLong & Clarke-Pearson 1988); the
variance of the area is a sum of products of influences over rows that have a gene in common.
The model that gave the scores is taken as fixed.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy import stats

BAND = 21  # false positive rates at which the band of a curve is computed


def auc_influence(y, scores, stratum=None):
    """ROC-AUC, and how far each row moves it.

    Parameters
    ----------
    y : array-like
        (n,) labels 0 or 1.
    scores : array-like
        (n,); of two equal scores each wins half.
    stratum : array-like, optional
        (n,) stratum of each row, such as the degree: the area is then that within strata,
        averaged with the number of (positive, negative) pairs as weight.

    Returns
    -------
    tuple
        The area, and (n,) influences, whose sum is 0.
    """
    y = np.asarray(y, dtype=bool)
    won, _, others = _won(y, scores, stratum)
    won = np.where(others > 0, won, 0)  # rows that nothing of their stratum compares with
    total = others[y].sum()
    area = (won * others)[y].sum() / total
    return area, (won - area) * others / total


def _won(y, scores, group=None):
    """Per row: the share of its group's other class that it is on the right side of, and the
    size of its own and of the other class there."""
    scores = np.asarray(scores, dtype=float)
    if group is None:
        size = np.where(y, y.sum(), (~y).sum())
        others, below = len(y) - size, stats.rankdata(scores)
        for side in (y, ~y):
            below[side] -= stats.rankdata(scores[side])
    else:
        table = pd.DataFrame({"group": np.asarray(group), "y": y, "score": scores})
        within, own = table.groupby("group"), table.groupby(["group", "y"])
        size = own["y"].transform("size").to_numpy()
        others = within["y"].transform("size").to_numpy() - size
        below = (within["score"].rank() - own["score"].rank()).to_numpy()
    won = np.divide(below, others, out=np.full(len(y), np.nan), where=others > 0)
    return np.where(y, won, 1 - won), size, others


def pair_roc(y, scores, pairs, stratum=None, grid=101):
    """ROC curves of pair scores with 95 % intervals over genes.

    Pairs that share a gene rise and fall together. The variance sums the products of the
    influences of all pairs of pairs that share a gene (Aronow, Samii & Assenova 2015, Political
    Analysis 23:564), at a cost that grows with the pairs; t with the effective number of genes
    (that of equal genes that would weigh alike) as degrees of freedom.

    Simulated on the pairs of GGI, HuRI, Lit-BM and the tissue-specific network, as given and
    with families apart, and on 60 to 1,000 genes, it holds .92 to .98 for areas and for
    differences. Drawing genes again holds .99 and 1.00, drawing pairs again .62 to .95.

    Parameters
    ----------
    y : array-like
        (n,) labels 0 or 1.
    scores : dict of str to array-like
        (n,) scores by method.
    pairs : numpy.ndarray
        (n, 2) genes of each pair.
    stratum : array-like, optional
        (n,) stratum of each pair: the area is then that within strata
        (:func:`auc_influence`), and no
        curve is drawn.
    grid : int
        Number of false positive rates between 0 and 1 at which curves are kept.

    Returns
    -------
    dict of str to dict
        Per method: ``auc``, ``low``, ``high``, the number ``n`` of pairs, and ``fpr``, ``tpr``,
        ``tpr_low``, ``tpr_high`` (grid,). :func:`summarise` and :func:`compare` take it.
    """
    y, shared, made = np.asarray(y, dtype=bool), SharedGenes(pairs), {}
    for name, values in scores.items():
        area, influence = auc_influence(y, values, stratum)
        half = shared.half_width(influence)
        made[name] = {"auc": area, "low": max(area - half, 0), "high": min(area + half, 1),
                      "n": len(y), "influence": influence, "shared": shared}
        if stratum is None:
            made[name] |= _curve(y, np.asarray(values), np.linspace(0, 1, grid), shared)
    return made


class SharedGenes:
    """Which pairs have a gene in common: what the variance over genes sums over."""

    def __init__(self, pairs):
        names, codes = np.unique(pairs, return_inverse=True)
        codes = np.sort(codes.reshape(-1, 2), axis=1)
        self.both = codes[:, 0] * len(names) + codes[:, 1]
        rows, differ = np.arange(len(codes)), codes[:, 0] != codes[:, 1]
        self.of_gene = self._sums(np.append(codes[:, 0], codes[differ, 1]),
                                  np.append(rows, rows[differ]), len(names), len(codes))
        kept, self.both = np.unique(self.both[differ], return_inverse=True)
        self.of_pair = self._sums(self.both, rows[differ], len(kept), len(codes))

    @staticmethod
    def _sums(into, rows, n, width):
        return sp.csr_array((np.ones(len(rows)), (into, rows)), shape=(n, width))

    def half_width(self, influence):
        """Half the width of the 95 % interval of a sum of influences (n,), or (n, k) of k sums."""
        genes, once = (self.of_gene @ influence)**2, ((self.of_pair @ influence)**2).sum(axis=0)
        total = genes.sum(axis=0)
        # not less than the variance of pairs that have nothing in common
        variance = np.maximum(total - once, (influence**2).sum(axis=0))
        effective = total**2 / np.maximum((genes**2).sum(axis=0), 1e-300)
        return stats.t.ppf(.975, np.maximum(effective - 1, 1)) * np.sqrt(variance)


def _curve(y, scores, fpr, shared):
    """Empirical ROC curve at some false positive rates, with a pointwise band over genes."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # ties share a point of the curve
    tp, fp = (np.append(0, np.cumsum(side[order])[last]) / side.sum() for side in (y, ~y))
    tpr, some = np.interp(fpr, fp, tp), np.linspace(0, 1, BAND)
    # a row moves the rate at its own threshold, a negative also the threshold: by the slope
    ahead, behind = np.minimum(some + .05, 1), np.maximum(some - .05, 0)
    slope = (np.interp(ahead, fp, tp) - np.interp(behind, fp, tp)) / (ahead - behind)
    at = np.append(np.inf, scores[order][last])[np.searchsorted(fp, some)]
    moved = (scores[:, None] >= at).astype(float)
    for side, weight in ((y, 1.0), (~y, -slope)):
        moved[side] = (moved[side] - moved[side].mean(axis=0)) * (weight / side.sum())
    half = np.interp(fpr, some, shared.half_width(moved))
    return {"fpr": fpr, "tpr": tpr, "tpr_low": np.maximum(tpr - half, 0),
            "tpr_high": np.minimum(tpr + half, 1)}


def term_areas(decisions):
    """ROC-AUC of every term, and how far each gene moves it.

    Parameters
    ----------
    decisions : pandas.DataFrame
        One hold-out gene of a term a row: ``term``, ``gene``, ``label`` (0 or 1), ``score``. With
        a column ``stratum`` only genes of one stratum are compared (:func:`auc_influence`).

    Returns
    -------
    tuple of pandas.Series
        The area by ``term`` (terms with one class are left out), and the influences by ``term``
        and ``gene``.
    """
    y = decisions["label"].to_numpy(dtype=bool)
    within = ["term", "stratum"] if "stratum" in decisions else ["term"]
    won, _, others = _won(y, decisions["score"], decisions.groupby(within).ngroup())
    table = pd.DataFrame({"term": decisions["term"].to_numpy(), "y": y, "n": others,
                          "won": np.nan_to_num(won) * others})
    sums = table[y].groupby("term", sort=False)[["won", "n"]].sum()
    area = (sums["won"] / sums["n"]).dropna()
    # few positives: the variance of a mean of n has n - 1 below it
    size = table.groupby(["term", "y"])["n"].transform("size")
    moved = (table["won"] - table["n"] * table["term"].map(area)) / table["term"].map(sums["n"])
    moved *= np.sqrt(size / np.maximum(size - 1, 1))
    moved.index = decisions.set_index(["term", "gene"]).index
    return area, moved[moved.notna()]


def mean_of_terms(area, influence):
    """Mean over terms with a 95 % interval for other terms and other genes.

    The variance over terms plus that over genes, which terms share, less what both count
    (Cameron, Gelbach & Miller 2011, J. Bus. Econ. Stat. 29:238). Simulated on the hold-out genes
    of 103 diseases and 56 functions and on terms of which every second one shares 60 to 90 % of
    its genes with another it holds .91 to .97, for differences .94 to .98; drawing terms alone
    holds .80 to .96. Where overlapping terms are also equally hard to tell (correlation .8) it
    holds .84 to .89: then there are fewer terms than it counts.

    Parameters
    ----------
    area, influence : pandas.Series
        As :func:`term_areas` gives them, or their differences.

    Returns
    -------
    tuple of float
        mean, low, high.
    """
    n = len(area)
    if n < 2:
        return (area.mean() if n else np.nan), np.nan, np.nan
    terms, cells = area.var(ddof=1) / n, (influence**2).sum() / n**2
    genes = (influence.groupby(level="gene").sum()**2).sum() / n**2
    half = stats.t.ppf(.975, n - 1) * np.sqrt(max(terms + genes - cells, terms, genes))
    return area.mean(), area.mean() - half, area.mean() + half


def donor_auc(y, scores):
    """ROC-AUC of a few independent donors, each with one score, with a 95 % interval.

    Newcombe's method 5 (2006, Statistics in Medicine 25:559): the areas whose Hanley-McNeil
    variance does not exclude the one found. Simulated with 4 against 4 to 25 against 25 donors it
    holds .92 to .97 where both groups vary alike, .90 where one varies three times as much.

    Parameters
    ----------
    y : array-like
        (n,) condition of each donor, 0 or 1.
    scores : array-like
        (n,)

    Returns
    -------
    tuple of float
        area, low, high.
    """
    y = np.asarray(y, dtype=bool)
    area, tried = auc_influence(y, scores)[0], np.linspace(0, 1, 4001)[1:-1]
    more, less = y.sum(), (~y).sum()
    others = (more + less) / 2 - 1
    variance = tried * (1 - tried) * (1 + others * ((1 - tried) / (2 - tried) + tried / (1 + tried))
                                      ) / (more * less)
    kept = tried[(area - tried)**2 <= stats.norm.ppf(.975)**2 * variance]
    return area, min(kept.min(), area), max(kept.max(), area)


def donor_auc_difference(y, a, b):
    """Difference of the areas of two scores of the same donors, with a 95 % interval.

    From the intervals of both (:func:`donor_auc`) and the correlation of their influences
    (Zou 2007, Psychological Methods 12:399).

    Returns
    -------
    tuple of float
        area of ``a`` minus area of ``b``, low, high.
    """
    (first, low, high), (second, least, most) = donor_auc(y, a), donor_auc(y, b)
    moved = [auc_influence(y, scores)[1] for scores in (a, b)]
    size = np.sqrt((moved[0] @ moved[0]) * (moved[1] @ moved[1]))
    r = moved[0] @ moved[1] / size if size > 0 else 0.0

    def reach(down, up):
        return np.sqrt(max(down**2 + up**2 - 2 * r * down * up, 0))

    gap = first - second
    return gap, gap - reach(first - low, most - second), gap + reach(high - first, second - least)
