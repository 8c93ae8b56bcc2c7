"""Condition of a donor from the cells of the donor."""

import numpy as np
import pandas as pd


def leave_one_donor_out(X, donor, condition, permutations=200, seed=0):
    """Condition of a donor from the mean vector of the donor's cells.

    Each donor is held out once; L2 logistic regression (C = 1) on columns scaled by the training
    donors. Every training part is weighted so that both conditions count alike: without that,
    leaving one out moves the base rate against the held-out donor.

    Parameters
    ----------
    X : numpy.ndarray
        (n_cells, d) cell vectors.
    donor, condition : array-like
        (n_cells,) donor, and the donor's condition (two values).
    permutations, seed : int
        Shuffles of the conditions among the donors, and their seed.

    Returns
    -------
    dict
        ``n`` donors; ``accuracy`` and ``roc_auc`` with ``_low`` and ``_high`` (95 % bootstrap over
        donors, scores fixed) and ``_p`` (share of shuffles, the true order counted in, that
        do at least as well).
    """
    from sklearn.metrics import accuracy_score, roc_auc_score

    table = pd.DataFrame(np.asarray(X, dtype=np.float64))
    table = table.groupby(np.asarray(donor).astype(str)).mean()
    of = pd.Series(np.asarray(condition).astype(str), np.asarray(donor).astype(str))
    of = of[~of.index.duplicated()].reindex(table.index)
    if of.nunique() != 2:
        raise ValueError(f"donors have {of.nunique()} conditions; two are needed")
    y = (of == of.max()).to_numpy(int)
    rng = np.random.default_rng(seed)
    turned = [_turned(table.to_numpy(), i) for i in range(len(y))]
    scores = _held_out_scores(turned, y)
    shuffled = [rng.permutation(y) for _ in range(permutations)]
    chance = [(other, _held_out_scores(turned, other)) for other in shuffled]
    metrics = {"accuracy": lambda y, s: accuracy_score(y, s > 0), "roc_auc": roc_auc_score}
    made = {"n": len(y)}
    for name, metric in metrics.items():
        value = metric(y, scores)
        drawn = [rng.integers(0, len(y), len(y)) for _ in range(1000)]
        boot = [metric(y[rows], scores[rows]) for rows in drawn if len(set(y[rows])) == 2]
        low, high = np.quantile(boot, [.025, .975])
        least = sum(metric(other, found) >= value for other, found in chance)
        made |= {name: value, f"{name}_low": min(low, value), f"{name}_high": max(high, value),
                 f"{name}_p": (1 + least) / (1 + permutations)}
    return made


def _turned(X, held_out):
    """The rows scaled by all but one of them, in at most n coordinates.

    L2 logistic regression depends on the rows through their inner products only, so turning the
    columns changes nothing but the time.
    """
    rest = np.arange(len(X)) != held_out
    scaled = (X - X[rest].mean(axis=0)) / np.maximum(X[rest].std(axis=0), 1e-9)
    u, s, _ = np.linalg.svd(scaled, full_matrices=False)
    return u * s


def _held_out_scores(turned, y):
    """Decision value of each row under a model of all other rows."""
    from sklearn.linear_model import LogisticRegression

    scores = np.empty(len(y))
    for i, rows in enumerate(turned):
        rest = np.arange(len(y)) != i
        model = LogisticRegression(class_weight="balanced", solver="newton-cholesky")
        scores[i] = model.fit(rows[rest], y[rest]).decision_function(rows[i:i + 1])[0]
    return scores
