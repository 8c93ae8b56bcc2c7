"""The report on names that were looked up."""

import dataclasses
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd

from genept_utils import renamed
from genept_utils.genes.species import HUMAN
from genept_utils.genes.synonyms import MATCH_TYPES


class Keys(NamedTuple):
    """The keys of an embedding: which row names lead to.

    ``rows`` (n,) belong to the unique ``symbols`` (n,); ``names`` (n_rows,) are the keys
    themselves, ``released`` says that they are others' own, kept as they are, and ``empty`` lists
    the rows without a vector.
    """

    symbols: pd.Index
    rows: np.ndarray
    names: pd.Index
    released: bool
    empty: np.ndarray


@dataclasses.dataclass(frozen=True)
class Matched:
    """What :func:`~genept_utils.genes.match` found.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per name, in the order given: ``name``, ``symbol`` (approved human symbol, ""
        where none), ``match_type`` (one of :data:`MATCH_TYPES`), ``candidates`` (all symbols of
        an ambiguous name, "|"-separated, "" otherwise).
    source : str
        Where the names come from, for the record.
    count_fraction : float or None
        Share of the counts that lie on names with a symbol; None where no counts were given.
    species : str
        Whose genes the names were taken for.
    notes : tuple of str
        Sentences on what the reader should know: names of another species, features that are no
        genes, identifiers that the files do not hold.
    looks_like : str
        The species that the names look like where none was given and it is not human; else "".
    column : str
        Where the names stood in an AnnData or a file; "" where they were given as such.
    rows : numpy.ndarray or None
        (n_names,) rows of the embedding whose keys were given, -1 for none.
    """

    table: pd.DataFrame
    source: str
    count_fraction: float | None = None
    species: str = HUMAN
    notes: tuple = ()
    looks_like: str = ""
    column: str = ""
    rows: np.ndarray | None = None

    @property
    def mass(self):
        """The former name of ``count_fraction``."""
        warnings.warn(f"Matched.mass is now Matched.count_fraction; {renamed.GOES}", FutureWarning,
                      stacklevel=2)
        return self.count_fraction

    @property
    def symbols(self):
        """(n_names,) approved symbols, "" where there is none."""
        return self.table["symbol"].to_numpy(object)

    @property
    def share(self):
        """Share of the names that have a symbol; features that are no genes are not counted."""
        genes = (self.table["match_type"] != "not a gene").sum()
        return float((self.symbols != "").sum() / genes) if genes else 0.0

    @property
    def counts(self):
        """How many names were matched in which way, in the order of :data:`MATCH_TYPES`."""
        return self.table["match_type"].value_counts().reindex(MATCH_TYPES, fill_value=0)

    @property
    def ambiguous(self):
        """The names with more than one candidate, each once."""
        rows = self.table[self.table["match_type"] == "ambiguous"]
        return rows[["name", "candidates"]].drop_duplicates().reset_index(drop=True)

    @property
    def missing(self):
        """The names that match nothing, each once."""
        return self.table.loc[self.table["match_type"] == "missing", "name"].unique().tolist()

    @property
    def unpaired(self):
        """Names of another species' genes that have no human ortholog on record, each once."""
        return self.table.loc[self.table["match_type"] == "no ortholog", "name"].unique().tolist()

    def __str__(self):
        n = int((self.table["match_type"] != "not a gene").sum())
        found = int((self.symbols != "").sum())
        ways = ", ".join(f"{kind} {count:,}" for kind, count in self.counts.items() if count)
        said = f"{found:,} of {n:,} names have a gene ({ways})."
        if self.column:
            said += f"\nThe names stand in {self.column}."
        if self.count_fraction is not None:
            said += f"\nThey carry {self.count_fraction:.1%} of the counts."
        for note in self.notes:
            said += f"\nNote: {note}."
        return f"{said}\nNames from {self.source}."

    def warn(self, stacklevel=3):
        """Say each note as a UserWarning."""
        for note in self.notes:
            warnings.warn(note, stacklevel=stacklevel)
