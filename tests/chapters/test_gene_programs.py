"""Programs of several models, families in them, and how selective they are for cell types."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils.chapters import gene_programs as chapter


@pytest.fixture(scope="module")
def planted():
    """60 genes in two groups of 20 with vectors close to each other, and 20 others."""
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(30)[:2], 20, axis=0)
    near = centres + 0.05 * rng.standard_normal((40, 30))
    return np.vstack([near, rng.standard_normal((20, 30))])


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("share, least", [(.2, 1), (.01, .5), (1, 1)])
def test_pairs_are_counted_and_the_closest_kept(monkeypatch, planted, kind, share, least):
    monkeypatch.setattr(chapter, "ROWS", 7)
    rows = planted / np.linalg.norm(planted, axis=1, keepdims=True)
    expected = {(i, j): rows[i] @ rows[j] for i in range(60) for j in range(i + 1, 60)}
    counts, median, kept = chapter.pair_cosines(kind(planted), share, least)
    values = np.array([*expected.values()])
    np.testing.assert_array_equal(counts, np.histogram(values, np.linspace(-1, 1.01, 202))[0])
    assert median == pytest.approx(np.median(values), abs=2e-3)
    cut = min(np.sort(values)[-round(share * len(values))], least)
    wanted = {pair: value for pair, value in expected.items() if value >= cut - 1e-9}
    assert [*zip(kept.a, kept.b)] == [*wanted]
    np.testing.assert_allclose(kept.cosine, [*wanted.values()], atol=1e-5)


def test_the_program_that_holds_most_of_a_family():
    program = np.array([0] * 6 + [1] * 4 + [-1] * 5)
    families = {"split": np.isin(np.arange(15), [0, 6, 14]), "whole": np.arange(15) >= 6,
                "none": np.arange(15) >= 10}
    table = chapter.family_recovery({("m", "cut"): program}, families)
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
    np.testing.assert_allclose(chapter.program_scores(chapter.scaling(X), program), expected, atol=1e-9)
    np.testing.assert_allclose(chapter.program_scores(chapter.scaling(sp.csr_matrix(X)), program), expected,
                               atol=1e-9)


def test_selective_programs_stand_out_from_shuffled_ones(cells):
    X, kind = cells
    program = np.repeat([0, 1], 10)
    effects = {("set", "m"): chapter.selectivity(X, program, kind, shuffles=100, seed=3)}
    eta, null = effects["set", "m"]
    assert null.shape == (100, 2) and eta[0] > np.quantile(null[:, 0], .95) > eta[1]
    row, = chapter.selectivity_table(effects, ["dataset", "method"]).itertuples()
    assert (row.dataset, row.method, row.n, row.above) == ("set", "m", 2, .5)
    assert row.value == pytest.approx(eta.mean()) and row.shuffled == pytest.approx(null.mean())
    assert np.isnan(chapter.selectivity(X, np.repeat([0, 2], 10), kind, 1)[0][1])


def test_explained_by_is_eta_squared():
    labels = np.repeat(["a", "b"], 50)
    values = np.column_stack([labels == "a", np.tile([0., 1.], 50), np.ones(100)]).astype(float)
    np.testing.assert_allclose(chapter.explained_by(labels, values), [1, 0, np.nan], atol=1e-12)
