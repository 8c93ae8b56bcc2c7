"""The paper index: verdicts, and rows that fit what was recorded and printed."""

import math

import pytest

from genept_utils.pages import paper_index

NO = math.nan


@pytest.mark.parametrize("printed, ours, low, high, why, expected", [
    (0.90, 0.88, 0.85, 0.91, "", "reached"), (0.90, 0.895, NO, NO, "", "reached"),
    (0.90, 0.80, 0.75, 0.85, "", "below"), (0.70, 0.80, 0.75, 0.85, "", "above"),
    (0.70, 0.60, 0.40, 0.80, "", "reached: but our interval is wide"),
    (NO, 0.80, 0.75, 0.85, "", "cannot be compared: no printed number was found"),
    (0.70, NO, NO, NO, "", "cannot be compared: not computed here"),
    (0.70, 0.70, 0.6, 0.8, "other cells", "cannot be compared: other cells")])
def test_verdict(printed, ours, low, high, why, expected):
    assert paper_index.verdict(printed, ours, low, high, why) == expected


def test_every_item_of_the_paper_has_a_row():
    table = paper_index.paper_index()
    assert set(table["item"]) == {"Fig 2a", "Fig 2b", "Fig 2c", "Fig 2d-f", "Fig 2g", "Table 1",
                                  "Table 2", "Appendix C4", "Batch and context", "Table 3",
                                  "Fig 3"}
    said = table["verdict"].str.split(": ").str[0]
    assert set(said) <= {"reached", "above", "below", "cannot be compared"}
    compared = table[said != "cannot be compared"]
    assert compared[["printed", "ours", "control_value"]].notna().all(axis=None)


@pytest.mark.parametrize("change, said", [
    ({"method": "GenePT Unheard"}, "0 recorded results"), ({"split": "never"}, "0 recorded"),
    ({"printed_method": "GenePT Unheard"}, "0 printed numbers"),
    ({"controls": "TF-IDF|no control"}, "0 recorded results of 'no control'")])
def test_row_that_fits_nothing_is_an_error(change, said):
    from genept_utils.pages import ledger

    row = {**dict.fromkeys(["why", "printed_dataset", "printed_label", "controls"], ""),
           "item": "Fig 2b", "result": "Gene class", "notebook": "02-gene-functions",
           "task": "gene class", "dataset": "gene_info_table", "label": "gene_type",
           "classifier": "lr", "metric": "accuracy", "split": "70/30 random rows",
           "method": "GenePT MiniLM", "printed_method": "GenePT ada-002"}
    ours = ledger.results().fillna({name: "" for name in [*ledger.KEY, "split"]})
    assert paper_index._row(row, ours, ledger.published())["printed"] > 0.9
    with pytest.raises(ValueError, match=said):
        paper_index._row({**row, **change}, ours, ledger.published())
