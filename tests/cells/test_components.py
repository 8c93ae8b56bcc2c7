"""Principal components of cells passed in blocks, step by step against dense matrices."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import cells
from genept_utils.cells import components
from genept_utils.cells.components import Scaled, leading, moments, plain
from genept_utils.cells.expression import components as of_matrix


def logged(n=30, genes=12, seed=0):
    rng = np.random.default_rng(seed)
    X = np.log1p(rng.poisson(rng.gamma(1, 2, genes), (n, genes))).astype(np.float32)
    X[:, 3], X[:, 5] = 0, .7  # never seen, and always the same
    return X


def in_blocks(X, size=7):
    return lambda: (plain(X[start:start + size]) for start in range(0, len(X), size))


@pytest.mark.parametrize("kind", ["log", "raw"])
def test_moments_of_genes(kind):
    X = logged() if kind == "log" else np.expm1(logged())
    mean, deviation, occurs = moments(in_blocks(X)(), kind)
    if kind == "raw":
        X = np.log1p(X / X.sum(axis=1, keepdims=True) * 10_000)
    np.testing.assert_allclose(mean, X.mean(axis=0), rtol=1e-5)
    expected = X.std(axis=0, ddof=1, dtype=float)
    constant = expected < 1e-5
    np.testing.assert_allclose(deviation[~constant], expected[~constant], rtol=1e-4)
    assert not deviation[constant].any() and constant[3]
    assert constant[5] or kind == "raw"
    assert occurs.tolist() == (X > 0).sum(axis=0).tolist()
    alone = moments(iter([plain(X[:1])]), "log")
    np.testing.assert_allclose(alone[0], X[0], rtol=1e-6)
    assert not alone[1].any()


def test_a_gene_that_hardly_varies_is_no_constant():
    X = np.ones((50, 2), dtype=np.float32)
    X[0, 0] = 1.01
    deviation = moments(iter([plain(X)]), "log")[1]
    assert deviation[0] == pytest.approx(X[:, 0].std(ddof=1), rel=1e-3) and deviation[1] == 0


def test_a_block_is_a_copy_without_zeros_and_doubles():
    X = sp.csr_matrix((np.array([1., 2, 0, 3]), np.array([2, 2, 0, 1]), [0, 3, 4]), (2, 3))
    made = plain(X)
    assert made.nnz == 2 and made.toarray().tolist() == [[0, 0, 3], [0, 3, 0]] and X.nnz == 4
    assert made.dtype == np.float32 and made.has_canonical_format


def scaled_slowly(X, used, clip=10):
    mean, deviation = X.mean(axis=0, dtype=float), X.std(axis=0, ddof=1, dtype=float)
    made = np.clip((X - mean)[:, used] / deviation[used], -clip, clip)
    return made - made.mean(axis=0)


@pytest.mark.parametrize("held", [0, 100, 10**9])
@pytest.mark.parametrize("clip", [10, 1])
def test_the_gram_of_scaled_genes(monkeypatch, held, clip):
    monkeypatch.setattr(components, "HELD", held)
    monkeypatch.setattr(components, "CLIP", clip)
    X = logged()
    mean, deviation, _ = moments(in_blocks(X)(), "log")
    used = deviation > 0
    used[7] = False
    made = Scaled(in_blocks(X), "log", used, mean, deviation)
    assert (made.held is None) == (held < 10**9)
    known = scaled_slowly(X, used, clip)
    Q = np.random.default_rng(1).standard_normal((used.sum(), 4))
    for _ in range(2):  # a second pass is the same
        np.testing.assert_allclose(made.gram(Q), known.T @ known @ Q, rtol=1e-3, atol=1e-3)
    values, axes = made.leading(5, 10)
    expected, turned = np.linalg.eigh(known.T @ known)
    np.testing.assert_allclose(values, expected[::-1][:5], rtol=1e-3)
    np.testing.assert_allclose(np.abs((axes * turned[:, ::-1][:, :5]).sum(axis=0)), 1, atol=1e-3)
    assert (axes[np.abs(axes).argmax(axis=0), range(5)] > 0).all()
    np.testing.assert_allclose(np.linalg.norm(axes, axis=0), 1, rtol=1e-5)


@pytest.mark.parametrize("n, genes", [(15, 60), (60, 15)])
def test_components_of_few_cells_go_by_cells(monkeypatch, n, genes):
    """Or by genes: the same."""
    X, asked = logged(n, genes), []
    mean, deviation, _ = moments(in_blocks(X)(), "log")
    made = Scaled(in_blocks(X), "log", deviation > 0, mean, deviation)
    known = np.linalg.svd(scaled_slowly(X, deviation > 0), full_matrices=False)
    monkeypatch.setattr(components, "leading", lambda gram, size, *others: asked.append(
        size) or leading(gram, size, *others))
    values, axes = made.leading(4, 10)
    assert asked == [n if n <= 40 else int((deviation > 0).sum())]
    np.testing.assert_allclose(values, known[1][:4]**2, rtol=1e-4)
    np.testing.assert_allclose(np.abs((axes * known[2][:4].T).sum(axis=0)), 1, atol=1e-4)


@pytest.mark.parametrize("size, n, passes, calls", [
    (40, 4, 3, [4, 4, 4]), (10, 4, 3, [4, 4, 2]), (10, 10, 2, [10]), (6, 9, 2, [6]),
    (40, 4, 1, [4])])
def test_as_many_vectors_as_there_is_room_for(size, n, passes, calls):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((size, size))
    A, asked = A @ A.T, []

    def gram(Q):
        asked.append(Q.shape[1])
        np.testing.assert_allclose(Q.T @ Q, np.eye(Q.shape[1]), atol=1e-5)
        return A @ Q

    values, axes = leading(gram, size, n, passes, seed=3)
    assert asked == calls and axes.shape == (size, min(n, size))
    assert (np.diff(values) <= 1e-9).all() and (values <= np.linalg.eigvalsh(A)[-1] * (1 + 1e-5)).all()
    if size <= n * passes:  # all of it
        np.testing.assert_allclose(values, np.linalg.eigvalsh(A)[::-1][:n], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(A @ axes, axes * values, atol=1e-3)


def test_the_first_block_goes_by_its_seed():
    seen = []
    for seed in (0, 0, 1):
        leading(lambda Q: seen.append(Q) or Q, 30, 2, 1, seed)
    assert np.array_equal(seen[0], seen[1]) and not np.allclose(seen[0], seen[2])


def test_of_equal_numbers_the_first_is_positive():
    made = components._signed(np.array([[-3., 2, -1], [3, -5, 1], [1, 5, 0]]))
    assert made.tolist() == [[3, -2, 1], [-3, 5, -1], [-1, -5, 0]]


# ------------------------------------------------------------------ the baseline

def test_components_of_a_matrix():
    X = sp.csr_matrix(logged(20, 9))
    dense = X.toarray() - X.toarray().mean(axis=0)
    np.testing.assert_allclose(np.linalg.norm(of_matrix(X, 3), axis=0),
                               np.linalg.svd(dense, compute_uv=False)[:3], rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(of_matrix(X, 3, centred=False), axis=0),
                               np.sort(np.linalg.svd(X.toarray(), compute_uv=False))[::-1][:3],
                               rtol=1e-4)
    assert of_matrix(X, 50).shape == (20, 8) and of_matrix(X[:4], 50).shape == (4, 3)
    assert of_matrix(X[:2], 5).shape == (2, 1) and of_matrix(X, 2).dtype == np.float32
    for wrong in (X[:1], X[:, :1]):
        with pytest.raises(ValueError, match="two cells and two genes"):
            of_matrix(wrong)


@pytest.fixture(scope="module")
def wide():
    """(80, 300) counts, some genes of which nobody has."""
    rng = np.random.default_rng(0)
    X = rng.poisson(rng.gamma(.5, 2, 300) * rng.gamma(1, 1, (80, 1)), (80, 300)).astype(np.float32)
    return ad.AnnData(sp.csr_matrix(X), var=pd.DataFrame(index=[f"G{i}" for i in range(300)]))


@pytest.mark.parametrize("n", [20, 150, -1, 0, 1, 999])
def test_variable_genes_occur(wide, n):
    seen = (wide.X.toarray() > 0).any(axis=0)
    n = seen.sum() + n if n < 2 else n
    mask = cells.highly_variable(wide, n)
    assert mask.sum() == min(n, seen.sum()) and mask.dtype == bool and not mask[~seen].any()
    ready = cells.normalise(wide)
    for form in (sp.csr_array, sp.csr_matrix):
        part = ad.AnnData(form(ready.X), uns={"log1p": {}})
        np.testing.assert_array_equal(cells.highly_variable(part, n), mask)
        np.testing.assert_array_equal(cells.highly_variable(part, n, seen), mask)


def test_variable_genes_among_those_that_are_said_to_occur(wide):
    occurs = (wide.X.toarray() > 0).any(axis=0) & (np.arange(300) < 200)
    ready = cells.normalise(wide)
    some = cells.highly_variable(ready, 50, occurs)
    assert some.sum() == 50 and not some[~occurs].any()
    assert cells.highly_variable(ready, occurs.sum(), occurs) is occurs


def test_pca_takes_the_variable_genes(wide):
    adata = wide.copy()
    assert cells.pca(adata, 3, hvg=40, key="X_p") is adata
    ready = cells.normalise(adata)
    expected = of_matrix(ready.X[:, cells.highly_variable(ready, 40)].tocsr(), 3)
    np.testing.assert_allclose(np.abs(adata.obsm["X_p"]), np.abs(expected), atol=1e-4)
