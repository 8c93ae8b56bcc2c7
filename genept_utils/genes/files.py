"""Names of genes in text and table files, in whatever way they were written."""

import codecs
import csv
import itertools
import re

import pandas as pd

from genept_utils import compression
from genept_utils.genes.rewritten import DATED

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32",
          codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89HDF", b"PAR1")
MAX_BYTES = 200 << 20  # of text, unpacked
SEPARATORS = "\t;, "
HEADS = {"gene", "genes", "symbol", "symbols", "name", "names", "id", "ids", "index", "feature",
         "features", "gene_symbol", "gene_symbols", "gene_name", "gene_names", "gene_id",
         "gene_ids", "genename", "geneid", "genesymbol", "hgnc_symbol", "hgnc_id", "ensembl",
         "ensembl_id", "ensembl_gene_id", "entrez", "entrez_id", "entrezgene", "feature_name",
         "feature_id", "feature_types", "feature_type", "external_gene_name", "unnamed:_0", "x",
         "row_names", "var_names"}
NUMBER = r"[-+]?[\d.,]*\d(?:[eE][-+]?\d+)?%?"
SAMPLE = 200  # lines by which the separator is told


def read_table(path):
    """The rows of a text file as strings, without its head line.

    Compression, encoding (UTF-8 and UTF-16, with or without a byte order mark, else that of Windows)
    and the separator (tab, semicolon, comma or blanks) are told from the content. Lines of
    comments before the table are left out, and a quote that is never closed is read as it is.

    Parameters
    ----------
    path : pathlib.Path
        The file, also packed with gzip, bzip2 or xz.

    Returns
    -------
    pandas.DataFrame
        (n_lines, n_columns) str without the empty lines; columns bear the words of the head
        line, or are called "column 1" and so on. One line of several names is turned into a
        column.

    Raises
    ------
    ValueError
        The file is empty, broken or no text.
    """
    rows = [row for row in _rows(_text(path)) if any(map(str.strip, row))]
    if len(rows) == 1 and len(rows[0]) > 1:
        rows = [[name] for name in rows[0] if name.strip()]
    width = max(map(len, rows))
    # R leaves the head of the row names out: the head is one shorter than the rows
    short = len(rows) > 1 and len(rows[0]) == width - 1 and all(
        len(row) == width for row in rows[1:])
    # pandas leaves only its word out: nothing stands above the names
    sure = short or (width > 1 and not rows[0][0].strip() and any(map(str.strip, rows[0]))
                     and all(row[0].strip() for row in rows[1:]) and len(rows) > 1)
    if short:
        rows[0] = ["", *rows[0]]
    table = pd.DataFrame([row + [""] * (width - len(row)) for row in rows]).map(str.strip)
    return _without_head(table, sure)


def read_sets(path):
    """The sets of a ``.gmt`` file (a line each: name, description, genes) or a ``.gmx`` file (a
    column each) as a table of ``set`` and ``name``; None for another ending."""
    kind = compression.inner_name(path).rpartition(".")[2].lower()
    if kind not in ("gmt", "gmx"):
        return None
    rows = [line.split("\t") for line in _text(path)]
    if kind == "gmx":
        rows = list(itertools.zip_longest(*rows, fillvalue=""))
    pairs = [(row[0].strip(), re.sub(r",[\d.]+$", "", name.strip()))  # Enrichr adds weights
             for row in rows for name in row[2:] if name.strip()]
    if not pairs:
        raise ValueError(f"{path.name} holds no names")
    return pd.DataFrame(pairs, columns=["set", "name"])


def _text(path):
    """The lines of a text file, without empty ones and the comments before the first."""
    with compression.unpacked(path, MAX_BYTES) as part:
        if part.stat().st_size > MAX_BYTES:
            raise ValueError(f"{path.name} is {part.stat().st_size / 1e6:,.0f} MB of text; give the "
                             "column of names alone")
        content = part.read_bytes()
    if content.startswith(_BINARY):
        raise ValueError(f"{path.name} is a workbook, a PDF, an HDF5 or a parquet file and not "
                         "text; save the names as a .csv or .txt file")
    if other := compression.instead(content[:200]):
        raise ValueError(f"{path.name} {other}")
    # str.splitlines would also end lines at signs that stand within a text
    lines = [line for line in re.split(r"\r\n|\r|\n", _decoded(content, path.name))
             if line.strip(" \0\x1a")]
    start = 0
    while start < len(lines) - 1 and re.match(r"!|##|#!|#\s", lines[start]):
        start += 1
    if not lines:
        raise ValueError(f"{path.name} holds no names")
    lines[start] = lines[start].removeprefix("#")  # of a head line such as "#node1"
    return lines[start:]


def _rows(lines):
    """The lines as lists of cells; a quote that is not closed is a character like any other."""
    separator = _separator(lines)
    lines = [line.strip() for line in lines] if separator == " " else lines
    try:
        rows = list(csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True))
    except csv.Error:
        rows = []
    if len(set(map(len, rows[1:] or rows))) == 1:
        return rows
    separator = None if separator == " " else separator
    return [[cell.strip().strip('"') for cell in line.split(separator)] for line in lines]


def _decoded(content, name):
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    zeros = content[:1000].count(0)
    if zeros > 0.3 * len(content[:1000]):  # UTF-16 without a mark: every other byte is zero
        return content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16-be",
                              errors="replace")
    if zeros:
        raise ValueError(f"{name} is not text; save the names as a .csv or .txt file")
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _separator(lines):
    """The one in most lines, tab before semicolon before comma before blanks; else a tab."""
    sample = [line.strip() for line in lines[:SAMPLE] if not DATED.match(line.strip())]
    within = {sign: sum(sign in line for line in sample) for sign in SEPARATORS}
    best = max(SEPARATORS, key=within.get)
    return best if within[best] > 0.5 * len(sample) else "\t"


def _without_head(table, sure):
    """A table without its head line, and with the head's words as the names of its columns.

    The first line is a head where that is ``sure``, where a word of it stands above numbers, or
    where one of its words is a usual one for a column of names (:data:`HEADS`) and occurs nowhere
    else in its column.
    """
    words = table.iloc[0]
    if len(table) > 2 and table.shape[1] > 1:
        numbers = table.iloc[1:].apply(lambda column: column.str.fullmatch(NUMBER).all())
        sure |= bool((numbers & words.str.contains("[A-Za-z]")).any())
    usual = [place for place, word in words.items() if word and (
        word.lower().replace(" ", "_").replace(".", "_") in HEADS)]
    plain = [f"column {place}" for place in range(1, table.shape[1] + 1)]
    if len(table) > 1 and (sure or any((table[place] == words[place]).sum() == 1
                                       for place in usual)):
        named = [word or other for word, other in zip(words, plain)]
        return table.iloc[1:].reset_index(drop=True).set_axis(named, axis=1)
    return table.set_axis(plain, axis=1)
