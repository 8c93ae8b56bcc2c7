"""Decisions of pairs for each penalty: as one fit at a time gives them; pairs of facts."""

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
