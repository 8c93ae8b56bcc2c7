"""Cells from genes: normalisation, GenePT-w, GenePT-s and the expression baseline."""

from genept_utils.cells.coexpression import coexpression
from genept_utils.cells.expression import highly_variable, pca
from genept_utils.cells.genept_w import genept_w, whiten, whitening
from genept_utils.cells.kernel import weighted_sum
from genept_utils.cells.names import by_symbol, gene_vectors, matched_genes
from genept_utils.cells.normalise import MatrixSummary, infer_scale, normalise, scale_of, summarise
from genept_utils.cells.sentences import PREFIX, cell_sentences, genept_s, sentence_names
from genept_utils.datasets.matrix import declared_scale, select_matrix
from genept_utils.genes import only_genes
