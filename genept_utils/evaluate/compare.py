"""One table of scores: :func:`summarise` gives a row a method, :func:`compare` a row a pair."""

import numpy as np
import pandas as pd
from scipy import stats

from genept_utils.evaluate import roc
from genept_utils.evaluate.intervals import interval, mean_interval, spread


def summarise(scores, by="method", values="value", kind="spread", unit=None, test_size=0.2):
    """Means of scores with an interval, one row per group, ready to show and to record.

    Parameters
    ----------
    scores : pandas.DataFrame or dict
        One score a row; or method -> such a table; or what
        :func:`pair_roc` returns, also data set -> that. For the kinds ``"terms"`` and ``"auc"``
        one decision a row: ``label`` (0 or 1), ``score``, and ``term`` and ``gene`` for terms.
    by : str or list of str
        Columns that name a group, such as ``dataset`` and ``method``.
    values : str or list of str
        Columns that hold scores; the name goes to ``metric``, unless it is "value".
    kind : str
        What the interval is. ``"units"``, ``"donors"``: 95 % for the mean of independent units
        (:func:`mean_interval`). ``"folds"``: corrected resampled t of splits of the same rows
        (:func:`interval`). ``"terms"``: 95 % for the mean ROC-AUC over terms that share genes
        (:func:`mean_of_terms`). ``"auc"``: 95 % for the ROC-AUC of a few donors
        (:func:`donor_auc`). No confidence intervals: ``"spread"``, the middle 95 % of the runs;
        ``"range"``, smallest and largest.
    unit : str or list of str, optional
        Columns that name a unit; scores of one unit (several seeds, say) are averaged first.
    test_size : float
        Share of the rows that a split tests, for ``"folds"``.

    Returns
    -------
    pandas.DataFrame
        ``by``, ``metric``, ``value``, ``low``, ``high``; ``n``, the number of units, terms or
        pairs, and for other kinds the column ``n`` or ``n_test`` where there is one;
        ``repeats``, the number of scores.
    """
    if _are_curves(scores):
        return _of_curves(scores, lambda curves: [
            {"method": method, "metric": "roc_auc", "value": curve["auc"], "low": curve["low"],
             "high": curve["high"], "n": curve["n"]} for method, curve in curves.items()])
    scores, by, rows = _table(scores), _listed(by), []
    for key, part in scores.groupby(by, sort=False, observed=True):
        for name in _listed(values) if kind not in DECISIONS else ["roc_auc"]:
            row = dict(zip(by, key)) | ({} if name == "value" else {"metric": name})
            if kind in DECISIONS:
                (value, low, high), n = DECISIONS[kind][0](part)
                rows.append(row | {"value": value, "low": low, "high": high, "n": n})
                continue
            found = part[name] if unit is None else part.groupby(unit, observed=True)[name].mean()
            found = found.to_numpy(float)
            row |= dict(zip(("value", "low", "high"), _cut(found, _mean(found, kind, test_size))))
            if kind in UNITS:
                row["n"] = int(np.isfinite(found).sum())
            elif size := [column for column in ("n", "n_test") if column in part]:
                row.setdefault("n", int(part[size[0]].iloc[0]))
            rows.append(row | {"repeats": len(part)})
    return pd.DataFrame(rows)


def compare(scores, pairs, unit=None, value="value", by=(), kind="units", test_size=0.2):
    """Differences of two methods scored on the same units, with a 95 % interval.

    Parameters
    ----------
    scores : pandas.DataFrame or dict
        As in :func:`summarise`, with a column ``method``.
    pairs : sequence of tuple of str
        (method, against). A pair of which one method is missing is left out.
    unit : str or list of str
        Columns that name a unit, the same for both methods: a fold, a donor, a draw. Not asked
        for what :func:`pair_roc` returns and for terms.
    value : str or list of str
        Columns of scores; of a list the name goes to ``metric``.
    by : str or list of str
        Columns that are compared one by one (``dataset``, ``metric``).
    kind : str
        As in :func:`summarise`, of the differences; ``"unpaired"``: Welch's interval for methods
        that were scored on different units.
    test_size : float
        Share of the rows that a split tests, for ``"folds"``.

    Returns
    -------
    pandas.DataFrame
        ``by``, ``method``, ``against``, ``value`` (method minus against), ``low``, ``high`` and
        ``n``, the number of units that both methods have.
    """
    if _are_curves(scores):
        return _of_curves(scores, lambda curves: [
            {"method": a, "against": b, "metric": "roc_auc", **_gap_of_curves(curves[a], curves[b])}
            for a, b in pairs if {a, b} <= set(curves)])
    scores, by, unit = _table(scores), _listed(by), _listed(unit)
    named = [] if isinstance(value, str) else ["metric"]
    rows = []
    for key, part in scores.groupby(by, sort=False, observed=True) if by else [((), scores)]:
        for name in _listed(value):
            of = dict(zip(by, key)) | dict.fromkeys(named, name)
            for row in _gaps(part, pairs, unit, name, kind, test_size):
                rows.append(of | row)
    return pd.DataFrame(rows, columns=[*by, *named, "method", "against", "value", "low", "high",
                                       "n"])


def _gaps(part, pairs, unit, name, kind, test_size):
    if kind in (*DECISIONS, "unpaired"):
        sides = dict(iter(part.groupby("method", observed=True)))
        known = [pair for pair in pairs if set(pair) <= set(sides)]
        how = (DECISIONS[kind][1] if kind in DECISIONS else
               lambda a, b: _welch(a[name].dropna(), b[name].dropna()))
        made = [how(sides[a], sides[b]) for a, b in known]
    else:
        wide = part.pivot_table(name, unit, "method", aggfunc="mean", observed=True)
        known = [pair for pair in pairs if set(pair) <= set(wide)]
        gaps = [(wide[a] - wide[b]).dropna().to_numpy() for a, b in known]
        made = [(_mean(gap, kind, test_size, difference=True), len(gap)) for gap in gaps]
    for (a, b), ((gap, low, high), n) in zip(known, made):
        yield {"method": a, "against": b, "value": gap, "low": low, "high": high, "n": n}


def _mean(values, kind, test_size, difference=False):
    if kind in UNITS:
        return mean_interval(values, difference=difference)
    if kind == "folds":
        return interval(values, test_size)
    if kind == "spread":
        return spread(values)
    if kind == "range":
        return (np.mean(values), np.min(values), np.max(values)) if len(values) else (np.nan,) * 3
    raise ValueError(f"kind {kind!r} is not one of {', '.join(KINDS)}")


def _cut(values, found):
    """An interval of scores that lie between 0 and 1 ends there."""
    inside = len(values) and np.nanmin(values) >= 0 and np.nanmax(values) <= 1
    return tuple(np.clip(found, 0, 1)) if inside else found


def _terms(part):
    area, influence = roc.term_areas(part)
    return roc.mean_of_terms(area, influence), len(area)


def _terms_gap(a, b):
    keys = [part.set_index(["term", "gene"]).index for part in (a, b)]
    if not keys[0].equals(keys[1]):  # then genes that both have
        a, b = (part[keys[i].isin(keys[1 - i])] for i, part in enumerate((a, b)))
    (first, moved), (second, less) = roc.term_areas(a), roc.term_areas(b)
    gap = (first - second).dropna()
    moved = moved.sub(less, fill_value=0)
    moved = moved[moved.index.get_level_values("term").isin(gap.index)]
    return roc.mean_of_terms(gap, moved), len(gap)


def _donors(part):
    return roc.donor_auc(part["label"], part["score"]), len(part)


def _donors_gap(a, b):
    both = a.set_index("donor")[["label", "score"]].join(
        b.set_index("donor")["score"].rename("other"), how="inner")
    return roc.donor_auc_difference(both["label"], both["score"], both["other"]), len(both)


def _welch(a, b):
    low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    return (a.mean() - b.mean(), low, high), min(len(a), len(b))


UNITS = ("units", "donors")
DECISIONS = {"terms": (_terms, _terms_gap), "auc": (_donors, _donors_gap)}
KINDS = (*UNITS, "folds", *DECISIONS, "unpaired", "spread", "range")


def _gap_of_curves(a, b):
    if a["shared"] is not b["shared"]:
        raise ValueError("both methods must be scored on the same pairs, in one call of pair_roc")
    gap = a["auc"] - b["auc"]
    half = a["shared"].half_width(a["influence"] - b["influence"])
    return {"value": gap, "low": gap - half, "high": gap + half, "n": a["n"]}


def _are_curves(scores):
    return isinstance(scores, dict) and not any(isinstance(one, pd.DataFrame)
                                                for one in scores.values())


def _of_curves(curves, rows_of):
    if any("auc" in curve for curve in curves.values()) or not curves:
        return pd.DataFrame(rows_of(curves))
    return pd.concat([pd.DataFrame(rows_of(found)).assign(dataset=name)
                      for name, found in curves.items()], ignore_index=True)


def _table(scores):
    if isinstance(scores, dict):
        return pd.concat([part.assign(method=name) for name, part in scores.items()])
    return scores


def _listed(names):
    return [] if names is None else [names] if isinstance(names, str) else list(names)
