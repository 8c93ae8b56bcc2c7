"""Chromatin and dosage: features of one scale, and areas within strata."""

import numpy as np
import scipy.sparse as sp

from genept_utils import evaluate

DIGITS = 3  # of the largest score: what differs by less is a tie broken by rounding


def features(source, symbols, seed=0):
    """Gene matrix of an input whose rows have a mean squared length of 1, so that one grid of
    penalties fits all inputs."""
    X = evaluate.gene_input(source, symbols, seed).astype(float)
    total = X.multiply(X).sum() if sp.issparse(X) else (X**2).sum()
    return X / np.sqrt(total / X.shape[0])


def auc(y, scores, rows, stratum=None):
    """ROC-AUC of some rows; with ``stratum`` (n,) only genes of one stratum are compared. NaN
    where there is nothing to compare."""
    y, scores = np.asarray(y, dtype=bool)[rows], scores[rows]
    scores = np.round(scores / max(np.abs(scores).max(), 1e-300), DIGITS)
    more, less = scores[y][:, None], scores[~y]
    won = (more > less) + (more == less) / 2
    if stratum is not None:
        stratum = np.asarray(stratum)[rows]
        won = won[stratum[y][:, None] == stratum[~y]]
    return won.mean() if won.size else np.nan


def across(rows, split, lines="method"):
    """Values of one split with one column a task."""
    some = rows[rows["split"] == split]
    heads = (some["task"] + " (" + some["dataset"] + ")").str.removesuffix(" (Theodoris)")
    several = some.groupby("task")["dataset"].transform("nunique") > 1
    heads = heads.where(several, some["task"])
    return some.assign(task=heads).pivot_table("value", lines, "task", sort=False).round(3)
