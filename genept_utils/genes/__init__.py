"""The gene table, and names to genes; nothing about texts."""

from genept_utils.genes.features import gene_features, kinds, only_genes
from genept_utils.genes.lookup import count_fraction, look_up, of_table
from genept_utils.genes.match import identified, match, of_cells, of_file, totals_of
from genept_utils.genes.matched import Keys, Matched
from genept_utils.genes.paste import Pasted, pasted
from genept_utils.genes.species import species_name
from genept_utils.genes.synonyms import MATCH_TYPES
from genept_utils.genes.table import (ENSEMBL, HGNC, IDENTIFIERS, PROTEIN_CODING, REFSEQ,
                                      gene_table, hgnc, sets)
