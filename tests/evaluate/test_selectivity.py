"""Programs of several models, families in them, and how selective they are for cell types."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import evaluate


@pytest.fixture(scope="module")
def planted():
    """60 genes in two groups of 20 with vectors close to each other, and 20 others."""
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(30)[:2], 20, axis=0)
    near = centres + 0.05 * rng.standard_normal((40, 30))
    return np.vstack([near, rng.standard_normal((20, 30))])


def test_pair_cosines_are_those_of_all_pairs(planted):
    rows = planted / np.linalg.norm(planted, axis=1, keepdims=True)
    expected = [rows[i] @ rows[j] for i in range(60) for j in range(i + 1, 60)]
    np.testing.assert_allclose(evaluate.pair_cosines(planted), expected, atol=1e-6)


def test_program_sets_say_what_was_joined(planted):
    symbols = [f"G{i}" for i in range(60)]
    made, graphs = evaluate.program_sets({"near": planted, "noise": planted[::-1]}, symbols,
                                         0.2, cosines=(.5,), only_density=("noise",),
                                         resolution=1)
    assert made.columns.tolist() == [("near", "cosine .5"), ("near", "matched density"),
                                     ("noise", "matched density")]
    assert made.index.tolist() == symbols
    found = made["near", "cosine .5"].to_numpy()
    assert found[:40].tolist() in ([0] * 20 + [1] * 20, [1] * 20 + [0] * 20)
    row = graphs.iloc[0]
    assert (row["cosine"], row["programs"], row["genes"]) == (.5, 2, (found >= 0).sum())
    assert row["% of pairs joined"] == pytest.approx(
        100 * np.mean(evaluate.pair_cosines(planted) > .5))


def test_the_program_that_holds_most_of_a_family():
    program = np.array([0] * 6 + [1] * 4 + [-1] * 5)
    families = {"split": np.isin(np.arange(15), [0, 6, 14]), "whole": np.arange(15) >= 6,
                "none": np.arange(15) >= 10}
    table = evaluate.family_recovery({("m", "cut"): program}, families)
    assert table.loc[("split", "m", "cut"), ["found", "program", "size"]].tolist() == [1, 1, 4]
    whole = table.loc[("whole", "m", "cut")]
    assert whole[["found", "genes", "program", "size"]].tolist() == [4, 9, 1, 4]
    assert whole["value"] == pytest.approx(4 / 9) and whole["low"] < 4 / 9 < whole["high"]
    assert whole["p"] == pytest.approx(9 * 8 * 7 * 6 / (15 * 14 * 13 * 12))
    assert table.loc[("none", "m", "cut"), ["found", "size", "p"]].tolist() == [0, 0, 1]


@pytest.fixture(scope="module")
def cells():
    """80 cells of two types; genes 0 to 9 follow the type, gene 19 is constant."""
    rng = np.random.default_rng(1)
    kind = np.repeat(["a", "b"], 40)
    X = rng.random((80, 20))
    X[:, :10] += (kind == "a")[:, None]
    X[:, 19] = 1
    return X, kind


def test_program_scores_are_means_of_scaled_genes(cells):
    X, _ = cells
    program = np.array([0] * 5 + [2] * 5 + [3] * 8 + [-1, 3])
    spread = X.std(axis=0)
    scaled = np.where(spread > 0, (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1), 0)
    expected = np.column_stack([scaled[:, program == k].mean(axis=1) if (program == k).any()
                                else np.zeros(80) for k in range(4)])
    np.testing.assert_allclose(evaluate.program_scores(X, program), expected, atol=1e-9)
    np.testing.assert_allclose(evaluate.program_scores(sp.csr_matrix(X), program), expected,
                               atol=1e-9)


def test_selective_programs_stand_out_from_shuffled_ones(cells):
    X, kind = cells
    program = np.repeat([0, 1], 10)
    effects = {("set", "m"): evaluate.selectivity(X, program, kind, shuffles=100, seed=3)}
    eta, null = effects["set", "m"]
    assert null.shape == (100, 2) and eta[0] > np.quantile(null[:, 0], .95) > eta[1]
    row, = evaluate.selectivity_table(effects, ["dataset", "method"]).itertuples()
    assert (row.dataset, row.method, row.n, row.above) == ("set", "m", 2, .5)
    assert row.value == pytest.approx(eta.mean()) and row.shuffled == pytest.approx(null.mean())
    assert np.isnan(evaluate.selectivity(X, np.repeat([0, 2], 10), kind, 1)[0][1])


def test_welch_is_scipys():
    from scipy import stats

    values = {"a": np.array([1., 2, 3, np.nan]), "b": np.array([2., 4, 7, 9])}
    row, = evaluate.welch(values, "a", ["b"]).itertuples()
    test = stats.ttest_ind(values["a"][:3], values["b"], equal_var=False).confidence_interval()
    assert row.difference == pytest.approx(2 - 5.5)
    assert (row.low, row.high) == pytest.approx((test.low, test.high))
    assert isinstance(evaluate.welch(values, "a", []), pd.DataFrame)
