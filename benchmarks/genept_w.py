"""GenePT-w beside what a user would otherwise run, from normalised CSR to unit rows.

    python benchmarks/genept_w.py [--sets kang,400,1200,3000] [--dimensions 384,1536,3072]

Four ways, one after the other in every round: the kernel, scipy's CSR product in float32, dense
blocks of 1,000 cells in float32, and the dense float64 product of the authors' notebooks. The
two dense ones are run on the first 1,000 cells and scaled. A set is a name, or the non-zeros a
cell of a synthetic one (18,000 genes). With ``--processor`` the processor's time is measured,
and that of ways that use all threads is divided by their number: for a machine that is not idle.
"""

import argparse

import numpy as np
from timing import interleaved, record, synthetic

from genept_utils import cells, datasets, embed
from genept_utils.cells import kernel, simd

OURS, SCIPY = "this book", "scipy CSR float32"
DENSE, AUTHORS = "dense blocks float32", "authors' cell, dense float64"
BLOCK = 1000


def expression(name):
    """A set in the sense of the command line, and which of its genes have a vector."""
    if name.isdecimal():
        X = synthetic(4000, 18_000, int(name))
        X.data = np.log1p(X.data * 5)
        return f"synthetic, {int(name):,} non-zeros a cell", X, np.ones(X.shape[1], bool)
    adata = cells.normalise(datasets.load(name))
    _, has, _ = cells.gene_vectors(adata, embed.read_embedding())
    return name, adata.X.tocsr(), has


def compare(X, has, d, repeats, processor):
    """Seconds for all cells by each way, and the largest difference of ours to float64."""
    every, X = X[:BLOCK].toarray(), X[:, has]
    vectors = np.random.default_rng(1).standard_normal((X.shape[1], d)).astype(np.float32)
    lookup = np.zeros((len(has), d))
    lookup[has] = vectors
    few = X[:BLOCK]
    work = X.nnz * d

    def ours():  # the compiled part, whatever was spent before
        made = kernel._tiled(tiles, X, vectors, kernel.n_threads())
        return embed.unit(made, out=made)

    ours()
    best, made = interleaved({OURS: ours, SCIPY: lambda: embed.unit(X @ vectors)}, repeats,
                             processor)
    slow, dense = interleaved({
        DENSE: lambda: embed.unit(few.toarray() @ vectors),
        AUTHORS: lambda: _unit64(np.dot(every, lookup) / len(has))}, max(repeats - 2, 1),
        processor)
    share = len(made[OURS]) / few.shape[0]
    best |= {way: seconds * share for way, seconds in slow.items()}
    if processor:
        best = {way: seconds / (1 if way == SCIPY else kernel.n_threads())
                for way, seconds in best.items()}
    gap = np.abs(made[OURS][:BLOCK] - dense[AUTHORS]).max()
    return best, float(gap), 2 * work / best[OURS] / 1e9


def _unit64(made):
    return made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-300)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", default="kang,400,1200,3000")
    parser.add_argument("--dimensions", default="384,1536,3072")
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--processor", action="store_true")
    options = parser.parse_args()
    for name in options.sets.split(","):
        label, X, has = expression(name)
        rows = []
        for d in map(int, options.dimensions.split(",")):
            best, gap, gflops = compare(X, has, d, options.repeats, options.processor)
            common = {"task": f"weighted sum, {d} dimensions, {label}", "dataset": label,
                      "n": X.shape[0], "repeats": options.repeats,
                      "split": "processor time" if options.processor else "clock"}
            rows += [{**common, "method": way, "metric": "cells per second",
                      "value": X.shape[0] / seconds} for way, seconds in best.items()]
            rows += [{**common, "method": OURS, "metric": f"times {way}",
                      "value": seconds / best[OURS]} for way, seconds in best.items()
                     if way != OURS]
            rows.append({**common, "method": OURS, "metric": "difference to float64 x 1e6",
                         "value": gap * 1e6})
            print(f"{label}, {d} dimensions: {X.shape[0] / best[OURS]:,.0f} cells/s, "
                  f"{gflops:.0f} GFLOP/s, "
                  + ", ".join(f"{best[way] / best[OURS]:.1f} x {way}"
                              for way in (SCIPY, DENSE, AUTHORS))
                  + f", differs from float64 by {gap:.1e}", flush=True)
            record(rows)


if __name__ == "__main__":
    main()
