"""What chapter 09 costs on a set of the shape of the paper's lupus cohort.

    python benchmarks/lupus_shape.py [cells ...]

The vectors are drawn (384 numbers a cell, 142 donors with one condition each, 11 types of unequal
size): their scores mean nothing, only the seconds do (of processor time, which other work on the
machine does not lengthen). Each part is timed for one representation; the chapter has four, and
twenty draws of the share to learn from.
"""

import sys
import time

import numpy as np
import pandas as pd

from genept_utils.chapters import phenotypes

DIMENSIONS, DONORS, TYPES, SHARE = 384, 142, 11, 0.01


def draw(n, seed=0):
    """Unit vectors (n, 384) float32 and obs with cell_type, donor and condition."""
    rng = np.random.default_rng(seed)
    size = 1 / np.arange(1, TYPES + 1)
    types, donors = rng.choice(TYPES, n, p=size / size.sum()), rng.integers(0, DONORS, n)
    ill = (np.arange(DONORS) % 2)[donors]
    X = rng.standard_normal((n, DIMENSIONS), dtype=np.float32)
    X += (3 * rng.standard_normal((TYPES, DIMENSIONS), dtype=np.float32))[types]
    X += rng.standard_normal((2, DIMENSIONS), dtype=np.float32)[ill]
    X += rng.standard_normal((DONORS, DIMENSIONS), dtype=np.float32)[donors]
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X, pd.DataFrame({"cell_type": types.astype(str), "donor": donors.astype(str),
                            "condition": np.where(ill, "lupus", "healthy")})


def parts(X, obs):
    """Name -> what is timed, for one representation."""
    y, types = obs["condition"].to_numpy(str), obs["cell_type"].to_numpy(str)
    said = []
    tests = phenotypes.phenotype_tests(obs, report=said.append)
    shares = [("share", *rows) for rows in phenotypes.small_share(types, SHARE, 1)]
    return {
        "choose splits": lambda: phenotypes.phenotype_tests(obs, report=said.append),
        "condition of a cell, 15 splits": lambda: phenotypes.compare(
            {"drawn": X}, y, tests, ("lr scaled", "mlp"), max_iter=30),
        "condition of a donor, 100 shuffles": lambda: phenotypes.leave_one_donor_out(
            X, obs["donor"], y, 100),
        "cell types from 1 %, one draw": lambda: phenotypes.compare({"drawn": X}, types, shares),
    }


def main(sizes):
    rows = []
    for n in sizes:
        X, obs = draw(n)
        for name, part in parts(X, obs).items():
            start, used = time.perf_counter(), time.process_time()
            part()
            rows.append({"part": name, "cells": n, "seconds": time.process_time() - used})
            print(f"{n:,} cells, {name}: {rows[-1]['seconds']:.1f} s of processor time, "
                  f"{time.perf_counter() - start:.1f} s", flush=True)
    table = pd.DataFrame(rows).pivot(index="part", columns="cells", values="seconds")
    print(table.round(1).to_string())


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [120_000, 1_200_000])
