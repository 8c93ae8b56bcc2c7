"""Vectors of others by the command line: said of the file, and not blamed on the cells."""

import pickle

import anndata as ad
import numpy as np
import pandas as pd
import pytest

GENES = ["TP53", "CD4", "CD8A", "MS4A1", "NKG7", "LYZ"]
V = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


@pytest.fixture
def here(tmp_path):
    """A small file of cells."""
    X = np.random.default_rng(0).poisson(2, (60, 6)).astype(np.float32)
    ad.AnnData(X, var=pd.DataFrame(index=GENES)).write_h5ad(tmp_path / "cells.h5ad")
    return tmp_path


def numbered(path):
    path.write_bytes(pickle.dumps(dict(enumerate(V))))


def turned(path):
    pd.DataFrame(V, index=GENES).T.to_csv(path)


def turned_anndata(path):
    ad.AnnData(V.T.copy(), var=pd.DataFrame(index=GENES)).write_h5ad(path)


@pytest.mark.parametrize("name, write", [("a.pkl", numbered), ("a.csv", turned),
                                         ("a.h5ad", turned_anndata)])
def test_keys_that_are_row_numbers_name_their_file(here, commands, name, write):
    write(here / name)
    (code, out, err), = commands(["cells", "cells.h5ad", "--out", "o.zarr", "--embedding", name])
    assert code == 2 and err.count("\n") == 1 and not out
    assert err.startswith(f"error: {name}: its keys, 0, 1, 2, ..., are no genes: ")


@pytest.mark.parametrize("keys", [["tok_1", "tok_2", "tok_3", "tok_4", "tok_5", "tok_6"],
                                  [f"AACGTT{x}-1" for x in "ACGTNW"]])
def test_keys_that_are_no_genes_are_said_before_the_error_and_not_blamed_on_the_cells(
        here, commands, keys):
    (here / "a.pkl").write_bytes(pickle.dumps(dict(zip(keys, V))))
    (code, out, err), = commands(["cells", "cells.h5ad", "--out", "o.zarr", "--embedding",
                                  "a.pkl"])
    assert code == 2 and "a.pkl: 6 of 6 keys (100%) are no human gene known here" in out
    assert "none of the 6 gene names has a vector, though 100% of them are known genes" in err
    assert f"the embedding is one of {keys[0]!r}" in err and "adata.var" not in err


@pytest.mark.parametrize("content", [b"cos\nsystem\n(S'true'\ntR.",
                                     pickle.dumps(pd.DataFrame(V, index=GENES))])
def test_a_pickle_of_more_than_numbers_is_one_line(here, commands, content):
    (here / "a.pkl").write_bytes(content)
    (code, out, err), = commands(["cells", "cells.h5ad", "--out", "o.zarr", "--embedding",
                                  "a.pkl"])
    assert code == 2 and err.count("\n") == 1
    assert err.startswith("error: a.pkl: the pickle asks for") and "nothing was executed" in err


def test_embed_makes_the_folder_of_its_output(here, commands, source):
    source("genes/hgnc_complete_set.txt.gz")  # its names
    models = [["--model", "spelling", "--text", "name", "--coding"],
              ["--model", "coexpression:cells.h5ad", "--dimensions", "3"]]
    outs = ["new/folder/v.h5ad", "~/deep/er/v.h5ad"]
    said = commands(*(["embed", *model, "--out", out] for model, out in zip(models, outs)),
                    *(["cells", "cells.h5ad", "--out", f"{number}.zarr", "--embedding", out]
                      for number, out in enumerate(outs)), HOME=str(here))
    assert [code for code, _, _ in said] == [0] * 4, said
    for size, (_, out, _) in zip((256, 3), said):
        assert f"vectors of {size} numbers are in" in out
    assert len(list(here.rglob("v.h5ad"))) == 2
