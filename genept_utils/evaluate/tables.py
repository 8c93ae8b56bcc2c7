"""Older names of :func:`summarise` and :func:`compare`, until no page calls them."""

import numpy as np
import pandas as pd

from genept_utils.evaluate.compare import compare, summarise
from genept_utils.evaluate.intervals import mean_interval


def summary(scores, by, metrics, kind="spread", test_share=0.2):
    """:func:`summarise`; the kind "t" is "folds"."""
    made = summarise(scores, by, list(metrics), {"t": "folds"}.get(kind, kind),
                     test_size=test_share)
    return made if "n" in by else made.drop(columns="n", errors="ignore")


def welch(values, method, against):
    """:func:`compare` of methods that were scored on different units."""
    scores = pd.concat([pd.DataFrame({"method": name, "value": found})
                        for name, found in values.items()])
    made = compare(scores, [(method, other) for other in against], kind="unpaired")
    return made.rename(columns={"value": "difference"}).drop(columns="n")


def bootstrap(statistic, units, draws=None, seed=None):
    """:func:`mean_interval` over units of a mean, given as a function of row numbers."""
    return mean_interval([statistic(np.array([row])) for row in range(len(units))], units=units)
