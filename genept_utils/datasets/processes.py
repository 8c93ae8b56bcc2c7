"""Biological processes of genes, as the Gene Ontology had them in 2020."""

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
    lines = sources.fetch(PROCESSES).read_text(encoding="utf-8").splitlines()
    rows = [(entrez, line.split("\t", 1)[0]) for line in lines
            for entrez in dict.fromkeys(line.split("\t")[2:])]
    table = pd.DataFrame(rows, columns=["entrez", "process"])
    known = genes.hgnc()["entrez_id"].loc[lambda ids: ids != ""]
    table["symbol"] = table["entrez"].map(pd.Series(known.index, known))
    return table.dropna().groupby("symbol")["process"].agg(list)
