"""Condition of a donor from the cells of the donor."""

import numpy as np
import pandas as pd

from genept_utils.datasets import missing
from genept_utils.evaluate.checks import checked
from genept_utils.evaluate.intervals import mean_interval
from genept_utils.evaluate.roc import donor_auc
from genept_utils.evaluate.splits import splits, subsample

FOLDS = 10  # of donors, where there are as many
ONE_BY_ONE = 30  # donors that are held out one at a time where a donor is one row


def donor_splits(y, donor, seed=0):
    """Train and test rows with whole donors held out.

    Fewer than ten donors are held out one at a time; from ten on there are ten folds of donors
    (:func:`splits` with groups), so that the cost does not grow with their number.

    Parameters
    ----------
    y, donor : array-like
        (n,) condition and donor; a cell without a donor stands in no split.

    Returns
    -------
    list of tuple of numpy.ndarray
        (train, test) row numbers; without those splits whose training cells have one condition
        only.
    """
    y, known = np.asarray(y), np.flatnonzero(~missing(donor))
    names = np.asarray(donor).astype(str)[known]
    donors = np.unique(names)
    if len(donors) < FOLDS:
        held = [(known[names != one], known[names == one]) for one in donors]
    else:
        held = [(known[train], known[test])
                for train, test in splits(y[known], FOLDS, 1, names, seed)]
    return [(train, test) for train, test in held if len(test) and len(np.unique(y[train])) > 1]


def phenotype_tests(obs, max_cells=4000, seed=0, report=print):
    """Splits for a phenotype that each cell has: five random folds, and whole donors held out.

    Parameters
    ----------
    obs : pandas.DataFrame
        ``condition`` and, where they are known, ``donor``.
    max_cells : int
        Cells of the random folds, and of the donor splits; of more a sample is taken, each
        condition (and donor) in its share.
    report : callable
        Is given one sentence where donors are missing or cannot be held out.

    Returns
    -------
    list of tuple
        ("random cells" or "held-out donor", training rows, test rows), all rows of ``obs``.
    """
    y = obs["condition"].to_numpy(str)
    sample = subsample(y, max_cells, seed)
    tests = [("random cells", np.sort(sample[train]), sample[test])
             for train, test in splits(y[sample], 5, 1, seed=seed)
             if len(np.unique(y[sample[train]])) > 1]
    if "donor" not in obs:
        report("There is no column of donors, so none is held out; name it with donor=COLUMN.")
        return tests
    lacks = missing(obs["donor"])
    if lacks.any():
        report(f"{lacks.sum():,} of {len(y):,} cells have no donor and are left out where donors "
               "are held out.")
    held = held_out_donors(obs, max_cells, seed)
    if not held:
        donors = obs["donor"][~lacks].nunique()
        report(f"No donor is held out: there {'is' if donors == 1 else 'are'} {donors}, and the "
               "others must have two conditions to learn from.")
    return tests + held


def held_out_donors(obs, max_cells=4000, seed=0):
    """:func:`donor_splits` of a sample of the cells whose donor and condition are known.

    Returns
    -------
    list of tuple
        ("held-out donor", training rows, test rows), rows of ``obs``; empty without a column of
        donors.
    """
    if "donor" not in obs:
        return []
    known = np.flatnonzero(~missing(obs["donor"]) & ~missing(obs["condition"]))
    names, y = (obs[column].to_numpy()[known].astype(str) for column in ("donor", "condition"))
    chosen = subsample(np.char.add(np.char.add(names, "|"), y), max_cells, seed)
    known = known[chosen]
    return [("held-out donor", known[train], known[test])
            for train, test in donor_splits(y[chosen], names[chosen], seed)]


def leave_one_donor_out(X, donor, condition, permutations=200, seed=0):
    """Condition of a donor from the mean vector of the donor's cells (:func:`donor_decisions`).

    Parameters
    ----------
    X, donor, condition
        As :func:`donor_decisions` takes them.
    permutations, seed : int
        Shuffles of the conditions among the donors, and their seed.

    Returns
    -------
    dict
        ``n`` donors; ``accuracy`` and ``roc_auc`` with ``_low`` and ``_high`` (95 %, of
        :func:`mean_interval` and :func:`donor_auc`: scores fixed) and ``_p`` (share of shuffles,
        the true order counted in, that do at least as well).
    """
    table, turned = _donor_table(X, donor, condition, seed)
    y = table["label"].to_numpy()
    scores, rng = _held_out_scores(turned, y), np.random.default_rng(seed)
    shuffled = [rng.permutation(y) for _ in range(permutations)]
    chance = [(other, _held_out_scores(turned, other)) for other in shuffled]
    metrics = {"accuracy": lambda y, s: mean_interval((s > 0) == y), "roc_auc": donor_auc}
    made = {"n": len(y)}
    for name, metric in metrics.items():
        value, low, high = metric(y, scores)
        least = sum(metric(other, found)[0] >= value for other, found in chance)
        made |= {name: value, f"{name}_low": low, f"{name}_high": high,
                 f"{name}_p": (1 + least) / (1 + permutations)}
    return made


def donor_decisions(X, donor, condition, seed=0):
    """Decision value of each donor under a model of other donors, from the mean of its cells.

    Each donor is held out once, alone or, of more than 30 donors, in one of ten folds; L2
    logistic regression (C = 1) on columns scaled by the training donors. Every training part is
    weighted so that both conditions count alike: without that,
    leaving one out moves the base rate against the held-out donor.

    Parameters
    ----------
    X : numpy.ndarray
        (n_cells, d) cell vectors.
    donor, condition : array-like
        (n_cells,) donor, and the donor's condition (two values).

    Returns
    -------
    pandas.DataFrame
        One row per donor: ``donor``, ``label`` (0, 1), ``score`` and ``right`` (0, 1), for
        :func:`summarise` and :func:`compare` (kind "auc", or "donors" of ``right``).
    """
    table, turned = _donor_table(X, donor, condition, seed)
    table["score"] = _held_out_scores(turned, table["label"].to_numpy())
    return table.assign(right=((table["score"] > 0) == table["label"]).astype(int))


def _donor_table(X, donor, condition, seed):
    """Donors with their labels, and for every fold the turned mean vectors and its test rows."""
    donor, condition = checked(X, donor), checked(X, condition)
    codes, names = pd.factorize(donor.astype(str), sort=True)
    means = np.array([np.asarray(X[codes == code]).mean(axis=0, dtype=np.float64)
                      for code in range(len(names))])
    of = pd.Series(np.asarray(condition).astype(str), np.asarray(donor).astype(str))
    mixed = of.groupby(level=0).nunique()
    if (mixed > 1).any():
        raise ValueError(f"donor {mixed.idxmax()!r} has cells of {mixed.max()} conditions; a donor "
                         "must have one here")
    of = of[~of.index.duplicated()].reindex(names)
    if of.nunique() != 2:
        raise ValueError(f"the donors have {of.nunique()} conditions "
                         f"({', '.join(of.unique()[:5])}); "
                         "two are needed")
    y = (of == of.max()).to_numpy(int)
    folds = ([np.array([i]) for i in range(len(y))] if len(y) <= ONE_BY_ONE
             else [test for _, test in splits(y, FOLDS, 1, seed=seed)])
    return pd.DataFrame({"donor": names, "label": y}), [(_turned(means, test), test)
                                                        for test in folds]


def donor_rows(table):
    """The wide result of :func:`leave_one_donor_out` as one row per metric: ``metric``, ``value``,
    ``low``, ``high`` and, in ``note``, the p-value; other columns stay."""
    made = []
    for metric in ("accuracy", "roc_auc") if len(table) else ():
        columns = {metric: "value", f"{metric}_low": "low", f"{metric}_high": "high"}
        part = table[["dataset", "method", "n", *columns]].rename(columns=columns)
        notes = [f"permutation p-value {p:.2f}" for p in table[f"{metric}_p"]]
        made.append(part.assign(metric=metric, note=notes))
    return pd.concat(made) if made else pd.DataFrame()


def _turned(X, held_out):
    """The rows scaled by all but those held out, in at most n coordinates.

    L2 logistic regression depends on the rows through their inner products only, so turning the
    columns changes nothing but the time.
    """
    rest = np.setdiff1d(np.arange(len(X)), held_out)
    scaled = (X - X[rest].mean(axis=0)) / np.maximum(X[rest].std(axis=0), 1e-9)
    u, s, _ = np.linalg.svd(scaled, full_matrices=False)
    return u * s


def _held_out_scores(turned, y):
    """Decision value of each row under a model of the rows of other folds."""
    from sklearn.linear_model import LogisticRegression

    scores = np.empty(len(y))
    for rows, test in turned:
        rest = np.setdiff1d(np.arange(len(y)), test)
        model = LogisticRegression(class_weight="balanced", solver="newton-cholesky")
        scores[test] = model.fit(rows[rest], y[rest]).decision_function(rows[test])
    return scores
