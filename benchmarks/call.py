"""The whole call `genept_w` on 10,000 cells of 1,000 non-zeros at 384 dimensions.

    python benchmarks/call.py

In a process of its own with nothing compiled before: the very first call, then the next ones.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings


def calls(processor, times=4):
    """Seconds of one call after the other, the first with all that it has to load."""
    import anndata as ad
    import pandas as pd
    from timing import synthetic

    import genept_utils as gp

    embedding = gp.read_embedding()
    names = embedding.obs_names[:18_000]
    adata = ad.AnnData(synthetic(10_000, len(names), 1000), var=pd.DataFrame(index=names))
    clock = time.process_time if processor else time.perf_counter
    for _ in range(times):
        start = clock()
        gp.genept_w(adata, embedding)
        print(clock() - start, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processor", action="store_true",
                        help="the processor's time of all threads, not divided")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        warnings.simplefilter("ignore")
        calls(options.processor)
        return
    from timing import record

    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run([sys.executable, __file__, "--here",
                               *["--processor"] * options.processor], check=True, text=True,
                              stdout=subprocess.PIPE, env={**os.environ, "NUMBA_CACHE_DIR": empty})
    first, *others = map(float, done.stdout.split())
    common = {"task": "one call, 10,000 cells, 384 dimensions", "n": 10_000, "metric": "seconds",
              "dataset": "synthetic, 1,000 non-zeros a cell",
              "split": "processor time" if options.processor else "clock"}
    print(f"first call {first:.2f} s, later ones {min(others):.2f} s")
    record([{**common, "method": "genept_w, very first call", "value": first},
            {**common, "method": "genept_w, compiled", "value": min(others)}])


if __name__ == "__main__":
    main()
