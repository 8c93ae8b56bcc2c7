"""The rule of counts and logarithms on small summaries, and what a summary says of a matrix."""

import sys

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import cells
from genept_utils.cells.normalise import (MatrixSummary, infer_scale, log_block, normalised,
                                          scale_and_log, summarise)

module = sys.modules["genept_utils.cells.normalise"]
OPEN = ((1., 5.), (2., 9.), (2., 8.))  # totals that differ, whatever the values are


def seen(highest=3.5, whole=False, totals=OPEN, n=9, lowest=0., bad=0):
    return MatrixSummary(bad, lowest, highest, whole, totals, n)


def same(*which, off=0.):
    """Totals of which some are the same but for a share."""
    return tuple((100 * (1 - off), 100.) if place in which else (50., 100.) for place in range(3))


@pytest.mark.parametrize("summary, scale, said", [
    (seen(whole=True), "raw", "whole numbers"), (seen(20.5), "raw", "reach 20.5,"),
    (seen(20.), None, ""), (seen(19.93), None, ""), (seen(totals=same(0)), "raw", "same total in"),
    (seen(totals=same(1)), "log", r"exp\(x\) - 1 has"), (seen(totals=same(2)), "log", r"2\*\*x - 1"),
    (seen(totals=same(1, 2)), "log", r"exp\(x\)"), (seen(totals=same(0, 1)), None, ""),
    (seen(totals=same(0, 2)), None, ""), (seen(totals=same(0, 1, 2)), None, ""),
    (seen(totals=same(0), n=2), None, ""), (seen(totals=same(1), n=2), None, ""),
    (seen(totals=same(0), n=3), "raw", "same total"),
    (seen(totals=same(0, off=9e-4)), "raw", "same total"), (seen(totals=same(0, off=2e-3)), None, ""),
    (seen(totals=same(1, off=9e-4)), "log", "exp"), (seen(totals=same(1, off=2e-3)), None, "")])
def test_what_values_show_and_what_a_mark_decides(summary, scale, said):
    other = {"raw": "log", "log": "raw"}
    if scale:  # the values beat the mark
        assert infer_scale(summary)[0] == scale
        assert infer_scale(summary, scale) == (scale, None)
        found, word = infer_scale(summary, other[scale], True)
        names = {"raw": "counts", "log": "logarithms"}
        assert found == scale and pd.Series([word]).str.contains(said).item()
        assert f"marked as {names[other[scale]]}" in word and f"used as {names[scale]}" in word
        return
    for mark in (None, "anything"):
        found, word = infer_scale(summary, mark)
        assert found == "log" and 'values="raw" says' in word
    assert infer_scale(summary, "log") == ("log", None)
    assert infer_scale(summary, "raw", True) == ("raw", None)
    found, word = infer_scale(summary, "raw")
    assert found == "raw" and 'values="log" says otherwise' in word


@pytest.mark.parametrize("summary, said", [
    (seen(bad=1), "holds 1 values that are NaN or"), (seen(bad=2, lowest=-1), "holds 2 values"),
    (seen(lowest=-1e-9), "negative"), (seen(0., whole=True), "all zeros"),
    (MatrixSummary(), "all zeros")])
def test_what_is_no_expression(summary, said):
    with pytest.raises(ValueError, match=said):
        infer_scale(summary)
    assert infer_scale(seen(1e-6, True))[0] == "raw"


FRACTIONS = np.array([[0, 1.5, 2], [0, 0, 0], [.25, 0, 1], [3, 3, 0.]])


@pytest.mark.parametrize("X, bad, lowest, highest, whole, n", [
    ([[0, 3], [2, 0]], 0, 0, 3, True, 0), ([[1, 3], [2, 5]], 0, 0, 5, True, 0),
    ([[1, 3.5], [2, 5]], 0, 0, 5, False, 2), ([[-2, 3.5], [2, 5]], 0, -2, 5, False, 0),
    ([[-2, -3.5], [-2, -5]], 0, -5, 0, False, 0), ([[1, 20.5], [2, 5]], 0, 0, 20.5, False, 0),
    ([[1, 20], [2.5, 5]], 0, 0, 20, False, 2), ([[np.nan, 3], [np.inf, 5]], 2, 0, 5, True, 0),
    ([[np.nan, 3.5], [1, 5]], 1, 0, 5, False, 0), ([[np.nan] * 2] * 2, 4, 0, 0, True, 0),
    ([[-np.inf, 1], [1, 1]], 1, 0, 1, True, 0), (FRACTIONS, 0, 0, 3, False, 3)])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix, sp.csc_array])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_a_summary_says(X, bad, lowest, highest, whole, n, form):
    X = np.array(X, dtype=float)
    made = summarise(form(X))
    assert (made.bad, made.lowest, made.highest, made.whole, made.cells) == (
        bad, lowest, highest, whole, n)
    np.testing.assert_array_equal(made.gene_totals, X.sum(axis=0))
    if n:
        rows = X[X.sum(axis=1) > 0]
        for (low, high), turned in zip(made.totals, (rows, np.expm1(rows), 2**rows - 1)):
            assert (low, high) == pytest.approx((turned.sum(axis=1).min(), turned.sum(axis=1).max()))
    else:
        assert made.totals == ((np.inf, 0.),) * 3


def test_the_first_and_the_last_cell_are_among_those_sampled(monkeypatch):
    monkeypatch.setattr(module, "SAMPLED", 4)
    X = np.full((50, 2), .25)
    for row, total in ((0, 1), (49, 1), (25, .5)):
        changed = X.copy()
        changed[row] = .5
        made = summarise(changed)
        assert made.cells == 4 and made.totals[0] == (.5, total)
    assert summarise(X[:3]).cells == 3 and summarise(sp.csr_matrix((4, 3))).cells == 0


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, bool])
def test_numbers_without_fractions_are_whole(dtype):
    assert summarise(np.array([[1, 0], [1, 1]], dtype=dtype)).whole


def test_summaries_are_put_together():
    a, b = MatrixSummary(1, -2., 3., True, ((1, 5),) * 3, 4, np.array([1., 2])), MatrixSummary(
        2, 0., 7., False, ((.5, 2), (2, 9), (1, 5)), 5, np.array([10., 20]))
    for one in (a + b, b + a):
        assert (one.bad, one.lowest, one.highest, one.whole, one.cells) == (3, -2, 7, False, 9)
        assert one.totals == ((.5, 5), (1, 9), (1, 5)) and one.gene_totals.tolist() == [11, 22]
    whole = MatrixSummary() + a
    assert whole.whole and whole.totals == a.totals and whole.lowest == -2


# ------------------------------------------------------------------ the normalisation itself

def counts(n=23):
    X = np.random.default_rng(0).poisson(1, (n, 6)).astype(np.float32)
    X[4] = 0
    return X


@pytest.mark.parametrize("stretch", [1, 4, 23, 500])
@pytest.mark.parametrize("target", [10_000, 50])
def test_stretches_change_nothing(monkeypatch, stretch, target):
    monkeypatch.setattr(module, "STRETCH", stretch)
    X = counts()
    made = sp.csr_matrix(X)
    scale_and_log(made, target)
    share = X / np.maximum(X.sum(axis=1, keepdims=True), 1)
    np.testing.assert_allclose(made.toarray(), np.log1p(target * share), rtol=1e-6)


def test_what_a_normalised_copy_keeps():
    X = sp.csr_matrix(counts())
    X.data[0] = 0  # stored, and taken out
    adata = ad.AnnData(X, obs=pd.DataFrame({"a": range(23)}, index=map(str, range(23))),
                       var=pd.DataFrame({"b": range(6)}, index=list("abcdef")),
                       obsm={"X": np.ones((23, 2))})
    before = X.copy()
    made = cells.normalise(adata, target=100)
    assert (adata.X != before).nnz == 0 and adata.X.nnz == before.nnz and made.X.nnz == X.nnz - 1
    assert made.obs.equals(adata.obs) and made.var.equals(adata.var) and "X" in made.obsm
    assert np.expm1(made.X.toarray()).sum(axis=1)[[0, 1]] == pytest.approx(100, rel=1e-5)
    assert normalised(made) is made or (normalised(made).X != made.X).nnz == 0
    dense = ad.AnnData(made.X.toarray(), var=made.var, uns=made.uns)
    assert sp.issparse(normalised(dense).X)  # a copy in rows
    again = normalised(adata)
    assert np.expm1(again.X.toarray()).sum(axis=1)[1] == pytest.approx(10_000, rel=1e-5)


def test_a_block_stays_as_it_is_and_must_agree_with_the_rest():
    X = sp.csr_matrix(counts())
    X.data[0] = 0
    made = log_block(X, "raw")
    assert made.nnz == X.nnz - 1 and X.data[0] == 0 and X.max() > 1
    same = log_block(X, "log")
    assert (same != X).nnz == 0 and same is not X and same.dtype == np.float32
    whole = summarise(X)
    log_block(X, "raw", whole, (None, False), 40)
    wrong = X.copy()
    wrong.data[3] = np.nan
    with pytest.raises(ValueError, match="^cells 40 to 63: .*NaN"):
        log_block(wrong, "raw", whole, first=40)
    with pytest.raises(ValueError, match="^the expression matrix holds 1"):
        log_block(wrong, "raw", whole)
    logs = summarise(log_block(X, "raw"))
    with pytest.raises(ValueError, match="^cells 0 to 23: these values are counts, but .* logarithms"):
        log_block(X * 9, "log", logs, first=0)


def test_the_advice_stands_with_negative_values_and_zeros_only():
    adata = ad.AnnData(counts() - 1, layers={"counts": counts()})
    with pytest.raises(ValueError, match='negative.*layer="counts"'):
        cells.scale_of(adata)
    adata.X = np.full((23, 6), np.nan, dtype=np.float32)
    with pytest.raises(ValueError, match="set the values to 0$"):
        cells.scale_of(adata)
