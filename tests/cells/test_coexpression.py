"""Gene vectors from cells: the value, the form, the same from memory, file and Dask."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import genept_utils as gp
from genept_utils import cells, embed, paths

pytestmark = pytest.mark.skipif(not (paths.EMBEDDINGS / "minilm.h5ad").is_file(),
                                reason="the shipped embedding, which knows the names, is not here")
N_CELLS, N_GENES, N = 90, 40, 6


@pytest.fixture(scope="module")
def names():
    return embed.read_embedding().obs[["ensembl_id"]].query("ensembl_id != ''").iloc[:N_GENES]


@pytest.fixture
def counts(names):
    """(90, 40) counts of four programs of ten genes, whole in float32."""
    rng = np.random.default_rng(3)
    activity = rng.gamma(1, 2, (N_CELLS, 4))
    X = rng.poisson(activity[:, np.repeat(range(4), 10)] * rng.gamma(2, 1, N_GENES))
    return ad.AnnData(sp.csr_matrix(X.astype(np.float32)), var=pd.DataFrame(index=names.index),
                      obs=pd.DataFrame(index=[f"cell{i}" for i in range(N_CELLS)]))


def by_svd(counts, n=N, clip=10):
    """The same vectors by scaling a dense matrix and its whole decomposition."""
    X = counts.X.toarray().astype(float)
    logged = np.log1p(X / X.sum(axis=1, keepdims=True) * 10_000)
    scaled = (logged - logged.mean(axis=0)) / logged.std(axis=0, ddof=1)
    scaled = np.clip(scaled, -clip, clip)
    _, values, turned = np.linalg.svd(scaled - scaled.mean(axis=0), full_matrices=False)
    found = turned[:n].T * values[:n]
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def same_up_to_signs(a, b, atol=1e-4):
    signs = np.sign((a * b).sum(axis=0))
    assert np.allclose(a, b * signs, atol=atol)


@pytest.mark.parametrize("passes, atol", [(10, 1e-3), (14, 1e-4)])
def test_the_vectors_are_loadings_times_singular_values(counts, passes, atol):
    found = gp.coexpression(counts, n=N, passes=passes)  # 14 times 3 vectors are all of them
    assert list(found.obs_names) == list(counts.var_names)
    same_up_to_signs(found.X, by_svd(counts), atol)
    assert np.allclose(np.linalg.norm(found.X, axis=1), 1, atol=1e-6)


def test_values_are_cut_at_ten_standard_deviations(counts):
    counts = ad.concat([counts] * 3, index_unique="-")
    X = counts.X.tolil()
    X[:, 0], X[:, 1] = 0, 1e4
    X[[0, 1, 2], 0], X[[5], 1] = 90, 0  # three cells high; one cell low in a gene that hardly varies
    counts.X = X.tocsr()
    found = gp.coexpression(counts, n=N, passes=14).X
    same_up_to_signs(found, by_svd(counts))
    assert np.abs(np.abs(found @ found.T) - np.abs(
        by_svd(counts, clip=1e9) @ by_svd(counts, clip=1e9).T)).max() > .01


def test_the_form_is_that_of_read_embedding(counts):
    found, shipped = gp.coexpression(counts, n=N), embed.read_embedding()
    assert found.X.dtype == np.float32 and list(found.var_names) == [f"d{i}" for i in range(N)]
    assert list(found.obs.columns) == list(shipped.obs.columns)
    assert found.obs.index.name == shipped.obs.index.name
    assert found.obs["ensembl_id"].equals(shipped.obs["ensembl_id"].reindex(
        found.obs_names).astype(object))
    card = found.uns["genept"]
    assert card.items() >= {"model": "coexpression", "text": "none", "cells": N_CELLS,
                            "genes": N_GENES, "n_components": N, "seed": 0}.items()
    cells.genept_w(counts, found)
    assert counts.obsm["X_genept_w"].shape == (N_CELLS, N)
    assert counts.uns["genept"]["X_genept_w"]["coverage_mass"] == 1
