"""Intervals and ROC areas against formulas written another way."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score, roc_curve

from genept_utils import evaluate
from genept_utils.evaluate.roc import SharedGenes, auc_influence


def test_interval_is_the_corrected_resampled_t():
    scores = [.8, .7, .9, .75, .85]
    mean, low, high = evaluate.interval(scores, .2)
    half = stats.t.ppf(.975, 4) * np.sqrt((1 / 5 + .2 / .8) * np.var(scores, ddof=1))
    assert (mean, low, high) == pytest.approx((.8, .8 - half, .8 + half))
    assert evaluate.interval([.8, np.nan, .9], .2)[0] == pytest.approx(.85)


@pytest.mark.parametrize("mean", [lambda x: evaluate.interval(x, .2), evaluate.mean_interval])
def test_one_score_has_no_interval(mean):
    assert mean([.8, np.nan])[0] == .8 and np.isnan(mean([.8])[1:]).all() and np.isnan(mean([])[0])


def test_mean_interval_of_symmetric_values_is_students_t_and_leans_with_skewed_ones():
    values = np.array([.1, .2, .3, .5, .7, .8, .9])
    error = stats.sem(values)
    assert evaluate.mean_interval(values) == pytest.approx(
        (.5, *stats.t.interval(.95, 6, .5, error)))
    mean, low, high = evaluate.mean_interval([.1, .1, .2, .1, .2, .9])
    assert high - mean > 1.5 * (mean - low) > 0
    few = [.1, .1, .9]
    assert evaluate.mean_interval(few) == pytest.approx(
        (np.mean(few), *stats.t.interval(.95, 2, np.mean(few), stats.sem(few))))


def test_units_that_are_right_or_wrong():
    from scipy.stats import binomtest

    found = evaluate.mean_interval([1] * 7 + [0] * 3)
    known = binomtest(7, 10).proportion_ci(method="wilson")
    assert found == pytest.approx((.7, known.low, known.high))
    # Agresti & Min: half a unit more on each side of 10 units, of which 3 and 1 differ
    gap = evaluate.mean_interval([1, 1, 1, -1] + [0] * 6, difference=True)
    half = 1.959964 * np.sqrt(5 - 4 / 12) / 12
    assert gap == pytest.approx((.2, 2 / 12 - half, 2 / 12 + half))
    mean, low, high = evaluate.mean_interval([0.] * 8, difference=True)
    assert low < mean < high  # equal on eight donors is not equal


# ------------------------------------------------------------------ areas


@pytest.fixture
def told():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    return y, (y + rng.standard_normal(400)).round(1), rng.integers(0, 30, (400, 2))


def test_influences_are_what_the_area_loses_without_a_row(told):
    y, score, _ = told
    area, influence = auc_influence(y, score)
    assert area == pytest.approx(roc_auc_score(y, score))
    assert influence.sum() == pytest.approx(0)
    for row in range(5):
        rest = np.arange(400) != row
        same = (y == y[row]).sum()
        lost = (area - roc_auc_score(y[rest], score[rest])) * (same - 1) / same
        assert influence[row] == pytest.approx(lost)


def test_area_within_strata(told):
    y, score, pairs = told
    stratum = np.arange(400) % 7
    number = [y[stratum == s].sum() * (1 - y[stratum == s]).sum() for s in range(7)]
    slow = np.average([roc_auc_score(y[stratum == s], score[stratum == s]) for s in range(7)],
                      weights=number)
    assert evaluate.auc_influence(y, score, stratum)[0] == pytest.approx(slow)
    made = evaluate.pair_roc(y, {"a": score}, pairs, stratum)["a"]
    assert made["auc"] == pytest.approx(slow) and "fpr" not in made
    rng = np.random.default_rng(0)  # what the stratum explains is gone
    degree = rng.integers(1, 200, 5000)
    y = (degree + 60 * rng.standard_normal(5000) > 100).astype(int)
    score = degree + 5 * rng.standard_normal(5000)
    assert roc_auc_score(y, score) > .8
    assert abs(evaluate.auc_influence(y, score, evaluate.strata(degree, 100))[0] - .5) < .05


def test_variance_sums_over_all_pairs_of_pairs_that_share_a_gene(told):
    y, score, pairs = told
    assert (pairs[:, 0] == pairs[:, 1]).any()
    score = score + 2 * np.random.default_rng(1).random(30)[pairs].sum(axis=1)
    influence = auc_influence(y, score)[1]
    share = (pairs[:, None, :, None] == pairs[None, :, None, :]).any(axis=(2, 3))
    variance = influence @ share @ influence
    genes = np.array([influence[(pairs == gene).any(axis=1)].sum() for gene in range(30)])**2
    t = stats.t.ppf(.975, genes.sum()**2 / (genes**2).sum() - 1)
    half = SharedGenes(pairs).half_width(influence)
    assert half == pytest.approx(t * np.sqrt(variance))
    assert variance > influence @ influence > 0  # and never less than this
    assert SharedGenes(pairs).half_width(np.column_stack([influence, 2 * influence])
                                         ) == pytest.approx([half, 2 * half])


def test_curves_are_scikit_learns_and_turn_over(told):
    y, score, pairs = told
    made = evaluate.pair_roc(y, {"a": score, "b": -score}, pairs)
    a, b = made["a"], made["b"]
    fpr, tpr, _ = roc_curve(y, score, drop_intermediate=False)
    np.testing.assert_allclose(a["tpr"], np.interp(a["fpr"], fpr, tpr))
    assert a["auc"] == pytest.approx(roc_auc_score(y, score))
    assert (a["low"], a["high"]) == pytest.approx((1 - b["high"], 1 - b["low"]))
    assert (a["tpr_low"] <= a["tpr"]).all() and (a["tpr"] <= a["tpr_high"]).all()


def test_areas_of_terms_are_those_of_each_term():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"term": np.repeat(list("abc"), 20), "gene": np.tile(np.arange(20), 3),
                          "label": rng.integers(0, 2, 60), "score": rng.random(60).round(1)})
    table.loc[table.term == "c", "label"] = 1
    area, influence = evaluate.term_areas(table)
    assert area.to_dict() == pytest.approx({
        term: roc_auc_score(*table.loc[table.term == term, ["label", "score"]].to_numpy().T)
        for term in "ab"})
    assert set(influence.index.get_level_values("term")) == {"a", "b"}
    mean, low, high = evaluate.mean_of_terms(area, influence)
    terms = area.var(ddof=1) / 2
    genes = sum(part.sum()**2 for _, part in influence.groupby(level="gene")) / 4
    variance = max(terms + genes - (influence**2).sum() / 4, terms, genes)
    assert high - mean == pytest.approx(stats.t.ppf(.975, 1) * np.sqrt(variance))


def test_terms_within_strata():
    """Only genes of one stratum are compared, weighted by the pairs of each."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"term": np.repeat(list("ab"), 40), "gene": np.tile(np.arange(40), 2),
                          "label": rng.integers(0, 2, 80), "score": rng.random(80).round(1),
                          "stratum": np.tile(np.arange(40) % 3, 2)})
    area, influence = evaluate.term_areas(table)
    for term, part in table.groupby("term"):
        wanted, moved = auc_influence(part["label"], part["score"], part["stratum"])
        assert area[term] == pytest.approx(wanted)
        n = part.groupby("label")["gene"].transform("size")
        assert influence[term].to_numpy() == pytest.approx(moved * np.sqrt(n / (n - 1)))


def test_area_of_donors_and_the_difference_of_two():
    y, a, b = [0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6], [1, 2, 4, 3, 5, 6]
    area, low, high = evaluate.donor_auc(y, a)
    assert area == high == 1 and .3 < low < .6  # six donors all right prove little
    assert evaluate.donor_auc(y, -np.array(a))[2] == pytest.approx(1 - low)
    gap, less, more = evaluate.donor_auc_difference(y, a, b)
    assert gap == pytest.approx(1 / 9) and less < 0 < gap < more
