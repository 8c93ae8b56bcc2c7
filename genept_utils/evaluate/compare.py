"""Paired comparison of methods: one table of scores in, one row a pair of methods out."""

import numpy as np
import pandas as pd
from scipy import stats

from genept_utils.evaluate.intervals import paired


def compare(scores, pairs, unit, value="value", by=(), kind="units", test_size=0.2):
    """Differences of two methods scored on the same units, with a 95 % interval.

    Parameters
    ----------
    scores : pandas.DataFrame
        One score a row: ``method``, the columns ``by`` and ``unit``, and ``value``.
    pairs : sequence of tuple of str
        (method, against). A pair of which one method is missing is left out.
    unit : str or list of str
        Columns that name a unit, the same for both methods: a fold, a term, a donor, a draw.
    value : str
        Column of the score.
    by : str or list of str
        Columns that are compared one by one (``dataset``, ``metric``).
    kind : {"units", "folds"}
        ``"units"``: units are independent; Student's t of the differences. ``"folds"``: units are
        splits of the same rows; corrected resampled t (Nadeau & Bengio 2003) with ``test_size``.
    test_size : float
        Share of the rows that a split tests.

    Returns
    -------
    pandas.DataFrame
        ``by``, ``method``, ``against``, ``value`` (method minus against), ``low``, ``high`` and
        ``n``, the number of units that both methods have.
    """
    by, unit = ([x] if isinstance(x, str) else list(x) for x in (by, unit))
    groups = scores.groupby(by, sort=False, observed=True) if by else [((), scores)]
    rows = []
    for key, part in groups:
        wide = part.pivot_table(value, unit, "method", aggfunc="mean", observed=True)
        for method, against in pairs:
            if not {method, against} <= set(wide):
                continue
            gap = (wide[method] - wide[against]).dropna().to_numpy()
            rows.append(dict(zip(by, key)) | {"method": method, "against": against,
                                              **_interval(gap, kind, test_size), "n": len(gap)})
    return pd.DataFrame(rows, columns=[*by, "method", "against", "value", "low", "high", "n"])


def _interval(gap, kind, test_size):
    if kind == "folds":
        found = paired(gap, np.zeros(len(gap)), test_size)
        return {"value": found["difference"], "low": found["low"], "high": found["high"]}
    mean = gap.mean() if len(gap) else np.nan
    if len(gap) < 2:
        return {"value": mean, "low": np.nan, "high": np.nan}
    half = stats.t.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap))
    return {"value": mean, "low": mean - half, "high": mean + half}
