"""Agreement of clusters with labels: scikit-learn's numbers, whatever the tables look like."""

import numpy as np
import pytest
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from genept_utils import evaluate
from genept_utils.evaluate.clusters import _agreement, k_means


@pytest.mark.parametrize("labels, clusters", [(3, 5), (6, 2), (2, 2), (1, 4), (4, 4)])
@pytest.mark.parametrize("alike", [0, .6])
def test_agreement_is_scikit_learns(labels, clusters, alike):
    rng = np.random.default_rng(labels + clusters)
    codes = np.append(np.arange(labels), rng.integers(0, labels, 60))
    found = np.append(np.arange(clusters), rng.integers(0, clusters, 60 + labels - clusters))
    found = np.where(rng.random(len(found)) < alike, codes % clusters, found)
    made = _agreement(codes, found)
    assert made["ari"] == pytest.approx(adjusted_rand_score(codes, found), abs=1e-12)
    assert made["ami"] == pytest.approx(adjusted_mutual_info_score(codes, found), abs=1e-12)


def blobs(n=90, apart=2.5):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    return rng.standard_normal((n, 4)) + apart * np.eye(4)[y], np.array(list("abc"))[y]


@pytest.mark.parametrize("seeds, seed, known", [(3, 5, [5, 6, 7]), ([9, 2], 0, [9, 2]), (1, 0, [0])])
def test_a_run_is_one_start_of_k_means(seeds, seed, known):
    X, y = blobs(apart=1)
    made = evaluate.clustering(X, y, seeds, seed)
    assert made["seed"].tolist() == known and list(made.columns) == ["seed", "ari", "ami"]
    centred, found = (X - X.mean(axis=0)).astype(np.float32), k_means(X, 3, known)
    for run, labels, ari in zip(known, found, made["ari"]):
        start, _ = kmeans_plusplus(centred.astype(float), 3, random_state=run)
        theirs = KMeans(3, init=start.astype(np.float32), n_init=1).fit_predict(centred)
        assert np.array_equal(labels, theirs)
        assert ari == pytest.approx(adjusted_rand_score(y, theirs), abs=1e-12)


def test_a_cluster_may_lose_its_rows():
    X = np.zeros((6, 2))
    assert k_means(X, 3, [0]).tolist() == [[0] * 6]
    assert set(k_means(X + np.arange(6)[:, None] // 3, 2, [0, 1])[1]) == {0, 1}


def test_the_first_column_sets_the_number_of_clusters():
    X, y = blobs(apart=9)
    columns = {"type": np.where(y == "a", "a", "other"), "fine": y, "one": ["x"] * 90,
               "own": np.arange(90)}
    made = evaluate.clustering(X, columns, 1).set_index("label")
    assert made.loc["fine", "ari"] == pytest.approx(adjusted_rand_score(
        y, np.where(y == y[0], 0, 1)), abs=.3) and made.loc["fine", "ari"] < .7
    assert made.loc["one"].tolist()[1:] == [0, 0] and list(made.index) == list(columns)
    turned = evaluate.clustering(X, {"fine": y, "type": columns["type"]}, 1).set_index("label")
    assert turned.loc["fine", "ari"] == 1
    for wrong in ({"one": ["x"] * 90, "fine": y}, {"own": np.arange(90)}):
        with pytest.raises(ValueError, match="label"):
            evaluate.clustering(X, wrong, 1)


def test_cells_far_from_zero_are_told_apart():
    X, y = blobs(apart=9)
    assert evaluate.clustering(X + 3e4, y, 3)["ari"].eq(1).all()
