"""Results under the paper's names: what a chapter records joins what the paper prints."""

import pytest
from genept_book import paper_names


@pytest.mark.parametrize("change, row, expected", [
    ({"label": "cell type", "task": "clustering"}, {"labelled": "phenotype"},
     {"label": "phenotype", "task": "clustering"}),
    ({"label": "batch", "task": "batch agreement", "method": "PCA"}, {},
     {"label": "patient", "task": "patient agreement", "method": "raw",
      "note": "components of the counts"}),
    ({"item": "Table 2", "method": "GenePT-w, every gene"}, {}, {"method": "GenePT-w"}),
    ({"item": "Table 2", "against": "GenePT-w"}, {}, {"against": "GenePT-w, shared genes"}),
    ({"item": "Appendix C4", "method": "ensemble", "note": "x"}, {},
     {"method": "ensemble", "note": "x; components in the place of scGPT"}),
    ({"label": "condition", "task": "phenotype"}, {}, {"label": "phenotype"})])
def test_results_take_the_papers_words(change, row, expected):
    result = {"item": "Batch and context", "dataset": "aorta-2", "method": "GenePT-w",
              "task": "clustering", **change}
    made = paper_names.named(result, {"dataset": "aorta", "labelled": "cell type",
                                      **row})
    assert expected.items() <= made.items() and made["dataset"] == "aorta"


@pytest.mark.parametrize("row, cells, note", [
    ({"n": 3999}, 9625, "3,999 of the 9,625 cells"), ({"n": 4000}, 4000, None), ({}, 9625, None),
    ({"n": 5, "note": "few"}, 10, "few; 5 of the 10 cells"), ({"n": None}, 10, None)])
def test_a_row_says_how_many_of_the_cells_it_stands_on(row, cells, note):
    result = {"item": "Table 2", "dataset": "x", "task": "clustering", "method": "PCA", **row}
    made = paper_names.named(result, {"dataset": "x", "labelled": "age"}, cells)
    assert made.get("note") == note


def test_the_phenotype_of_a_cell_stands_beside_the_batches_too():
    made = paper_names.rows([{"item": "Table 3", "dataset": "x", "task": "phenotype",
                              "label": "condition", "method": "GenePT-s", "split": split}
                             for split in ("random cells", "held-out donor")],
                            {"chapter": "09", "dataset": "cardiomyopathy", "labelled": "cell type"})
    assert [(one["item"], one["dataset"], one["split"]) for one in made] == [
        ("Table 3", "cardiomyopathy", "random cells"),
        ("Table 3", "cardiomyopathy", "held-out donor"),
        ("Batch and context", "cardiomyocyte", "random cells")]
