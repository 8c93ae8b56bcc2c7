"""Every known name of every gene of a species, and the order in which kinds of names are tried."""

import functools
from typing import NamedTuple

import pandas as pd

from genept_utils import sources
from genept_utils.genes import orthologs
from genept_utils.genes.species import HUMAN
from genept_utils.genes.table import named_genes, union

MATCH_TYPES = ("approved", "ensembl", "entrez", "hgnc", "previous", "alias", "ortholog",
               "co-ortholog", "case", "date", "rewritten", "not a gene", "no ortholog",
               "ambiguous", "missing")


class Synonyms(NamedTuple):
    """All names of a species: as they are, in upper case, and its Entrez ids.

    The tables are indexed by name: the ``symbols`` of its genes (keys: approved symbols for
    human, else Entrez ids; "|"-separated), ``match_type`` and the ``priority`` of that.
    ``notes`` are sentences on what the files could not give.
    """

    exact: pd.DataFrame
    casefolded: pd.DataFrame
    entrez: pd.Index
    source: str
    notes: tuple = ()


@functools.cache
def synonyms(species=HUMAN):
    """Every known name -> its genes, for one of :data:`~genept_utils.genes.species.TAXA`."""
    every, source, notes = _human_names() if species == HUMAN else _other_names(species)
    every["priority"] = every["match_type"].map(MATCH_TYPES.index)
    exact = one_row_a_name(every)
    casefolded = one_row_a_name(every.assign(name=every["name"].str.upper()))
    entrez = exact.index[exact["match_type"] == "entrez"]
    return Synonyms(exact, casefolded, entrez, source, notes)


def _named(values, symbols, kind):
    given = pd.DataFrame({"name": values.to_numpy(), "symbols": symbols.to_numpy(),
                          "match_type": kind})
    return given[given["name"] != ""]


def _human_names():
    genes, source = named_genes()
    parts = [_named(genes.index, genes.index, "approved")]
    for column, kind in (("ensembl_id", "ensembl"), ("entrez_id", "entrez"), ("hgnc_id", "hgnc"),
                         ("prev_symbol", "previous"), ("alias_symbol", "alias")):
        names = genes[column].str.split("|").explode()
        parts.append(_named(names, names.index, kind))
    return pd.concat(parts, ignore_index=True), source, ()


def _other_names(species):
    genes = orthologs.of_species(species).drop_duplicates("entrez_id")
    key = genes["entrez_id"]
    parts = [_named(genes["symbol"], key, "approved"), _named(key, key, "entrez")]
    source = f"NCBI HomoloGene ({species}) and {named_genes()[1]}"
    notes = (f"the files hold symbols and Entrez ids of {species}, no Ensembl ids",)
    if species == "mouse":
        try:
            other = orthologs.mouse_ensembl()
        except sources.SourceError as error:
            notes = (f"ENSMUSG ids are not looked up: {str(error).splitlines()[0]}",)
        else:
            # a gene without an Entrez id is known all the same; it has no ortholog on record
            has = other["entrez_id"] != ""
            used = other[has | ~other["ensembl_id"].isin(other.loc[has, "ensembl_id"])]
            key = used["entrez_id"].where(has, used["ensembl_id"])
            parts += [_named(used["ensembl_id"], key, "ensembl"),
                      _named(used["symbol"], key, "previous")]
            source, notes = source + ", with Ensembl 100's mouse ids and names", ()
    return pd.concat(parts, ignore_index=True), source, notes


def one_row_a_name(names):
    """Of each name the rows of the best kind; where those are several genes, one for all."""
    names = names.assign(code=pd.factorize(names["name"])[0])  # numbers are compared faster
    best = names.groupby("code")["priority"].transform("min")
    names = names[names["priority"] == best].drop_duplicates(["code", "symbols"])
    several = names["code"].duplicated(keep=False)
    shared = names[several].groupby("name").agg({"symbols": union, "priority": "first"})
    alone = names[~several].set_index("name")[["symbols", "match_type", "priority"]]
    return pd.concat([alone, shared.assign(match_type="ambiguous")])
