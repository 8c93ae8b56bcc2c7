"""What the page on the paper's record says, computed again from the tables and the files."""

import math
import re

import pandas as pd
import pytest

from genept_utils import paths

PAGE = paths.ROOT / "book" / "paper-record.md"


@pytest.fixture(scope="module")
def said():
    """The text of the page, one sentence a line."""
    if not PAGE.is_file():
        pytest.skip("the pages are in the checkout only")
    return PAGE.read_text(encoding="utf-8")


def read(name):
    return pd.read_csv(paths.DATA / name, dtype=str, keep_default_na=False)


def test_the_swapped_cells(said):
    sets = read("paper-datasets.csv").drop_duplicates("dataset").set_index("dataset")
    swapped = ["myeloid", "multiple sclerosis"]
    held = sets.loc[swapped, "cells"].astype(int).tolist()
    printed = [int(re.search(r"the paper prints ([\d,]+)", note)[1].replace(",", ""))
               for note in sets.loc[swapped, "known_from"]]
    assert held == printed[::-1]
    assert f"gives {printed[0]:,} cells to the myeloid set and {printed[1]:,} to" in said
    assert f"The files that it names hold {held[0]:,} and {held[1]:,}." in said


def test_a_fifth_of_the_aorta(said, source):
    tables = read("paper-sources.csv").query("dataset == 'aorta'")
    names = tables["url"].str.extract(r"_(\w+)\.txt")[0].str.replace("TAA", "ATAA")
    cells = tables.set_index(names)["cells"].astype(int)
    labels = pd.read_csv(source("cells/aorta_labels.csv"), index_col=0)
    drawn, = read("paper-datasets.csv").query("dataset == 'aorta'")["cells"].astype(int).unique()
    assert int(cells.sum() * .2) == drawn
    assert f"hold {cells.sum():,} cells, and a fifth of that, rounded down, is {drawn:,}" in said
    by = labels.groupby("orig.ident").size()
    assert cells.sum() - len(labels) == 46 and f"names {len(labels):,} of them" in said
    assert (cells - by).loc[lambda missing: missing != 0].to_dict() == {"ATAA1": 46}
    # every patient has one state, so that a phenotype is a function of the patient
    assert (labels.groupby("orig.ident")["stim"].nunique() == 1).all() and len(by) == 11


def test_the_cells_that_ten_neighbours_were_scored_on(said):
    notes = read("published.csv")["note"].str.extract(r"(0\.\d+) in the authors' notebook")[0]
    values = [float(value) for value in notes.dropna()]
    assert len(values) == 2 and all(str(value) in said for value in values)
    drawn = 9625
    most = math.ceil(drawn / 5)
    right = {n: [round(value * n) for value in values] for n in range(1, most + 1)
             if all(round(value * n) / n == value for value in values)}
    assert right == {1923: [1690, 1689]} and most == 1925
    assert "1,690 and 1,689 right, and of no other number up to 1,925" in said
    fits = [n for n in range(drawn + 1) if math.ceil(n / 5) == 1923]
    assert f"{fits[0]:,} to {fits[-1]:,} cells" in said
    assert f"held {drawn - fits[-1]} to {drawn - fits[0]} cells without a label" in said


def test_equal_rows_of_the_appendix(said):
    rows = read("published.csv").query("item == 'Appendix C4'").pivot(
        index=["dataset", "method"], columns="metric", values="value")
    rows = rows[["accuracy", "precision_macro", "recall_macro", "f1_macro"]]
    same = rows[rows.duplicated(keep=False)]
    assert same.index.tolist() == [("aorta", "GenePT-s"), ("aorta", "Geneformer")]
    assert "{}, {}, {} and {}.".format(*same.iloc[0]) in said


def test_the_hearts(said):
    note = read("paper-datasets.csv").query("dataset == 'cardiomyopathy'").iloc[0]
    whole, split = (list(map(int, re.findall(r"\d+", part)))
                    for part in note["known_from"].split(";")[0].split("of which"))
    assert sum(whole) == int(note["donors"]) == 29 and sum(split) == 24
    assert "9 + 11 + 9 = 29 hearts" in said and "14 / 5 / 5, which makes 24" in said


def test_repeated_lines_and_unfinished_fits(said, source):
    lines = source("gene_tasks/bivalent_gene_labels.txt").read_text().split()
    assert f"has {len(lines)} lines and {len(set(lines))} genes" in said
    notes = read("published.csv").set_index("item")["note"]
    assert notes["Fig 2b"].endswith("not converged")
    assert "title says random forest; the code runs logistic regression" in notes["Fig 2c"].iloc[0]


def test_cells_are_split_at_random_for_the_phenotype(said):
    rows = read("published.csv").query("item == 'Batch and context' and task == 'phenotype'")
    assert (rows["note"] == "cells split at random").all() and "split cells at random" in said
