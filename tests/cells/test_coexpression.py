"""Gene vectors from cells: the value, the form, the same from memory, file and Dask."""

import sys

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import genept_utils as gp
from genept_utils import cells, embed, paths, sources
from genept_utils.__main__ import main
from genept_utils.cells import components

pytestmark = pytest.mark.skipif(not (paths.EMBEDDINGS / "minilm.h5ad").is_file(),
                                reason="the shipped embedding, which knows the names, is not here")
function = sys.modules["genept_utils.cells.coexpression"]  # the room's name is the function's
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


@pytest.mark.parametrize("marked", [True, False])
def test_a_file_of_logarithms_is_believed_where_it_says_so(counts, marked, tmp_path, recwarn,
                                                           cached):
    X = counts.X.toarray()
    counts.X = sp.csr_matrix(np.log1p(X / X.sum(axis=1, keepdims=True) * 10_000))
    counts.uns = {"log1p": {"base": None}} if marked else {}
    counts.write_h5ad(tmp_path / "logs.h5ad")
    gp.coexpression(tmp_path / "logs.h5ad", n=N)
    guesses = [str(one.message) for one in recwarn if "look log-normalis" in str(one.message)]
    assert len(guesses) == (not marked)


@pytest.mark.parametrize("n", [N, 9])  # ten times as many: all genes, and all cells
def test_the_vectors_are_loadings_times_singular_values(counts, n):
    found = gp.coexpression(counts, n=n)
    assert list(found.obs_names) == list(counts.var_names)
    same_up_to_signs(found.X, by_svd(counts, n))
    assert np.allclose(np.linalg.norm(found.X, axis=1), 1, atol=1e-6)


def test_leading_eigenvectors_of_a_matrix_that_is_only_multiplied():
    """400 rows, eight vectors in five passes: nowhere near all."""
    turned, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((400, 400)))
    values = np.concatenate([2.0 ** -np.arange(8), np.full(392, .002)])
    calls = []

    def gram(Q):
        calls.append(Q.shape)
        assert np.allclose(Q.T @ Q, np.eye(Q.shape[1]), atol=1e-5)
        return (turned * values) @ (turned.T @ Q)

    found, axes = components.leading(gram, 400, 8, 5)
    assert calls == [(400, 8)] * 5
    assert np.allclose(found, values[:8], atol=1e-6)
    assert np.allclose(np.abs((axes * turned[:, :8]).sum(axis=0)), 1, atol=1e-4)
    assert (axes[np.abs(axes).argmax(axis=0), range(8)] > 0).all()


def test_values_are_cut_at_ten_standard_deviations(counts):
    counts = ad.concat([counts] * 3, index_unique="-")
    X = counts.X.toarray()
    X[:, 0], X[:, 1:3] = 0, 1e4
    X[[0, 1], 0] = 90  # high in two cells; low, or nothing at all, in one of genes that hardly vary
    X[5, 1], X[9, 2] = 0, 1
    counts.X = sp.csr_matrix(X)
    found = gp.coexpression(counts, n=N, min_cells=2).X
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


def test_signs_and_seed(counts):
    """One seed gives one result, and another one the same components."""
    found = gp.coexpression(counts, n=N)
    assert np.array_equal(found.X, gp.coexpression(counts, n=N).X)
    for start in (1, 2):
        assert np.allclose(gp.coexpression(counts, n=N, seed=start).X,
                           gp.coexpression(counts, n=N).X, atol=1e-4)


# ---------------------------------------------------------------- wherever the cells lie

def in_file(counts, folder, form):
    stored = counts.copy()
    stored.X = form(stored.X)
    stored.write_h5ad(folder / "cells.h5ad")
    return folder / "cells.h5ad"


def dask(counts, folder, chunks=(40, N_GENES)):
    da = pytest.importorskip("dask.array")
    return ad.AnnData(da.from_array(counts.X, chunks=chunks, asarray=False), var=counts.var,
                      obs=counts.obs)


def untidy(counts, folder):
    """Rows the other way round, a count of one in two parts, and zeros that are stored."""
    whole = counts.X.toarray()[:, ::-1]
    rows, columns = np.indices(whole.shape).reshape(2, -1)
    one = (whole > 0).ravel()
    order = np.argsort(np.concatenate([rows, rows[one]]), kind="stable")
    data = np.concatenate([whole.ravel() - one, np.ones(one.sum(), np.float32)])[order]
    indices = N_GENES - 1 - np.concatenate([columns, columns[one]])[order]
    ends = np.cumsum(np.bincount(np.concatenate([rows, rows[one]])))
    X = sp.csr_matrix((data.astype(np.float32), indices, [0, *ends]), whole.shape)
    return ad.AnnData(X, obs=counts.obs, var=counts.var)


HELD = {
    "untidy": untidy,
    "csc": lambda counts, folder: ad.AnnData(counts.X.tocsc(), obs=counts.obs, var=counts.var),
    "dense": lambda counts, folder: ad.AnnData(counts.X.toarray(), obs=counts.obs, var=counts.var),
    "whole numbers": lambda counts, folder: ad.AnnData(counts.X.astype(np.int64), obs=counts.obs,
                                                       var=counts.var),
    "a layer": lambda counts, folder: ad.AnnData(counts.X * -1, obs=counts.obs, var=counts.var,
                                                 layers={"counts": counts.X}),
    "backed": lambda counts, folder: ad.read_h5ad(in_file(counts, folder, sp.csr_matrix), "r"),
    "backed csc": lambda counts, folder: ad.read_h5ad(in_file(counts, folder, sp.csc_matrix), "r"),
    "dask": dask, "dask dense": lambda counts, folder: dask(
        ad.AnnData(counts.X.toarray(), obs=counts.obs, var=counts.var), folder, (40, 17)),
    "file": lambda counts, folder: in_file(counts, folder, sp.csr_matrix),
    "file, dense": lambda counts, folder: in_file(counts, folder, lambda X: X.toarray()),
    "file, csc": lambda counts, folder: in_file(counts, folder, sp.csc_matrix),
    "store": lambda counts, folder: counts.write_zarr(folder / "a.zarr") or folder / "a.zarr",
}


@pytest.mark.parametrize("passed", ["held", "block by block"])
@pytest.mark.parametrize("how", HELD)
def test_the_same_from_memory_file_and_dask(counts, tmp_path, monkeypatch, cached, how, passed):
    expected = gp.coexpression(counts, n=N)
    if passed == "block by block":  # nothing of the cells is kept from one pass to the next
        monkeypatch.setattr(components, "HELD", 0)
        monkeypatch.setattr(function, "ROWS", 25)
    given = HELD[how](counts, tmp_path)
    found = gp.coexpression(given, n=N, layer="counts" if how == "a layer" else None)
    assert np.abs(found.X - expected.X).max() < 1e-4
    assert found.obs.equals(expected.obs)
    card, other = (dict(made.uns["genept"]) for made in (found, expected))
    assert {name: card[name] for name in other if name != "vectors_sha256"} == {
        name: other[name] for name in other if name != "vectors_sha256"}


def test_logarithms_give_what_their_counts_give(counts):
    logged = cells.normalise(counts)
    found = gp.coexpression(logged, n=N)
    assert np.allclose(found.X, gp.coexpression(counts, n=N).X, atol=1e-4)
    assert found.uns["genept"]["values"] == "log"


# ---------------------------------------------------------------- names

@pytest.mark.parametrize("named", ["ensembl", "a column", "mixed case and unknown"])
def test_names_go_through_the_matching(counts, names, named):
    expected = gp.coexpression(counts, n=N)
    if named == "ensembl":
        counts.var_names = names["ensembl_id"].astype(str) + ".3"
    if named == "a column":
        counts.var["gene_name"] = counts.var_names
        counts.var_names = [f"gene_{i}" for i in range(N_GENES)]
    if named == "mixed case and unknown":
        more = ad.AnnData(sp.csr_matrix((N_CELLS, 2), dtype=np.float32), obs=counts.obs,
                          var=pd.DataFrame(index=["what_is_this", counts.var_names[4]]))
        counts.var_names = counts.var_names.str.lower()
        counts = ad.concat([counts, more], axis=1, merge="same")
    found = gp.coexpression(counts, n=N)
    assert list(found.obs_names) == list(expected.obs_names)
    assert np.allclose(found.X, expected.X, atol=1e-4)


def test_genes_of_mouse_get_the_names_of_their_orthologs(counts, source):
    source("genes/homologene2.rda")
    mouse = ["Cd4", "Cd8a", "Ms4a1", "Lyz2", "Trp53", "Actb", "Gapdh", "Cd19", "Il7r", "Foxp3"]
    some = counts[:, :len(mouse)].copy()
    some.var_names = mouse
    found = gp.coexpression(some, n=3, species="mouse")
    assert {"CD4", "TP53", "FOXP3"} <= set(found.obs_names)
    assert found.uns["genept"]["species"] == "mouse"


def test_features_that_are_no_genes_are_left_out(counts):
    counts.var["feature_types"] = ["Gene Expression"] * 35 + ["Antibody Capture"] * 5
    with pytest.warns(UserWarning, match="5 of 40 features are no genes"):
        found = gp.coexpression(counts, n=N)
    expected = gp.coexpression(counts[:, :35].copy(), n=N)
    assert np.allclose(found.X, expected.X, atol=1e-4)


# ---------------------------------------------------------------- what is refused

def spoilt(value):
    def change(counts):
        counts.X[3, counts.X[3].indices[0]] = value
    return change


@pytest.mark.parametrize("change, n, said", [
    (lambda counts: None, 41, "41 components need more than 41 cells and at least 41 genes"),
    (lambda counts: None, 90, "there are 90 cells and 40 of 40 genes"),
    (lambda counts: setattr(counts, "X", sp.csr_matrix(np.tile(
        np.arange(1, 41, dtype=np.float32), (N_CELLS, 1)))), 2, "0 of 40 genes that"),
    (spoilt(np.nan), N, "1 values that are NaN or infinite"),
    (spoilt(np.inf), N, "1 values that are NaN or infinite"),
    (spoilt(-1), N, "negative values, so it is neither counts nor"),
    (lambda counts: setattr(counts, "X", counts.X * 0), N, "all zeros"),
    (lambda counts: setattr(counts, "X", None), N, "has no X"),
    (lambda counts: setattr(counts, "var_names", [f"gene_{i}" for i in range(N_GENES)]), N,
     "0 of 40 genes that have a symbol"),
    (lambda counts: setattr(counts, "var_names", [str(i) for i in range(N_GENES)]), N,
     "row numbers"),
    (lambda counts: None, 0, "n=0 components"),
])
def test_what_is_refused(counts, change, n, said):
    change(counts)
    with pytest.raises(ValueError, match=said):
        gp.coexpression(counts, n=n)


def test_scaled_values_name_the_layer_that_holds_counts(counts):
    counts.layers["counts"] = counts.X.copy()
    counts.X = counts.X.toarray() - 1
    with pytest.raises(ValueError, match='give layer="counts"'):
        gp.coexpression(counts, n=N)
    assert gp.coexpression(counts, n=N, layer="counts").n_obs == N_GENES


def test_a_gene_that_does_not_vary_and_one_of_two_cells_get_no_vector(counts):
    X = counts.X.toarray()
    X[:, 7] = 0
    X[:2, 7] = 3
    counts.X = sp.csr_matrix(X)
    left = gp.coexpression(counts, n=N)
    assert set(counts.var_names) - set(left.obs_names) == {counts.var_names[7]}
    assert gp.coexpression(counts, n=N, min_cells=2).n_obs == N_GENES


@pytest.mark.parametrize("value", [.7, 1.1, 2.3456, 3.3])
def test_rounding_makes_no_gene_vary(value):
    """The sum of squares less that of the mean is seldom zero: 1e-15 here, on either side."""
    X = sp.csr_matrix(np.full((997, 1), value, np.float32))
    mean, deviation, occurs = components.moments([X[:400], X[400:]], "log")
    assert mean == pytest.approx([value], rel=1e-6) and deviation == [0] and occurs == [997]


# ---------------------------------------------------------------- by name

@pytest.fixture
def cached(tmp_path, monkeypatch):
    monkeypatch.setenv("GENEPT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "vectors"


@pytest.fixture
def file(counts, tmp_path, monkeypatch):
    """More genes and cells than the 100 components that a name stands for."""
    names = embed.read_embedding().obs_names[:130]
    X = np.random.default_rng(5).poisson(3, (150, 130)).astype(np.float32)
    ad.AnnData(sp.csr_matrix(X), var=pd.DataFrame(index=names)).write_h5ad(tmp_path / "c.h5ad")
    return tmp_path / "c.h5ad"


def test_a_name_is_the_call_kept_by_the_hash_of_the_file(file, cached, monkeypatch):
    name = f"coexpression:{file}"
    found = embed.read_embedding(name)
    expected = gp.coexpression(ad.read_h5ad(file))
    assert np.array_equal(found.X, expected.X) and list(found.obs_names) == list(
        expected.obs_names)
    card = found.uns["genept"]
    assert card["path"] == "c.h5ad" and card["sha256"] == sources.sha256(file)
    assert len(list(cached.glob("coexpression-*.h5ad"))) == 1

    monkeypatch.setattr(function, "Scaled", None)  # nothing is computed again
    moved = file.rename(file.with_name("other.h5ad"))
    assert np.array_equal(embed.read_embedding(f"coexpression:{moved}").X, found.X)
    permuted = embed.read_embedding(f"permuted:coexpression:{moved}")
    assert sorted(map(tuple, permuted.X)) == sorted(map(tuple, found.X))
    monkeypatch.undo()


def test_another_file_seed_or_option_is_computed(file, cached):
    """Each has its own place in the cache."""
    gp.coexpression(file)
    other = ad.read_h5ad(file)
    other.X[0, 0] += 1
    other.write_h5ad(file)
    for options in ({}, {"seed": 1}, {"n": 20}, {"min_cells": 1}, {"passes": 3},
                    {"values": "raw"}):
        gp.coexpression(file, **options)
    assert len(list(cached.glob("coexpression-*.h5ad"))) == 7


def test_a_damaged_file_of_the_cache_is_made_again(file, cached):
    found = gp.coexpression(file)
    kept, = cached.glob("coexpression-*.h5ad")
    kept.write_bytes(kept.read_bytes()[:1000])
    assert np.array_equal(gp.coexpression(file).X, found.X)


def test_an_open_set_by_its_name(cached, source):
    source("cells/immune.h5ad")
    found = embed.read_embedding("coexpression:immune")
    assert found.n_obs > 600 and found.uns["genept"]["cells"] == 1000


@pytest.mark.parametrize("content, said", [
    (lambda path: None, "there are no cells at"),
    (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"), "broken or not complete"),
    (lambda path: path.write_text("a,b"), "is not a valid HDF5 file"),
    (lambda path: ad.AnnData(np.ones((5, 3), np.float32), var=pd.DataFrame(
        index=["TP53", "CD4", "CD8A"])).write_h5ad(path), "100 components need more than 100 cells"
     ".*a smaller n=.*embed --model coexpression:"),
])
def test_a_name_that_cannot_be_read(tmp_path, cached, content, said):
    content(tmp_path / "x.h5ad")
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        embed.read_embedding(f"coexpression:{tmp_path / 'x.h5ad'}")


# ---------------------------------------------------------------- on the command line

def test_the_command_writes_what_the_call_gives(file, cached, tmp_path, capsys):
    out = tmp_path / "v.h5ad"
    assert main(["embed", "--model", f"coexpression:{file}", "--dimensions", "20", "--out",
                 str(out)]) == 0
    assert "130 vectors of 20 numbers" in capsys.readouterr().out
    found = embed.read_embedding(out)
    assert np.array_equal(found.X, gp.coexpression(file, n=20).X)
    assert found.uns["genept"]["model"] == "coexpression"
    assert main(["embed", "--model", "spelling", "--layer", "x", "--out", str(out)]) == 2
    assert "--model coexpression:FILE; spelling reads texts" in capsys.readouterr().err


def test_the_command_names_the_layer(file, cached, tmp_path, capsys):
    scaled = ad.read_h5ad(file)
    scaled.layers["counts"] = scaled.X.copy()
    scaled.X = scaled.X.toarray() - 1
    scaled.write_h5ad(file)
    given = ["embed", "--model", f"coexpression:{file}", "--out", str(tmp_path / "v.h5ad")]
    assert main(given) == 2
    assert "give --layer counts" in capsys.readouterr().err
    assert main([*given, "--layer", "counts"]) == 0
