"""Every kind of file of cells gives the same cells, or one sentence that says what to do."""

import gzip
import shutil

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp

from genept_utils import cells, datasets

GENES = [f"GENE{i}" for i in range(60)]
IDS = [f"ENSG{i:011}" for i in range(60)]
BARCODES = [f"cell{i}" for i in range(40)]


@pytest.fixture
def adata():
    """(40, 60) counts with a label, a layer, a raw and two tables of vectors."""
    X = np.random.default_rng(0).poisson(1, (40, 60)).astype(np.float32)
    made = ad.AnnData(sp.csr_matrix(X), var=pd.DataFrame(index=GENES),
                      obs=pd.DataFrame({"cell_type": ["a", "b"] * 20}, index=BARCODES))
    made.layers["twice"] = made.X * 2
    made.obsm["X_other"] = X[:, :3]
    made.raw = made.copy()
    return made


def write_mtx(folder, adata, packed, start="", names="features"):
    folder.mkdir()
    tables = {f"{start}{names}.tsv": pd.DataFrame({0: IDS, 1: GENES}),
              f"{start}barcodes.tsv": pd.DataFrame({0: BARCODES})}
    if names == "features":
        tables[f"{start}features.tsv"][2] = "Gene Expression"
    ending = ".gz" if packed else ""
    for name, table in tables.items():
        table.to_csv(folder / (name + ending), sep="\t", header=False, index=False)
    with (gzip.open if packed else open)(folder / f"{start}matrix.mtx{ending}", "wb") as file:
        scipy.io.mmwrite(file, sp.csc_matrix(adata.X.T).astype(int))


def write_ten_x(path, adata):
    matrix = sp.csc_matrix(adata.X.T)
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for key in ("data", "indices", "indptr", "shape"):
            group[key] = np.asarray(getattr(matrix, key), dtype=np.int32)
        group["barcodes"] = np.array(BARCODES, dtype="S")
        for key, values in {"id": IDS, "name": GENES, "genome": ["GRCh38"] * 60,
                            "feature_type": ["Gene Expression"] * 60,
                            "_all_tag_keys": ["genome"]}.items():
            group[f"features/{key}"] = np.array(values, dtype="S")


def write_loom(path, adata):
    with h5py.File(path, "w") as file:
        file["matrix"], file["layers/twice"] = adata.X.toarray().T, 2 * adata.X.toarray().T
        file["row_attrs/Gene"] = np.array(GENES, dtype="S")
        file["col_attrs/CellID"] = np.array(BARCODES, dtype="S")
        file["col_attrs/cell_type"] = np.array(adata.obs["cell_type"].astype(str).to_list(),
                                               dtype=h5py.string_dtype())


def in_form(path, adata, form):
    adata.X = form(adata.X.toarray())
    adata.write_zarr(path) if path.suffix == ".zarr" else adata.write_h5ad(path)


def packed(path, adata):
    adata.write_h5ad(path.with_suffix(".part"))
    path.write_bytes(gzip.compress(path.with_suffix(".part").read_bytes()))


WRITERS = {
    "rows.h5ad": lambda p, a: in_form(p, a, sp.csr_matrix),
    "columns.h5ad": lambda p, a: in_form(p, a, sp.csc_matrix),
    "dense.h5ad": lambda p, a: in_form(p, a, np.asarray),
    "doubles.h5ad": lambda p, a: in_form(p, a, lambda X: sp.csr_matrix(X.astype(float))),
    "CAPITALS.H5AD": lambda p, a: in_form(p, a, sp.csr_matrix),
    "anndata.h5": lambda p, a: in_form(p, a, sp.csr_matrix),
    "no-ending": lambda p, a: in_form(p, a, sp.csr_matrix),
    "rows.zarr": lambda p, a: in_form(p, a, sp.csr_matrix),
    "columns.zarr": lambda p, a: in_form(p, a, sp.csc_matrix),
    "dense.zarr": lambda p, a: in_form(p, a, np.asarray),
    "packed.h5ad.gz": packed,
    "packed-all-the-same.h5ad": packed,
    "ten_x.h5": write_ten_x,
    "one.loom": write_loom,
    "ten_x_3": lambda p, a: write_mtx(p, a, True),
    "starsolo": lambda p, a: write_mtx(p, a, False),
    "geo": lambda p, a: write_mtx(p, a, True, "GSM1_", "genes"),
}


@pytest.mark.filterwarnings("ignore:.*[Zz]arr")
@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_gives_the_same_cells(name, adata, tmp_path):
    expected = adata.X.toarray()
    WRITERS[name](tmp_path / name, adata)
    read = datasets.read_cells(tmp_path / name)
    assert isinstance(read.X, sp.csr_matrix) and read.X.dtype == np.float32
    assert np.array_equal(read.X.toarray(), expected)
    assert list(read.var_names) == GENES and list(read.obs_names) == BARCODES
    if "cell_type" in read.obs:
        loaded = datasets.load(str(tmp_path / name))
        assert loaded.obs["cell_type"].tolist() == ["a", "b"] * 20
        assert loaded.uns["genept_data"]["name"] == name.split(".")[0]


@pytest.mark.filterwarnings("ignore:.*[Zz]arr")
@pytest.mark.parametrize("name", ["rows.h5ad", "columns.zarr", "one.loom"])
def test_a_layer_of_a_file(name, adata, tmp_path):
    expected = 2 * adata.X.toarray()
    WRITERS[name](tmp_path / name, adata)
    read = datasets.load(tmp_path / name, layer="twice")
    assert np.array_equal(read.X.toarray(), expected)
    with pytest.raises(KeyError, match="no layer 'twise'; there are twice"):
        datasets.load(tmp_path / name, layer="twise")


@pytest.mark.filterwarnings("ignore:.*[Zz]arr")
@pytest.mark.parametrize("name", ["rows.h5ad", "dense.zarr"])
def test_raw_and_vectors_of_others(name, adata, tmp_path):
    expected = adata.X.toarray()
    few = adata[:, :20].copy()
    few.X = sp.csr_matrix(few.X.toarray() - 1)
    WRITERS[name](tmp_path / name, few)
    read = datasets.load(tmp_path / name, raw=True, obsm=["X_other"])
    assert list(read.var_names) == GENES and np.array_equal(read.X.toarray(), expected)
    assert np.array_equal(read.obsm["X_other"], expected[:, :3])
    with pytest.raises(KeyError, match="no 'X_gpt' in obsm; there are X_other"):
        datasets.load(tmp_path / name, obsm=["X_gpt"])


def test_a_matrix_that_is_not_there(adata, tmp_path):
    del adata.raw
    adata.X, adata.layers["scaled"] = None, sp.csr_matrix(adata.X.toarray() - 1)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with pytest.raises(ValueError, match='cells.h5ad has no X; give layer="twice" to use'):
        datasets.load(tmp_path / "cells.h5ad")
    with pytest.raises(KeyError, match="cells.h5ad has no raw"):
        datasets.load(tmp_path / "cells.h5ad", raw=True)
    for key in ({"layer": "x"}, {"raw": True}, {"obsm": "X_other"}):
        write_ten_x(tmp_path / "ten_x.h5", adata.__class__(adata.layers["twice"]))
        with pytest.raises(KeyError, match="one matrix and no layers, raw or obsm"):
            datasets.load(tmp_path / "ten_x.h5", **key)


def test_a_mark_in_a_file_does_not_beat_its_counts(adata, tmp_path):
    expected = cells.normalise(adata).X.toarray()
    adata.uns["log1p"], adata.uns["genept_data"] = {}, {"values": "log"}
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with pytest.warns(UserWarning, match="marked as logarithms, but they are whole numbers"):
        made = cells.normalise(datasets.load(tmp_path / "cells.h5ad"))
    assert np.array_equal(made.X.toarray(), expected)


@pytest.mark.parametrize("marked", [False, True])
def test_fractions_of_a_file_are_what_the_reader_says(marked, adata, tmp_path):
    expected = cells.normalise(adata).X.toarray()
    adata.X = adata.X / np.float32(4)
    if marked:
        adata.uns["log1p"] = {}
    adata.write_h5ad(tmp_path / "cells.h5ad")
    made = cells.normalise(datasets.load(tmp_path / "cells.h5ad", values="raw"))
    assert np.allclose(made.X.toarray(), expected, rtol=1e-5)
    made = cells.normalise(datasets.load(tmp_path / "cells.h5ad", values="log"))
    assert np.array_equal(made.X.toarray(), adata.X.toarray())
    with pytest.raises(ValueError, match='"raw" for counts or "log"'):
        datasets.load(tmp_path / "cells.h5ad", values="counts")


def test_features_that_are_no_genes_are_left_out_before_anything_is_counted(adata, tmp_path):
    adata.var["feature_types"] = ["Gene Expression"] * 50 + ["Antibody Capture"] * 10
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with pytest.warns(UserWarning, match="10 of 60 features are no genes"):
        assert list(datasets.load(tmp_path / "cells.h5ad").var_names) == GENES[:50]


@pytest.mark.parametrize("key", [{"layer": "counts"}, {"raw": True}, {"values": "raw"}])
def test_a_set_of_the_book_has_nothing_to_choose(key):
    with pytest.raises(KeyError, match="immune, a set of the book"):
        datasets.load("immune", **key)


# ---------------------------------------------------------------- what is not read

def half(path, adata):
    adata.write_h5ad(path)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])


def half_packed(path, adata):
    packed(path, adata)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])


def other_hdf5(path, adata):
    with h5py.File(path, "w") as file:
        file["assays"] = 1


def wrong_indices(path, adata):
    adata.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        file["X/indices"][3] = 10**6


def lost_rows(path, adata):
    adata.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        file["X"].attrs["shape"] = [41, 60]


def lost_part(path, adata):
    adata.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        del file["X/indptr"]


def old(path, adata):
    """Tables as one array of records, as anndata wrote them before 0.7."""
    adata.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        del file["obs"]
        file["obs"] = np.zeros(40, [("index", "S8")])


def names_lost(path, adata):
    write_mtx(path, adata, True)
    (path / "barcodes.tsv.gz").unlink()


def names_of_others(path, adata):
    write_mtx(path, adata, True)
    pd.Series(BARCODES[:9]).to_csv(path / "barcodes.tsv.gz", sep="\t", header=False, index=False)


def two_matrices(path, adata):
    write_mtx(path, adata, True, "GSM1_")
    shutil.copy(path / "GSM1_matrix.mtx.gz", path / "GSM2_matrix.mtx.gz")


BROKEN = {
    "half.h5ad": (half, "broken or not complete, so copy or download it again"),
    "half.h5ad.gz": (half_packed, "broken or not complete"),
    "indices.h5ad": (wrong_indices, "cannot be read .*broken"),
    "rows.h5ad": (lost_rows, "the matrix is 41 x 60, but there are 40 cells and 60 genes"),
    "part.h5ad": (lost_part, "cannot be read .*broken"),
    "old.h5ad": (old, "was written before anndata 0.7; write it anew: anndata.read_h5ad"),
    "empty.h5ad": (lambda p, a: p.touch(), "is empty"),
    "text.h5ad": (lambda p, a: p.write_text("cell,gene\n"), "is not a valid HDF5 file"),
    "page.h5ad": (lambda p, a: p.write_text("<!DOCTYPE html>\n"), "a web page"),
    "pointer.h5ad": (lambda p, a: p.write_text("version https://git-lfs.github.com/spec/v1\n"),
                     "git lfs pull"),
    "other.h5": (other_hdf5, "neither AnnData, a 10x matrix nor a loom .it has assays"),
    "table.csv": (lambda p, a: a.to_df().to_csv(p), "convert it once: anndata.read_csv"),
    "table.tsv": (lambda p, a: a.to_df().to_csv(p, sep="\t"), "convert it once"),
    "seurat.rds": (lambda p, a: p.write_bytes(b"X\n"), "in R: zellkonverter"),
    "seurat.h5Seurat": (other_hdf5, "neither AnnData|SeuratDisk"),
    "cells.zip": (lambda p, a: p.write_bytes(b"PK\x03\x04"), "is an archive; unpack it"),
    "cells.tar": (lambda p, a: p.write_bytes(b"x"), "is an archive; unpack it"),
    "table.xlsx": (lambda p, a: p.write_bytes(b"PK"), "make an .h5ad file of it"),
    "folder": (lambda p, a: p.mkdir(), "is a folder, but neither a zarr store.*it is empty"),
    "names": (names_lost, r"no barcodes.tsv beside it"),
    "others": (names_of_others, "name 60 genes and 9 cells"),
    "two": (two_matrices, "2 matrices; give one of them: GSM1_matrix.mtx.gz"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_read_is_named(name, adata, tmp_path):
    write, said = BROKEN[name]
    write(tmp_path / name, adata)
    with pytest.raises(ValueError, match=said) as refused:
        datasets.load(tmp_path / name)
    assert name in str(refused.value) or "matrix.mtx" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_names_what_is_in_it(adata, tmp_path):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with pytest.raises(ValueError, match="give a file in it .cells.h5ad."):
        datasets.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        datasets.load(tmp_path / "cell.h5ad")
    with pytest.raises(FileNotFoundError, match="neither a known data set"):
        datasets.load("kong")
