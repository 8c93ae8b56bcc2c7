"""Time and memory of the command ``cells`` against the number of cells on disk.

    python benchmarks/atlas.py [--cells 10000,100000,1000000] [--per-cell 1000] [--workers 1,2]

Synthetic counts (18,000 genes) are written once into ``--folder`` (8 kB a cell at 1,000
non-zeros) and removed in the end. Each command runs in a process of its own whose peak memory
is read from the system. Reading the blocks, and the kernel on blocks in memory, are measured
apart beside it.
"""

import argparse
import os
import re
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
from genept_utils.cells import scale

GENES, CHUNK = 18_000, 10_000


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


def command(source, out, *options):
    """Seconds, peak memory in MB of the command and its children, and what it printed."""
    arguments = [sys.executable, "-m", "genept_utils", "cells", source, "--out", out, *options]
    peak, start = 0, time.perf_counter()
    process = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    drained = []
    reader = threading.Thread(target=lambda: drained.append(process.stderr.read()))
    reader.start()
    me = psutil.Process(process.pid)
    while process.poll() is None:
        total = 0
        for each in [me, *_children(me)]:
            try:
                total += each.memory_info().rss
            except psutil.Error:
                continue
        peak = max(peak, total)
        time.sleep(0.05)
    seconds = time.perf_counter() - start
    reader.join()
    if process.returncode:
        raise SystemExit(drained[0])
    shutil.rmtree(out)
    return seconds, peak / 1e6, drained[0]


def in_blocks(said):
    """Cells per second from the last state of the progress bar: without the start of Python and
    what is known before the first block."""
    number, unit = re.findall(r"([\d.]+)([kM]?) cells/s", said)[-1]
    return float(number) * {"": 1, "k": 1e3, "M": 1e6}[unit]


def _children(process):
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def apart(source, vectors):
    """Seconds of reading all blocks, and of the kernel on them, each by itself."""
    reading = kernel = 0.0
    with h5py.File(source) as file:
        X = ad.io.sparse_dataset(file["X"])
        for start in range(0, X.shape[0], scale.CELLS):
            begun = time.perf_counter()
            block = scale.read_rows(X, start, min(start + scale.CELLS, X.shape[0]))
            read = time.perf_counter()
            cells.weighted_sum(block, vectors)
            reading, kernel = reading + read - begun, kernel + time.perf_counter() - read
    return reading, kernel


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", default="10000,100000,1000000")
    parser.add_argument("--per-cell", type=int, default=1000)
    parser.add_argument("--workers", default="1,2", help="at the second number of cells")
    parser.add_argument("--folder", help="where the files go; by default a temporary folder")
    options = parser.parse_args()
    embedding = embed.read_embedding()
    names, vectors = embedding.obs_names[:GENES], np.ascontiguousarray(embedding.X[:GENES])
    sizes = list(map(int, options.cells.split(",")))
    label = f"synthetic, {options.per_cell:,} non-zeros a cell"
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        source, out, rows = Path(folder, "a.h5ad"), Path(folder, "out.zarr"), []
        write(source, min(sizes), options.per_cell, names)
        command(source, out)  # what is compiled once is compiled before the clock starts
        for n in sizes:
            write(source, n, options.per_cell, names)
            common = {"task": f"cells on disk, {n}", "dataset": label, "n": n}
            seconds, peak, said = command(source, out)
            reading, kernel = apart(source, vectors)
            rate = in_blocks(said)
            rows += [{**common, "method": "cells", "metric": metric, "value": value}
                     for metric, value in (("seconds", seconds), ("peak MB", peak),
                                           ("cells per second in blocks", rate),
                                           ("seconds reading apart", reading),
                                           ("seconds kernel apart", kernel),
                                           ("times reading and kernel apart",
                                            seconds / (reading + kernel)))]
            print(f"{n:,} cells: {seconds:.1f} s ({n / seconds:,.0f} cells/s), peak {peak:.0f} MB; "
                  f"reading {reading:.1f} s and kernel {kernel:.1f} s apart", flush=True)
            if n == sizes[min(1, len(sizes) - 1)]:
                for workers in filter(None, options.workers.split(",")):
                    seconds, peak, said = command(source, out, "--workers", workers)
                    rate = in_blocks(said)
                    rows += [{**common, "method": f"cells, {workers} Dask workers",
                              "metric": metric, "value": value}
                             for metric, value in (("seconds", seconds), ("peak MB", peak),
                                                   ("cells per second in blocks", rate))]
                    print(f"{workers} Dask workers: {seconds:.1f} s, peak {peak:.0f} MB, "
                          f"{rate:,.0f} cells/s once they run", flush=True)
            record(rows)
            os.remove(source)
        if len(sizes) > 1:
            times = [row["n"] / row["value"] for row in rows if row["method"] == "cells"
                     and row["metric"] == "cells per second in blocks"]
            slope = np.polyfit(np.log(sizes), np.log(times), 1)[0]
            print(f"slope of log time against log cells: {slope:.2f}")
            record(rows + [{"task": "cells on disk, slope", "dataset": label, "n": max(sizes),
                            "method": "cells", "metric": "log time in blocks by log cells",
                            "value": slope}])


if __name__ == "__main__":
    main()
