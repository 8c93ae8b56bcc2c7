"""Cells from genes: normalisation, GenePT-w, GenePT-s and the expression baseline."""

from genept_utils.cells.coexpression import coexpression
from genept_utils.cells.expression import highly_variable, pca
from genept_utils.cells.genept_s import genept_s
from genept_utils.cells.genept_w import genept_w, whiten, whitening
from genept_utils.cells.kernel import weighted_sum
from genept_utils.cells.names import by_symbol, gene_names, gene_vectors, matched_genes, only_genes
from genept_utils.cells.normalise import chosen, marks, normalise, scale_of
from genept_utils.cells.sentences import PREFIX, cell_sentences, spoken_names
from genept_utils.cells.values import Seen, judged, look

__all__ = ["PREFIX", "Seen", "by_symbol", "cell_sentences", "chosen", "coexpression", "gene_names",
           "gene_vectors", "genept_s", "genept_w", "highly_variable", "judged", "look", "marks",
           "matched_genes", "normalise", "only_genes", "pca", "scale_of", "spoken_names",
           "weighted_sum", "whiten", "whitening"]
