"""Intervals of scores: over splits, over seeds, over donors or genes; and tables of them."""

import numpy as np
import pandas as pd
from scipy import stats


def interval(scores, test_share, level=0.95):
    """Mean of resampled test scores with the corrected resampled t interval.

    Test scores of overlapping training sets are correlated; the variance of their mean is taken
    as ``(1/J + test/train) * variance`` instead of ``variance / J`` (Nadeau & Bengio 2003,
    Machine Learning 52:239).

    Parameters
    ----------
    scores : array-like
        (J,) scores, one per split; NaN (a fold with one class only) is left out.
    test_share : float
        Share of the rows that is tested in each split, .2 for five folds.

    Returns
    -------
    tuple of float
        mean, low, high. With fewer than two scores low and high are NaN.
    """
    scores = np.asarray(scores, dtype=float)
    scores = scores[np.isfinite(scores)]
    n = len(scores)
    if n < 2:
        return (scores.mean() if n else np.nan), np.nan, np.nan
    error = np.sqrt((1 / n + test_share / (1 - test_share)) * scores.var(ddof=1))
    half = stats.t.ppf((1 + level) / 2, n - 1) * error
    return scores.mean(), scores.mean() - half, scores.mean() + half


def paired(a, b, test_share, level=0.95):
    """Difference a - b of two methods scored on the same splits, corrected resampled t.

    Parameters
    ----------
    a, b : array-like
        (J,) scores on the same J splits, in the same order.
    test_share : float
        As in :func:`interval`.

    Returns
    -------
    dict
        ``difference``, ``low``, ``high`` and the two-sided ``p`` value.
    """
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    mean, low, high = interval(difference, test_share, level)
    n = np.isfinite(difference).sum()
    half = high - mean
    if not half > 0:  # identical scores, or too few of them
        return {"difference": mean, "low": low, "high": high, "p": np.nan}
    t = mean / (half / stats.t.ppf((1 + level) / 2, n - 1))
    return {"difference": mean, "low": low, "high": high,
            "p": float(2 * stats.t.sf(abs(t), n - 1))}


def bootstrap(statistic, units, draws=1000, seed=0, level=0.95):
    """Percentile interval of a statistic when whole units (donors, genes) are drawn again.

    Parameters
    ----------
    statistic : callable
        Takes an integer array of row numbers, gives a float.
    units : array-like
        (n,) the unit of each row; all rows of a drawn unit are taken together.
    draws, seed : int
        Number of draws and their seed.

    Returns
    -------
    tuple of float
        value on all rows, low, high.
    """
    codes, names = pd.factorize(np.asarray(units))
    rows_of = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    rng = np.random.default_rng(seed)
    drawn = [statistic(np.concatenate([rows_of[u] for u in rng.integers(0, len(names),
                                                                        len(names))]))
             for _ in range(draws)]
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return statistic(np.arange(len(codes))), low, high


def spread(values, level=0.95):
    """Mean and the interval that holds ``level`` of the values (of seeds, of draws): a triple."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan, np.nan
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    mean = values.mean()
    return mean, min(low, mean), max(high, mean)


def summary(scores, by, metrics, kind="spread", test_share=0.2):
    """Per-run scores as one row per group and metric, ready for ``ledger.record``.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per run.
    by : list of str
        Columns that name a group, such as ``dataset`` and ``method``.
    metrics : list of str
        Columns that hold scores.
    kind : {"spread", "t", "range"}
        Interval: the middle 95 % of the runs (:func:`spread`), the corrected resampled t
        interval of folds (:func:`interval`, cut to the largest possible score 1), or smallest
        and largest value, for few runs such as held-out batches.

    Returns
    -------
    pandas.DataFrame
        ``by``, ``metric``, ``value``, ``low``, ``high``, ``repeats``.
    """
    how = {"spread": spread, "t": lambda values: interval(values, test_share),
           "range": lambda values: (np.mean(values), np.min(values), np.max(values))}[kind]
    rows = []
    for key, part in scores.groupby(by, sort=False, observed=True):
        for metric in metrics:
            mean, low, high = how(part[metric].to_numpy(float))
            high = min(high, max(1.0, mean)) if kind == "t" else high
            rows.append(dict(zip(by, key)) | {"metric": metric, "value": mean, "low": low,
                                              "high": high, "repeats": len(part)})
    return pd.DataFrame(rows)


def welch(values, method, against):
    """Difference of the means of two groups of different units, Welch's 95 % interval.

    Parameters
    ----------
    values : dict of str to numpy.ndarray
        Method -> values; NaN is left out.

    Returns
    -------
    pandas.DataFrame
        One row per method of ``against``: ``method``, ``against``, ``difference``, ``low``,
        ``high``.
    """
    rows = []
    for other in against:
        test = stats.ttest_ind(values[method], values[other], equal_var=False, nan_policy="omit")
        low, high = test.confidence_interval()
        rows.append({"method": method, "against": other, "low": low, "high": high,
                     "difference": np.nanmean(values[method]) - np.nanmean(values[other])})
    return pd.DataFrame(rows, columns=["method", "against", "difference", "low", "high"])
