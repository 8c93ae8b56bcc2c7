"""Gene feature matrices by method name, for classes and for pairs of genes."""

import warnings

import numpy as np
import pandas as pd

from genept_utils import embed
from genept_utils.embed.vectors import by_symbol
from genept_utils.embed.vectors import checked
from genept_utils.evaluate.bag_of_words import char_ngrams, words
from genept_utils.evaluate.simple import fact_features, facts_of, is_fact

WORDS, LETTERS = "words", "letters"


def has_input(source, symbols):
    """Mask (n,) of the genes that an input of :func:`gene_input` knows."""
    if _strings(source) or is_fact(source):
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
    if _strings(source):
        written = _written(source, symbols)
        return (char_ngrams if _is_letters(source) else words)(written)
    if is_fact(source):
        return fact_features(facts_of(source, symbols))
    found = _read(source, seed)
    rows = _rows(found, symbols)
    missing = rows < 0
    asked = np.arange(len(rows)) if needed is None else np.unique(needed)
    if missing[asked].any():
        absent = asked[missing[asked]]
        example = np.asarray(symbols, dtype=object)[absent[0]]
        warnings.warn(f"{len(absent):,} of {len(asked):,} genes ({example}, ...) have no vector "
                      f"in {found.uns['genept']['model']} and count as zeros", stacklevel=2)
    X = found.X[rows]
    X[missing] = 0
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
            continue
        if _strings(name):
            made[method] = name if _is_letters(name) else pd.Series(_written(name, asked), asked)
            continue
        found = _read(name, seed)
        rows = _rows(found, asked)
        made[method] = found[rows[rows >= 0]].copy()
    return made


def _strings(source):
    """Whether the input is a text or a name, and not a vector."""
    return (isinstance(source, pd.Series) or _is_letters(source)
            or isinstance(source, str) and source.startswith(f"{WORDS}/"))


def _is_letters(source):
    return isinstance(source, str) and source == LETTERS


def _written(source, symbols):
    if isinstance(source, pd.Series):
        return source.loc[list(symbols)]
    if _is_letters(source):
        return list(symbols)
    text = source.removeprefix(f"{WORDS}/")
    unique = list(dict.fromkeys(symbols))
    return embed.texts(text, unique).loc[list(symbols)]


def _read(source, seed):
    return embed.read_embedding(source, seed) if isinstance(source, str) else checked(source)


def _rows(embedding, symbols):
    """Row of each symbol, -1 where there is none."""
    return by_symbol(embedding).reindex(list(symbols)).fillna(-1).to_numpy(int)
