"""The tasks of ``score``: an entry of TASKS each, made of the chapters' functions and settings.

What stands in a page's cells is taken from there, so that it is what the page shows.
"""

import functools
from typing import Callable, NamedTuple

import numpy as np
import pandas as pd

from genept_book import score_cells
from genept_book.score_cells import SEED, page
from genept_utils import datasets, evaluate, genes
from genept_utils.chapters import (chromatin_and_dosage, disease_and_function, gene_functions,
                                   gene_interactions, perturbations)

FEWER = "Folds of families are drawn five times, in the chapter ten times."
TERMS = ("A machine a term on the published folds; intervals are for other terms and genes, those "
         "of differences to published embeddings for other terms alone.")
PAIRED = "Intervals are over genes, which pairs share."
WHERE = ["split", "dataset"]  # columns that name a row of results within a task


class Task(NamedTuple):
    """One task: which genes it has, and the scores or decisions of one method on some of them."""

    chapter: str  # number of its page
    title: str
    metric: str
    kind: str  # of interval, as in `evaluate.summarise`; "pairs" and "correlations" are curves
    unit: tuple  # columns that name what is paired
    groups: Callable  # () -> Series of the group of each symbol; each must be covered
    run: Callable  # (method, source, symbols kept) -> DataFrame
    sources: dict = {}  # controls that this page reads in another way, or, with None, not at all
    published: str = ""  # gene sets on which others published scores term by term
    note: str = ""  # what a reader of its scores must know
    test_size: float = .2  # share of the rows that a split tests


# Read once a process; a task's controls share them.
_classes = functools.cache(gene_functions.gene_classes)
_pairs = functools.cache(gene_interactions.gene_pairs)
_task = functools.cache(chromatin_and_dosage.gene_task)
_activated = functools.cache(perturbations.genetic_interactions)


def classes(method, source, kept):
    """Functional classes: accuracy of each random split."""
    at, table = page("02", "STRENGTHS", "answers"), _classes()
    table = table[table["symbol"].isin(kept)]
    y = table["gene_type"].to_numpy()
    parts = evaluate.splits(y, n_repeats=at["n_splits"], seed=SEED, test_size=.3)
    return gene_functions.scores({method: at["answers"](source, table, parts)}, y, parts).assign(
        split="70/30 random rows", value=lambda made: made["accuracy"])


def _ends(name):
    return pd.Series("", np.unique(_pairs(name)[["a", "b"]]))


@functools.cache
def _cut(name):
    """Genes, ends and labels of pairs, and which of them are for training, for validation, to be
    fitted again (or None), and for testing: as the files have it, or, of a network, with families
    apart and unreported pairs of like degree."""
    table = _pairs(name)
    nodes, ends = np.unique(table[["a", "b"]], return_inverse=True)
    if name == "ggi":
        train, valid, test = ((table["split"] == part).to_numpy()
                              for part in ("train", "valid", "test"))
        return nodes, ends, table["label"].to_numpy(), train, valid, None, test
    share = page("03")["test_share"]
    family = evaluate.families(nodes)
    near, far = gene_interactions.node_disjoint(ends, share, SEED, family)
    sides = [gene_interactions.labelled(part, gene_interactions.matched_negatives(part, SEED))
             for part in (ends[near], ends[far])]
    every, y = (np.concatenate(both) for both in zip(*sides))
    whole = np.arange(len(y)) < len(sides[0][1])
    inner, outer = gene_interactions.node_disjoint(every, share, SEED + 1, family)
    return nodes, every, y, inner & whole, outer & whole, whole, ~whole


def pairs(name, method, source, kept):
    """Gene-gene and protein interactions: scores of the test pairs whose genes are both kept."""
    split, features = ("given files", "sum") if name == "ggi" else (
        "families disjoint, degree-matched negatives, product", "product")
    nodes, ends, y, *masks = _cut(name)
    has = np.isin(nodes, list(kept))[ends].all(axis=1)
    nodes, ends = np.unique(nodes[ends[has]], return_inverse=True)
    *parts, test = (mask if mask is None else mask[has] for mask in masks)
    if method == "degree":
        count = gene_interactions.degree(ends[test], len(nodes))
        scores = np.log(np.maximum(count, 1))[ends].sum(axis=1)
    else:
        scores = page("03", "STRENGTHS", "tuned", inputs={method: source})["tuned"](
            [method], nodes, ends, y[has], *parts, features)[0][method]
    a, b = nodes[ends[test]].T
    return pd.DataFrame({"a": a, "b": b, "label": y[has][test], "score": scores[test],
                         "split": split})


def two_classes(key, method, source, kept):
    """Dosage and chromatin: area of each test fold, random and of whole families."""
    table = _task(*key)
    table = table[table["symbol"].isin(kept)].reset_index(drop=True)
    at = page("05", "STRENGTHS", "cuts", "scored", "WITH_LENGTH", "run", "PLACE", "chosen",
             words=evaluate.text_facts(table["symbol"]))
    fits = at["run"]({key: table}, {method: source}, {
        f"{FOLDS} x {at['repeats']}": (split, at["repeats"])
        for FOLDS, split in (("5 random folds", None), ("5 folds by symbol family", "symbol"))})
    return at["chosen"](fits, "method").assign(value=lambda made: made["roc_auc"])


@functools.cache
def _terms(name):
    table = datasets.gene_sets(name)
    once = table["gene"].unique()
    return table.assign(symbol=table["gene"].map(pd.Series(genes.match(once).symbols, once)))


def _of_terms(name):
    symbols = _terms(name)["symbol"].unique()
    return pd.Series("", symbols[symbols != ""])


def terms(name, method, source, kept):
    """Gene sets: decisions on the hold-out genes of every term."""
    table = _terms(name)
    made = disease_and_function.sets_by_method(
        {method: source}, table[table["symbol"].isin(kept)].drop(columns="symbol"), SEED)
    older = np.where(made["fold"] == 4, "as many older genes", "hold-out")
    return made.assign(split=older)[["term", "gene", "label", "score", "split"]]


@functools.cache
def _effects():
    at = page("11")
    made = perturbations.perturbation_effects(at["dataset"], at["least"])
    return made[evaluate.has_input("gene2vec", made.index)]


def effects(method, source, kept):
    """Effects of genes that were never perturbed: centred cosine of each gene."""
    at = page("11", "LEARNERS", "weights", "fit", "run", "SPLITS")
    table = _effects()[_effects().index.isin(kept)]
    symbols, Y = table.index.to_numpy(), table.to_numpy()
    kernels = {method: perturbations.kernel(source, symbols, SEED)}
    return pd.concat([at["run"](kernels, symbols, Y, family).assign(split=split)
                      for split, family in at["SPLITS"].items()]).assign(
                          value=lambda made: made["centred cosine"])


def genetic(method, source, kept):
    """Genetic interactions of pairs that were never made: predicted and true values."""
    scores, fitness = _activated()
    some = scores.index.isin(kept)
    scores, fitness = scores.loc[some, some], fitness[some]
    at, made = page("11", "LEARNERS", "weights", "run_pairs", scores=scores, fitness=fitness), []
    K = perturbations.kernel(source, scores.index, SEED)
    for split, model in (("both genes new", perturbations.both_new),
                         ("one gene new", perturbations.one_new)):
        runs = [at["run_pairs"]({method: perturbations.relabelled(K, SEED + repeat)
                                 if method == "permuted" else K}, model, repeat)
                for repeat in range(at["repeats"])]
        (ends, truth), (_, found) = (perturbations.pair_table([
            part for run in runs for part in run[one]]) for one in ("truth", method))
        made.append(pd.DataFrame({"a": scores.index[ends[:, 0]], "b": scores.index[ends[:, 1]],
                                  "label": truth, "score": found, "split": split}))
    return pd.concat(made)


def _two(key, title):
    return Task("05", title, "roc_auc", "folds", ("repeat", "fold"),
                lambda: _task(*key).set_index("symbol")["label"].map({1: "first class",
                                                                     0: "second class"}),
                functools.partial(two_classes, key), note=FEWER)


def _sets(name, title):
    return Task("06", title, "roc_auc", "terms", ("term",), functools.partial(_of_terms, name),
                functools.partial(terms, name), {"GO processes": "wordllama/go"},
                published=name, note=TERMS)


def _paired(name, title, **more):
    return Task("03", title, "roc_auc", "pairs", ("gene",), functools.partial(_ends, name),
                functools.partial(pairs, name), note=PAIRED, **more)


TASKS = {  # as the chapters follow each other; the short ones come last
    "classes": Task("02", "Functional class", "accuracy", "folds", ("fold",),
                    lambda: _classes().drop_duplicates("symbol").set_index("symbol")["gene_type"],
                    classes, {"Gene2vec": None, "GO processes": None}, test_size=.3),
    "ggi": _paired("ggi", "Gene-gene interactions", sources={"degree": "degree"}),
    "litbm": _paired("Lit-BM", "Protein interactions, Lit-BM"),
    "huri": _paired("HuRI", "Protein interactions, HuRI"),
    "dosage": _two(("dosage-sensitive vs insensitive", "Theodoris"), "Dosage-sensitive factors"),
    "bivalent": _two(("bivalent vs non-methylated", "Theodoris"), "Bivalent vs non-methylated"),
    "bivalent-lys4": _two(("bivalent vs Lys4-only", "Theodoris"), "Bivalent vs Lys4-only"),
    "lys4": _two(("Lys4-only vs non-methylated", "Theodoris"), "Lys4-only vs non-methylated"),
    "range": _two(("long- vs short-range", "Chen 2020"), "Long- vs short-range factors"),
    "diseases": _sets("disease", "Genes of 103 diseases"),
    "functions": _sets("function", "Genes of 56 functions"),
    "later": _sets("later", "Genes annotated later than the texts"),
    "panels": Task("10", "Cell types across panels that share no gene", "accuracy", "units",
                   ("draw",), score_cells.measured, score_cells.panels,
                   {"TF-IDF, all words": None, "spelling, all n-grams": None,
                    "number of words": None, "TF-IDF": "tfidf/summary", "spelling": "spelling",
                    "GO processes": "wordllama/go"}, note=score_cells.PANELS),
    "clusters": Task("07", "Clusters of cells", "ari", "units", ("set",), score_cells.in_sets,
                     score_cells.clusters,
                     {"number of words": None, "random": "random", score_cells.PCA: "random"},
                     note=score_cells.CLUSTERS),
    "perturbations": Task(
        "11", "Effect of a gene that was never perturbed", "centred cosine", "units", ("gene",),
        lambda: pd.Series("", _effects().index), effects,
        note="LINCS, genes that Gene2vec has; the mean profile is taken off."),
    "genetic-interactions": Task(
        "11", "Genetic interactions", "Pearson r", "correlations", ("gene",),
        lambda: pd.Series("", _activated()[0].index), genetic, note=PAIRED),
}
