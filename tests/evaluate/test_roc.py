"""Areas, bands and intervals of roc by slow versions, on small tables where each step shows."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from genept_utils import evaluate
from genept_utils.evaluate import roc


def won_slowly(y, scores, group):
    """Pairs of one group, one by one."""
    won, own, others = [], [], []
    for i in range(len(y)):
        rest = [j for j in range(len(y)) if group[j] == group[i] and y[j] != y[i]]
        right = [(scores[i] > scores[j]) + .5 * (scores[i] == scores[j]) for j in rest]
        won.append((np.mean(right) if y[i] else 1 - np.mean(right)) if rest else np.nan)
        own.append(sum(group[j] == group[i] and y[j] == y[i] for j in range(len(y))))
        others.append(len(rest))
    return won, own, others


@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_shares_that_a_row_wins(seed, groups):
    rng = np.random.default_rng(seed)
    y, scores, group = rng.random(24) < .4, rng.integers(0, 5, 24), rng.integers(0, groups, 24)
    y[group == 3] = True  # a group of one class
    known = won_slowly(y, scores, group)
    for given in [group] + [None] * (groups == 1):
        for made, slow in zip(roc._won(y, scores, given), known):
            np.testing.assert_allclose(made, slow)
    area, influence = evaluate.auc_influence(y, scores, group if groups > 1 else None)
    won, _, others = map(np.array, known)
    won, total = np.nan_to_num(won), others[y].sum()  # a row without a pair moves nothing
    assert area == pytest.approx((won * others)[y].sum() / total)
    np.testing.assert_allclose(influence, (won - area) * others / total)
    assert influence.sum() == pytest.approx(0, abs=1e-12)


def test_pairs_of_a_gene_with_itself_and_twice_the_same_pair():
    """Every pair of rows that shares a gene counts once, however many genes it shares."""
    pairs = np.array([["a", "b"], ["b", "a"], ["a", "a"], ["c", "d"], ["d", "e"], ["f", "f"]])
    moved = np.array([.5, .25, -.125, .3, .2, .1])
    share = [[bool(set(one) & set(two)) for two in pairs] for one in pairs]
    variance = moved @ share @ moved
    genes = np.array([moved[[gene in pair for pair in pairs]].sum() for gene in "abcdef"])**2
    effective = genes.sum()**2 / (genes**2).sum()
    assert roc.SharedGenes(pairs).half_width(moved) == pytest.approx(
        stats.t.ppf(.975, effective - 1) * np.sqrt(variance))
    # opposite rows of one gene cancel; the variance is not less than without sharing
    cancel = np.array([1., -1, 0, 0, 0, 0])
    assert roc.SharedGenes(pairs).half_width(cancel) == pytest.approx(
        stats.t.ppf(.975, 1) * np.sqrt(2))
    alone = roc.SharedGenes(pairs[3:4]).half_width(np.array([.5]))
    assert alone == pytest.approx(stats.t.ppf(.975, 1) * .5)
    assert roc.SharedGenes(pairs).half_width(np.zeros(6)) == 0


def test_ends_of_an_area_stay_between_0_and_1():
    pairs = np.arange(24).reshape(12, 2)
    y = np.arange(12) % 2
    made = evaluate.pair_roc(y, {"good": y + np.linspace(0, 1.2, 12), "bad": -y}, pairs, grid=5)
    assert made["good"]["high"] == 1 and made["bad"]["low"] == 0 == made["bad"]["auc"]
    assert made["good"]["fpr"].tolist() == [0, .25, .5, .75, 1] and made["good"]["n"] == 12
    assert min(made["bad"]["tpr_low"]) == 0 and max(made["good"]["tpr_high"]) == 1


def band_slowly(y, scores, pairs, grid):
    """Half the width of the band at each false positive rate: the influence of a row on the rate
    of the positives there, a negative's by way of the threshold and the slope of the curve."""
    thresholds = np.unique(scores)[::-1]
    fp = np.array([0, *[(scores[~y] >= t).mean() for t in thresholds]])
    tp = np.array([0, *[(scores[y] >= t).mean() for t in thresholds]])
    shared, half = roc.SharedGenes(pairs), []
    some = np.linspace(0, 1, 21)
    for rate in some:
        up, down = min(rate + .05, 1), max(rate - .05, 0)
        slope = (np.interp(up, fp, tp) - np.interp(down, fp, tp)) / (up - down)
        at = np.array([np.inf, *thresholds])[np.argmax(fp >= rate)]
        moved = np.zeros(len(y))
        for i in range(len(y)):
            side = y if y[i] else ~y
            moved[i] = ((scores[i] >= at) - (scores[side] >= at).mean()) / side.sum() * (
                1 if y[i] else -slope)
        half.append(shared.half_width(moved))
    return np.interp(grid, some, half)


@pytest.mark.parametrize("digits", [1, 6])
def test_the_band_of_a_curve_is_that_of_its_influences(digits):
    rng = np.random.default_rng(1)
    y, pairs = rng.random(80) < .4, rng.integers(0, 25, (80, 2))
    scores = (1.2 * y + rng.standard_normal(80)).round(digits)
    made = evaluate.pair_roc(y, {"a": scores}, pairs)["a"]
    half = band_slowly(y, scores, pairs, made["fpr"])
    np.testing.assert_allclose(made["tpr_high"], np.minimum(made["tpr"] + half, 1), atol=1e-9)
    np.testing.assert_allclose(made["tpr_low"], np.maximum(made["tpr"] - half, 0), atol=1e-9)
    assert made["tpr_high"].max() == 1 and half.max() > .05


# ------------------------------------------------------------------ terms

@pytest.fixture
def table():
    """Three terms: five positives, one positive, and positives only in a stratum of their own."""
    rng = np.random.default_rng(0)
    made = pd.DataFrame({"term": np.repeat(list("abc"), 12), "gene": np.tile(range(12), 3),
                         "score": rng.integers(0, 6, 36)})
    made["label"] = [*[1] * 5, *[0] * 7, 1, *[0] * 11, *[1] * 6, *[0] * 6]
    return made


def test_the_influence_of_a_gene_on_a_term(table):
    area, moved = evaluate.term_areas(table)
    for term, part in table.groupby("term"):
        assert area[term] == pytest.approx(roc_auc_score(part["label"], part["score"]))
        _, plain = evaluate.auc_influence(part["label"], part["score"])
        size = part.groupby("label")["gene"].transform("size").to_numpy()
        np.testing.assert_allclose(moved[term], plain * np.sqrt(size / np.maximum(size - 1, 1)))
    assert moved.index.names == ["term", "gene"] and len(moved) == 36
    turned = evaluate.term_areas(table.iloc[::-1])[0]
    assert turned.index.tolist() == list("cba") and turned.to_dict() == area.to_dict()


def test_terms_without_a_comparison_in_any_stratum_are_left_out(table):
    table["stratum"] = np.where(table["term"] == "c", table["label"], 0)
    area, moved = evaluate.term_areas(table)
    assert list(area.index) == ["a", "b"]
    assert set(moved.index.get_level_values("term")) == {"a", "b"}


def test_mean_of_terms_takes_the_largest_of_three_variances():
    genes = pd.MultiIndex.from_product([["s", "t"], ["g", "h"]], names=["term", "gene"])
    t = stats.t.ppf(.975, 1)
    for area, moved, variance in (
            ([.5, .5], [.1, .2, .1, .2], .05),  # terms alike: genes, which both share
            ([.4, .8], [0, 0, 0, 0], .04),  # nothing but terms
            ([.4, .8], [.1, .2, .1, .2], .04 + .05 - .025),
            ([.59, .61], [.1, .2, -.1, -.2], .0001)):  # genes that cancel: not less than terms
        mean, low, high = evaluate.mean_of_terms(pd.Series(area, ["s", "t"]), pd.Series(moved, genes))
        assert mean == pytest.approx(np.mean(area))
        assert (low, high) == pytest.approx((mean - t * variance**.5, mean + t * variance**.5))
    few = pd.Series([.7], ["s"])
    assert evaluate.mean_of_terms(few, pd.Series([], dtype=float))[0] == .7
    assert np.isnan(evaluate.mean_of_terms(few, pd.Series([], dtype=float))[1:]).all()
    assert np.isnan(evaluate.mean_of_terms(few[:0], few[:0])).all()


# ------------------------------------------------------------------ donors

def newcombe(area, more, less):
    """Ends of Newcombe's method 5, each as a root of (area - A)**2 = z**2 V(A)."""
    from scipy.optimize import brentq

    def off(A):
        n = (more + less) / 2 - 1
        V = A * (1 - A) * (1 + n * (1 - A) / (2 - A) + n * A / (1 + A)) / (more * less)
        return (area - A)**2 - stats.norm.ppf(.975)**2 * V

    low = brentq(off, 1e-9, area - 1e-9) if off(1e-9) > 0 else 0
    return low, brentq(off, area, 1 - 1e-9) if area < 1 and off(1 - 1e-9) > 0 else 1


@pytest.mark.parametrize("more, less", [(3, 3), (4, 9), (12, 5)])
@pytest.mark.parametrize("seed", range(2))
def test_the_interval_of_a_few_donors_is_newcombes(more, less, seed):
    y = np.repeat([1, 0], [more, less])
    scores = .8 * y + np.random.default_rng(seed).standard_normal(more + less)
    area, low, high = evaluate.donor_auc(y, scores)
    assert area == pytest.approx(roc_auc_score(y, scores))
    assert (low, high) == pytest.approx(newcombe(area, more, less), abs=6e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_difference_of_two_scores_of_the_same_donors_is_zous(seed):
    rng = np.random.default_rng(seed)
    y, shared = np.repeat([1, 0], [7, 6]), rng.standard_normal(13)
    a, b = y + shared + .3 * rng.standard_normal(13), .5 * y + shared
    (one, low, high), (two, least, most) = evaluate.donor_auc(y, a), evaluate.donor_auc(y, b)
    r = np.corrcoef(evaluate.auc_influence(y, a)[1], evaluate.auc_influence(y, b)[1])[0, 1]
    down = np.sqrt((one - low)**2 + (most - two)**2 - 2 * r * (one - low) * (most - two))
    up = np.sqrt((high - one)**2 + (two - least)**2 - 2 * r * (high - one) * (two - least))
    made = evaluate.donor_auc_difference(y, a, b)
    assert made == pytest.approx((one - two, one - two - down, one - two + up), abs=1e-9)
    flat = evaluate.donor_auc_difference(y, a, np.zeros(13))  # no influence: no correlation
    assert np.isfinite(flat).all()
    level, least, most = evaluate.donor_auc(y, np.zeros(13))
    assert flat[1] == pytest.approx(one - .5 - np.hypot(one - low, most - level))
