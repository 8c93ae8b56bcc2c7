"""Bare numbers as names: Entrez ids, or the row numbers that a table gets when names are lost."""

import re

import numpy as np
import pandas as pd

DENSE = 0.5  # share of the numbers between the smallest and the largest that occur
KNOWN = 0.9  # share of true Entrez ids that are on record; of numbers below 12,000 it is 72 %
ROWS = 150_000  # no table of genes has so many rows; a fifth of all coding genes is above it
AT_LEAST = 10
GROUPS = 1000  # a handful of smaller numbers, often repeated, are those of clusters
_ENTREZ = re.compile(r"(?i)entrez|ncbi|gene_?ids?$")
_COUNTS = re.compile(r"(?i)^n_|count|cells|rank|length|size|start|end$|mean|score|bin")
_CODE = re.compile(r"([A-Za-z]+[-_. ]?)(\d+)$")


def as_text(values):
    """Values of any kind as the strings that are looked up: 7157 and 7157.0 are "7157", missing
    values are "", blanks around a name are dropped."""
    values = pd.Series(np.asarray(values, dtype=object))
    made = [str(value).strip() for value in values.where(values.notna(), "")]
    return pd.Series([value[:-2] if value[-2:] == ".0" and value[:-2].isdecimal() else value
                      for value in made], dtype=object)


def are_numbers(values):
    """Whether most of a Series of strings are bare numbers."""
    given = values[values != ""]
    return len(given) > 0 and sum(map(str.isdecimal, given)) > 0.5 * len(given)


def are_row_numbers(values, entrez):
    """Whether most names are the numbers of rows and not Entrez ids: "" (no), or why.

    All names are judged, in any order. Row numbers lie close together, or, after a filter, are no
    larger than a table is long and no more often Entrez ids than any numbers. True Entrez ids
    are spread over millions, and nearly all of them are known.

    Parameters
    ----------
    values : pandas.Series
        (n,) str, see :func:`as_text`.
    entrez : pandas.Index or set
        Entrez ids that are on record.

    Returns
    -------
    str
        ``"dense"``: they lie close together; ``"unknown"``: too many are no Entrez ids;
        ``"repeated"``: a few numbers again and again, as those of clusters; or "".
    """
    if not are_numbers(values):
        return ""
    every = values[[value.isdecimal() for value in values]]
    given = every.drop_duplicates()
    numbers = given.astype(float)
    low, high, known = numbers.min(), numbers.max(), given.isin(entrez).mean()
    if len(given) < AT_LEAST <= len(every) and 2 * len(given) < len(every) and high < GROUPS:
        return "repeated"
    dense = len(numbers) / (high - low + 1)
    if len(numbers) < AT_LEAST:  # a few neighbours may be meant, as 7157, 7158, 7159
        return "dense" if len(numbers) > 2 and dense == 1 and (low <= 1 or known < 1) else ""
    if dense >= DENSE:
        return "dense"
    return "unknown" if high < ROWS and known < KNOWN else ""


def are_positions(names, found):
    """Whether names are codes such as "V1", "V2", ...: one word and the numbers of rows.

    A few of them are always the alias of some gene. A list of one gene family (ZNF2, ZNF3, ...)
    differs in that most of its names are found.

    Parameters
    ----------
    names : pandas.Series
        (n,) distinct str.
    found : numpy.ndarray
        (n,) bool, which of them have a gene.
    """
    none = np.zeros(len(names), dtype=bool)
    if len(names) < AT_LEAST or found.mean() >= 0.75:
        return none
    parts = [_CODE.match(name) for name in names]
    stems = pd.Series([part[1] if part else "" for part in parts], dtype=object)
    stem = stems[stems != ""].mode()
    if not len(stem):
        return none
    same = (stems == stem[0]).to_numpy()
    numbers = pd.Series([float(part[2]) for part, yes in zip(parts, same) if yes])
    if same.sum() < AT_LEAST or same.mean() < 0.5 or found[same].mean() >= 0.5:
        return none
    dense = numbers.nunique() / (numbers.max() - numbers.min() + 1) >= DENSE
    return same & dense


def are_entrez(values, entrez, column):
    """Whether a column of numbers holds Entrez ids.

    Numbers of cells and lengths are numbers too: all must differ and nearly all be known, of few
    numbers every one. Where the name of the column says so, half must be known.
    """
    given = values[values != ""]
    known = given.isin(entrez).mean() if len(given) else 0
    if _ENTREZ.search(column):
        least = 0.5
    elif _COUNTS.search(column):
        return False
    else:
        least = KNOWN if len(given) >= 50 else 1
    return (known >= least and given.nunique() >= 0.95 * len(given)
            and not are_row_numbers(values, entrez))
