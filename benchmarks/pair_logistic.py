"""Logistic regression on summed gene pairs: through the incidence matrix, and as scikit-learn.

    python benchmarks/pair_logistic.py [--embedding wordllama/summary] [--dimensions 256]

All 263,016 training pairs of Gene2vec's list, names as they stand; a name without a vector gets
zeros. Prints seconds, peak memory of the feature matrix and the largest difference between the
coefficients at the same, converged tolerance.
"""

import argparse
import time

import numpy as np
from sklearn.linear_model import LogisticRegression

from genept_utils import datasets, embed, evaluate


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--embedding", default="wordllama/summary")
    parser.add_argument("--dimensions", type=int, default=0,
                        help="replace the vectors by random ones of this width (1536: ada-002)")
    parser.add_argument("--ours-only", action="store_true", help="leave scikit-learn out")
    options = parser.parse_args()

    table = datasets._ggi("train")
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

    start = time.perf_counter()
    weights, intercept = evaluate.fit_pairs(vectors, pairs, y)
    print(f"evaluate.fit_pairs (converged to 1e-8): {time.perf_counter() - start:.1f} s")
    if options.ours_only:
        return
    X = evaluate.pair_features(vectors, pairs)
    for label, model in {"scikit-learn, defaults": LogisticRegression(),
                         "scikit-learn, float64, tol 1e-8": LogisticRegression(
                             tol=1e-8, max_iter=10_000)}.items():
        start = time.perf_counter()
        model.fit(X.astype(np.float64) if "float64" in label else X, y)
        gap = max(np.abs(model.coef_[0] - weights).max(), abs(model.intercept_[0] - intercept))
        print(f"{label}: {time.perf_counter() - start:.1f} s, "
              f"largest difference of a coefficient {gap:.1e}")


if __name__ == "__main__":
    main()
