"""The chapters on a reader's own file, by the command line, from a folder that is not the book.

The files are drawn: counts of real gene symbols, in which every cell type has genes of its own.
"""

import json
import os
import subprocess
import sys

import anndata as ad
import nbformat
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import embed, paths


@pytest.fixture(scope="module")
def symbols():
    return embed.read_embedding("minilm").obs_names[::40].to_numpy()[:900]


@pytest.fixture(scope="module")
def draw(symbols, tmp_path_factory):
    """A function that writes a drawn file of cells and gives its path."""
    folder = tmp_path_factory.mktemp("reader")

    def write(name, types, seed=0, **columns):
        rng, types = np.random.default_rng(seed), np.asarray(types)
        codes, names = pd.factorize(types)
        rate = np.full((len(names), len(symbols)), 0.15)
        for code in range(len(names)):
            rate[code, rng.choice(len(symbols), 60, replace=False)] = 2.0
        counts = rng.poisson(rate[codes])
        obs = pd.DataFrame({"kind": types, **columns}, index=[f"c{i}" for i in range(len(types))])
        adata = ad.AnnData(sp.csr_matrix(counts, dtype=np.float32), obs=obs,
                           var=pd.DataFrame(index=symbols))
        adata.obsm["X_scGPT"] = counts[:, :30] + rng.standard_normal((len(types), 30))
        adata.write_h5ad(folder / name)
        return folder / name

    return write


def _run(file, *words):
    """Exit code, what was printed, and by chapter the executed page and its results."""
    out = file.parent / "out"
    numbers = [word for word in words if "=" not in word]
    done = subprocess.run(
        [sys.executable, "-m", "genept_utils", "run", *words, f"dataset={file.name}",
         "label=kind", "--out", "out"], cwd=file.parent, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(paths.ROOT)})
    pages = {}
    for number in numbers:
        for page in (out / "notebooks").glob(f"{number}-*.ipynb"):
            if page.name.endswith(".failed.ipynb") == (done.returncode != 0):
                pages[number] = _said(page)
    results = {number: json.loads(next((out / "results").glob(f"{number}-*.json")).read_text())
               for number in numbers if done.returncode == 0}
    return done.returncode, done.stdout + done.stderr, pages, results


def _said(page):
    outputs = [output for cell in nbformat.read(page, as_version=4).cells
               for output in cell.get("outputs", [])]
    return "\n".join(output.get("text", "") or str(output.get("data", {}).get("text/plain", ""))
                     for output in outputs)


MANY = np.array([f"type {i}" for i in np.arange(360) % 26] + ["lonely"] + ["apart"] * 9)
PLATES = np.array([f"p{1 + i // 26 % 2}" for i in range(360)] + ["p1"] + ["p3"] * 9, dtype=object)
PLATES[[5, 6, 7]] = np.nan
PLATES[8] = "nan"


def test_many_types_missing_batches_and_another_model_in_7_and_8(draw):
    file = draw("many.h5ad", MANY, plate=PLATES)
    code, said, pages, results = _run(file, "07", "08", "batch=plate", "also=X_scGPT", "seeds=2",
                                      "draws=1")
    assert code == 0, said
    assert "4 of 370 cells have no batch and are left out where batches are held out" in pages["07"]
    assert "4 of 370 cells have no batch and are left out." in pages["08"]
    for page in pages.values():
        assert "the cell types of batch p3 occur in no other" in page
    told = pd.DataFrame(results["07"])
    assert set(told["dataset"]) == {"many"} and not (told["value"].isna()).any()
    of_model = told[told["method"] == "X_scGPT"]
    assert set(of_model["split"]) == {"all cells", "5-fold", "held-out batch"}
    held = told[told["split"] == "held-out batch"]
    assert (held["repeats"] == 2).all()  # neither "nan" nor p3 is a batch that is held out
    mixed = pd.DataFrame(results["08"]).query("method == 'X_scGPT'")
    assert {"batch agreement", "cell type agreement", "integration"} <= set(mixed["task"])
    assert (mixed["n"] == 366).all()


def test_folds_of_donors_and_missing_conditions_in_9(draw):
    rng = np.random.default_rng(1)
    donor = np.array([f"d{i}" for i in np.arange(360) % 24], dtype=object)
    condition = np.where(rng.random(360) < 0.5, "ill", "well").astype(object)
    donor[:3], condition[3:8] = None, "nan"
    file = draw("donors.h5ad", [f"type {i}" for i in np.arange(360) % 8], donor=donor,
                condition=condition)
    code, said, pages, results = _run(file, "09", "patients=", "draws=2", "also=X_scGPT")
    assert code == 0, said
    page, told = pages["09"], pd.DataFrame(results["09"])
    assert "5 of 360 cells have no condition and are left out." in page
    assert "3 of 355 cells have no donor and are left out where donors are held out" in page
    held = told[told["split"] == "held-out donor"].query("metric == 'accuracy'")
    assert (held["repeats"] == 10).all() and (held["n"] == 352).all()  # of 24 donors
    assert "X_scGPT" in set(held["method"])
    assert "1.00% of 355 cells are 3, and 8 types ask for a share between 0.0226" in page
    assert told.query("metric == 'knn_agreement'")["method"].nunique() == 8


def test_one_donor_and_a_type_of_one_cell_in_9(draw):
    types = [f"type {i}" for i in np.arange(120) % 3] + ["lonely"]
    file = draw("one.h5ad", types, donor=["d"] * 121, condition=["a", "b"] * 60 + ["a"])
    code, said, pages, results = _run(file, "09", "patients=", "draws=2", "share=0.1")
    assert code == 0, said
    assert "No donor is held out: there is 1" in pages["09"]
    assert "Types of one cell are left out here: lonely" in pages["09"]
    told = pd.DataFrame(results["09"])
    assert set(told["split"]) == {"random cells", "10% of the cells to train"}
    assert (told.query("task == 'fine-tuning'")["n"] == 108).all()  # of 120, without "lonely"


def test_a_batch_that_was_not_asked_for_and_a_type_of_one_cell_in_7_and_10(draw):
    types = [f"type {i}" for i in np.arange(120) % 3] + ["lonely"]
    file = draw("asked.h5ad", types, batch=[f"c{i}" for i in range(121)])
    code, said, pages, results = _run(file, "07", "10", "draws=1")
    assert code == 0, said
    assert "its column batch was not asked for and is not used" in pages["07"]
    assert "No set has two batches that share a cell type" in pages["07"]
    assert set(pd.DataFrame(results["07"])["split"]) == {"all cells", "5-fold"}
    assert "panels of 200 from all genes" in set(pd.DataFrame(results["10"])["task"])


@pytest.mark.parametrize("chapters, words, columns, sentences", [
    (["07", "10"], [], {"types": ["B"] * 60},
     ["all 60 cells have the cell type 'B', and this page compares 2 or more"]),
    (["08", "09"], [], {"batch": ["p1"] * 60, "condition": ["ill"] * 60},
     ["have the batch 'p1', and this page compares 2 or more; name another column with batch=",
      "have the condition 'ill', and this page compares 2 or more"]),
    (["07", "08", "09"], ["also=X_geneformer"], {"batch": ["p1", "p2"] * 30},
     ["'X_geneformer'", "X_scGPT"])])
def test_what_cannot_be_told_is_refused_at_the_first_cell(draw, chapters, words, columns,
                                                          sentences):
    columns = dict(columns)
    types = columns.pop("types", ["B", "T"] * 30)
    file = draw(f"{'-'.join(chapters)}.h5ad", types, **columns)
    code, said, _, _ = _run(file, *chapters, *words)
    assert code == 1 and said.count("failed in cell") == len(chapters)
    for sentence in sentences:
        assert sentence in said, said
