"""Files with several tables of cells: the one asked for, the only one, or a sentence with names."""

import re

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import zarr

from genept_utils import datasets

GENES = ["TP53", "CD3E", "CD4", "GATA1", "SOX2", "PAX5"]
CELLS = [f"c{i}" for i in range(8)]


def cells(seed, genes=GENES):
    X = np.random.default_rng(seed).poisson(2, (len(CELLS), len(genes))).astype(np.float32)
    return ad.AnnData(sp.csr_matrix(X), var=pd.DataFrame(index=genes),
                      obs=pd.DataFrame({"cell_type": ["a", "b"] * 4}, index=CELLS))


def mudata(path, *names):
    with h5py.File(path, "w") as file:
        ad.io.write_elem(file, "obs", pd.DataFrame(index=CELLS))
        ad.io.write_elem(file, "var", pd.DataFrame(index=GENES))
        for i, name in enumerate(names):
            ad.io.write_elem(file, f"mod/{name}", cells(i))


def spatial(path, *names, place="tables"):
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_group("images")
    for i, name in enumerate(names):
        cells(i).write_zarr(path / place / name)
    group.require_group(place)


def ten_x_2(path, *genomes):
    with h5py.File(path, "w") as file:
        for i, genome in enumerate(genomes):
            X = sp.csc_matrix(cells(i).X.T)
            for key in ("data", "indices", "indptr", "shape"):
                file[f"{genome}/{key}"] = np.asarray(getattr(X, key), dtype=np.int32)
            for key, names in (("genes", GENES), ("gene_names", GENES), ("barcodes", CELLS)):
                file[f"{genome}/{key}"] = np.array(names, dtype="S")


def ten_x_3(path, *genomes):
    X = sp.csc_matrix(sp.hstack([cells(i).X for i in range(len(genomes))]).T)
    names = GENES * len(genomes)
    with h5py.File(path, "w") as file:
        for key in ("data", "indices", "indptr", "shape"):
            file[f"matrix/{key}"] = np.asarray(getattr(X, key), dtype=np.int32)
        file["matrix/barcodes"] = np.array(CELLS, dtype="S")
        for key, values in {"id": names, "name": names, "genome": np.repeat(genomes, len(GENES)),
                            "feature_type": ["Gene Expression"] * len(names),
                            "_all_tag_keys": ["genome"]}.items():
            file[f"matrix/features/{key}"] = np.array(values, dtype="S")


WRITERS = {"m.h5mu": mudata, "s.zarr": spatial, "old.h5": ten_x_2, "new.h5": ten_x_3,
           "first.zarr": lambda path, *names: spatial(path, *names, place="table")}


@pytest.mark.filterwarnings("ignore:.*[Zz]arr", "ignore:Variable names are not unique")
@pytest.mark.parametrize("name", WRITERS)
def test_the_table_that_is_asked_for_is_read(name, tmp_path):
    path = tmp_path / name
    WRITERS[name](path, "one", "two")
    for i, table in enumerate(["one", "two"]):
        for read in (datasets.read_cells(path, table=table),
                     datasets.load(f"{path}/{table}", labelled=False) if path.is_file() else
                     datasets.load(path, table=table, labelled=False)):
            assert np.array_equal(read.X.toarray(), cells(i).X.toarray())
            assert list(read.var_names) == GENES and list(read.obs_names) == CELLS
    with pytest.raises(ValueError, match=f"{name} holds 2 tables; give table='one' or table='two'"):
        datasets.read_cells(path, table="three")
    if name != "new.h5":  # genes of both genomes stand in one matrix there
        with pytest.raises(ValueError, match=f"table='two', or {name}/one"):
            datasets.read_cells(path)


@pytest.mark.filterwarnings("ignore:.*[Zz]arr")
@pytest.mark.parametrize("name", WRITERS)
def test_the_only_table_needs_no_name(name, tmp_path):
    WRITERS[name](tmp_path / name, "one")
    assert np.array_equal(datasets.read_cells(tmp_path / name).X.toarray(), cells(0).X.toarray())


@pytest.mark.filterwarnings("ignore:.*[Zz]arr")
def test_a_table_that_is_not_there(tmp_path):
    cells(0).write_h5ad(tmp_path / "cells.h5ad")
    spatial(tmp_path / "none.zarr")
    for name in ("cells.h5ad/rna", "none.zarr"):
        with pytest.raises(ValueError, match=f"{name.split('/')[0]} holds no.* table"):
            datasets.read_cells(tmp_path / name)
    with pytest.raises(KeyError, match="neither layers nor raw nor tables"):
        datasets.load("immune", table="rna")


def test_the_commands_take_a_table(tmp_path, commands):
    mudata(tmp_path / "m.h5mu", "one", "two")
    given = ["m.h5mu", "--table", "two"]
    (_, out, said), (code, _, err), *made = commands(
        ["match", *given], ["match", "m.h5mu"], ["cells", "m.h5mu/two", "--out", "a.zarr"],
        ["cells", *given, "--out", "b.zarr"])
    assert "6 of 6 names have a gene" in out, said
    assert code and "give table=" in err and "Traceback" not in err
    assert [code for code, _, _ in made] == [0, 0], made
    one, two = (ad.read_zarr(tmp_path / name).obsm["X_genept_w"] for name in ("a.zarr", "b.zarr"))
    from genept_utils import embed, genept_w

    right = genept_w(cells(1), embed.read_embedding()).obsm["X_genept_w"]
    assert np.allclose(one, right, atol=1e-6) and np.array_equal(one, two)


def test_a_loom_of_pyscenic(tmp_path):
    """Columns of several numbers (embeddings, activities of regulons) stand beside plain ones."""
    wanted = cells(0)
    with h5py.File(tmp_path / "s.loom", "w") as file:
        file["matrix"] = wanted.X.toarray().T
        file["row_attrs/Gene"] = np.array(GENES, dtype="S")
        file["row_attrs/Regulons"] = np.zeros(len(GENES), [("TF1", "i8"), ("TF2", "i8")])
        for key, values in {"CellID": np.array(CELLS, "S"), "nGene": np.arange(8),
                            "cell_type": np.array(["a", "b"] * 4, "S"),
                            "Embedding": np.zeros(8, [("_X", "f8"), ("_Y", "f8")]),
                            "RegulonsAUC": np.zeros(8, [("TF1", "f8"), ("TF2", "f8")])}.items():
            file[f"col_attrs/{key}"] = values
    read = datasets.load(tmp_path / "s.loom")
    assert np.array_equal(read.X.toarray(), wanted.X.toarray())
    assert list(read.var_names) == GENES and list(read.obs["cell_type"]) == ["a", "b"] * 4
    assert list(read.obs["nGene"]) == list(range(8)) and "RegulonsAUC" not in read.obs


@pytest.mark.parametrize("values, said", [
    (["0", "1", "2", "1"] * 2, "the cell types are the numbers 0, 1, 2, ...: codes of a factor"),
    ([0, 1, 1, 10] * 2, "numbers 0, 1, 10"), ([1.0, 2.0] * 4, "numbers 1.0, 2.0"),
    (["0 B", "1 T"] * 4, ""), (["T1", "B2"] * 4, "")])
def test_codes_in_place_of_cell_types_get_a_word(values, said, tmp_path, recwarn):
    made = cells(0)
    made.obs["cell_type"] = pd.Categorical(values)
    made.write_h5ad(tmp_path / "cells.h5ad")
    datasets.load(tmp_path / "cells.h5ad")
    words = [str(word.message) for word in recwarn if "cell types are" in str(word.message)]
    assert (len(words) == 1 and said in words[0]) if said else not words


# ---------------------------------------------------------------- marks and sizes

def unmarked(file, *tables):
    for table in tables:
        for mark in ("encoding-type", "encoding-version"):
            del file[table].attrs[mark]


MARKS = {"var": lambda f: unmarked(f, "var"), "both": lambda f: unmarked(f, "obs", "var"),
         "no order": lambda f: (unmarked(f, "var"), f["var"].attrs.pop("column-order", None)),
         "no index": lambda f: (unmarked(f, "var"), f["var"].attrs.pop("_index"))}


@pytest.mark.parametrize("mark", MARKS)
def test_tables_without_the_marks_of_their_type_are_read(mark, tmp_path, commands):
    made = cells(0)
    made.var["n_cells"] = range(len(GENES))
    made.obs["cell_type"] = ["a", "b"] * 4
    made.write_h5ad(tmp_path / "cells.h5ad")
    with h5py.File(tmp_path / "cells.h5ad", "r+") as file:
        MARKS[mark](file)
    read = datasets.load(tmp_path / "cells.h5ad")
    assert list(read.var_names) == GENES and list(read.var["n_cells"]) == list(range(6))
    assert list(read.obs_names) == CELLS and list(read.obs["cell_type"]) == ["a", "b"] * 4
    assert np.array_equal(read.X.toarray(), made.X.toarray())
    if mark == "var":
        (_, out, err), = commands(["cells", "cells.h5ad", "--out", "out.zarr"])
        assert "8 cells, 6 genes with a vector" in out, err


def declared(path, n, what):
    """Names of ``n`` cells, or a matrix of ``n`` rows, are declared and not stored."""
    cells(0).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        if what in ("names", "sparse"):
            del file["obs/_index"]
            index = file.create_dataset("obs/_index", (n,), h5py.string_dtype(), chunks=(1 << 20,),
                                        compression="gzip")
            index.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
        if what in ("indptr", "indices", "sparse"):
            part = "indices" if what == "indices" else "indptr"
            del file[f"X/{part}"]
            file.create_dataset(f"X/{part}", (n,), "i8", chunks=(1 << 20,), compression="gzip")
        if what in ("dense", "names"):
            marks = {"encoding-type": "array", "encoding-version": "0.2.0"}
            del file["X"]
            file.create_dataset("X", (n, 6), "f4", chunks=(1 << 18, 6)).attrs.update(marks)


REFUSED = {
    "names": "declares 1,000,000,000 entries of /obs/_index and stores 0 bytes",
    "sparse": "declares 1,000,000,000 entries of /obs/_index|but there are",
    "indptr": "declares 1,000,000,000 entries of /X/indptr",
    "indices": "declares 1,000,000,000 entries of /X/indices",
    "dense": "matrix is 1,000,000,000 x 6, but there are 8 cells and 6 genes"}


@pytest.fixture(scope="module")
def refusals(tmp_path_factory, forks):
    """What three ways to read say of each file, in one process with little memory."""
    folder = tmp_path_factory.mktemp("declared")
    for what in REFUSED:
        declared(folder / f"{what}.h5ad", 10**9, what)
    code = ("import resource; from genept_utils import datasets, embed\n"
            "from genept_utils.cells import out_of_core\n"
            "vectors, least = embed.read_embedding(), 3 << 30\n"
            "resource.setrlimit(resource.RLIMIT_AS, (least, least))\n"
            f"for name in {list(REFUSED)}:\n"
            "    file = name + '.h5ad'\n"
            "    for read in (lambda: datasets.read_cells(file),\n"
            "                 lambda: out_of_core.prepare(file, name + '.part', vectors),\n"
            "                 lambda: embed.read_embedding(file)):\n"
            "        try: read()\n"
            "        except ValueError as error: print(name, 'ValueError', error)\n"
            "        except Exception as error: print(name, type(error).__name__, error)")
    status, said = forks(code, folder)
    assert status == 0, said
    return [line.partition(" ")[::2] for line in said.splitlines()]


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_declared_and_not_stored_is_refused_before_it_is_read(what, refusals):
    """A read of a thousand million names or rows takes more memory than a test may have."""
    lines = [said for name, said in refusals if name == what]
    assert len(lines) == 3 and all(line.startswith("ValueError") for line in lines), refusals
    assert all(re.search(REFUSED[what], line) for line in lines[:2]), lines


@pytest.mark.filterwarnings("ignore:.*[Zz]arr")
def test_rows_that_a_store_declares_alone(tmp_path):
    cells(0).write_zarr(tmp_path / "s.zarr")
    group = zarr.open_group(tmp_path / "s.zarr", mode="r+")
    del group["X"]
    made = group.create_array("X", shape=(10**9, 6), dtype="f4", chunks=(1 << 18, 6))
    made.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    zarr.consolidate_metadata(group.store)
    with pytest.raises(ValueError, match="1,000,000,000 x 6, but there are 8 cells and 6 genes"):
        datasets.read_cells(tmp_path / "s.zarr")
