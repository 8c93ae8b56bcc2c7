"""Biological processes of genes, as the Gene Ontology had them in 2020."""

import functools

import pandas as pd

from genept_utils import genes, sources

PROCESSES = "gene_sets/zhong_go_bp_2020.gmt"


def go_processes():
    """The GO biological processes that each gene is annotated with directly.

    Returns
    -------
    pandas.Series
        Per approved symbol a list of GO identifiers, for genes that have any.
    """
    return _of(sources.fetch(PROCESSES)).copy()


@functools.cache  # of a file, which may be missing another time
def _of(_):
    known = genes.hgnc()["entrez_id"].loc[lambda ids: ids != ""]
    table = genes.sets(PROCESSES)
    symbols = table["entrez_id"].map(pd.Series(known.index, known)).rename("symbol")
    return table["set"].rename("process").groupby(symbols).agg(list)
