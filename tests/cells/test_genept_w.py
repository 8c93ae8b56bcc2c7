"""GenePT-w step by step: which genes, which mean, what the card says; and the names of genes."""

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import cells, embed, paths
from genept_utils.cells import kernel
from genept_utils.cells.genept_w import about, vector_block, whitening
from genept_utils.cells.names import species_of, survey, vectors_of
from genept_utils.genes import gene_features

SYMBOLS = ["TP53", "GAPDH", "CD3E", "MS4A1", "LYZ", "NKG7", "CD8A", "PPBP"]

pytestmark = pytest.mark.skipif(not (paths.EMBEDDINGS / "minilm.h5ad").is_file(),
                                reason="the shipped embedding, which knows the names, is not here")


def made(names, X=None, **columns):
    X = np.random.default_rng(0).poisson(2, (30, len(names))) + 1 if X is None else X
    return ad.AnnData(sp.csr_matrix(X, dtype=np.float32),
                      var=pd.DataFrame(columns, index=list(names)))


def drawn(names, d=4):
    return embed.as_embedding(np.random.default_rng(2).standard_normal((len(names), d)),
                              pd.DataFrame(index=list(names)), model="drawn", text="none")


# ------------------------------------------------------------------ blocks and preparations

@pytest.mark.parametrize("columns", [None, np.arange(8) % 3 > 0])
@pytest.mark.parametrize("offset", [None, np.array([1., -2, .5], dtype=np.float32)])
def test_a_block_of_cells(columns, offset):
    X, V = made(SYMBOLS).X, np.random.default_rng(1).standard_normal((8, 3)).astype(np.float32)
    used = slice(None) if columns is None else columns
    expected = X.toarray()[:, used] @ V[used] - (0 if offset is None else offset)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = vector_block(X, V[used], offset, columns)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("ridge", [.1, 1.])
def test_whitening_is_the_inverse_root_of_the_covariance(ridge):
    V = np.random.default_rng(0).standard_normal((40, 5)) * [9, 4, 2, 1, .1] + 3
    C = np.cov(V, rowvar=False)
    values, axes = np.linalg.eigh(C)
    root = axes @ np.diag((values + ridge * values.max())**-.5) @ axes.T
    mean, found = whitening(V, ridge)
    np.testing.assert_allclose(mean, V.mean(axis=0))
    np.testing.assert_allclose(found, root, rtol=1e-6)
    np.testing.assert_allclose(cells.whiten(V, ridge), (V - V.mean(axis=0)) @ root, rtol=1e-4,
                               atol=1e-4)
    flat = np.ones((4, 3))
    flat[0, 0] = 2  # directions without any variance have no root of a negative number
    assert np.isfinite(cells.whiten(flat, 0.01)).all()


@pytest.mark.parametrize("options, used, card", [
    ({}, 6, (0, False)), ({"hvg": 99}, 6, (99, False)), ({"whitened": True}, 6, (0, True)),
    ({"hvg": 99, "whitened": True}, 6, (99, True))])
def test_the_card_says_what_was_used(options, used, card):
    adata, vectors = made(SYMBOLS), drawn(SYMBOLS[:6])
    cells.genept_w(adata, vectors, **options)
    told = adata.uns["genept"]["X_genept_w"]
    assert (told["genes_used"], told["hvg"], told["whitened"]) == (used, *card)
    assert told["coverage_genes"] == .75 and told["cells_without_a_vector"] == 0
    assert told["coverage_mass"] == pytest.approx(adata.X[:, :6].sum() / adata.X.sum())
    assert (told["embedding"], told["text"]) == ("drawn", "none")
    X, V = adata.X.toarray(), np.asarray(vectors.X, float)
    logs = np.log1p(X / X.sum(axis=1, keepdims=True) * 10_000)[:, :6]
    expected = (logs - logs.mean(axis=0)) @ cells.whiten(V) if card[1] else logs @ V
    np.testing.assert_allclose(adata.obsm["X_genept_w"], embed.unit(expected), atol=2e-3)
    bare = about(ad.AnnData(np.ones((1, 1))), {"genes": 1, "count_fraction": 1, "species": "human",
                                               "names": "x"}, 3)
    assert (bare["embedding"], bare["hvg"], bare["whitened"], bare["genes_used"]) == (
        "unknown", 0, False, 3)


@pytest.mark.parametrize("names, options, said", [
    (SYMBOLS[:1], {"whitened": True}, "whitening needs two genes with a vector; there is one"),
    (["PPBP"], {"hvg": 2}, "none of the 2 most variable genes has a vector")])
def test_too_few_genes_with_a_vector(names, options, said):
    rng = np.random.default_rng(0)
    X = rng.poisson(np.array([9, 9, 2, 2, 2, 2, 2, 2]) * rng.gamma(.3, 3, (60, 8))) + .0
    X[:, 7] = 1
    adata = made(SYMBOLS, X + (np.arange(8) == 6))
    with pytest.raises(ValueError, match=said):
        cells.genept_w(adata, drawn(names), **options)
    cells.genept_w(adata, drawn(SYMBOLS[:2]), whitened=True)  # two are enough


# ------------------------------------------------------------------ names and coverage

@pytest.mark.parametrize("known, said", [(2, "though 50%"), (1, "put symbols")])
def test_no_vector_for_any_name(known, said):
    names = [*SYMBOLS[:known], *[f"what_{i}_x" for i in range(4 - known)]]
    with pytest.raises(ValueError, match=said):
        cells.gene_vectors(made(names), drawn(SYMBOLS[4:]))


@pytest.mark.parametrize("share, warned", [(.19, True), (.2, False), (.21, False)])
def test_few_counts_on_genes_with_a_vector(share, warned):
    X = np.tile([100 * share, 100 * (1 - share)], (3, 1)).round().astype(np.float32)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, has, told = cells.gene_vectors(made(SYMBOLS[:2], X), drawn(SYMBOLS[:1]))
    assert has.tolist() == [True, False] and told["genes"] == .5
    assert told["count_fraction"] == pytest.approx(share)
    assert any("of the counts lie on" in str(one.message) for one in caught) is warned


def test_vectors_go_by_gene_and_others_are_zero():
    vectors = drawn(SYMBOLS[::-1])
    table, has, told = vectors_of(pd.DataFrame(index=["GAPDH", "what_is_it", "TP53"]),
                                  np.array([3., 4, 1]), vectors)
    assert has.tolist() == [True, False, True] and not table[1].any()
    assert np.array_equal(table[[0, 2]], vectors[["GAPDH", "TP53"]].X)
    assert told["count_fraction"] == .5 and told["genes"] == pytest.approx(2 / 3)
    assert told["species"] == "human" and table.dtype == np.float32
    assert np.isnan(vectors_of(pd.DataFrame(index=["TP53"]), None, vectors)[2]["count_fraction"])


def test_features_that_are_no_genes_are_in_no_share():
    var = pd.DataFrame({"feature_types": ["Gene Expression"] * 2 + ["Antibody Capture"] * 2},
                       index=["TP53", "GAPDH", "CD8A", "LYZ"])
    with pytest.warns(UserWarning, match="2 of 4 features"):
        assert gene_features(var).tolist() == [True, True, False, False]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gene_features(var[:2]) is None and gene_features(var[2:]) is None
    adata = made(var.index, feature_types=var["feature_types"].to_numpy())
    with pytest.warns(UserWarning):
        X, kept, genes, summary = survey(adata.X, adata.var)
    assert kept.tolist() == [True, True, False, False] and list(genes.index) == ["TP53", "GAPDH"]
    np.testing.assert_array_equal(summary.gene_totals, adata.X[:, :2].toarray().sum(axis=0))
    with pytest.warns(UserWarning):
        told = cells.gene_vectors(adata, drawn(["TP53"]))[2]
    assert told["genes"] == .5


def test_a_given_species_wins_over_a_declared_one():
    adata = made(SYMBOLS)
    assert species_of(adata) is None and species_of(adata, "mouse") == "mouse"
    adata.uns["genept_data"] = {"species": "mouse"}
    assert species_of(adata) == "mouse" and species_of(adata, "human") == "human"
    adata.X = None
    with pytest.raises(ValueError, match="the AnnData has no X"):
        cells.gene_vectors(adata, drawn(SYMBOLS))


# ------------------------------------------------------------------ when compiled code is loaded

@pytest.mark.parametrize("work, compiled", [
    ([9, 9, 9], [0, 0, 0]), ([100], [1]), ([99], [0]), ([10, 90], [0, 1]), ([10, 89], [0, 0]),
    ([9, 91], [0, 1]), ([91, 9, 10], [0, 0, 1]), ([100, 9, 10], [1, 0, 1])])
def test_small_sets_add_up_to_the_price_of_loading(monkeypatch, work, compiled):
    monkeypatch.setattr(kernel, "SMALL", 10)
    monkeypatch.setattr(kernel, "LOADING", 100)
    monkeypatch.setattr(kernel, "_spent", 0)
    assert [kernel._compiled(one) is not None for one in work] == list(map(bool, compiled))


def test_shapes_of_a_weighted_sum():
    X, V = np.ones((2, 3)), np.ones((3, 4))
    for form in (np.asarray, sp.csr_matrix):
        assert cells.weighted_sum(form(X), V).tolist() == [[3.] * 4] * 2
        for other in (np.ones((2, 4)), np.ones(3), np.ones((3, 4, 1))):
            with pytest.raises(ValueError, match="as many columns"):
                cells.weighted_sum(form(X), other)


def test_the_cores_of_a_system_that_tells_nothing(monkeypatch):
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delattr("os.sched_getaffinity")
    for told, n in ((7, 7), (None, 1)):
        monkeypatch.setattr("os.cpu_count", lambda: told)
        assert kernel.n_threads() == n
