"""The gene table, and names to genes; nothing about texts."""

from genept_utils.genes.lookup import HOW
from genept_utils.genes.match import Matched, identified, mass, match
from genept_utils.genes.table import ENSEMBL, HGNC, IDENTIFIERS, REFSEQ, gene_table, hgnc

__all__ = ["ENSEMBL", "HGNC", "HOW", "IDENTIFIERS", "REFSEQ", "Matched", "gene_table", "hgnc",
           "identified", "mass", "match"]
