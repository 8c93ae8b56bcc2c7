"""Texts to vectors over a server: this module against one request per text.

``python benchmarks/embed_api.py`` starts the local server of ``tests/faults`` (50 ms latency,
3,000 requests a minute, 1,536 dimensions) and measures, in one run:

* ``genept_utils.api.vectors`` on all texts, from an empty cache;
* the same texts again, from the cache;
* one request per text and the openai client, as in the authors' notebook
  ``gene_embeddings_examples.ipynb``, on the first 400 texts, scaled to all of them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
MODEL = "text-embedding-ada-002"


def texts(n):
    """n texts of 73 words, the mean length that the paper states."""
    return [f"GENE{i} " + " ".join(f"word{(i * 7 + j) % 5000}" for j in range(72))
            for i in range(n)]


def one_request_each(written):
    """Seconds for one request after the other."""
    import numpy as np
    import openai

    client = openai.OpenAI()
    start = time.perf_counter()
    for text in written:
        np.array(client.embeddings.create(input=[text], model=MODEL).data[0].embedding)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--sample", type=int, default=400, help="texts sent one by one")
    parser.add_argument("--latency", type=float, default=.05, help="seconds")
    parser.add_argument("--per-minute", type=int, default=3000)
    options = parser.parse_args()
    served = {"latency": options.latency, "per_minute": options.per_minute}
    server = subprocess.Popen(
        [sys.executable, ROOT / "tests" / "faults" / "fault_server.py", json.dumps(served)],
        stdout=subprocess.PIPE, text=True)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["OPENAI_BASE_URL"] = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        os.environ["OPENAI_API_KEY"] = "none"
        try:
            from genept_utils.embed import api, cost

            cost.token_table()  # fetched once, before the clock starts
            os.environ["GENEPT_CACHE"] = cache
            written, report = texts(options.texts), {}
            start = time.perf_counter()
            api.vectors(written, MODEL, report=report)
            ours = time.perf_counter() - start
            start = time.perf_counter()
            api.vectors(written, MODEL)
            kept = time.perf_counter() - start
            one = one_request_each(written[:options.sample]) * len(written) / options.sample
        finally:
            server.kill()
            server.wait()
    limit = len(written) / options.per_minute * 60
    print(f"{len(written):,} texts, {options.latency * 1000:.0f} ms latency, "
          f"{options.per_minute:,} requests a minute, load {os.getloadavg()[0]:.1f} on "
          f"{os.cpu_count()} cores")
    print(f"  genept_utils          {ours:8.1f} s  {report['requests']} requests")
    print(f"  again, from the cache {kept:8.1f} s  no request")
    print(f"  one request per text  {one:8.1f} s  scaled from {options.sample} texts; the rate "
          f"limit alone sets {limit:.0f} s")
    print(f"  ratio                 {one / ours:8.0f}")
    from timing import record

    common = {"task": "embedding client", "dataset": f"{len(written)} texts, local server",
              "n": len(written), "split": "clock"}
    record([{**common, "method": method, "metric": "seconds", "value": value} for method, value in
            (("this book", ours), ("this book, from the cache", kept),
             ("one request per text", one))]
           + [{**common, "method": "this book", "metric": "times one request per text",
               "value": one / ours}])


if __name__ == "__main__":
    main()
