"""Cells written with gene vectors: the same genes for all, nulls prepared alike, one search."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.metrics import silhouette_samples, silhouette_score
from sklearn.neighbors import NearestNeighbors

from genept_utils import cells, embed, evaluate
from genept_utils.chapters import cell_types
from genept_utils.evaluate import neighbours
from genept_utils.evaluate.gene_spaces import placed
from genept_utils.evaluate.layout import neighbour_graph
from genept_utils.evaluate.neighbours import neighbours_and_sums, silhouettes


@pytest.fixture
def small():
    rng = np.random.default_rng(0)
    symbols = embed.read_embedding("minilm").obs_names[::300].to_numpy()[:60]
    counts = sp.csr_matrix(np.log1p(rng.poisson(.7, (90, 60))), dtype=np.float32)
    return ad.AnnData(counts, obs=pd.DataFrame({"cell_type": ["a", "b", "c"] * 30},
                                               index=[f"c{i}" for i in range(90)]),
                      var=pd.DataFrame(index=symbols), uns={"log1p": {}})


def test_a_gene_that_one_embedding_lacks_is_left_out_for_all(small):
    text = embed.read_embedding("minilm")
    symbols = small.var_names[5:]
    other = embed.as_embedding(np.arange(len(symbols))[:, None] + np.zeros(3),
                               pd.DataFrame(index=symbols[::-1]), model="m", text="none")
    made, vectors = evaluate.on_same_genes(small, {"text": text, "other": other})
    assert made.var_names.tolist() == symbols.tolist()
    assert vectors["other"][:, 0].tolist() == list(range(len(symbols)))[::-1]
    assert np.array_equal(vectors["text"], text[made.var_names].X)
    assert small.uns["same_genes"]["genes"] == 55
    with pytest.raises(ValueError, match="1 of 60 genes"):
        evaluate.on_same_genes(small, {"text": text, "one": other[:1]})


@pytest.mark.parametrize("whitened", [False, True])
def test_cells_are_written_as_by_genept_w(small, whitened):
    text = embed.read_embedding("minilm")
    cells.genept_w(small, text, key="x", whitened=whitened)
    vectors, mean = text[small.var_names].X, np.asarray(small.X.mean(axis=0)).ravel()
    made = (evaluate.write(small.X, cells.whiten(vectors), mean) if whitened else
            evaluate.write(small.X, vectors))
    assert np.allclose(made, small.obsm["x"], atol=1e-4)


def test_each_null_is_prepared_like_its_text_and_drawn_anew(small):
    small.obsm["mine"] = np.ones((90, 2))
    text = embed.read_embedding("minilm")[small.var_names].X
    made = [(row["method"], row["draw"], X) for row, X in
            evaluate.ways(small, {"GenePT-w": text}, n_resamples=2, seed=3)]
    assert [name for name, draw, _ in made if draw in (None, 3)] == [
        "mine", "GenePT-w", "SVD", "permuted", "random", "GenePT-w hvg", "SVD hvg",
        "permuted hvg", "random hvg", "GenePT-w whitened", "PCA L2", "permuted whitened",
        "random whitened"]
    drawn = {(name, draw): X for name, draw, X in made}
    rng = np.random.default_rng(3)
    assert np.allclose(drawn["permuted", 3],
                       evaluate.write(small.X, text[rng.permutation(len(text))]), atol=1e-5)
    for name in ("permuted", "random whitened"):
        assert not np.allclose(drawn[name, 3], drawn[name, 4], atol=1e-3)
    for X in list(drawn.values())[1:]:
        assert np.allclose(np.linalg.norm(X, axis=1), 1, atol=1e-5)


def test_pairs_are_of_one_preparation_and_sets_are_the_unit():
    rows = [{"dataset": name, "preparation": kind, "vectors": vectors, "unit": unit,
             "method": vectors + kind, "ari": unit + number * (vectors == "GenePT-w")}
            for number, name in enumerate(("x", "y", "z")) for kind in ("", " hvg")
            for vectors in ("GenePT-w", "random") for unit in (0, 1)]
    table = pd.DataFrame(rows)
    pairs = evaluate.pairs_alike(table)[["method", "against"]].to_numpy()
    assert pairs.tolist() == [["GenePT-w", "random"], ["GenePT-w hvg", "random hvg"]]
    scores, gaps = cell_types.over_sets(table, ["ari"], pairs, "unit")
    whole = gaps.query("dataset == '3 sets'")
    assert whole["value"].tolist() == [1, 1] and (whole["n"] == 3).all()
    assert whole["low"].iloc[0] == pytest.approx(1 - 4.3027 / np.sqrt(3), abs=1e-3)
    assert gaps.query("dataset == 'y'")[["value", "n"]].to_numpy().tolist() == [[1, 2]] * 2
    assert scores["dataset"].tolist()[-1] == "3 sets"


def test_neighbours_and_widths_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1200, 5)).astype(np.float32)  # more than one block
    y = np.array(["a", "b", "c"])[rng.integers(0, 3, 1200)]
    X[:, 0] += y == "a"
    X[7], y[11] = X[3], "alone"  # a double, and a type of one cell
    obs = pd.DataFrame({"cell_type": y, "batch": rng.choice(["x", "y", "z"], 1200)})
    obs.loc[20:40, "batch"] = None
    near, width, others = cell_types.neighbourhood(X + 100, obs)
    assert width == pytest.approx(silhouette_score(X, y), abs=1e-4)
    assert near.shape == (1200, 40) and not (near == np.arange(1200)[:, None]).any()
    kept = y != "alone"
    X, obs = X[kept], obs[kept].reset_index(drop=True)
    y = obs["cell_type"].to_numpy()
    near, _, others = cell_types.neighbourhood(X, obs)
    once = cell_types.cell_typing(X, y, near=near)
    assert np.allclose(once["accuracy"], cell_types.cell_typing(X, y)["accuracy"], atol=.005)
    pd.testing.assert_frame_equal(
        cell_types.cell_typing(X, y, groups=obs["batch"], near=others),
        cell_types.cell_typing(X, y, groups=obs["batch"]), atol=.005)
    with pytest.raises(ValueError, match="fewer than 10"):
        cell_types.cell_typing(X, y, near=near[:, :11])
    assert cell_types.neighbourhood(X, obs[["cell_type"]])[2] is None


def test_silhouettes_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 3)), np.append(5, rng.choice([0, 2, 3], 59))
    _, sums = neighbours_and_sums(X, y, 5, n_groups=8)
    assert sums.shape == (60, 8)
    assert np.allclose(silhouettes(sums, y), silhouette_samples(X, y), atol=1e-5)


def test_distances_in_blocks_are_those_of_all_rows(monkeypatch):
    rng = np.random.default_rng(0)
    X, y, batch = rng.standard_normal((50, 3)), rng.choice(4, 50), rng.choice(3, 50) - 1
    whole = neighbours_and_sums(X, y, 5, apart=(batch, 4))
    nearest = NearestNeighbors(n_neighbors=5).fit(X).kneighbors(return_distance=False)
    assert np.array_equal(whole[0], nearest)
    monkeypatch.setattr(neighbours, "HELD", 400)  # eight rows at a time, at last two
    for made, wanted in zip(neighbours_and_sums(X, y, 5, apart=(batch, 4)), whole, strict=True):
        np.testing.assert_allclose(made, wanted, rtol=1e-5)


def test_genes_at_other_places_stay_in_order():
    """The kernel runs through each cell's genes in order, so what says it is sorted must be."""
    X = sp.random(20, 30, .4, format="csr", dtype=np.float32, rng=0)
    mixed = np.random.default_rng(0).permutation(30)
    for places in (np.arange(30), mixed, np.where(mixed < 9, -1, mixed)):
        made = placed(X, places, 30)
        assert made.has_sorted_indices and all(
            (np.diff(made.indices[a:b]) > 0).all() for a, b in zip(made.indptr, made.indptr[1:]))
        wanted = np.zeros((20, 30), np.float32)
        wanted[:, places[places >= 0]] = X.toarray()[:, places >= 0]
        assert np.array_equal(made.toarray(), wanted)


def test_the_graph_of_a_map_is_umap_learns():
    from umap.umap_ import fuzzy_simplicial_set

    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3)).astype(np.float32)
    X[5] = X[9]
    near, far = NearestNeighbors(n_neighbors=15).fit(X).kneighbors(X)[::-1]
    theirs, *_ = fuzzy_simplicial_set(X, 15, None, "euclidean", knn_indices=near, knn_dists=far)
    assert abs(neighbour_graph(X) - theirs).max() < .02
    xy = evaluate.umap_layout(np.repeat([[0, 0], [9, 9]], 20, axis=0) + X[:40, :2])
    assert xy.shape == (40, 2) and np.isfinite(xy).all()


def test_runs_of_k_means_go_by_their_seeds():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b"], 40)
    X = rng.standard_normal((80, 3)) + 6 * (y == "b")[:, None]
    some = evaluate.clustering(X, y, range(1, 6, 2))
    assert some["seed"].tolist() == [1, 3, 5] and (some["ari"] == 1).all()
    whole = evaluate.clustering(X, y, 6).set_index("seed").loc[[1, 3, 5]]
    assert np.array_equal(whole["ari"], some["ari"])
