"""Genes of diseases and of functions, and synthetic lethal pairs, with published folds.

The folds and the scores of 38 embeddings on them are those of Zhong, Li, Dannenfelser and Yao
(2025), bioRxiv 2025.01.29.635607; ``"later"`` is their test on genes annotated afterwards.
"""

import pandas as pd

from genept_utils import genes, pickles, sources

FOLDS = ("cv_fold1", "cv_fold2", "cv_fold3", "holdout")
_FILES = {"disease": "omim", "function": "go", "later": "later"}
_GO = ("gene_sets/zhong_go_bp_2020.gmt", "gene_sets/zhong_go_exp.gmt")
_NAMES = {"disease": ("gene_sets/zhong_omim.gmt",), "function": _GO, "later": _GO}
# Genes -> table of published scores, by task.
_PUBLISHED = {"disease": {"all": "omim_AUROC_full", "common": "omim_AUROC"},
              "function": {"all": "go_AUROC_full", "common": "go_AUROC"},
              "later": {"new": "go_post2024_AUROC", "older": "go_pre2024_AUROC"}}
_LETHAL = "gene_sets/zhong_sl_splits.pkl"
_META = "gene_sets/zhong_embed_meta.csv"
# What these pickles hold besides pandas frames of numpy arrays.
_ALLOWED = {**pickles.FRAMES, "pandas.core.indexes.range": {"RangeIndex"},
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
    _known(task)
    parts = []
    for number, fold in enumerate((*FOLDS, "holdout_older") if task == "later" else FOLDS):
        path = sources.fetch(f"gene_sets/zhong_{_FILES[task]}_{fold}.pkl")
        with open(path, "rb") as file:
            terms = pickles.load(file, _ALLOWED)
        parts += [frame.assign(term=term, fold=number) for term, frame in terms.items()]
    table = pd.concat(parts, ignore_index=True).rename(columns={"result": "label"})
    names = _term_names(task)
    table["gene"] = table["gene"].astype(str)
    table["name"] = table["term"].map(names)
    return table[["term", "name", "gene", "label", "fold"]].sort_values(
        "term", kind="stable", ignore_index=True)


def _known(task):
    if task not in _FILES:
        raise ValueError(f"gene sets {task!r} are not one of {', '.join(_FILES)}")


def _term_names(task):
    names = {}
    for key in _NAMES[task]:  # the later file wins: it is the one that the terms come from
        table = genes.sets(key)
        names |= dict(zip(table["set"], table["name"]))
    return pd.Series(names)


def published_terms(task):
    """Published ROC-AUC of 38 embeddings, term by term.

    Parameters
    ----------
    task : {"disease", "function", "later"}

    Returns
    -------
    pandas.DataFrame
        ``embedding``, ``genes``, ``term``, ``roc_auc``. ``genes`` is ``"all"`` (that the embedding
        has) or ``"common"`` (the 11,355 that all 38 have); of the later genes, which are common
        ones, ``"new"`` or ``"older"`` (annotated after or before 28 March 2024).
    """
    _known(task)
    names, parts = _term_names(task), []
    identifier = pd.Series(names.index, names.str.lower())
    for which, file in _PUBLISHED[task].items():
        table = pd.read_csv(sources.fetch(f"gene_sets/zhong_single_gene_{file}.tsv"), sep="\t",
                            index_col=0)
        found = table.columns if table.columns[0] in names else identifier.reindex(
            table.columns.str.lower())
        table.columns = pd.Index(found, name="term")
        parts.append(table.rename_axis("embedding").stack().rename("roc_auc").reset_index()
                     .assign(genes=which))
    return pd.concat(parts, ignore_index=True)[["embedding", "genes", "term", "roc_auc"]]


def published_sets(task):
    """Published mean ROC-AUC of 38 embeddings over the terms of a task.

    Parameters
    ----------
    task : {"disease", "function", "later", "synthetic lethality"}
        For pairs the mean over three outer folds, of the sum of the two gene vectors.

    Returns
    -------
    pandas.DataFrame
        Indexed by the embedding's name: ``category`` and a column per choice of genes, as in
        :func:`published_terms`; for pairs ``all``.
    """
    if task == "synthetic lethality":
        key = "gene_sets/zhong_paired_gene_sl_sum_outerloop_AUC.tsv"
        table = pd.read_csv(sources.fetch(key), sep="\t", index_col=0)
        table = table[["outer_AUC_average"]].set_axis(["all"], axis=1)
    else:
        table = published_terms(task).pivot_table("roc_auc", "embedding", "genes")
        table = table[list(_PUBLISHED[task])].rename_axis(columns=None)
    meta = pd.read_csv(sources.fetch(_META), index_col=0)
    table.insert(0, "category", meta["Category"].reindex(table.index))
    return table.sort_values(table.columns[1], ascending=False).rename_axis("embedding")


def lethal_pairs():
    """Synthetic lethal pairs of genes among drawn ones, in the published nested folds.

    Returns
    -------
    pairs : pandas.DataFrame
        (23364, 3): ``a``, ``b`` (Entrez, str), ``label`` (1: synthetic lethal, one in eleven).
    folds : list of dict
        Three outer folds: ``train`` and ``test`` row numbers, and ``inner``, a list of (train,
        test) row numbers.
    """
    with open(sources.fetch(_LETHAL), "rb") as file:
        found = pickles.load(file, _ALLOWED)
    pairs = pd.DataFrame(found["pairs"], columns=["a", "b"]).assign(label=found["labels"])
    folds = [{"train": fold["train_idx"], "test": fold["test_idx"],
              "inner": fold["inner_splits"]} for _, fold in sorted(found["cv_splits"].items())]
    return pairs, folds
