"""Where the names of the genes stand: in the index, or in a column beside it."""

import re

import numpy as np
import pandas as pd

from genept_utils.genes.numbers import AT_LEAST, are_entrez, are_numbers, as_text

HALF = 0.5  # share that the index must carry to be taken without a look at the columns
ENOUGH = 0.2  # share that a column must carry where the index holds row numbers
MANY = 100  # distinct words, by which a column may hold names that are often repeated
_NAMES = re.compile(r"(?i)gene|symbol|feature|name|ensembl|entrez|hgnc")


def best(first, table, look, entrez, row_numbers, where="var_names", wide=30):
    """The names that carry most: the index, or a column of the table beside it.

    A column is looked at only where the index carries less than half, or holds bare numbers; an
    index of row numbers is never looked up.

    Parameters
    ----------
    first : sequence
        (n,) the index.
    table : pandas.DataFrame
        (n, ...) the columns beside it.
    look : callable
        Names (n,) -> a tuple whose last item is a :class:`genept_utils.genes.Matched`.
    entrez : pandas.Index or set
        Entrez ids on record.
    row_numbers : callable
        (n,) Series of str -> whether they are row numbers.
    where : str
        What the index is called in a message.
    wide : int
        Columns that are looked at, at most; those that are called like names come first.

    Returns
    -------
    column : str
        Name of the column, ``where`` for the index.
    names : numpy.ndarray
        (n,) str.
    found
        What ``look`` made of them.

    Raises
    ------
    ValueError
        The index holds row numbers, and no column holds names.
    """
    values = as_text(first)
    numbers, rows = are_numbers(values), row_numbers(values)
    made = []
    if not rows:
        made = [(where, values.to_numpy(object), look(values.to_numpy(object)))]
        if not numbers and _share(made[0]) >= HALF:
            return made[0]
    for place in _columns(table, entrez)[:wide]:
        names = as_text(table.iloc[:, place]).to_numpy(object)
        made.append((str(table.columns[place]), names, look(names)))
    # names that are words come before bare numbers that carry as much, and before a handful of
    # numbers whatever those carry: 1, 2, 9 and 10 are Entrez ids, too
    few = numbers and values.nunique() < AT_LEAST

    def order(one):
        words = not are_numbers(pd.Series(one[1]))
        return not (few and words and _share(one) >= HALF), -_share(one), not words

    made.sort(key=order)
    if rows and not (made and _share(made[0]) >= ENOUGH):  # names of another species are names
        made = [one for one in made if one[2][-1].looks_like]
    if not made:
        raise ValueError(
            f"the names in {where} are row numbers, not genes ("
            f"{', '.join(values[:3])}, ...), and no column beside them holds names of genes; put "
            "symbols, Ensembl or Entrez ids there (an Entrez id among them can be written as "
            "GeneID:7157)")
    return made[0]


def _share(one):
    matched = one[2][-1]
    return matched.share if matched.mass is None else matched.mass


def _columns(table, entrez):
    """Places of the columns that may hold names."""
    places = []
    for place, column in enumerate(table.columns):
        kind = getattr(table.iloc[:, place].dtype, "kind", "O")
        if kind in "bcmM":
            continue
        values = table.iloc[:, place]
        if kind == "f":
            given = values[values.notna()].to_numpy(float)
            if not len(given) or not np.isfinite(given).all() or (given != np.rint(given)).any():
                continue
        values = as_text(values)
        given = values[values != ""]
        if are_numbers(values):
            if are_entrez(values, entrez, str(column)):
                places.append(place)
        elif given.nunique() >= min(max(1, HALF * len(given)), MANY):
            places.append(place)
    return sorted(places, key=lambda place: not _NAMES.search(str(table.columns[place])))
