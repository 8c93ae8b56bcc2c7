"""Cross-validation, intervals, paired comparison, metrics: one method a file.

Splitters and estimators are scikit-learn's; what is added here is what the book needs around
them: families, controls, paired differences, and honest intervals. Nothing here plots.
"""

from genept_utils import optional, renamed

optional.need("sklearn")

from genept_utils.evaluate.classify import classifier, cv_scores, label_scores
from genept_utils.evaluate.clusters import clustering
from genept_utils.evaluate.compare import compare, summarise
from genept_utils.evaluate.gene_spaces import GeneSpaces, standardise
from genept_utils.evaluate.inputs import (char_ngrams, gene_input, has_input, read_inputs,
                                          text_facts, words)
from genept_utils.evaluate.intervals import interval, mean_interval, spread
from genept_utils.evaluate.layout import umap_layout
from genept_utils.evaluate.logistic import logistic_path
from genept_utils.evaluate.panels import (across_panels, always_training, panel_predictions, panels,
                                          shared_genes)
from genept_utils.evaluate.roc import (auc_influence, donor_auc, donor_auc_difference,
                                       mean_of_terms, pair_roc, term_areas)
from genept_utils.evaluate.sets import overview, read_sets, readable
from genept_utils.evaluate.splits import families, splits, strata, subsample
from genept_utils.evaluate.transfer import transfer_labels, write_predictions
from genept_utils.evaluate.ways import on_same_genes, pairs_alike, score_all, ways, write, written

__getattr__ = renamed.names(__name__, letters="char_ngrams", each="score_all",
                            cross_validate="cv_scores")
