"""A grid file: refused before it runs, resumed by content, one failure stops nothing else."""

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

from genept_utils import paths
from genept_utils.__main__ import main
from genept_book import grid
from genept_book.execute import entry_of

RESULT = ('from genept_utils import ledger\n'
          'ledger.record("02-small", [dict(item="i", task="t", dataset="d", method="m",\n'
          '                                metric="accuracy", value=seed + 0.5)]);')
GRID = "notebooks: [02]\nparameters:\n  seed: [0, 1, 2]\n  name: [a, b]\n"


@pytest.fixture
def here(monkeypatch):
    """Jobs run one after the other in this process, without a kernel; lists what was run."""
    ran = []

    def execute(task, threads=1):
        ran.append(dict(task["values"]))
        if task["values"]["seed"] == 1:
            return entry_of(task, "failed", "", error="cell 1: on purpose")
        target = task["place"] / "notebooks" / "done.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("{}")
        return entry_of(task, "executed", "", minutes=0.1, path=str(target))

    monkeypatch.setattr(grid, "_on_client", lambda tasks, jobs, scheduler:
                        ((execute(task), task) for task in tasks))
    return ran


def written(tmp_path, text=GRID):
    path = tmp_path / "grid.yml"
    path.write_text(text)
    return path


def test_every_combination_runs_once_and_a_failure_stops_nothing(project, here, tmp_path):  # noqa: F811
    project("pass")
    path = written(tmp_path)
    entries = grid.run_grid(path, report=lambda line: None)
    assert len(entries) == len(here) == 6
    assert {entry["status"] for entry in entries} == {"executed", "failed"}
    assert [entry["values"]["seed"] for entry in entries if entry["status"] == "failed"] == [1, 1]
    here.clear()
    again = grid.run_grid(path, report=lambda line: None)
    assert [values["seed"] for values in here] == [1, 1]  # only what had failed
    assert [entry["again"] for entry in again] == [False, False, True, True, False, False]
    assert [entry["status"] for entry in again] == [entry["status"] for entry in entries]


@pytest.mark.parametrize("change", ["code", "value", "dataset", "note", "output"])
def test_what_changed_is_run_again(project, here, tmp_path, change):  # noqa: F811
    data = tmp_path / "cells.h5ad"
    data.write_bytes(b"1")
    project("pass")
    path = written(tmp_path, f"notebooks: ['02']\nparameters:\n  seed: [0]\n  name: {data}\n")
    place = paths.Path(grid.run_grid(path, report=lambda line: None)[0]["path"]).parents[1]
    here.clear()
    if change == "code":
        project("pass  # and more", "print(1)")
    elif change == "value":
        path.write_text(path.read_text().replace("[0]", "[3]"))
    elif change == "dataset":
        data.write_bytes(b"2")
    elif change == "note":
        note = place / "entry.json"
        note.write_text(note.read_text()[:20])
    else:
        (place / "notebooks" / "done.ipynb").unlink()
    grid.run_grid(path, report=lambda line: None)
    assert len(here) == 1


@pytest.mark.parametrize("text, word", [
    ("notebooks: [02]\nparameters:\n  sede: [1]\n", "did you mean 'seed'"),
    ("notebooks: [02]\nparameters:\n  seed: [one]\n", "'seed' is int"),
    ("notebooks: [77]\n", "no notebook is called '77'"),
    ("parameters: {seed: [1]}\n", "must hold `notebooks`"), ("- a\n", "must hold `notebooks`"),
    ("notebooks: [02]\nparams: {}\n", "must hold `notebooks`"), ("a: [\n", "is no YAML"),
    ("notebooks: [02]\nparameters:\n  seed: []\n", "at least one value"),
    ("notebooks: [02]\nparameters:\n  name: ['a,b']\n", "none with a comma")])
def test_a_wrong_grid_is_refused_before_anything_runs(project, here, tmp_path, capsys, text,  # noqa: F811
                                                      word):
    project("pass")
    assert main(["run", "--grid", str(written(tmp_path, text))]) == 2
    assert word in capsys.readouterr().err and not here


def test_the_command_prints_a_table_and_fails_with_a_job(project, here, tmp_path, capsys):  # noqa: F811
    project("pass")
    path = written(tmp_path)
    assert main(["run", "--grid", str(path)]) == 1
    said = capsys.readouterr()
    assert "6 jobs, 0 of them finished before" in said.out and "on purpose" in said.err
    assert main(["run", "02", "--grid", str(path)]) == 2
    assert "leave out names" in capsys.readouterr().err
    assert main(["run", "02", "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "goes with a grid file" in capsys.readouterr().err


def test_on_a_real_client(project, tmp_path):  # noqa: F811
    pytest.importorskip("distributed")
    project("print(seed)", "assert seed < 1")
    path = written(tmp_path, "notebooks: [02]\nparameters: {seed: [0, 1]}\n")
    done, failed = grid.run_grid(path, jobs=1, report=lambda line: None)
    assert [done["status"], failed["status"]] == ["executed", "failed"]
    assert "AssertionError" in failed["error"]
    folder = paths.Path(done["path"]).parents[1]
    assert json.loads((folder / "entry.json").read_text())["status"] == "executed"
    made = nbformat.read(folder / "notebooks" / "02-small.ipynb", as_version=4)
    assert made.cells[-2].outputs[0].text == "0\n"


CLIENT = """
import sys
from pathlib import Path
from genept_utils import paths
top = paths.ROOT = Path(sys.argv[1])
paths.NOTEBOOKS, paths.BUILD, paths.DATA = top / "notebooks", top / "_build", top / "data"
from genept_book import start
start.quickly()
from genept_book import grid
grid.run_grid(top / "grid.yml", scheduler=sys.argv[2], report=lambda line: None)
"""


def test_a_killed_client_leaves_no_job_and_threads_of_a_worker_do_not_mix(project, tmp_path,  # noqa: F811
                                                                          monkeypatch):
    """One worker of two threads, as `dask worker` starts it, and two jobs."""
    distributed = pytest.importorskip("distributed")
    project("import os, time", "open(os.environ['WAIT'] + '.begun', 'w').close()",
            "while os.path.exists(os.environ['WAIT']):\n    time.sleep(.05)", RESULT)
    written(tmp_path, "notebooks: [02]\nparameters: {seed: [0, 1]}\n")
    (tmp_path / "wait").touch()
    monkeypatch.setenv("WAIT", str(tmp_path / "wait"))
    with distributed.LocalCluster(1, threads_per_worker=2, dashboard_address=None) as cluster:
        client = subprocess.Popen([sys.executable, "-c", CLIENT, str(tmp_path),
                                   cluster.scheduler_address],
                                  env={**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent)})
        end = time.monotonic() + 300
        while not (tmp_path / "wait.begun").exists() and time.monotonic() < end:
            time.sleep(.05)
        kernels = [process for process in psutil.Process().children(recursive=True)
                   if process != psutil.Process(client.pid)
                   and any("ipykernel" in word for word in process.cmdline())]
        assert kernels
        client.send_signal(signal.SIGKILL)
        client.wait()
        gone, alive = psutil.wait_procs(kernels, timeout=20)
        assert not alive
        (tmp_path / "wait").unlink()
        entries = grid.run_grid(tmp_path / "grid.yml", scheduler=cluster.scheduler_address,
                                report=lambda line: None)
    assert [entry["status"] for entry in entries] == ["executed", "executed"]
    found = [json.loads((paths.Path(entry["path"]).parents[1] / "results" / "02-small.json"
                         ).read_text())[0]["value"] for entry in entries]
    assert found == [.5, 1.5]
