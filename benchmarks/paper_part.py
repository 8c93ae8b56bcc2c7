"""A part of a drawn file of the lupus set's shape (1,263,676 cells, 261 donors), over ranges.

Prints what was fetched, how long it took from this machine to itself, and the peak of memory.
"""

import http.server
import multiprocessing
import resource
import tempfile
import threading
import time
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

import genept_utils  # noqa: F401  (puts the book's package on the path)
from genept_book import paper_fetch, paper_make, paper_remote

CELLS, GENES, STORED = 1_263_676, 30_000, 40  # STORED: values a cell; the real ones have more


def draw(path):
    random = np.random.default_rng(0)
    obs = {name: pd.Categorical([f"{name} {i}" for i in random.integers(0, n, CELLS)])
           for name, n in (("donor_id", 261), ("disease", 2), ("cell_type", 11))}
    X = sp.csr_matrix((random.integers(1, 9, CELLS * STORED).astype(np.float32),
                       random.integers(0, GENES, CELLS * STORED, dtype=np.int32),
                       np.arange(0, CELLS * STORED + 1, STORED)), shape=(CELLS, GENES))
    ad.AnnData(X, obs=pd.DataFrame(obs, index=[f"ACGTACGTACGTACGT-{i}" for i in range(CELLS)]),
               var=pd.DataFrame(index=[f"g{i}" for i in range(GENES)])
               ).write_h5ad(path, compression="gzip", compression_opts=1)


class Ranges(http.server.BaseHTTPRequestHandler):
    protocol_version, path_of, asked = "HTTP/1.1", None, 0

    def do_GET(self):
        Ranges.asked += 1
        size = self.path_of.stat().st_size
        start, stop = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        with open(self.path_of, "rb") as file:
            file.seek(start)
            part = file.read(stop - start + 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{size}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        Ranges.path_of = Path(folder, "lupus.h5ad")
        drawing = multiprocessing.get_context("spawn").Process(target=draw, args=[Ranges.path_of])
        drawing.start()  # in a process of its own, so that its memory is not counted
        drawing.join()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranges)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        rows = [{"label": "cell_type", "cells": str(CELLS), "types": "11", "genes": ""}]
        began = time.perf_counter()
        with paper_remote.Remote(f"http://127.0.0.1:{server.server_port}", Path(folder, "kept"),
                                 paper_fetch.MOST) as remote:
            paper_make.part(rows, [remote], Path(folder, "part.h5ad"), paper_fetch.CELLS)
            print(f"{remote.taken / 2**20:.0f} MiB in {Ranges.asked} requests, "
                  f"{time.perf_counter() - began:.0f} s, peak "
                  f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")
