"""Decisions of pairs for each penalty: as one fit at a time gives them; pairs of facts; names of
other genes in a text."""

import numpy as np
import pandas as pd
import pytest

from genept_utils import embed, evaluate
from genept_utils.chapters import gene_interactions as chapter


@pytest.fixture(scope="module")
def pairs():
    draw = np.random.default_rng(0)
    symbols = embed.read_embedding().obs_names[:40]
    ends = draw.integers(0, 40, (300, 2))
    return symbols, ends, (ends.sum(axis=1) + draw.integers(0, 40, 300) > 60).astype(int)


@pytest.mark.parametrize("features", ["sum", "product"])
@pytest.mark.parametrize("source", ["minilm", "letters"])
def test_every_penalty_and_part_is_a_fit_of_its_own(pairs, source, features):
    symbols, ends, y = pairs
    parts = np.array([np.arange(300) < 200, np.arange(300) > 50])
    made = chapter.Fits(source, symbols, ends, y, parts, (.1, 1), features)
    known = evaluate.gene_input(source, symbols)
    for C in (.1, 1):
        for part, rows in enumerate(parts):
            model = evaluate.fit_pairs(known, ends[rows], y[rows], features, C)
            expected = evaluate.score_pairs(known, ends, model, features)
            np.testing.assert_allclose(made(part, C), expected, atol=.05)


def test_facts_of_both_genes_do_not_know_their_order():
    facts = pd.DataFrame({"a": [1., 3, 5], "b": [0., 0, 0]})
    made = chapter.both_values(facts, np.array([[0, 2], [2, 0]]))
    np.testing.assert_allclose(made[0], made[1])
    np.testing.assert_allclose(made[0], [0, 0, np.sqrt(6), 0, -1.5, 0])


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
    return chapter.named_genes(TEXTS, NAMES)


def test_names_are_whole_words_and_the_longer_one_counts(mentions):
    found = [(row.symbol, TEXTS[row.symbol][row.start:row.end], row.named)
             for row in mentions.itertuples()]
    assert found == [("TP53", "MDM2", "MDM2"), ("MDM2", "Tumor Protein p53", "TP53"),
                     ("IL2", "interleukin 21", "IL21"), ("IL2", "CAT", "CAT"),
                     ("CAT", "IL-2", "IL2"), ("CAT", "IL2", "IL2")]


def test_pairs_in_which_a_text_names_the_partner(mentions):
    a, b = ["TP53", "IL2", "CAT", "IL21"], ["IL2", "CAT", "TP53", "IL2"]
    assert chapter.names_partner(mentions, a, b).tolist() == [False, True, False, True]


def test_shared_sets_are_counted():
    sets = pd.Series({"A1": ["x", "y", "z"], "A2": ["y", "z"], "A3": ["w"], "A4": []})
    made = chapter.shared_sets(sets, ["A1", "A1", "A4", "A1", "none"],
                                ["A2", "A3", "A1", "none", "none"])
    np.testing.assert_array_equal(made, [2, 0, 0, 0, 0])
