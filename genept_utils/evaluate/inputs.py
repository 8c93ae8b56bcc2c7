"""Gene feature matrices by method name: vectors, bags of words and letters, facts about a text.

An embedding of a few hundred numbers keeps the frequent words of a text; a linear model can use
the rare ones as well. The bag of all words is what a language model has to beat.
"""

import warnings

import numpy as np
import pandas as pd

from genept_utils import datasets, embed, genes
from genept_utils.embed.vectors import by_symbol, checked

_OPTIONS = {"words": {"sublinear_tf": True},
            "letters": {"analyzer": "char_wb", "ngram_range": (2, 4)}}


def has_input(source, symbols):
    """Mask (n,) of the genes that an input of :func:`gene_input` knows."""
    if _is_text(source) or is_fact(source):
        return np.ones(len(symbols), dtype=bool)
    return _rows(_read(source, 0), symbols) >= 0


def gene_input(source, symbols, seed=0, needed=None):
    """Numbers for each gene, whatever a method reads.

    Parameters
    ----------
    source : str, pandas.Series, pandas.DataFrame or anndata.AnnData
        A name of :func:`genept_utils.embed.read_embedding` or an embedding; ``"words/TEXT"``:
        all words of that text (:func:`words`), or a Series of texts by symbol; ``"letters"``: the
        letters of the symbols (:func:`char_ngrams`); ``"facts"`` or ``"facts/COLUMN"``, or columns
        of :func:`text_facts`: how long the text is and how much is known of the gene.
    symbols : sequence of str
        (n,) approved symbols.
    needed : array-like, optional
        Row numbers that will be used; only these are warned about.

    Returns
    -------
    numpy.ndarray or scipy.sparse.csr_matrix
        (n, d). A gene without a vector has zeros, and a warning counts such genes.
    """
    if _is_text(source):
        return (char_ngrams if _is_letters(source) else words)(_written(source, symbols))
    if is_fact(source):
        return fact_features(facts_of(source, symbols))
    found = _read(source, seed)
    rows, names = _rows(found, symbols), np.asarray(symbols, dtype=object)
    asked = slice(None) if needed is None else np.unique(needed)
    missing = rows[asked] < 0
    if missing.any():
        warnings.warn(f"{missing.sum():,} of {len(missing):,} genes ({names[asked][missing][0]}, "
                      f"...) have no vector in {found.uns['genept']['model']} and count as zeros",
                      stacklevel=2)
    X = found.X[rows]
    X[rows < 0] = 0
    return X


def read_inputs(names, symbols, seed=0):
    """Embeddings by method, cut to some genes: ten of all genes would take a gigabyte.

    Parameters
    ----------
    names : dict of str to str
        Method -> an input of :func:`gene_input`.
    symbols : sequence of str
        Approved symbols; those without a vector are left out.

    Returns
    -------
    dict of str to source
        Method -> embedding, texts or facts of these genes; letters stay the name that they are.
    """
    made, asked = {}, pd.unique(np.asarray(symbols, dtype=object))
    for method, name in names.items():
        if is_fact(name):
            made[method] = facts_of(name, asked)
        elif _is_text(name):
            made[method] = name if _is_letters(name) else pd.Series(_written(name, asked), asked)
        else:
            found = _read(name, seed)
            rows = _rows(found, asked)
            made[method] = found[rows[rows >= 0]].copy()
    return made


def _is_text(source):
    """Whether the input is a text or a name, and not a vector."""
    return (isinstance(source, pd.Series) or _is_letters(source)
            or isinstance(source, str) and source.startswith("words/"))


def _is_letters(source):
    return isinstance(source, str) and source == "letters"


def _written(source, symbols):
    if _is_letters(source):
        return list(symbols)
    if isinstance(source, str):
        source = embed.texts(source.removeprefix("words/"), list(dict.fromkeys(symbols)))
    return source.loc[list(symbols)]


def _read(source, seed):
    return embed.read_embedding(source, seed) if isinstance(source, str) else checked(source)


def _rows(embedding, symbols):
    """Row of each symbol, -1 where there is none."""
    return by_symbol(embedding).reindex(list(symbols)).fillna(-1).to_numpy(int)


def text_facts(symbols):
    """Three numbers of a gene that say nothing of what its text says.

    Parameters
    ----------
    symbols : sequence of str
        (n,) approved symbols; one may stand several times.

    Returns
    -------
    pandas.DataFrame
        (n, 3) float, indexed by symbol: ``"number of words"`` of name and RefSeq summary, as
        log(1 + words); ``"has a summary"``, 1 where RefSeq has one; ``"number of GO processes"``
        that the Gene Ontology gave the gene directly in 2020, as log(1 + processes).

    Raises
    ------
    KeyError
        A symbol has no text.
    genept_utils.sources.SourceError
        A file cannot be had.
    """
    once = pd.Index(pd.unique(np.asarray(symbols, dtype=object)))
    made = pd.DataFrame({
        "number of words": np.log1p(embed.texts("summary", once).str.split().str.len()),
        "has a summary": (genes.gene_table()["summary"].loc[once] != "").astype(float),
        "number of GO processes": np.log1p(
            datasets.go_processes().str.len().reindex(once).fillna(0)),
    }, index=once)
    return made.loc[list(symbols)]


def fact_features(facts):
    """Features of a linear model that may follow each number along a curve.

    Parameters
    ----------
    facts : pandas.DataFrame
        (n, k) columns of :func:`text_facts`.

    Returns
    -------
    numpy.ndarray
        (n, d) float: every column with zero mean and unit variance, followed by the seven cubic
        B-splines of scikit-learn's ``SplineTransformer`` with five knots where the column has
        more than two values. No label is seen.
    """
    from sklearn.preprocessing import SplineTransformer, StandardScaler

    made = []
    for values in StandardScaler().fit_transform(facts.to_numpy(dtype=float)).T[..., None]:
        made.append(values)
        if len(np.unique(values)) > 2:
            made.append(SplineTransformer(5).fit_transform(values))
    return np.hstack(made)


def is_fact(source):
    """Whether an input is ``"facts"``, ``"facts/COLUMN"`` or columns of :func:`text_facts`."""
    return (isinstance(source, pd.DataFrame)
            or isinstance(source, str) and source.partition("/")[0] == "facts")


def facts_of(source, symbols, facts=None):
    """The columns that such an input names, (n, k) in the order of the genes; ``facts`` are their
    :func:`text_facts` where these were read before."""
    if isinstance(source, pd.DataFrame):
        return source.loc[list(symbols)]
    facts, column = text_facts(symbols) if facts is None else facts, source.partition("/")[2]
    if column and column not in facts:
        raise ValueError(f"fact {column!r} is not one of {', '.join(facts)}")
    return facts[[column]] if column else facts


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
