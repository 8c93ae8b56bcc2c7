"""Sentences against a plain sort of each cell, and against the order of cell2sentence."""

import ast
import importlib.util
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import cells, datasets


@pytest.fixture(scope="module")
def pbmc():
    """300 cells, without the 8 genes whose names differ in capitals only or not at all:
    cell2sentence counts such names once and then writes every later gene under a wrong name."""
    try:
        adata = cells.normalise(datasets.load("pbmc3k")[:300])
    except OSError as error:
        pytest.skip(str(error).splitlines()[0])
    return adata[:, ~adata.var_names.str.upper().duplicated(keep=False)].copy()


def logged(X, names):
    adata = ad.AnnData(sp.csr_matrix(X, dtype=np.float32), var=pd.DataFrame(index=names))
    adata.uns["log1p"] = {}
    return adata


def slow(adata, n_genes, prefix):
    names, made = adata.var_names.to_numpy(str), []
    for row in adata.X.toarray():
        present = sorted((-value, name) for value, name in zip(row, names) if value > 0)
        made.append(prefix + " ".join(name for _, name in present[:n_genes]))
    return made


@pytest.mark.parametrize("n_genes", [0, 1, 3, 1000])
def test_sentences_are_those_of_a_plain_sort(n_genes):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((40, 13)) < 0.4, rng.integers(1, 4, (40, 13)) / 2, 0)  # many ties
    X[[0, 5, 6, 39]] = 0
    adata = logged(X, [f"G{i}" for i in rng.permutation(13)])
    names = adata.var_names
    assert list(cells.cell_sentences(adata, n_genes, "p: ", names)) == slow(adata, n_genes, "p: ")
    assert list(cells.cell_sentences(adata, n_genes, "", names)) == slow(adata, n_genes, "")


def test_values_that_differ_in_the_last_bit_and_very_small_ones():
    X = np.array([[1, np.nextafter(np.float32(1), 2), 1e-40, 19, 1]], dtype=np.float32)
    adata = logged(X, ["E", "D", "C", "B", "A"])
    assert cells.cell_sentences(adata, prefix="", names=adata.var_names)[0] == "B D A E C"


def test_stored_zeros_are_no_genes():
    adata = logged(np.array([[1., 2, 3], [2, 1, 1]]), ["A", "B", "C"])
    adata.X.data[[2, 3]] = 0
    assert list(cells.cell_sentences(adata, prefix="", names=["A", "B", "C"])) == ["B A", "B C"]


def same_order(adata, theirs):
    """Sentences of all genes equal theirs but for genes of one value, which they shuffle."""
    names = adata.var_names.str.upper().to_numpy(str)
    ours = cells.cell_sentences(adata, adata.n_vars, "", names)
    place = pd.Series(np.arange(adata.n_vars), names)
    for i, (mine, other) in enumerate(zip(ours, theirs)):
        row = adata.X[i].toarray()[0]
        mine, other = (place[sentence.split(" ")].to_numpy() for sentence in (mine, other))
        assert np.array_equal(row[mine], row[other]), i
        assert set(mine) == set(other), i


def test_the_order_is_that_of_cell2sentence(pbmc):
    """Its rule, stated again: names in capitals, expressed genes by falling value, equal values
    in random order. The package itself requires torch, so it is no dependency."""
    rng, names = np.random.default_rng(0), pbmc.var_names.str.upper().to_numpy(str)
    theirs = []
    for row in pbmc.X.toarray():
        mixed = rng.permutation(np.flatnonzero(row))
        theirs.append(" ".join(names[mixed[np.argsort(-row[mixed], kind="stable")]]))
    same_order(pbmc, theirs)


def test_the_order_is_that_of_the_installed_cell2sentence(pbmc):
    """Where the package is here, its own function is run, without the rest of the package."""
    spec = importlib.util.find_spec("cell2sentence")
    if spec is None:
        pytest.skip("cell2sentence is not installed (it requires torch)")
    tree = ast.parse(Path(spec.origin).with_name("utils.py").read_text(encoding="utf-8"))
    wanted = [node for node in tree.body if getattr(node, "name", "")
              in ("generate_sentences", "generate_vocabulary")]
    import collections
    import sys

    from sklearn.utils import shuffle

    known = {"np": np, "sparse": sp, "shuffle": shuffle, "tqdm": iter, "sys": sys,
             "OrderedDict": collections.OrderedDict}
    exec(compile(ast.Module(wanted, []), "utils.py", "exec"), known)
    same_order(pbmc, known["generate_sentences"](pbmc, known["generate_vocabulary"](pbmc)))
