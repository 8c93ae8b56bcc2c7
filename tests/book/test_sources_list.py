"""What a page cites is in the book's list of references, and is listed at its end."""

import json

import pytest

from genept_book import sources_list
from genept_utils import paths

PAGES = [*sorted(paths.NOTEBOOKS.glob("[0-9]*.ipynb")), *sorted(paths.BOOK.glob("*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_link_to_a_work_is_in_the_references(path):
    assert not sources_list.cited(path.read_text(encoding="utf-8"))[1]


@pytest.mark.parametrize("text, keys, missing", [
    ("[a](https://doi.org/10.1038/nbt.4042), [b](https://arxiv.org/abs/2412.04075).",
     ["kang2018demuxlet", "kantor2024genes"], []),
    ("See https://doi.org/10.1038/NBT.4042.", ["kang2018demuxlet"], []),
    ("[a](https://doi.org/10.1/none)", [], ["10.1/none"]), ("no link", [], [])])
def test_addresses_lead_to_keys(text, keys, missing):
    assert sources_list.cited(text) == (keys, missing)


def test_sources_close_a_page_once():
    cell = {"cell_type": "markdown", "source": "[a](https://doi.org/10.1038/nbt.4042)"}
    notebook, page, own = ([json.dumps({"cells": [cell]})], [cell["source"]],
                           [cell["source"] + "\n```{bibliography}\n```"])
    sources_list.add_sources(None, "notebooks/07-x", notebook)
    sources_list.add_sources(None, "book/x", page)
    sources_list.add_sources(None, "book/y", own)
    for text in (json.loads(notebook[0])["cells"][-1]["source"], page[0]):
        assert "## Sources" in text and 'key % "^(kang2018demuxlet)$"' in text
    assert own[0].count("{bibliography}") == 1
