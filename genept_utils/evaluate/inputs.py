"""What a method knows about genes, by name: the same inputs for classes and for pairs of genes."""

import warnings

import numpy as np
import pandas as pd

from genept_utils import embed
from genept_utils.embed.find import by_symbol
from genept_utils.embed.vectors import checked
from genept_utils.evaluate.classify import score_parts
from genept_utils.evaluate.counts import letters, words
from genept_utils.evaluate.pairs import fit_pairs, score_pairs
from genept_utils.evaluate.simple import fact_features, facts_of, is_fact
from genept_utils.evaluate.splits import splits

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
        letters of the symbols (:func:`letters`); ``"facts"`` or ``"facts/COLUMN"``, or columns of
        :func:`text_facts`: how long the text is and how much is known of the gene.
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
        return (letters if _is_letters(source) else words)(written)
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


def class_scores(inputs, symbols, y, seed=0, classifier="lr", folds=5, repeats=20, groups=None,
                 test_share=None, scoring="roc_auc"):
    """Cross-validated scores of several inputs on the same splits.

    Parameters
    ----------
    inputs : dict of str to source
        Method -> what it reads, as in :func:`gene_input`. Words and letters are classified by
        the classifiers ``"words"`` and ``"spelling"`` (:func:`classifier`).
    symbols, y : sequence
        (n,) genes and their labels.
    classifier : str
        Of vectors; by default logistic regression with scikit-learn's defaults.
    folds, repeats, groups, test_share, scoring
        As in :func:`cross_validate`.

    Returns
    -------
    dict of str to pandas.DataFrame
        Method -> the table of :func:`cross_validate`.
    """
    y = np.asarray(y)
    parts = splits(y, folds, repeats, groups, seed, test_share)
    made = {}
    for method, source in inputs.items():
        if _strings(source):
            kind = "spelling" if _is_letters(source) else "words"
            X = np.asarray(_written(source, symbols), dtype=object)
        else:
            kind, X = classifier, gene_input(source, symbols, seed)
        made[method] = score_parts(X, y, parts, len(parts) // repeats, kind, seed, scoring)
    return made


def pair_scores(inputs, symbols, train, test, features="sum", seed=0, C=1.0):
    """Scores of test pairs by logistic regressions that saw the training pairs.

    Parameters
    ----------
    inputs : dict of str to source
        Method -> what it reads, as in :func:`gene_input`.
    symbols : sequence of str
        (n_genes,) the genes that pairs number.
    train : tuple
        Pairs (n, 2) and labels (n,) for :func:`fit_pairs`.
    test : numpy.ndarray
        (m, 2) pairs.
    features, C
        As in :func:`fit_pairs`.

    Returns
    -------
    dict of str to numpy.ndarray
        Method -> (m,) decision values.
    """
    made, used = {}, np.concatenate([np.ravel(train[0]), np.ravel(test)])
    for method, source in inputs.items():
        known = gene_input(source, symbols, seed, used)
        made[method] = score_pairs(known, test, fit_pairs(known, *train, features, C), features)
    return made


def chosen_pairs(candidates, strengths, train, valid, test):
    """Scores of test pairs by the input and penalty that do best on validation pairs.

    Parameters
    ----------
    candidates : dict of str to matrix
        Gene matrices (n_genes, d), dense or sparse, by name.
    strengths : sequence of float
        Values of C (:func:`fit_pairs`).
    train, valid : tuple
        Pairs and labels.
    test : numpy.ndarray
        (m, 2) pairs.

    Returns
    -------
    tuple
        (m,) scores; the candidate's name, its C and its ROC-AUC on the validation pairs.
    """
    from sklearn.metrics import roc_auc_score

    best = None
    for name, known in candidates.items():
        for C in strengths:
            model = fit_pairs(known, *train, C=C)
            auc = roc_auc_score(valid[1], score_pairs(known, valid[0], model))
            if best is None or auc > best[-1]:
                best = score_pairs(known, test, model), name, C, auc
    return best


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
