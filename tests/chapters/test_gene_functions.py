"""Models of a class, their scores, and places on the book's map."""

import numpy as np
import pandas as pd
import pytest

from genept_utils import embed, evaluate
from genept_utils.chapters import gene_functions as chapter
from genept_utils.embed import gene_map


def test_dense_and_sparse_tables_are_learnt():
    draw = np.random.default_rng(0)
    y = np.array(["a", "b", "c"] * 20)
    X = np.eye(3)[np.arange(60) % 3] + draw.normal(0, .1, (60, 3))
    assert (chapter.fit(X, y, np.arange(40), 10).predict(X[40:]) == y[40:]).all()
    names = evaluate.char_ngrams([f"{label * 3}{number}" for number, label in enumerate(y)])
    assert (chapter.fit(names, y, np.arange(40), 10).predict(names[40:]) == y[40:]).all()


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
    expected = gene_map.read().loc[symbols].to_numpy()
    np.testing.assert_array_equal(chapter.on_map("minilm", pd.Series(symbols)), expected)
