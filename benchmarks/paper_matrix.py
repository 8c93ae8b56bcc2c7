"""A drawn matrix in text of the shape of E-HCAD-35, of which 13,468 of 48,919 cells are kept.

Prints how long it took and the peak of memory; the matrix is drawn in a process of its own, so that
its memory is not counted.
"""

import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse as sp

import genept_utils  # noqa: F401  (puts the book's package on the path)
from genept_book import paper_make

CELLS, KEPT, GENES, STORED, FEW = 48_919, 13_468, 32_000, 1_400, 100  # values of a kept cell, else


def draw(path):
    random = np.random.default_rng(0)
    starts = np.append(0, np.cumsum(np.where(np.arange(CELLS) < KEPT, STORED, FEW)))
    scipy.io.mmwrite(path, sp.csc_matrix(
        (random.integers(1, 9, starts[-1], dtype=np.int32),
         random.integers(0, GENES, starts[-1], dtype=np.int32), starts), shape=(GENES, CELLS)))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "E.mtx")
        drawing = multiprocessing.get_context("spawn").Process(target=draw, args=[path])
        drawing.start()
        drawing.join()
        names, began = [f"cell {i}" for i in range(CELLS)], time.perf_counter()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        paper_make.write_cells(path, pd.DataFrame(index=[f"g{i}" for i in range(GENES)]), names,
                               pd.DataFrame(index=names[:KEPT]), Path(folder, "out.h5ad"))
        print(f"{path.stat().st_size / 1e6:.0f} MB of text, {KEPT * STORED / 1e6:.1f} million "
              f"values kept, {time.perf_counter() - began:.0f} s, peak "
              f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB, "
              f"{before / 1e3:.0f} MB of it before")
