"""Agreement of two embeddings: against known answers, and on real ada-002 vectors."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from genept_utils import embed, evaluate, sources


@pytest.fixture
def vectors():
    return np.random.default_rng(0).standard_normal((60, 8))


def test_the_same_vectors_agree_whatever_their_axes(vectors):
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((8, 8)))[0]
    made = evaluate.agreement(vectors, 3 * vectors @ turn)
    assert made["rank_correlation"] == pytest.approx((1, 1, 1))
    assert made["shared_neighbours"] == pytest.approx((1, 1, 1))


def test_the_value_is_spearmans_of_scipys_cosines(vectors):
    from scipy import stats

    other = vectors + np.random.default_rng(1).standard_normal(vectors.shape)
    value, low, high = evaluate.agreement(vectors, other)["rank_correlation"]
    assert value == pytest.approx(
        stats.spearmanr(pdist(vectors, "cosine"), pdist(other, "cosine")).statistic)
    assert low < value < high


def test_permuted_vectors_agree_by_chance(vectors):
    other = np.random.default_rng(2).permutation(vectors)
    made = evaluate.agreement(vectors, other, k=6)
    assert abs(made["rank_correlation"][0]) < .1
    assert made["shared_neighbours"][0] == pytest.approx(6 / 59, abs=.05)


def test_shared_neighbours_do_not_depend_on_their_order():
    a, b = np.array([["x", "y"], ["x", "y"]]), np.array([["y", "x"], ["x", "z"]])
    assert evaluate.shared_neighbours(a, b).tolist() == [1, .5]


def test_real_ada002_vectors_are_read_and_know_their_genes(source):
    """86 vectors of the authors' file: unit norm, 1,536 numbers, families near each other."""
    path = source("vectors/ada002_86_genes.csv.gz")
    assert sources.sha256(path) == sources.registry().sha256["vectors/ada002_86_genes.csv.gz"]
    found = embed.read_embedding(str(path))
    genes = found[found.obs_names != "ctrl"]
    assert genes.shape == (86, 1536)
    np.testing.assert_allclose(np.linalg.norm(genes.X, axis=1), 1, atol=1e-5)
    assert genes.obs.loc["AARS", "symbol"] == "AARS1"
    keys, cosines = embed.nearest(genes, ["EIF2B2", "SEC61B", "MARS"], 3)
    assert set(keys[0]) >= {"EIF2B3", "EIF2B4"} and "SEC61G" in keys[1]
    assert cosines.min() > .8  # ada-002 keeps all its vectors in a narrow cone
