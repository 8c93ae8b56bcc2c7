"""Gene interactions: logistic regressions on pairs for a grid of penalties, and pairs of facts."""

import numpy as np
import scipy.sparse as sp

from genept_utils import evaluate
from genept_utils.evaluate.simple import facts_of, is_fact

TOLERANCE = 1e-3  # of a fit; areas move by less than .001
TIGHT = {"sum": 1e-4, "product": 1e-8}  # of a fit to sparse vectors: products are small


class Fits:
    """Decision values (n,) of all pairs by number of a training part (p, n) and penalty. Dense inputs
    are fitted to all of them at once; sparse ones when asked for, starting from the last fit."""

    def __init__(self, source, symbols, pairs, y, parts, strengths, features="sum", seed=0):
        self.pairs, self.y, self.parts, self.features = pairs, y, parts, features
        self.model, self.known, self.made = None, None, {}
        if is_fact(source) and features != "sum":
            X = both_values(facts_of(source, symbols), pairs)
        else:
            known = evaluate.gene_input(source, symbols, seed, pairs)
            if sp.issparse(known):
                self.known = known
                return
            X = known if features == "sum" else evaluate.pair_features(known, pairs, features)
        if features == "sum":
            n = len(pairs)
            X = sp.csr_array((np.ones(2 * n), pairs.ravel(), 2 * np.arange(n + 1)),
                             shape=(n, len(X))), X
        for C, fits in zip(strengths, evaluate.logistic_path(X, y, parts, strengths, TOLERANCE)):
            self.made |= {(part, C): values for part, values in enumerate(fits)}

    def __call__(self, part, C):
        part %= len(self.parts)
        if (part, C) not in self.made:
            rows = self.parts[part]
            self.model = evaluate.fit_pairs(self.known, self.pairs[rows], self.y[rows], self.features,
                                            C, TIGHT[self.features], start=self.model)
            self.made[part, C] = evaluate.score_pairs(self.known, self.pairs, self.model,
                                                      self.features)
        return self.made[part, C]


def both_values(facts, pairs):
    """Sum, difference and product of each fact of two genes (n, 3 k), columns of unit variance."""
    values = facts.to_numpy(dtype=float)
    values = (values - values.mean(axis=0)) / np.where(values.std(axis=0) > 0, values.std(axis=0), 1)
    a, b = values[pairs[:, 0]], values[pairs[:, 1]]
    return np.hstack([a + b, abs(a - b), a * b])
