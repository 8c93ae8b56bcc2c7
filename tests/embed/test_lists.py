"""Genes near a list: without hubs, and beside random lists."""

from collections import Counter

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import genept_utils as gp
from genept_utils.embed import find


@pytest.fixture(scope="module")
def genes():
    """300 genes that all point one way, one of them exactly that way, and a family of ten."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 24))
    X[:10] = X[0] + .6 * rng.standard_normal((10, 24))
    X += 8 * np.ones(24) / np.sqrt(24)
    X[299] = 1
    return ad.AnnData(X.astype(np.float32), obs=pd.DataFrame(index=[f"g{i}" for i in range(300)]))


def test_score_and_limit_as_computed_one_by_one(genes):
    found = gp.nearest_to_list(genes, ["g1", "g2", "g2", "g3"], 5, lists=200, seed=3)
    unit = genes.X / np.linalg.norm(genes.X, axis=1, keepdims=True)
    own = unit - unit.mean(axis=0)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    usual = np.sqrt(((own @ own.T) ** 2).mean(axis=1))
    mean = own[1:4].mean(axis=0)
    cosines = own @ mean / np.linalg.norm(mean)
    score = cosines / usual
    score[1:4] = -9
    assert list(found.index) == [f"g{i}" for i in np.argsort(-score)[:5]]
    np.testing.assert_allclose(found["score"], np.sort(score)[:-6:-1], rtol=1e-4)
    np.testing.assert_allclose(found["cosine"], cosines[np.argsort(-score)[:5]], rtol=1e-4)
    largest, rng = [], np.random.default_rng(9)
    for _ in range(2000):
        drawn = rng.choice(300, 3, replace=False)
        mean = own[drawn].mean(axis=0)
        one = own @ mean / np.linalg.norm(mean) / usual
        one[drawn] = -9
        largest.append(one.max())
    assert found.attrs["limit"] == pytest.approx(np.quantile(largest, .95), rel=.06)
    assert found.attrs | {"limit": 0} == {"limit": 0, "lists": 200, "level": .95, "size": 3}
    assert (found["above"] == (found["score"] > found.attrs["limit"])).all()
    assert found["above"].iloc[0] and not found["above"].iloc[-1]


def test_a_gene_with_an_average_text_is_not_near_every_list(genes):
    rng, plain, scored = np.random.default_rng(1), Counter(), Counter()
    for _ in range(60):
        names = list(rng.choice(genes.obs_names[10:299], 8, replace=False))
        scored.update(gp.nearest_to_list(genes, names, 5, lists=2).index)
        near = genes.X @ genes[names].X.mean(axis=0) / np.linalg.norm(genes.X, axis=1)
        near[genes.obs_names.get_indexer(names)] = -9
        plain.update(genes.obs_names[np.argsort(-near)[:5]])
    assert plain["g299"] > 50 and max(scored.values()) < 10


def test_few_random_lists_have_a_gene_above_the_limit(genes):
    rng = np.random.default_rng(2)
    above = sum(gp.nearest_to_list(genes, rng.choice(genes.obs_names, 6, replace=False), 1,
                                   lists=300)["above"].any() for _ in range(100))
    assert 0 < above <= 14


def test_genes_to_choose_from_and_names_that_are_none(genes):
    found = gp.nearest_to_list(genes, ["g1"], 99, among=[f"g{i}" for i in range(50)])
    assert len(found) == 49 and "g1" not in found.index and "g299" not in found.index
    with pytest.raises(KeyError, match="nope is no key"):
        gp.nearest_to_list(genes, ["g1", "nope"])
    for names, among in ((["g1"], ["g1"]), ([], None)):
        with pytest.raises(ValueError, match="more genes"):
            gp.nearest_to_list(genes, names, among=among)


def test_rows_of_zeros_stay_out(genes):
    vectors = np.vstack([genes.X[:20], np.zeros((2, 24), np.float32)])
    made = find.centred(vectors)
    assert not made[20:].any()
    np.testing.assert_allclose(made[:20], find.centred(genes.X[:20]), atol=1e-6)
    assert np.isfinite(find.spread(made)).all()
