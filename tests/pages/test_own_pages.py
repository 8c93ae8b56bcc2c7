"""A page run on other data than the book's tells nothing of the book's, and has its own verdicts."""

import json

import nbformat
import pytest

from genept_utils import paths
from genept_book import bindings, notebooks, own_data, prose

TITLE = "# Page\n\n**GenePT is ahead.** <!-- claim: a b ahead -->\n\n" \
        "We ask it.\n\n- It is ahead. <!-- claim: a b ahead -->\n\n| | |\n|---|---|\n" \
        "| Data | six sets |\n| Run time | 5 s |\n| Parameters | `dataset` |"


@pytest.fixture
def page():
    """A function that makes an executed page of cells: text, or code that showed something."""
    def make(*cells):
        v4 = nbformat.v4
        made = [v4.new_markdown_cell(TITLE), v4.new_code_cell(
            'dataset: str = "kang"  # a set\nembedding: str = "minilm"\ndraws: int = 3',
            metadata={"tags": ["parameters"]})]
        for text in cells:
            code = text.startswith("%")
            made.append(v4.new_code_cell(text) if code else v4.new_markdown_cell(text))
            if code:
                made[-1].outputs = [v4.new_output("stream", text="shown")]
        return v4.new_notebook(cells=made)
    return make


def told(notebook, tmp_path, own=None):
    own_data.retell(notebook, own or {"dataset": "/home/x/cells.h5ad"}, "07-x", tmp_path)
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


@pytest.mark.parametrize("values, expected", [
    ({"dataset": "a.h5ad", "draws": 2}, {"dataset": "a.h5ad"}), ({"draws": 2}, {}),
    ({"dataset": "kang"}, {}), ({"embedding": "mine.h5ad"}, {"embedding": "mine.h5ad"}), ({}, {})])
def test_other_data_are_told_from_other_sizes(page, values, expected):
    assert own_data.changed(page(), values) == expected


def test_the_title_says_whose_data(page, tmp_path):
    first = told(page(), tmp_path, {"dataset": "/home/x/cells.h5ad", "also": ["X_a", "X_b"]})[0]
    assert first.startswith("# Page\n\n> **Your data.**")
    assert "`dataset=cells.h5ad, also=X_a,X_b`" in first and "ahead" not in first
    assert "We ask it." in first and "Run time" not in first and "six sets" not in first and "Parameters" in first


@pytest.mark.parametrize("text, kept", [
    ("We use GenePT-w.\nIt has .91.\nPCA is ahead.", "We use GenePT-w."),
    ("Each cell is a row.\nIt counts. <!-- claim: a b level -->", "Each cell is a row."),
    ("`kang` is of two donors.\nAll genes are read.", "All genes are read."),
    ("The response to interferon is loud.\nA donor is held out.", "A donor is held out."),
    ("## Head\n\nIt is 40 %.\n\nWe look.", "## Head\n\nWe look."),
    ("## What we found\n\n- We saw it.\n\n## Next\n\nWe look.", "## Next\n\nWe look."),
    ("- One point. It has .5.\n- Another point.", "- Another point."),
    ("## Differences from the paper\n\n- `kang` stands in.", "")])
def test_what_was_seen_on_the_books_data_is_left_out(page, tmp_path, text, kept):
    cells = told(page(text), tmp_path)[1:-1]
    assert cells == ([kept] if kept else [])


def test_words_behind_an_output_are_what_was_seen(page, tmp_path):
    cells = told(page("%one", "The rows are bright.\n\n## Next\n\nWe look.", "%two",
                      "## More\n\nThe rows are bright."), tmp_path)
    assert cells[1:-1] == ["## Next\n\nWe look.", "## More\n\nThe rows are bright."]


def test_a_cell_of_the_books_own_data_goes_with_its_text(page, tmp_path):
    notebook = page("## Kept by us\n\nWe keep it.", "%stored", "## Next")
    notebook.cells[3].metadata["tags"] = ["book-data"]
    assert told(notebook, tmp_path)[1:-1] == ["## Next"]
    assert not [cell for cell in notebook.cells if cell.source == "%stored"]


def test_a_caption_of_the_books_data_is_replaced(page, tmp_path):
    notebook = page("%figure")
    notebook.cells[-1].metadata["mystnb"] = {
        "figure": {"caption": "Types of `kang`."}, "image": {"alt": "A map."}}
    told(notebook, tmp_path)
    assert notebook.cells[-2].metadata["mystnb"] == {
        "figure": {"caption": "On the data of this run."}, "image": {"alt": "A map."}}


def test_verdicts_are_those_of_the_run(tmp_path):
    """Of real claims: the pairs that the chapter names, on the reader's set, and no other."""
    path, = notebooks.notebooks(["10"])
    row = {"item": "Panels", "task": "random halves", "dataset": "mine", "label": "kind",
           "classifier": "lr", "metric": "accuracy", "split": "disjoint panels", "n": 3,
           "notebook": path.stem, "method": "GenePT MiniLM"}
    (tmp_path / f"{path.stem}.json").write_text(json.dumps([
        {**row, "against": "permuted", "value": .2, "low": .1, "high": .3},
        {**row, "against": "nothing we name", "value": .2, "low": .1, "high": .3},
        {**row, "method": "Gene2vec", "against": "permuted", "value": .2, "low": .1, "high": .3}]))
    notebook = nbformat.read(path, as_version=4)
    own_data.retell(notebook, {"dataset": "mine.h5ad"}, path.stem, tmp_path)
    last = notebook.cells[-1].source
    assert ("| GenePT MiniLM | permuted | random halves, mine, disjoint panels, lr | accuracy | "
            "+0.200 [+0.100, +0.300] | ahead |") in last
    assert last.count("mine") == 1


@pytest.mark.parametrize("path", [path for path in sorted(paths.NOTEBOOKS.glob("[0-9]*.ipynb"))
                                  if "dataset: " in path.read_text(encoding="utf-8")],
                         ids=lambda path: path.stem)
def test_no_result_of_the_book_is_left_in_a_real_chapter(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    texts = told(notebook, tmp_path)[1:-1]
    assert len(texts) > 2
    for text in texts:
        for sentence, bound in bindings.sentences(text):
            assert not bound and not bindings.COMPARES.search(sentence), sentence
            assert not [n for n in prose.numbers(sentence) if n.checked], sentence
            assert not own_data.SETS.search(sentence), sentence
