"""Names of genes in text that somebody pastes: code, a table, a set, a list."""

import re
from typing import NamedTuple

import numpy as np

from genept_utils.genes.features import MIN_DENSITY, MIN_KNOWN
from genept_utils.genes.files import HEADS, NUMBER
from genept_utils.genes.lookup import MIN_SHARE, entrez_ids, match_unique

# What programs write for no value or a broken one, in small letters.
GAPS = frozenset("na n/a #n/a nan none null <na> #name? #ref! #value! #num! #div/0! inf -inf true "
                 "false".split())
QUOTED = r""""([^"\n]*)"|'([^'\n]*)'|`([^`\n]*)`"""
CALL = r"\b(?:c|list|set|tuple|vector|array|Series|Index)\("
NO_NAME = NUMBER + r"|[\d:.,/+-]*:[\d:.,/+-]*"  # numbers and times of day
EDGES = "\"'`[]{}()<>*•·.:!?=&"
MIN_IDS, LEAST_ID = 3, 1000  # numbers are ids where there are so many and one is at least so large


class Pasted(NamedTuple):
    """``names`` (in order, as written), and what was left out: ``numbers`` and ``gaps``."""

    names: list
    numbers: list
    gaps: list


def pasted(text):
    """Names in a pasted text, for :func:`genept_utils.genes.match`.

    Read are code (``c("CD3D", "CD3E")``, ``['CD3D']``), lists with any separator, a line of a
    ``.gmt`` file, and tables with tabs, commas or semicolons: of a table the columns of which
    half or more are genes. Numbers are no names, unless all are Entrez ids (three or more, all on
    record, not close together, one of them 1,000 or more); marks of no value (``NA``, ``#N/A``)
    and a head such as ``gene`` are left out. The page *Ask the vectors* has the same rules.

    Parameters
    ----------
    text : str
        Anything.

    Returns
    -------
    Pasted
    """
    text = re.sub(r"\r\n?", "\n", re.sub("[\u2018\u2019]", "'", re.sub("[\u201c\u201d]", '"', text)))
    text = re.sub(CALL, " ", text.replace("\ufeff", "").replace("\u00a0", " "))
    tokens = [token for cell in _cells(text) for token in _tokens(cell)]
    names, numbers, gaps = ([token for token in tokens if _kind(token) == kind]
                            for kind in ("name", "number", "gap"))
    if len(names) > 1 and names[0].lower() in HEADS and not _genes(names[:1])[0]:
        names = names[1:]
    if len(numbers) > len(names) and _are_ids(numbers):
        names, numbers = [t for t in tokens if t in set(names) | set(numbers)], []
    return Pasted(names, numbers, gaps)


def _cells(text):
    """The parts of a text that hold names: strings of code, columns of a table, genes of sets."""
    lines = [line for line in text.split("\n") if line.strip()]
    for sign in "\t;,":
        rows = [[cell.strip().strip("\"'`") for cell in line.split(sign)] for line in lines]
        if len(rows) > 1 and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1:
            return _columns(rows)
    strings = ["".join(parts) for parts in re.findall(QUOTED, text)]
    if len(strings) > len(re.findall(r"[\w.-]+", re.sub(QUOTED, " ", text))):
        return strings
    return [cell for line in lines for cell in _set(line.split("\t"))]


def _columns(rows):
    """The cells of the columns that are genes, row by row; of all columns where none is."""
    known = [_genes(row) for row in rows]
    body = range(0 if any(known[0]) else 1, len(rows))
    used = [i for i in range(len(rows[0])) if sum(known[r][i] for r in body) >= max(
        1, MIN_SHARE * sum(_kind(rows[r][i]) != "gap" and rows[r][i] != "" for r in body))]
    return [rows[r][i] for r in body for i in used] or [cell for row in rows for cell in row]


def _set(cells):
    """A line of a .gmt file without its name and its description."""
    named = len(cells) > 2 and not any(_genes(cells[:2]))
    return cells[2:] if named else cells


def _genes(cells):
    """Whether each cell is a name of a gene; of one word, and no number."""
    names = [cell.strip() for cell in cells]
    how = match_unique(np.array(names, dtype=object))["match_type"]
    return [one != "missing" and _kind(name) == "name" and not re.search(r"\s", name)
            for name, one in zip(names, how)]


def _tokens(cell):
    return [token for token in (_trimmed(part) for part in re.split(r"[\s,;]+", cell)) if token]


def _trimmed(token):
    """A token without the signs around it; "" where nothing is left but signs."""
    if token.lower() in GAPS:
        return token
    token = token.strip(EDGES)
    return token if re.search(r"[^\W_]", token) else ""


def _kind(token):
    if token.lower() in GAPS:
        return "gap"
    return "number" if re.fullmatch(NO_NAME, token) else "name"


def _are_ids(numbers):
    """Whether numbers are Entrez ids: see :func:`pasted`."""
    given = set(numbers)
    if len(given) < MIN_IDS or not all(map(str.isdecimal, given)):
        return False
    values, known = [int(one) for one in given], sum(one in entrez_ids() for one in given)
    least = MIN_KNOWN if len(given) >= 50 else 1
    return (known >= least * len(given) and max(values) >= LEAST_ID
            and len(given) / (max(values) - min(values) + 1) < MIN_DENSITY)
