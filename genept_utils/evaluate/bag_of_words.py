"""Texts as counts of all their words, names as counts of all their letters: sparse, not cut.

An embedding of a few hundred numbers keeps the frequent words of a text; a linear model can use
the rare ones as well. These tables are the bag of words that a language model has to beat.
"""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfTransformer

_OPTIONS = {"words": {"dtype": np.float32},
            "letters": {"dtype": np.float32, "analyzer": "char_wb", "ngram_range": (2, 4)}}


def words(texts):
    """TF-IDF of all words of the texts: no stop words, no smallest count, no SVD.

    Parameters
    ----------
    texts : sequence of str
        (n,) texts. The weight of a word comes from all of them; no label is seen.

    Returns
    -------
    scipy.sparse.csr_matrix
        (n, n_words) float32, rows of unit L2 norm. Features for any linear model of
        scikit-learn.
    """
    return vectoriser("words").fit_transform(list(texts))


def char_ngrams(names):
    """TF-IDF of all runs of 2 to 4 letters of the names; as :func:`words` otherwise."""
    return vectoriser("letters").fit_transform(list(names))


def vectoriser(kind):
    """scikit-learn's ``TfidfVectorizer`` behind :func:`words` or :func:`char_ngrams`."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=kind == "words", **_OPTIONS[kind])


def counted(texts, kind):
    """Texts split once for many fits, and the step that weighs the counts as a vectoriser would.

    Parameters
    ----------
    texts : sequence of str
        (n,) texts or names.
    kind : {"words", "letters"}

    Returns
    -------
    counts : scipy.sparse.csr_matrix
        (n, n_words) how often each text holds each word.
    step : Weights
        Fitted to some rows of the counts it gives what :func:`vectoriser` gives fitted to the
        texts of these rows: words and their weights are those of the training rows alone.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counts = CountVectorizer(**_OPTIONS[kind]).fit_transform(list(texts))
    return counts, Weights(kind == "words")


class Weights(TransformerMixin, BaseEstimator):
    """TF-IDF of the words that the rows hold to which it is fitted; other words do not count."""

    def __init__(self, sublinear_tf=False):
        self.sublinear_tf = sublinear_tf

    def fit(self, counts, y=None):
        self.seen_ = np.flatnonzero(counts.getnnz(axis=0))
        self.weights_ = TfidfTransformer(sublinear_tf=self.sublinear_tf).fit(
            counts[:, self.seen_])
        return self

    def transform(self, counts):
        return self.weights_.transform(counts[:, self.seen_])
