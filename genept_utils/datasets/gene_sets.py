"""Genes of diseases and of functions, with published folds; processes of genes by GO.

The folds and the scores of 38 embeddings on them are those of Zhong, Li, Dannenfelser and Yao
(2025), bioRxiv 2025.01.29.635607; ``"later"`` is their test on genes annotated afterwards.
"""

import functools

import pandas as pd

from genept_utils import genes, pickles, sources

FOLDS = ("cv_fold1", "cv_fold2", "cv_fold3", "holdout")
_FILES = {"disease": "omim", "function": "go", "later": "later"}
PROCESSES = "gene_sets/zhong_go_bp_2020.gmt"  # of the Gene Ontology, as of 2020
_GO = (PROCESSES, "gene_sets/zhong_go_exp.gmt")
_NAMES = {"disease": ("gene_sets/zhong_omim.gmt",), "function": _GO, "later": _GO}
# What these pickles hold besides pandas frames of numpy arrays.
ALLOWED = {**pickles.FRAMES, "pandas.core.indexes.range": {"RangeIndex"},
            "pandas._libs.internals": {"_unpickle_block"}}


def gene_sets(task):
    """Genes inside and outside of each term, in the published folds.

    Parameters
    ----------
    task : {"disease", "function", "later"}
        103 diseases (OMIM genes, Disease Ontology terms), 56 biological processes (GO), or 19
        processes whose hold-out are genes annotated after 28 March 2024.

    Returns
    -------
    pandas.DataFrame
        One row per term, fold and gene: ``term`` (identifier), ``name``, ``gene`` (Entrez, str),
        ``label`` (0/1) and ``fold`` (0, 1, 2; 3 is the hold-out). ``"later"`` has a second
        hold-out, fold 4: as many genes annotated before, with the same genes outside.

    Raises
    ------
    ValueError
        No such task.
    genept_utils.sources.SourceError
        A file cannot be had.
    """
    names, parts = term_names(task), []
    for number, fold in enumerate((*FOLDS, "holdout_older") if task == "later" else FOLDS):
        path = sources.fetch(f"gene_sets/zhong_{_FILES[task]}_{fold}.pkl")
        with open(path, "rb") as file:
            terms = pickles.load(file, ALLOWED)
        parts += [frame.assign(term=term, fold=number) for term, frame in terms.items()]
    table = pd.concat(parts, ignore_index=True).rename(columns={"result": "label"})
    table["gene"] = table["gene"].astype(str)
    table["name"] = table["term"].map(names)
    return table[["term", "name", "gene", "label", "fold"]].sort_values(
        "term", kind="stable", ignore_index=True)


def term_names(task):
    """The name of each term, by identifier; ValueError for another task."""
    if task not in _FILES:
        raise ValueError(f"gene sets {task!r} are not one of {', '.join(_FILES)}")
    names = {}
    for key in _NAMES[task]:  # the later file wins: it is the one that the terms come from
        table = genes.sets(key)
        names |= dict(zip(table["set"], table["name"]))
    return pd.Series(names)


def go_processes():
    """The GO biological processes that each gene is annotated with directly.

    Returns
    -------
    pandas.Series
        Per approved symbol a list of GO identifiers, for genes that have any.
    """
    return _of(sources.fetch(PROCESSES)).copy()


@functools.cache  # of a file, which may be missing another time
def _of(_):
    known = genes.hgnc()["entrez_id"].loc[lambda ids: ids != ""]
    table = genes.sets(PROCESSES)
    symbols = table["entrez_id"].map(pd.Series(known.index, known)).rename("symbol")
    return table["set"].rename("process").groupby(symbols).agg(list)
