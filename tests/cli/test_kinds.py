"""Files as other programs write them: read right, or refused with advice that works."""

import gzip
import re
import shlex
import shutil

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp

GENES = ["TP53", "CD4", "CD8A", "MS4A1", "NKG7", "LYZ"]


@pytest.fixture
def here(tmp_path):
    """One matrix in all the kinds of files that `cells` does not read block by block."""
    X = np.random.default_rng(0).poisson(2, (60, 6)).astype(np.float32)
    adata = ad.AnnData(sp.csr_matrix(X), var=pd.DataFrame(index=GENES))
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with open(tmp_path / "cells.h5ad", "rb") as file, gzip.open(tmp_path / "p.h5ad.gz", "wb") as out:
        shutil.copyfileobj(file, out)
    folder = tmp_path / "filtered"
    folder.mkdir()
    scipy.io.mmwrite(folder / "matrix.mtx", sp.coo_matrix(X.T.astype(int)))
    (folder / "features.tsv").write_text("".join(f"ID{i}\t{g}\n" for i, g in enumerate(GENES)))
    (folder / "barcodes.tsv").write_text("".join(f"c{i}\n" for i in range(60)))
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        group, turned = file.create_group("matrix"), sp.csc_matrix(X.T.astype(np.int32))
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(turned, name)
        group["shape"], group["barcodes"] = turned.shape, [f"c{i}".encode() for i in range(60)]
        for name, values in {"id": [f"ID{i}" for i in range(6)], "name": GENES,
                             "feature_type": ["Gene Expression"] * 6,
                             "genome": ["GRCh38"] * 6}.items():
            group[f"features/{name}"] = np.array(values, dtype="S")
        group["features/_all_tag_keys"] = np.array([b"genome"])
    return tmp_path


def test_what_cells_does_not_read_comes_with_advice_that_works(here, commands, forks):
    (here / "list.txt").write_text("TP53\n")
    (here / "t.csv.gz").write_bytes(gzip.compress(b"cell,TP53\nc,1\n"))
    kinds = ["raw.h5", "filtered", "p.h5ad.gz", "filtered/matrix.mtx"]
    said = commands(*(["cells", kind, "--out", "x.zarr"] for kind in (*kinds, "list.txt",
                                                                      "t.csv.gz")))
    assert all(code == 2 and err.count("\n") == 1 for code, _, err in said)
    assert all("anndata.read_csv(" in err for _, _, err in said[-2:])
    advice = [re.search(r"make an .h5ad file of it once: (.*)\n", err)[1] for _, _, err in said[:4]]
    status, told = forks("import genept_utils.datasets\n" + "\n".join(advice), here)
    assert status == 0, told
    right = ad.read_h5ad(here / "cells.h5ad").X.toarray()
    for name in ("raw", "filtered", "p", "matrix"):
        made = ad.read_h5ad(here / f"{name}.h5ad")
        assert (made.X.toarray() == right).all() and list(made.var_names) == GENES


def test_tables_of_a_spreadsheet_and_of_pandas(here, commands):
    V = np.random.default_rng(1).normal(size=(6, 5)).astype(np.float32)
    table = pd.DataFrame(V, index=GENES)
    table.to_csv(here / "comma.csv")
    table.to_csv(here / "semicolon.csv", sep=";", decimal=",")
    table.to_csv(here / "tab.tsv", sep="\t", header=False)
    table.to_csv(here / "bare.csv", sep=";", decimal=",", header=False)
    pd.DataFrame({"logFC": V[:, 0]}, index=GENES).to_csv(here / "found.csv")
    names = ["comma.csv", "semicolon.csv", "tab.tsv", "bare.csv"]
    said = commands(*(["cells", "cells.h5ad", "--out", f"{name}.zarr", "--embedding", name]
                      for name in names),
                    *(["match", name] for name in (*names, "found.csv")))
    assert all(code == 0 for code, _, _ in said), said
    first, *others = (ad.read_zarr(here / f"{name}.zarr").obsm["X_genept_w"] for name in names)
    assert first.shape == (60, 5) and all(np.allclose(first, one) for one in others)
    assert all("6 of 6 names have a gene" in out for _, out, _ in said[4:])


def test_the_mark_of_a_missing_name_is_said(here, commands):
    """"NA" is a former symbol of XK and what R writes for no name; "NAGA" is a gene."""
    (here / "r.txt").write_text("gene\nTP53\nNA\nCD4\nNA.1\nNAGA\n")
    (here / "fine.txt").write_text("gene\nNAGA\nNAT1\nNANOG\n")
    adata = ad.read_h5ad(here / "cells.h5ad")
    adata.var_names = [*GENES[:4], "NA", "NA-1"]
    adata.write_h5ad(here / "marked.h5ad")
    listed, cells, fine = commands(["match", "r.txt"], ["cells", "marked.h5ad", "--out", "m.zarr"],
                                   ["match", "fine.txt"])
    for code, out, err in (listed, cells):
        assert code == 0 and "2 names are written 'NA', as R writes a missing name" in out, err
    assert fine[0] == 0 and "as R writes" not in fine[1] and "3 of 3 names" in fine[1]


def test_without_the_file_of_names_it_is_said(here, commands):
    """SEPT2 is a former symbol, which only HGNC's file and Ensembl's list hold."""
    adata = ad.read_h5ad(here / "cells.h5ad")
    adata.var_names = [*GENES[:5], "SEPT2"]
    adata.write_h5ad(here / "old.h5ad")
    before, fine = commands(
        ["cells", "old.h5ad", "--out", "o.zarr"], ["cells", "cells.h5ad", "--out", "c.zarr"],
        GENEPT_MIRROR="", GENEPT_CACHE=str(here / "empty"), GENEPT_OFFLINE="1")
    assert before[0] == fine[0] == 0
    assert "5 genes with a vector" in before[1] and "--fetch genes/hgnc` says why" in before[1]
    assert "6 genes with a vector" in fine[1] and "says why" not in fine[1]


@pytest.mark.parametrize("spoil", ["scaled", "none"])
def test_what_is_advised_where_x_holds_no_counts_runs(here, commands, spoil):
    """The place of the counts is named as the command writes it, and the command then runs."""
    adata = ad.read_h5ad(here / "cells.h5ad")
    adata.layers["my counts"] = adata.X.copy()
    adata.layers["scaled"] = adata.X.toarray() - 1
    adata.raw = adata.copy()
    adata.X = adata.layers["scaled"] if spoil == "scaled" else None
    adata.write_h5ad(here / "spoilt.h5ad")
    begin = ["cells", "spoilt.h5ad", "--out"]
    refused = commands([*begin, "x.zarr"], [*begin, "x.zarr", "--layer", "no such"],
                       ["match", "spoilt.h5ad"])
    advised = "give --layer 'my counts' or --raw"
    assert refused[0][0] == 2 and advised in refused[0][2]
    assert refused[1][0] == 2 and "there are my counts, scaled" in refused[1][2]
    assert refused[2][0] == 2 and advised in refused[2][2] if spoil == "none" else (
        "Note: the matrix holds negative, missing or infinite values" in refused[2][1]
        and "of the counts" not in refused[2][1].partition("Note")[0])
    options = re.findall(r"(--layer '[^']*'|--raw)", refused[0][2])
    made = commands(*([*begin, f"{i}.zarr", *shlex.split(option)]
                      for i, option in enumerate(options)), [
        "cells", "cells.h5ad", "--out", "right.zarr"], ["match", "spoilt.h5ad", "--raw"])
    assert [code for code, _, _ in made] == [0] * 4
    assert "They carry 100.0% of the counts" in made[3][1]
    vectors = [ad.read_zarr(here / f"{name}.zarr").obsm["X_genept_w"] for name in (0, 1, "right")]
    assert np.allclose(vectors[0], vectors[2]) and np.allclose(vectors[1], vectors[2])


def test_fractions_and_a_matrix_in_columns_come_with_options_that_run(here, commands):
    adata = ad.read_h5ad(here / "cells.h5ad")
    adata.X = adata.X * np.float32(.97)
    adata.layers["turned"] = sp.csc_matrix(adata.X)
    adata.write_h5ad(here / "few.h5ad")
    open_, said, turned = commands(
        ["cells", "few.h5ad", "--out", "a.zarr"],
        ["cells", "few.h5ad", "--out", "b.zarr", "--values", "raw"],
        ["cells", "few.h5ad", "--out", "c.zarr", "--layer", "turned"])
    assert open_[0] == said[0] == 0 and "--values raw says that they are counts" in open_[1]
    assert "counts" not in said[1]
    code = re.search(r"\((adata.layers.*)\)$", turned[2].strip())[1]
    exec(code, {"adata": adata})
    assert turned[0] == 2 and adata.layers["turned"].format == "csr"


@pytest.mark.parametrize("kind", ["float16", "float64", "bool", "uint8", ">i4"])
def test_numbers_of_any_width(here, commands, kind):
    adata = ad.read_h5ad(here / "cells.h5ad")
    adata.X = adata.X.toarray().astype(kind)
    adata.write_h5ad(here / "other.h5ad")
    (code, out, err), = commands(["cells", "other.h5ad", "--out", "o.zarr"])
    assert code == 0 and "6 genes with a vector" in out, err


def test_scaled_values_name_the_place_of_the_counts(here, commands):
    adata = ad.read_h5ad(here / "cells.h5ad")
    adata.layers["counts"] = adata.X.copy()
    adata.layers["scaled"] = adata.X.toarray() - 1
    adata.raw = adata.copy()
    adata.X = adata.layers["scaled"]
    adata.write_h5ad(here / "scaled.h5ad")
    said = commands(["cells", "scaled.h5ad", "--out", "x.zarr"],
                    ["cells", "scaled.h5ad", "--out", "x.zarr", "--layer", "scaled"])
    assert all(code == 2 and 'give --layer counts or --raw' in err for code, _, err in said)
