"""Sparse tables of words and letters, and a linear model that is scored once."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from genept_utils import embed, evaluate
from genept_utils.chapters import cell_types


def test_words_are_all_words_of_unit_norm():
    made = evaluate.words(["the kinase binds the rare zyxin", "a kinase", "the the the", ""])
    assert made.shape == (4, 5)  # the, kinase, binds, rare, zyxin: none too common or too rare
    np.testing.assert_allclose(sp.linalg.norm(made, axis=1), [1, 1, 1, 0], rtol=1e-6)
    assert made[0].nnz == 5 and made[2].nnz == 1


def test_all_words_projected_keep_their_angles(monkeypatch):
    names = embed.read_embedding().obs_names[:40]
    rng = np.random.default_rng(0)
    texts = pd.Series([" ".join(f"word{i}" for i in rng.integers(0, 80, 30)) for _ in names], names)
    monkeypatch.setattr(embed, "texts", lambda kind: texts)
    made, whole = cell_types.projected_words(3000, seed=1), evaluate.words(texts)
    assert list(made.obs_names) == list(names) and made.X.dtype == np.float32
    assert made.shape == (40, 3000) and made.uns["genept"]["model"] == "all words"
    assert np.abs(embed.unit(made.X) @ embed.unit(made.X).T - (whole @ whole.T)).max() < .15
    assert not np.array_equal(made.X, cell_types.projected_words(3000, seed=2).X)


def test_letters_are_runs_of_two_to_four():
    made = evaluate.char_ngrams(["HOXA1", "HOXB2", "ZNF10"])
    assert (made @ made.T)[0, 1] > .2 and (made @ made.T)[0, 2] == 0


def test_scores_of_one_model_are_predicted_once():
    class Counting(LogisticRegression):
        asked = 0

        def predict(self, X):
            Counting.asked += 1
            return super().predict(X)

    X = np.random.default_rng(0).standard_normal((60, 3))
    evaluate.cv_scores(X, X[:, 0] > 0, Counting(), n_repeats=1,
                            scoring=["accuracy", "f1_macro"])
    assert Counting.asked == 5
