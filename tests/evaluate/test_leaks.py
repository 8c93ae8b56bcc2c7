"""Names of other genes in a text: found as words, masked for partners only; shared sets."""

import numpy as np
import pandas as pd
import pytest

from genept_utils import evaluate

NAMES = pd.Series({"TP53": ["TP53", "tumor protein p53", "P53"], "MDM2": ["MDM2", "HDM2"],
                   "IL2": ["IL2", "interleukin 2", "IL-2"], "IL21": ["IL21", "interleukin 21"],
                   "CAT": ["CAT", "catalase"], "A": ["A"]})
TEXTS = pd.Series({
    "TP53": "TP53 tumor protein p53. It binds MDM2 and a cat.",
    "MDM2": "MDM2 proto-oncogene. Degrades Tumor Protein p53; MDM2B is no gene.",
    "IL2": "IL2 interleukin 2. Unlike interleukin 21, a catalase (CAT) is no cytokine.",
    "CAT": "CAT catalase. It needs IL-2 and IL2 and A."})


@pytest.fixture
def mentions():
    return evaluate.named_genes(TEXTS, NAMES)


def test_names_are_whole_words_and_the_longer_one_counts(mentions):
    found = [(row.symbol, TEXTS[row.symbol][row.start:row.end], row.named)
             for row in mentions.itertuples()]
    assert found == [("TP53", "MDM2", "MDM2"), ("MDM2", "Tumor Protein p53", "TP53"),
                     ("IL2", "interleukin 21", "IL21"), ("IL2", "CAT", "CAT"),
                     ("CAT", "IL-2", "IL2"), ("CAT", "IL2", "IL2")]


def test_pairs_in_which_a_text_names_the_partner(mentions):
    a, b = ["TP53", "IL2", "CAT", "IL21"], ["IL2", "CAT", "TP53", "IL2"]
    assert evaluate.names_partner(mentions, a, b).tolist() == [False, True, False, True]


def test_shared_sets_are_counted():
    sets = pd.Series({"A1": ["x", "y", "z"], "A2": ["y", "z"], "A3": ["w"], "A4": []})
    made = evaluate.shared_sets(sets, ["A1", "A1", "A4", "A1", "none"],
                                ["A2", "A3", "A1", "none", "none"])
    np.testing.assert_array_equal(made, [2, 0, 0, 0, 0])
