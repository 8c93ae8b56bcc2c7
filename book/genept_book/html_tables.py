"""Tables as HTML: numbers, drawn intervals, and the tables of pandas made tidy."""

import re
from html import escape
from pathlib import Path

import pandas as pd
from bs4 import BeautifulSoup

MAX_ROWS = 60  # of a sortable table that are laid out with the page; the rest waits for the reader
NUMBER = re.compile(r"^$|^(nan|–|[-+−]?[\d.,]+(e[-+]?\d+)?( ?%| to [\d.]+)?)$", re.IGNORECASE)
HEADS = {"drawn": "from 0 to 1", "by": "method"}
# ``words`` for what the results call by a short ``name``, and for a ``head`` of pandas' tables.
_WORDS = pd.read_csv(Path(__file__).with_name("words.csv"), index_col="name")
READABLE, HEAD_WORDS = (_WORDS[column].dropna().to_dict() for column in ("words", "head"))


def readable(name):
    """A short name of the results in words; other names as they are."""
    return READABLE.get(name, name)


def number(value, digits=3):
    """A number as text; empty for a missing one."""
    if value is None or pd.isna(value):
        return ""
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def interval_bar(published, ours, low, high, controls=()):
    """A drawing from 0 to 1: a stroke for the published number, a dot and interval for ours,
    an open dot for each control."""
    shown = [v for v in (published, ours, low, high, *controls) if pd.notna(v)]
    if not shown or min(shown) < 0 or max(shown) > 1:
        return ""
    marks = []  # the axis is a background of the style sheet
    if pd.notna(low) and pd.notna(high):
        marks.append(f'<path class="span" d="M{2 + 160 * low:.1f} 8H{2 + 160 * high:.1f}"/>')
    if pd.notna(published):
        marks.append(f'<path class="published" d="M{2 + 160 * published:.1f} 2v12"/>')
    for control in filter(pd.notna, controls):
        marks.append(f'<circle class="control" cx="{2 + 160 * control:.1f}" cy="8" r="2.6"/>')
    if pd.notna(ours):
        marks.append(f'<circle class="ours" cx="{2 + 160 * ours:.1f}" cy="8" r="3.2"/>')
    return f'<svg class="bar" viewBox="0 0 164 16" aria-hidden="true">{"".join(marks)}</svg>'


def html_table(frame, plain=False, raw=()):
    """A frame as an HTML table; ``raw`` names the columns that already are HTML."""
    kind = {}
    for name in frame:
        texts = frame[name].map(number)
        if name == "ours" or name not in raw and all(map(NUMBER.match, texts)):
            kind[name] = ' class="num"'
        elif name not in raw and texts.str.len().max() > 45:
            kind[name] = ' class="long"'
        else:
            kind[name] = ""
    head = "".join(
        f'<th scope="col"{kind[name]}>{escape(HEADS.get(name, str(name)))}</th>' for name in frame
    )
    rows = []
    for values in frame.itertuples(index=False):
        cells = [
            f"<td{kind[name]}>{value if name in raw else escape(number(value))}</td>"
            for name, value in zip(frame, values)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    # more words than fit side by side on a phone: there each row becomes a card
    cards = any(name in raw or "long" in kind[name] for name in [*frame][1:])
    classes = f"dataframe{'' if plain else ' sortable'}{' cards' if cards else ''}"
    shown = len(rows) if plain else MAX_ROWS

    def table(some, kind=classes):
        return (f'<table class="{kind}"><thead><tr>{head}</tr></thead>'
                f"<tbody>{''.join(some)}</tbody></table>")

    # what a browser with scripts reads as text, and others as a second table
    more = table(rows[shown:], classes.replace(" sortable", "")) if rows[shown:] else ""
    return (f'<div class="table-box{"" if plain or len(kind) < 5 else " wide"}">'
            f"{table(rows[:shown])}</div>"
            + (f'<noscript class="more-rows" data-rows="{len(rows) - shown}">{more}</noscript>'
               if more else ""))


def tidy_tables(html):
    """Wrap the tables of pandas, mark their columns of numbers, and join their two head rows.

    pandas puts the name of the index into a second row of heads, otherwise empty; it takes the
    place of the name that stands for all columns. Row numbers are left out, what is missing is a
    dash, zero has no sign, thousands are parted by commas, and long heads may break where their
    parts meet. In a table of many columns an interval stands under its number.
    """
    soup = BeautifulSoup(html, "html.parser")
    for style in soup.find_all("style", scoped=True):  # browsers apply it to the whole page
        style.decompose()
    for table in soup.find_all("table", class_="dataframe"):
        del table["border"]
        table.wrap(soup.new_tag("div", attrs={"class": "table-box"}))
        heads = table.thead.find_all("tr") if table.thead else []
        if len(heads) > 1:
            pairs = list(zip(*(row.find_all(["th", "td"]) for row in heads[-2:])))
            texts = [[cell.get_text(strip=True) for cell in pair] for pair in pairs]
            index = max((i for i, (_, name) in enumerate(texts) if name), default=-1)
            if not any(all(pair) for pair in texts[:max(index, 0)] + texts[index + 1:]):
                for (above, _), (_, name) in zip(pairs, texts):
                    if name:
                        above.string = name
                heads.pop().decompose()
        _drop_row_numbers(table)
        for cell in table.select("tbody td"):
            if cell.get_text(strip=True) in ("NaN", "nan", "<NA>", "NaT", "None"):
                cell.string = "–"
            elif re.fullmatch(r"-0\.0+", cell.get_text(strip=True)):
                cell.string = cell.get_text(strip=True)[1:]
        for cell in table.select("thead th"):
            text = cell.get_text(strip=True)
            if not text:  # a head without a word is no head
                cell.name = "td"
            elif cell.string and re.search(r"[_/:]\w", text):
                cell.clear()
                for part in re.split(r"(?<=[_/:])(?=\w)", text):
                    cell.extend([part, soup.new_tag("wbr")])
                cell.contents[-1].extract()
        rows = [row.find_all("td") for row in table.select("tbody tr")]
        names = heads[-1].find_all(["th", "td"]) if heads else []
        width = min((len(cells) for cells in rows), default=0)
        for i in range(1, width + 1):
            column = [cells[-i] for cells in rows]
            if all(NUMBER.match(cell.get_text(strip=True)) for cell in column):
                for cell in column + names[-i:][:1]:
                    cell["class"] = [*cell.get("class", []), "num"]
                for cell in column:
                    if re.fullmatch(r"\d{4,}", cell.get_text(strip=True)):
                        cell.string = f"{int(cell.get_text(strip=True)):,}"
        _join_intervals(soup, table, heads)
        for cell in table.select("thead th"):
            word = HEAD_WORDS.get(cell.get_text(strip=True))
            if word:
                cell.string = word
    return str(soup)


def _join_intervals(soup, table, heads):
    """Set ``low`` and ``high`` under their number, where a table has two rows of heads or more
    than seven columns."""
    names = heads[-1].find_all(["th", "td"]) if heads else []
    if len(heads) != 2 and len(names) < 8:
        return
    texts = [cell.get_text(strip=True) for cell in names]
    rows = [row.find_all(["th", "td"]) for row in table.select("tbody tr")]
    found = []
    for i, name in enumerate(texts):
        low, high = (texts + ["", ""])[i + 1:i + 3]
        if (low, high) in (("low", "high"), (f"{name} low", f"{name} high"),
                           (f"{name}_low", f"{name}_high")):
            found.append(i)
    for i in reversed(found):
        back = len(texts) - i  # the names of rows are left out where they repeat
        for cells in rows:
            number, low, high = (cells[at - back] for at in (len(cells), len(cells) + 1,
                                                             len(cells) + 2))
            small = soup.new_tag("small")
            small.string = f"{low.get_text(strip=True)} to {high.get_text(strip=True)}"
            number.append(small)
            low.decompose()
            high.decompose()
        for cell in names[i + 1:i + 3]:
            cell.decompose()
    if len(heads) != 2 or not found:
        return
    above = heads[0].find_all(["th", "td"])
    for cell in above:
        if cell.get("colspan") == "3":
            del cell["colspan"]
            cell["class"] = [*cell.get("class", []), "num"]
    if len(above) == len(texts) - 2 * len(found) and all(texts[i] == "value" for i in found):
        for cell, name in zip(above, heads[1].find_all(["th", "td"])):
            if name.get_text(strip=True) == "value":
                name.string = cell.get_text(strip=True)
        heads[0].decompose()


def _drop_row_numbers(table):
    """Take a first column away that only counts the rows from 0."""
    rows, heads = table.select("tbody tr"), table.select("thead tr")
    first = [row.find(["th", "td"]) for row in rows]
    counts = all(cell.name == "th" and cell.get_text(strip=True) == str(i)
                 for i, cell in enumerate(first))
    named = [head.find(["th", "td"]) for head in heads]
    if rows and counts and len(heads) == 1 and not named[0].get_text(strip=True):
        for cell in first + named:
            cell.decompose()


def together(frame, *names):
    """The texts of some columns as one, parted by semicolons."""
    return ["; ".join(filter(None, row)) for row in frame[[*names]].to_numpy()]


def chip(word, why=""):
    """A verdict as HTML, coloured by what it says, with the reason under it."""
    kind = {"reached": "ok", "level": "ok", "above": "up", "ahead": "up", "below": "down",
            "behind": "down"}.get(word.split()[-1], "none")
    return f'<span class="verdict {kind}">{word}</span>' + (
        f"<small>{escape(why)}</small>" if why else "")


def two_lines(upper, lower):
    """HTML of cells with a second, smaller line."""
    return [
        f"{escape(first)}<small>{escape(second)}</small>" if second else escape(first)
        for first, second in zip(upper, lower)
    ]


def spans(frame, digits=3):
    """``low`` and ``high`` of each row as one text."""
    if "low" not in frame:
        return ["" for _ in frame.index]
    pairs = frame[["low", "high"]].to_numpy(float)
    return [f"{low:.{digits}f} to {high:.{digits}f}" if pd.notna(low) else ""
            for low, high in pairs]
