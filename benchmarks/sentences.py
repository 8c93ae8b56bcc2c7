"""Sentences of cells beside the authors' loop and beside cell2sentence.

    python benchmarks/sentences.py [--dataset kang] [--cells 1000] [--cell2sentence FOLDER]

``FOLDER`` holds an unpacked cell2sentence 1.2.0: its function is run by itself, because the
package requires torch. Its loop and the authors' are timed on a fifth of the cells.
"""

import argparse
import ast
import collections
import sys
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from timing import interleaved, record

from genept_utils import cells, datasets


def authors(X, names, n_genes=1000):
    """What the authors' notebooks do, cell by cell on the dense matrix: sort all genes, drop
    those without counts, join the names."""
    made = []
    for cell in X:
        without = np.where(cell == 0)[0]
        order = np.argsort(cell)[::-1]
        order = order[~np.isin(order, list(without))]
        made.append(cells.PREFIX + " ".join(names[order][:n_genes]))
    return made


def of_cell2sentence(folder):
    """``generate_sentences`` of the package, without the rest of it."""
    from sklearn.utils import shuffle

    tree = ast.parse(Path(folder, "cell2sentence", "utils.py").read_text(encoding="utf-8"))
    wanted = [node for node in tree.body if getattr(node, "name", "").startswith("generate_")]
    known = {"np": np, "sparse": sp, "shuffle": shuffle, "tqdm": iter, "sys": sys,
             "OrderedDict": collections.OrderedDict}
    exec(compile(ast.Module(wanted, []), "utils.py", "exec"), known)
    return known["generate_sentences"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="kang")
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--cell2sentence", metavar="FOLDER")
    parser.add_argument("--processor", action="store_true", help="as in genept_w.py")
    options = parser.parse_args()
    adata = cells.normalise(datasets.load(options.dataset)[:options.cells])
    names, few = adata.var_names.to_numpy(str), adata[:options.cells // 5]
    dense = few.X.toarray()
    best, _ = interleaved({"this book": lambda: cells.cell_sentences(adata, names=names)}, 5,
                          options.processor)
    ways = {"authors' loop": lambda: authors(dense, names)}
    if options.cell2sentence:
        generate = of_cell2sentence(options.cell2sentence)
        words = dict.fromkeys(names)
        ways["cell2sentence 1.2.0"] = lambda: generate(few, words)
    slow, _ = interleaved(ways, 2, options.processor)
    best |= {way: seconds * adata.n_obs / few.n_obs for way, seconds in slow.items()}
    common = {"task": "sentences", "dataset": options.dataset, "n": adata.n_obs,
              "split": "processor time" if options.processor else "clock"}
    rows = [{**common, "method": way, "metric": "cells per second",
             "value": adata.n_obs / seconds} for way, seconds in best.items()]
    rows += [{**common, "method": "this book", "metric": f"times {way}",
              "value": best[way] / best["this book"]} for way in slow]
    for row in rows:
        print(f"{row['method']}: {row['value']:,.1f} {row['metric']}")
    record(rows)


if __name__ == "__main__":
    main()
