"""How fast this machine is, by a small piece of work: recorded minutes are told for it."""

import time

import numpy as np
import scipy.sparse as sp


def unit(repeats=3):
    """Seconds that a fixed piece of work takes here: a sort, a sparse product and a loop, on one
    thread. The shortest of some tries, since another process may have the core."""
    rng = np.random.default_rng(0)
    values, dense = rng.random(500_000), rng.random((2_000, 64))
    sparse = sp.random(2_000, 2_000, .1, "csr", random_state=0)
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        np.sort(values)
        sparse @ dense
        sum(number * number for number in range(500_000))
        taken.append(time.perf_counter() - start)
    return min(taken)


def expected(runs, here):
    """Minutes of each recorded page on a machine where :func:`unit` takes ``here`` seconds."""
    return {name: row["minutes"] * here / row.get("unit_s", here) for name, row in runs.items()}
