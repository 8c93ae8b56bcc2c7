"""Loaders of cells: what a reader must be able to rely on."""

import gc

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import datasets, memory, sources
from genept_utils.chapters import disjoint_panels
from genept_utils.datasets import open_sets


KEPT = {}


def load(name):
    try:
        adata = datasets.load(name)
    except sources.SourceError as error:
        pytest.skip(str(error).splitlines()[0])
    KEPT[name] = adata.obs.copy()
    return adata


def labels(name):
    """The table of a set's cells, loaded once for all tests."""
    return KEPT[name] if name in KEPT else load(name).obs


@pytest.mark.parametrize("name", datasets.CELLS)
def test_every_set_loads_with_its_shape_labels_and_scale(name, tmp_path):
    adata = load(name)
    adata[:2].copy().write_h5ad(tmp_path / "again.h5ad")
    assert isinstance(adata.X, sp.csr_matrix) and adata.X.dtype == np.float32
    assert adata.shape == datasets.CELLS[name]["shape"]
    assert adata.obs["cell_type"].notna().all()
    assert adata.obs_names.is_unique and adata.var_names.is_unique
    raw = adata.uns["genept_data"]["values"] == "raw"
    assert adata.X.data.min() > 0
    assert np.array_equal(adata.X.data, np.rint(adata.X.data)) == raw


def test_counts_of_known_labels():
    assert labels("kang")["condition"].value_counts().to_dict() == {
        "stimulated": 7217, "control": 6359}
    assert labels("symphony_pbmc")["batch"].value_counts().to_dict() == {
        "3pv2": 480, "5p": 430, "3pv1": 290}
    melanoma = labels("melanoma_icb")
    patients = melanoma.groupby("donor", observed=True)["condition"].first()
    assert patients.value_counts().to_dict() == {"Non-responder": 10, "Responder": 9}


def test_kang_donors_agree_with_the_condition_in_muscat():
    try:
        sources.fetch("cells/muscat_example_sce.rda")
    except sources.SourceError as error:
        pytest.skip(str(error).splitlines()[0])
    obs = labels("kang")
    known = obs[obs["donor"].notna()]
    assert len(known) == 962
    assert known["donor"].value_counts().to_dict() == {"101": 582, "107": 380}
    assert set(known["condition"]) == {"control", "stimulated"}


def test_mixology_keeps_each_cells_own_line():
    obs = labels("mixology")
    assert obs.groupby("experiment", observed=True)["cell_type"].nunique().to_dict() == {
        "CEL-seq2, 3 lines": 3, "CEL-seq2, 5 lines": 5, "Drop-seq, 3 lines": 3}
    assert obs.index[0] == "sc_celseq2:A1" and obs["cell_type"].iloc[0] == "H1975"


def test_a_set_is_parsed_once_for_the_same_files(tmp_path, monkeypatch):
    had, reads = {"cells/a"}, []

    def fetch(key):
        if key not in had:
            raise sources.SourceError(key)

    def read():
        reads.append(sorted(had))
        return ad.AnnData(sp.csr_matrix(np.eye(3, dtype=np.float32)),
                          obs=pd.DataFrame({"cell_type": ["B", None, "T"],
                                            "batch": [1, 1, 2]}, index=list("xyz")))

    known = pd.DataFrame({"sha256": ["1", "2"]}, index=["cells/a", "cells/b"])
    monkeypatch.setenv("GENEPT_CACHE", str(tmp_path))
    monkeypatch.setattr(sources, "fetch", fetch)
    monkeypatch.setattr(sources, "registry", lambda: known)
    open_sets.open_set((3, 3), 2, "raw", "cells/a", also=["cells/b"])(read)
    monkeypatch.setitem(datasets.CELLS, "read", datasets.CELLS.pop("read"))

    def load():
        with pytest.warns(UserWarning, match="1 of 3 cells have no cell type"):
            return datasets.load("read")

    first, again = load(), load()
    assert reads == [["cells/a"]]
    assert np.array_equal(first.X.toarray(), again.X.toarray()) and first.obs.equals(again.obs)
    had.add("cells/b")  # what it does without comes later
    load()
    known.loc["cells/a", "sha256"] = "3"
    load()
    assert reads == [["cells/a"], *[["cells/a", "cells/b"]] * 2]
    had.clear()
    with pytest.raises(sources.SourceError):
        datasets.load("read")


def own_file(folder, dense=False, **obs):
    X = np.random.default_rng(0).poisson(1, (2500, 30)).astype(np.float32)
    adata = ad.AnnData(X if dense else sp.csr_matrix(X), obs=pd.DataFrame(obs).set_axis(
        [f"c{i}" for i in range(2500)]), var=pd.DataFrame(index=[f"G{i}" for i in range(30)]))
    path = folder / "own.h5ad"
    adata.write_h5ad(path)
    return path, X


@pytest.mark.parametrize("dense", [True, False])
def test_any_h5ad_by_path_with_named_columns(tmp_path, dense):
    path, X = own_file(tmp_path, dense, kind=["a", "b"] * 1250, lane=[1, 2] * 1250)
    adata = datasets.load(path, label="kind", batch="lane")
    assert isinstance(adata.X, sp.csr_matrix)
    assert np.array_equal(adata.X.toarray(), X)
    assert list(adata.obs["cell_type"][:2]) == ["a", "b"]
    assert adata.obs["batch"].nunique() == 2


def test_a_missing_label_column_names_those_there_are(tmp_path):
    path, _ = own_file(tmp_path, kind=["a", "b"] * 1250, lane=[1, 2] * 1250)
    with pytest.raises(KeyError, match="kind, lane"):
        datasets.load(path, label="celltype")
    with pytest.raises(KeyError, match="label=COLUMN.*kind, lane"):
        datasets.load(path)


def test_a_required_column_that_is_missing_names_those_there_are(tmp_path):
    path, _ = own_file(tmp_path, kind=["a", "b"] * 1250)
    adata = datasets.load(path, label="kind")
    assert datasets.complete(adata, "cell_type") is adata
    with pytest.raises(KeyError, match="own has no column batch.*batch=COLUMN.*kind, cell_type"):
        datasets.complete(adata, "cell_type", "batch")


def test_lineages_keep_what_the_blood_sets_share():
    kept = disjoint_panels.lineages(load("pbmc3k"))
    assert set(kept.obs["cell_type"]) == {"B", "CD4 T", "CD8 T", "NK", "monocyte"}
    assert kept.n_obs == 2700 - 36 - 13


def test_cells_without_a_label_are_left_out_with_a_word(tmp_path):
    path, _ = own_file(tmp_path, kind=["a", None] * 1250)
    with pytest.warns(UserWarning, match="1,250 of 2,500"):
        assert datasets.load(path, label="kind").n_obs == 1250


def test_what_is_neither_a_set_nor_a_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="pbmc_facs"):
        datasets.load("pbmc_fax")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        datasets.load(tmp_path / "none.h5ad")


def test_sets_that_cannot_be_had_are_left_out_with_a_word(monkeypatch):
    def fetch(key):
        if "facs" in key or "muscat" in key:
            raise sources.SourceError(f"{key} could not be had.\n  tried nothing")

    monkeypatch.setattr(sources, "fetch", fetch)
    said = []
    assert datasets.available(["pbmc_facs", "kang", "own.h5ad"], said.append) == ["kang",
                                                                                 "own.h5ad"]
    assert said == ["pbmc_facs is left out: cells/pbmc_facs.RData could not be had."]


def test_collection_is_paused_and_goes_on_whatever_happens():
    with memory.uncollected():
        assert not gc.isenabled()
        with memory.uncollected():
            pass
        assert not gc.isenabled()
    with pytest.raises(OSError), memory.uncollected():
        raise OSError
    assert gc.isenabled()
