"""Older names of :func:`summarise` and :func:`compare`, until no page calls them."""

import numpy as np
import pandas as pd

from genept_utils.evaluate.compare import compare, summarise
from genept_utils.evaluate.intervals import mean_interval
from genept_utils.evaluate.roc import pair_roc


def summary(scores, by, metrics, kind="spread", test_share=0.2):
    """:func:`summarise`; the kind "t" is "folds"."""
    made = summarise(scores, by, list(metrics), {"t": "folds"}.get(kind, kind),
                     test_size=test_share)
    return made if "n" in by else made.drop(columns="n", errors="ignore")


def by_method(runs, metrics, test_share=0.2):
    """:func:`summarise` over folds."""
    return summarise(runs, "method", list(metrics), "folds", test_size=test_share)


def gains(runs, method, against, metrics, test_share=0.2):
    """:func:`compare` over folds."""
    made = compare(runs, [(method, other) for other in against], ["repeat", "fold"],
                   list(metrics), kind="folds", test_size=test_share)
    return made.rename(columns={"value": "difference"}).drop(columns="n")


def areas(curves):
    """:func:`summarise` of what :func:`pair_roc` gives."""
    return summarise(curves)


def area_gains(curves, method, against):
    """:func:`compare` of what :func:`pair_roc` gives."""
    made = compare(curves, [(method, other) for other in against])
    return made.rename(columns={"value": "difference"}).drop(columns="n")


def bootstrap_pairs(y, scores, pairs, draws=None, seed=None, grid=101, stratum=None):
    """:func:`pair_roc`, which draws nothing."""
    return pair_roc(y, scores, pairs, stratum, grid)


def welch(values, method, against):
    """:func:`compare` of methods that were scored on different units."""
    scores = pd.concat([pd.DataFrame({"method": name, "value": found})
                        for name, found in values.items()])
    made = compare(scores, [(method, other) for other in against], kind="unpaired")
    return made.rename(columns={"value": "difference"}).drop(columns="n")


def bootstrap(statistic, units, draws=None, seed=None):
    """:func:`mean_interval` over units of a mean, given as a function of row numbers."""
    return mean_interval([statistic(np.array([row])) for row in range(len(units))], units=units)
