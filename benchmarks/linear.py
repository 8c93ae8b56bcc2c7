"""Time in proportion: eight times the names, or the cells, take about eight times the time.

``python benchmarks/linear.py`` prints the ratios of processor time, and ends with 1 where one is
above its limit. (A step that compares all with all would give 64.)
"""

import sys
import tempfile
from pathlib import Path

import anndata as ad
import numpy as np
import scipy.sparse as sp
from timing import interleaved

from genept_utils import datasets, genes

LIMIT = 20
NAMES = (10_000, 80_000)
CELLS = (4_000, 32_000)


def name_lists():
    """Lists of 80,000 names by kind: known in all forms, unknown, written otherwise."""
    table, draw = genes.gene_table(), np.random.default_rng(0)
    known = np.concatenate([table.index, table["ensembl_id"], table["entrez_id"],
                            table.index.str.lower(), [f"clone-{i}" for i in range(30_000)],
                            [f"{i}-Mar" for i in range(100)]])
    return {"known": draw.choice(known, NAMES[1]),
            "unknown": np.array([f"clone_{i}-{i % 7}" for i in range(NAMES[1])]),
            "rewritten": draw.permutation([*("GRCh38_" + table.index), *table.index.str.cat(
                table["ensembl_id"], "_")])[:NAMES[1]]}


def ratio(ways):
    """Processor time of the second way over that of the first."""
    took, _ = interleaved(ways, 3, processor=True)
    first, second = took.values()
    return second / first


def main():
    found = {}
    for kind, names in name_lists().items():
        genes.match(names[:100])  # the tables are loaded
        found[f"match, {kind} names"] = ratio(
            {str(n): lambda n=n: genes.match(names[:n]) for n in NAMES})
    with tempfile.TemporaryDirectory() as folder:
        for n in CELLS:
            X = sp.random(n, 500, .05, format="csc", dtype=np.float32, random_state=0)
            ad.AnnData(X).write_h5ad(Path(folder) / f"{n}.h5ad")
        found["reading a matrix in columns"] = ratio(
            {str(n): lambda n=n: datasets.read_h5ad(Path(folder) / f"{n}.h5ad") for n in CELLS})
    for what, value in found.items():
        print(f"{what}: 8 times as many take {value:.1f} times as long")
    return int(max(found.values()) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
