"""Perturbations: formulas of the page and of its helper, against values computed another way."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import linalg, stats

from genept_utils import evaluate, paths
from genept_utils.chapters import perturbations as chapter


@pytest.fixture(scope="module")
def page():
    """The functions of the page, from its own cells."""
    file, = paths.NOTEBOOKS.glob("*-perturbations.ipynb")
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    made = {"np": np, "linalg": linalg, "pd": pd, "chapter": chapter, "seed": 0}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "\ndef " in f"\n{source}":
            exec(source, made)
    return made


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 5)), rng.normal(size=(40, 30)) + 1
    return chapter.cosines(X), Y, np.arange(30), np.arange(30, 40)


def test_ridge_is_that_of_scikit_learn(page, drawn):
    from sklearn.kernel_ridge import KernelRidge

    K, Y, train, test = drawn
    model = KernelRidge(alpha=10, kernel="precomputed").fit(K[np.ix_(train, train)], Y[train])
    W = page["weights"](K, train, test, "ridge", 10)
    assert np.allclose(W @ Y[train], model.predict(K[np.ix_(test, train)]))


def test_neighbours_are_the_nearest_and_weigh_alike(page, drawn):
    K, _, train, test = drawn
    W = page["weights"](K, train, test, "neighbours", 5)
    assert np.allclose(W.sum(axis=1), 1) and set(np.unique(W)) == {0, .2}
    for row, gene in zip(W, test):
        assert K[gene, train][row > 0].min() >= K[gene, train][row == 0].max()


def test_cosine_of_profiles_less_the_training_mean(page, drawn):
    K, Y, train, test = drawn
    W = page["weights"](K, train, test, "neighbours", 5)
    mean = Y[train].mean(axis=0)
    found, true = W @ (Y[train] - mean), Y[test] - mean
    by_hand = found @ true.T / np.outer(*(np.linalg.norm(x, axis=1) for x in (found, true)))
    assert np.allclose(page["fit"](W, chapter.centred(Y @ Y.T, train), train, test), by_hand)
    assert not page["fit"](0 * W, Y @ Y.T, train, test).any(), "the mean profile has no cosine"


def test_rank_of_the_true_profile():
    cosine = np.array([[.9, .1, .2], [.5, .3, .1], [.2, .2, .2]])
    assert chapter.ranks(cosine).tolist() == [1, .5, .5]


def test_directions_count_significant_effects_only():
    Y = np.array([[2., -2, 4, 0], [2, -2, -2, 0], [3, 5, -1, 9], [-1, 0, 0, 0]])
    assert chapter.directions(np.zeros((2, 2)), Y[:2], Y[2:]) == pytest.approx(
        [(1 + 0 + 0 + .5) / 4, 0])
    moved = chapter.directions(np.array([[0, 1.], [0, 0]]), Y[:2], Y[2:])
    assert moved[0] == pytest.approx((1 + 0 + 1 + .5) / 4)


def test_genes_and_families_stand_on_one_side():
    symbols = np.array([f"{stem}{n}" for stem in ("ABC", "KLF", "SOX", "GATA", "FOX", "TP")
                        for n in range(1, 8)])
    for family in (None, "symbol"):
        cuts = chapter.gene_folds(symbols, family, 3)
        assert sorted(np.concatenate([test for _, test in cuts])) == list(range(len(symbols)))
        for train, test in cuts:
            assert not set(train) & set(test)
            if family:
                kin = evaluate.families(symbols, family)
                assert not set(kin[train]) & set(kin[test])


def test_a_held_out_gene_does_not_move_its_own_prediction(page, drawn):
    """Whatever the held-out profiles are, learner and weights are those of the training genes."""
    K, Y, train, test = drawn
    other = Y.copy()
    first = chapter.gene_folds(np.arange(40).astype(str), None)[0][1]
    other[first] = np.random.default_rng(1).normal(size=other[first].shape)
    made = [page["run"]({"a": K}, np.arange(40).astype(str), values) for values in (Y, other)]
    assert made[0]["learner"][0] == made[1]["learner"][0]
    assert set(made[0]["gene"]) == set(np.arange(40).astype(str)) and len(made[0]) == 40


def test_effects_of_families_are_found_until_families_are_held_out(page):
    """Effects planted by family: found from vectors that know it, not from those of other genes."""
    rng = np.random.default_rng(6)
    symbols = np.array([f"{stem}{n}" for stem in ("ABC", "KLF", "SOX", "FOX", "TPX", "MYO")
                        for n in range(10)])
    kind = np.repeat(np.arange(6), 10)
    Y = rng.normal(size=(6, 50))[kind] + rng.normal(size=(60, 50))
    K = chapter.cosines(np.eye(6)[kind] - 1 / 6)
    kernels = {"family": K, "permuted": chapter.relabelled(K, 1)}
    random, apart = (page["run"](kernels, symbols, Y, family).groupby("method")[
        ["centred cosine", "rank"]].mean() for family in (None, "symbol"))
    assert random.at["family", "centred cosine"] > .5 and random.at["family", "rank"] > .8
    assert abs(random.at["permuted", "centred cosine"]) < .2
    assert apart.at["family", "centred cosine"] < .05 and apart.at["family", "rank"] < .6


@pytest.fixture
def interactions():
    rng = np.random.default_rng(2)
    Y = rng.normal(size=(24, 24)) + 3
    Y = Y + Y.T + np.add.outer(np.arange(24.), np.arange(24.)) / 9
    np.fill_diagonal(Y, np.nan)
    return Y


def test_pairs_of_new_genes_are_read_from_pairs_of_training_genes_alone(interactions):
    Y, train, test = interactions, np.arange(18), np.arange(18, 24)
    W = np.random.default_rng(3).normal(size=(6, 18))
    hidden = Y.copy()
    hidden[test] = hidden[:, test] = np.nan
    for model, shape in ((chapter.both_new, (6, 6)), (chapter.one_new, (6, 18))):
        for values, unseen in zip(model(W, Y, train), model(W, hidden, train)):
            assert values.shape == shape and np.array_equal(values, unseen)
    pairs = chapter.both_new(W, Y, train)[0]
    known = np.nan_to_num(Y[:18, :18] - np.nanmean(Y[:18, :18]))
    assert pairs[1, 4] == pytest.approx(sum(
        W[1, i] * W[4, j] * known[i, j] for i in range(18) for j in range(18)))


def test_additive_is_what_each_gene_does_on_average(interactions):
    Y, train = interactions, np.arange(18)
    W = np.zeros((6, 18))
    W[[0, 1], [3, 7]] = 1  # the nearest gene of each
    known = Y[:18, :18] - np.nanmean(Y[:18, :18])
    mean = np.nansum(known, axis=1) / 17
    assert chapter.both_new(W, Y, train)[1][0, 1] == pytest.approx(mean[3] + mean[7])
    assert np.allclose(chapter.one_new(W, Y, train)[1], mean)


def test_folds_of_pairs_share_no_gene(page, interactions, monkeypatch):
    names = pd.Index([f"G{i}" for i in range(24)])
    monkeypatch.setitem(page, "scores", pd.DataFrame(interactions, names, names))
    monkeypatch.setitem(page, "fitness", pd.Series(np.arange(24.), names))
    K = chapter.cosines(np.random.default_rng(4).normal(size=(24, 4)))
    two = page["run_pairs"]({"GenePT MiniLM": K}, chapter.both_new, 0)
    one = page["run_pairs"]({"GenePT MiniLM": K}, chapter.one_new, 0)
    tested = [set(a) for a, b, _ in two["GenePT MiniLM"] if (a == b).all()]
    assert len(tested) == 4 and set.union(*tested) == set(range(24))
    for a, b, values in one["truth"]:
        assert not set(a) & set(b) and np.isfinite(values).all()
    assert "GenePT MiniLM, additive" in two and "degree" in one


def test_fitness_of_singles_is_fitted_to_training_pairs(interactions):
    f, train, test = np.linspace(-1, 1, 24), np.arange(18), np.arange(18, 24)
    made = 2 + 3 * np.add.outer(f, f) - np.outer(f, f)
    np.fill_diagonal(made, np.nan)
    spoilt = made.copy()
    spoilt[test] = spoilt[:, test] = 99
    found = chapter.of_singles(f, spoilt, train, test, test)
    above = np.triu_indices(6, 1)
    assert np.allclose(found[above], made[np.ix_(test, test)][above])


def test_pairs_are_averaged_over_repeats_once_the_mean_of_a_fold_is_off():
    a = np.array([2, 0, 1])
    first = np.array([[0, 1., 2], [1, 0, 3], [2, 3, 0]])
    ends, values = chapter.pair_table([(a, a, first), (a, a, first + 10)])
    assert ends.tolist() == [[0, 1], [0, 2], [1, 2]]  # 3, 1 and 2, of which the mean is 2
    assert values == pytest.approx([1, -1, 0])
    ends, values = chapter.pair_table([(np.array([3]), np.array([1, 5]), np.array([[4., 6]]))])
    assert ends.tolist() == [[1, 3], [3, 5]] and values == pytest.approx([-1, 1])


def test_correlation_and_its_interval():
    rng = np.random.default_rng(5)
    pairs = np.arange(4000).reshape(-1, 2)  # no gene twice: the usual interval holds
    y, x = rng.normal(size=(2, 2000))
    x += 2 * y
    found = chapter.correlation(y, {"a": x, "flat": 0 * x}, pairs)
    r = stats.pearsonr(x, y)
    assert found["a"]["auc"] == pytest.approx(r.statistic) and found["flat"]["auc"] == 0
    low, high = r.confidence_interval()
    assert found["a"]["low"] == pytest.approx(low, abs=.003)
    assert found["a"]["high"] == pytest.approx(high, abs=.003)
    few = np.column_stack([np.arange(2000) % 20, 20 + np.arange(2000) // 20])
    shared = chapter.correlation(y + few[:, 0], {"a": x + few[:, 0]}, few)["a"]
    alone = chapter.correlation(y + few[:, 0], {"a": x + few[:, 0]}, pairs)["a"]
    assert shared["high"] - shared["low"] > 2 * (alone["high"] - alone["low"])
