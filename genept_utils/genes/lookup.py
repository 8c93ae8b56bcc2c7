"""Every known name of every gene, and the order in which the kinds of names are tried."""

import functools
import re

import pandas as pd

from genept_utils.genes.table import named_genes

HOW = ("approved", "ensembl", "entrez", "hgnc", "previous", "alias", "case", "date",
       "ambiguous", "missing")


def match_unique(names):
    exact, folded, _ = lookup()
    bare = names.str.replace(r"(?i)^(ENSG\d{11})(?:\.\d+)?(?:_PAR_Y)?$", r"\1", regex=True)
    found = exact.reindex(bare)
    found.index = names.index
    rest = found["how"].isna()
    # "nan" is what a table program writes for no value; it is not the alias NaN
    fold = bare[rest & ~bare.str.lower().isin(["nan", ""])].str.upper()
    again = folded.reindex(fold)
    again.index = fold.index
    again["how"] = again["how"].where(again["how"].isna() | (again["how"] == "ambiguous"), "case")
    found.update(again)
    for i in names.index[found["how"].isna()][names[found["how"].isna()].str.match(_DATED)]:
        symbols = _from_date(names[i], folded)
        if symbols:
            found.loc[i, ["symbols", "how"]] = ["|".join(symbols),
                                                "ambiguous" if len(symbols) > 1 else "date"]
    found["how"] = found["how"].fillna("missing")
    symbols, several = found["symbols"].fillna(""), found["how"] == "ambiguous"
    return pd.DataFrame({"symbol": symbols.where(~several, ""), "how": found["how"],
                         "candidates": symbols.where(several, "")})


_MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8,
           "sep": 9, "oct": 10, "nov": 11, "dec": 12}
# Symbols that a spreadsheet reads as a day of the month.
_STEMS = {1: ["JAN"], 2: ["FEB"], 3: ["MARCH", "MARC", "MAR"], 4: ["APR"], 5: ["MAY"],
          6: ["JUN"], 7: ["JUL"], 8: ["AUG"], 9: ["SEPT", "SEP"], 10: ["OCT"], 11: ["NOV"],
          12: ["DEC"]}
_DATED = re.compile(
    r"(?i)^(?:(?P<d1>\d{1,2})[-/ ](?P<m1>[a-z]{3,9})(?:[-/ ]\d{2,4})?"
    r"|(?P<m2>[a-z]{3,9})[-/ ](?P<d2>\d{1,2})"
    r"|\d{4}-(?P<m3>\d{2})-(?P<d3>\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?)$"
)


def _from_date(name, folded):
    """Approved symbols that a date such as "1-Mar" may stand for, best kind of name only."""
    parts = _DATED.match(name).groupdict()
    month = parts["m1"] or parts["m2"]
    number = _MONTHS.get(month[:3].lower()) if month else int(parts["m3"])
    day = int(parts["d1"] or parts["d2"] or parts["d3"])
    rows = folded.reindex([f"{stem}{day}" for stem in _STEMS.get(number, [])]).dropna()
    rows = rows[rows["tier"] == rows["tier"].min()]
    return sorted(set("|".join(rows["symbols"]).split("|"))) if len(rows) else []


@functools.cache
def lookup():
    """Every known name -> its genes: (exact, case-folded, source).

    Both tables are indexed by name, with ``symbols`` ("|"-separated), ``how`` and ``tier``.
    """
    genes, source = named_genes()
    own = genes.index.to_series()

    def names(values, symbols, how):
        given = pd.DataFrame({"name": values.to_numpy(), "symbols": symbols.to_numpy(),
                              "how": how})
        return given[given["name"] != ""]

    def split(column, how):
        one = genes[column].str.split("|").explode()
        return names(one, one.index, how)

    every = pd.concat([
        names(own, own, "approved"), names(genes["ensembl_id"], own, "ensembl"),
        names(genes["entrez_id"], own, "entrez"), names(genes["hgnc_id"], own, "hgnc"),
        split("prev_symbol", "previous"), split("alias_symbol", "alias"),
    ], ignore_index=True)
    every["tier"] = every["how"].map(HOW.index)
    folded = every.assign(name=every["name"].str.upper())
    return _one_row_a_name(every), _one_row_a_name(folded), source


def _one_row_a_name(names):
    names = names.drop_duplicates(["name", "symbols", "tier"])
    names = names[names["tier"] == names.groupby("name")["tier"].transform("min")]
    several = names["name"].duplicated(keep=False)
    shared = names[several].groupby("name").agg({"symbols": lambda s: "|".join(sorted(s)),
                                                 "tier": "first"})
    shared = shared.assign(how="ambiguous")
    return pd.concat([names[~several].set_index("name"), shared])
