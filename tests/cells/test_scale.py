"""The same vectors whatever holds the matrix: memory, an open file, a Dask array."""

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import cells, embed, paths

pytestmark = pytest.mark.skipif(not (paths.EMBEDDINGS / "minilm.h5ad").is_file(),
                                reason="the shipped embedding, which knows the names, is not here")
NAMES = 60


@pytest.fixture(scope="module")
def names():
    return embed.read_embedding().obs_names[:NAMES - 8]


@pytest.fixture(scope="module")
def embedding(names):
    drawn = np.random.default_rng(2).standard_normal((NAMES - 8, 12))
    return embed.as_embedding(drawn, pd.DataFrame(index=names), model="drawn", text="none")


@pytest.fixture
def counts(names):
    """(150, 60) counts, the last 8 genes without a vector, cell 3 empty, cell 4 without a gene
    that has a vector."""
    rng = np.random.default_rng(1)
    X = rng.poisson(rng.gamma(0.4, 2, NAMES), (150, NAMES)).astype(np.float32)
    X[3] = 0
    X[4, :-8] = 0
    X[4, -1] = 5
    genes = [*names, *[f"probe_{i}" for i in range(8)]]
    return ad.AnnData(sp.csr_matrix(X), var=pd.DataFrame(index=genes),
                      obs=pd.DataFrame(index=[f"cell{i}" for i in range(150)]))


def as_dask(X, rows=40, columns=None):
    da = pytest.importorskip("dask.array")
    return da.from_array(X, chunks=(rows, columns or X.shape[1]), asarray=False)


def _backed(counts, path, form):
    counts = counts.copy()
    counts.X = form(counts.X)
    counts.write_h5ad(path)
    return ad.read_h5ad(path, backed="r")


def held(counts, how, folder):
    """The same cells with ``.X`` held in another way."""
    path = folder / "cells.h5ad"
    if how.startswith("backed"):
        form = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": lambda X: X.toarray()}
        return _backed(counts, path, form[how.split()[1]])
    if how == "read_lazy":
        pytest.importorskip("xarray")
        counts.write_h5ad(path)
        return ad.experimental.read_lazy(path)
    X = {"csc": lambda X: X.tocsc(), "dense": lambda X: X.toarray(),
         "csr_array": sp.csr_array, "int64": lambda X: X.astype(np.int64),
         "dask csr": as_dask, "dask dense": lambda X: as_dask(X.toarray()),
         "dask dense pieces": lambda X: as_dask(X.toarray(), 40, 17),
         "dask csr pieces": lambda X: as_dask(X, 40).rechunk((40, 60)),
         "read_elem_lazy": None}[how]
    if how == "read_elem_lazy":
        counts.write_h5ad(path)
        X = ad.experimental.read_elem_lazy(h5py.File(path)["X"], chunks=(33, NAMES))
    else:
        X = X(counts.X)
    return ad.AnnData(X, obs=counts.obs.copy(), var=counts.var.copy())


WAYS = ["csc", "dense", "csr_array", "int64", "backed csr", "backed csc", "backed dense",
        "dask csr", "dask dense", "dask dense pieces", "read_elem_lazy", "read_lazy"]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("logged", [False, True])
@pytest.mark.parametrize("options", [{}, {"hvg": 20, "whitened": True}], ids=str)
def test_the_same_call_gives_the_same_result(counts, embedding, tmp_path, how, logged, options):
    if logged:
        counts = cells.normalise(counts)
        counts.uns = {"log1p": {"base": None}}
    if logged and how == "int64":
        pytest.skip("logarithms are no whole numbers")
    other = held(counts.copy(), how, tmp_path)
    if logged:
        other.uns["log1p"] = {"base": None}
    cells.genept_w(counts, embedding, **options)
    cells.genept_w(other, embedding, **options)
    made = other.obsm["X_genept_w"]
    assert hasattr(made, "compute") == ("dask" in how or "lazy" in how)
    made = made.compute() if hasattr(made, "compute") else np.asarray(made)
    assert made.dtype == np.float32
    assert np.abs(made - counts.obsm["X_genept_w"]).max() < 1e-6
    assert not made[3].any() or options.get("whitened")
    about, expected = (dict(data.uns["genept"]["X_genept_w"]) for data in (other, counts))
    if "dask" in how or "lazy" in how:
        expected.pop("cells_without_a_vector")
    assert about.pop("coverage_mass") == pytest.approx(expected.pop("coverage_mass"))
    assert about == expected


def test_a_dask_result_is_computed_when_asked_and_by_blocks(counts, embedding):
    read = []

    def noted(block):
        read.append(len(read))
        return block

    other = ad.AnnData(as_dask(counts.X).map_blocks(noted, dtype=np.float32), var=counts.var)
    cells.genept_w(other, embedding)
    made, before = other.obsm["X_genept_w"], len(read)
    assert made.chunks == ((40, 40, 40, 30), (12,))
    made[:30].compute()
    assert len(read) - before == 1  # one block of four


@pytest.mark.parametrize("bad, word", [(np.nan, "NaN"), (-1, "negative")])
@pytest.mark.parametrize("how", ["dask csr", "backed csr", "backed dense"])
def test_bad_values_in_a_later_block_are_refused(counts, embedding, tmp_path, bad, word, how):
    counts.X[140, 2] = bad
    with pytest.raises(ValueError, match=word):
        cells.genept_w(held(counts, how, tmp_path), embedding)


def test_the_judgement_is_of_the_file_not_of_the_block(counts, embedding, tmp_path):
    """Halves of counts in the last block alone: by itself it would pass for logarithms."""
    counts.X = counts.X / 2
    counts.X[:40] = np.rint(counts.X[:40].toarray() * 40)
    counts.X.eliminate_zeros()
    other = held(counts, "dask csr", tmp_path)
    cells.genept_w(counts, embedding)
    cells.genept_w(other, embedding)
    assert np.abs(other.obsm["X_genept_w"].compute() - counts.obsm["X_genept_w"]).max() < 1e-6


def test_layers_of_a_dask_array(counts, embedding):
    other = ad.AnnData(np.zeros(counts.shape, dtype=np.float32), var=counts.var,
                       layers={"counts": as_dask(counts.X)})
    cells.genept_w(other, embedding, layer="counts")
    cells.genept_w(counts, embedding)
    made = other.obsm["X_genept_w"].compute()
    assert np.abs(made - counts.obsm["X_genept_w"]).max() < 1e-6


@pytest.mark.parametrize("how", ["dask csr", "backed csr", "backed csc", "backed dense"])
def test_features_that_are_no_genes_are_left_out(counts, embedding, tmp_path, how):
    counts.var["feature_types"] = ["Gene Expression"] * (NAMES - 5) + ["Antibody Capture"] * 5
    other = held(counts.copy(), how, tmp_path)
    for adata in (counts, other):
        with pytest.warns(UserWarning, match="5 "):
            cells.genept_w(adata, embedding)
    assert np.abs(np.asarray(other.obsm["X_genept_w"])
                  - counts.obsm["X_genept_w"]).max() < 1e-6
    about, expected = (data.uns["genept"]["X_genept_w"] for data in (other, counts))
    assert about["coverage_mass"] == pytest.approx(expected["coverage_mass"])
    assert about["coverage_genes"] == expected["coverage_genes"]
