"""The weighted sum against float64, whatever the shape, the form, the threads."""

import subprocess
import sys

import numba
import numpy as np
import pytest
import scipy.sparse as sp

from genept_utils import optional
from genept_utils.cells import kernel, simd, weighted_sum


def drawn(n, genes, density, seed=0):
    rng = np.random.default_rng(seed)
    X = sp.random_array((n, genes), density=density, format="csr", dtype=np.float32, rng=rng)
    return sp.csr_matrix(X)


def vectors(genes, d, seed=1):
    return np.random.default_rng(seed).standard_normal((genes, d)).astype(np.float32)


def unit(made):
    return made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-30)


@pytest.fixture
def compiled(monkeypatch):
    """Every set goes through the compiled part, whatever its size."""
    monkeypatch.setattr(kernel, "SMALL", 0)
    monkeypatch.setattr(kernel, "LOADING", 0)


@pytest.mark.parametrize("n, genes, d", [
    (1, 1, 1), (7, 30, 5), (40, 3000, 192), (40, 3000, 193), (25, 9000, 384), (33, 500, 1100)])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_equals_float64_for_every_shape(compiled, n, genes, d, threads):
    X, G = drawn(n, genes, 0.2), vectors(genes, d)
    made = weighted_sum(X, G, threads)
    assert made.dtype == np.float32 and made.shape == (n, d) and made.flags.c_contiguous
    expected = X.toarray().astype(np.float64) @ G.astype(np.float64)
    assert np.abs(unit(made) - unit(expected)).max() < 1e-5


def test_threads_do_not_change_the_result(compiled):
    X, G = drawn(101, 4000, 0.1), vectors(4000, 384)
    first = weighted_sum(X, G, 1)
    for threads in (2, 3, 5):
        assert np.abs(unit(weighted_sum(X, G, threads)) - unit(first)).max() < 1e-6


@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csr_array, sp.csc_matrix, sp.coo_matrix,
                                  lambda X: X.toarray(), "unsorted", "int64", "twice", "readonly"])
def test_every_form_of_the_matrix(compiled, monkeypatch, form):
    monkeypatch.setattr(simd, "BUFFER", 1 << 16)  # several blocks of genes
    X, G = drawn(30, 700, 0.2), vectors(700, 100)
    expected = X.toarray() @ G
    if form == "unsorted":
        order = np.concatenate([np.arange(a, b)[::-1] for a, b in zip(X.indptr, X.indptr[1:])])
        X = sp.csr_matrix((X.data[order], X.indices[order], X.indptr), shape=X.shape)
    elif form == "int64":
        X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    elif form == "twice":  # two entries of one place are added
        X = sp.csr_matrix((np.repeat(X.data / 2, 2), np.repeat(X.indices, 2), X.indptr * 2),
                          shape=X.shape)
    elif form == "readonly":
        X.data.flags.writeable = G.flags.writeable = False
    else:
        X = form(X)
    assert np.allclose(weighted_sum(X, G, 2), expected, atol=1e-4)


def test_cells_and_matrices_without_values(compiled):
    X, G = drawn(5, 50, 0.5), vectors(50, 5)
    X.data[X.indptr[2]:X.indptr[3]] = 0
    X.eliminate_zeros()
    assert not weighted_sum(X, G)[2].any()
    assert not weighted_sum(sp.csr_matrix((4, 50), dtype=np.float32), G).any()
    assert weighted_sum(sp.csr_matrix((0, 50), dtype=np.float32), G).shape == (0, 5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["weights", "dense weights", "vectors"])
def test_nan_and_infinity_are_refused(bad, where):
    X, G = drawn(30, 60, 0.2), vectors(60, 8)
    if where == "vectors":
        G[3, 4] = bad
    else:
        X.data[5] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        weighted_sum(X.toarray() if where == "dense weights" else X, G)


def test_opposite_infinities_and_large_finite_values():
    X, G = drawn(30, 60, 0.2), vectors(60, 8)
    X.data[:2] = np.inf, -np.inf
    with pytest.raises(ValueError, match="NaN or infinite"):
        weighted_sum(X, G)
    X.data[:] = 3e38  # finite, though their sum is not
    weighted_sum(X[:, :1], G[:1] * 1e-3)


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="as many columns"):
        weighted_sum(drawn(3, 10, 0.5), vectors(9, 4))


def test_small_sets_do_not_load_the_compiled_part():
    """In a process of its own: a small set stays with scipy, a large one does not, and small
    ones that add up to a large one do not either."""
    code = """
import sys
import numpy as np, scipy.sparse as sp
from genept_utils.cells import kernel, weighted_sum
def drawn(n):
    return sp.random(n, 1000, density=.1, format="csr", dtype=np.float32, rng=0)
G = np.ones((1000, 256), np.float32)
weighted_sum(drawn(100), G)
assert "genept_utils.cells.simd" not in sys.modules and "numba" not in sys.modules
calls, X = 0, drawn(5000)
while "genept_utils.cells.simd" not in sys.modules:
    weighted_sum(X, G)  # 128 million multiply-adds
    calls += 1
assert 14 <= calls <= 16, calls
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_numba_scipy_does_it_with_a_word(monkeypatch):
    monkeypatch.setattr(kernel, "SMALL", 0)
    monkeypatch.setattr(kernel, "LOADING", 0)
    monkeypatch.setitem(sys.modules, "genept_utils.cells.simd", None)
    monkeypatch.delattr("genept_utils.cells.simd")
    X, G = drawn(30, 60, 0.2), vectors(60, 8)
    with pytest.warns(UserWarning, match="ten times as slowly"):
        assert np.allclose(weighted_sum(X, G), X @ G, atol=1e-5)


@pytest.mark.parametrize("names, expected", [
    ({"NUMBA_NUM_THREADS": "3", "OMP_NUM_THREADS": "5"}, 3), ({"OMP_NUM_THREADS": "5"}, 5),
    ({"OMP_NUM_THREADS": "many"}, None), ({"OMP_NUM_THREADS": "0"}, None)])
def test_threads_come_from_the_environment(monkeypatch, names, expected):
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    cores = kernel.n_threads()
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    assert kernel.n_threads() == (expected or cores)


def test_a_folder_that_cannot_be_written_only_costs_the_kept_work(monkeypatch):
    def njit(cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function
    monkeypatch.setattr(numba, "njit", njit)
    assert optional.compiled(len) is len
