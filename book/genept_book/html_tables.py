"""Tables as HTML: numbers, drawn intervals, and the tables of pandas made tidy."""

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from bs4 import BeautifulSoup
from markupsafe import Markup, escape

from genept_book.templates import render

MAX_ROWS = 60  # of a sortable table that are laid out with the page; the rest waits for the reader
NUMBER = re.compile(r"^$|^(nan|–|[-+−]?[\d.,]+(e[-+]?\d+)?( ?%| to [\d.]+)?)$", re.IGNORECASE)
MISSING = {"NaN", "nan", "<NA>", "NaT", "None"}
# ``words`` for what the results call by a short ``name``, and for a ``head`` of pandas' tables.
_WORDS = pd.read_csv(Path(__file__).with_name("words.csv"), index_col="name")
READABLE, HEAD_WORDS = (_WORDS[column].dropna().to_dict() for column in ("words", "head"))


def readable(name):
    """A short name of the results in words; other names as they are."""
    return READABLE.get(name, name)


def number(value, digits=3):
    """A number as text; empty for a missing one, and text (HTML too) as it is."""
    if pd.isna(value):
        return ""
    return (f"{value:.{digits}f}" if isinstance(value, float) else
            value if isinstance(value, str) else str(value))


def interval_bar(published, ours, low, high, controls=()):
    """A drawing from 0 to 1: a stroke for the published number, a dot and interval for ours,
    an open dot for each control; "" where something lies beyond."""
    controls = [value for value in controls if pd.notna(value)]
    marks = {name: value if pd.notna(value) else None for name, value in (
        ("published", published), ("ours", ours), ("low", low), ("high", high))}
    shown = [value for value in (*marks.values(), *controls) if value is not None]
    within = all(0 <= value <= 1 for value in shown)
    return render("bar.html.j2", controls=controls, **marks) if shown and within else ""


def html_table(frame, plain=False, raw=()):
    """A frame as an HTML table; ``raw`` names the columns that already are HTML."""
    kinds, columns = {}, []
    for name in frame:
        texts = frame[name].map(number)
        columns.append(frame[name].map(Markup) if name in raw else texts)
        numbers = name == "ours" or name not in raw and all(map(NUMBER.match, texts))
        long = name not in raw and texts.str.len().max() > 45
        kinds[name] = Markup(' class="num"' if numbers else ' class="long"' if long else "")
    rows = list(zip(*columns))
    # more words than fit side by side on a phone: there each row becomes a card
    cards = any(name in raw or "long" in kinds[name] for name in [*frame][1:])
    return render("table.html.j2", rows=rows, kinds=kinds, cards=cards, plain=plain,
                  wide=not plain and len(kinds) > 4, shown=len(rows) if plain else MAX_ROWS)


def tidy_tables(html):
    """The tables of pandas with one row of heads where that is enough, and marked numbers.

    pandas puts the name of the index into a second row of heads, otherwise empty; it takes the
    place of the name that stands for all columns. Row numbers are left out, what is missing is a
    dash, zero has no sign, counts have no decimals, thousands are parted by commas, and long heads
    may break where their parts meet. An interval stands under its number where a table has more
    than four columns; what all differences are taken from stands in the head of ``against``; and
    the first of several names of rows can stand above its rows, as a phone shows it.
    """
    soup = BeautifulSoup(html, "html.parser")
    for style in soup.find_all("style", scoped=True):  # browsers apply it to the whole page
        style.decompose()
    for table in soup.find_all("table", class_="dataframe"):
        if columns := _columns(table):
            for step in (_drop_row_numbers, _name_differences, _mark_numbers, _join_intervals):
                step(columns)
            made = _rendered(columns, " ".join(table["class"]))
            table.replace_with(BeautifulSoup(made, "html.parser"))
    return str(soup)


@dataclass
class _Column:
    """A column of a table: heads from above, and a text a row, with what stands ``under`` it."""

    heads: list
    texts: list
    names: bool  # the rows, as an index does
    number: bool = False
    under: list = None


def _columns(table):
    """A table as columns of one length: what spans several of them, or several rows, is repeated."""
    heads, body = [], []
    for made, rows in ((heads, "thead tr"), (body, "tbody tr")):
        for row in table.select(rows):
            texts = [text for cell in row.find_all(["th", "td"])
                     for text in [cell.get_text(strip=True)] * int(cell.get("colspan", 1))]
            made.append([*made[-1][:len(made[0]) - len(texts)], *texts] if made else texts)
    if len(heads) > 1:  # does the last row of heads only name the index?
        *upper, above, names = heads
        last = max((i for i, name in enumerate(names) if name), default=0)
        if not any(a and name for i, (a, name) in enumerate(zip(above, names)) if i != last):
            heads = [*upper, [name or a for a, name in zip(above, names)]]
    index = max((len(row.find_all("th")) for row in table.select("tbody tr")), default=0)
    return [_Column([*above], [*texts], i < index)
            for i, (above, texts) in enumerate(zip(zip(*heads), zip(*body)))]


def _drop_row_numbers(columns):
    """Take a first column away that only counts the rows from 0."""
    first = columns[0]
    if first.names and first.heads == [""] and first.texts == [*map(str, range(len(first.texts)))]:
        del columns[0]


def _name_differences(columns):
    """Name differences in one column: "X minus" in its head where all are taken from one method,
    and "X minus Y" in the cells where scores stand among them."""
    heads = [column.heads[-1] for column in columns]
    at = next((i for i in range(len(heads)) if heads[i:i + 2] == ["method", "against"]), None)
    if at is None:
        return
    methods, against = columns[at].texts, columns[at + 1]
    if not all(against.texts):
        against.heads[-1] = "method"
        against.texts = [f"{method} minus {other}" if other else method
                         for method, other in zip(methods, against.texts)]
    elif len(set(methods)) == 1:
        against.heads[-1] = f"{methods[0]} minus"
    else:
        return
    del columns[at]


def _mark_numbers(columns):
    """What is missing is a dash, zero has no sign, and columns of numbers are marked."""
    for column in columns:
        if column.names:
            continue
        column.texts = [re.sub(r"^-(0\.0+)$", r"\1", "–" if text in MISSING else text)
                        for text in column.texts]
        column.number = all(map(NUMBER.match, column.texts))
        if column.number:
            known = [text for text in column.texts if text not in ("", "–")]
            counts = all(re.fullmatch(r"\d+\.0", text) for text in known) and any(
                len(text) > 3 for text in known)  # a column where a value is missing is a float
            column.texts = [re.sub(r"^(\d+)\.0$" if counts else r"^(\d{4,})$",
                                   lambda found: f"{int(found[1]):,}", text)
                            for text in column.texts]


def _join_intervals(columns):
    """Set ``low`` and ``high`` under their number, where a table has two rows of heads or more
    than four columns; a row of heads that then only says "value" goes."""
    if len(columns[0].heads) < 2 and len(columns) < 5:
        return
    for i in range(len(columns) - 3, -1, -1):
        name, *ends = (column.heads[-1] for column in columns[i:i + 3])
        if ends in (["low", "high"], [f"{name} low", f"{name} high"],
                    [f"{name}_low", f"{name}_high"]):
            columns[i].under = [f"{low} to {high}" if low != "–" else "" for low, high in
                                zip(*(column.texts for column in columns[i + 1:i + 3]))]
            del columns[i + 1:i + 3]
    joined = [column.heads[-1] for column in columns if column.under]
    if len(columns[0].heads) > 1 and set(joined) == {"value"} and not any(
            one.heads[:-1] == other.heads[:-1] and not one.names
            for one, other in zip(columns, columns[1:])):
        for column in columns:
            above, name = column.heads[-2:]
            column.heads[-2:] = [above if name == "value" else name]


def _rendered(columns, kind):
    """The HTML of a table; where the first of several names of rows spans two on average, a row
    with that name is added above them, and the style sheet shows one of the two."""
    heads, spans, n = _heads(columns), _spans(columns), len(columns[0].texts)
    starts = sum(column == 0 for _, column in spans)
    grouped = len(heads) == 1 and sum(column.names for column in columns) > 1 and 2 * starts <= n
    return render("pandas.html.j2", kind=kind, columns=columns, heads=heads, spans=spans,
                  grouped=grouped, n=n)


def _heads(columns):
    """Rows of heads as lists of (parts of a name, attributes); one above several is theirs."""
    rows, last = [], len(columns[0].heads) - 1
    for level in range(last + 1):
        rows.append([])
        for _, some in itertools.groupby(columns, lambda column: id(column) if (
                column.names or level == last) else column.heads[:level + 1]):
            column, *others = some
            number = column.number and not others and (level == last or column.under)
            name = HEAD_WORDS.get(column.heads[level], column.heads[level])
            rows[-1].append((re.split(r"(?<=[_/:])(?=\w)", name), {
                "class": "num" if number else None,
                "colspan": len(others) + 1 if others else None}))
    return rows


def _spans(columns):
    """How many rows a name of rows spans, by its row and column; the last name spans one."""
    names, spans = [column.texts for column in columns if column.names], {}
    for j, texts in enumerate(names):
        at, last = 0, j == len(names) - 1
        for _, same in itertools.groupby(range(len(texts)) if last else zip(*names[:j + 1])):
            spans[at, j] = len([*same])
            at += spans[at, j]
    return spans


def together(frame, *names):
    """The texts of some columns as one, parted by semicolons."""
    return ["; ".join(filter(None, row)) for row in frame[[*names]].to_numpy()]


def chip(word, why=""):
    """A verdict as HTML, coloured by what it says, with the reason under it."""
    kind = {"reached": "ok", "level": "ok", "above": "up", "ahead": "up", "below": "down",
            "behind": "down"}.get(word.split()[-1], "none")
    return two_lines([Markup(f'<span class="verdict {kind}">{word}</span>')], [why])[0]


def two_lines(upper, lower, digits=3):
    """HTML of cells, texts or numbers, with a second, smaller line."""
    return [Markup("{}<small>{}</small>" if second else "{}").format(number(first, digits), second)
            for first, second in zip(upper, lower)]


def spans(frame, digits=3):
    """``low`` and ``high`` of each row as one text."""
    pairs = frame.reindex(columns=["low", "high"]).to_numpy(float)
    return [f"{low:.{digits}f} to {high:.{digits}f}" if pd.notna(low) else ""
            for low, high in pairs]
