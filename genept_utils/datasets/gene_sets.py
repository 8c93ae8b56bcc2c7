"""Genes of diseases and of functions, and synthetic lethal pairs, with published folds.

The folds and the scores of 38 embeddings on them are those of Zhong, Li, Dannenfelser and Yao
(2025), bioRxiv 2025.01.29.635607.
"""

import pandas as pd

from genept_utils import pickles, sources

FOLDS = ("cv_fold1", "cv_fold2", "cv_fold3", "holdout")
_FILES = {"disease": "omim", "function": "go"}
_NAMES = {"disease": ("gene_sets/zhong_omim.gmt",),
          "function": ("gene_sets/zhong_go_bp_2020.gmt", "gene_sets/zhong_go_exp.gmt")}
_LETHAL = "gene_sets/zhong_sl_splits.pkl"
_META = "gene_sets/zhong_embed_meta.csv"
# What these pickles hold besides pandas frames of numpy arrays.
_ALLOWED = {**pickles.FRAMES, "pandas.core.indexes.range": {"RangeIndex"},
            "pandas._libs.internals": {"_unpickle_block"}}


def gene_sets(task):
    """Genes inside and outside of each term, in the published folds.

    Parameters
    ----------
    task : {"disease", "function"}
        103 diseases (OMIM genes, Disease Ontology terms) or 56 biological processes (GO).

    Returns
    -------
    pandas.DataFrame
        One row per term and gene: ``term`` (identifier), ``name``, ``gene`` (Entrez, str),
        ``label`` (0/1) and ``fold`` (0, 1, 2; 3 is the hold-out).

    Raises
    ------
    ValueError
        No such task.
    genept_utils.sources.SourceError
        A file cannot be had.
    """
    _known(task)
    parts = []
    for number, fold in enumerate(FOLDS):
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
        lines = sources.fetch(key).read_text(encoding="utf-8").splitlines()
        names |= dict(line.split("\t", 2)[:2] for line in lines)
    return pd.Series(names).str.replace(r" \(\d+\)$", "", regex=True)


def published_sets(task):
    """Published mean ROC-AUC of 38 embeddings over the terms of a task.

    Parameters
    ----------
    task : {"disease", "function", "synthetic lethality"}
        For pairs the mean over three outer folds, of the sum of the two gene vectors.

    Returns
    -------
    pandas.DataFrame
        Indexed by the embedding's name: ``category``, ``all`` (on all genes that the embedding
        has) and, for terms, ``common`` (on the genes that all 38 have).
    """
    meta = pd.read_csv(sources.fetch(_META), index_col=0)
    if task == "synthetic lethality":
        key = "gene_sets/zhong_paired_gene_sl_sum_outerloop_AUC.tsv"
        means = {"all": pd.read_csv(sources.fetch(key), sep="\t",
                                    index_col=0)["outer_AUC_average"]}
    else:
        _known(task)
        means = {what: pd.read_csv(sources.fetch(f"gene_sets/zhong_single_gene_{_FILES[task]}_"
                                                 f"AUROC{tail}.tsv"), sep="\t",
                                   index_col=0).mean(axis=1)
                 for what, tail in (("all", "_full"), ("common", ""))}
    table = pd.DataFrame(means)
    table.insert(0, "category", meta["Category"].reindex(table.index))
    return table.sort_values("all", ascending=False).rename_axis("embedding")


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
