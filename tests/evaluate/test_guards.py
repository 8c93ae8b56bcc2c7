"""Test rows stay out of the fit, and formulas are what they are called."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler

from genept_utils import embed, evaluate
from genept_utils.chapters import phenotypes
from genept_utils.chapters.batch_and_context import integration


def test_a_held_out_donor_is_in_no_scale():
    rng, y = np.random.default_rng(0), np.arange(12) % 2
    means = rng.normal(size=(12, 3)) + y[:, None]
    means[5] *= 40
    names = np.array([f"d{i:02}" for i in range(12)])
    _, made = phenotypes.leave_one_donor_out(np.repeat(means, 4, axis=0), np.repeat(names, 4),
                                             np.repeat(y, 4), permutations=0)
    for out in (0, 5):
        rest = np.arange(12) != out
        scale = StandardScaler().fit(means[rest])
        model = LogisticRegression(class_weight="balanced", tol=1e-8, max_iter=1000).fit(
            scale.transform(means[rest]), y[rest])
        assert made["score"][out] == pytest.approx(
            model.decision_function(scale.transform(means[[out]]))[0], rel=1e-3)


def test_a_cell_is_no_neighbour_of_its_own():
    rng = np.random.default_rng(0)
    X, batch, label = rng.normal(size=(200, 4)), rng.integers(0, 3, 200), rng.integers(0, 2, 200)
    made = integration(X, batch, label)
    apart = ((X[:, None] - X[None])**2).sum(axis=-1)
    np.fill_diagonal(apart, np.inf)
    near = np.argsort(apart, axis=1)[:, :30]
    for name, codes in (("ilisi", batch), ("clisi", label)):
        simpson = [1 / sum((codes[row] == code).mean()**2 for code in np.unique(codes))
                   for row in near]
        k = codes.max() + 1
        value = np.median(simpson)
        assert made[name] == pytest.approx(
            (value - 1) / (k - 1) if name == "ilisi" else (k - value) / (k - 1))
    alone = np.arange(40) // 2  # two by two: nine other nearest cells hold one of the same
    X = np.repeat(10 * rng.normal(size=(20, 3)), 2, axis=0) + .01 * rng.normal(size=(40, 3))
    assert phenotypes.neighbour_agreement(X, alone, k=1) == 1
    assert phenotypes.neighbour_agreement(X, np.arange(40), k=1) == 0


def test_neighbours_and_silhouettes_go_by_direction():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    turned = np.where(labels == 0, .3, .6)[:, None] + .02 * rng.normal(size=(60, 1))
    X = np.hstack([np.cos(turned), np.sin(turned)]) * rng.lognormal(0, 1.5, (60, 1))
    assert phenotypes.neighbour_agreement(X, labels, 5) == 1
    assert phenotypes.asw(X, labels) > .8 > .2 > silhouette_score(X, labels)


def test_weight_decay_shrinks_the_network():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)), np.arange(200) % 2
    size = [sum((layer**2).sum() for layer in phenotypes.fit(
        X, y, hidden=16, weight_decay=decay, max_iter=100)[-1].coefs_) for decay in (1e-4, 10.)]
    assert size[1] < .5 * size[0]


@pytest.fixture(scope="module")
def cells():
    rng = np.random.default_rng(0)
    symbols = embed.read_embedding("minilm").obs_names[::60].to_numpy()[:300]
    types = np.repeat(["a", "b"], 60)
    rate = np.where(types[:, None] == "a", rng.random(300), rng.random(300))
    return ad.AnnData(sp.csr_matrix(np.log1p(rng.poisson(rate)), dtype=np.float32),
                      obs=pd.DataFrame({"cell_type": types}, index=[f"c{i}" for i in range(120)]),
                      var=pd.DataFrame(index=symbols), uns={"log1p": {}})


def test_every_draw_has_halves_of_its_own(cells):
    genes = np.array([f"G{i}" for i in range(40)])
    halves = [evaluate.panels(genes, seed=draw) for draw in range(6)]
    assert len({tuple(first) for first, _ in halves}) == 6
    assert all(not set(first) & set(second) for first, second in halves)
    made = evaluate.across_panels(cells, {"text": embed.read_embedding("minilm")}, n_resamples=6)
    own = made[made["split"] == "same panel"]
    assert own["accuracy"].nunique() > 2 or own["f1_macro"].nunique() > 2
    again = evaluate.across_panels(cells, {"text": embed.read_embedding("minilm")}, n_resamples=2)
    np.testing.assert_array_equal(again["accuracy"], made[made["draw"].isin([0, 1])]["accuracy"])


def test_columns_of_the_network_keep_their_sizes():
    """All are divided by one number: each by its own would blow up what is mostly noise."""
    X = np.random.default_rng(0).normal(3, [5., 1., .01], (300, 3))
    made = phenotypes.fit(X, np.arange(300) % 2, hidden=4, max_iter=1)[0].transform(X)
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-3)
    assert made.var(axis=0).mean() == pytest.approx(1, rel=1e-3)
    assert made[:, 0].std() / made[:, 1].std() == pytest.approx(X[:, 0].std() / X[:, 1].std(), rel=.01)


def test_the_spread_holds_the_middle():
    values = np.arange(1001) / 10
    mean, low, high = evaluate.spread([*values, np.nan])
    assert (mean, low, high) == pytest.approx((50, 2.5, 97.5))
    assert evaluate.spread(values, .5)[1:] == pytest.approx((25, 75))


def test_the_band_of_a_curve_is_as_wide_as_theory_has_it():
    """Pairs that share no gene are independent: the rate of the positives at its threshold is
    binomial, and the threshold moves with the negatives by the slope of the curve."""
    n, rng = 1500, np.random.default_rng(0)
    y = np.arange(2 * n) % 2
    made = evaluate.pair_roc(y, {"a": rng.normal(1. * y, 1)}, np.arange(4 * n).reshape(-1, 2))["a"]
    for fpr in (.2, .5):
        z = norm.ppf(fpr) + 1
        tpr, slope = norm.cdf(z), norm.pdf(z) / norm.pdf(norm.ppf(fpr))
        half = 1.96 * np.sqrt((tpr * (1 - tpr) + slope**2 * fpr * (1 - fpr)) / n)
        at = np.argmin(abs(made["fpr"] - fpr))
        assert (made["tpr_high"] - made["tpr_low"])[at] / 2 == pytest.approx(half, rel=.15)


def test_the_difference_of_two_areas_has_delongs_interval():
    """Pairs that share no gene are independent, and both methods score the same ones."""
    n, rng = 400, np.random.default_rng(0)
    y, shared = np.arange(2 * n) % 2, rng.normal(size=2 * n)
    scores = {"a": y + shared, "b": .7 * y + .6 * shared + .6 * rng.normal(size=2 * n)}
    made = evaluate.compare(evaluate.pair_roc(y, scores, np.arange(4 * n).reshape(-1, 2)),
                            [("a", "b")], None).iloc[0]
    wins = {name: score[y == 1][:, None] > score[y == 0] for name, score in scores.items()}
    apart = wins["a"].astype(float) - wins["b"]
    half = 1.96 * np.sqrt((apart.mean(axis=1).var() + apart.mean(axis=0).var()) / n)
    assert made["value"] == pytest.approx(apart.mean())
    assert (made["high"] - made["low"]) / 2 == pytest.approx(half, rel=.05)
