"""Several methods on several lists of genes: all on the same folds, scores as one table."""

import numpy as np
import pandas as pd

from genept_utils.evaluate.classify import nested
from genept_utils.evaluate.inputs import class_scores, gene_input
from genept_utils.evaluate.intervals import paired
from genept_utils.evaluate.splits import families
from genept_utils.evaluate.tables import summary

KEY = ["task", "dataset", "method", "classifier", "split"]


def task_scores(tasks, inputs, split, repeats, classifier="lr", family=None, seed=0):
    """ROC-AUC of every method on every task, per fold.

    Parameters
    ----------
    tasks : dict of tuple of str to pandas.DataFrame
        (task, dataset) -> ``symbol`` and ``label``, as :func:`genept_utils.datasets.gene_task`.
    inputs : dict of str to source
        Method -> what it reads, as in :func:`genept_utils.evaluate.gene_input`.
    split : str
        What the results call these folds.
    repeats : int
        How often five folds are drawn.
    classifier : str
        For vectors; words and letters have their own (:func:`class_scores`).
    family : {None, "symbol", "gene_group"}
        Keep families on one side (:func:`families`).
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row per fold: ``task``, ``dataset``, ``method``, ``classifier``, ``split``, ``n``
        genes, ``repeat``, ``fold``, ``n_train``, ``n_test``, ``roc_auc``.
    """
    made = []
    for (task, dataset), table in tasks.items():
        groups = None if family is None else families(table["symbol"], family)
        found = class_scores(inputs, table["symbol"], table["label"], seed,
                             classifier=classifier, repeats=repeats, groups=groups)
        made += [scores.assign(task=task, dataset=dataset, method=method, classifier=classifier,
                               split=split, n=len(table)) for method, scores in found.items()]
    return pd.concat(made, ignore_index=True)


def chosen_scores(tasks, inputs, candidates, method, split, repeats, classifier="lr", family=None,
                  seed=0):
    """As :func:`task_scores` for vectors that each training part chooses by inner folds.

    Parameters
    ----------
    candidates : sequence of str
        Names of ``inputs``, or several joined by " + ": their vectors side by side.
    method : str
        What the results call the choice.

    Returns
    -------
    pandas.DataFrame
        As :func:`task_scores`, with ``features``, the candidate chosen in each fold.
    """
    made = []
    for (task, dataset), table in tasks.items():
        groups = None if family is None else families(table["symbol"], family)
        known = {name: gene_input(inputs[name], table["symbol"], seed)
                 for name in {part for whole in candidates for part in whole.split(" + ")}}
        joined = {whole: np.hstack([known[part] for part in whole.split(" + ")])
                  for whole in candidates}
        found = nested(joined, table["label"], [classifier], repeats=repeats, groups=groups,
                       seed=seed)
        made.append(found.assign(task=task, dataset=dataset, method=method, split=split,
                                 n=len(table)))
    return pd.concat(made, ignore_index=True)


def task_rows(scores):
    """Scores of :func:`task_scores` as rows of results.

    Returns
    -------
    pandas.DataFrame
        One row per task, method, classifier and split: those columns, ``n`` genes, ``metric``,
        ``value``, ``low``, ``high`` (corrected resampled t interval over folds), ``repeats``.
    """
    return summary(scores, [*KEY, "n"], ["roc_auc"], "t")


def task_gains(scores, method, against):
    """Paired differences of a method to others, per task, classifier and split.

    Returns
    -------
    pandas.DataFrame
        ``task``, ``dataset``, ``classifier``, ``split``, ``method``, ``against``,
        ``difference``, ``low``, ``high``; splits that a method was not scored on are left out.
    """
    places = [name for name in KEY if name != "method"]
    wide = scores.pivot(index=[*places, "repeat", "fold"], columns="method", values="roc_auc")
    rows = []
    for key in scores[places].drop_duplicates().itertuples(index=False):
        part = wide.loc[tuple(key)]
        for other in against:
            if part[[method, other]].notna().any().all():
                gap = paired(part[method], part[other], .2)
                del gap["p"]
                rows.append(key._asdict()
                            | {"method": method, "against": other, **gap})
    return pd.DataFrame(rows)


def across_tasks(rows, column="method", digits=3):
    """Values of :func:`task_rows` with one column per task, in the order of the rows.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of one split; ``column`` names the lines.

    Returns
    -------
    pandas.DataFrame
        Rounded values; a task that has several data sets has a column for each.
    """
    several = rows.groupby("task")["dataset"].transform("nunique") > 1
    heads = rows["task"].where(~several, rows["task"] + " (" + rows["dataset"] + ")")
    table = rows.assign(head=heads).pivot(index=column, columns="head", values="value")
    table = table.loc[rows[column].drop_duplicates(), heads.drop_duplicates()]
    return table.round(digits).rename_axis(columns=None)
