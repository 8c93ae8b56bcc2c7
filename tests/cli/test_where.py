"""What names a file is taken from the folder of the caller, and checked before anything starts."""

import os
import subprocess
import sys
from pathlib import PureWindowsPath

import pytest

from genept_utils import paths
from genept_book import notebooks


@pytest.mark.parametrize("words", [
    ("run", "07", "dataset=cells.h5ad"), ("run", "10", "dataset=./cells.H5AD"),
    ("run", "05", "embedding=mine.pickle"), ("run", "02", "embedding=permuted:~/mine.csv.gz"),
    ("run", "05", "--grid", "embedding=minilm,mine.parquet"),
    ("run", "01", "models=['minilm', 'other.npz']"),
])
def test_a_missing_file_is_said_before_anything_runs(tmp_path, commands, words):
    (code, out, err), = commands(words, HOME=str(tmp_path))
    assert code == 2 and "there is no file " + str(tmp_path) in err
    assert "to run" not in out


def test_paths_of_the_caller(tmp_path, monkeypatch):
    for name in ("cells.h5ad", "Mine.CSV"):
        (tmp_path / name).touch()
    (tmp_path / "minilm").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for given, found in {
            "cells.h5ad": f"{tmp_path}/cells.h5ad", "~/cells.h5ad": f"{tmp_path}/cells.h5ad",
            "./Mine.CSV": f"{tmp_path}/Mine.CSV", "st:./minilm": f"st:{tmp_path}/minilm",
            "permuted:Mine.CSV": f"permuted:{tmp_path}/Mine.CSV",
            "minilm": "minilm", "wordllama/summary": "wordllama/summary", "kang": "kang",
            "st:all-MiniLM-L6-v2": "st:all-MiniLM-L6-v2", "": "",
            "openai:text-embedding-3-small/summary": "openai:text-embedding-3-small/summary",
    }.items():
        assert notebooks.located("p", given) == found
    assert notebooks.typed(["l=minilm,cells.h5ad"], {"l": ("list", [])}) == {
        "l": ["minilm", f"{tmp_path}/cells.h5ad"]}


def test_a_table_in_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.h5mu").touch()
    assert notebooks.located("p", "m.h5mu/rna") == f"{tmp_path}/m.h5mu/rna"
    with pytest.raises(FileNotFoundError, match="there is no file .*/n.h5mu/rna"):
        notebooks.located("p", "n.h5mu/rna")


class OfWindows(PureWindowsPath):
    """A path of Windows on any machine; its files are those below C:\\data."""

    def expanduser(self):
        return OfWindows(*(r"C:\Users\me" if part == "~" else part for part in self.parts))

    def resolve(self):
        return self

    def exists(self):
        return self.parts[:2] == ("C:\\", "data") and self.suffix != ""

    def is_file(self):
        return self.exists()

    @classmethod
    def cwd(cls):
        return cls(r"C:\data")


@pytest.mark.parametrize("given, found", [
    (r"C:\data\cells.h5ad", r"C:\data\cells.h5ad"), ("C:/data/cells.h5ad", r"C:\data\cells.h5ad"),
    ("cells.h5ad", r"C:\data\cells.h5ad"), (r".\a\cells.h5ad", r"C:\data\a\cells.h5ad"),
    ("permuted:F.csv", r"permuted:C:\data\F.csv"), ("minilm", "minilm"), ("st:a/b", "st:a/b"),
    *[(same, same) for same in (r"permuted:C:\data\F.csv", r"coexpression:C:\data\c.h5ad",
                                "openai:text-embedding-3-small")]])
def test_paths_of_windows(given, found, monkeypatch):
    monkeypatch.setattr(notebooks, "Path", OfWindows)
    monkeypatch.setattr(paths, "Path", OfWindows)
    assert notebooks.located("p", given, OfWindows.cwd()) == found


def test_folders_of_the_environment_are_the_callers(tmp_path, commands):
    (code, _, err), = commands(["data"], GENEPT_MIRROR="no such folder")
    assert code == 2 and f"{tmp_path}/no such folder" in err
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "x").touch()
    for mirror in ("mirror", "~/mirror", ""):
        assert commands(["data"], GENEPT_MIRROR=mirror, HOME=str(tmp_path))[0][0] == 0
    code = ("import os; from genept_utils import paths; paths.resolve_env(); os.chdir('/');"
            "print(paths.cache(), paths.mirror())")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, text=True,
                          capture_output=True, env={
                              **os.environ, "PYTHONPATH": str(paths.ROOT), "HOME": str(tmp_path),
                              "GENEPT_CACHE": "~/kept", "GENEPT_MIRROR": "./mirror"})
    assert done.stdout.split() == [f"{tmp_path}/kept", f"{tmp_path}/mirror"]
