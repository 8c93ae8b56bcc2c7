"""From any gene names to approved symbols, with a report of what matched how."""

import dataclasses
import re

import numpy as np
import pandas as pd

from genept_utils import outside
from genept_utils.genes import orthologs
from genept_utils.genes.columns import best
from genept_utils.genes.dates import DATED, from_date
from genept_utils.genes.features import filtered, kinds, left_out
from genept_utils.genes.lookup import lookup
from genept_utils.genes.matched import Matched, mass
from genept_utils.genes.numbers import are_positions, are_row_numbers, as_text
from genept_utils.genes.rewritten import rewritten
from genept_utils.genes.species import HUMAN, looks_like, species_name
from genept_utils.genes.table import IDENTIFIERS, named_genes


_VERSION = re.compile(r"(?i)^(ENS(?:[A-Z]{3,4})?G\d{11})(?:\.\d+)?(?:_PAR_Y)?$")


def match(names, counts=None, species=None):
    """From any gene names to approved human symbols.

    An exact name wins over a differently written one. Among exact names the order is: approved
    symbol, identifier (Ensembl with or without version, Entrez, HGNC), previous symbol, alias.
    What is left is tried without regard to case, in the same order, then as a date into which a
    spreadsheet turned a symbol ("1-Mar", "Sep-2", "2006-09-02"), and last as other tools write
    names (``"rewritten"``): with a genome in front ("GRCh38_TP53"), other signs where hyphens
    were ("HLA.A"), a suffix that makes names unique ("TP53-1"), symbol and identifier in one
    ("TP53_ENSG00000141510", "LOC7157"). A name that the deciding step gives to several genes is
    reported with all of them and gets no symbol. Blanks around a name are ignored; NaN and None
    are missing, but the text "NA" is a name. Codes of positions ("V1", "gene_2") are missing.

    With ``species`` the names are those of another species and lead to their human orthologs by
    NCBI HomoloGene: ``"ortholog"`` (one-to-one), ``"co-ortholog"`` (several genes of the species
    share the human gene), ``"case"`` (the human gene of the same name, where HomoloGene pairs
    none), ``"ambiguous"`` or ``"no ortholog"``. Ensembl ids are known for mouse and human only.

    Parameters
    ----------
    names : sequence of str, or anndata.AnnData
        (n,) names in any of these forms, mixed at will. A bare number is an Entrez id. Of an
        AnnData the names are taken from ``var_names``, or from the column of ``.var`` that
        carries most where those are bare numbers or carry less than half of the counts; and the
        counts. Its features that are no genes (10x's ``feature_types``) are left out.
    counts : array_like, optional
        (n,) counts per name, or a (cells, n) matrix: for the share of counts that is covered.
    species : str or int, optional
        "mouse", "Mus musculus", 10090, ...; by default human, and a warning where the names look
        like those of another species. ``"human"`` says so and silences the warning.

    Returns
    -------
    Matched

    Raises
    ------
    ValueError
        The names are the row numbers that a table gets when its gene names were lost; or the
        species is not known.
    genept_utils.sources.SourceError
        Neither HGNC's file nor the shipped embedding, which stands in for it, is here; or a
        species is given and HomoloGene's file cannot be had.

    Warns
    -----
    UserWarning
        Each of the report's ``notes``.
    """
    if hasattr(names, "var_names"):
        found = of_cells(names, counts, species)
    else:
        found = look_up(names, counts, species)
    found.warn()
    return found


def of_cells(adata, counts=None, species=None):
    """As :func:`match` for the genes of an AnnData, without the warnings."""
    totals = totals_of(adata) if counts is None else counts
    found = of_table(adata.var_names, adata.var, totals, species)
    if totals is None and adata.X is not None:
        found = dataclasses.replace(found, notes=(*found.notes, (
            "the matrix holds negative, missing or infinite values, so the share of the counts is "
            "not told")))
    return found


def totals_of(adata):
    """Counts per gene of an AnnData, in memory or backed; None where it has no ``.X``, or one
    with values that are negative, missing or infinite."""
    if adata.X is None:
        return None
    outside.compressed(adata.X)
    X = adata.X if hasattr(adata.X, "sum") else adata.X[:]
    outside.compressed(X)
    values = X.data if hasattr(X, "tocsr") else X
    if values.size and not hasattr(X, "dask") and values.min() < 0:
        return None
    totals = np.asarray(X.sum(axis=0), dtype=float).ravel()
    return totals if np.isfinite(totals).all() else None


def of_table(first, table, counts=None, species=None, where="var_names", look=None):
    """As :func:`match` for names in the index or a column of a table, without the warnings.

    ``look(names, **options)`` may stand in for :func:`look_up`, with a tuple as its result whose
    last item is the :class:`Matched`; then a tuple is returned.
    """
    kind = kinds(table, first)
    if (kind != "").all() and len(kind):
        raise ValueError(f"none of the {len(kind):,} features is a gene: "
                         f"{', '.join(sorted(kind.unique()))}")
    options = {"counts": counts, "species": species, "kind": kind}
    column, _, found = best(first, table, lambda names: look(names, **options) if look else
                            (look_up(names, **options),), entrez_ids(species),
                            _row_numbers(species), where)
    *others, matched = found
    said = filtered(table, counts)
    matched = dataclasses.replace(matched, column=column if column == where else
                                  f"the column {column!r}",
                                  notes=(*matched.notes, *([said] if said else [])))
    return (*others, matched) if look else matched


def look_up(names, counts=None, species=None, kind=None):
    """As :func:`match` for names, without the warnings.

    ``kind`` (n,) names the features that are no genes, see
    :func:`genept_utils.genes.columns.kinds`.
    """
    whose = species_name(species)
    given = pd.Series(np.asarray(names, dtype=object))
    text = as_text(given)
    other = np.zeros(len(text), bool) if kind is None else (np.asarray(kind) != "")
    if _row_numbers(species)(text[~other]):
        raise ValueError("the names are row numbers, not genes; give the column that holds the "
                         "names (an Entrez id among numbers can be written as GeneID:7157)")
    codes, unique = pd.factorize(text)
    unique = pd.Series(unique, dtype=object)
    matched = match_unique(unique, whose)
    used = pd.Series(unique.index.isin(codes[~other]), unique.index) & (unique != "")
    notes, other_species = _notes(unique[used], matched[used], species, whose)
    table = matched.iloc[codes].reset_index(drop=True)
    table.insert(0, "name", given.where(given.notna(), "").astype(str))
    if other.any():
        table.loc[other, ["symbol", "how", "candidates"]] = ["", "not a gene", ""]
        notes += (left_out(pd.Series(kind, dtype=object)),)
    if marked := _missing_marks(table):
        notes += (marked,)
    instead = named_genes()[1]
    if not instead.startswith("HGNC") and (table["how"] == "missing").any():
        notes += (f"names are looked up in {instead}, so genes under former names may be missed; "
                  "`python -m genept_utils data --fetch genes/hgnc` says why",)
    covered = None
    if counts is not None:
        covered = mass(counts, table["symbol"].to_numpy() != "", ~other)
    return Matched(table, lookup(whose).source, covered, whose, notes,
                   other_species)


def match_unique(names, species=HUMAN):
    """The table of :class:`Matched` for distinct names, but for ``name``."""
    known = lookup(species)
    bare = pd.Series([_VERSION.sub(r"\1", name) if name[:3] in ("ENS", "ens", "Ens") else name
                      for name in names], dtype=object)
    found = known.exact.reindex(bare)
    keys, how = found["symbols"].to_numpy(object), found["how"].to_numpy(object)
    # "nan" is what a table program writes for no value; it is not the alias NaN
    nothing = names.isin(["", "nan", "NaN", "Nan", "NAN"]).to_numpy()
    rest = np.flatnonzero(pd.isna(how) & ~nothing)
    found = known.folded.reindex(bare.iloc[rest].str.upper())
    keys[rest] = found["symbols"]
    how[rest] = found["how"].where(found["how"].isna() | (found["how"] == "ambiguous"), "case")
    rest = rest[pd.isna(how[rest])]
    for i in rest:
        genes = from_date(names.iat[i], known.folded) if DATED.match(names.iat[i]) else ()
        if genes:
            keys[i], how[i] = "|".join(genes), "ambiguous" if len(genes) > 1 else "date"
    rest = rest[pd.isna(how[rest])]
    if len(rest):
        other = np.array(rewritten(list(bare.iloc[rest]), species, list(bare)), dtype=object)
        hit = other != ""
        keys[rest[hit]] = other[hit]
        how[rest[hit]] = np.where([("|" in key) for key in other[hit]], "ambiguous", "rewritten")
    codes = are_positions(names, ~pd.isna(how))
    missing = pd.isna(how) | codes
    how[missing], keys[missing] = "missing", ""
    if species != HUMAN:
        keys, how = _human(keys, how, species)
    several = how == "ambiguous"
    return pd.DataFrame({"symbol": np.where(several, "", keys), "how": how,
                         "candidates": np.where(several, keys, "")}, dtype=object)


def _human(keys, how, species):
    """Human symbols for genes of another species, and how they were reached."""
    pairs = orthologs.to_human(species)
    found = pairs.reindex(keys)
    symbols = found["symbols"].fillna("").to_numpy(object)
    ways = found["how"].fillna("no ortholog").to_numpy(object)
    for i in np.flatnonzero(how == "ambiguous"):
        of = pairs.reindex(keys[i].split("|"))["symbols"].fillna("")
        human = sorted({symbol for some in of for symbol in some.split("|")} - {""})
        symbols[i] = "|".join(human)
        ways[i] = ("no ortholog", "co-ortholog", "ambiguous")[min(len(human), 2)]
    missing = how == "missing"
    symbols[missing], ways[missing] = "", "missing"
    kept = (how == "rewritten") & np.isin(ways, ["ortholog", "co-ortholog", "case"])
    ways[kept] = "rewritten"
    return symbols, ways


def _notes(names, matched, species, whose):
    """Sentences on a set of distinct names, and the species that they look like."""
    how = matched["how"]
    if species is None:
        other, count = looks_like(names, how)
        said = (f"{count:,} of {len(names):,} names look like {other} genes; give species="
                f"'{other}' (--species {other}) to find their human orthologs, or 'human' if they "
                "are human")
        return (said,) if other else (), other
    if whose == HUMAN:
        return (), ""
    notes = []
    letters = names.str.contains(r"(?i)^ENS(?:[A-Z]{3,4})?G\d{11}", regex=True)
    if (letters & (how == "missing").to_numpy()).sum() > 0.2 * len(names):
        notes += lookup(whose).notes
    exact = lookup(whose).exact.index
    count = int((names.isin(lookup().exact.index) & ~names.isin(exact)).sum())
    if count >= max(3, 0.5 * len(names)):
        notes.append(f"{count:,} of {len(names):,} names look like human genes, not like {whose} "
                     "ones; leave species out if they are")
    return tuple(notes), ""


def _missing_marks(table):
    """A sentence on names such as "NA", which are names of a gene and also the mark with which R
    writes that there is none; with the suffixes that make names unique."""
    rows = table[table["name"].str.fullmatch(r"NA(?:[-_.]{1,3}\d+)?") & (table["symbol"] != "")]
    if not len(rows):
        return ""
    return (f"{len(rows):,} {'name is' if len(rows) == 1 else 'names are'} written "
            f"{rows['name'].iloc[0]!r}, as R writes a missing name, and "
            f"{'is' if len(rows) == 1 else 'are'} taken for {rows['symbol'].iloc[0]}, which was "
            "once called so; take them out where no gene is meant")


def entrez_ids(species=None):
    """Entrez ids on record of a species."""
    known = lookup(species_name(species)).exact
    return known.index[known["how"] == "entrez"]


def _row_numbers(species):
    """The judge of names that are row numbers; with no species given, ids of mouse and rat that
    are not close together pass as well, so that the set can be said to look like them."""
    def judge(values):
        found = are_row_numbers(values, entrez_ids(species))
        if found == "unknown" and species is None:
            known = [orthologs.known(other, "entrez_id") for other in ("mouse", "rat")]
            return all(are_row_numbers(values, ids or ()) for ids in known)
        return bool(found)
    return judge


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
    symbols = pd.Index(look_up(keys).symbols, name="symbol")
    found = table.reindex(symbols).fillna("").reset_index()
    return found.set_axis(keys)
