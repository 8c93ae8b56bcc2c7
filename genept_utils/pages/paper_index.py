"""Figure by figure and table by table: what the paper printed, what this book has, a verdict.

``data/paper-index.csv`` has one row per result of the paper: ``item`` and ``result`` as a reader
knows them; ``notebook``; the columns of a recorded result (``task``, ``dataset``, ``label``,
``classifier``, ``metric``, ``split``, ``method``), empty where the book has none; ``controls``
("|"-separated methods); ``printed_method``, and ``printed_dataset`` and ``printed_label`` where
the paper's set is another one; ``why`` a comparison is not possible.
"""

import pandas as pd

from genept_utils import paths
from genept_utils.pages import ledger

ROUNDING = 0.01  # numbers that differ by no more than that are the same number
WIDE = 0.25  # an interval that would reach almost anything
_OURS = ["item", "task", "dataset", "label", "classifier", "metric"]


def verdict(printed, ours, low, high, why=""):
    """"reached", "above", "below" or "cannot be compared", with the reason after a colon.

    Reached is a printed number that lies in our 95 % interval or within .01 of our number.
    """
    if why:
        return f"cannot be compared: {why}"
    if pd.isna(printed):
        return "cannot be compared: no printed number was found"
    if pd.isna(ours):
        return "cannot be compared: not computed here"
    low, high = (ours if pd.isna(end) else end for end in (low, high))
    if low - ROUNDING <= printed <= high + ROUNDING:
        return "reached: but our interval is wide" if high - low > WIDE else "reached"
    return "above" if ours > printed else "below"


def paper_index():
    """The rows of the index with their numbers.

    Returns
    -------
    pandas.DataFrame
        ``item, result, metric, printed, source, ours, low, high, control, control_value,
        verdict, notebook``; NaN or "" where there is none.

    Raises
    ------
    ValueError
        A row names a result of ours that was not recorded, or several.
    """
    listed = pd.read_csv(paths.DATA / "paper-index.csv", dtype=str, keep_default_na=False)
    ours = ledger.results().fillna({name: "" for name in [*ledger.KEY, "split"]})
    given = ledger.published()
    return pd.DataFrame([_row(row, ours, given) for row in listed.to_dict("records")])


def _row(row, ours, given):
    where = {name: row[name] for name in (*_OURS, "split") if row[name]}
    made = {"item": row["item"], "result": row["result"], "metric": row["metric"],
            "notebook": row["notebook"], "printed": None, "source": ""}
    if row["printed_method"]:
        wanted = {name: row[name] for name in _OURS if row[name]}
        wanted |= {"method": row["printed_method"],
                   **{name: row[f"printed_{name}"] for name in ("dataset", "label")
                      if row[f"printed_{name}"]}}
        found = given[_same(given, wanted)]
        if len(found) != 1:
            raise ValueError(f"{row['item']}, {row['result']}: {len(found)} printed numbers "
                             f"match {wanted}; one must")
        made |= {"printed": found["value"].iloc[0], "source": found["source"].iloc[0]}
    own = {"ours": None, "low": None, "high": None, "control": "", "control_value": None}
    if row["method"]:
        own = _own(row, where, ours)
    return {**made, **own, "verdict": verdict(made["printed"], own["ours"], own["low"],
                                              own["high"], row["why"])}


def _own(row, where, ours):
    def one(method):
        found = ours[_same(ours, {**where, "method": method})]
        if len(found) != 1:
            raise ValueError(f"{row['item']}, {row['result']}: {len(found)} recorded results of "
                             f"{method!r} match {where}; one must")
        return found.iloc[0]

    text = one(row["method"])
    controls = {method: one(method)["value"]
                for method in filter(None, row["controls"].split("|"))}
    best = max(controls, key=controls.get, default="")
    return {"ours": text["value"], "low": text["low"], "high": text["high"], "control": best,
            "control_value": controls.get(best)}


def _same(table, wanted):
    return (table[list(wanted)] == pd.Series(wanted)).all(axis=1)
