"""Columns of ``obs``: missing values, and what a page must find in them."""

import re

import numpy as np
import pandas as pd

# What is left of a missing value that was written as text, by Python, R or a spreadsheet.
MISSING = ("", "nan", "NaN", "NAN", "<NA>", "NaT", "NA", "N/A", "n/a", "#N/A", "None")


def missing(values):
    """Mask (n,) of the missing values: NaN, None, NA, blank text, and :data:`MISSING` as text."""
    values = pd.Series(np.asarray(values, dtype=object))
    return (values.isna() | values.astype(str).str.strip().isin(MISSING)).to_numpy()


def writable(table):
    """The table with its text as anndata writes it: as objects, and without a name of its index
    that one of its columns has."""
    text = [name for name in table if isinstance(table[name].dtype, pd.StringDtype)]
    table = table.astype(dict.fromkeys(text, object))
    name = None if table.index.name in table else table.index.name
    return table.set_axis(pd.Index(table.index.to_numpy(object), name=name))


def categorical(values):
    """A column as :class:`pandas.Categorical`, its missing values as NaN."""
    values = np.array(values, dtype=object)
    values[missing(values)] = np.nan
    return pd.Categorical(values)


def written_missing(values, column):
    """A sentence on the values of a column that are words such as "NA" and count as missing;
    "" where there are none."""
    text = pd.Series(np.asarray(values, dtype=object)).dropna().astype(str).str.strip()
    each = text[text.isin(MISSING)].value_counts()
    words = " and ".join(f"{word!r} in {count:,} cell{'s' if count > 1 else ''}"
                         for word, count in each.items())
    return words and (f"{column}: {words} {'is' if len(each) == 1 else 'are'} taken for missing; "
                      "where a word is a value, write another one in its place")


def only_codes(values):
    """A sentence on cell types that are nothing but numbers; "" for others."""
    words = pd.Series(np.asarray(values, dtype=object)).dropna().astype(str).unique()
    if not len(words) or not all(re.fullmatch(r"-?\d+(\.0)?", word) for word in words):
        return ""
    return (f"the cell types are the numbers {', '.join(sorted(words, key=float)[:3])}, ...: codes "
            "of a factor whose names were lost, or clusters; name another column with "
            "label=COLUMN where there is one")


def complete(adata, *columns, report=print):
    """The cells that have a value in every one of the columns; the others are left out.

    Parameters
    ----------
    report : callable
        Is given one sentence per column that lacks values.

    Raises
    ------
    KeyError
        A column does not exist.
    ValueError
        No cell is left.
    """
    kept = np.ones(adata.n_obs, dtype=bool)
    for column in columns:
        if column not in adata.obs:
            raise KeyError(f"{_name(adata)} has no column {column}; name it with "
                           f"{_option(column)}{columns_of(adata)}")
        lacks = missing(adata.obs[column])
        if lacks.all():
            raise ValueError(f"{_name(adata)}: no cell has a value in {column}; name another one "
                             f"with {_option(column)}{columns_of(adata)}")
        if lacks.any():
            report(f"{_name(adata)}: {lacks.sum():,} of {adata.n_obs:,} cells have no "
                   f"{column.replace('_', ' ')} and are left out.")
        kept &= ~lacks
    if not kept.any():
        raise ValueError(f"{_name(adata)}: no cell has a value in all of {', '.join(columns)}")
    if kept.all():
        return adata
    adata = adata[kept].copy()
    for column in columns:
        adata.obs[column] = categorical(adata.obs[column])
    return adata


def enough(adata, cells=0, **least):
    """Raise ValueError where there are too few cells, types, batches, ...

    Parameters
    ----------
    cells : int
        Cells that are needed.
    **least
        Different values that are needed, by column: ``cell_type=2``.
    """
    name = _name(adata)
    if adata.n_obs < cells:
        raise ValueError(f"{name} has {adata.n_obs:,} cells, and this page needs {cells} or more")
    for column, needed in least.items():
        values = adata.obs[column].dropna().unique()
        if len(values) < needed:
            raise ValueError(
                f"{name}: all {adata.n_obs:,} cells have the {column.replace('_', ' ')} "
                f"{str(values[0])!r}, and this page compares {needed} or more; name another "
                f"column with {_option(column)}")


def settle_batch(adata, asked, report=print):
    """Say what the column ``batch`` can be used for; drop one that was not asked for.

    Parameters
    ----------
    asked : bool
        Whether the page needs a batch or its reader has named one.
    report : callable
        Is given one sentence about a column that is dropped, cells without a batch, a single
        batch, and batches whose cell types occur in no other.
    """
    if "batch" not in adata.obs:
        return
    name, batch = _name(adata), adata.obs["batch"]
    if not asked:
        del adata.obs["batch"]
        report(f"{name}: its column batch was not asked for and is not used; batch=batch holds "
               "out one of its batches at a time.")
        return
    lacks = missing(batch)
    if lacks.any():
        report(f"{name}: {lacks.sum():,} of {adata.n_obs:,} cells have no batch and are left out "
               "where batches are held out.")
    if batch.nunique() < 2:
        report(f"{name}: there is one batch only, so none is held out.")
    elif alone := batches_alone(adata.obs):
        more = f" and {len(alone) - 5} more" if len(alone) > 5 else ""
        report(f"{name}: the cell types of batch {', '.join(alone[:5])}{more} occur in no other: "
               "there batch and type cannot be told apart, and it is not held out.")


def batches_alone(obs):
    """The batches (list of str) that share no cell type with another batch."""
    counts = pd.crosstab(obs["cell_type"], obs["batch"]) > 0
    shared = counts[counts.sum(axis=1) > 1].any()
    return [str(batch) for batch in counts.columns[~shared]]


def _option(column):
    return f"{'label' if column == 'cell_type' else column}=COLUMN"


def columns_of(adata):
    """The end of a message: the columns that there are."""
    return f". Columns: {', '.join(map(str, adata.obs.columns)) or 'none'}"


def _name(adata):
    return adata.uns.get("genept_data", {}).get("name", "this set")
