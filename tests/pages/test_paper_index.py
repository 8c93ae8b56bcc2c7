"""The paper index: verdicts, and rows that fit what was recorded and printed."""

import math

import pandas as pd
import pytest

from genept_utils import paths
from genept_book import ledger, paper_index

NO = math.nan


@pytest.mark.parametrize("printed, ours, low, high, why, expected", [
    (0.90, 0.88, 0.85, 0.91, "", "reached"), (0.90, 0.80, 0.75, 0.85, "", "below"),
    (0.70, 0.80, 0.75, 0.85, "", "above"),
    (0.70, 0.60, 0.40, 0.80, "", "undecided: our interval is too wide"),
    (NO, 0.80, 0.75, 0.85, "", "cannot be compared: no printed number was found"),
    (0.70, NO, NO, NO, "", "cannot be compared: not computed here"),
    (0.70, 0.70, 0.6, 0.8, "other cells", "cannot be compared: other cells")])
def test_verdict(printed, ours, low, high, why, expected):
    assert paper_index.verdict(printed, ours, low, high, why) == expected


@pytest.fixture(scope="module")
def table():
    return paper_index.paper_index()


def test_every_item_of_the_paper_has_a_row(table):
    assert set(table["item"]) == {"Methods", "Fig 2a", "Fig 2b", "Fig 2c", "Fig 2d-f", "Fig 2g",
                                  "Table 1", "Table 2", "Appendix C4", "Batch and context",
                                  "Table 3", "Fig 3"}
    said = table["verdict"].str.split(": ").str[0]
    assert set(said) <= {"reached", "above", "below", "undecided", "cannot be compared"}
    compared = table[said != "cannot be compared"]
    assert compared[["printed", "ours"]].notna().all(axis=None)
    forests = compared["result"].str.contains("random forest")  # scored for the text alone
    assert compared.loc[~forests, "control_value"].notna().all()
    assert not table["result"].duplicated().any()


def test_every_printed_number_has_a_row():
    """Of a data set and label, and of GenePT of a classifier; other metrics are in the ledger."""
    listed = pd.read_csv(paths.DATA / "paper-index.csv", dtype=str,
                         keep_default_na=False)
    for name in ("dataset", "label"):
        listed[name] = listed[f"printed_{name}"].where(listed[f"printed_{name}"] != "",
                                                       listed[name])
    given = ledger.published()
    given = given[given["source"] != ledger.THIRD_PARTY]
    key = ["item", "task", "dataset", "label"]
    listed = listed[listed["printed_method"] != ""]
    assert not set(map(tuple, given[key].values)) - set(map(tuple, listed[key].values))
    own = given[given["method"].str.startswith("GenePT")]
    assert not (set(map(tuple, own[[*key, "classifier"]].values))
                - set(map(tuple, listed[[*key, "classifier"]].values)))


@pytest.mark.parametrize("result, fits", [
    ("Dosage-sensitive factors", 'task == "dosage-sensitive vs insensitive"'),
    ("Protein interactions, Lit-BM", 'dataset == "Lit-BM"'),
    ("Clustering by cell type, sorted PBMC", 'dataset == "pbmc_facs" and metric == "ari"')])
def test_the_control_is_the_strongest_recorded(table, result, fits):
    row = table[table["result"] == result].iloc[0]
    listed = pd.read_csv(paths.DATA / "paper-index.csv").set_index("result")
    split, classifier = listed.loc[result, ["split", "classifier"]]
    same = ledger.results(row["notebook"]).query(fits).query(
        "split == @split and classifier.str.startswith(@classifier)")
    assert row["control_value"] == same[~same["reads"].isin(["text", ""])]["value"].max()


def test_of_agreement_with_the_batch_the_lowest_is_the_strongest(table):
    row = table[table["result"].str.contains("lower is better.*chemistries")].iloc[0]
    assert row["control"] == "Harmony" and row["control_value"] < row["ours"]


def test_no_control_reads_with_a_language_model(table):
    assert not table["control"].str.contains("GenePT|name only|llama", case=False).any()
    assert table["elsewhere"].str.startswith("Gene2vec").sum() >= 5


@pytest.mark.parametrize("change, said", [
    ({"method": "GenePT Unheard"}, "0 recorded results"), ({"split": "never"}, "0 recorded"),
    ({"printed_method": "GenePT Unheard"}, "0 printed numbers")])
def test_row_that_fits_nothing_is_an_error(change, said):
    row = {**dict.fromkeys(["why", "printed_dataset", "printed_label"], ""),
           "item": "Fig 2b", "result": "Gene class", "notebook": "02-gene-functions",
           "task": "gene class", "dataset": "gene_info_table", "label": "gene_type",
           "classifier": "lr", "metric": "accuracy", "split": "70/30 random rows",
           "method": "GenePT MiniLM", "printed_method": "GenePT ada-002"}
    found = [ledger.Finder(table, "item") for table in (ledger.results(), ledger.published())]
    assert paper_index._row(row, *found, None)["printed"] > 0.9
    with pytest.raises(ValueError, match=said):
        paper_index._row({**row, **change}, *found, None)


def test_pairs_have_the_split_that_the_paper_describes():
    joined = ledger.join(given=ledger.published()).dropna(subset=["published", "ours"])
    pairs = paper_index.as_published(joined)
    assert 10 < len(pairs) < len(joined)
    assert not pairs["split"].str.contains("famil|masked|strata|product", na=False).any()
    fewer = pairs[pairs["split"].str.contains("genes with", na=False)]
    assert set(fewer["method"]) <= {"Gene2vec"}
    assert not pairs.duplicated([*ledger.KEY, "published"]).any()


def test_a_result_on_the_readers_files_takes_the_empty_place(monkeypatch):
    row = pd.read_csv(paths.DATA / "paper-index.csv", dtype=str, keep_default_na=False
                      ).query("item == 'Table 2' and dataset == 'aorta' and label == 'cell type'")
    row, = row.to_dict("records")
    mine = pd.DataFrame([{**{name: row[name] for name in ledger.KEY}, "method": method,
                          "split": split, "value": value, "low": value - .05, "high": value + .05,
                          "reads": reads}
                         for method, split, value, reads in [
        ("GenePT-w", "all cells", .5, "text"), ("PCA", "all cells", .6, "expression"),
        ("GenePT-w, shared genes", "all cells", .7, "text"), ("GenePT-w", "other", .1, "text")]])
    mine = mine.assign(n=1, repeats=1, notebook="07-cell-types", note="your files")
    monkeypatch.setattr(ledger, "user_results", lambda: mine)
    table = paper_index.paper_index().set_index("result")
    own = table.loc[row["result"]]
    assert (own["printed"], own["ours"], own["control"], own["verdict"]) == (
        .54, .5, "PCA", "reached") and own["elsewhere"] == "your files"
    assert table["ours"].notna().sum() == 1 + (
        paper_index.pd.read_csv(paths.DATA / "paper-index.csv")["method"].notna().sum())
