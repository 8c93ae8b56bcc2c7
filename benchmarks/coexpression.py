"""Time and memory of gene vectors learnt from a file of cells, against the number of cells.

    python benchmarks/coexpression.py [--cells 25000,50000,100000] [--per-cell 1000]

Synthetic counts (18,000 genes) are written into ``--folder``, 8 kB a cell at 1,000 non-zeros, and
removed in the end; they have the shape of an atlas and none of its structure, on which neither
time nor memory depends. Each run is a process of its own, with an empty cache, and its peak memory
is the system's. The last line says what 1,000,000 cells would take if time goes on as between the
two largest files.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from atlas import GENES, write

from genept_utils import embed

RUN = """
import json, resource, sys
import genept_utils as gp
from genept_utils.cells import components
if sys.argv[2] == "file":
    components.HELD = 0  # whatever the size, nothing is kept from pass to pass
gp.coexpression(sys.argv[1])
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3]))
"""


def measured(path, where):
    """Processor seconds and peak memory in MB."""
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run([sys.executable, "-c", RUN, str(path), where], check=True, text=True,
                              stdout=subprocess.PIPE, env={**os.environ, "GENEPT_CACHE": cache})
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Measure each size, and draw the line on to a million cells."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", default="25000,50000,100000")
    parser.add_argument("--per-cell", type=int, default=1000)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    options = parser.parse_args()
    names, made = embed.read_embedding().obs_names[:GENES], []
    for n in map(int, options.cells.split(",")):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            path = Path(folder) / "cells.h5ad"
            write(path, n, options.per_cell, names)
            seconds, peak = measured(path, "file")
            print(f"{n:,} cells, {path.stat().st_size / 1e6:,.0f} MB: {seconds:.0f} s of "
                  f"processor time, peak {peak:,.0f} MB", flush=True)
            made.append((n, seconds, peak))
    if len(made) > 1:
        (a, before, low), (b, after, high) = made[-2:]
        slope = (after - before) / (b - a)
        print(f"from {a:,} to {b:,} cells the peak changes by {high - low:,.0f} MB; 1,000,000 "
              f"cells, by the line through these two, take {(after + slope * (1e6 - b)) / 60:.0f} "
              "min of processor time")


if __name__ == "__main__":
    main()
