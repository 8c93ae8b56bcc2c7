"""Decisions of pairs for each penalty: as one fit at a time gives them; pairs of facts; names of
other genes in a text."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

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
            table = chapter.pair_features(known, ends, features)
            fit = LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(table[rows], y[rows])
            expected = fit.decision_function(table)
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


@pytest.fixture
def pair_task():
    draw = np.random.default_rng(1)
    vectors = sp.random_array((300, 60), density=.2, rng=draw, format="csr", dtype=np.float32)
    pairs = draw.integers(0, 300, (3000, 2))
    return vectors, pairs, draw.standard_normal(3000)


@pytest.mark.parametrize("features", ["sum", "product"])
def test_sparse_pairs_have_scikit_learns_scores(pair_task, features):
    vectors, pairs, noise = pair_task
    kept = (pairs > 9).all(axis=1)  # some genes stand in no pair
    pairs, noise = pairs[kept], noise[kept]
    dense = chapter.pair_features(vectors.toarray().astype(float), pairs, features)
    y = (dense[:, :5].sum(axis=1) + .2 * noise > .4).astype(int)
    model = chapter.fit_pairs(vectors, pairs, y, features)
    reference = LogisticRegression(tol=1e-10, max_iter=10_000).fit(dense, y)
    np.testing.assert_allclose(model[0], reference.coef_[0], atol=2e-3)
    np.testing.assert_allclose(chapter.score_pairs(vectors, pairs, model, features),
                               reference.decision_function(dense), atol=5e-3)


def test_fit_pairs_refuses_other_labels(pair_task):
    vectors, pairs, _ = pair_task
    with pytest.raises(ValueError, match="0 and 1"):
        chapter.fit_pairs(vectors, pairs, np.arange(3000) % 2 + 1)


@pytest.mark.parametrize("call", [
    lambda vectors, pairs: chapter.fit_pairs(vectors, pairs, np.arange(len(pairs)) % 2),
    lambda vectors, pairs: chapter.pair_features(vectors, pairs),
    lambda vectors, pairs: chapter.score_pairs(vectors, pairs, (np.ones(vectors.shape[1]), 0))])
def test_a_pair_with_a_gene_without_a_vector_is_refused(pair_task, call):
    """-1 would take the vector of the last gene."""
    vectors, pairs = pair_task[:2]
    pairs = np.array(pairs)
    call(vectors, pairs)
    pairs[3, 1] = -1
    with pytest.raises(ValueError, match=rf"1 of {len(pairs):,} pairs name a gene without"):
        call(vectors, pairs)


@pytest.mark.parametrize("draw", [chapter.random_negatives, chapter.matched_negatives])
def test_negatives_are_new_distinct_and_as_many(draw):
    rng = np.random.default_rng(0)
    ends = rng.zipf(1.6, (4000, 2)) % 500
    pairs = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    made = draw(pairs, seed=3)
    known = set(map(tuple, pairs))
    assert made.shape == pairs.shape
    assert len(set(map(tuple, made))) == len(made)
    assert not any(tuple(pair) in known for pair in made)
    assert (made[:, 0] != made[:, 1]).all()


def test_matched_negatives_have_the_degrees_of_the_pairs():
    rng = np.random.default_rng(0)
    weight = 1 / np.arange(5, 1005)
    ends = rng.choice(1000, (3000, 2), p=weight / weight.sum())
    pairs = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    of = chapter.degree(pairs, 1000)
    matched = chapter.degree(chapter.matched_negatives(pairs), 1000)
    uniform = chapter.degree(chapter.random_negatives(pairs), 1000)
    assert np.corrcoef(of, matched)[0, 1] > .9 > np.corrcoef(of, uniform)[0, 1]


def test_too_dense_a_network_is_refused():
    pairs = np.array([(i, j) for i in range(8) for j in range(i)])
    with pytest.raises(ValueError, match="dense"):
        chapter.random_negatives(pairs)


def test_node_disjoint_sides_share_no_gene(pair_task):
    pairs = pair_task[1]
    train, test = chapter.node_disjoint(pairs)
    assert not set(pairs[train].ravel()) & set(pairs[test].ravel())
    assert 0 < test.sum() < train.sum() < len(pairs)
    family = np.arange(300) // 10
    train, test = chapter.node_disjoint(pairs, groups=family)
    assert not set(family[pairs[train].ravel()]) & set(family[pairs[test].ravel()])
