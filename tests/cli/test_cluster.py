"""`--scheduler`: the work is done by workers that are processes of their own, and goes on."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import cells, embed, paths

distributed = pytest.importorskip("distributed")
QUICK = ("from genept_utils import optional\n"
         "optional.dask_client.__wrapped__.__defaults__ = (None, .5)")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, request):
    """Address of a scheduler with two workers (or another number), started as on a cluster."""
    tmp_path = tmp_path_factory.mktemp("cluster")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    env = {**os.environ, "PYTHONPATH": str(paths.ROOT), "OMP_NUM_THREADS": "1"}
    dask, quiet = [sys.executable, "-m", "dask"], {"cwd": tmp_path, "env": env,
                                                   "stdout": subprocess.DEVNULL}
    with open(tmp_path / "cluster.log", "w") as log:
        started = [subprocess.Popen([*dask, "scheduler", "--host", address, "--no-dashboard",
                                     "--no-show"], stderr=log, **quiet)]
        started += [subprocess.Popen([*dask, "worker", address, "--nthreads", "1", "--no-nanny",
                                      "--no-dashboard", "--name", f"worker{i}"], stderr=log,
                                     **quiet) for i in range(getattr(request, "param", 2))]
        end = time.monotonic() + 60
        while time.monotonic() < end:  # until the scheduler listens
            with socket.socket() as one:
                if not one.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))):
                    break
            time.sleep(.05)
        yield address, started[1:]
        for process in started:
            process.kill()
            process.wait()


GRID = """
import sys
from pathlib import Path
from genept_utils import paths
top = paths.ROOT = Path.cwd()
paths.NOTEBOOKS, paths.BUILD, paths.DATA = top / "notebooks", top / "_build", top / "data"
from genept_utils.cli import main
code = main(WORDS)
if code:
    raise SystemExit(code)
"""


def steps(address):
    """How much work a scheduler has given out; a client that only connects adds nothing."""
    with distributed.Client(address) as client:
        return client.run_on_scheduler(
            lambda dask_scheduler: dask_scheduler.transition_counter)


def start(folder, *words, **options):
    return subprocess.Popen([sys.executable, "-m", "genept_utils", *words], cwd=folder, text=True,
                            env={**os.environ, "PYTHONPATH": str(paths.ROOT)},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_a_grid_on_a_cluster(cluster, project, tmp_path, forks):
    address, _ = cluster
    project("print('seed', seed)")
    (tmp_path / "grid.yml").write_text("notebooks: [02]\nparameters:\n  seed: [7]\n")
    words = ["run", "--grid", "grid.yml", "--scheduler", address, "--out", "jobs"]
    before = steps(address)
    status, said = forks(GRID.replace("WORDS", repr(words)), tmp_path)
    assert status == 0 and ": executed in" in said, said
    assert steps(address) > before
    page, = (tmp_path / "jobs").rglob("02-small.ipynb")
    assert "seed 7" in page.read_text(encoding="utf-8")


def test_cells_on_a_cluster_are_killed_and_go_on(cluster, tmp_path, commands):
    embedding = embed.read_embedding()
    X = np.random.default_rng(0).poisson(.5, (3000, 300)).astype(np.float32)
    counts = ad.AnnData(sp.csr_matrix(X), var=pd.DataFrame(index=embedding.obs_names[:300]))
    counts.write_h5ad(tmp_path / "cells.h5ad")
    address, workers = cluster
    words = ("cells", "cells.h5ad", "--block", "50", "--scheduler", address, "--out", "c.zarr")
    first, done = start(tmp_path, *words), tmp_path / "c.zarr.part" / "done"
    while first.poll() is None and len(list(done.glob("[0-9]*.json"))) < 8:
        time.sleep(.005)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = steps(address)
    vectors = tmp_path / "c.zarr.part" / "store" / "obsm" / "X_genept_w"
    kept = {f"{int(file.stem)}.0": (vectors / f"{int(file.stem)}.0").stat().st_mtime_ns
            for file in done.glob("[0-9]*.json")}
    assert 8 <= len(kept) < 60 and not (tmp_path / "c.zarr").exists()
    workers[1].kill()  # a machine goes away, too
    (code, out, err), = commands(words)
    assert code == 0 and "3,000 cells" in out, err
    assert steps(address) > before
    made = tmp_path / "c.zarr" / "obsm" / "X_genept_w"
    assert all((made / name).stat().st_mtime_ns == when for name, when in kept.items())
    cells.genept_w(counts, embedding)
    found = ad.read_zarr(tmp_path / "c.zarr").obsm["X_genept_w"]
    assert np.abs(found - counts.obsm["X_genept_w"]).max() < 1e-6
    assert workers[0].poll() is None


def test_a_scheduler_that_does_not_answer_is_said(commands, tmp_path):
    ad.AnnData(np.ones((9, 1), np.float32), var=pd.DataFrame(index=["TP53"])).write_h5ad(
        tmp_path / "a.h5ad")
    wrong = ["nonsense://1", "127.0.0.1", "tcp://127.0.0.1:1"]
    (tmp_path / "grid.yml").write_text("notebooks: [12]\n")
    said = commands(*(["cells", "a.h5ad", "--out", "a.zarr", "--scheduler", one] for one in wrong),
                    ["run", "--grid", "grid.yml", "--scheduler", wrong[0], "--out", "jobs"],
                    before=QUICK)
    for (code, _, err), address in zip(said, [*wrong, wrong[0]]):
        assert code == 2 and f"no Dask scheduler with a worker answers at --scheduler {address}" in err
        assert "`dask scheduler` starts one" in err and err.count("error:") == 1


@pytest.mark.parametrize("cluster", [0], indirect=True)
def test_a_scheduler_without_workers_is_said(cluster, commands, tmp_path):
    (tmp_path / "grid.yml").write_text("notebooks: [12]\n")
    (code, _, err), = commands(["run", "--grid", "grid.yml", "--scheduler", cluster[0], "--out",
                                "jobs"], before=QUICK.replace(".5", "1.5"))
    assert code == 2 and f"no Dask scheduler with a worker answers at --scheduler {cluster[0]}" in err
