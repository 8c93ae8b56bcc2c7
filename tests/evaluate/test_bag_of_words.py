"""Sparse tables of words and letters, and linear models on them."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from genept_utils import evaluate
from genept_utils.evaluate.bag_of_words import counted, vectoriser


def test_words_are_all_words_of_unit_norm():
    made = evaluate.words(["the kinase binds the rare zyxin", "a kinase", "the the the", ""])
    assert made.shape == (4, 5)  # the, kinase, binds, rare, zyxin: none too common or too rare
    np.testing.assert_allclose(sp.linalg.norm(made, axis=1), [1, 1, 1, 0], rtol=1e-6)
    assert made[0].nnz == 5 and made[2].nnz == 1


def test_letters_are_runs_of_two_to_four():
    made = evaluate.char_ngrams(["HOXA1", "HOXB2", "ZNF10"])
    assert (made @ made.T)[0, 1] > .2 and (made @ made.T)[0, 2] == 0


def test_the_words_classifier_reads_a_rare_word():
    draw = np.random.default_rng(0)
    filler = np.array(["protein", "gene", "membrane", "domain", "family", "binds"])
    y = np.arange(120) % 3
    texts = np.array([" ".join([*draw.choice(filler, 8), f"word{label}"]) for label in y], object)
    made = evaluate.cv_scores(texts, y, "words", n_repeats=1, scoring=["accuracy"])
    assert made["accuracy"].min() == 1
    shuffled = evaluate.cv_scores(texts, draw.permutation(y), "words", n_repeats=1,
                                       scoring=["accuracy"])
    assert shuffled["accuracy"].mean() < .55


@pytest.mark.parametrize("kind", ["words", "letters"])
def test_counted_once_the_weights_are_still_those_of_the_training_rows(kind):
    texts = ["the kinase binds the zyxin", "a kinase", "the the the", "rare zyxin", "", "actin"]
    counts, step = counted(texts, kind)
    train, test = np.array([0, 1, 2]), np.array([3, 4, 5])
    reference = vectoriser(kind).fit([texts[row] for row in train])
    step.fit(counts[train])
    for rows in (train, test):
        expected = reference.transform([texts[row] for row in rows])
        assert step.transform(counts[rows]).shape == expected.shape
        assert abs(step.transform(counts[rows]) - expected).max() == 0


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
