"""Counts or logarithms: the values beat the mark, and what they leave open is said."""

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import genept_utils as gp
from genept_utils import cells, embed, paths

pytestmark = pytest.mark.skipif(not (paths.EMBEDDINGS / "minilm.h5ad").is_file(),
                                reason="the shipped embedding, which knows the names, is not here")


@pytest.fixture(scope="module")
def embedding():
    whole = embed.read_embedding()
    return whole[:300].copy()


@pytest.fixture
def counts(embedding):
    """(50, 300) counts as 10x gives them: most are zero, a cell has its own depth."""
    rng = np.random.default_rng(3)
    X = rng.poisson(rng.gamma(0.4, 2, 300) * rng.uniform(0.3, 2, (50, 1))).astype(np.float32)
    return ad.AnnData(sp.csr_matrix(X), var=pd.DataFrame(index=embedding.obs_names))


@pytest.fixture
def right(counts, embedding):
    """GenePT-w of the counts, by hand."""
    X = counts.X.toarray().astype(float)
    X = np.log1p(X / X.sum(axis=1, keepdims=True) * 1e4)
    return embed.unit(X @ embedding.X)


def logged(adata, target=1e4, base=np.e):
    X = adata.X.toarray().astype(float)
    return sp.csr_matrix(np.log1p(X / X.sum(axis=1, keepdims=True) * target) / np.log(base),
                         dtype=np.float32)


def in_layer(adata):
    """scanpy's way of logging a layer, which marks the whole AnnData."""
    import scanpy as sc

    adata.layers["log"] = adata.X.copy()
    sc.pp.normalize_total(adata, target_sum=1e4, layer="log")
    sc.pp.log1p(adata, layer="log")
    assert "log1p" in adata.uns


def put_back(adata):
    import scanpy as sc

    adata.layers["counts"] = adata.X.copy()
    sc.pp.log1p(adata)
    adata.X = adata.layers["counts"].copy()


def declared(adata):
    adata.uns["genept_data"] = {"values": "log"}


def corrected(adata):
    adata.X = adata.X * np.float32(7.3)
    adata.uns["log1p"] = {}


def scaled_only(adata):
    """The same total in every cell, below any ceiling, and no logarithm."""
    X = adata.X.toarray()
    adata.X = sp.csr_matrix(X / X.sum(axis=1, keepdims=True) * 20, dtype=np.float32)
    adata.uns["log1p"] = {}


@pytest.mark.parametrize("change", [in_layer, put_back, declared, corrected, scaled_only])
@pytest.mark.parametrize("through_a_file", [False, True])
def test_counts_with_a_mark_of_logarithms_are_counts(counts, right, embedding, change,
                                                     through_a_file, tmp_path):
    change(counts)
    if through_a_file:
        counts.write_h5ad(tmp_path / "cells.h5ad")
        counts = ad.read_h5ad(tmp_path / "cells.h5ad")
    with pytest.warns(UserWarning, match="marked as logarithms, but they .* used as counts"):
        gp.genept_w(counts, embedding)
    assert np.abs(counts.obsm["X_genept_w"] - right).max() < 1e-5


def marked_raw(adata):
    adata.X = logged(adata)
    adata.uns["genept_data"] = {"values": "raw"}


def marked_raw_base_2(adata):
    adata.X = logged(adata, 1e6, 2)
    adata.uns["genept_data"] = {"values": "raw"}


@pytest.mark.parametrize("change, target, base", [(marked_raw, 1e4, np.e),
                                                  (marked_raw_base_2, 1e6, 2)])
def test_logarithms_with_a_mark_of_counts_are_logarithms(counts, embedding, change, target, base):
    expected = embed.unit(logged(counts, target, base).toarray() @ embedding.X)
    change(counts)
    with pytest.warns(UserWarning, match="marked as counts, but .* used as logarithms"):
        gp.genept_w(counts, embedding)
    assert np.abs(counts.obsm["X_genept_w"] - expected).max() < 1e-5


def test_fractions_that_may_be_either_follow_the_reader(counts, right, embedding):
    few = counts.copy()
    few.X = few.X / np.float32(4)  # corrected counts below 15, with totals of their own
    assert few.X.max() < 15
    with pytest.warns(UserWarning, match='log-normalised.*values="raw" says'):
        gp.genept_w(few, embedding)
    assert np.abs(few.obsm["X_genept_w"] - right).max() > 1e-3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gp.genept_w(few, embedding, values="raw")  # as the warning says
    assert np.abs(few.obsm["X_genept_w"] - right).max() < 1e-5
    few.uns["genept_data"] = {"values": "raw"}
    with pytest.warns(UserWarning, match='marked as counts.*values="log" says otherwise'):
        gp.genept_w(few, embedding)
    assert np.abs(few.obsm["X_genept_w"] - right).max() < 1e-5


@pytest.mark.parametrize("mark", [{"log1p": {}}, {"genept_data": {"values": "log"}},
                                  {"genept_data": {"values": "raw", "sure": True}}])
def test_the_mark_of_x_says_nothing_about_a_layer(counts, embedding, mark):
    counts.layers["few"] = counts.X / np.float32(4)
    counts.uns.update(mark)
    with pytest.warns(UserWarning, match='values="raw" says'):
        gp.genept_w(counts, embedding, layer="few")


@pytest.mark.parametrize("values", ["counts", "logs", 1])
def test_values_is_one_of_two_words(counts, embedding, values):
    with pytest.raises(ValueError, match='"raw" for counts or "log"'):
        gp.genept_w(counts, embedding, values=values)


def test_all_that_reads_expression_obeys_the_rule(counts):
    clean = counts.copy()
    in_layer(counts)
    counts.uns["genept_data"] = {"values": "log"}
    with pytest.warns(UserWarning, match="whole numbers"):
        made = cells.normalise(counts)
        assert np.array_equal(made.X.toarray(), cells.normalise(clean).X.toarray())
        assert list(cells.cell_sentences(counts)) == list(cells.cell_sentences(clean))
        assert np.array_equal(cells.highly_variable(counts, 50), cells.highly_variable(clean, 50))
        for one in (counts, clean):
            cells.pca(one, 5, hvg=50)
            cells.genept_s(one)
    for key in ("X_pca", "X_genept_s"):
        assert np.allclose(counts.obsm[key], clean.obsm[key], atol=1e-5)


def test_blocks_judged_together_are_judged_like_the_whole(counts):
    for X in (counts.X, logged(counts), counts.X / 4, logged(counts)[:, :40]):
        blocks = sum((cells.summarise(X[start:start + 7]) for start in range(0, 50, 7)), cells.MatrixSummary())
        for declared in (None, "raw", "log"):
            assert cells.infer_scale(blocks, declared)[0] == cells.infer_scale(cells.summarise(X), declared)[0]
    mixed = cells.summarise(counts.X[:5]) + cells.summarise(-counts.X[5:])
    with pytest.raises(ValueError, match="negative"):
        cells.infer_scale(mixed)


# ---------------------------------------------------------------- where the counts lie

def with_layer(adata):
    adata.layers["counts"] = adata.X.copy()
    return 'layer="counts"'


def with_raw(adata):
    adata.raw = adata.copy()
    return "raw=True"


@pytest.mark.parametrize("place", [with_layer, with_raw])
@pytest.mark.parametrize("spoil", ["scaled", "zeros", "none"])
def test_the_advice_of_a_refusal_runs(counts, right, embedding, place, spoil, tmp_path):
    expected = place(counts)
    counts.layers["scaled"] = sp.csr_matrix(counts.X.toarray() - 1)
    counts.X = {"scaled": counts.layers["scaled"], "zeros": sp.csr_matrix(counts.shape),
                "none": None}[spoil]
    with pytest.raises(ValueError) as refused:
        gp.genept_w(counts, embedding)
    advice = str(refused.value).partition("give ")[2].partition(" to use")[0]
    assert advice == expected
    counts.write_h5ad(tmp_path / "cells.h5ad")
    adata = ad.read_h5ad(tmp_path / "cells.h5ad")
    eval(f"gp.genept_w(adata, embedding, {advice})", {**globals(), **locals()})
    assert np.abs(adata.obsm["X_genept_w"] - right).max() < 1e-5


def test_raw_with_more_genes_than_x(counts, right, embedding):
    counts.raw = counts.copy()
    few = counts[:, :20].copy()
    few.X = few.X.toarray() - 1
    gp.genept_w(few, embedding, raw=True)
    assert np.abs(few.obsm["X_genept_w"] - right).max() < 1e-5


def test_a_layer_or_raw_that_is_not_there(counts, embedding):
    counts.layers["counts"] = counts.X.copy()
    with pytest.raises(KeyError, match="no layer 'count'; there are counts"):
        gp.genept_w(counts, embedding, layer="count")
    with pytest.raises(KeyError, match="no raw"):
        gp.genept_w(counts, embedding, raw=True)
    with pytest.raises(ValueError, match="one place"):
        gp.genept_w(counts, embedding, raw=True, layer="counts")


def test_no_other_place_is_said_as_well(counts, embedding):
    counts.X = counts.X.toarray() - 1
    counts.layers["also scaled"] = counts.X.copy()
    with pytest.raises(ValueError, match="negative.*go back to the data from before scaling"):
        gp.genept_w(counts, embedding)


@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_matrix, np.asarray])
def test_a_backed_file_gives_the_same(counts, right, embedding, form, tmp_path):
    counts.X = form(counts.X.toarray())
    counts.layers["counts"] = counts.X.copy()
    counts.raw = counts.copy()
    counts.write_h5ad(tmp_path / "cells.h5ad")
    for where in ({}, {"layer": "counts"}, {"raw": True}):
        backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
        gp.genept_w(backed, embedding, **where)
        assert np.abs(np.asarray(backed.obsm["X_genept_w"]) - right).max() < 1e-5
        backed.file.close()
