"""The data of the gene pages: what stands in them with and without the sources of the texts."""

import json
import re

import pandas as pd
import pytest

from genept_utils import genes, paths, sources

pytest.importorskip("sphinx", reason="sphinx is not installed")

from genept_book import gene_data, gene_names, gene_words, terms  # noqa: E402


def fail(*_):
    raise sources.SourceError("RefSeq could not be had")


def test_pages_are_built_without_refseq_and_say_so(monkeypatch):
    monkeypatch.setattr(genes, "gene_table", fail)
    monkeypatch.setattr(gene_names, "name_rules", lambda symbols: {})  # of mouse, too: seconds
    table, note = gene_data.described()
    assert len(table) == 43882 and "without RefSeq" in note
    columns = json.loads(gene_data.gene_columns(table, note))
    assert columns["note"] == note and columns["symbol"][:1] == [table.index[0]]
    texts = json.loads(gene_data.beginnings(table, note))
    assert texts["texts"] == [] and set(texts["index"]) == {-1}
    assert json.loads(gene_words.word_lists(table, note)) == {"words": [], "rows": []}


def test_beginnings_stand_once_and_end_at_a_word():
    long = "word " * 100
    table = pd.DataFrame({"summary": [long, "short", long, ""]}, index=list("abcd"))
    made = json.loads(gene_data.beginnings(table, ""))
    assert made["index"] == [0, 1, 0, -1] and made["texts"][1] == "short"
    assert made["texts"][0].endswith("word …") and len(made["texts"][0]) <= 303


def test_every_class_has_a_colour():
    from genept_book.plots import PALETTE

    style = (paths.BOOK / "_extra" / "genes" / "genes.css").read_text(encoding="utf-8")
    colours = re.findall(r"--class-\d: (#\w+);", style.partition(":root {")[2].partition("}")[0])
    assert colours == PALETTE and len(gene_data.CLASSES) == len(PALETTE)
    kinds = [kind for some in gene_data.CLASSES.values() for kind in some]
    assert len(kinds) == len(set(kinds))


def test_first_use_of_a_term_is_linked_once():
    from types import SimpleNamespace

    from docutils import nodes
    from docutils.utils import new_document

    page = new_document("x")
    page += nodes.title("", "ARI of cells")
    page += nodes.paragraph("", "ARI and PCA; the ARI again, not XARI.")
    page += nodes.paragraph("", "", nodes.literal("", "PCA"), nodes.Text(" Batch by batch"))
    found = {("term", name): ("book/glossary", f"term-{name}") for name in ("ARI", "PCA", "batch")}
    app = SimpleNamespace(env=SimpleNamespace(get_domain=lambda _: SimpleNamespace(objects=found)),
                          builder=SimpleNamespace(get_relative_uri=lambda *_: "g.html"))
    terms.link_terms(app, page, "notebooks/07")
    links = [link for link in page.findall(nodes.reference)]
    assert [link.astext() for link in links] == ["ARI", "PCA", "Batch"]
    assert links[0]["refuri"] == "g.html#term-ARI"
    assert page.astext().count("ARI") == 4
