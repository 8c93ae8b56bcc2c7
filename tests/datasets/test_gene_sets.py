"""Gene sets of Zhong et al.: the published folds and scores are read, term by term."""

import numpy as np
import pandas as pd
import pytest

from genept_utils import datasets, pickles, sources
from genept_utils.chapters import disease_and_function as chapter

TASKS = [("disease", 103, "cataract"), ("function", 56, "visual perception"),
         ("later", 19, "protein maturation")]


def files(task):
    """Sources of a task; its test is skipped where one cannot be had."""
    stem = {"disease": "omim", "function": "go", "later": "later"}[task]
    return ["gene_sets/zhong_omim.gmt", "gene_sets/zhong_go_exp.gmt",
            "gene_sets/zhong_go_bp_2020.gmt", "gene_sets/zhong_embed_meta.csv",
            f"gene_sets/zhong_{stem}_holdout.pkl"]


@pytest.mark.parametrize("task, terms, name", TASKS)
def test_published_folds(source, task, terms, name):
    source(*files(task))
    table = datasets.gene_sets(task)
    assert table["term"].nunique() == terms and table["name"].notna().all()
    assert name in set(table["name"]) and not table["name"].str.contains(r"\(\d+\)$").any()
    assert set(table["fold"]) == ({0, 1, 2, 3, 4} if task == "later" else {0, 1, 2, 3})
    assert set(table["label"]) == {0, 1}
    once = table[table["fold"] < 4]
    assert not once.duplicated(["term", "gene"]).any(), "a gene stands in two folds of a term"
    assert table.groupby(["term", "fold"])["label"].nunique().min() == 2


def test_later_genes_and_as_many_older_ones(source):
    """309 pairs of process and gene on either side of 28 March 2024, the same genes outside."""
    source(*files("later"))
    table = datasets.gene_sets("later")
    new, older = (table[table["fold"] == fold] for fold in (3, 4))
    assert new["label"].sum() == older["label"].sum() == 309
    assert new.loc[new["label"] == 1, "gene"].nunique() == 202
    outside = [set(zip(part["term"], part["gene"])) for part in
               (new[new["label"] == 0], older[older["label"] == 0])]
    assert outside[0] == outside[1]
    trained = set(zip(*table.loc[table["fold"] < 3, ["term", "gene"]].to_numpy().T))
    assert not trained & set(zip(older["term"], older["gene"]))
    common = sources.fetch("gene_sets/zhong_common_genes.txt").read_text().split()
    assert set(table["gene"]) <= set(common)


def test_no_symbol_of_a_later_gene_was_given_after_the_text(source):
    """The gene table is of November 2024: a symbol named after a later finding would leak."""
    source(*files("later"), "genes/hgnc_complete_set.txt.gz")
    table = datasets.gene_sets("later")
    hgnc = pd.read_csv(sources.fetch("genes/hgnc_complete_set.txt.gz"), sep="\t", dtype=str)
    new = table.loc[(table["fold"] == 3) & (table["label"] == 1), "gene"]
    here = hgnc[hgnc["entrez_id"].isin(new)]
    assert len(here) == 202 and not (here["date_symbol_changed"] > "2023-09").any()
    assert (here["date_name_changed"] > "2024-03-28").sum() == 2, "AIFM2 and BRIP1"


@pytest.mark.parametrize("task, genes_, gene2vec, best", [
    ("disease", "all", .674, "GENEPT-MODEL3"), ("disease", "common", .659, "GENEPT-MODEL3"),
    ("function", "all", .744, "GENEPT-MODEL3"), ("function", "common", .725, "GENEPT-MODEL3"),
    ("later", "new", .545, "MASHUP"), ("later", "older", .660, "GENEPT-MODEL3"),
    ("synthetic lethality", "all", .541, "ESM2")])
def test_published_means(source, task, genes_, gene2vec, best):
    source("gene_sets/zhong_embed_meta.csv")
    table = chapter.published_sets(task)
    assert len(table) == 38 and table["category"].notna().all()
    assert table.loc["GENE2VEC", genes_] == pytest.approx(gene2vec, abs=5e-4)
    assert table[genes_].idxmax() == best


@pytest.mark.parametrize("task", ["disease", "function"])
def test_published_terms_carry_the_right_term(source, task):
    """The table of all genes names its terms, the other numbers them; both are one term."""
    source(*files(task))
    table = chapter.published_terms(task).query("embedding == 'GENEPT-MODEL3'")
    both = table.pivot(index="term", columns="genes", values="roc_auc")
    assert both.notna().all().all() and set(both.index) == set(datasets.gene_sets(task)["term"])
    assert np.corrcoef(both["all"], both["common"])[0, 1] > .9


def test_an_unknown_task(source):
    source("gene_sets/zhong_embed_meta.csv")
    for read in (datasets.gene_sets, chapter.published_sets, chapter.published_terms):
        with pytest.raises(ValueError, match="'tissue' are not one of disease, function, later"):
            read("tissue")


def test_lethal_pairs_share_no_gene_between_folds(source):
    source("gene_sets/zhong_sl_splits.pkl")
    pairs, folds = chapter.lethal_pairs()
    assert len(pairs) == 23_364 and pairs["label"].mean() == pytest.approx(1 / 11, abs=1e-3)
    for fold in folds:
        train, test = (set(pairs.loc[fold[part], ["a", "b"]].to_numpy().ravel())
                       for part in ("train", "test"))
        assert not train & test and len(fold["inner"]) == 3


def test_the_pickles_are_read_through_a_list(source):
    """Without the two names that the list adds, the files are refused."""
    for key in ("gene_sets/zhong_omim_holdout.pkl", "gene_sets/zhong_later_holdout.pkl"):
        path = source(key)
        with open(path, "rb") as file, pytest.raises(pickles.UnsafePickle, match="pandas"):
            pickles.load(file, pickles.FRAMES)
