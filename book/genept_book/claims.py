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
    ours, given = ledger.plain(ledger.results(folder=folder)), ledger.plain(ledger.published())
    rows = []
    for claim in listed().to_dict("records"):
        for kind, method in _beside(claim):
            table = given if kind == "printed" else ours
            where = {name: claim[name] for name in WHERE
                     if claim[name] and (name != "split" or kind != "printed")}
            found = ledger.matching(table, {**where, "method": method})
            if found.empty and POOLED.fullmatch(claim["dataset"]):
                found = _mean(table, {**where, "method": method})
            if len(found) != 1:
                raise ValueError(f"claim {claim['id']!r} of {claim['notebook']}: {len(found)} "
                                 f"{'printed' if kind == 'printed' else 'recorded'} results of "
                                 f"{method!r} match {where}; one must")
            found = found.iloc[0]
            rows.append({**{name: claim[name] for name in ("id", "notebook", "claim", "glance")},
                         "kind": kind, "method": method, "metric": found["metric"],
                         **{name: found.get(name) for name in ("value", "low", "high")}})
    return pd.DataFrame(rows)


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
        value, low, high, n, unit, margin, verdict``; ``value`` is method minus control. Against a
        printed number the interval is that of our score, less the printed number.

    Raises
    ------
    ValueError
        Differences that were not recorded, or several that match; all of them are named.
    """
    gaps, shown = ledger.plain(ledger.differences(folder=folder)), scores(folder)
    told = listed() if margin is None else listed().assign(margin=margin)
    rows, faults = [], []
    for claim in told.to_dict("records"):
        own = shown[shown["id"] == claim["id"]].set_index("kind")
        same = {name: claim[name] for name in WHERE if claim[name]}
        for kind, control in _beside(claim)[1:]:
            found = (_printed(own) if kind == "printed" else
                     _difference(gaps, same, claim["method"], control))
            if isinstance(found, int):
                faults.append(f"{claim['notebook']} records {found} differences of "
                              f"{claim['method']!r} to {control!r} for claim {claim['id']!r}: "
                              f"{', '.join(same.values())}")
                continue
            said = (against_printed(0, found["low"], found["high"]) if kind == "printed" else
                    verdict(found["value"], found["low"], found["high"], claim["margin"],
                            claim["task"] in LOWER_IS_BETTER))
            rows.append({**{name: claim[name] for name in ("id", "notebook", "claim", "glance")},
                         "kind": kind, "method": claim["method"], "against": control,
                         "metric": own.loc["subject", "metric"], **found,
                         "unit": claim["unit"], "margin": claim["margin"], "verdict": said})
    if faults:
        raise ValueError("one difference each is needed:\n" + "\n".join(faults))
    return pd.DataFrame(rows)


def of_rows(table, margin=MARGIN):
    """Verdicts of recorded paired differences, as :func:`genept_utils.ledger.differences` gives
    them: the table with a column ``verdict``."""
    return table.assign(verdict=[
        verdict(row.value, row.low, row.high, margin, row.task in LOWER_IS_BETTER)
        for row in table.itertuples()])


def _mean(table, where):
    """One row, the mean over the sets that a pooled difference is of; none where others stand
    there."""
    count = int(POOLED.fullmatch(where["dataset"])[1])
    there = ledger.matching(table, {name: value for name, value in where.items()
                                    if name != "dataset"})
    if len(there) != count or there["dataset"].nunique() != count:
        return there[:0]
    return there.head(1).assign(dataset=where["dataset"], value=there["value"].mean(), low=None,
                                high=None)


def _beside(claim):
    """(kind, method) of a claim: its subject, its controls, and the printed method."""
    return [("subject", claim["method"]),
            *((kind, claim[kind]) for kind in (*KINDS, "printed") if claim[kind])]


def _printed(own):
    text, printed = own.loc["subject"], own.loc["printed", "value"]
    return {name: text[name] - printed for name in ("value", "low", "high")}


def _difference(gaps, same, method, control):
    """The recorded difference of a pair, also where it was recorded the other way round; how many
    there are where it is not one."""
    there = ledger.matching(gaps, {**same, "method": method, "against": control})
    back = ledger.matching(gaps, {**same, "method": control, "against": method})
    if len(there) + len(back) != 1:
        return len(there) + len(back)
    row = (there if len(there) else back).iloc[0]
    value, low, high = (row["value"], row["low"], row["high"]) if len(there) else (
        -row["value"], -row["high"], -row["low"])
    return {"value": value, "low": low, "high": high, "n": row["n"]}
