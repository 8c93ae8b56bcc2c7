"""Time and memory of the command ``cells`` against the number of cells on disk.

    python benchmarks/atlas.py [--cells 10000,...,1000000] [--per-cell 1000] [--workers 1,2]

Synthetic counts (18,000 genes) are written once into ``--folder`` (8 kB a cell at 1,000
non-zeros) and removed in the end. Each command runs in a process of its own whose peak memory
is read from the system. Reading the blocks, and the kernel on blocks in memory, are measured
apart beside it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import psutil
from timing import record, synthetic

from genept_utils import cells, embed
from genept_utils.datasets import matrix

GENES, CHUNK = 18_000, 10_000
FEW = CHUNK  # cells of the file by which the start is measured: one block
LEAST = 10 * FEW  # up to so many cells the blocks drown in the start


def write(path, n, per_cell, names):
    """Counts as an .h5ad file, written chunk by chunk."""
    part = synthetic(min(CHUNK, n), GENES, per_cell)
    obs = pd.DataFrame(index=pd.RangeIndex(n).astype(str))
    ad.AnnData(obs=obs, var=pd.DataFrame(index=names)).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        if "X" in file:
            del file["X"]
        group = file.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0",
                            "shape": (n, GENES)})
        group["indptr"] = np.arange(0, n * per_cell + 1, per_cell)
        data = group.create_dataset("data", (n * per_cell,), np.float32)
        indices = group.create_dataset("indices", (n * per_cell,), np.int32)
        for start in range(0, n, CHUNK):
            rows = min(CHUNK, n - start) * per_cell
            here = slice(start * per_cell, start * per_cell + rows)
            data[here], indices[here] = part.data[:rows], part.indices[:rows]


def command(source, out, *options, processor=False):
    """Seconds, peak memory in MB of the command and its children, and what it printed."""
    arguments = [sys.executable, "-m", "genept_utils", "cells", source, "--out", out, *options]
    peak, start = 0, time.perf_counter()
    process = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    drained = []
    reader = threading.Thread(target=lambda: drained.append(process.stderr.read()))
    reader.start()
    me = psutil.Process(process.pid)
    while True:
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        total = 0
        for each in [me, *_children(me)]:
            try:
                total += each.memory_info().rss
            except psutil.Error:
                continue
        peak = max(peak, total)
        time.sleep(0.05)
    seconds = used.ru_utime + used.ru_stime if processor else time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    if process.returncode:
        raise SystemExit(drained[0])
    shutil.rmtree(out)
    return seconds, peak / 1e6, drained[0]


def _children(process):
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def apart(source, vectors, processor=False):
    """Seconds of reading all blocks, and of the kernel on them, each by itself."""
    clock = time.process_time if processor else time.perf_counter
    reading = kernel = 0.0
    with h5py.File(source) as file:
        X = ad.io.sparse_dataset(file["X"])
        for start in range(0, X.shape[0], matrix.BLOCK):
            begun = clock()
            block = matrix.read_rows(X, start, min(start + matrix.BLOCK, X.shape[0]))
            read = clock()
            cells.weighted_sum(block, vectors)
            reading, kernel = reading + read - begun, kernel + clock() - read
    return reading, kernel


def rows_of(method, n, seconds, fixed, peak, common):
    """Rows of one run; ``fixed`` is what the command takes for :data:`FEW` cells."""
    values = {"seconds": seconds, "peak MB": peak}
    if n > FEW:
        values["cells per second in blocks"] = in_blocks(n, seconds, fixed)
    return [{**common, "task": f"cells on disk, {n}", "n": n, "method": method,
             "metric": metric, "value": value} for metric, value in values.items()]


def in_blocks(n, seconds, fixed):
    """Cells per second beyond the start; of a file no larger than that of the start, 0."""
    return max(n - FEW, 0) / max(seconds - fixed, 1e-3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", default="10000,50000,200000,500000,1000000")
    parser.add_argument("--per-cell", type=int, default=1000)
    parser.add_argument("--workers", default="1,2", help="at 200,000 cells, or the last number")
    parser.add_argument("--folder", help="where the files go; by default a temporary folder")
    parser.add_argument("--processor", action="store_true",
                        help="the processor's time of all threads, for a machine that is not idle")
    options = parser.parse_args()
    clock = {"processor": options.processor}
    embedding = embed.read_embedding()
    names, vectors = embedding.obs_names[:GENES], np.ascontiguousarray(embedding.X[:GENES])
    sizes = list(map(int, options.cells.split(",")))
    common = {"dataset": f"synthetic, {options.per_cell:,} non-zeros a cell",
              "split": "processor time" if options.processor else "clock"}
    taken = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        source, out = Path(folder, "a.h5ad"), Path(folder, "out.zarr")
        write(source, FEW, options.per_cell, names)
        fixed = min(command(source, out, **clock)[0] for _ in range(3))  # the first compiles
        for n in sizes:
            write(source, n, options.per_cell, names)
            seconds, peak, _ = min(command(source, out, **clock)
                                   for _ in range(2 if n <= 500_000 else 1))
            reading, kernel = apart(source, vectors, **clock)
            rows = rows_of("cells", n, seconds, fixed, peak, common)
            apart_of = [("seconds reading apart", reading), ("seconds kernel apart", kernel)]
            if n > LEAST:
                taken.append((n - FEW, seconds - fixed))
                apart_of.append(("times reading and kernel apart", (seconds - fixed)
                                 * n / (n - FEW) / (reading + kernel)))
            rows += [{**rows[0], "metric": metric, "value": value} for metric, value in apart_of]
            print(f"{n:,} cells: {seconds:.1f} s, {fixed:.1f} s of them for the start "
                  f"({in_blocks(n, seconds, fixed):,.0f} cells/s in blocks), "
                  f"peak {peak:.0f} MB; reading {reading:.1f} s and kernel {kernel:.1f} s apart",
                  flush=True)
            if n == (200_000 if 200_000 in sizes else sizes[-1]):
                for workers in filter(None, options.workers.split(",")):
                    begun = command_of_few(source, out, workers, names, options)
                    seconds, peak, _ = command(source, out, "--workers", workers, **clock)
                    rows += rows_of(f"cells, {workers} Dask workers", n, seconds, begun, peak,
                                    common)
                    print(f"{workers} Dask workers: {seconds:.1f} s, {begun:.1f} s of them for the "
                          f"start, peak {peak:.0f} MB", flush=True)
            record(rows)
            os.remove(source)
        if len(taken) > 1:
            slope = np.polyfit(*np.log(taken).T, 1)[0]
            print(f"slope of log time in blocks against log cells: {slope:.2f}")
            record([{**common, "task": "cells on disk, slope", "n": max(sizes), "method": "cells",
                     "metric": "log time in blocks by log cells", "value": slope}])


def command_of_few(source, out, workers, names, options):
    """Seconds of the command with workers for :data:`FEW` cells: what starting them takes."""
    few = source.with_name("few.h5ad")
    write(few, FEW, options.per_cell, names)
    return command(few, out, "--workers", workers, processor=options.processor)[0]


if __name__ == "__main__":
    main()
