"""Cross-validation, intervals, pair tasks, clustering agreement: one method a file.

Splitters and estimators are scikit-learn's; what is added here is what the book needs around
them: families, node-disjoint and degree-matched pairs, and honest intervals. Nothing here plots.
"""

from genept_utils import extras

extras.need("sklearn")

from genept_utils.evaluate import finetune
from genept_utils.evaluate.batches import integration
from genept_utils.evaluate.classify import classifier, cross_validate, nested
from genept_utils.evaluate.clusters import asw, clustering
from genept_utils.evaluate.counts import letters, words
from genept_utils.evaluate.donors import leave_one_donor_out
from genept_utils.evaluate.inputs import class_scores, gene_input, has_input, pair_scores
from genept_utils.evaluate.intervals import bootstrap, interval, paired, spread, summary
from genept_utils.evaluate.negatives import (
    degree,
    matched_negatives,
    node_disjoint,
    random_negatives,
    strata,
)
from genept_utils.evaluate.neighbours import cell_typing, knn_predict, label_scores
from genept_utils.evaluate.pairs import fit_pairs, pair_features, score_pairs
from genept_utils.evaluate.panels import (
    across_panels,
    panel_predictions,
    panels,
    relabelled,
    standardise,
)
from genept_utils.evaluate.programs import cosine_threshold, explained_by, gene_programs
from genept_utils.evaluate.roc import bootstrap_pairs, stratified_auc
from genept_utils.evaluate.sets import differences, drawn, each, read_sets
from genept_utils.evaluate.splits import families, splits, subsample
from genept_utils.evaluate.tables import area_gains, areas, by_method, gains

__all__ = ["across_panels", "area_gains", "areas", "asw", "bootstrap", "bootstrap_pairs",
           "by_method", "cell_typing", "class_scores", "classifier", "clustering",
           "cosine_threshold", "cross_validate", "degree", "differences", "drawn", "each",
           "explained_by", "families", "finetune", "fit_pairs", "gains", "gene_input",
           "gene_programs", "has_input", "integration", "interval", "knn_predict", "label_scores",
           "leave_one_donor_out", "letters", "matched_negatives", "nested", "node_disjoint",
           "pair_features", "pair_scores", "paired", "panel_predictions", "panels",
           "random_negatives", "read_sets", "relabelled", "score_pairs", "splits", "spread",
           "standardise", "strata", "stratified_auc", "subsample", "summary", "words"]
