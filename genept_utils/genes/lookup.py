"""From names to genes: as they stand, in other letters, as dates, as other programs write them."""

import dataclasses
import re

import numpy as np
import pandas as pd

from genept_utils.genes import orthologs
from genept_utils.genes.features import (MIN_NUMBERS, are_entrez, are_numbers, are_positions,
                                         are_row_numbers, as_text, filtered, kinds, left_out)
from genept_utils.genes.matched import Matched
from genept_utils.genes.rewritten import DATED, from_date, rewritten
from genept_utils.genes.species import GENOME, HUMAN, species_name
from genept_utils.genes.synonyms import MATCH_TYPES, synonyms
from genept_utils.genes.table import named_genes, union

MIN_SHARE = 0.5  # that the index must carry to be taken without a look at the columns
MIN_COLUMN_SHARE = 0.2  # that a column must carry where the index holds row numbers
MAX_WORDS = 100  # distinct words, by which a column may hold names that are often repeated
FEW_WORDS = 5  # the same for a column that is called like one of names
MAX_COLUMNS = 30  # that are looked at; those that are called like names come first
_NAMES = re.compile(r"(?i)gene|symbol|feature|name|ensembl|entrez|hgnc")
_VERSION = re.compile(r"(?i)^(ENS(?:[A-Z]{3,4})?G\d{11})(?:\.\d+)?(?:_PAR_Y)?$")
# what no symbol holds: "LINC00106" is one, "LOC22059" an Entrez id of the species
_IDENTIFIER = re.compile(r"(?i)ENS\w*G\d{11}|HGNC:|^\d+(\||$)|[|(]\s*\d{3,}|^LOC\d|"
                         r"(GeneID|Gene|entrez):\s?\d")
# what a table program writes for no value; it is not the alias NaN
_NOTHING = frozenset(("", "nan", "NaN", "Nan", "NAN"))
_WELL_KNOWN = ("approved", "ensembl", "entrez", "hgnc", "previous")


def of_table(first, table, counts=None, species=None, where="var_names", keys=None):
    """As :func:`look_up` for the names in the index (n,) or in a column of a table (n, ...): those
    that carry most of the counts, or of the names. ``where`` is what the index is called.

    A column is looked at only where the index carries less than half, or holds bare numbers; an
    index of row numbers is never looked up.

    Raises
    ------
    ValueError
        No feature is a gene, or the index holds row numbers and no column holds names.
    """
    values = as_text(first)
    kind = kinds(table, values)
    if len(kind) and all(kind):
        raise ValueError(f"none of the {len(kind):,} features is a gene: "
                         f"{', '.join(sorted(kind.unique()))}")
    named = values[(kind == "").to_numpy()]
    numbers = are_numbers(named)
    rows = numbers and row_numbers(named, species)

    def of(names, column):
        return _looked_up(names, names, counts, species, kind, keys, column)

    found = [] if rows else [of(values, where)]
    if rows or numbers or _carried(found[0]) < MIN_SHARE:
        found += [of(as_text(table.iloc[:, place]), f"the column {table.columns[place]!r}")
                  for place in _columns(table, species)[:MAX_COLUMNS]]
        # names that are words come before bare numbers that carry as much, and before a handful
        # of numbers whatever those carry: 1, 2, 9 and 10 are Entrez ids, too
        few = numbers and named.nunique() < MIN_NUMBERS

        def order(one):
            carried, words = _carried(one), not are_numbers(one.table["name"])
            return not (few and words and carried >= MIN_SHARE), -carried, not words

        found.sort(key=order)
        if rows and not (found and _carried(found[0]) >= MIN_COLUMN_SHARE):
            found = [one for one in found if one.looks_like]  # names of another species
        if not found:
            raise ValueError(
                f"the names in {where} are row numbers, not genes ({', '.join(values[:3])}, ...), "
                "and no column beside them holds names of genes; put symbols, Ensembl or Entrez "
                "ids there (an Entrez id among them can be written as GeneID:7157)")
    said = filtered(table, counts) if "feature_is_filtered" in table else ""
    return dataclasses.replace(found[0], notes=found[0].notes + ((said,) if said else ()))


def _carried(matched):
    return matched.share if matched.count_fraction is None else matched.count_fraction


def _columns(table, species):
    """Places of the columns that may hold names."""
    places = []
    for place, column in enumerate(table.columns):
        values = table.iloc[:, place]
        kind = getattr(values.dtype, "kind", "O")
        if kind in "bcmM" or (kind == "f" and (values.dropna() % 1 != 0).any()):  # fractions
            continue
        values = as_text(values)
        given = values[values != ""]
        if are_numbers(values):
            if are_entrez(values, entrez_ids(species), str(column)):
                places.append(place)
        elif given.nunique() >= min(max(1, MIN_SHARE * len(given)),
                                    FEW_WORDS if _NAMES.search(str(column)) else MAX_WORDS):
            places.append(place)
    return sorted(places, key=lambda place: not _NAMES.search(str(table.columns[place])))


def look_up(names, counts=None, species=None, keys=None):
    """As :func:`genept_utils.genes.match` for names, without the warnings.

    With ``keys`` of an embedding the report has ``rows`` of it, and covered is what has a row.
    """
    given = np.asarray(names, dtype=object)
    text = as_text(given)
    if row_numbers(text, species):
        raise ValueError("the names are row numbers, not genes; give the column that holds the "
                         "names (an Entrez id among numbers can be written as GeneID:7157)")
    given = pd.Series(given, dtype=object).where(pd.notna(given), "").astype(str)
    return _looked_up(given, text, counts, species, keys=keys)


def _looked_up(given, text, counts, species, kind=None, keys=None, column=""):
    """As :func:`look_up` for names as ``given`` and their ``text``; ``kind`` (n,) names the
    features that are no genes, ``column`` is where the names stood."""
    whose = HUMAN if species is None else species_name(species)
    other = np.zeros(len(text), bool) if kind is None else (kind != "").to_numpy()
    codes, unique = pd.factorize(text.to_numpy(object))
    columns = match_unique(unique, whose)
    used = np.zeros(len(unique), bool)
    used[codes[~other]] = True
    used &= unique != ""
    notes, other_species = _notes(unique[used], columns["match_type"][used], species, whose)
    table = pd.DataFrame({"name": given,
                          **{column: of[codes] for column, of in columns.items()}}, dtype=object)
    if other.any():
        table.loc[other, ["symbol", "match_type", "candidates"]] = ["", "not a gene", ""]
        notes += (left_out(kind),)
    instead = named_genes()[1]
    if not instead.startswith("HGNC") and (table["match_type"] == "missing").any():
        notes += (f"names are looked up in {instead}, so genes under former names may be missed; "
                  "`python -m genept_utils data --fetch genes/hgnc` says why",)
    symbols = table["symbol"].to_numpy(object)
    if marked := _missing_marks(table["name"].tolist(), symbols):
        notes += (marked,)
    rows = None if keys is None else _rows(keys, given, symbols, ~other, whose)
    covered = None
    if counts is not None:
        covered = count_fraction(counts, symbols != "" if rows is None else rows >= 0, ~other)
    return Matched(table, synonyms(whose).source, covered, whose, notes, other_species, column,
                   rows)


def _rows(keys, names, symbols, are_genes, whose):
    """The row of each name: of the key that it is itself, else of its symbol."""
    rows, has = np.full(len(names), -1), symbols != ""
    rows[has] = np.append(keys.rows, -1)[keys.symbols.get_indexer(symbols[has])]  # -1 stays -1
    if whose == HUMAN or keys.released:
        own = keys.names.get_indexer(np.array([name.strip() for name in names.tolist()],
                                               dtype=object))
        rows = np.where((own >= 0) & are_genes, own, rows)
    return np.where(np.isin(rows, keys.empty), -1, rows) if len(keys.empty) else rows


def match_unique(names, species=HUMAN):
    """``symbol``, ``match_type`` and ``candidates`` of distinct names (n,), each an array (n,)."""
    known = synonyms(species)
    bare = np.array([_VERSION.sub(r"\1", name) if name.startswith(("ENS", "ens", "Ens"))
                     and ("." in name or "_" in name) else name for name in names.tolist()],
                    dtype=object)
    keys, types, _ = _find(known.exact, bare)
    nothing = np.fromiter(map(_NOTHING.__contains__, names), bool, len(names))
    rest = np.flatnonzero((types == "") & ~nothing)
    keys[rest], cased, priority = _find(known.casefolded, list(map(str.upper, bare[rest])))
    for i in np.flatnonzero(priority == MATCH_TYPES.index("alias")):
        if names[rest[i]].isalpha() and names[rest[i]].islower():  # "baz" is not the Baz of PARD3
            keys[rest[i]], cased[i] = "", ""
    types[rest] = np.where((cased == "") | (cased == "ambiguous"), cased, "case")
    rest = rest[cased == ""]
    dates = [not name.isalnum() and DATED.match(name) is not None
             for name in names[rest].tolist()]
    for i in rest[dates]:
        symbols, _, priority = _find(known.casefolded, from_date(names[i]))
        keys[i] = union(symbols[priority == min(priority, default=0)])  # of the best kind
        types[i] = "date" if keys[i] else ""
    rest = rest[types[rest] == ""]
    if len(rest):
        keys[rest] = rewritten(bare[rest].tolist(), species, bare.tolist())
        types[rest] = np.where(keys[rest] == "", "", "rewritten")
    found = types != ""
    types[["|" in key for key in keys]] = "ambiguous"
    codes = ~found if found.all() else are_positions(names, found)
    missing = ~found | codes
    types[missing], keys[missing] = "missing", ""
    if species != HUMAN:
        keys, types = orthologs.human(keys, types, species)
        if species in orthologs.NAMED_AS_HUMAN:
            _of_the_same_name(bare, keys, types, species, ~(codes | nothing))
    several = types == "ambiguous"
    return {"symbol": np.where(several, "", keys), "match_type": types,
            "candidates": np.where(several, keys, "")}


def _find(known, names):
    """Symbols, match types and priorities of names (n,) in a table of known ones."""
    places = known.index.get_indexer(np.array(names, dtype=object))
    none = {"symbols": "", "match_type": "", "priority": len(MATCH_TYPES)}
    return [np.where(places < 0, none[column], known[column].to_numpy()[places])
            for column in none]


def _of_the_same_name(names, symbols, types, species, names_genes):
    """Fill in, in place, the human genes that bear the names of a vertebrate's genes.

    HomoloGene knows genes by their symbols of today: an older one (H2afz, Sept7) is looked up
    among the former human symbols, a mitochondrial one (mt-Nd1) among the present ones. A gene on
    record without an ortholog takes no alias, which is often the name of another gene.
    """
    rest = np.flatnonzero(((types == "missing") | (types == "no ortholog")) & names_genes)
    own, humans = (re.compile(GENOME.get(one, r"(?!)")) for one in (species, HUMAN))
    plain = [own.sub("", names[i]) for i in rest]
    named = [not (_IDENTIFIER.search(name) or humans.match(name)) for name in plain]
    rest, plain = rest[named], np.array(plain, dtype=object)[named]
    human = match_unique(plain)
    ways, symbol = human["match_type"], human["symbol"]
    _, _, priority = _find(synonyms().casefolded, [name.upper() for name in plain])
    sure = (priority <= MATCH_TYPES.index("previous")) | np.array(
        [name.startswith("MT-") for name in symbol], dtype=bool)
    taken = (ways != "missing") & (sure | (types[rest] == "missing"))
    symbols[rest[taken]] = np.where(symbol == "", human["candidates"], symbol)[taken]
    same = np.isin(ways.astype(str), ["ambiguous", "date", "rewritten"])
    types[rest[taken]] = np.where(same, ways, "case")[taken]


def _notes(names, types, species, whose):
    """Sentences on a set of distinct names (n,), and the species that they look like."""
    if species is None:
        known = pd.Series(types).isin(_WELL_KNOWN).to_numpy()
        if len(names) - known.sum() < max(orthologs.MIN_NAMES, orthologs.MIN_SHARE * len(names)):
            return (), ""
        other, count = orthologs.looks_like(names, types, known)
        said = (f"{count:,} of {len(names):,} names look like {other} genes; give species="
                f"'{other}' (--species {other}) to find their human orthologs, or 'human' if they "
                "are human")
        return (said,) if other else (), other
    if whose == HUMAN:
        return (), ""
    notes = []
    letters = [re.match(r"(?i)ENS(?:[A-Z]{3,4})?G\d{11}", name) is not None for name in names]
    if (np.array(letters, bool) & (types == "missing")).sum() > 0.2 * len(names):
        notes += synonyms(whose).notes
    exact, human = synonyms(whose).exact.index, synonyms().exact.index
    count = sum(name in human and name not in exact for name in names)
    if count >= max(3, 0.5 * len(names)):
        notes.append(f"{count:,} of {len(names):,} names look like human genes, not like {whose} "
                     "ones; leave species out if they are")
    return tuple(notes), ""


def _missing_marks(names, symbols):
    """A sentence on "NA", a gene's name and R's mark that there is none, also as "NA-1"."""
    rows = [i for i, name in enumerate(names) if name[:2] == "NA" and symbols[i]
            and re.fullmatch(r"NA(?:[-_.]{1,3}\d+)?", name)]
    if not rows:
        return ""
    one = len(rows) == 1
    return (f"{len(rows):,} {'name is' if one else 'names are'} written "
            f"{names[rows[0]]!r}, as R writes a missing name, and "
            f"{'is' if one else 'are'} taken for {symbols[rows[0]]}, which "
            "was once called so; take them out where no gene is meant")


def entrez_ids(species=None):
    """Entrez ids on record of a species."""
    return synonyms(species_name(species)).entrez


def row_numbers(values, species):
    """Whether names are row numbers."""
    return are_numbers(values) and are_row_numbers(values, entrez_ids(species))


def count_fraction(counts, found, of=None):
    """Share of all counts, (n,) or (cells, n), dense or sparse, that lies on the names ``found``
    (n,) says yes to; ``of`` (n,) bool says which names count."""
    total = counts if np.ndim(counts) == 1 else counts.sum(axis=0)
    total = np.asarray(total, dtype=float).ravel()
    if total.size != found.size:
        raise ValueError(f"there are {found.size} names but counts for {total.size}")
    total = total if of is None else np.where(of, total, 0)
    return float(total[found].sum() / total.sum()) if total.sum() else 0.0
