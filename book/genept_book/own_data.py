"""A page that was run on other data than the book's: whose data it shows, and its own verdicts.

A page re-executes, its prose does not. What was seen on the book's data is left out: the headline,
*What we found*, every line that is bound to a claim, compares, holds a result or names a set of
the book, and the words behind an output that begin a cell; cells tagged ``book-data`` too, with
the text above them. What is looked at and how stays.
The page closes with verdicts on the paired differences of this run, for the pairs of methods that
the chapter's claims name, by the rules of :mod:`.claims`.
"""

import re
from pathlib import PureWindowsPath

import nbformat
import pandas as pd

from genept_book import bindings, claims, ledger, prose
from genept_book.notebooks import parameters
from genept_book.templates import render

DATA = ("dataset", "datasets", "patients", "label", "batch", "donor", "condition", "also", "layer",
        "raw", "values", "species", "embedding", "reference")
# How the book's sets are called in words.
SETS = re.compile(r"\b(?:interferon|stimulat\w+|melanoma|lupus|PBMC|sorted cells|cell lines|tumours?"
                  r"|chemistr(?:y|ies)|these sets|open sets?|we use (?:two|three|four|five|six)"
                  r"|(?:other )?(?:two|three|four|five|six) (?:sets|were|others))\b", re.IGNORECASE)
ONLY_BOOK = "book-data"  # tag of a cell whose output is of the book's data whatever was asked for
_SAME = ["item", "task", "classifier", "metric", "split"]


def changed(notebook, values):
    """The parameters of data that a run has and that are not the book's.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The committed page.
    values : dict
        Parameters of the run.

    Returns
    -------
    dict of str to object
    """
    known = parameters(notebook)
    return {name: value for name, value in values.items()
            if name in DATA and name in known and value != known[name].default}


def retell(notebook, own, results, folder):
    """Rewrite an executed page for the data of its reader, in place.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    own : dict
        As :func:`changed` returns it.
    results : str
        Stem of the notebook.
    folder : pathlib.Path
        Where the run recorded its results.
    """
    names = {name for parameter in parameters(notebook).values() for name in
             (parameter.default if isinstance(parameter.default, list) else [parameter.default])
             if isinstance(name, str) and name}
    cells, seen = [], False
    for cell in notebook.cells:
        if ONLY_BOOK in cell.metadata.get("tags", []):
            cells = cells[:-1] if cells[-1].cell_type == "markdown" else cells
        elif cell.cell_type == "code":
            _caption(cell, names)
            seen = seen or bool(cell.outputs)
            cells.append(cell)
        else:
            cell.source = _kept(cell.source, names, seen) if cells else _title(cell.source, own)
            seen, cells = False, [*cells, cell] if cell.source.strip() else cells
    notebook.cells = [*cells, nbformat.v4.new_markdown_cell(_verdicts(results, folder))]


def _title(markdown, own):
    """The first cell: title and facts, without claim, takeaways and the book's times."""
    title, *lines = [line for line in markdown.splitlines()
                     if not re.match(r"\*\*|- |\|\s*(?:Run time|Peak memory|Data)\s*\|", line)]
    said = ", ".join(f"{name}={_short(value)}" for name, value in own.items())
    made = render("own-data.md.j2", title=title, said=said, lines=lines)
    return re.sub(r"\n{3,}", "\n\n", made)


def _short(value):
    if isinstance(value, list):
        return ",".join(map(_short, value))
    return PureWindowsPath(value).name if isinstance(value, str) else str(value)  # of any system


def _kept(markdown, names, seen):
    """What of a text still holds: of its headings all but the one of *What we found*."""
    parts, made = re.split(r"^(?=## )", markdown, flags=re.MULTILINE), []
    if seen and not parts[0].startswith("## "):  # it says what an output showed
        parts = parts[1:]
    for part in parts:
        kept = _filtered(part, names).rstrip()
        alone = part.startswith("## Differences") and kept == part.split("\n")[0]
        if kept and not alone and not part.startswith("## What we found"):
            made.append(kept)
    return "\n\n".join(made)


def _filtered(markdown, names):
    """A text without the lines, which hold a sentence each, that tell a result."""
    lines = [line for line in markdown.splitlines()
             if re.match(r"#|\||>|```|\s*$", line) or not _tells(line, names)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _tells(sentence, names):
    plain = bindings.COMMENT.sub("", sentence)
    return (plain != sentence or bindings.COMPARES.search(plain) or SETS.search(plain)
            or any(number.checked for number in prose.numbers(re.sub(r"`[^`]*`", "", plain)))
            or any(re.search(rf"`{re.escape(name)}\b", plain) for name in names))


def _caption(cell, names):
    shown = cell.metadata.get("mystnb", {})
    for part, name in (("figure", "caption"), ("image", "alt")):
        if name in shown.get(part, {}):
            kept = _filtered(shown[part][name], names).strip()
            shown[part][name] = kept or "On the data of this run."


def _verdicts(stem, folder):
    """The closing section, Markdown."""
    rows = _pairs(stem, ledger.differences(stem, folder))
    return render("verdicts.md.j2", rows=[(row, ", ".join(filter(None, (
        row.task, row.dataset, row.split, row.classifier)))) for row in rows.itertuples()])


def _pairs(stem, gaps):
    """The recorded differences that a main claim of the chapter is about, on whatever data."""
    find, made = ledger.Finder(gaps, "method"), []
    for claim in claims.listed().query("notebook == @stem and glance != ''").to_dict("records"):
        beside = [claim[kind] for kind in claims.KINDS if claim[kind]]
        same = [row for row in find({name: claim[name] for name in [*_SAME, "method"]})
                if row["against"] in beside]
        made += [claims.of_rows(pd.DataFrame(same), claim["margin"])] if same else []
    return pd.concat(made).drop_duplicates([*ledger.KEY, "split", "against"]) if made else gaps[:0]
