"""Gene interactions: logistic regressions on pairs for a grid of penalties, and pairs of facts."""

import numpy as np
import scipy.sparse as sp

from genept_utils import evaluate
from genept_utils.evaluate.simple import facts_of, is_fact

TOLERANCE = 1e-3  # of a fit; areas move by less than .001


def decisions(source, symbols, pairs, y, trained, strengths, features="sum", seed=0):
    """Decision values (k, p, n) of all pairs, for each of k penalties and p training parts (p, n);
    sparse inputs are fitted one by one, each penalty starting from the one before."""
    if is_fact(source) and features != "sum":
        return evaluate.logistic_path(both_values(facts_of(source, symbols), pairs), y, trained,
                                      strengths, TOLERANCE)
    known = evaluate.gene_input(source, symbols, seed, pairs)
    if not sp.issparse(known):
        n = len(pairs)
        members = sp.csr_array((np.ones(2 * n), (np.repeat(np.arange(n), 2), pairs.ravel())),
                               shape=(n, len(known)))
        X = ((members, known) if features == "sum" else
             evaluate.pair_features(known, pairs, features))
        return evaluate.logistic_path(X, y, trained, strengths, TOLERANCE)
    made = np.empty((len(strengths), len(trained), len(pairs)))
    for part, rows in enumerate(trained):
        model = None
        for number, C in enumerate(strengths):
            model = evaluate.fit_pairs(known, pairs[rows], y[rows], features, C, start=model)
            made[number, part] = evaluate.score_pairs(known, pairs, model, features)
    return made


def both_values(facts, pairs):
    """Sum, difference and product of each fact of two genes (n, 3 k), columns of unit variance."""
    values = facts.to_numpy(dtype=float)
    values = (values - values.mean(axis=0)) / np.where(values.std(axis=0) > 0, values.std(axis=0), 1)
    a, b = values[pairs[:, 0]], values[pairs[:, 1]]
    return np.hstack([a + b, abs(a - b), a * b])
