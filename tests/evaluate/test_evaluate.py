"""evaluate: splits and pair models against slow or known answers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from genept_utils import evaluate
from genept_utils.chapters import gene_interactions as chapter

# ------------------------------------------------------------------ gene level


@pytest.fixture
def two_classes():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 10))
    return X, (X[:, 0] + rng.standard_normal(200) > 0).astype(int)


@pytest.fixture
def pair_task():
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((300, 20)).astype(np.float32)
    pairs = rng.integers(0, 300, (3000, 2))
    margin = evaluate.pair_features(vectors, pairs)[:, 0] + rng.standard_normal(3000)
    return vectors, pairs, (margin > 0).astype(int)


def test_cross_validate_is_tidy_and_repeatable(two_classes):
    X, y = two_classes
    made = evaluate.cross_validate(X, y, repeats=3, scoring=["roc_auc", "accuracy"])
    assert len(made) == 15
    assert list(made.columns) == ["repeat", "fold", "n_train", "n_test", "roc_auc", "accuracy"]
    assert made["n_test"].sum() == 3 * 200
    pd.testing.assert_frame_equal(
        made, evaluate.cross_validate(X, y, repeats=3, scoring=["roc_auc", "accuracy"]))


def test_groups_stay_on_one_side_and_one_class_folds_are_nan(two_classes):
    X, y = two_classes
    groups = np.arange(200) // 10
    for train, test in evaluate.splits(y, groups=groups, repeats=2):
        assert not set(groups[train]) & set(groups[test])
    y = (np.arange(200) < 160).astype(int)
    made = evaluate.cross_validate(X, y, repeats=1, groups=np.arange(200) // 40)
    assert made["roc_auc"].isna().all()


def test_test_share_takes_repeated_random_splits(two_classes):
    X, y = two_classes
    made = evaluate.cross_validate(X, y, repeats=4, test_share=.3)
    assert len(made) == 4 and (made["n_test"] == 60).all() and (made["fold"] == 0).all()


@pytest.mark.parametrize("name", ["lr", "lr converged", "lr scaled", "rf"])
def test_named_classifiers_learn(two_classes, name):
    X, y = two_classes
    assert evaluate.cross_validate(X, y, name, repeats=1)["roc_auc"].mean() > .75


def test_spelling_reads_names():
    names = np.array([f"{stem}{i}" for i in range(60) for stem in ("ZNF", "HOX")], dtype=object)
    made = evaluate.cross_validate(names, np.arange(120) % 2, "spelling", repeats=1)
    assert made["roc_auc"].min() == 1


def test_unknown_classifier_is_named():
    with pytest.raises(ValueError, match="'svm' is not one of lr"):
        evaluate.classifier("svm")


def test_symbol_families():
    names = ["ZNF683", "ZNF10", "HOXA1", "HOXB13", "SOX2", "POU3F2", "CTSB", "CTSL", "MAX",
             "HLA-DRA", "C1orf112"]
    made = evaluate.families(names)
    assert made.tolist() == ["ZNF", "ZNF", "HOX", "HOX", "SOX", "POU", "CTS", "CTS", "MAX",
                             "HLA", "C"]
    with pytest.raises(ValueError, match="gene_group"):
        evaluate.families(names, "pathway")


@pytest.mark.parametrize("features", ["sum", "product", "difference"])
def test_fit_pairs_has_scikit_learns_coefficients(pair_task, features):
    vectors, pairs, y = pair_task
    weights, intercept = evaluate.fit_pairs(vectors, pairs, y, features)
    dense = evaluate.pair_features(vectors.astype(float), pairs, features)
    reference = LogisticRegression(tol=1e-10, max_iter=10_000).fit(dense, y)
    np.testing.assert_allclose(weights, reference.coef_[0], atol=1e-4)
    assert intercept == pytest.approx(reference.intercept_[0], abs=1e-4)
    np.testing.assert_allclose(
        evaluate.score_pairs(vectors, pairs, (weights, intercept), features),
        reference.decision_function(dense), atol=1e-3)


def test_fit_pairs_refuses_other_labels(pair_task):
    vectors, pairs, y = pair_task
    with pytest.raises(ValueError, match="0 and 1"):
        evaluate.fit_pairs(vectors, pairs, y + 1)


@pytest.mark.parametrize("call", [
    lambda vectors, pairs: evaluate.fit_pairs(vectors, pairs, np.arange(len(pairs)) % 2),
    lambda vectors, pairs: evaluate.pair_features(vectors, pairs),
    lambda vectors, pairs: evaluate.score_pairs(vectors, pairs, (np.ones(vectors.shape[1]), 0))])
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
