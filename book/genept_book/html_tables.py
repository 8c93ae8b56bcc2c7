"""Tables as HTML: numbers, drawn intervals, and the tables of pandas made tidy."""

import re
from pathlib import Path

import pandas as pd
from bs4 import BeautifulSoup
from markupsafe import Markup, escape

from genept_book.templates import render

MAX_ROWS = 60  # of a sortable table that are laid out with the page; the rest waits for the reader
NUMBER = re.compile(r"^$|^(nan|–|[-+−]?[\d.,]+(e[-+]?\d+)?( ?%| to [\d.]+)?)$", re.IGNORECASE)
INTERVAL = re.compile(r"^([-+]?[\d.]+|nan) \[([^,]+), ([^,]+)\]$")
HEADS = {"drawn": "from 0 to 1", "by": "method"}
# ``words`` for what the results call by a short ``name``, and for a ``head`` of pandas' tables.
_WORDS = pd.read_csv(Path(__file__).with_name("words.csv"), index_col="name")
READABLE, HEAD_WORDS = (_WORDS[column].dropna().to_dict() for column in ("words", "head"))


def readable(name):
    """A short name of the results in words; other names as they are."""
    return READABLE.get(name, name)


def number(value, digits=3):
    """A number as text; empty for a missing one, and text (HTML too) as it is."""
    if value is None or pd.isna(value):
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
    within = shown and min(shown) >= 0 and max(shown) <= 1
    return render("bar.html.j2", controls=controls, **marks) if within else ""


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
    return render("table.html.j2", rows=rows, kinds=kinds, heads=HEADS, cards=cards, plain=plain,
                  wide=not plain and len(kinds) > 4, shown=len(rows) if plain else MAX_ROWS)


def tidy_tables(html):
    """Wrap the tables of pandas, mark their columns of numbers, and join their two head rows.

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
        del table["border"]
        table.wrap(soup.new_tag("div", attrs={"class": "table-box"}))
        heads = _one_row_of_heads(table.select("thead tr"))
        _drop_row_numbers(table, heads)
        _name_differences(table, heads)
        below = _split_intervals(soup, table, heads)
        for cell in table.select("thead th"):
            parts = re.split(r"(?<=[_/:])(?=\w)", _text(cell))
            if parts == [""]:  # a head without a word is no head
                cell.name = "td"
            elif cell.string and len(parts) > 1:
                cell.clear()
                cell.append(BeautifulSoup("<wbr/>".join(map(escape, parts)), "html.parser"))
        _mark_numbers(table, heads)
        for cell, interval in below:
            cell.append(interval)
        _join_intervals(soup, table, heads)
        _add_groups(soup, table)
        for cell in table.select("thead th"):
            if word := HEAD_WORDS.get(_text(cell)):
                cell.string = word
    return str(soup)


def _text(cell):
    return cell.get_text(strip=True)


def _cells(row):
    return row.find_all(["th", "td"])


def _one_row_of_heads(heads):
    """The rows of heads, without the last one where it only names the index."""
    if len(heads) > 1:
        pairs = list(zip(*map(_cells, heads[-2:])))
        index = max((i for i, (_, name) in enumerate(pairs) if _text(name)), default=-1)
        if not any(_text(above) and _text(name) for i, (above, name) in enumerate(pairs)
                   if i != max(index, 0)):
            for above, name in pairs:
                if _text(name):
                    above.string = _text(name)
            heads.pop().decompose()
    return heads


def _drop_row_numbers(table, heads):
    """Take a first column away that only counts the rows from 0."""
    first = [row.find(["th", "td"]) for row in table.select("tbody tr")]
    named = [row.find(["th", "td"]) for row in heads]
    if first and len(named) == 1 and not _text(named[0]) and all(
            cell.name == "th" and _text(cell) == str(i) for i, cell in enumerate(first)):
        for cell in first + named:
            cell.decompose()


def _mark_numbers(table, heads):
    """What is missing is a dash, zero has no sign, and columns of numbers are marked."""
    for cell in table.select("tbody td"):
        if _text(cell) in ("NaN", "nan", "<NA>", "NaT", "None"):
            cell.string = "–"
        elif re.fullmatch(r"-0\.0+", _text(cell)):
            cell.string = _text(cell)[1:]
    rows = [row.find_all("td")[::-1] for row in table.select("tbody tr")]
    names = _cells(heads[-1])[::-1] if heads else []
    for i, column in enumerate(zip(*rows)):
        if all(NUMBER.match(_text(cell)) for cell in column):
            for cell in (*column, *names[i:i + 1]):
                cell["class"] = [*cell.get("class", []), "num"]
            texts = [text for text in map(_text, column) if text not in ("", "–")]
            counts = all(re.fullmatch(r"\d+\.0", text) for text in texts) and any(
                len(text) > 3 for text in texts)  # a column where a value is missing is a float
            for cell in column:
                if counts or re.fullmatch(r"\d{4,}", _text(cell)):
                    cell.string = re.sub(
                        r"^(\d+)(\.0)?$", lambda found: f"{int(found[1]):,}", _text(cell))


def _name_differences(table, heads):
    """Name differences in one column: "X minus" in its head where all are taken from one method,
    and "X minus Y" in the cells where scores stand among them."""
    names = list(map(_text, _cells(heads[-1]))) if heads else []
    if ("method", "against") not in list(zip(names, names[1:])):
        return
    at, rows, methods, gone = names.index("method"), [], [], []
    for cells in map(_cells, table.select("tbody tr")):
        left = at + len(cells) - len(names)  # a name that repeats is left out
        if left >= 0:
            gone.append(cells[left])
        methods.append(_text(gone[-1]))
        rows.append(cells[left + 1])
    if len(set(methods)) == 1 and all(map(_text, rows)):
        head = f"{methods[0]} minus"
    elif not all(map(_text, rows)):
        head = "method"
        for method, cell in zip(methods, rows):
            cell.string = f"{method} minus {_text(cell)}" if _text(cell) else method
    else:
        return
    _cells(heads[-1])[at + 1].string = head
    for cell in (*gone, *(_cells(row)[at] for row in heads)):
        cell.decompose()


def _split_intervals(soup, table, heads):
    """Cells with "0.5 [0.4, 0.6]" keep their number; what is to stand under it is returned, and a
    last row of heads that only says "value" goes."""
    below = []
    for cell in table.select("tbody td"):
        if parts := INTERVAL.match(_text(cell)):
            cell.string, low, high = parts.groups()
            small = soup.new_tag("small")
            small.string = f"{low} to {high}"
            below += [(cell, small)] if cell.string != "nan" else []
    above, names = map(_cells, heads[-2:]) if len(heads) > 1 else ((), ())
    if below and names and len(names) == len(above) and all(
            _text(low) == "value" or not _text(high) for high, low in zip(above, names)):
        for high, low in zip(above, names):
            high.string = _text(high) or _text(low)
        heads.pop().decompose()
    return below


def _add_groups(soup, table):
    """Where a name of rows spans several, with a second name beside it, a row with that name is
    added above them; the style sheet shows the one on a phone and the other elsewhere."""
    body = table.select("tbody tr")
    heads, width = table.select("thead tr"), max(map(len, map(_cells, body)), default=0)
    starts = [row for row in body if len(_cells(row)) == width]
    if len(heads) != 1 or len(starts) * 2 > len(body) or len(body[0].find_all("th")) < 2:
        return
    for row in starts:
        cell = _cells(row)[0]
        cell["class"] = ["grouped"]
        above = soup.new_tag("tr", attrs={"class": "group"})
        name = soup.new_tag("th", attrs={"colspan": width - 1, "scope": "rowgroup"})
        name.string = _text(cell)
        above.append(name)
        row.insert_before(above)
    head = _cells(heads[0])[0]
    head["class"] = [*head.get("class", []), "grouped"]


def _join_intervals(soup, table, heads):
    """Set ``low`` and ``high`` under their number, where a table has two rows of heads or more
    than four columns."""
    names = _cells(heads[-1]) if heads else []
    if len(heads) < 2 and len(names) < 5:
        return
    texts = list(map(_text, names))
    found = [i for i, name in enumerate(texts) if tuple(texts[i + 1:i + 3]) in (
        ("low", "high"), (f"{name} low", f"{name} high"), (f"{name}_low", f"{name}_high"))]
    rows = list(map(_cells, table.select("tbody tr")))
    for i in reversed(found):
        for cells in rows:
            at = i - len(texts) + len(cells)  # the names of rows are left out where they repeat
            number, low, high = cells[at:at + 3]
            if _text(low) != "–":
                small = soup.new_tag("small")
                small.string = f"{_text(low)} to {_text(high)}"
                number.append(small)
            low.decompose()
            high.decompose()
        for cell in names[i + 1:i + 3]:
            cell.decompose()
    if len(heads) < 2 or not found:
        return
    gone = {i + step for i in found for step in (1, 2)}
    for row in heads[:-1]:
        at = 0
        for cell in _cells(row):
            span = int(cell.get("colspan", 1))
            left = span - len(gone & set(range(at, at + span)))
            at += span
            if left < span:
                cell["colspan"] = left
            if left == 1 < span:
                del cell["colspan"]
                cell["class"] = [*cell.get("class", []), "num"]
    above = _cells(heads[-2])
    if len(above) == len(texts) - len(gone) and all(texts[i] == "value" for i in found):
        for cell, name in zip(above, _cells(heads[-1])):
            if _text(name) == "value":
                name.string = _text(cell)
        heads[-2].decompose()


def together(frame, *names):
    """The texts of some columns as one, parted by semicolons."""
    return ["; ".join(filter(None, row)) for row in frame[[*names]].to_numpy()]


def chip(word, why=""):
    """A verdict as HTML, coloured by what it says, with the reason under it."""
    kind = {"reached": "ok", "level": "ok", "above": "up", "ahead": "up", "below": "down",
            "behind": "down"}.get(word.split()[-1], "none")
    return two_lines([Markup(f'<span class="verdict {kind}">{word}</span>')], [why])[0]


def two_lines(upper, lower):
    """HTML of cells with a second, smaller line."""
    return [Markup("{}<small>{}</small>" if second else "{}").format(first, second)
            for first, second in zip(upper, lower)]


def spans(frame, digits=3):
    """``low`` and ``high`` of each row as one text."""
    pairs = frame.reindex(columns=["low", "high"]).to_numpy(float)
    return [f"{low:.{digits}f} to {high:.{digits}f}" if pd.notna(low) else ""
            for low, high in pairs]
