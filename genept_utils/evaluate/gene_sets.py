"""One support vector machine a term: which genes belong to a disease, a function, a pair list.

The protocol is that of Zhong et al. (2025), ``gene_level_benchmarks.py``: a C-SVC with balanced
classes, C by the mean ROC-AUC of three folds, then fitted to all three and tested once on the
hold-out. Products are computed once a term, so that the five values of C and the four training
sets share them; :func:`genept_utils.evaluate.svm.optima` finds the same optimum as scikit-learn.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.stats import rankdata

from genept_utils import embed, genes
from genept_utils.evaluate.inputs import gene_input, has_input
from genept_utils.evaluate.simple import is_fact

C_VALUES = (0.1, 1.0, 10.0, 100.0, 1000.0)
HOLDOUT = 3


def sets_by_method(inputs, table, seed=0):
    """Decision values of every hold-out gene of every term, by method.

    Parameters
    ----------
    inputs : dict of str to source
        Method -> what it reads, as in :func:`gene_input`. Vectors go with the radial kernel,
        counts of words and letters with the linear one. Two or three numbers a gene ("facts")
        are tried up to C = 10: beyond, the curve only bends more, and a fit takes minutes.
    table : pandas.DataFrame
        Of :func:`genept_utils.datasets.gene_sets`. A method leaves out genes that it lacks.

    Returns
    -------
    pandas.DataFrame
        ``method`` and the columns of :func:`score_sets`, as :func:`summarise` and
        :func:`compare` take them with ``kind="terms"``.
    """
    unique, found = pd.Index(table["gene"].unique()), []
    for method, source in inputs.items():
        X, row = _known(source, unique, seed)
        scores = score_sets(X, table.assign(row=row[table["gene"]].to_numpy()), _kernel(X),
                            values=C_VALUES[:3] if is_fact(source) else C_VALUES)
        scores.insert(0, "method", method)
        found.append(scores)
    return pd.concat(found, ignore_index=True).astype({"method": "category"})


def pairs_by_method(inputs, pairs, folds, seed=0):
    """Test ROC-AUC of pairs in every fold, by method: :func:`score_pair_folds` for each input."""
    unique, found = pd.Index(pd.unique(pairs[["a", "b"]].to_numpy().ravel())), []
    for method, source in inputs.items():
        X, row = _known(source, unique, seed)
        ends = np.column_stack([row[pairs["a"]], row[pairs["b"]]])
        scores = score_pair_folds(X, ends, pairs["label"].to_numpy(), folds, _kernel(X),
                                  seed=seed)
        found.append(scores.assign(method=method, fold=range(len(folds))))
    return pd.concat(found, ignore_index=True)


def _known(source, entrez, seed):
    """Vectors of the genes that a method knows, and the row of each Entrez id (-1: none)."""
    symbols = genes.match(entrez).symbols
    if isinstance(source, str) and not source.startswith(("words/", "letters", "facts")):
        source = embed.read_embedding(source, seed)
    has = (symbols != "") & has_input(source, symbols)
    row = pd.Series(np.where(has, np.cumsum(has) - 1, -1), entrez)
    return gene_input(source, symbols[has], seed), row


def _kernel(X):
    return "linear" if sp.issparse(X) else "rbf"


def score_sets(vectors, table, kernel="rbf", C=None, values=C_VALUES):
    """Decision values of the hold-out genes of every term.

    Parameters
    ----------
    vectors : numpy.ndarray or scipy.sparse matrix
        (n_genes, d).
    table : pandas.DataFrame
        As :func:`genept_utils.datasets.gene_sets` gives it, with a column ``row``: the row of
        ``vectors`` of each gene, -1 where it has none (such genes are left out).
    kernel : {"rbf", "linear"}
        See :func:`score_term`.
    C : pandas.Series, optional
        By term, the C to use; by default the folds choose it among ``values``.

    Returns
    -------
    pandas.DataFrame
        One row per hold-out gene: ``term``, ``gene``, ``fold``, ``label``, ``score`` and the
        term's ``C``. A term without both classes in training is left out.
    """
    found = []
    for term, part in table[table["row"] >= 0].groupby("term", sort=False):
        rows, label, fold = (part[name].to_numpy() for name in ("row", "label", "fold"))
        scores, used = score_term(vectors[rows], label, fold, kernel,
                                  None if C is None else C[term], values=values)
        if scores is not None:
            held = part.loc[fold >= HOLDOUT, ["term", "gene", "fold", "label"]]
            found.append(held.assign(score=scores, C=used))
    return pd.concat(found, ignore_index=True)


def score_term(X, label, fold, kernel="rbf", C=None, dots=None, values=C_VALUES):
    """Decision values of one term's hold-out genes.

    Parameters
    ----------
    X : numpy.ndarray or scipy.sparse matrix
        (n, d) vectors of the term's genes.
    label : numpy.ndarray
        (n,) 0 or 1.
    fold : numpy.ndarray
        (n,) 0, 1, 2 for training, and 3 or more for the hold-out.
    kernel : {"rbf", "linear"}
        ``"rbf"`` with scikit-learn's ``gamma="scale"`` of each training set, as published;
        ``"linear"`` for counts of words, where the dot product of two rows is what they share.
    C : float, optional
        By default the folds choose it among ``values``.
    dots : numpy.ndarray, optional
        What :func:`products` gives for ``X``, where it is known already; it is overwritten.

    Returns
    -------
    tuple
        (n_held_out,) decision values, but for a constant, None where the training set has one
        class only; and the C.
    """
    shared = _shared(products(X) if dots is None else dots, kernel)
    if C is None:
        inner = [((fold != test) & (fold < HOLDOUT), fold == test) for test in range(HOLDOUT)]
        C = _best_C(X, shared, label, inner, kernel, values)
    found = _over_C(X, shared, label, fold < HOLDOUT, fold >= HOLDOUT, [C], kernel)
    return (found[0] if found else None), C


def score_pair_folds(vectors, pairs, label, folds, kernel="rbf", ratio=3, seed=0):
    """Test ROC-AUC of pairs in nested folds, from the sum of the vectors of the two genes.

    As :func:`score_term`, but training draws ``ratio`` negatives for each positive, which keeps
    the kernel of ten thousand pairs out of memory; all pairs of a test fold are scored.

    Parameters
    ----------
    vectors : numpy.ndarray or scipy.sparse matrix
        (n_genes, d).
    pairs : numpy.ndarray
        (n, 2) row numbers into ``vectors``, -1 where a gene has none (such pairs are left out).
    label : numpy.ndarray
        (n,) 0 or 1.
    folds : list of dict
        As :func:`genept_utils.datasets.lethal_pairs` gives them.

    Returns
    -------
    pandas.DataFrame
        One row per fold: ``roc_auc``, ``C``, ``n_test``.
    """
    known, rows = (pairs >= 0).all(axis=1), []
    rng = np.random.default_rng(seed)
    for fold in folds:
        train, test = (np.array(fold[part])[known[fold[part]]] for part in ("train", "test"))
        inside, outside = train[label[train] == 1], train[label[train] == 0]
        some = min(len(outside), ratio * len(inside))
        used = np.concatenate([inside, rng.choice(outside, some, replace=False), test])
        X = vectors[pairs[used, 0]] + vectors[pairs[used, 1]]
        shared = _shared(products(X), kernel)
        inner = [tuple(np.isin(used, part) for part in parts) for parts in fold["inner"]]
        C = _best_C(X, shared, label[used], inner, kernel)
        is_test = np.arange(len(used)) >= len(used) - len(test)
        scores = _over_C(X, shared, label[used], ~is_test, is_test, [C], kernel)[0]
        rows.append({"roc_auc": area(label[test], scores), "C": C, "n_test": len(test)})
    return pd.DataFrame(rows)


def products(X, known=None, changed=None):
    """Dot products of all rows with each other.

    Parameters
    ----------
    X : numpy.ndarray or scipy.sparse matrix
        (n, d).
    known : numpy.ndarray, optional
        (n, n) products of the same rows before those numbered ``changed`` changed.

    Returns
    -------
    numpy.ndarray
        (n, n)
    """
    made = np.empty((X.shape[0],) * 2, dtype=X.dtype) if known is None else known.copy()
    rows = np.arange(len(made)) if known is None else np.asarray(changed)
    for start in range(0, len(rows), 512):  # of words nearly full, and smaller when dense
        some = rows[start:start + 512]
        part = X[some] @ X.T
        made[some] = part.toarray() if sp.issparse(part) else part
    if known is not None:
        made[:, rows] = made[rows].T
    return made


def _shared(dots, kernel):
    """(n, n) what all kernels of a set are made of, in the place of the dot products: these
    themselves, or squared distances."""
    if kernel == "linear":
        return dots
    if kernel != "rbf":
        raise ValueError(f"kernel {kernel!r} is not one of rbf, linear")
    size = np.diagonal(dots).copy()
    dots *= -2
    dots += size[:, None]
    dots += size
    return np.maximum(dots, 0, out=dots)


def _best_C(X, shared, label, inner, kernel, values=C_VALUES):
    """The C with the best mean ROC-AUC over (train, test) masks; the smallest of equal ones."""
    areas = np.full((len(inner), len(values)), np.nan)
    for number, (train, test) in enumerate(inner):
        for place, scores in enumerate(_over_C(X, shared, label, train, test, values, kernel)):
            areas[number, place:] = area(label[test], scores)  # a larger C may be the same
    mean = areas.mean(axis=0)
    return 1.0 if np.isnan(mean).all() else values[int(np.nanargmax(mean))]


def _over_C(X, shared, label, train, test, values, kernel):
    """Decision values of the test rows for each C, from products or squared distances of all
    rows; none where the training rows are of one class, fewer where larger ones are the same."""
    from genept_utils.evaluate import svm

    train, test = np.flatnonzero(train), np.flatnonzero(test)
    if len(np.unique(label[train])) < 2:
        return []
    known, asked = shared[np.ix_(train, train)], shared[np.ix_(test, train)]
    if kernel == "rbf":
        for part in (known, asked):
            part *= -1 / (X.shape[1] * _variance(X[train]))
            np.exp(part, out=part)
    known = known.astype(np.float32, copy=False)
    return [asked @ signed.astype(asked.dtype) for signed in
            svm.optima(known, label[train], values)]


def area(label, scores):
    """ROC-AUC, NaN with one class: as scikit-learn's, without its checks of every call."""
    inside = np.asarray(label) == 1
    if inside.all() or not inside.any():
        return np.nan
    ranks = rankdata(scores)[inside]
    return (ranks.mean() - (inside.sum() + 1) / 2) / (~inside).sum()


def _variance(X):
    """Variance of all numbers, as ``gamma="scale"`` takes it; of sparse ones too."""
    if sp.issparse(X):
        return X.multiply(X).mean() - X.mean() ** 2
    return X.var()
