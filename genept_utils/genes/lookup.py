"""From names to genes: as they stand, in other letters, as dates, as other programs write them."""

import re

import numpy as np
import pandas as pd

from genept_utils.genes import orthologs
from genept_utils.genes.features import left_out
from genept_utils.genes.matched import Matched, mass
from genept_utils.genes.numbers import are_positions, are_row_numbers, as_text
from genept_utils.genes.rewritten import DATED, from_date, rewritten
from genept_utils.genes.species import GENOME, HUMAN, species_name
from genept_utils.genes.synonyms import HOW, synonyms
from genept_utils.genes.table import IDENTIFIERS, named_genes

_VERSION = re.compile(r"(?i)^(ENS(?:[A-Z]{3,4})?G\d{11})(?:\.\d+)?(?:_PAR_Y)?$")
_IDENTIFIER = re.compile(r"(?i)ENS\w*G\d{11}|HGNC:|\d{5,}")  # not of symbols


def look_up(names, counts=None, species=None, kind=None):
    """As :func:`genept_utils.genes.match` for names, without the warnings.

    ``kind`` (n,) names the features that are no genes, see
    :func:`genept_utils.genes.features.kinds`.
    """
    whose = species_name(species)
    given = pd.Series(np.asarray(names, dtype=object))
    text = as_text(given)
    other = np.zeros(len(text), bool) if kind is None else (np.asarray(kind) != "")
    if row_numbers(text[~other], species):
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
    return Matched(table, synonyms(whose).source, covered, whose, notes, other_species)


def match_unique(names, species=HUMAN):
    """The table of :class:`Matched` for distinct names, but for ``name``."""
    known = synonyms(species)
    bare = pd.Series([_VERSION.sub(r"\1", name) if name[:3] in ("ENS", "ens", "Ens") else name
                      for name in names], dtype=object)
    found = known.exact.reindex(bare)
    keys, how = found["symbols"].to_numpy(object), found["how"].to_numpy(object)
    # "nan" is what a table program writes for no value; it is not the alias NaN
    nothing = names.isin(["", "nan", "NaN", "Nan", "NAN"]).to_numpy()
    rest = np.flatnonzero(pd.isna(how) & ~nothing)
    found = known.casefolded.reindex(bare.iloc[rest].str.upper())
    keys[rest] = found["symbols"]
    how[rest] = found["how"].where(found["how"].isna() | (found["how"] == "ambiguous"), "case")
    rest = rest[pd.isna(how[rest])]
    for i in rest:
        genes = from_date(names.iat[i], known.casefolded) if DATED.match(names.iat[i]) else ()
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
        if species in orthologs.NAMED_AS_HUMAN:
            _of_the_same_name(bare, keys, how, species, ~(codes | nothing))
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


def _of_the_same_name(names, symbols, how, species, names_genes):
    """Fill in, in place, the human genes that bear the names of a vertebrate's genes.

    HomoloGene knows genes by their symbols of today: an older one (H2afz, Sept7) is looked up
    among the former human symbols, a mitochondrial one (mt-Nd1) among the present ones. A gene on
    record without an ortholog takes no alias, which is often the name of another gene.
    """
    rest = np.flatnonzero(np.isin(how, ["missing", "no ortholog"]) & names_genes)
    own, humans = (re.compile(GENOME.get(one, r"(?!)")) for one in (species, HUMAN))
    plain = pd.Series([own.sub("", name) for name in names.iloc[rest]], dtype=object)
    named = [not (_IDENTIFIER.search(name) or humans.match(name)) for name in plain]
    rest, plain = rest[named], plain[named].reset_index(drop=True)
    human = match_unique(plain)
    priority = synonyms().casefolded["priority"].reindex(plain.str.upper()).to_numpy()
    sure = (priority <= HOW.index("previous")) | human["symbol"].str.startswith("MT-").to_numpy()
    taken = (human["how"] != "missing").to_numpy() & (sure | (how[rest] == "missing"))
    rest, human = rest[taken], human[taken]
    symbols[rest] = human["symbol"].where(human["symbol"] != "", human["candidates"])
    how[rest] = human["how"].where(human["how"].isin(["ambiguous", "date", "rewritten"]), "case")


def _notes(names, matched, species, whose):
    """Sentences on a set of distinct names, and the species that they look like."""
    how = matched["how"]
    if species is None:
        other, count = orthologs.looks_like(names, how)
        said = (f"{count:,} of {len(names):,} names look like {other} genes; give species="
                f"'{other}' (--species {other}) to find their human orthologs, or 'human' if they "
                "are human")
        return (said,) if other else (), other
    if whose == HUMAN:
        return (), ""
    notes = []
    letters = names.str.contains(r"(?i)^ENS(?:[A-Z]{3,4})?G\d{11}", regex=True)
    if (letters & (how == "missing").to_numpy()).sum() > 0.2 * len(names):
        notes += synonyms(whose).notes
    exact = synonyms(whose).exact.index
    count = int((names.isin(synonyms().exact.index) & ~names.isin(exact)).sum())
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
    known = synonyms(species_name(species)).exact
    return known.index[known["how"] == "entrez"]


def row_numbers(values, species):
    """Whether names are row numbers; without a species, Entrez ids of :data:`orthologs.GUESSED`
    that do not lie close together pass, so that the species can be suggested."""
    found = are_row_numbers(values, entrez_ids(species))
    if found == "unknown" and species is None:
        return all(are_row_numbers(values, orthologs.known(other, "entrez_id") or ())
                   for other in orthologs.GUESSED)
    return bool(found)


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
