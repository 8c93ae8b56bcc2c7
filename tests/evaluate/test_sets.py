"""Sets of cells from files: which columns they must have, and what is said of those that are there."""

import gc

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import embed, evaluate, sources

SYMBOLS = ["TP53", "GAPDH", "CD3E", "MS4A1", "LYZ", "NKG7", "CD8A", "PPBP"]


@pytest.fixture(scope="module", autouse=True)
def small():
    """What other tests have left is looked through once, not after every set that is read."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def file(tmp_path):
    """Writes (n, 8) counts of two types with a batch and a donor, and returns the path."""
    def write(n=60, types=("B", "T"), **columns):
        rng = np.random.default_rng(0)
        obs = pd.DataFrame({"cell_type": np.resize(types, n), **columns},
                           index=[f"c{i}" for i in range(n)])
        adata = ad.AnnData(sp.csr_matrix(1. + rng.poisson(2, (n, 8)).astype(np.float32)), obs=obs,
                           var=pd.DataFrame(index=SYMBOLS), obsm={"X_own": np.ones((n, 2))})
        adata.obsm["X_own"][:, 0] = np.arange(n)
        adata.write_h5ad(tmp_path / "mine.h5ad")
        return str(tmp_path / "mine.h5ad")
    return write


def read(path, n=1000, **options):
    said = []
    made, = evaluate.read_sets([path], n, report=said.append, **options).values()
    return made, " ".join(said)


BATCHES = {"batch": np.tile(["x", "x", "y", "y"], 15)}


@pytest.mark.parametrize("options, kept, said", [
    ({}, True, ""),  # no page that looks at batches
    ({"batch": ""}, False, "its column batch was not asked for"),
    ({"batch": "batch"}, True, ""), ({"needs": ["batch"]}, True, ""),
    ({"needs": ["batch"], "batch": "batch"}, True, "")])
def test_a_batch_that_was_not_asked_for_is_dropped(file, options, kept, said):
    made, told = read(file(**BATCHES), **options)
    assert ("batch" in made.obs) is kept and said in told and bool(said) == bool(told)
    assert evaluate.overview({"mine": made}).columns.tolist() == [
        "cells", "genes", "types", *["batches"] * kept, "largest type"]


@pytest.mark.parametrize("columns, options, said", [
    ({"batch": "x"}, {"needs": ["batch"]}, "batch 'x'.*2 or more"),
    ({"donor": "x"}, {"needs": ["donor"]}, "donor 'x'.*2 or more"), ({"n": 49}, {}, "50"),
    ({"types": ["B"]}, {}, "compares 2"),
    ({"types": ["B", "T"]}, {"types": 3}, "compares 3")])
def test_what_a_set_must_have(file, columns, options, said):
    with pytest.raises(ValueError, match=said):
        read(file(**columns), **options)
    assert read(file(n=50))[0].n_obs == 50 and read(file(types=["B"]), types=1)[0].n_obs == 60
    donors = {"donor": np.tile(["p", "q"], 30)}
    assert read(file(**donors), needs=["donor"])[0].obs["donor"].nunique() == 2  # two are enough


def test_larger_sets_are_sampled_and_what_is_kept_stays_with_its_cell(file):
    path = file(120, ["B", "T", "T", "T"])
    made, _ = read(path, 60, seed=3, also=["X_own"], species="human")
    assert made.n_obs == 60 and (made.obs["cell_type"] == "T").sum() == 45
    assert [f"c{int(own)}" for own in made.obsm["X_own"][:, 0]] == list(made.obs_names)
    assert made.obsm["X_own"].dtype == np.float32 and made.uns["genept_data"]["values"] == "log"
    other, whole = read(path, 60, seed=4)[0], read(path, 120)[0]
    assert set(made.obs_names) != set(other.obs_names) and whole.n_obs == 120
    assert list(evaluate.read_sets([path], 60)) == ["mine"]
    row = evaluate.overview({"a": made, "b": whole}).loc["b"]
    assert row.tolist() == [120, 8, 2, .75]


def test_an_overview_of_sets_with_and_without_batches():
    def cells(n, **columns):
        return ad.AnnData(np.ones((n, 3)), obs=pd.DataFrame(columns, index=map(str, range(n))))

    made = evaluate.overview({"a": cells(7, cell_type=list("xxyzzzz")), "b": cells(
        3, cell_type=list("xxy"), batch=list("pqr"))})
    assert made["largest type"].tolist() == [.57, .67] and made["types"].tolist() == [3, 2]
    assert made["batches"].isna().tolist() == [True, False] and made["batches"].dtype == "Int64"
    assert made["batches"]["b"] == 3 and made.index.name == "dataset"


def test_vectors_that_cannot_be_had_are_reported():
    def lacking(seed):
        raise sources.SourceError(f"no server for {seed}\nmore")

    said = []
    made = evaluate.readable({"a": "minilm", "b": lacking, "c": lambda seed: seed}, 7, said.append)
    assert list(made) == ["a", "c"] and made["c"] == 7 and said == [
        "b is left out: no server for 7"]
    assert np.array_equal(made["a"].X[:3], embed.read_embedding("minilm").X[:3])
