"""Texts as counts of all their words, names as counts of all their letters: sparse, not cut.

An embedding of a few hundred numbers keeps the frequent words of a text; a linear model can use
the rare ones as well. These tables are the bag of words that a language model has to beat.
"""

import numpy as np

_OPTIONS = {"words": {"sublinear_tf": True},
            "letters": {"analyzer": "char_wb", "ngram_range": (2, 4)}}


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

    return TfidfVectorizer(dtype=np.float32, **_OPTIONS[kind])
