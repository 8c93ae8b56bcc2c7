"""GenePT-w beside what a user would otherwise run: time and memory on one set.

    python benchmarks/genept_w.py [DATASET]

Three ways to the same matrix: the dense float64 product of the authors' notebook, the dense
float32 product, and the sparse product of ``genept_utils.cells``. The first two are run on
blocks of cells, because the dense matrix of kang alone would take 1.5 GB in float64. The largest
difference from the first is printed with each.
"""

import sys
import time

import numpy as np

from genept_utils import cells, datasets, embed

BLOCK = 1000


def timed(function, repeats=3):
    """Result and shortest of several times, in seconds."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        made = function()
        best = min(best, time.perf_counter() - start)
    return made, best


def dense(X, vectors, dtype):
    """Block by block to dense, product, unit rows."""
    vectors = vectors.astype(dtype)
    parts = [X[start:start + BLOCK].toarray().astype(dtype) @ vectors
             for start in range(0, X.shape[0], BLOCK)]
    made = np.concatenate(parts)
    return made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-12)


def main(name="kang"):
    adata = cells.normalise(datasets.load(name))
    vectors, _, coverage = cells.gene_vectors(adata, embed.read_embedding())
    X = adata.X
    print(f"{name}: {X.shape[0]:,} cells x {X.shape[1]:,} genes, {X.nnz / X.shape[0]:.0f} "
          f"non-zeros a cell, vectors of {vectors.shape[1]} dimensions, "
          f"{coverage['mass']:.1%} of the expression covered")
    ways = {
        "dense float64, as in the authors' notebook": lambda: dense(X, vectors, np.float64),
        "dense float32": lambda: dense(X, vectors, np.float32),
        "sparse float32, genept_utils.cells": lambda: embed.unit(cells.weighted_sum(X, vectors)),
    }
    reference = slowest = None
    for way, function in ways.items():
        made, seconds = timed(function)
        reference = made if reference is None else reference
        slowest = slowest or seconds
        gflops = 2 * X.nnz * vectors.shape[1] / seconds / 1e9
        print(f"{way:45s} {seconds:6.2f} s  {X.shape[0] / seconds:9,.0f} cells/s  "
              f"{gflops:5.1f} useful GFLOP/s  {slowest / seconds:4.1f} x  "
              f"differs by {np.abs(made - reference).max():.1e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
