"""Cross-validation, intervals, pair tasks, clustering agreement: one method a file.

Splitters and estimators are scikit-learn's; what is added here is what the book needs around
them: families, node-disjoint and degree-matched pairs, and honest intervals. Nothing here plots.
"""

from genept_utils import optional

optional.need("sklearn")

from genept_utils.evaluate.agreement import agreement, shared_neighbours
from genept_utils.evaluate.classify import classifier, cross_validate
from genept_utils.evaluate.clusters import asw, clustering
from genept_utils.evaluate.compare import compare, summarise
from genept_utils.evaluate.counts import letters, projected_words, words
from genept_utils.evaluate.gene_spaces import (
    GeneSpaces,
    on_shared_genes,
    relabelled,
    side_by_side,
    standardise,
)
from genept_utils.evaluate.inputs import gene_input, has_input, read_inputs
from genept_utils.evaluate.intervals import interval, mean_interval, spread
from genept_utils.evaluate.logistic import logistic_path
from genept_utils.evaluate.neighbours import (
    cell_typing,
    knn_predict,
    label_scores,
    neighbour_agreement,
    neighbours_and_width,
)
from genept_utils.evaluate.pairs import fit_pairs, pair_features, score_pairs
from genept_utils.evaluate.panels import (
    across_panels,
    always_training,
    panel_predictions,
    panels,
    shared_genes,
)
from genept_utils.evaluate.roc import (
    donor_auc,
    donor_auc_difference,
    mean_of_terms,
    pair_roc,
    stratified_auc,
    term_areas,
)
from genept_utils.evaluate.sets import overview, read_sets, readable
from genept_utils.evaluate.simple import text_facts
from genept_utils.evaluate.splits import families, small_share, splits, strata, subsample
from genept_utils.evaluate.ways import each, on_same_genes, pairs_alike, ways, write, written
from genept_utils.evaluate.transfer import transfer_labels, write_predictions

__all__ = ["GeneSpaces", "across_panels", "agreement", "always_training", "asw", "cell_typing",
           "classifier", "clustering", "compare", "cross_validate", "donor_auc",
           "donor_auc_difference", "each", "families", "fit_pairs", "gene_input", "has_input",
           "interval", "knn_predict", "label_scores", "letters", "logistic_path", "mean_interval",
           "mean_of_terms", "neighbour_agreement", "neighbours_and_width", "on_same_genes",
           "on_shared_genes", "overview", "pair_features", "pair_roc", "pairs_alike",
           "panel_predictions", "panels", "projected_words", "read_inputs", "read_sets",
           "readable", "relabelled", "score_pairs", "shared_genes", "shared_neighbours",
           "side_by_side", "small_share", "splits", "spread", "standardise", "strata",
           "stratified_auc", "subsample", "summarise", "term_areas", "text_facts",
           "transfer_labels", "ways", "words", "write", "write_predictions", "written"]
