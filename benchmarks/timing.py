"""What the benchmarks share: fair timing, the machine's facts, and where figures go."""

import importlib.metadata
import os
import platform
import re
import time

import numpy as np
import scipy.sparse as sp

from genept_utils import paths
from genept_utils.cells import kernel
from genept_utils import ledger

NAME = "13-scale"
PACKAGES = ("numpy", "scipy", "numba", "anndata", "dask", "zarr")


def interleaved(ways, repeats=5, processor=False):
    """Shortest time of each way in seconds, and what it made.

    The ways take turns, so that what else the machine does falls on all of them.

    Parameters
    ----------
    ways : dict of str to callable
    repeats : int
        Rounds.
    processor : bool
        Take the processor's time of all threads instead of the clock's: on a machine that is
        not idle it still tells what the work costs.
    """
    clock = time.process_time if processor else time.perf_counter
    best, made = dict.fromkeys(ways, np.inf), {}
    for _ in range(repeats):
        for name, way in ways.items():
            start = clock()
            made[name] = way()
            best[name] = min(best[name], clock() - start)
    return best, made


def machine():
    """Cores, processor and versions, in one line."""
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            found = re.search(r"model name\s*:\s*(.+)", file.read())
        model = found.group(1) if found else model
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return (f"{kernel.n_threads()} of {os.cpu_count()} cores, {model}, "
            f"Python {platform.python_version()}, {versions}")


def record(rows):
    """Put rows (``task``, ``dataset``, ``method``, ``metric``, ``value``, ``n``) in place of the
    earlier ones of the same tasks in ``data/results/13-scale.json``."""
    os.environ.setdefault("GENEPT_RESULTS", str(paths.DATA / "results"))
    note = machine()
    rows = [{"item": "scale", "note": note, **row} for row in rows]
    tasks = {row["task"] for row in rows}
    kept = [row for row in ledger.results(NAME).drop(columns="notebook").to_dict("records")
            if row["task"] not in tasks]
    ledger.record(NAME, kept, rows)


def synthetic(n, genes, per_cell, seed=0):
    """(n, genes) float32 CSR with ``per_cell`` non-zeros in every cell, genes evenly used."""
    rng = np.random.default_rng(seed)
    step = genes / per_cell
    indices = (np.arange(per_cell) * step + rng.random((n, per_cell)) * (step - 1)).astype(np.int32)
    data = rng.poisson(1.0, n * per_cell).astype(np.float32) + 1
    return sp.csr_matrix((data, indices.ravel(), np.arange(0, n * per_cell + 1, per_cell)),
                         shape=(n, genes))
