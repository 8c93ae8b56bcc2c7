"""Where the output and the cache may lie: said before anything is computed, in one sentence."""

import subprocess
import sys

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import paths

GENES = ["TP53", "CD4", "CD8A", "MS4A1", "NKG7", "LYZ"]


@pytest.fixture
def here(tmp_path):
    """A folder with a list, a small file of cells and a file where a folder would be needed."""
    (tmp_path / "list.txt").write_text("TP53\nCD4\n")
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder").mkdir()
    rng = np.random.default_rng(0)
    adata = ad.AnnData(rng.poisson(2, (60, 6)).astype(np.float32),
                       var=pd.DataFrame(index=GENES))
    adata.write_h5ad(tmp_path / "cells.h5ad")
    return tmp_path


def test_an_output_that_cannot_be_written_is_said_first(here, commands):
    wrong = {
        ("match", "list.txt", "--out", "file/x.csv"): "nothing can be written to {0}/file (Not a ",
        ("match", "list.txt", "--out", "/proc/none/x.csv"): "nothing can be written to /proc/none",
        ("match", "list.txt", "--out", "folder"): "is a folder; name a file in it",
        ("cells", "cells.h5ad", "--out", "file/a/x.zarr"): "nothing can be written to {0}/file/a",
        ("cells", "cells.h5ad", "--out", "/proc/x.h5ad"): "nothing can be written to /proc",
        ("cells", "cells.h5ad", "--out", "./cells.h5ad"): "is the source itself",
        ("embed", "--model", "spelling", "--out", "/proc/x.h5ad"): "nothing can be written to",
        ("run", "02", "--out", "file/x"): "nothing can be written to {0}/file/x (Not a directory)",
        ("run", "--grid", "grid.yml", "--out", "file"): "nothing can be written to {0}/file"}
    (here / "grid.yml").write_text("notebooks: [02]\n")
    before = sorted(here.rglob("*"))
    for (words, said), (code, out, err) in zip(wrong.items(), commands(*wrong)):
        assert code == 2 and said.format(here) in err, (words, err)
        assert err.count("\n") == 1 and not out, words
    assert sorted(here.rglob("*")) == before


def test_a_cache_that_cannot_be_written_is_said(here, commands):
    data, paid, made = commands(
        ["data", "--fetch", "genes/hgnc"], ["cost", "--model", "openai:text-embedding-3-small"],
        ["cells", "cells.h5ad", "--out", "x.zarr", "--embedding", "wordllama/name"],
        GENEPT_CACHE=str(here / "file" / "kept"), GENEPT_MIRROR="", OPENAI_API_KEY="sk-none")
    assert data[0] == 1 and "set GENEPT_CACHE to a folder that can be written" in data[2]
    for code, _, err in (paid, made):
        assert code == 2 and "Traceback" not in err
        assert f"nothing can be written to {here}/file/kept" in err and "GENEPT_CACHE" in err


def test_a_new_folder_a_tilde_blanks_and_umlauts(here, commands):
    strange = here / "my files" / "Größe"
    strange.mkdir(parents=True)
    (here / "cells.h5ad").rename(strange / "zellen größe.h5ad")
    given = "~/my files/Größe/zellen größe.h5ad"
    made = commands(["match", given, "--out", "~/new folder/r.csv"],
                    ["cells", given, "--out", "~/my files/Größe/aus gabe.zarr"],
                    ["cells", given, "--out", "new/deep/x.h5ad"], HOME=str(here))
    assert [code for code, _, _ in made] == [0, 0, 0], made
    assert len(pd.read_csv(here / "new folder" / "r.csv")) == 6
    assert ad.read_zarr(strange / "aus gabe.zarr").obsm["X_genept_w"].shape == (60, 384)
    assert ad.read_h5ad(here / "new" / "deep" / "x.h5ad").obsm["X_genept_w"].shape == (60, 384)
    assert not (here / "~").exists()


def test_without_a_home(here, command):
    done = command("match", "list.txt", HOME=None)
    assert done.returncode == 0 and "2 of 2 names" in done.stdout, done.stderr


def test_a_stop_by_the_keyboard_is_one_word(here):
    code = ("import runpy, genept_utils.cli as cli\ndef stop():\n    raise KeyboardInterrupt\n"
            "cli.main = stop\nrunpy.run_module('genept_utils', run_name='__main__')")
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True,
                          env={"PYTHONPATH": str(paths.ROOT)})
    assert done.returncode == 130 and done.stderr == "stopped\n"
