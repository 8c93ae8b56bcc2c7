"""The chapters on a reader's own file: their cells, executed in this process.

The files are drawn: counts of real gene symbols, in which every cell type has genes of its own.
The same by the command line is in tests/datasets/test_files.py and tests/cli/test_paper.py.
"""

import ast
import contextlib
import functools
import io
import json
import sys
from types import SimpleNamespace

import anndata as ad
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import embed, evaluate, paths
from genept_utils.chapters import cell_types, phenotypes
from genept_book import cluster_labels, notebooks


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


@pytest.fixture(scope="module")
def once():
    """A function that makes another give copies of what it gave before: gene vectors are not
    read anew for every run."""
    kept = {}

    def of(read):
        def call(*given, **named):
            key = read.__name__, given, *named.items()
            if key not in kept:
                kept[key] = read(*given, **named)
            return kept[key].copy()
        return functools.wraps(read)(call)
    return of


class Drawn:
    """In place of UMAP, which is compiled for ten seconds: the first two numbers."""

    def __init__(self, **options):
        assert set(options) == {"random_state", "n_jobs"}

    def fit_transform(self, X):
        return np.asarray(X)[:, :2]


@pytest.fixture
def execute(monkeypatch, tmp_path, once, draw):
    """A function that executes the cells of a chapter on a file, as a kernel would that has all
    modules loaded: what they show, and the recorded results."""
    monkeypatch.setenv("GENEPT_RESULTS", str(tmp_path))
    monkeypatch.chdir(paths.NOTEBOOKS)
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Drawn))
    monkeypatch.setattr(evaluate, "umap_layout", lambda X, seed: np.asarray(X)[:, :2])
    monkeypatch.setattr(embed, "read_embedding", once(embed.read_embedding))
    monkeypatch.setattr(cell_types, "projected_words", lambda n=384, seed=0: (
        embed.read_embedding("random", seed)))  # their texts take seconds to read
    # networks of a few steps, and no place sought for names on maps: neither is looked at here
    fit = phenotypes.fit
    monkeypatch.setattr(phenotypes, "fit", lambda *given, **named: fit(
        *given, **{**named, "max_iter": 2}))
    monkeypatch.setattr(cluster_labels, "write", lambda ax, centres, colours: None)
    reference = draw("reference.h5ad", ["a", "b", "c"] * 40, seed=1)

    def run(number, file, *words):
        path, = notebooks.notebooks([number])
        notebook = nbformat.read(path, as_version=4)
        words, known = [f"dataset={file}", "label=kind", *words], notebooks.parameters(notebook)
        words += [f"references={reference}"] if "references" in known else []
        values = notebooks.typed(words, known)
        names, shown = {"display": print, "__name__": "__main__"}, io.StringIO()
        with contextlib.redirect_stdout(shown), plt.rc_context():
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    _as_a_cell(cell.source, names)
                    if "parameters" in cell.metadata.get("tags", []):
                        names.update(values)
        plt.close("all")
        return shown.getvalue(), pd.DataFrame(json.loads(
            (tmp_path / f"{path.stem}.json").read_text()))

    return run


def _as_a_cell(source, names):
    """Execute a cell, and print the value of its last line."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        if value is not None:
            print(value)


MANY = np.array([f"type {i}" for i in np.arange(208) % 26] + ["lonely"] + ["apart"] * 9)
PLATES = np.array([f"p{1 + i // 26 % 2}" for i in range(208)] + ["p1"] + ["p3"] * 9, dtype=object)
PLATES[[5, 6, 7]] = np.nan
PLATES[8] = "NA"


def test_many_types_missing_batches_and_another_model_in_7_and_8(draw, execute):
    words = ("batch=plate", "also=X_scGPT", "seeds=2", "draws=1")
    file = draw("many.h5ad", MANY, plate=PLATES)
    with pytest.warns(UserWarning, match="plate: 'NA' in 1 cell is taken for missing"):
        page, told = execute("07", file, *words)
    assert "4 of 218 cells have no batch and are left out where batches are held out" in page
    assert "the cell types of batch p3 occur in no other" in page
    assert set(told["dataset"]) == {"many"} and not (told["value"].isna()).any()
    of_model = told[told["method"] == "X_scGPT"]
    assert set(of_model["split"]) == {"all cells", "5-fold", "held-out batch"}
    held = told[(told["split"] == "held-out batch") & told["against"].isna()]
    assert (held["repeats"] == 2).all()  # neither "NA" nor p3 is a batch that is held out
    page, told = execute("08", file, *words)
    assert "4 of 218 cells have no batch and are left out." in page
    assert "the cell types of batch p3 occur in no other" in page
    mixed = told.query("method == 'X_scGPT'")
    assert {"batch agreement", "cell type agreement", "integration"} <= set(mixed["task"])
    assert (mixed.query("against.isna()")["n"] == 214).all()


def test_folds_of_donors_and_missing_conditions_in_9(draw, execute):
    rng = np.random.default_rng(1)
    donor = np.array([f"d{i}" for i in np.arange(240) % 24], dtype=object)
    condition = np.where(rng.random(240) < 0.5, "ill", "well").astype(object)
    donor[:3], condition[3:8] = None, "nan"
    file = draw("donors.h5ad", [f"type {i}" for i in np.arange(240) % 8], donor=donor,
                condition=condition)
    page, told = execute("09", file, "patients=", "draws=2", "nulls=2", "also=X_scGPT")
    assert "5 of 240 cells have no condition and are left out." in page
    assert "3 of 235 cells have no donor and are left out where donors are held out" in page
    told = told[told["against"].isna()]
    held = told[told["split"] == "held-out donor"].query("metric == 'accuracy'")
    assert (held["repeats"] == 10).all() and (held["n"] == 232).all()  # of 24 donors
    assert "X_scGPT" in set(held["method"])
    assert "1.00% of 235 cells are 2, and 8 types ask for a share between 0.0341" in page
    written = {"PCA", "GenePT-w", "permuted", "X_scGPT"}
    assert written <= set(told.query("metric == 'knn_agreement'")["method"])


def test_one_donor_and_a_type_of_one_cell_in_9(draw, execute):
    types = [f"type {i}" for i in np.arange(120) % 3] + ["lonely"]
    file = draw("one.h5ad", types, donor=["d"] * 121, condition=["a", "b"] * 60 + ["a"])
    page, told = execute("09", file, "patients=", "draws=2", "share=0.1")
    assert "No donor is held out: there is 1" in page
    assert "Types of one cell are left out here: lonely" in page
    assert set(told["split"]) == {"random cells", "10% of the cells to train"}
    assert (told.query("task == 'fine-tuning' and against.isna()")["n"] == 108).all()  # of 120, without "lonely"


def test_a_batch_that_was_not_asked_for_and_a_type_of_one_cell_in_7_and_10(draw, execute,
                                                                            source):
    source("genes/hgnc_complete_set.txt.gz", "genes/refseq_gene_summary.rds")
    types = [f"type {i}" for i in np.arange(120) % 3] + ["lonely"]
    file = draw("asked.h5ad", types, batch=[f"c{i}" for i in range(121)])
    page, told = execute("07", file, "draws=1", "seeds=2")
    assert "its column batch was not asked for and is not used" in page
    assert "No set has two batches that share a cell type" in page
    assert set(told["split"]) == {"all cells", "5-fold"}
    _, told = execute("10", file, "draws=1")
    assert {"random halves", "panels of 100 from all genes"} <= set(told["task"])


@pytest.mark.parametrize("chapters, words, columns, sentences", [
    (["07", "10"], [], {"types": ["B"] * 60},
     ["all 60 cells have the cell type 'B', and this page compares 2 or more"]),
    (["08"], [], {"batch": ["p1"] * 60, "condition": ["ill"] * 60},
     ["have the batch 'p1', and this page compares 2 or more; name another column with batch="]),
    (["09"], [], {"batch": ["p1"] * 60, "condition": ["ill"] * 60},
     ["have the condition 'ill', and this page compares 2 or more"]),
    (["07", "08", "09"], ["also=X_geneformer"], {"batch": ["p1", "p2"] * 30},
     ["'X_geneformer'", "X_scGPT"])])
def test_what_cannot_be_told_is_refused_where_the_file_is_read(draw, execute, chapters, words,
                                                               columns, sentences):
    columns = dict(columns)
    types = columns.pop("types", ["B", "T"] * 30)
    file = draw(f"{'-'.join(chapters)}.h5ad", types, **columns)
    for chapter in chapters:
        with pytest.raises((ValueError, KeyError)) as refused:
            execute(chapter, file, *words)
        assert "read_sets" in [frame.name for frame in refused.traceback]
        for sentence in sentences:
            assert sentence in str(refused.value)
