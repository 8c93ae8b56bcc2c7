"""Chapter 5: the tasks of Table 1, features of one scale, and areas within strata."""

import ast

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import evaluate, genes, sources

_BIVALENT, _LYS4, _NONE = (f"gene_tasks/{name}_gene_labels.txt"
                           for name in ("bivalent", "lys4_only", "no_methylation"))
_CHEN = "gene_tasks/41467_2020_16106_MOESM4_ESM.csv"
_RANGE = "gene_tasks/tf_regulatory_range.csv"
_DOSAGE = "gene_tasks/dosage_sens_tf_labels.csv"
# (task, dataset) as in published.csv -> the key (and list) of the positive and the negative genes
GENE_TASKS = {
    ("dosage-sensitive vs insensitive", "Theodoris"): (
        (_DOSAGE, "dosage_sensitive"), (_DOSAGE, "dosage_insensitive")),
    ("bivalent vs non-methylated", "Theodoris"): ((_BIVALENT, None), (_NONE, None)),
    ("bivalent vs Lys4-only", "Theodoris"): ((_BIVALENT, None), (_LYS4, None)),
    ("Lys4-only vs non-methylated", "Theodoris"): ((_LYS4, None), (_NONE, None)),
    ("long- vs short-range", "Chen 2020"): (
        (_CHEN, "long-range TF"), (_CHEN, "short-range TF")),
    # the headers of this file are swapped, and the list that it calls long-range has 46 genes
    ("long- vs short-range", "Theodoris"): ((_RANGE, "long_range"), (_RANGE, "short_range")),
}
# what the tables of the page call them
SHORT = dict(zip(GENE_TASKS, ("dosage", "bivalent", "bivalent vs Lys4", "Lys4", "range, Chen",
                              "range")))
DIGITS = 3  # of the largest score: what differs by less is a tie broken by rounding


def gene_task(task, dataset="Theodoris"):
    """Genes of a key of :data:`GENE_TASKS`: ``symbol`` (approved, each once) and ``label`` (1 for
    the class that the task names first). ``.attrs["loss"]`` counts ``lines`` read, ``unmatched``
    and ``repeated`` ones, ``contradictory`` genes (on both lists, left out) and ``genes`` kept."""
    if (task, dataset) not in GENE_TASKS:
        known = "; ".join(" / ".join(key) for key in GENE_TASKS)
        raise ValueError(f"gene task {task!r} / {dataset!r} is not one of {known}")
    lists = [_gene_list(key, column) for key, column in GENE_TASKS[task, dataset]]
    table = pd.DataFrame({"name": [name for part in lists for name in part],
                          "label": [1] * len(lists[0]) + [0] * len(lists[1])})
    table["symbol"] = genes.match(table["name"]).symbols
    lines, table = len(table), table[table["symbol"] != ""]
    matched, table = len(table), table.drop_duplicates(["symbol", "label"])
    distinct = len(table)
    table = table[~table["symbol"].duplicated(keep=False)]
    kept = table[["symbol", "label"]].reset_index(drop=True)
    kept.attrs["loss"] = {"lines": lines, "unmatched": lines - matched,
                          "repeated": matched - distinct,
                          "contradictory": (distinct - len(kept)) // 2, "genes": len(kept)}
    return kept


def _gene_list(key, column):
    path = sources.fetch(key)
    if key == _CHEN:
        table = pd.read_csv(path, index_col=0, keep_default_na=False)
        return table.index[table["assignment"] == column].tolist()
    if key == _RANGE:
        return ast.literal_eval(pd.read_csv(path, index_col=0).loc[column, "label"])
    if column:
        return pd.read_csv(path)[column].dropna().tolist()
    return path.read_text().split()


def features(source, symbols, seed=0):
    """Gene matrix (float32) of an input whose rows have a mean squared length of 1, so that one
    grid of penalties fits all inputs."""
    X = evaluate.gene_input(source, symbols, seed).astype(np.float32)
    total = (X.data if sp.issparse(X) else X).ravel()
    return (X / np.sqrt(total @ total / X.shape[0])).astype(np.float32)


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


def short(table, split=None):
    """The rows of one split, or all, whose column ``task`` has the names of :data:`SHORT`."""
    some = table if split is None else table[table["split"] == split]
    return some.assign(task=[SHORT[key] for key in zip(some["task"], some["dataset"])])


def across(rows, split):
    """Values of one split with one column a task."""
    return short(rows, split).pivot_table("value", "method", "task", sort=False).round(3)
