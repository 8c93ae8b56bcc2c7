"""Gene feature matrices by method name, for classes and for pairs of genes."""

import warnings

import numpy as np
import pandas as pd

from genept_utils import embed
from genept_utils.embed.vectors import by_symbol, checked
from genept_utils.evaluate.bag_of_words import char_ngrams, words
from genept_utils.evaluate.simple import fact_features, facts_of, is_fact


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
