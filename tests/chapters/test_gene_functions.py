"""Models of a class, their scores, and places on the book's map."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from genept_utils import embed, evaluate
from genept_utils.chapters import gene_functions as chapter


def test_dense_and_sparse_tables_are_learnt():
    draw = np.random.default_rng(0)
    y = np.array(["a", "b", "c"] * 20)
    X = np.eye(3)[np.arange(60) % 3] + draw.normal(0, .1, (60, 3))
    model, = chapter.fits(X[:40], y[:40], [10])
    assert (model.predict(X[40:]) == y[40:]).all()
    names = evaluate.char_ngrams([f"{label * 3}{number}" for number, label in enumerate(y)])
    model, = chapter.fits(names[:40], y[:40], [10])
    assert (model.predict(names[40:]) == y[40:]).all()


def test_scores_count_the_rows_asked_for():
    y, parts = np.array([0, 0, 1, 1]), [([0], [1, 2, 3])]
    made = chapter.scores({"m": [np.array([0, 1, 0])]}, y, parts)
    assert made[["accuracy", "n_test"]].iloc[0].tolist() == [pytest.approx(2 / 3), 3]
    only = chapter.scores({"m": [np.array([0, 1, 0])]}, y, parts, [[True, True, False]])
    assert only["accuracy"].iloc[0] == 1


def test_coding_scores_see_the_label():
    symbols = embed.read_embedding().obs_names[:80]
    axis = embed.read_embedding()[symbols].X[:, 0]
    made = chapter.coding_scores({"m": "minilm", "n": "letters"}, symbols,
                                 axis > np.median(axis), (1, 10))
    mean = made.groupby("method")["roc_auc"].mean()
    assert len(made) == 10 and mean["m"] > .7 and mean["m"] > mean["n"]


def test_the_default_embedding_has_the_places_of_the_map():
    symbols = ["TP53", "MDM2"]
    expected = chapter.read_map().loc[symbols].to_numpy()
    np.testing.assert_array_equal(chapter.on_map("minilm", pd.Series(symbols)), expected)


def test_equal_rows_of_few_columns_are_counted_once_with_the_same_fit():
    """After 100 steps, as scikit-learn has it, though the optimum is far."""
    draw = np.random.default_rng(0)
    X = draw.integers(0, 4, (600, 2)).astype(float)
    y = np.array(["a", "b", "c"])[(X[:, 0].astype(int) + draw.integers(0, 2, 600)) % 3]
    made, = chapter.fits(X[:500], y[:500], [10])
    wanted = LogisticRegression(C=10).fit(X[:500], y[:500])
    np.testing.assert_allclose(made.predict_proba(X), wanted.predict_proba(X), atol=1e-3)


def test_wide_vectors_are_learnt_along_their_axes():
    draw = np.random.default_rng(0)
    y = np.array(["a", "b", "c"] * 100)
    X = draw.normal(0, 1, (300, 40)) + 3 * np.eye(40)[np.arange(300) % 3]
    turned = chapter.along_axes(X)
    for C, model in zip((1, .1), chapter.fits(turned[:200], y[:200], (1, .1))):
        wanted = LogisticRegression(C=C).fit(X[:200], y[:200]).predict(X)
        assert (model.predict(turned) == wanted).mean() > .98
    names = evaluate.char_ngrams(["abc", "abd"])
    few = X[:, :3]
    assert chapter.along_axes(names) is names and chapter.along_axes(few) is few
