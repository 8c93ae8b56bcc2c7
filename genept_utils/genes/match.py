"""From any gene names to approved symbols, with a report of what matched how."""

import dataclasses

import numpy as np
import pandas as pd

from genept_utils.genes.lookup import HOW, lookup, match_unique
from genept_utils.genes.table import IDENTIFIERS, named_genes


@dataclasses.dataclass(frozen=True)
class Matched:
    """What :func:`match` found.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per name, in the order given: ``name``, ``symbol`` (approved symbol, "" where
        none), ``how`` (one of :data:`HOW`), ``candidates`` (all symbols of an ambiguous name,
        "|"-separated, "" otherwise).
    source : str
        Where the names come from, for the record.
    mass : float or None
        Share of the counts that lie on names with a symbol; None where no counts were given.
    """

    table: pd.DataFrame
    source: str
    mass: float | None = None

    @property
    def symbols(self):
        """(n_names,) approved symbols, "" where there is none."""
        return self.table["symbol"].to_numpy(object)

    @property
    def counts(self):
        """How many names were matched in which way, in the order of :data:`HOW`."""
        return self.table["how"].value_counts().reindex(HOW, fill_value=0)

    @property
    def ambiguous(self):
        """The names with more than one candidate, each once."""
        rows = self.table[self.table["how"] == "ambiguous"]
        return rows[["name", "candidates"]].drop_duplicates().reset_index(drop=True)

    @property
    def missing(self):
        """The names that match nothing, each once."""
        return self.table.loc[self.table["how"] == "missing", "name"].unique().tolist()

    def __str__(self):
        n, found = len(self.table), int((self.symbols != "").sum())
        ways = ", ".join(f"{how} {count:,}" for how, count in self.counts.items() if count)
        said = f"{found:,} of {n:,} names have a gene ({ways})."
        if self.mass is not None:
            said += f"\nThey carry {self.mass:.1%} of the counts."
        return f"{said}\nNames from {self.source}."


_ROW_NUMBERS = [[str(i) for i in range(start, start + 10)] for start in (0, 1)]


def match(names, counts=None):
    """From any gene names to approved symbols.

    An exact name wins over a differently written one. Among exact names the order is: approved
    symbol, identifier (Ensembl with or without version, Entrez, HGNC), previous symbol, alias.
    What is left is tried without regard to case, in the same order, and last as a date into
    which a spreadsheet turned a symbol ("1-Mar", "Sep-2", "2006-09-02"). A name that the
    deciding step gives to several genes is reported with all of them and gets no symbol. Blanks
    around a name are ignored; NaN and None are missing, but the text "NA" is a name.

    Parameters
    ----------
    names : sequence of str, or anndata.AnnData
        (n,) names in any of these forms, mixed at will. A bare number is an Entrez id. Of an
        AnnData the ``var_names`` are taken, and the counts.
    counts : array_like, optional
        (n,) counts per name, or a (cells, n) matrix: for the share of counts that is covered.

    Returns
    -------
    Matched

    Raises
    ------
    ValueError
        The names are the row numbers that a table gets when its gene names were lost.
    genept_utils.sources.SourceError
        Neither HGNC's file nor the shipped embedding, which stands in for it, is here.
    """
    if hasattr(names, "var_names"):
        counts = names.X if counts is None else counts
        names = names.var_names
    values = pd.Series(np.asarray(names, dtype=object))
    if [str(name) for name in values[:10]] in _ROW_NUMBERS:
        raise ValueError("the names are row numbers, not genes; with an AnnData, set its "
                         "var_names to the column of var that holds the genes")
    codes, unique = pd.factorize(values.where(values.notna(), "").astype(str).str.strip())
    matched = match_unique(pd.Series(unique, dtype=object))
    table = matched.iloc[codes].reset_index(drop=True)
    table.insert(0, "name", values.where(values.notna(), "").astype(str))
    covered = None
    if counts is not None:
        covered = mass(counts, table["symbol"].to_numpy() != "")
    return Matched(table, lookup()[2], covered)


def identified(keys):
    """A table of identifiers for the keys of an embedding.

    Parameters
    ----------
    keys : sequence of str
        (n,) names in any form.

    Returns
    -------
    pandas.DataFrame
        (n, 3) indexed by the keys as they are: :data:`IDENTIFIERS`, "" where not known; with a
        first column ``symbol`` where the keys are not all approved symbols.
    """
    table = named_genes()[0][IDENTIFIERS]
    keys = pd.Index(keys, dtype=object)
    if keys.isin(table.index).all():
        return table.loc[keys]
    symbols = pd.Index(match(keys).symbols, name="symbol")
    found = table.reindex(symbols).fillna("").reset_index()
    return found.set_axis(keys)


def mass(counts, found):
    """Share of all counts that lies on the names ``found`` (n,) says yes to.

    ``counts`` is (n,) or (cells, n), dense or sparse.
    """
    total = counts if np.ndim(counts) == 1 else counts.sum(axis=0)
    total = np.asarray(total, dtype=float).ravel()
    if total.size != found.size:
        raise ValueError(f"there are {found.size} names but counts for {total.size}")
    return float(total[found].sum() / total.sum()) if total.sum() else 0.0
