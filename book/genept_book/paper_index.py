"""Figure by figure and table by table: what the paper printed, what this book has, a verdict.

``data/paper-index.csv`` has one row per result of the paper: ``item`` and ``result`` as a reader
knows them; ``notebook``; the columns of a recorded result (``task``, ``dataset``, ``label``,
``classifier``, ``metric``, ``split``, ``method``), ``method`` empty where the book has none;
``printed_method``, and ``printed_dataset`` and ``printed_label`` where the paper's set is another
one; ``why`` a comparison is not possible. Where this book has no result of a set of the paper, the
one on a reader's own files takes its place (``split`` names which).
"""

import pandas as pd

from genept_utils import sources
from genept_book import claims, ledger

_OURS = ["item", "task", "dataset", "label", "classifier", "metric"]
# A control on the genes that it has stands beside the score on all genes.
FEWER_GENES = ", genes with"


def verdict(printed, ours, low, high, why=""):
    """"above", "reached", "below", "undecided" (:func:`.claims.against_printed`) or "cannot be
    compared", with the reason after a colon."""
    if why:
        return f"cannot be compared: {why}"
    if pd.isna(printed):
        return "cannot be compared: no printed number was found"
    if pd.isna(ours):
        return "cannot be compared: not computed here"
    said = claims.against_printed(printed, low, high)
    return f"{said}: our interval is too wide" if said == "undecided" else said


def paper_index():
    """The rows of the index with their numbers.

    Returns
    -------
    pandas.DataFrame
        ``item, result, metric, printed, source, others, ours, low, high, control,
        control_value, elsewhere, verdict, notebook``; NaN or "" where there is none. ``others``
        are printed numbers of other methods. ``control`` is the strongest recorded control of
        the same task, labels, classifier and split that reads no text with a language model;
        ``elsewhere`` what Gene2vec reaches on the genes that it has.

    Raises
    ------
    ValueError
        A row names a result of ours that was not recorded, or several.
    """
    given = ledger.published()
    printed = given[given["source"] != ledger.THIRD_PARTY]
    found = [ledger.Finder(table, "item")
             for table in (ledger.results(), printed, ledger.user_results())]
    return pd.DataFrame([_row(row, *found)
                         for row in sources.table("paper-index.csv").to_dict("records")])


def as_published(joined):
    """The rows of :func:`genept_utils.ledger.join` whose split is the one that the paper
    describes, as the index names it; Gene2vec on the genes that it has."""
    listed = sources.table("paper-index.csv")
    splits = {tuple(row[name] for name in _OURS): row["split"]
              for row in listed.to_dict("records")}
    kept = [(split.split(FEWER_GENES)[0] if method == "Gene2vec" else split)
            == splits.get(tuple(key)) for method, split, *key in
            joined[["method", "split", *_OURS]].fillna("").to_numpy()]
    return joined[kept]


def _row(row, ours, given, yours):
    made = {"item": row["item"], "result": row["result"], "metric": row["metric"],
            "notebook": row["notebook"], **_printed(row, given)}
    own = {"ours": None, "low": None, "high": None, "control": "", "control_value": None,
           "elsewhere": ""}
    mine = {**row, "method": row["printed_method"], "why": ""}
    if row["method"]:
        own = _own(row, ours)
    elif len(yours({name: mine[name] for name in [*_OURS, "split", "method"]})) == 1:
        row, own = mine, _own(mine, yours)
        own["elsewhere"] = "; ".join(filter(None, ["your files", own["elsewhere"]]))
    return {**made, **own, "verdict": verdict(made["printed"], own["ours"], own["low"],
                                              own["high"], row["why"])}


def _printed(row, given):
    method = row["printed_method"]
    if not method:
        return {"printed": None, "source": "", "others": ""}
    wanted = {name: row.get(f"printed_{name}") or row[name] for name in _OURS if row[name]}
    found = ledger.only(given(wanted | {"method": method}), f"{row['item']}, {row['result']}: {{}} "
                        f"printed numbers of {method!r} match {wanted}")
    return {"printed": found["value"], "source": found["source"], "others": ", ".join(
        f"{other['method']} {other['value']:.2f}" for other in given(wanted)
        if other["method"] != method and pd.notna(other["value"]))}


def _own(row, ours):
    wanted, split = {name: row[name] for name in _OURS if row[name]}, row["split"]
    text = ledger.only(ours(wanted | {"method": row["method"], "split": split}),
                       f"{row['item']}, {row['result']}: {{}} recorded results of "
                       f"{row['method']!r} with split {split!r} match")
    # controls also where their penalty was chosen: the strongest is asked for
    wanted.pop("classifier", None)
    same = [one for one in ours(wanted) if one["classifier"].split(",")[0] == row["classifier"]]
    strongest = min if row["task"] in claims.LOWER_IS_BETTER else max
    control = strongest((one for one in same
                         if one["split"] == split and one["reads"] not in ("text", "")),
                        key=lambda one: one["value"], default={"method": "", "value": None})
    fewer = [one["value"] for one in same if one["method"] == "Gene2vec"
             and one["split"].startswith(split + FEWER_GENES)]
    return {"ours": text["value"], "low": text["low"], "high": text["high"],
            "control": control["method"], "control_value": control["value"],
            "elsewhere": "".join(f"Gene2vec {number:.2f} on its genes" for number in fewer[:1])}
