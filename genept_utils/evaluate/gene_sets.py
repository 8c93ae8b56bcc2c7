"""One support vector machine a term: which genes belong to a disease, a function, a pair list.

The protocol is that of Zhong et al. (2025), ``gene_level_benchmarks.py``: scikit-learn's ``SVC``
with balanced classes, C by the mean ROC-AUC of three folds, then fitted to all three and tested
once on the hold-out. Distances are computed once a term, so that the five values of C and the
four training sets share them.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import embed, genes
from genept_utils.evaluate.inputs import gene_input, has_input
from genept_utils.evaluate.intervals import mean_interval

C_VALUES = (0.1, 1.0, 10.0, 100.0, 1000.0)
HOLDOUT = 3


def sets_by_method(inputs, table, seed=0):
    """Hold-out ROC-AUC of every term, by method, each on the genes that it knows.

    Parameters
    ----------
    inputs : dict of str to source
        Method -> what it reads, as in :func:`gene_input`. Vectors go with the radial kernel,
        counts of words and letters with the linear one.
    table : pandas.DataFrame
        Of :func:`genept_utils.datasets.gene_sets`.

    Returns
    -------
    pandas.DataFrame
        ``method``, ``term``, ``name`` and the columns of :func:`score_sets`.
    """
    unique, found = pd.Index(table["gene"].unique()), []
    names = table.drop_duplicates("term").set_index("term")["name"]
    for method, source in inputs.items():
        X, row = _known(source, unique, seed)
        scores = score_sets(X, table.assign(row=row[table["gene"]].to_numpy()),
                            "linear" if sp.issparse(X) else "rbf")
        found.append(scores.reset_index().assign(method=method))
    every = pd.concat(found, ignore_index=True)
    every.insert(0, "name", every["term"].map(names))
    return every


def pairs_by_method(inputs, pairs, folds, seed=0):
    """Test ROC-AUC of pairs in every fold, by method: :func:`score_pair_folds` for each input."""
    unique, found = pd.Index(pd.unique(pairs[["a", "b"]].to_numpy().ravel())), []
    for method, source in inputs.items():
        X, row = _known(source, unique, seed)
        ends = np.column_stack([row[pairs["a"]], row[pairs["b"]]])
        scores = score_pair_folds(X, ends, pairs["label"].to_numpy(), folds,
                                  "linear" if sp.issparse(X) else "rbf", seed=seed)
        found.append(scores.assign(method=method, fold=range(len(folds))))
    return pd.concat(found, ignore_index=True)


def _known(source, entrez, seed):
    """Vectors of the genes that a method knows, and the row of each Entrez id (-1: none)."""
    if isinstance(source, str) and not source.startswith("words/") and source != "letters":
        source = embed.read_embedding(source, seed)
    symbols = genes.match(entrez).symbols
    has = (symbols != "") & has_input(source, symbols)
    row = pd.Series(np.where(has, np.cumsum(has) - 1, -1), entrez)
    return gene_input(source, symbols[has], seed), row


def over_terms(scores, draws=1000, seed=0):
    """Mean over terms by method, with the interval of terms drawn again.

    Returns
    -------
    pandas.DataFrame
        ``method``, ``value``, ``low``, ``high``, ``n`` (terms), best first.
    """
    rows = []
    for method, part in scores.groupby("method", sort=False):
        value, low, high = _mean(part["roc_auc"].to_numpy(), draws, seed)
        rows.append({"method": method, "value": value, "low": low, "high": high, "n": len(part)})
    return pd.DataFrame(rows).sort_values("value", ascending=False, ignore_index=True)


def term_gains(scores, method, against, draws=1000, seed=0):
    """Differences of a method to others, term by term: columns as in :func:`gains`."""
    by_term, rows = scores.pivot(index="term", columns="method", values="roc_auc"), []
    for other in against:
        both = (by_term[method] - by_term[other]).dropna().to_numpy()
        value, low, high = _mean(both, draws, seed)
        rows.append({"method": method, "against": other, "difference": value, "low": low,
                     "high": high, "terms": len(both)})
    return pd.DataFrame(rows)


def _mean(values, draws, seed):
    return mean_interval(values)


def score_sets(vectors, table, kernel="rbf", C=None):
    """Hold-out ROC-AUC of every term.

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
        By term, the C to use; by default the folds choose it.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``term``: ``roc_auc``, ``C``, ``n`` (genes used), ``positives`` among them.
    """
    import sklearn

    found = {}
    # each call of scikit-learn checks its numbers anew, which takes as long as a small fit
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        for term, part in table[table["row"] >= 0].groupby("term", sort=False):
            rows, label, fold = (part[name].to_numpy() for name in ("row", "label", "fold"))
            found[term] = score_term(vectors[rows], label, fold, kernel,
                                     None if C is None else C[term])
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("term")


def score_term(X, label, fold, kernel="rbf", C=None, dots=None):
    """Hold-out ROC-AUC of one term.

    Parameters
    ----------
    X : numpy.ndarray or scipy.sparse matrix
        (n, d) vectors of the term's genes.
    label : numpy.ndarray
        (n,) 0 or 1.
    fold : numpy.ndarray
        (n,) 0, 1, 2, and 3 for the hold-out.
    kernel : {"rbf", "linear"}
        ``"rbf"`` with scikit-learn's ``gamma="scale"`` of each training set, as published;
        ``"linear"`` for counts of words, where the dot product of two rows is what they share.
    C : float, optional
        By default the folds choose it.
    dots : numpy.ndarray, optional
        What :func:`products` gives for ``X``, where it is known already; it is overwritten.

    Returns
    -------
    dict
        ``roc_auc`` (NaN where a training set or the hold-out has one class only), ``C``, ``n``,
        ``positives``.
    """
    shared = _shared(products(X) if dots is None else dots, kernel)
    result = {"roc_auc": np.nan, "C": C, "n": len(label), "positives": int(label.sum())}
    if C is None:
        inner = [((fold != test) & (fold != HOLDOUT), fold == test) for test in range(HOLDOUT)]
        result["C"] = _best_C(X, shared, label, inner, kernel)
    result["roc_auc"] = _over_C(X, shared, label, fold != HOLDOUT, fold == HOLDOUT,
                                [result["C"]], kernel)[0]
    return result


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
        value = _over_C(X, shared, label[used], ~is_test, is_test, [C], kernel)[0]
        rows.append({"roc_auc": value, "C": C, "n_test": len(test)})
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


def _best_C(X, shared, label, inner, kernel):
    """The C with the best mean ROC-AUC over (train, test) masks; the smallest of equal ones."""
    mean = np.mean([_over_C(X, shared, label, *parts, C_VALUES, kernel) for parts in inner],
                   axis=0)
    return 1.0 if np.isnan(mean).all() else C_VALUES[int(np.nanargmax(mean))]


def _over_C(X, shared, label, train, test, values, kernel):
    """ROC-AUC on the test rows for each C, from products or squared distances of all rows."""
    from scipy.stats import rankdata
    from sklearn.svm import SVC

    scores = np.full(len(values), np.nan)
    train, test = np.flatnonzero(train), np.flatnonzero(test)
    if len(np.unique(label[train])) < 2 or len(np.unique(label[test])) < 2:
        return scores
    known, asked = shared[np.ix_(train, train)], shared[np.ix_(test, train)]
    if kernel == "rbf":
        for part in (known, asked):
            part *= -1 / (X.shape[1] * _variance(X[train]))
            np.exp(part, out=part)
    known = known.astype(np.float64)
    weight = len(train) / (2 * np.bincount(label[train]))[label[train]]  # the classes balanced
    inside = label[test] == 1
    for number, C in enumerate(values):
        model = SVC(C=C, kernel="precomputed", shrinking=False).fit(
            known, label[train], sample_weight=weight)
        ranks = rankdata(asked[:, model.support_] @ model.dual_coef_[0])[inside]
        scores[number] = (ranks.mean() - (inside.sum() + 1) / 2) / (~inside).sum()
        bound = C * weight[model.support_]
        if (np.abs(model.dual_coef_[0]) < bound * (1 - 1e-6)).all():
            scores[number:] = scores[number]  # no row is held back by C: a larger one is the same
            break
    return scores


def _variance(X):
    """Variance of all numbers, as ``gamma="scale"`` takes it; of sparse ones too."""
    if sp.issparse(X):
        return X.multiply(X).mean() - X.mean() ** 2
    return X.var()
