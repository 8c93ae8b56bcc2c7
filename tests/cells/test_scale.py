"""The same vectors whatever holds the matrix: memory, an open file, a Dask array."""

import os

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import cells, embed, paths
from genept_utils.__main__ import main
from genept_utils.cells import out_of_core

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


# ---------------------------------------------------------------- the command `cells`

@pytest.fixture
def atlas_file(counts, embedding, tmp_path, monkeypatch):
    """150 cells on disk; returns a function that runs the command on them in blocks of 40."""
    pytest.importorskip("zarr")
    monkeypatch.setattr(embed, "read_embedding", lambda name="minilm": embedding)
    counts.write_h5ad(tmp_path / "atlas.h5ad")

    def run(*options, out="out.zarr", source="atlas.h5ad"):
        return main(["cells", str(tmp_path / source), "--out", str(tmp_path / out),
                     "--block", "40", *options])

    return run


def expected(counts, embedding):
    cells.genept_w(counts, embedding)
    return counts.obsm["X_genept_w"], counts.uns["genept"]["X_genept_w"]


def same_as_in_memory(path, counts, embedding):
    read = ad.read_zarr if path.suffix == ".zarr" else ad.read_h5ad
    made, (vectors, about) = read(path), expected(counts, embedding)
    assert np.abs(made.obsm["X_genept_w"] - vectors).max() < 1e-6
    assert list(made.obs_names) == list(counts.obs_names)
    assert list(made.var_names) == list(counts.var_names)
    found = made.uns["genept"]["X_genept_w"]
    assert found.keys() == about.keys()
    assert all(found[name] == pytest.approx(about[name]) for name in about)
    assert not path.with_name(f"{path.name}.part").exists()


@pytest.mark.parametrize("out", ["out.zarr", "out.h5ad"])
@pytest.mark.parametrize("form", ["csr", "dense", "zarr"])
def test_the_command_gives_what_the_call_gives(atlas_file, counts, embedding, tmp_path, out, form):
    source = "atlas.zarr" if form == "zarr" else "atlas.h5ad"
    stored = counts.copy()
    if form == "dense":
        stored.X = stored.X.toarray()
    (stored.write_zarr if form == "zarr" else stored.write_h5ad)(tmp_path / source)
    if form == "zarr" and out == "out.h5ad":
        assert atlas_file(out=out, source=source) == 2  # no copy of a zarr store as h5ad
        return
    assert atlas_file(out=out, source=source) == 0
    same_as_in_memory(tmp_path / out, counts, embedding)


@pytest.mark.parametrize("killed_at", [0, 1, 2, 3])
@pytest.mark.parametrize("place", ["before the block", "in the block", "before the note"])
def test_killed_at_any_block_it_goes_on(atlas_file, counts, embedding, tmp_path, monkeypatch,
                                        killed_at, place):
    write, calls = out_of_core.write_rows, []

    def writing(job, start, made):
        calls.append(start // 40)
        if len(calls) - 1 == killed_at:
            if place == "in the block":
                half = made.copy()
                half[len(made) // 2:] = 7
                write(job, start, half)
            if place == "before the note":
                write(job, start, made)
            raise KeyboardInterrupt
        write(job, start, made)

    monkeypatch.setattr(out_of_core, "write_rows", writing)
    with pytest.raises(KeyboardInterrupt):
        atlas_file()
    assert not (tmp_path / "out.zarr").exists()
    done = {int(note.stem) for note in (tmp_path / "out.zarr.part" / "done").glob("*.json")}
    calls.clear()
    killed_at = -1
    assert atlas_file() == 0
    same_as_in_memory(tmp_path / "out.zarr", counts, embedding)
    assert sorted(calls) == sorted(set(range(4)) - done), "a finished block was computed again"


def test_a_block_whose_note_is_half_written_does_not_count(atlas_file, counts, embedding,
                                                           tmp_path, monkeypatch):
    monkeypatch.setattr(out_of_core, "end", lambda *arguments: None)
    assert atlas_file() == 0
    part = tmp_path / "out.zarr.part"
    for number, text in enumerate(("", '{"mass": 1', '{"mass": 1}')):
        (part / "done" / f"{number:06d}.json").write_text(text)
        (part / "store" / "obsm" / "X_genept_w" / f"{number}.0").write_bytes(b"\0" * 40 * 12 * 4)
    monkeypatch.undo()
    monkeypatch.setattr(embed, "read_embedding", lambda name="minilm": embedding)
    assert atlas_file() == 0
    same_as_in_memory(tmp_path / "out.zarr", counts, embedding)


@pytest.mark.parametrize("number, word", [(28, "the disk is full"), (122, "the disk is full"),
                                          (5, "Input/output error")])
def test_a_full_disk_is_said_and_costs_no_finished_block(atlas_file, counts, embedding, tmp_path,
                                                         monkeypatch, capsys, number, word):
    write = out_of_core.write_rows

    def full(job, start, made):
        if start == 80:
            raise OSError(number, os.strerror(number))
        write(job, start, made)

    monkeypatch.setattr(out_of_core, "write_rows", full)
    assert atlas_file() == 2
    said = capsys.readouterr().err
    assert "cells 80 to 120" in said and word in said and "same command again" in said
    done = {note.stem for note in (tmp_path / "out.zarr.part" / "done").glob("*.json")}
    assert {"000000", "000001"} <= done and "000002" not in done
    monkeypatch.setattr(out_of_core, "write_rows", write)
    assert atlas_file() == 0
    same_as_in_memory(tmp_path / "out.zarr", counts, embedding)


@pytest.mark.parametrize("bad, word", [(np.nan, "NaN"), (np.inf, "infinite"), (-2, "negative")])
def test_bad_values_in_a_block_that_was_not_looked_at(atlas_file, counts, tmp_path, capsys, bad,
                                                      word):
    counts.X[60, 3] = bad
    counts.write_h5ad(tmp_path / "atlas.h5ad")
    assert atlas_file() == 2
    said = capsys.readouterr().err
    assert "cells 40 to 80" in said and word in said
    assert not (tmp_path / "out.zarr").exists()


def test_counts_in_a_later_block_of_logarithms(atlas_file, counts, tmp_path, capsys):
    logged = cells.normalise(counts)
    logged.X[60] = counts.X[60] * 100
    ad.AnnData(logged.X, obs=counts.obs, var=counts.var).write_h5ad(tmp_path / "atlas.h5ad")
    assert atlas_file() == 2
    assert "cells 40 to 80: these values are counts" in capsys.readouterr().err


@pytest.mark.parametrize("holds", ["notes.txt", "store/other", "out"])
def test_a_folder_of_others_is_left_alone(atlas_file, tmp_path, capsys, holds):
    place = tmp_path / ("out.zarr" if holds == "out" else f"out.zarr.part/{holds}")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("mine")
    strange = tmp_path / "out.zarr.part" / "mine.txt"
    if holds == "store/other":
        strange.write_text("mine")
    assert atlas_file() == 2
    assert "give another --out" in capsys.readouterr().err
    assert place.read_text() == "mine"


def test_another_job_does_not_go_on_in_the_same_place(atlas_file, counts, tmp_path, monkeypatch,
                                                      capsys):
    monkeypatch.setattr(out_of_core, "end", lambda *arguments: None)
    assert atlas_file() == 0
    assert atlas_file("--key", "X_other") == 2
    assert "begun with another key" in capsys.readouterr().err
    counts.X[0, 0] += 1
    counts.write_h5ad(tmp_path / "atlas.h5ad")
    assert atlas_file() == 2
    assert "begun with another" in capsys.readouterr().err


@pytest.mark.parametrize("options, word", [
    ({"out": "out.csv"}, "must end in .zarr or .h5ad"), ({"source": "none.h5ad"}, "there is no"),
    ({"source": "broken.h5ad"}, "broken or not complete")])
def test_wrong_files_are_said(atlas_file, tmp_path, capsys, options, word):
    (tmp_path / "broken.h5ad").write_bytes((tmp_path / "atlas.h5ad").read_bytes()[:3000])
    assert atlas_file(**options) == 2
    assert word in capsys.readouterr().err


@pytest.mark.parametrize("arguments, word", [
    (("--layer", "none"), "has no layer 'none'"), (("--raw",), "atlas.h5ad has no raw")])
def test_wrong_options_are_said(atlas_file, capsys, arguments, word):
    assert atlas_file(*arguments) == 2
    assert word in capsys.readouterr().err


def test_a_matrix_in_columns_is_refused(atlas_file, counts, tmp_path, capsys):
    counts.X = counts.X.tocsc()
    counts.write_h5ad(tmp_path / "atlas.h5ad")
    assert atlas_file() == 2
    assert "write it in rows first" in capsys.readouterr().err


def test_a_file_is_opened_and_checked_once_for_all_its_blocks(counts, embedding, tmp_path,
                                                              monkeypatch):
    counts.write_h5ad(tmp_path / "atlas.h5ad")
    job, _ = out_of_core.prepare(tmp_path / "atlas.h5ad", tmp_path / "p", embedding, block=40)
    out_of_core.begin(job)
    asked, real = [], out_of_core.matrix_of
    monkeypatch.setattr(out_of_core, "matrix_of", lambda *given: asked.append(1) or real(*given))
    assert [number for number, _ in out_of_core.blocks_here(job, [0, 1, 2, 3])] == [0, 1, 2, 3]
    assert asked == [1] and len(out_of_core.finished(job)) == 4


def test_a_dask_client_gives_the_same_and_goes_on(counts, embedding, tmp_path):
    """On a client of threads in this process: no worker has to be started."""
    distributed = pytest.importorskip("distributed")
    counts.write_h5ad(tmp_path / "atlas.h5ad")
    job, about = out_of_core.prepare(tmp_path / "atlas.h5ad", tmp_path / "p", embedding, block=40)
    out_of_core.begin(job)
    out_of_core.compute(job, 2)
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=2,
                            dashboard_address=None) as client:
        made = sorted(number for number, _ in out_of_core.blocks_on(client, job, [0, 1, 3]))
    assert made == [0, 1, 3] and len(out_of_core.finished(job)) == 4
    out_of_core.end(job, about, tmp_path / "p.zarr")
    found = ad.read_zarr(tmp_path / "p.zarr").obsm["X_genept_w"]
    assert np.abs(found - expected(counts, embedding)[0]).max() < 1e-6


def test_two_at_once_on_one_output(atlas_file, tmp_path, capsys):
    lock = tmp_path / ".out.zarr.lock"
    with paths.locked(lock):
        assert atlas_file() == 2
    assert "is being written by another process" in capsys.readouterr().err
    assert atlas_file() == 0 and not lock.exists()
