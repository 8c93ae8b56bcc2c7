"""`python -m genept_utils paper`: drawn files of the right shape, from a folder of the reader's."""

import json
import shutil
import subprocess

import anndata as ad
import nbformat
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import paths, sources
from genept_book import ledger, notebooks, paper_run


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


def test_every_file_is_checked_against_the_paper(drawn, commands):
    (code, out, err), = commands(["paper", ".", "--check"], folder=drawn)
    assert code == 0, err
    lines = out.splitlines()
    assert len(lines) == len(sources.table("paper-datasets.csv")) == 15
    said = {line.partition(":")[0]: line for line in lines}
    assert "120 cells (expected: 9,625), 400 genes (expected: 23,331), 4 types (expected: 11)" \
        in said["aorta.h5ad, chapter 07, aorta by cell type"]
    assert "label is disease" in said["aorta.h5ad, chapter 07, aorta by phenotype"]
    assert "batch is patient" in said["aorta.h5ad, chapter 08, aorta by cell type"]
    assert "10 types as expected" in said["artery.h5ad, chapter 07, artery by cell type"]
    assert "7 types as expected" in said["Bones.H5AD, chapter 07, bones by cell type"]
    assert "label is cancer.type" in said["myeloid.h5ad, chapter 07, myeloid by cancer type"]
    sclerosis = said["multiple_sclerosis.h5ad, chapter 07, multiple sclerosis by age"]
    assert "12 donors as expected" in sclerosis and "label is Age" in sclerosis
    heart = said["cardiomyocytes.h5ad, chapter 09, cardiomyopathy by cell type"]
    assert "12 donors (expected: 29), 2 conditions (expected: 3)" in heart
    assert "donor is donor, condition is disease" in said[
        "lupus.h5ad, chapter 09, lupus by cell type"]
    assert [line for line in lines if "Not run" in line] == [
        said["artery.h5ad, chapter 07, artery by sample"]]


def test_a_label_has_its_own_word():
    """The column of types is not taken for the phenotype, which is another number in the paper."""
    obs = pd.DataFrame({"a": ["x", "y"], "b": ["u", "v"]})
    given = {"aorta.label": "a", "aorta.phenotype": "b"}
    for row in sources.table("paper-datasets.csv").query("dataset == 'aorta'").to_dict("records"):
        chosen, _ = paper_run.check(row, paths.DATA / "aorta.h5ad", obs, 9, given)
        if row["chapter"] == "07":
            assert chosen == {"label": "b" if row["labelled"] == "phenotype" else "a"}


def test_what_is_missing_is_named_and_not_run(drawn, tmp_path, commands):
    draw(tmp_path / "artery.h5ad", leiden=types)
    draw(tmp_path / "lupus.h5ad", celltype=types, people=people, disease=states)
    (tmp_path / "pancreas.h5ad").write_bytes((drawn / "pancreas.h5ad").read_bytes()[:9000])
    shutil.copy(drawn / "artery.h5ad", tmp_path / "other.h5ad")
    check = ["paper", str(tmp_path), "--check"]
    (code, out, err), (_, again, _) = commands(check, [*check, "artery.label=leiden",
                                                       "lupus.donor=people"])
    assert code == 1
    assert "pancreas.h5ad cannot be read" in err and "\n" == err[-1:]
    assert "none of the paper's sets: other.h5ad; known are aorta.h5ad" in out
    artery, _, lupus = (line for line in out.splitlines() if ", chapter" in line)
    assert 'label (cell type, annotation' in artery and artery.endswith("Columns: leiden. Not run.")
    assert 'name it with "lupus.donor=COLUMN"' in lupus and "Not run" not in lupus
    assert "10 types" not in again and "label is leiden" in again
    assert "donor is people" in again and again.count("Not run") == 1


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


@pytest.mark.parametrize("words, said", [
    (["seds=2"], "none of these chapters takes seds"), (["seeds=two"], "'seeds' is int"),
    (["seeds=0"], "it must be 1 or more"), (["lay=counts", "seeds=2"], "chapters takes lay;"),
    (["pancreas.label=none"], "pancreas.h5ad has no column 'none'")])
def test_words_are_checked_before_anything_runs_or_goes(words, said, drawn, tmp_path, commands):
    for name in ("artery", "pancreas"):
        shutil.copy(drawn / f"{name}.h5ad", tmp_path)
    old = tmp_path / "results" / "07-artery-cell-type.json"
    old.parent.mkdir()
    old.write_text("[]")
    (code, out, err), = commands(["paper", ".", *words])
    assert code == 2 and said in err and "to run" not in out
    assert old.read_text() == "[]"


def test_a_run_that_cannot_begin_keeps_no_other_out(drawn, tmp_path, monkeypatch, capsys):
    from genept_utils.__main__ import main
    from genept_book import run

    def refuses(names, words, out):
        raise ValueError(f"another run is under way in {out.name}")

    monkeypatch.setattr(run, "run", refuses)
    for name in ("artery", "pancreas"):
        shutil.copy(drawn / f"{name}.h5ad", tmp_path)
    assert main(["paper", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert [f"error: {name}.h5ad, chapter 07: another run is under way in 07-{name}-cell-type"
            in said for name in ("artery", "pancreas")] == [True, True]


@pytest.mark.parametrize("make, said", [
    (lambda path: path.symlink_to("/nowhere/x.h5ad"), "aorta.h5ad is a link to"),
    (lambda path: path.write_bytes(b""), "aorta.h5ad is empty"),
    (lambda path: path.write_text("<html>sign in</html>"), "aorta.h5ad holds a web page"),
    (lambda path: path.mkdir(), "aorta.h5ad is a folder")])
def test_a_file_that_is_none_is_said_in_one_line_and_the_others_are_checked(
        make, said, drawn, tmp_path, capsys):
    from genept_utils.__main__ import main

    make(tmp_path / "aorta.h5ad")
    shutil.copy(drawn / "artery.h5ad", tmp_path)
    assert main(["paper", str(tmp_path), "--check"]) == 1
    out, err = capsys.readouterr()
    assert err.startswith("error: ") and said in err and err.count("\n") == 1
    assert out.startswith("artery.h5ad, chapter 07") and out.count("\n") == 2


# Chapter 7's parameters and refusals, and the rows that it recorded for a set of the book.
CHAPTER = """
from genept_book import ledger
from genept_utils import evaluate
sets, = evaluate.read_sets([dataset], max_cells, seed, label=label)
rows = ledger.results("07-cell-types", ledger.paths.DATA / "results")
rows = rows[(rows["dataset"] == "pbmc3k") & rows["note"].isna()].drop(columns="notebook")
ledger.record("07-cell-types", rows.assign(dataset=sets, n=max_cells));
"""


def test_a_chapter_runs_under_the_papers_name_and_stands_in_the_ledger(drawn, tmp_path, capsys,
                                                                       monkeypatch, at_hand):
    """Beside files that are broken, too small or without a column, which are named. That chapter 7
    itself runs on a file of the reader's is seen in tests/pages/test_own_data.py."""
    from genept_utils.__main__ import main

    page = nbformat.read(notebooks.notebooks(["07"])[0], as_version=4)
    page.cells = [cell for cell in page.cells if "parameters" in cell.metadata.get("tags", [])]
    page.cells.append(nbformat.v4.new_code_cell(CHAPTER))
    page.metadata["genept"]["sources"] = []
    (tmp_path / "notebooks").mkdir()
    nbformat.write(page, tmp_path / "notebooks" / "07-cell-types.ipynb")
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "notebooks")
    shutil.copy(drawn / "artery.h5ad", tmp_path)
    shutil.copy(drawn / "lupus.h5ad", tmp_path / "pancreas.h5ad")  # its types have another name
    draw(tmp_path / "aorta.h5ad", n=30, celltype=types)
    (tmp_path / "myeloid.h5ad").write_bytes((drawn / "myeloid.h5ad").read_bytes()[:9000])
    before = [tmp_path / "results" / f"07-{name}.json" for name in
              ("aorta-cell-type", "myeloid-cell-type", "pancreas-cell-type", "bones-cell-type")]
    before[0].parent.mkdir()
    for old in before:
        old.write_text("[]")
    assert main(["paper", str(tmp_path), "seeds=2", "draws=1", "max_cells=100"]) == 1
    out, err = capsys.readouterr()
    assert "Not run." in out, err
    assert "aorta has 30 cells, and this page needs 50 or more" in err
    assert "error: myeloid.h5ad cannot be read" in err
    assert "2 of 2: artery by cell type" in out
    assert [old.exists() for old in before] == [False, False, False, True]
    monkeypatch.setattr(paths, "paper", lambda: tmp_path)
    table = ledger.join().query("item == 'Table 2'")
    own = table[table["note"].fillna("").str.startswith("your files")]
    both = own[own["published"].notna()].set_index(["dataset", "label", "method", "metric"])
    one = both.loc[("artery", "cell type", "GenePT-w", "ari")]
    made = json.loads((tmp_path / "results" / "07-artery-cell-type.json").read_text())
    value, = [row["value"] for row in made if row["method"] == "GenePT-w" and
              row["metric"] == "ari" and "against" not in row]
    assert one["published"] == .42 and one["ours"] == value
    assert one["note"].startswith("your files; ") and one["note"].endswith(" of the 120 cells")
    assert len(table) > len(own)  # the committed rows stand beside them
    monkeypatch.setattr(paths, "paper", lambda: tmp_path / "none")
    assert len(ledger.join().query("item == 'Table 2'")) == len(table) - len(own) + len(both)


@pytest.mark.parametrize("words, fetched", [
    (["--only", "pancreas,ms"], ["pancreas", "multiple sclerosis"]),
    (["--only", "Multiple_Sclerosis all genes"], ["multiple sclerosis all genes"]),
    (["--only", "cardiomyocytes, artery, sle"], ["cardiomyopathy", "lupus"]), ([], None)])
def test_only_what_is_named_and_not_there_is_fetched_and_run(words, fetched, drawn, tmp_path,
                                                             monkeypatch, capsys):
    from genept_book import paper_fetch

    from genept_utils.__main__ import main

    asked = []

    def fetch(folder, wanted, yes, cells):
        asked.append(wanted)
        for name in ("bones", "pancreas"):
            shutil.copy(drawn / ("Bones.H5AD" if name == "bones" else f"{name}.h5ad"),
                        folder / f"{name}.h5ad")
        return 0

    monkeypatch.setattr(paper_fetch, "fetch", fetch)
    monkeypatch.delenv("GENEPT_OFFLINE", raising=False)
    shutil.copy(drawn / "artery.h5ad", tmp_path)
    status = main(["paper", str(tmp_path), "--check", *words])
    out, err = capsys.readouterr()
    assert asked == ([fetched] if fetched else [])
    said = {line.partition(".")[0] for line in out.splitlines()}
    if fetched == ["multiple sclerosis all genes"]:  # nothing of it came
        assert status == 2 and "holds none of the paper's files" in err
        return
    assert status == 0 and "left out" not in out
    assert said == ({"pancreas"} if "pancreas" in (fetched or ()) else {"artery"})
    monkeypatch.setenv("GENEPT_OFFLINE", "1")
    main(["paper", str(tmp_path), "--check", *words])
    assert len(asked) <= 1


def test_only_a_set_of_the_paper_can_be_named(capsys, tmp_path):
    from genept_utils.__main__ import main

    assert main(["paper", str(tmp_path), "--only", "pancreas,spleen"]) == 2
    assert "--only spleen: sets are pancreas, multiple sclerosis" in capsys.readouterr().err


def test_nothing_of_it_is_seen_by_git():
    if not (paths.ROOT / ".git").exists():
        pytest.skip("this is no clone")
    done = subprocess.run(["git", "check-ignore", "data/paper/aorta.h5ad",
                           "data/paper/results/07.json"], cwd=paths.ROOT, capture_output=True)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 2


def test_expected_names_join_the_printed_numbers():
    printed = ledger.published()
    names = set(printed["dataset"])
    table = sources.table("paper-datasets.csv")
    assert set(table["dataset"]) <= names
    labels = set(map(tuple, printed[["dataset", "label"]].values))
    for row in table[table["chapter"] == "07"].to_dict("records"):
        assert (row["dataset"], row["labelled"]) in labels or row["labelled"] == "sample"
    assert table["known_from"].str.contains("digest of the ").all()
    cells = dict(table[["dataset", "cells"]].to_numpy())  # the paper has them the other way round
    assert (cells["myeloid"], cells["multiple sclerosis"]) == ("3430", "13468")
