"""Claims: a result, one fixed control of each kind beside it, and a verdict for each pair.

``data/claims.csv`` has one claim a row: ``id``, the chapter (``notebook``), the claim in words,
its subject (``method``), a control under each kind that applies (columns of :data:`KINDS`; the
maximum over many controls would be biased upwards, so one is named beforehand), the method of the
paper whose number was ``printed`` for the same task, the recorded result (``item`` to ``split``),
the paired ``unit`` and the ``margin`` below which a difference counts as none. ``glance`` is "yes" for
claims that the first page shows and "main" for the others that chapter 12 draws and counts; the
rest is there for single sentences.
Scores and paired differences are read from what the chapters recorded (:mod:`.ledger`).
"""

import re

import numpy as np
import pandas as pd

from genept_utils import paths
from genept_book import ledger, methods

KINDS = ("nothing", "letters", "words", "text", "expression", "annotations")
VERDICTS = ("ahead", "slightly ahead", "level", "undecided", "slightly behind", "behind")
PRINTED = ("above", "reached", "undecided", "below")
WIDEST = 0.15  # an interval that is wider reaches almost anything
MARGIN = 0.02  # where a claim names none
POOLED = re.compile(r"(\d+) sets")  # a data set of paired differences over several
LOWER_IS_BETTER = {"batch agreement", "patient agreement"}  # tasks
ABOUT = ("id", "notebook", "claim", "glance")  # columns of a claim that tables of it repeat
WHERE = ["item", "task", "dataset", "label", "classifier", "metric", "split"]


def verdict(value, low, high, margin=MARGIN, lower_is_better=False):
    """What the 95 % interval of a paired difference says of a method against another.

    Parameters
    ----------
    value, low, high : float
        Difference, method minus control, and its interval; NaN where none was recorded.
    margin : float
        A difference below it counts as none.
    lower_is_better : bool
        Of the metric, such as agreement with the batch.

    Returns
    -------
    str
        One of :data:`VERDICTS`. "ahead" and "behind": the interval excludes zero; "slightly"
        where the difference itself is smaller than the margin. "level": the interval holds zero
        and lies within the margin on both sides. "undecided": it holds zero and does not.
    """
    if lower_is_better:
        value, low, high = -value, -high, -low
    if low > 0:
        return "ahead" if value >= margin else "slightly ahead"
    if high < 0:
        return "behind" if value <= -margin else "slightly behind"
    return "level" if low >= -margin and high <= margin else "undecided"


def against_printed(printed, low, high):
    """What the 95 % interval of a score says of a printed number, one of :data:`PRINTED`.

    "reached" is a number within the interval, where that is no wider than :data:`WIDEST`.
    """
    if low > printed:
        return "above"
    if high < printed:
        return "below"
    return "reached" if high - low <= WIDEST else "undecided"


def listed():
    """``data/claims.csv``: text, "" where nothing stands; ``margin`` a number.

    Raises
    ------
    ValueError
        An id stands twice, or a control does not read what its column says.
    """
    table = pd.read_csv(paths.DATA / "claims.csv", dtype=str, keep_default_na=False)
    twice = table.loc[table["id"].duplicated(), "id"]
    if len(twice):
        raise ValueError(f"data/claims.csv names a claim twice: {', '.join(twice)}")
    for kind in KINDS:
        for name, control in table.loc[table[kind] != "", ["id", kind]].to_numpy():
            if methods.reads(control) != kind:
                raise ValueError(f"claim {name!r}: its control {control!r} reads "
                                 f"{methods.reads(control) or 'what is not known'}, not {kind}")
    table["margin"] = pd.to_numeric(table["margin"]).fillna(MARGIN)
    return table


def scores(folder=None):
    """The score of every claim, of its controls, and the printed number.

    Parameters
    ----------
    folder : pathlib.Path, optional
        Of recorded results; by default those that the book shows.

    Returns
    -------
    pandas.DataFrame
        A row per claim and method, the subject first: ``id, notebook, claim, glance, kind``
        ("subject", one of :data:`KINDS`, or "printed"), ``method, metric, value, low, high``.

    Raises
    ------
    ValueError
        A claim names a result that was not recorded, or several.
    """
    ours, given = (ledger.Finder(table, "method") for table in (
        ledger.results(folder=folder), ledger.published()))
    rows = []
    for claim in listed().to_dict("records"):
        beside = {kind: claim[kind] for kind in (*KINDS, "printed") if claim[kind]}
        for kind, method in {"subject": claim["method"], **beside}.items():
            printed = kind == "printed"
            where = {name: claim[name] for name in WHERE
                     if claim[name] and not (printed and name == "split")}
            found = ledger.only(
                _scored(given if printed else ours, {**where, "method": method}),
                f"claim {claim['id']!r} of {claim['notebook']}: {{}} "
                f"{'printed' if printed else 'recorded'} results of {method!r} match {where}")
            rows.append({**{name: claim[name] for name in ABOUT}, "kind": kind, "method": method,
                         **{name: found.get(name) for name in ("metric", "value", "low", "high")}})
    return pd.DataFrame(rows)


def _scored(find, where):
    """The rows of a score; of a data set such as "3 sets" that has none, one with their mean."""
    found, pooled = find(where), POOLED.fullmatch(where.get("dataset", ""))
    if found or not pooled:
        return found
    there = find({name: value for name, value in where.items() if name != "dataset"})
    if not len(there) == len({row["dataset"] for row in there}) == int(pooled[1]):
        return []
    return [{**there[0], "value": np.mean([row["value"] for row in there]), "low": None,
             "high": None}]


def verdicts(folder=None, margin=None):
    """The paired difference of every claim to each of its controls, and what it says.

    Parameters
    ----------
    folder : pathlib.Path, optional
        Of recorded results; by default those that the book shows.
    margin : float, optional
        In place of the margin of each claim.

    Returns
    -------
    pandas.DataFrame
        A row per claim and control: ``id, notebook, claim, glance, kind, method, against, metric,
        value, low, high, n, unit, margin, verdict, task``; ``value`` is method minus control.
        Against a printed number the interval is that of our score, less the printed number.

    Raises
    ------
    ValueError
        Differences that were not recorded, or several that match; all of them are named.
    """
    gaps = ledger.differences(folder=folder)
    # a difference counts also where it was recorded the other way round
    back = gaps.rename(columns={"method": "against", "against": "method"}).assign(
        value=-gaps["value"], low=-gaps["high"], high=-gaps["low"])
    find = ledger.Finder(pd.concat([gaps, back]), "method", "against")
    told, rows, faults = {claim["id"]: claim for claim in listed().to_dict("records")}, [], []
    for other in scores(folder).to_dict("records"):
        claim = told[other["id"]]
        if other["kind"] == "subject":  # which comes before what stands beside it
            subject = other
            continue
        allowed = claim["margin"] if margin is None else margin
        if other["kind"] == "printed":
            found = {name: subject[name] - other["value"] for name in ("value", "low", "high")}
            said = against_printed(0, found["low"], found["high"])
        else:
            same = {name: claim[name] for name in WHERE if claim[name]}
            there = find({**same, "method": subject["method"], "against": other["method"]})
            if len(there) != 1:
                faults.append(f"{claim['notebook']} records {len(there)} differences of "
                              f"{subject['method']!r} to {other['method']!r} for claim "
                              f"{claim['id']!r}: {', '.join(same.values())}")
                continue
            found = {name: there[0][name] for name in ("value", "low", "high", "n")}
            said = verdict(*list(found.values())[:3], allowed, claim["task"] in LOWER_IS_BETTER)
        rows.append({**{name: other[name] for name in (*ABOUT, "kind")},
                     "method": subject["method"], "against": other["method"],
                     "metric": subject["metric"], **found, "unit": claim["unit"],
                     "margin": allowed, "verdict": said, "task": claim["task"]})
    if faults:
        raise ValueError("one difference each is needed:\n" + "\n".join(faults))
    return pd.DataFrame(rows)


def of_rows(table, margin=MARGIN):
    """Verdicts of recorded paired differences, as :func:`genept_utils.ledger.differences` gives
    them: the table with a column ``verdict``."""
    return table.assign(verdict=[
        verdict(row.value, row.low, row.high, margin, row.task in LOWER_IS_BETTER)
        for row in table.itertuples()])
