"""`python -m genept_utils paper`: drawn files of the right shape, from a folder of the reader's."""

import json
import os
import shutil
import subprocess
import sys

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import paths
from genept_utils.cli import paper
from genept_utils.pages import ledger


def command(folder, *words):
    """The real command line, in a folder that is not the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT)}
    return subprocess.run([sys.executable, "-m", "genept_utils", "paper", *words], cwd=folder,
                          capture_output=True, text=True, env=environment)


def draw(path, n=120, genes=400, types=4, **columns):
    """Counts of ``types`` kinds of cells over real gene names."""
    names = list(ad.read_h5ad(paths.EMBEDDINGS / "minilm.h5ad", backed="r").obs_names[:genes])
    kind = np.arange(n) % types
    rate = np.where(np.arange(genes) % types == kind[:, None], 3, .5)
    X = np.random.default_rng(0).poisson(rate).astype(np.float32)
    obs = {column: np.asarray(made(kind)) for column, made in columns.items()}
    ad.AnnData(sp.csr_matrix(X), obs=pd.DataFrame(obs, index=[f"c{i}" for i in range(n)]),
               var=pd.DataFrame(index=names)).write_h5ad(path)


def types(kind):
    return [f"type {i}" for i in kind]


def people(kind):
    return [f"p{i // 10}" for i in range(len(kind))]


def states(kind):
    return ["well" if i < len(kind) / 2 else "ill" for i in range(len(kind))]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """All eight files, each with its columns under other names than the book's."""
    folder = tmp_path_factory.mktemp("files")
    draw(folder / "aorta.h5ad", CellType=types, patient_id=people, patient=people,
         disease=states)
    draw(folder / "artery.h5ad", types=10, celltype=types)
    draw(folder / "Bones.H5AD", types=7, annotation=types)
    draw(folder / "myeloid.h5ad", types=11, **{"cell type": types, "cancer.type": states})
    draw(folder / "pancreas.h5ad", celltype=types)
    draw(folder / "multiple_sclerosis.h5ad", types=18, cell_type=types, Age=people, donor=people)
    draw(folder / "cardiomyocytes.h5ad", celltype=types, individual=people, disease=states)
    draw(folder / "lupus.h5ad", author_cell_type=types, donor=people, disease=states)
    return folder


def test_every_file_is_checked_against_the_paper(drawn):
    done = command(drawn, ".", "--check")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(paper.expected()) == 13
    said = {line.partition(":")[0]: line for line in lines}
    assert "120 cells (the paper: 9,625), 400 genes (the paper: 23,331), 4 types (the paper: 11)" \
        in said["aorta.h5ad, chapter 07, aorta by cell type"]
    assert "label is disease" in said["aorta.h5ad, chapter 07, aorta by phenotype"]
    assert "batch is patient" in said["aorta.h5ad, chapter 08, aorta by cell type"]
    assert "10 types as in the paper" in said["artery.h5ad, chapter 07, artery by cell type"]
    assert "7 types as in the paper" in said["Bones.H5AD, chapter 07, bones by cell type"]
    assert "label is cancer.type" in said["myeloid.h5ad, chapter 07, myeloid by cancer type"]
    sclerosis = said["multiple_sclerosis.h5ad, chapter 07, multiple sclerosis by age"]
    assert "12 donors as in the paper" in sclerosis and "label is Age" in sclerosis
    heart = said["cardiomyocytes.h5ad, chapter 09, cardiomyopathy by cell type"]
    assert "12 donors (the paper: 29), 2 conditions (the paper: 3)" in heart
    assert "donor is donor, condition is disease" in said[
        "lupus.h5ad, chapter 09, lupus by cell type"]
    assert not any("Not run" in line for line in lines)


def test_what_is_missing_is_named_and_not_run(drawn, tmp_path):
    draw(tmp_path / "artery.h5ad", leiden=types)
    draw(tmp_path / "lupus.h5ad", celltype=types, people=people, disease=states)
    (tmp_path / "pancreas.h5ad").write_bytes((drawn / "pancreas.h5ad").read_bytes()[:9000])
    shutil.copy(drawn / "artery.h5ad", tmp_path / "other.h5ad")
    done = command(tmp_path, str(tmp_path), "--check")
    assert done.returncode == 1
    assert "pancreas.h5ad cannot be read" in done.stderr and "\n" == done.stderr[-1:]
    assert "none of the paper's sets: other.h5ad; known are aorta.h5ad" in done.stdout
    artery, lupus = (line for line in done.stdout.splitlines() if ", chapter" in line)
    assert 'label (cell type, annotation' in artery and artery.endswith("Columns: leiden. Not run.")
    assert 'name it with "lupus.donor=COLUMN"' in lupus and "Not run" not in lupus
    again = command(tmp_path, str(tmp_path), "--check", "artery.label=leiden",
                    "lupus.donor=people")
    assert "10 types" not in again.stdout and "label is leiden" in again.stdout
    assert "donor is people" in again.stdout and "Not run" not in again.stdout


@pytest.mark.parametrize("words, said", [
    (["none"], "there is no folder none; make it and put the paper's files into it: aorta.h5ad"),
    (["."], "holds none of the paper's files"),
    ([".", "artery.labl=x"], "is no SET.ROLE"), ([".", "arterie.label=x"], "is no SET.ROLE"),
    ([".", "more"], "one folder is needed")])
def test_words_that_cannot_be_meant(words, said, tmp_path, capsys, monkeypatch):
    from genept_utils.__main__ import main

    monkeypatch.chdir(tmp_path)
    assert main(["paper", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_chapter_runs_under_the_papers_name_and_stands_in_the_ledger(drawn, tmp_path,
                                                                       monkeypatch):
    shutil.copy(drawn / "artery.h5ad", tmp_path)
    done = command(tmp_path, str(tmp_path), "seeds=2", "draws=1")
    assert done.returncode == 0, done.stderr
    monkeypatch.setattr(paths, "paper", lambda: tmp_path)
    table = ledger.join("Table 2")
    own = table[table["note"].fillna("").str.startswith("your files")]
    both = own[own["published"].notna()].set_index(["dataset", "label", "method", "metric"])
    one = both.loc[("artery", "cell type", "GenePT-w", "ari")]
    made = json.loads((tmp_path / "results" / "07-artery-cell-type.json").read_text())
    value, = [row["value"] for row in made if row["method"] == "GenePT-w" and
              row["metric"] == "ari"]
    assert one["published"] == .42 and one["ours"] == value
    assert len(table) > len(own)  # the committed rows stand beside them
    monkeypatch.setattr(paths, "paper", lambda: tmp_path / "none")
    assert len(ledger.join("Table 2")) == len(table) - len(own) + len(both)


def test_nothing_of_it_is_seen_by_git():
    if not (paths.ROOT / ".git").exists():
        pytest.skip("this is no clone")
    done = subprocess.run(["git", "check-ignore", "data/paper/aorta.h5ad",
                           "data/paper/results/07.json"], cwd=paths.ROOT, capture_output=True)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("change, row, expected", [
    ({"label": "cell type", "task": "clustering"}, {"labelled": "phenotype"},
     {"label": "phenotype", "task": "clustering"}),
    ({"label": "batch", "task": "batch agreement", "method": "expression"}, {},
     {"label": "patient", "task": "patient agreement", "method": "raw"}),
    ({"label": "condition", "task": "phenotype"}, {}, {"label": "phenotype"})])
def test_results_take_the_papers_words(change, row, expected):
    result = {"item": "Batch and context", "dataset": "aorta-2", "method": "GenePT-w", **change}
    made = paper.under_the_papers_names(result, {"dataset": "aorta", "labelled": "cell type",
                                                 **row})
    assert expected.items() <= made.items() and made["dataset"] == "aorta"


def test_expected_names_join_the_printed_numbers():
    printed = ledger.published()
    names = set(printed["dataset"])
    table = paper.expected()
    assert set(table["dataset"]) <= names
    labels = set(map(tuple, printed[["dataset", "label"]].values))
    for row in table[table["chapter"] == "07"].to_dict("records"):
        assert (row["dataset"], row["labelled"]) in labels
    assert json.dumps(table["known_from"].unique().tolist()) == '["digest of the paper"]'
