"""The places of the gene map: they belong to the shipped vectors, and say when they do not."""

import gzip
import inspect

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import paths
from genept_utils.chapters import gene_functions

SHIPPED = paths.EMBEDDINGS / "minilm.h5ad"


def test_places_belong_to_the_shipped_vectors():
    table = gene_functions.read_map()
    assert list(table.index) == list(ad.read_h5ad(SHIPPED, backed="r").obs_names)
    assert table.to_numpy().min() >= 0 and table.to_numpy().max() <= 9999


def test_near_genes_lie_together():
    """Of the nearest genes by cosine most lie in a hundredth of the map around a gene."""
    vectors = ad.read_h5ad(SHIPPED).X.astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    place = gene_functions.read_map().to_numpy(float)
    asked = np.random.default_rng(0).choice(len(vectors), 200, replace=False)
    cosines = vectors[asked] @ vectors.T
    cosines[np.arange(200), asked] = -1
    near = place[cosines.argmax(axis=1)] - place[asked]
    far = place[asked[::-1]] - place[asked]
    assert np.median(np.hypot(*near.T)) < 0.1 * np.median(np.hypot(*far.T))


@pytest.mark.parametrize("sha", ["0" * 64, "f" * 64])
def test_places_of_other_vectors_are_refused(tmp_path, sha):
    path = tmp_path / "map.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write(f"# minilm.h5ad SHA-256 {sha}\nsymbol,x,y\nTP53,1,2\n")
    with pytest.raises(ValueError, match="genept_utils map"):
        gene_functions.read_map(path)


def test_written_places_are_read_back(tmp_path):
    table = pd.DataFrame({"x": [1, 2], "y": [3, 4]}, index=pd.Index(["NA", "TP53"], name="symbol"))
    for name in ("one", "two"):
        gene_functions.write_map(table, SHIPPED, tmp_path / f"{name}.csv.gz")
    pd.testing.assert_frame_equal(gene_functions.read_map(tmp_path / "one.csv.gz"), table)
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()


def test_place_puts_two_heaps_apart(monkeypatch):
    """With the first two numbers in place of UMAP, which is compiled for fifteen seconds."""
    import umap

    known = inspect.signature(umap.UMAP)

    class Drawn:
        def __init__(self, **options):
            known.bind(**options)

        def fit_transform(self, X):
            return X[:, :2]

    monkeypatch.setattr(umap, "UMAP", Drawn)
    rng = np.random.default_rng(1)
    middles = np.repeat(np.eye(2, 20), 60, axis=0)
    heaps = ad.AnnData((middles + 0.05 * rng.standard_normal((120, 20))).astype(np.float32))
    table = gene_functions.map_places(heaps)
    first, second = table.iloc[:60], table.iloc[60:]
    apart = np.hypot(*(first.mean() - second.mean()))
    assert apart > 2 * max(first.std().max(), second.std().max())
    assert (table.min().min(), table.max().max()) == (0, 9999)


@pytest.mark.parametrize("X, said", [
    (np.eye(15, 4), "15 vectors make no map"), (np.ones((0, 4)), "0 vectors make no map"),
    (np.eye(40, 4), "a vector is all zero"), (np.full((40, 4), np.nan), "all zero or holds NaN")])
def test_vectors_without_a_place_are_refused(X, said):
    with pytest.raises(ValueError, match=said):
        gene_functions.map_places(ad.AnnData(X.astype(np.float32)))
