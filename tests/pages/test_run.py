"""The runner refuses before it runs, keeps what failed, and tells stale pages."""

import json
import os
import shutil

import nbformat
import pytest

from genept_utils import paths, sources
from genept_utils.__main__ import main
from genept_book import notebooks, publish, run, stamp

RESULT = ('from genept_utils import ledger\n'
          'ledger.record("02-small", [dict(item="i", task="t", dataset="d", method="m",\n'
          '                                metric="accuracy", value=seed + 0.5)]);')


def test_parameters_are_read_with_their_types(project):
    notebook = nbformat.read(project("pass"), as_version=4)
    found = notebooks.parameters(notebook)
    assert {name: parameter[:2] for name, parameter in found.items()} == {
        "seed": ("int", 0), "name": ("str", "a"), "share": ("float", 0.5)}


@pytest.mark.parametrize("word, message", [
    ("sede=3", "did you mean 'seed'"), ("seed=three", "'seed' is int"),
    ("seed=1.5", "'seed' is int"), ("share=much", "'share' is float"), ("seed=true", "is int")])
def test_wrong_parameters_stop_before_anything_runs(project, word, message):
    project("raise SystemExit('ran')")
    with pytest.raises(ValueError, match=message):
        run.run(["02"], [word])
    assert not paths.BUILD.exists()


@pytest.mark.parametrize("chapter, word, message", [
    ("07", "seeds=0", "1 or more"), ("07", "draws=-1", "1 or more"), ("07", "seed=-1", "0 or more"),
    ("07", "max_cells=0", "1 or more"), ("09", "share=2", "a share, between 0 and 1"),
    ("09", "share=0", "a share"), ("03", "test_share=1", "a share"), ("10", "sizes=100,0", "1 or"),
    ("03", "test_share=nan", "'test_share' is"), ("02", "map_genes=-5", "0 or more")])
def test_numbers_that_cannot_be_stop_before_anything_runs(chapter, word, message):
    """On the real pages: what each of their parameters may be follows from its line."""
    with pytest.raises(ValueError, match=message):
        run.run([chapter], [word])


@pytest.mark.parametrize("chapter, word", [
    ("02", "map_genes=0"), ("06", "max_terms=0"), ("12", "margin=0"), ("09", "share=.5"),
    ("07", "seed=0"), ("10", "sizes=50"), ("07", "also=X_scGPT")])
def test_numbers_that_a_page_allows(chapter, word):
    path, = notebooks.notebooks([chapter])
    known = notebooks.parameters(nbformat.read(path, as_version=4))
    assert notebooks.typed([word], known)


@pytest.mark.parametrize("line", ["seed = 0", "seed: object = 0", "seed: int | None = None"])
def test_untyped_parameters_are_refused(project, line):
    project("pass", parameters=line)
    with pytest.raises(ValueError, match="name: type = value"):
        run.run()


def test_values_take_the_declared_type():
    known = {"a": ("int", 0), "b": ("float", 0.0), "c": ("bool", True), "d": ("str", ""),
             "e": ("list", [])}
    assert notebooks.typed(["a=3", "b=2", "c=false", "d=3", "e=x,y"], known) == {
        "a": 3, "b": 2.0, "c": False, "d": "3", "e": ["x", "y"]}
    assert notebooks.typed(["e=100"], known) == {"e": [100]}
    assert notebooks.typed(["e=x"], known) == {"e": ["x"]}
    assert notebooks.typed(["e=1,2.5"], known) == {"e": [1, 2.5]}


def test_an_unknown_notebook_names_those_there_are(project):
    project("pass")
    with pytest.raises(ValueError, match="02-small"):
        run.run(["05-missing"])


def test_run_write_check_and_staleness(project, monkeypatch):
    path = project(RESULT, "import os; print('threads', os.environ['OMP_NUM_THREADS'])")
    assert "never run" in stamp.check()[0]
    entry, = run.run(write=True, jobs=1, report=lambda line: None)
    assert entry["status"] == "executed" and entry["peak_mb"] > 20
    assert stamp.check() == []
    notebook = nbformat.read(path, as_version=4)
    assert "papermill" not in notebook.metadata
    assert all("papermill" not in cell.metadata for cell in notebook.cells)
    assert notebook.cells[-1].outputs[0].text == f"threads {os.cpu_count()}\n"
    result = paths.DATA / "results" / "02-small.json"
    assert json.loads(result.read_text())[0]["value"] == 0.5
    assert set(json.loads((paths.DATA / "results" / "runs.json").read_text())) == {"02-small"}
    assert len(publish.changed_results()) == 0
    assert stamp.executed(path) == entry["run_date"]
    recorded = result.read_text()
    result.write_text(recorded.replace("0.5", "0.7"))
    assert "is not of the run" in stamp.check()[0] and len(publish.changed_results()) == 1
    result.write_text(recorded)

    with monkeypatch.context() as changed:
        changed.setattr(stamp, "module_hash", lambda notebook: "another")
        assert "genept_utils has changed" in stamp.check()[0] and not stamp.executed(path)
    kept = path.read_text(encoding="utf-8")
    notebook.metadata["genept"]["run"]["module_sha256"] = "0" * 64
    nbformat.write(notebook, path)
    assert "genept_utils has changed" in stamp.check()[0]
    path.write_text(kept.replace("print('threads", "print('Threads"), encoding="utf-8")
    assert "its code has changed" in stamp.check()[0] and not stamp.executed(path)
    (paths.BUILD / "run" / "notebooks" / path.name).unlink()
    path.write_text(kept, encoding="utf-8")
    assert not stamp.executed(path)


def test_a_grid_runs_every_combination_apart(project):
    project(RESULT)
    entries = run.run(grid=["seed=1,2"], report=lambda line: None)
    assert [entry["values"] for entry in entries] == [{"seed": 1}, {"seed": 2}]
    shown = [line.split()[:3] for line in publish.summary_table(entries).splitlines()]
    assert shown == [["notebook", "seed", "status"], ["02-small", "1", "executed"],
                     ["02-small", "2", "executed"]]
    assert "seed" not in publish.summary_table(entries[:1])
    values = [json.loads((paths.BUILD / "param" / f"seed={n}" / "results" / "02-small.json")
                         .read_text())[0]["value"] for n in (1, 2)]
    assert values == [1.5, 2.5]
    assert not (paths.DATA / "results" / "02-small.json").exists()


def test_threads_of_a_page_do_not_depend_on_its_company(project):
    path = project("import os; print('threads', os.environ['OMP_NUM_THREADS'])")
    run.run(write=True, jobs=2, report=lambda line: None)
    outputs = nbformat.read(path, as_version=4).cells[-1].outputs
    assert outputs[0].text == f"threads {max(1, os.cpu_count() // 2)}\n"


def test_a_failure_keeps_the_notebook_and_exits_non_zero(project, capsys):
    path = project("print('reached')", "raise RuntimeError('on purpose')", "print('never')")
    committed = path.read_bytes()
    assert main(["run", "--write"]) == 1
    kept = paths.BUILD / "run" / "notebooks" / "02-small.failed.ipynb"
    assert "reached" in kept.read_text() and "on purpose" in kept.read_text()
    said = capsys.readouterr().err
    assert str(kept) in said and said.count("02-small failed in cell 3: RuntimeError: on purp") == 1
    assert path.read_bytes() == committed


def test_a_missing_source_keeps_the_committed_outputs(project, monkeypatch, capsys):
    monkeypatch.setattr(sources, "fetch", _unreachable)
    path = project("raise SystemExit('ran')", sources=["genes/hgnc_complete_set.txt.gz"])
    committed = path.read_bytes()
    assert main(["run"]) == 0
    assert "keeps its committed outputs: genes/hgnc_complete_set.txt.gz" in capsys.readouterr().out
    assert path.read_bytes() == committed
    summary = json.loads((paths.BUILD / "run" / "summary.json").read_text())
    assert summary[0]["status"] == "kept"
    assert main(["run", "--strict"]) == 1


def test_a_missing_optional_source_is_said(project, monkeypatch, capsys):
    monkeypatch.setattr(sources, "fetch", _unreachable)
    project(RESULT, sources=["genes/hgnc_complete_set.txt.gz"], required=[])
    assert main(["run", "--write"]) == 0
    assert not (paths.BUILD / "run" / "results" / "02-small.json").exists()
    assert (paths.BUILD / "run" / "results_in_part" / "02-small.json").exists()
    assert "was run without: genes/hgnc_complete_set.txt.gz" in capsys.readouterr().out
    assert stamp.check()  # a partial run never becomes the committed page


def test_strict_tells_results_that_have_moved(project, capsys):
    project(RESULT)
    (paths.DATA / "results" / "02-small.json").write_text(json.dumps([{
        "item": "i", "task": "t", "dataset": "d", "method": "m", "metric": "accuracy",
        "value": 0.7, "notebook": "02-small"}]))
    assert main(["run", "--strict"]) == 1
    assert "differ from the committed ones" in capsys.readouterr().err


def _importing(code):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])


def test_docstrings_and_comments_do_not_make_pages_stale(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PACKAGE", tmp_path)
    module, page = tmp_path / "toy.py", _importing("from genept_utils import toy")
    module.write_text('"""One."""\n\n\ndef f(x):\n    """Two."""\n    return x + 1\n')
    first = stamp.module_hash(page)
    module.write_text('"""Other."""\n\n\ndef f(x):\n    # a comment\n    return x + 1\n')
    assert stamp.module_hash(page) == first
    module.write_text('def f(x):\n    return x + 2\n')
    assert stamp.module_hash(page) != first


@pytest.fixture(scope="module")
def pages():
    """Every chapter by its number, and the hash of what it imports."""
    read = {path.stem[:2]: nbformat.read(path, as_version=4) for path in notebooks.notebooks()}
    return read, {number: stamp.module_hash(page) for number, page in read.items()}


@pytest.mark.parametrize("touched, stale", [
    ("embed/api.py embed/client.py cli/text.py genept_book/run.py", ()),
    ("cells/kernel.py", ("07", "08", "09", "10")), ("chapters/phenotypes.py", ("09",)),
    ("sources.py", ("02", "07", "12")), ("genept_book/ledger.py", ("02", "07", "12")),
    ("chapters/scale.py", ("13",)),
])
def test_a_page_is_stale_only_by_the_rooms_that_it_imports(tmp_path, monkeypatch, pages, touched,
                                                           stale):
    (read, before), copy = pages, tmp_path / "genept_utils"
    for folder in (paths.PACKAGE, paths.BOOK / "genept_book"):
        shutil.copytree(folder, tmp_path / folder.name,
                        ignore=shutil.ignore_patterns("__pycache__", "_data"))
    for name in touched.split():
        with open((tmp_path if name.startswith("genept_book") else copy) / name, "a") as file:
            file.write("\n\ndef added():\n    return 1\n")
    monkeypatch.setattr(paths, "PACKAGE", copy)
    monkeypatch.setattr(paths, "BOOK", tmp_path)
    moved = {number for number, page in read.items()
             if stamp.module_hash(page) != before[number]}
    assert moved >= set(stale)
    assert stale or not moved, f"{touched} makes {moved} stale"
    if touched in ("cells/kernel.py", "chapters/phenotypes.py"):
        assert not moved & {"02", "05", "12"}


def _unreachable(key, progress=None):
    raise sources.SourceError(f"{key} could not be had")


@pytest.mark.parametrize("values, made", [
    ({"dataset": "/home/a.h5ad"}, {"patients": "", "dataset": "/home/a.h5ad"}),
    ({"dataset": "/home/a.h5ad", "patients": "b.h5ad"},
     {"dataset": "/home/a.h5ad", "patients": "b.h5ad"}),
    ({"dataset": "kang"}, {"dataset": "kang"}), ({}, {})])
def test_the_books_patients_are_left_out_where_a_reader_has_cells(values, made):
    assert run.asked_for(values, {"dataset": 0, "patients": 0}) == made
    assert run.asked_for(values, {"dataset": 0}) == values


@pytest.mark.parametrize("minutes, jobs, found", [
    ([4, 2, 2], 2, 4), ([9, 1], 2, 9), ([], 2, 0), ([1, 1], 1, 2)])
def test_what_is_left(minutes, jobs, found):
    assert run.left(minutes, jobs) == found
