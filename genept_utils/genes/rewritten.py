"""Names as spreadsheets and other programs write them; tried last.

Dates ("1-Mar"), a genome in front ("GRCh38_TP53"), other separators where hyphens were ("HLA.A"),
the suffix that makes names unique ("TP53-1"), symbol and identifier in one
("TP53_ENSG00000141510"), several genes in one ("DDR1 /// MIR4640"), Greek letters ("TNFα"), a
hyphen left out ("Ki67").
"""

import functools
import re
from typing import NamedTuple

import pandas as pd

from genept_utils.genes.species import ENSEMBL_ID, GENOME
from genept_utils.genes.synonyms import MATCH_TYPES, one_row_a_name, synonyms
from genept_utils.genes.table import union

_MONTHS = ("january february march april may june july august september october november "
           "december").split()
_NUMBER = {name: i for i, month in enumerate(_MONTHS, 1) for name in (month, month[:3])} | {"sept": 9}
# What stands before the number in symbols that a spreadsheet reads as a day of the month.
_STEMS = {i: [month[:3].upper()] for i, month in enumerate(_MONTHS, 1)} | {
    3: ["MARCH", "MARC", "MAR"], 9: ["SEPT", "SEP"]}
DATE = (r"(?P<d1>\d{1,2})[-/ ](?P<m1>[a-z]{3,9})(?:[-/ ]\d{2,4})?"
        r"|(?P<m2>[a-z]{3,9})[-/ ](?P<d2>\d{1,2})"
        r"|\d{4}-(?P<m3>\d{2})-(?P<d3>\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
DATED = re.compile(f"^(?:{DATE})$", re.IGNORECASE)
SEVERAL = re.compile(r"\s*(?:/{1,3}|[;,|]|::|--)\s*|\s+")
_SUFFIX = re.compile(r"(?<=[A-Za-z0-9])(?:[-_]|\.{1,3})\d{1,3}$")
# Names of words and single signs between them, none of them an identifier: what a program can
# have done to such a name is a genome in front, other signs, or a suffix.
_PLAIN = re.compile(r"(?!gene-)(?![^\n]*ENS)[A-Z0-9]+(?:[-_.][A-Z0-9]+)*", re.IGNORECASE)
_VERSION = re.compile(r"(?<=G\d{11})\.\d+$")
_TRANSCRIPT = re.compile(r"-[2-9]\d\d")
FEW = 10  # names that differ in a number only and mean one gene
_SIGNS = re.compile(r"[^A-Z0-9]+")
_GFF = re.compile(r"(?i)^gene[-:]")
_NUMBERED = re.compile(r"(?i)^(?:LOC|GeneID:\s?|NCBIGene:\s?|entrez:\s?)(\d+)$")
_HGNC = re.compile(r"(?i)HGNC:\d+")
# "TP53|7157", "TP53 (7157)", "7157|TP53"
_WITH_ENTREZ = re.compile(r"^([^|()]+?)\s*(?:\|\s*(\d+)|\(\s*(\d+)\s*\))$|^(\d+)\|(.+)$")
_ENDS = " \t_|:;,./()[]-"
GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta",
         "η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda", "µ": "mu", "μ": "mu", "ω": "omega"}
# Aliases that are also written without their hyphen: letters and a number of four signs or more.
_HYPHEN = r"[A-Z]{2,}-\d{2,}[A-Z]?"


class _Known(NamedTuple):
    exact: dict  # name -> genes
    casefolded: dict  # name in upper case -> genes
    entrez: dict
    signs: dict  # name in upper case with every sign as "." -> genes
    stems: frozenset  # what stands before the number of numbered names
    joined: dict  # alias in upper case without its hyphen -> genes
    genome: re.Pattern
    letters: str  # how Ensembl ids of the species begin


@functools.cache
def _known(species):
    exact, casefolded = synonyms(species).exact, synonyms(species).casefolded
    # aliases are left out: they are short, and a code that looks like one would be taken for it
    signs = casefolded[casefolded["priority"] != MATCH_TYPES.index("alias")].reset_index()
    signs["name"] = signs["name"].str.replace(_SIGNS, ".", regex=True)
    signs = one_row_a_name(signs)["symbols"]
    approved = casefolded.index[casefolded["priority"] == 0].to_series()
    stems = approved.str.extract(r"^(.+)[-._]\d+$")[0].dropna()
    alias = casefolded[casefolded.index.str.fullmatch(_HYPHEN)]["symbols"]
    alias.index = alias.index.str.replace("-", "")
    ids = exact.index[exact["match_type"] == "ensembl"]
    entrez = exact.loc[exact["match_type"] == "entrez", "symbols"]
    return _Known(*map(_plain, (exact["symbols"], casefolded["symbols"], entrez, signs)),
                  frozenset(stems.str.replace(_SIGNS, ".", regex=True)), _plain(alias),
                  re.compile(GENOME.get(species, r"(?!)")), ids[0][:-11] if len(ids) else "")


def _plain(strings):
    """A Series of strings as a dict; its own ``to_dict`` looks at each of 200,000 anew."""
    return dict(zip(strings.index, strings.to_numpy()))


def rewritten(names, species, every):
    """Genes of names that match nothing as they are.

    Parameters
    ----------
    names : sequence of str
        (n,) distinct names.
    species : str
        Whose names.
    every : sequence of str
        All distinct names of the set that they belong to.

    Returns
    -------
    list of str
        (n,) keys of the genes, "|"-separated where several can be meant, "" for none.
    """
    known, uppers = _known(species), list(map(str.upper, names))
    found = [known.joined.get(upper, "") for upper in uppers]
    # of names of letters and digits alone only LOC7157 and Ki67 would not have been found before
    text = "".join(uppers)
    rest = [] if text.isalnum() and text.isascii() and "LOC" not in text else [
        i for i, (name, upper) in enumerate(zip(names, uppers))
        if not name.isalnum() or upper[:3] == "LOC" or not name.isascii()]
    if not rest:
        return found
    bases = _bases(every)
    codes = _codes(bases, len(every))
    for i in rest:
        name, upper = names[i], uppers[i]
        if _PLAIN.fullmatch(name) and not name.isalnum() and not known.genome.match(name):
            found[i] = _other_signs(upper, bases.get(name, upper), known, codes)
        else:
            found[i] = _genes(name, known, codes)
    return found


def from_date(name):
    """Names that a spreadsheet may have turned into a date such as "1-Mar"."""
    parts = DATED.match(name).groupdict()
    month = parts["m1"] or parts["m2"]
    number = _NUMBER.get(month.lower()) if month else int(parts["m3"])
    day = int(parts["d1"] or parts["d2"] or parts["d3"])
    return [f"{stem}{day}" for stem in _STEMS.get(number, ())]


def _bases(names):
    """What stands before the number that makes a name unique, in upper case, by name."""
    ends = ((name, _SUFFIX.search(name, max(len(name) - 7, 0))) for name in names
            if name[-1:].isdecimal() and not name.isalnum())
    return {name: name[:end.start()].upper() for name, end in ends if end}


def _codes(bases, n):
    """What stands before the number in codes such as "PC_1" to "PC_50": it is no gene.

    Numbers make names unique, so few of the ``n`` belong to one gene, unless every gene has many,
    as in a library of guides. Numbers from 201 are those of transcripts ("TP53-201").
    """
    each = pd.Series([base for name, base in bases.items()
                      if not _TRANSCRIPT.fullmatch(name[-4:])], dtype=object).value_counts()
    many = FEW if len(each) < FEW else max(FEW, 3 * each.median())
    return set(each.index[(each > many) | (each >= max(3, n / 2))])


def _greek(name, known):
    """The genes of "TNFα" as TNFA and as TNF-alpha, with and without hyphens."""
    plain = ["".join(GREEK.get(sign, sign)[:end] for sign in name.lower()) for end in (1, None)]
    return union(_symbols(one, known) or _symbols(one.replace("-", ""), known) for one in plain)


def _genes(name, known, codes):
    if any(sign in GREEK for sign in name.lower()) and re.search("[A-Za-z]", name):
        return _greek(name, known)
    number = _NUMBERED.match(name)
    if number:
        return known.entrez.get(number[1], "")
    pair = len(ENSEMBL_ID.findall(name)) == 1 or _HGNC.search(name) or _WITH_ENTREZ.match(name)
    if not pair and SEVERAL.search(name) and (found := _several(name, known)):
        return found
    plain = _GFF.sub("", known.genome.sub("", name))
    if plain != name:
        if plain.isdecimal():  # "gene-7" is the code of a position
            return ""
        found = _symbols(plain, known)
        if found:
            return found
    joined = _joined(plain, known)
    if joined is not None:
        return joined
    upper = plain.upper()
    return _other_signs(upper, _SUFFIX.sub("", upper), known, codes)


def _symbols(name, known):
    """Genes of a name as it is, or in other case."""
    return known.exact.get(name) or known.casefolded.get(name.upper(), "")


def _several(name, known):
    """The genes of "A;B", where every part has one; "1,5" is a number and "12/200" a share."""
    parts = [_VERSION.sub("", part) for part in SEVERAL.split(name) if part]
    if any(map(str.isdecimal, parts)) and (len(parts) < 3 or "," in name):
        return ""
    found = [_symbols(part, known) for part in parts]
    return union(found) if all(found) else ""


def _joined(name, known):
    """Symbol and identifier in one: both must allow the gene; where they disagree, both are said.

    None for another name.
    """
    found = ENSEMBL_ID.search(name) or (_HGNC.search(name) if ":" in name else None)
    if found:
        identifier = found[1] if found.re is ENSEMBL_ID else found[0]
        by_id = _symbols(identifier, known)
        ensembl = found.re is ENSEMBL_ID
        if not by_id and ensembl and identifier.upper()[:-11] != known.letters:
            return ""  # an id of another species: the symbol beside it is of that one, too
        symbol = (name[:found.start()] + name[found.end():]).strip(_ENDS)
    else:
        found = _WITH_ENTREZ.match(name)
        if not found:
            return None
        by_id = known.entrez.get(found[2] or found[3] or found[4], "")
        symbol = found[1] or found[5]
    by_symbol = "" if not symbol or symbol.isdecimal() else _symbols(symbol, known)
    if not by_id or not by_symbol or by_id == by_symbol:
        return by_id or by_symbol
    both = set(by_id.split("|")) & set(by_symbol.split("|"))
    return union(both or (by_id, by_symbol))


def _other_signs(name, base, known, codes):
    """Other signs where hyphens were, and without the suffix that makes names unique."""
    as_is = known.signs.get(_SIGNS.sub(".", name), "")
    if base == name or base.isdecimal() or base in codes:
        return as_is
    base = _SIGNS.sub(".", base)
    without = known.signs.get(base, "")
    if not as_is:  # "C4B-7" may be one of a numbered family (C4B_2), not the seventh C4B
        return "" if base in known.stems else without
    return union((as_is, without))
