"""Logistic regression on summed gene pairs: through the incidence matrix, and as scikit-learn.

    python benchmarks/pair_logistic.py [--embedding wordllama/summary] [--dimensions 256]

All 263,016 training pairs of Gene2vec's list, names as they stand; a name without a vector gets
zeros. Prints seconds, peak memory of the feature matrix and the largest difference between the
decision values of converged fits.
"""

import argparse
import time

import numpy as np
from sklearn.linear_model import LogisticRegression
from timing import record

from genept_utils import embed, evaluate
from genept_utils.chapters import gene_interactions as chapter


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--embedding", default="wordllama/summary")
    parser.add_argument("--dimensions", type=int, default=0,
                        help="replace the vectors by random ones of this width (1536: ada-002)")
    parser.add_argument("--ours-only", action="store_true", help="leave scikit-learn out")
    parser.add_argument("--processor", action="store_true",
                        help="the processor's time of all threads, for a machine that is not idle")
    options = parser.parse_args()

    table = chapter._ggi("train")
    names = np.unique(table[["a", "b"]])
    pairs = np.searchsorted(names, table[["a", "b"]].to_numpy())
    y = table["label"].to_numpy()
    if options.dimensions:
        rng = np.random.default_rng(0)
        vectors = embed.unit(rng.standard_normal((len(names), options.dimensions)))
    else:
        found = embed.read_embedding(options.embedding)
        rows = found.obs_names.get_indexer(names)
        vectors = np.where(rows[:, None] >= 0, found.X[rows], 0)
    dense = len(pairs) * vectors.shape[1] * 4 / 1e9
    print(f"{len(pairs):,} pairs of {len(names):,} genes, {vectors.shape[1]} dimensions; "
          f"as a dense float32 matrix {dense:.2f} GB.")

    clock = time.process_time if options.processor else time.perf_counter
    start = clock()
    table = chapter.incidence(pairs, len(vectors)), vectors
    decided = evaluate.logistic_path(table, y, np.full(len(y), True), (1,), tol=1e-4)[0, 0]
    took = {"this book": clock() - start}
    print(f"evaluate.logistic_path (converged to 1e-4): {took['this book']:.1f} s")
    if options.ours_only:
        return
    X = chapter.pair_features(vectors, pairs)
    for label, model in {"scikit-learn, defaults": LogisticRegression(),
                         "scikit-learn, float64, tol 1e-8": LogisticRegression(
                             tol=1e-8, max_iter=10_000)}.items():
        start = clock()
        model.fit(X.astype(np.float64) if "float64" in label else X, y)
        took[label] = clock() - start
        gap = np.abs(model.decision_function(X) - decided).max()
        print(f"{label}: {took[label]:.1f} s, largest difference of a decision {gap:.1e}")
    common = {"task": "pair regression", "n": len(pairs),
              "dataset": f"Gene2vec pairs, {vectors.shape[1]} dimensions",
              "split": "processor time" if options.processor else "clock"}
    record([{**common, "method": way, "metric": "seconds", "value": seconds}
            for way, seconds in took.items()]
           + [{**common, "method": "this book", "metric": f"times {way}",
               "value": seconds / took["this book"]} for way, seconds in list(took.items())[1:]])


if __name__ == "__main__":
    main()
