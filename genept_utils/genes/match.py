"""From any gene names to approved symbols, with a report of what matched how."""

import dataclasses

import numpy as np
import pandas as pd

from genept_utils import untrusted
from genept_utils.genes.features import as_text, kinds
from genept_utils.genes.files import read_sets, read_table
from genept_utils.genes.lookup import MIN_SHARE, look_up, of_table
from genept_utils.genes.rewritten import SEVERAL
from genept_utils.genes.table import IDENTIFIERS, named_genes

SURE = ("approved", "ensembl", "entrez", "hgnc", "ortholog", "co-ortholog")


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
    found = (of_cells if hasattr(names, "var_names") else look_up)(names, counts, species)
    found.warn()
    return found


def of_cells(adata, counts=None, species=None, keys=None):
    """As :func:`match` for the genes of an AnnData, without the warnings."""
    totals = totals_of(adata) if counts is None else counts
    found = of_table(adata.var_names, adata.var, totals, species, keys=keys)
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
    untrusted.compressed(adata.X)
    X = adata.X if hasattr(adata.X, "sum") else adata.X[:]
    untrusted.compressed(X)
    values = X.data if hasattr(X, "tocsr") else X
    if values.size and not hasattr(X, "dask") and values.min() < 0:
        return None
    totals = np.asarray(X.sum(axis=0, dtype=float)).ravel()  # float16 ends at 65,504
    return totals if np.isfinite(totals).all() else None


def of_file(path, species=None):
    """As :func:`match` for the names in a text file, without the warnings.

    Of a table the columns are read that hold genes: one, or several where they hold different
    genes, as the two ends of pairs or the markers of clusters; a cell with several names ("A;B")
    is read as so many names. ``.gmt`` and ``.gmx`` hold sets. Where there are several columns or
    sets, the report's table says in ``place`` where each name stood.

    Parameters
    ----------
    path : pathlib.Path
        A text file that :func:`genept_utils.genes.files.read_table` takes.
    species : str or int, optional
        As in :func:`match`.
    """
    sets = read_sets(path)
    if sets is not None:
        found = look_up(sets["name"], species=species)
        places, what = sets["set"], f"{sets['set'].nunique():,} sets"
    else:
        table = read_table(path)
        found = of_table(table.iloc[:, 0], table.iloc[:, 1:], species=species,
                         where=table.columns[0])
        names, places = _all_names(table, found, species)
        if names is None:
            return found
        kept, found = found.column, look_up(names, species=species)
        each = places.unique()
        what = kept if len(each) == 1 else (
            "the columns " + ", ".join(map(repr, each[:5]))
            + (f" and {len(each) - 5:,} more" if len(each) > 5 else ""))
    if places.nunique() > 1 or sets is not None:
        found.table["place"] = places.to_numpy()
    return dataclasses.replace(found, column=what)


def _all_names(table, found, species):
    """Names and columns of all cells that hold genes; (None, None) where one column with one name
    a cell is all."""
    read = {}  # names and symbols of a column, by row
    for column in table:
        values = as_text(table[column])
        given = values[values != ""]
        if not len(given) or given.str.fullmatch(r"[-+.,\deE%]+").mean() > MIN_SHARE:
            continue
        parts = _parts(given, species)
        matched = look_up(parts, species=species)
        # "pp" and "pd", again and again, are kinds of edges and no aliases
        sure = matched.table["match_type"].isin(SURE).any()
        words = given.nunique() * 2 < len(given) and not sure
        if found.column in (column, f"the column {column!r}") or (
                not words and matched.share >= MIN_SHARE
                and (kinds(pd.DataFrame(index=given)) == "").all()):
            symbols = pd.Series(matched.symbols, parts.index)
            read[column] = parts, symbols.groupby(level=0).first()
    rich = [column for column, (_, symbols) in read.items() if (symbols != "").mean() >= MIN_SHARE]
    names, symbols_of = {}, []  # of columns that hold different genes
    for column in rich or read:
        parts, symbols = read[column]
        same = [other.reindex(symbols.index) for other in symbols_of]
        if all(((one == symbols) | (one == "") | (symbols == ""))[one.notna()].mean() < MIN_SHARE
               for one in same):
            names[column] = parts
            symbols_of.append(symbols)
    if len(names) < 2 and found.share >= MIN_SHARE and not any(
            parts.index.has_duplicates for parts in names.values()):
        return None, None
    no_genes = [symbols.get(0, "") == "" or str(table[column].iloc[0]).isdecimal()
                for column, symbols in zip(names, symbols_of)]
    if len(names) > 1 and len(table) > 2 and all(no_genes) and table.columns[0] == "column 1":
        names = {table[column].iloc[0]: parts.drop(index=0, errors="ignore")  # it is a head line
                 for column, parts in names.items()}
    names = pd.concat(names)
    return names.reset_index(drop=True), pd.Series(names.index.get_level_values(0))


def _parts(values, species):
    """The names in cells (n,) of several, by the place of the cell; a cell whose name has a gene
    as it is stays one."""
    # "12/200" is a share and "1,5" a number
    several = values[values.str.contains(SEVERAL) & values.str.contains("[A-Za-z]")]
    if not len(several):
        return values
    found = look_up(pd.Series(several.unique()), species=species).table
    whole = set(found.loc[~found["match_type"].isin(["ambiguous", "missing"]), "name"])
    split = several[~several.isin(whole)].map(lambda cell: [
        part for part in SEVERAL.split(cell) if part])
    parts = split.explode()
    known = look_up(parts, species=species).symbols != "" if len(parts) else np.array([])
    good = pd.Series(known, parts.index).groupby(level=0).mean() >= MIN_SHARE
    parts = parts[parts.index.isin(good.index[good])]
    return pd.concat([values[~values.index.isin(parts.index)], parts]).sort_index(kind="stable")


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
    return table.reindex(symbols).fillna("").reset_index().set_axis(keys)
