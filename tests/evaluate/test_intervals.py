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


# ------------------------------------------------------------------ each formula, by another way

VALUES = [np.array([.1, .1, .2, .1, .2, .9]), np.array([-3., 1, 1, 2, 1.5, 1, 2]),
          np.array([5., 5, 5, 5, 5, 6, 9, 5.5]), np.arange(8.)]


@pytest.mark.parametrize("level", [.8, .95])
@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("difference", [False, True])
def test_halls_transformation_is_turned_back(level, values, difference):
    """The ends are where x + a x^2 / 3 + a^2 x^3 / 27 + a / 6 is the quantile of t, with x the
    distance of the mean in standard errors times its root of n and a the skewness by root n."""
    from scipy.optimize import brentq

    n, mean = len(values), values.mean()
    lean, t = stats.skew(values) / np.sqrt(n), stats.t.ppf((1 + level) / 2, n - 1)

    def off(x, wanted):
        return x + lean * x**2 / 3 + lean**2 * x**3 / 27 + lean / 6 - wanted

    below, above = (brentq(off, -99, 99, (end,)) for end in (t, -t))
    error = stats.sem(values)
    assert evaluate.mean_interval(values, level, difference) == pytest.approx(
        (mean, mean - error * below, mean - error * above), abs=1e-6)


@pytest.mark.parametrize("n, skewed", [(3, False), (5, False), (6, True)])
def test_from_six_values_on_the_interval_leans(n, skewed):
    values = np.append(np.linspace(.1, .2, n - 1), .9)
    mean, low, high = evaluate.mean_interval(values)
    plain = stats.t.ppf(.975, n - 1) * stats.sem(values)
    assert bool(high - mean > 1.1 * (mean - low)) == skewed
    assert skewed or (mean - low, high - mean) == pytest.approx((plain, plain))


@pytest.mark.parametrize("values, difference", [
    ([.3] * 7, False), ([2.] * 7, False), ([2., 2], True), ([.5] * 6, True)])
def test_values_that_are_all_the_same(values, difference):
    assert evaluate.mean_interval(values, difference=difference) == (values[0],) * 3


@pytest.mark.parametrize("level", [.8, .95])
@pytest.mark.parametrize("right, n", [(0, 4), (4, 4), (1, 2), (7, 10), (0, 2)])
def test_wilson_at_each_level(level, right, n):
    known = stats.binomtest(right, n).proportion_ci(level, method="wilson")
    made = evaluate.mean_interval([1] * right + [0] * (n - right), level)
    assert made == pytest.approx((right / n, known.low, known.high), abs=1e-12)
    mean, low, high = made
    assert low <= mean <= high  # whatever the rounding


@pytest.mark.parametrize("level", [.8, .95])
@pytest.mark.parametrize("more, less, same", [(0, 0, 8), (3, 1, 6), (0, 5, 0), (2, 2, 0), (1, 0, 1)])
def test_agresti_and_min_at_each_level(level, more, less, same):
    """Half a unit more on each side of a McNemar table, then Wald's interval of a difference."""
    n, b, c = more + less + same, more + .5, less + .5
    z, gap = stats.norm.ppf((1 + level) / 2), (b - c) / (n + 2)
    half = z * np.sqrt(((b + c) / (n + 2) - gap**2) / (n + 2))
    made = evaluate.mean_interval([1] * more + [-1] * less + [0] * same, level, difference=True)
    assert made == pytest.approx(((more - less) / n, gap - half, gap + half))


@pytest.mark.parametrize("values, difference", [
    ([1, -1, 0, 0, 1, 1, 0.], False), ([2, 0, 1, 1, 0, 0, 1.], False), ([.5, 0, 1, -1, 0, 0.], True),
    ([2, 1, 0, 0, -1, 1.], True)])
def test_other_values_have_the_interval_of_t(values, difference):
    mean, low, high = evaluate.mean_interval(values, difference=difference)
    plain = 2 * stats.t.ppf(.975, len(values) - 1) * stats.sem(values)
    assert high - low == pytest.approx(plain, rel=.1) and mean == np.mean(values)


@pytest.mark.parametrize("level", [.8, .95])
@pytest.mark.parametrize("scores, share", [([.7, .9], .5), ([.1, .4, .4, .9, np.nan], .1)])
def test_corrected_t_at_each_level(level, scores, share):
    known = np.array(scores)[np.isfinite(scores)]
    n = len(known)
    error = np.sqrt(np.var(known, ddof=1) * (1 / n + share / (1 - share)))
    assert evaluate.interval(scores, share, level) == pytest.approx(
        (known.mean(), *stats.t.interval(level, n - 1, known.mean(), error)))


@pytest.mark.parametrize("values, level, known", [
    ([0, 1, 2, 3, 100.], .5, (21.2, 1, 21.2)),  # the mean is never outside
    ([-100, 1, 2, 3, 4.], .5, (-18, -18, 3)), ([.5], .95, (.5,) * 3),
    ([0, 10.], .9, (5, .5, 9.5)), ([], .95, (np.nan,) * 3)])
def test_the_middle_of_few_values(values, level, known):
    assert evaluate.spread(values, level) == pytest.approx(known, nan_ok=True)
