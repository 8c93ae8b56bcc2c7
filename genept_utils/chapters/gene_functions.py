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


def fit(X, y, rows, C):
    """L2 logistic regression as published, 100 iterations; sparse tables one class against the
    rest by liblinear, in a third of the time."""
    model = (OneVsRestClassifier(LogisticRegression(C=C, solver="liblinear")) if sp.issparse(X)
             else LogisticRegression(C=C))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X[rows], y[rows])


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
        areas = np.array([[roc_auc_score(y[test], fit(X, y, train, C).decision_function(X[test]))
                           for train, test in cut] for C in strengths]).reshape(len(strengths), 5, 4)
        best = areas[:, :, 1:].mean(axis=2).argmax(axis=0)
        made += [{"method": method, "fold": fold, "n_test": len(outer[fold][1]),
                  "roc_auc": areas[best[fold], fold, 0]} for fold in range(5)]
    return pd.DataFrame(made)


def on_map(embedding, symbols, seed=0):
    """Two coordinates per gene (n, 2): those of the book's map for its own embedding, else UMAP."""
    if embedding == "minilm":
        return gene_map.read().loc[list(symbols)].to_numpy()
    from umap import UMAP

    return UMAP(random_state=seed, n_epochs=100, n_jobs=1).fit_transform(
        evaluate.gene_input(embedding, symbols, seed))
