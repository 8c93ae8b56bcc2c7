"""Our numbers, written once, and set beside the published ones.

``record`` writes ``NN-name.json``; ``run --write`` puts it into ``data/results``; ``join`` sets
those rows beside
``data/published.csv``, whose columns ``item``, ``task``, ``dataset``, ``label``, ``method``,
``classifier`` and ``metric`` name a result in both.
"""

import json

import numpy as np
import pandas as pd

from genept_utils import paths, sources
from genept_book.methods import reads

KEY = ["item", "task", "dataset", "label", "method", "classifier", "metric"]
COLUMNS = [*KEY, "value", "low", "high", "n", "repeats", "split", "notebook", "note", "against",
           "reads"]
REQUIRED = ["item", "task", "dataset", "method", "metric", "value"]
THIRD_PARTY = "third-party re-run"  # source of a row of published.csv that others measured
# The published method whose place one of ours takes; every other method joins under its own name.
STANDS_IN_FOR = {"GenePT MiniLM": "GenePT ada-002"}


def record(name, *tables, **common):
    """Write the rows of one notebook and return them.

    Parameters
    ----------
    name : str
        Stem of the notebook, for example ``"02-gene-functions"``.
    *tables : pandas.DataFrame or sequence of dict
        One result a row: ``item``, ``task``, ``dataset``, ``method``, ``metric``, ``value``
        (required), ``label``, ``classifier``, ``low`` and ``high`` (95 % interval of the kind
        that the notebook states), ``n`` (units evaluated), ``repeats``, ``split``, ``note``.
    **common
        Columns that are the same for all rows, such as ``item="Fig 2b"``; a row that has a value
        of its own keeps it.

    Returns
    -------
    pandas.DataFrame
        (n_rows, 17), values rounded to 4 places, as written to ``paths.own_results()/NAME.json``.

    Raises
    ------
    ValueError
        A row lacks a required field, has an unknown one, or its value lies outside its interval.
    """
    table = pd.DataFrame([row for part in tables
                          for row in pd.DataFrame(part).to_dict("records")])
    for column, value in common.items():
        table[column] = table[column].fillna(value) if column in table else value
    missing = [name for name in REQUIRED if name not in table or table[name].isna().any()]
    unknown = sorted(set(table) - set(COLUMNS))
    if missing or unknown:
        raise ValueError(f"a result lacks {missing} or has {unknown}")
    table = table.assign(notebook=name).reindex(columns=COLUMNS)
    for column in ("value", "low", "high"):
        table[column] = pd.to_numeric(table[column]).round(4)
    table["reads"] = table["reads"].fillna(table["method"].map(reads)).replace("", None)
    for fault, rows in (("values outside their interval", table.query(
                            "value < low or value > high")),
                        ("the same result twice", table[table.duplicated(
                            [*KEY, "split", "note", "against"], keep=False)])):
        if len(rows):
            raise ValueError(f"{fault}:\n{rows[[*KEY, 'value', 'low', 'high']]}")
    lines = ",\n".join(json.dumps({key: value for key, value in row.items() if pd.notna(value)},
                                  ensure_ascii=False) for row in table.to_dict("records"))
    sources.save(paths.own_results() / f"{name}.json", f"[\n{lines}\n]\n")
    return table


def shown(table, by="method", across=None, digits=3):
    """Rows of results as a table to look at.

    Parameters
    ----------
    table : pandas.DataFrame
        One result a row, with ``value`` or ``difference`` and ``low`` and ``high``.
    by, across : str or list of str
        Columns that name the lines, and those whose values stand side by side (``"metric"``).
    digits : int

    Returns
    -------
    pandas.DataFrame
        A line per value of ``by``, in the order of the rows; value and interval, rounded. With
        ``across`` the columns have two levels or more.
    """
    by, across = ([names] if isinstance(names, str) else list(names or ())
                  for names in (by, across))
    numbers = [name for name in ("value", "difference", "low", "high") if name in table]
    made = table.set_index([*by, *across])[numbers].astype(float).round(digits)
    if not across or made.empty:
        return made
    lines, columns = (table[names].drop_duplicates() for names in (by, across))
    made = made.unstack(across)
    made.columns = made.columns.reorder_levels([*range(1, len(across) + 1), 0])
    order = [(*key, number) for key in columns.itertuples(index=False) for number in numbers]
    lines = pd.MultiIndex.from_frame(lines) if len(by) > 1 else pd.Index(lines[by[0]], name=by[0])
    return made.reindex(index=lines, columns=pd.MultiIndex.from_tuples(order))


def results(name=None, folder=None):
    """Our recorded scores, of one notebook or of all, as a DataFrame with the columns above."""
    table = _recorded(name, folder)
    return table[table["against"].isna()].reset_index(drop=True)


def differences(name=None, folder=None):
    """Our recorded paired differences: ``value`` is ``method`` minus ``against``."""
    table = _recorded(name, folder)
    return table[table["against"].notna()].reset_index(drop=True)


def _recorded(name, folder):
    files = sorted((folder or paths.results()).glob(f"{name or '[0-9]*'}.json"))
    rows = [row for file in files for row in json.loads(file.read_text(encoding="utf-8"))]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.assign(reads=table["reads"].fillna(table["method"].map(reads)))


def user_results():
    """Rows that ``python -m genept_utils paper`` made from a reader's copies of the paper's files;
    none where there are none. Their ``note`` begins with "your files"."""
    table = results(folder=paths.paper() / "results")
    note = table["note"].fillna("").astype(str)
    return table.assign(note=("your files; " + note).str.removesuffix("; "))


def published(item=None):
    """``data/published.csv``: every printed number that was found; NaN where none was."""
    table = _read("published.csv")
    return table if item is None else table[table["item"] == item].reset_index(drop=True)


def third_parties():
    """What others measured when they ran GenePT or other systems of the paper again: the rows of
    ``data/third-party.csv``, and those of ``published.csv`` with such a source; ``source`` says
    who."""
    given = published()
    return pd.concat([given[given["source"] == THIRD_PARTY], _read("third-party.csv")],
                     ignore_index=True)


def _read(name):
    return pd.read_csv(paths.DATA / name, keep_default_na=False,
                       na_values={"value": [""], "spread": [""]})


def join(given=None):
    """Published numbers and ours side by side.

    Parameters
    ----------
    given : pandas.DataFrame, optional
        The numbers that ours stand beside; by default :func:`published`.

    Returns
    -------
    pandas.DataFrame
        One row per published number or result of ours: ``item, task, dataset, label, method,
        classifier, metric, published, spread, published_note, source, ours, low, high,
        our_method, split, note, notebook``. A result joins a published number that has the same
        item, task,
        dataset, label, classifier and metric and the same method, or the method that it stands
        in for (``STANDS_IN_FOR``). Other rows have NaN on one side. Rows of a reader's own files
        (:func:`user_results`) stand beside ours.
    """
    printed = (published() if given is None else given).rename(
        columns={"value": "published", "note": "published_note"})
    ours = pd.concat([part for part in (results(), user_results()) if len(part)] or [results()])
    ours = ours.rename(columns={"value": "ours"}).assign(
        our_method=ours["method"], method=ours["method"].replace(STANDS_IN_FOR))
    ours[KEY] = ours[KEY].fillna("").astype(str)
    table = printed.merge(ours, on=KEY, how="outer", sort=False)
    return table[[*KEY, "published", "spread", "published_note", "source", "ours", "low", "high",
                  "our_method", "split", "note", "notebook"]]


class Finder:
    """Many searches in one table of results, by some columns that all of them name."""

    def __init__(self, table, *names):
        self.names, self.rows = names, {}
        words = [name for name in (*KEY, "split", "against", "reads") if name in table]
        plain = table.assign(**table[words].fillna("").astype(str))  # so that they can be compared
        for row in plain.to_dict("records"):
            self.rows.setdefault(tuple(row[name] for name in names), []).append(row)

    def __call__(self, wanted):
        """The rows, as dicts, whose columns have the values of a dict."""
        return [row for row in self.rows.get(tuple(wanted[name] for name in self.names), ())
                if all(row[name] == value for name, value in wanted.items())]


def only(found, said):
    """The one row of a list.

    Raises
    ------
    ValueError
        There are none or several; the message is ``said`` with their number in its braces.
    """
    if len(found) != 1:
        raise ValueError(f"{said.replace('{}', str(len(found)), 1)}; one must")
    return found[0]


def compare(fresh, committed, tolerance=0.01):
    """Rows of a fresh run that differ from the committed ones by more than the tolerance.

    Parameters
    ----------
    fresh, committed : pandas.DataFrame
        Scores and paired differences, as :func:`results` and :func:`differences` return them.
    tolerance : float
        Largest accepted absolute difference of a value; a row whose note holds "tolerance=X" has
        its own. How far the interval reaches below and above the value may differ by a tenth of
        its width, or by half the tolerance where that is more.

    Returns
    -------
    pandas.DataFrame
        The differing rows (``value``, ``low`` and ``high``, each ``_fresh`` and ``_committed``);
        also those that are on one side only, for the notebooks that both sides hold.
    """
    key = [*KEY, "against", "split", "notebook", "nth"]
    both = set(fresh["notebook"]) & set(committed["notebook"])
    sides = []
    for side in (fresh, committed):
        side = side[side["notebook"].isin(both)].reindex(columns=COLUMNS)
        side = side.assign(**side[key[:-1]].fillna("").astype(str))
        # rows that differ in their note alone are told apart by order: a note may hold numbers
        sides.append(side.assign(nth=side.groupby(key[:-1]).cumcount()))
    table = sides[0].merge(sides[1], on=key, how="outer", suffixes=("_fresh", "_committed"))
    stated = table["note_committed"].astype(str).str.extract(r"tolerance=([\d.]+)")[0]
    allowed = stated.astype(float).fillna(tolerance)
    numbers = ["value", "low", "high"]
    now, then = (table[[f"{name}_{side}" for name in numbers]].astype(float).set_axis(
        numbers, axis=1) for side in ("fresh", "committed"))
    moved, wide = now - then, (then["high"] - then["low"]).fillna(0) / 10
    same = moved["value"].abs() <= allowed
    for end in ("low", "high"):
        reach = (moved[end] - moved["value"]).abs()
        same &= (reach <= np.maximum(wide, allowed / 2)) | now[end].isna() & then[end].isna()
    shown = [f"{name}_{side}" for name in numbers for side in ("fresh", "committed")]
    return table.loc[~same, [*key[:-1], *shown, "note_committed"]]
