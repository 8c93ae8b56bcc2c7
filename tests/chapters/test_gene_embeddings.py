"""Agreement of two embeddings: against known answers, and on real ada-002 vectors."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from genept_utils import embed, sources
from genept_utils.chapters import gene_embeddings as chapter


@pytest.fixture
def vectors():
    return np.random.default_rng(0).standard_normal((60, 8))


def test_the_same_vectors_agree_whatever_their_axes(vectors):
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((8, 8)))[0]
    made = chapter.agreement(vectors, 3 * vectors @ turn)
    assert made["rank_correlation"] == pytest.approx((1, 1, 1))
    assert made["shared_neighbours"] == pytest.approx((1, 1, 1))


def test_the_value_is_spearmans_of_scipys_cosines(vectors):
    other = vectors + np.random.default_rng(1).standard_normal(vectors.shape)
    value, low, high = chapter.agreement(vectors, other)["rank_correlation"]
    assert value == pytest.approx(
        stats.spearmanr(pdist(vectors, "cosine"), pdist(other, "cosine")).statistic)
    assert low < value < high


def test_permuted_vectors_agree_by_chance(vectors):
    other = np.random.default_rng(2).permutation(vectors)
    made = chapter.agreement(vectors, other, k=6)
    assert abs(made["rank_correlation"][0]) < .1
    assert made["shared_neighbours"][0] == pytest.approx(6 / 59, abs=.05)


def test_shared_neighbours_do_not_depend_on_their_order():
    a, b = np.array([["x", "y"], ["x", "y"]]), np.array([["y", "x"], ["x", "z"]])
    assert chapter.shared_neighbours(a, b).tolist() == [1, .5]


def test_the_interval_of_shared_neighbours_is_that_of_genes_left_out(vectors):
    k, few = 3, vectors[:14]
    other = few + np.random.default_rng(1).standard_normal(few.shape)
    tables = [(1 - squareform(pdist(some, "cosine"))) - 9 * np.eye(14) for some in (few, other)]

    def shares(tables):
        near = [np.argsort(-table, axis=1)[:, :k] for table in tables]
        return np.array([len(set(a) & set(b)) / k for a, b in zip(*near)])

    share, change = shares(tables), np.zeros((14, 14))
    for gone in range(14):
        rest = np.arange(14) != gone
        change[rest, gone] = shares([table[:, rest][rest] for table in tables]) - share[rest]
    moved = change.sum(axis=0) - share
    both = ((moved - moved.mean())**2).sum() - (change**2).sum()
    half = stats.t.ppf(.975, 13) * np.sqrt(max(both, ((share - share.mean())**2).sum())) / 14
    made = chapter.agreement(few, other, k=k)["shared_neighbours"]
    assert both > ((share - share.mean())**2).sum()
    assert made == pytest.approx((share.mean(), max(share.mean() - half, 0),
                                  min(share.mean() + half, 1)))


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


def test_units_of_many_values_are_drawn_whole():
    units = np.repeat(np.arange(40), 25)
    each = np.random.default_rng(0).standard_normal(40)
    made = chapter.family_interval(each[units], units)
    assert made == pytest.approx((each.mean(), *stats.t.interval(.95, 39, each.mean(),
                                                                 stats.sem(each))))
    uneven = np.repeat([0, 1, 2], [1, 2, 6])  # nine values, no nine units, and no three either
    values = np.arange(9.)
    without = np.array([values[uneven != unit].mean() for unit in range(3)])
    half = (stats.t.ppf(.975, max(81 / 41 - 1, 1))
            * np.sqrt(2 / 3 * ((without - 4)**2).sum()))
    assert chapter.family_interval(values, uneven) == pytest.approx((4, 4 - half, 4 + half))
