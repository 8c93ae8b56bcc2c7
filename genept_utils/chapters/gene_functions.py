"""Gene functions: the linear model of a class, its scores, and places of genes on a map."""

import warnings

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.multiclass import OneVsRestClassifier

from genept_utils import evaluate
from genept_utils.embed import gene_map
from genept_utils.evaluate import softmax

FEW = 32  # columns, below which many rows are equal


def along_axes(X):
    """The features of a method as :func:`fit` takes them; no fit is changed by it."""
    return X if sp.issparse(X) or X.shape[1] < FEW else softmax.along_axes(X)


def fit(X, y, rows, C, start=None):
    """L2 logistic regression. Dense vectors (:func:`along_axes`): all classes at once, from zero or
    from another fit; sparse tables: one class against the rest by liblinear, in a third of the
    time; few columns: equal rows are one that counts more, 100 iterations."""
    if sp.issparse(X):
        return OneVsRestClassifier(LogisticRegression(C=C, solver="liblinear")).fit(
            X[rows], y[rows])
    if X.shape[1] >= FEW:
        return softmax.softmax(X[rows], y[rows], C, start, scaled=True, gtol=1e-6, ftol=1e-7)
    names, codes = np.unique(y[rows], return_inverse=True)
    once, copies = np.unique(np.column_stack([X[rows], codes]), axis=0, return_counts=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=C).fit(once[:, :-1], names[once[:, -1].astype(int)], copies)


def scores(given, y, parts, only=None):
    """Accuracy and macro F1 per method and split; ``only``: a mask of the test rows of each."""
    made = []
    for method, answers in given.items():
        for fold, (answer, (_, test)) in enumerate(zip(answers, parts)):
            kept = slice(None) if only is None else only[fold]
            found, truth = answer[kept], y[test][kept]
            made.append({"method": method, "fold": fold, "n_test": len(truth),
                         "accuracy": np.mean(found == truth),
                         "f1_macro": f1_score(truth, found, average="macro")})
    return pd.DataFrame(made)


def coding_scores(inputs, symbols, y, strengths, seed=0):
    """ROC-AUC of a yes-or-no label in five folds, C chosen by three inner folds."""
    outer, made = evaluate.splits(y, 5, 1, None, seed), []
    cut = [part for train, test in outer for part in [(train, test), *(
        (train[a], train[b]) for a, b in evaluate.splits(y[train], 3, 1, None, seed))]]
    for method, source in inputs.items():
        X = evaluate.gene_input(source, symbols, seed)
        areas = np.array([[roc_auc_score(y[test], _plain(X, y, train, C).decision_function(X[test]))
                           for train, test in cut] for C in strengths]).reshape(len(strengths), 5, 4)
        best = areas[:, :, 1:].mean(axis=2).argmax(axis=0)
        made += [{"method": method, "fold": fold, "n_test": len(outer[fold][1]),
                  "roc_auc": areas[best[fold], fold, 0]} for fold in range(5)]
    return pd.DataFrame(made)


def _plain(X, y, rows, C):
    """scikit-learn's fit as it comes: labels of which one is rare need all its digits."""
    solver = {"solver": "liblinear"} if sp.issparse(X) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=C, **solver).fit(X[rows], y[rows])


def on_map(embedding, symbols, seed=0):
    """Two coordinates per gene (n, 2): those of the book's map for its own embedding, else UMAP."""
    if embedding == "minilm":
        return gene_map.read().loc[list(symbols)].to_numpy()
    from umap import UMAP

    return UMAP(random_state=seed, n_epochs=100, n_jobs=1).fit_transform(
        evaluate.gene_input(embedding, symbols, seed))
