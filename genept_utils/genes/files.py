"""Names of genes in text and table files, in whatever way they were written."""

import bz2
import codecs
import csv
import gzip
import io
import lzma

import pandas as pd

from genept_utils import packed

_PACKED = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ": lzma.decompress}
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32",
          codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_BINARY = {b"PK\x03\x04": "a workbook or an archive", b"\xd0\xcf\x11\xe0": "an old workbook",
           b"%PDF": "a PDF", b"\x89HDF": "an HDF5 file", b"PAR1": "a parquet file"}
SEPARATORS = "\t;,"
HEADS = {"gene", "genes", "symbol", "symbols", "name", "names", "id", "ids", "index", "feature",
         "features", "gene_symbol", "gene_symbols", "gene_name", "gene_names", "gene_id",
         "gene_ids", "genename", "geneid", "genesymbol", "hgnc_symbol", "hgnc_id", "ensembl",
         "ensembl_id", "ensembl_gene_id", "entrez", "entrez_id", "entrezgene", "feature_name",
         "feature_id", "feature_types", "feature_type", "external_gene_name", "unnamed:_0", "x",
         "row_names", "var_names"}
SAMPLE = 200  # lines by which the separator is told


def read_table(path):
    """The rows of a text file as strings, without its head line.

    Compression, encoding (UTF-8 and UTF-16, with or without a byte order mark, else Latin-1) and
    the separator (tab, semicolon or comma) are told from the content.

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
    content = path.read_bytes()
    for mark, unpack in _PACKED.items():
        if content.startswith(mark):
            try:
                content = unpack(content)
            except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
                raise ValueError(f"{path.name} cannot be unpacked ({error}); copy or download it "
                                 "again") from None
    for mark, kind in _BINARY.items():
        if content.startswith(mark):
            raise ValueError(f"{path.name} is {kind}, not text; save the names as a .csv or .txt "
                             "file")
    if other := packed.instead(content[:200]):
        raise ValueError(f"{path.name} {other}")
    text = _decoded(content, path.name)
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError(f"{path.name} holds no names")
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=_separator(lines),
                           skipinitialspace=True))
    if len(rows) == 1 and len(rows[0]) > 1:
        rows = [[name] for name in rows[0]]
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
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _separator(lines):
    """The sign that occurs in most lines, tab before semicolon before comma; else a tab."""
    sample = lines[:SAMPLE]
    within = {sign: sum(sign in line for line in sample) for sign in SEPARATORS}
    best = max(SEPARATORS, key=within.get)
    return best if within[best] > 0.5 * len(sample) else "\t"


def _without_head(table, sure):
    """A table without its head line, and with the head's words as the names of its columns.

    The first line is a head where that is ``sure``, or where one of its words is a usual one for
    a column of names (:data:`HEADS`) and occurs nowhere else in its column.
    """
    words = table.iloc[0]
    usual = [place for place, word in words.items() if word and (
        word.lower().replace(" ", "_").replace(".", "_") in HEADS)]
    plain = [f"column {place}" for place in range(1, table.shape[1] + 1)]
    if len(table) > 1 and (sure or any((table[place] == words[place]).sum() == 1
                                       for place in usual)):
        named = [word or other for word, other in zip(words, plain)]
        return table.iloc[1:].reset_index(drop=True).set_axis(named, axis=1)
    return table.set_axis(plain, axis=1)
