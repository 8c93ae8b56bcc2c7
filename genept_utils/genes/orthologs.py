"""Genes of other species, and their human orthologs by NCBI HomoloGene."""

import functools
import re
from collections import Counter

import numpy as np
import pandas as pd

from genept_utils import sources
from genept_utils.genes.features import as_text
from genept_utils.genes.species import (
    BEHIND_GENOME, ENSEMBL_LETTERS, GENOMES, HUMAN, TAXA, species_name, taxon)
from genept_utils.genes.table import annotables, kept_table, named_genes, r_columns, union

HOMOLOGENE = "genes/homologene2.rda"
ENSEMBL_MOUSE = "genes/ensembl100_annotables_mouse.pkl.xz"
# Only vertebrates' genes bear the names of human ones.
NAMED_AS_HUMAN = ("mouse", "rat", "zebrafish", "cow", "chimpanzee", "macaque", "dog", "chicken",
                  "frog")
MIN_SHARE, MIN_NAMES = 0.2, 3  # from which a set looks like a species
_TITLE = re.compile(r"[A-Z][a-z][A-Za-z0-9.-]*$|[A-Z0-9]+Rik$")  # Trp53, Cd4, Gm1234, 1700001C02Rik
_FIRST = "".join(names[0] for names in "|".join(GENOMES.values()).split("|"))  # quick to look at
_IN_FRONT = re.compile(f"(?im)^(?=[{_FIRST}])"
                       f"(?:{'|'.join(f'({names})' for names in GENOMES.values())}){BEHIND_GENOME}")
_LETTERS = re.compile(r"(?i)(?<![A-Z0-9])ENS([A-Z]{3,4})G\d{11}")


@functools.cache
def homologene():
    """NCBI HomoloGene with updated identifiers, every gene of 21 taxa.

    Returns
    -------
    pandas.DataFrame
        (266573, 4): ``group`` (genes of one group are homologs), ``symbol``, ``taxon`` (int),
        ``entrez_id``; strings but for the taxon.

    Raises
    ------
    genept_utils.sources.SourceError
        The file cannot be had.
    """
    return kept_table(HOMOLOGENE, "homologene", _parsed).astype({"taxon": int})


def _parsed(path):
    group, symbol, taxa, entrez = r_columns(path, "HID", "Gene.Symbol", "Taxonomy", "Gene.ID")
    return pd.DataFrame({"group": np.ma.getdata(group).astype(str),
                         "symbol": [text.value.decode() for text in symbol],
                         "taxon": np.ma.getdata(taxa).astype(int),
                         "entrez_id": np.ma.getdata(entrez).astype(str)})


@functools.cache
def of_species(species):
    """Genes of one species in HomoloGene: (n, 4) as :func:`homologene`, one row a group."""
    table = homologene()
    return table[table["taxon"] == taxon(species)]


@functools.cache
def mouse_ensembl():
    """Mouse genes of Ensembl 100: ``ensembl_id``, ``symbol`` of 2020, ``entrez_id`` ("" for
    none), one row for each pair of identifiers.

    It is the one species of :data:`~genept_utils.genes.species.TAXA` beside human whose Ensembl
    ids the files hold.
    """
    return kept_table(ENSEMBL_MOUSE, "mouse_ensembl", _mouse)


def _mouse(path):
    table = annotables(path)
    made = pd.DataFrame({"ensembl_id": table.index.astype(str),
                         "symbol": as_text(table["gene_name"]),
                         "entrez_id": as_text(table["Entrez"])})
    return made.drop_duplicates(ignore_index=True)


@functools.cache
def to_human(species):
    """The human orthologs of each gene of a species.

    A group with one gene of the species and one human gene is one-to-one and decides; without
    one, all human genes of the gene's groups are candidates. Readthrough genes are none. Where
    HomoloGene pairs a vertebrate's gene with another human gene than the one that bears its name
    (mouse Ccl2 with CCL13), both are candidates: the two sources contradict each other.

    Returns
    -------
    pandas.DataFrame
        Indexed by Entrez id of the species: ``symbols`` (approved human symbols, "|"-separated,
        "" for none), ``match_type``: ``"ortholog"`` (one-to-one), ``"co-ortholog"`` (several genes
        of the species share this human gene), ``"case"`` (a vertebrate's gene that no group pairs
        with a human one, but one bears its name in other letters), ``"ambiguous"``, or
        ``"no ortholog"``.
    """
    genes, _ = named_genes()
    approved = pd.Series(genes.index, genes["entrez_id"].to_numpy())
    approved = approved[(approved.index != "") & (genes["gene_type"] != "readthrough").to_numpy()]
    approved = approved[~approved.index.duplicated()]
    own, human = of_species(species), of_species("human")
    human = human.assign(human=human["entrez_id"].map(approved)).dropna(subset="human")
    pairs = own.merge(human[["group", "human"]], on="group")
    pairs["single"] = ~pairs.duplicated(["group"], keep=False)
    pairs = pairs.drop_duplicates(["entrez_id", "human"])
    sure = pairs["single"]
    pairs = pairs[sure | ~pairs["entrez_id"].isin(pairs.loc[sure, "entrez_id"])]

    found = own.drop_duplicates("entrez_id").set_index("entrez_id")[["symbol"]]
    letters = pd.Series(genes.index, genes.index.str.upper())
    letters = letters[~letters.index.duplicated(keep=False)]
    same = found["symbol"].str.upper().map(
        letters if species_name(species) in NAMED_AS_HUMAN else {})
    pairs = pairs.set_index("entrez_id")
    by_gene = pairs["human"].groupby(level=0).agg(union)
    found["symbols"] = by_gene.reindex(found.index).fillna("")
    found["match_type"] = "co-ortholog"
    found.loc[found.index.isin(pairs.index[pairs["single"]]), "match_type"] = "ortholog"
    other = same.notna() & (found["symbols"] != "") & (same != found["symbols"])
    found.loc[other, "symbols"] = list(map(union, zip(found.loc[other, "symbols"], same[other])))
    found.loc[found["symbols"].str.contains("|", regex=False), "match_type"] = "ambiguous"
    none = found["symbols"] == ""
    found.loc[none, "match_type"] = np.where(same[none].notna(), "case", "no ortholog")
    found.loc[none, "symbols"] = same[none].fillna("")
    return found[["symbols", "match_type"]]


def human(keys, types, species):
    """Human symbols for genes (n,) of another species, and their match types."""
    pairs = to_human(species)
    found = pairs.reindex(keys)
    symbols = found["symbols"].fillna("").to_numpy(object)
    ways = found["match_type"].fillna("no ortholog").to_numpy(object)
    for i in np.flatnonzero(types == "ambiguous"):
        symbols[i] = union(pairs.reindex(keys[i].split("|"))["symbols"].fillna(""))
        ways[i] = ("ambiguous" if "|" in symbols[i] else
                   "co-ortholog" if symbols[i] else "no ortholog")
    missing = types == "missing"
    symbols[missing], ways[missing] = "", "missing"
    kept = (types == "rewritten") & np.isin(ways.astype(str), ["ortholog", "co-ortholog", "case"])
    ways[kept] = "rewritten"
    return symbols, ways


@functools.cache
def _bearers():
    """The distinct symbols of all species, and which of them each species has, (n_symbols,) bool."""
    table = homologene()
    codes, symbols = pd.factorize(table["symbol"])
    has = {}
    for number in sorted(TAXA):
        has[TAXA[number][0]] = of_it = np.zeros(len(symbols), dtype=bool)
        of_it[codes[table["taxon"] == number]] = True
    return symbols, has


def looks_like(names, types, well_known):
    """The species, other than human, that a set of names looks like, and how many of them do.

    Parameters
    ----------
    names, types : numpy.ndarray
        (n,) distinct names, and the match type of each as a human one.
    well_known : numpy.ndarray
        (n,) bool: found as they are, and not as an alias.

    Returns
    -------
    species : str
        "" where the set looks human, or like nothing in particular.
    count : int
        Names that are written as names of that species: Ensembl ids with its letters, the
        assembly of its genome in front, or its symbols, if they begin with one capital (mouse,
        rat), or if enough of them are the names of no human gene.
    """
    need = max(MIN_NAMES, MIN_SHARE * len(names))
    rest, unknown = names[~well_known], ((types == "missing") | (types == "rewritten"))[~well_known]
    if len(rest) < need:
        return "", 0
    text = "\n".join(rest)
    letters = _LETTERS.findall(text) if "ENS" in text.upper() else []
    votes = Counter(ENSEMBL_LETTERS.get(one.upper(), HUMAN) for one in letters)
    votes.update(dict.fromkeys(GENOMES, 0))  # of species with as many votes the first is said
    votes.update(tuple(GENOMES)[one.lastindex - 1] for one in _IN_FRONT.finditer(text))
    title = np.array([not name.isupper() and _TITLE.match(name) is not None for name in rest])
    titles = title.sum() if title.sum() >= need else 0
    try:
        symbols, species_with = _bearers()
        places = symbols.get_indexer(rest)
        there = places >= 0
        for species, bears in species_with.items():
            own = bears[places[there]]
            if species in ("mouse", "rat"):
                votes[species] += own[title[there]].sum() if titles else 0
            elif own[unknown[there]].sum() >= need:
                votes[species] += own.sum()
    except sources.SourceError:  # without the file the way of writing alone must do
        votes["mouse"] += titles
    del votes[HUMAN]
    best = max(votes, key=votes.get)
    return (best, votes[best]) if votes[best] >= need else ("", 0)
