"""Scores of methods as tables: one row per method and metric, ready to show and to record."""

import numpy as np
import pandas as pd

from genept_utils.evaluate.intervals import paired, summary


def by_method(runs, metrics, test_share=0.2):
    """Scores over splits, one row per method and metric.

    Parameters
    ----------
    runs : dict of str to pandas.DataFrame
        Method -> the table of :func:`cross_validate`.
    metrics : list of str
        Columns that hold scores.
    test_share : float
        As in :func:`interval`.

    Returns
    -------
    pandas.DataFrame
        ``method``, ``metric``, ``value``, ``low``, ``high`` (corrected resampled t interval),
        ``repeats`` and ``n``, the number of test rows of a split.
    """
    scores = pd.concat([run.assign(method=method) for method, run in runs.items()])
    table = summary(scores, ["method"], metrics, "t", test_share)
    return table.assign(n=table["method"].map(
        {method: int(run["n_test"].iloc[0]) for method, run in runs.items()}))


def gains(runs, method, against, metrics, test_share=0.2):
    """Paired differences of a method to others on the same splits (:func:`paired`).

    Returns
    -------
    pandas.DataFrame
        One row per method of ``against`` and metric: ``method``, ``against``, ``metric``,
        ``difference``, ``low``, ``high``.
    """
    rows = [{"method": method, "against": other, "metric": metric,
             **paired(runs[method][metric], runs[other][metric], test_share)}
            for other in against for metric in metrics]
    return pd.DataFrame(rows).drop(columns="p")


def areas(curves):
    """Areas of :func:`bootstrap_pairs`, one row per method.

    Parameters
    ----------
    curves : dict
        What :func:`bootstrap_pairs` returns, or data set -> such a dict; the table then has a
        column ``dataset``.

    Returns
    -------
    pandas.DataFrame
        ``method``, ``metric`` ("roc_auc"), ``value``, ``low``, ``high`` (bootstrap over genes),
        ``n`` pairs and ``repeats``, the number of draws.
    """
    if not any("auc" in curve for curve in curves.values()):
        return pd.concat([areas(found).assign(dataset=name) for name, found in curves.items()],
                         ignore_index=True)
    return pd.DataFrame([
        {"method": method, "metric": "roc_auc", "value": curve["auc"],
         "low": min(curve["low"], curve["auc"]), "high": max(curve["high"], curve["auc"]),
         "n": curve["n"], "repeats": len(curve["draws"])} for method, curve in curves.items()])


def area_gains(curves, method, against):
    """Differences of areas on the same draws of genes: columns as in :func:`gains`."""
    rows = []
    for other in against:
        low, high = np.quantile(curves[method]["draws"] - curves[other]["draws"], [.025, .975])
        rows.append({"method": method, "against": other, "metric": "roc_auc",
                     "difference": curves[method]["auc"] - curves[other]["auc"],
                     "low": low, "high": high})
    return pd.DataFrame(rows)
