"""Pages of notebooks: rendered from the executed copy, with what was not executed said."""

import json
import re
from pathlib import Path

import nbformat
from docutils import nodes

from genept_book.bindings import COMMENT
from genept_book.html_tables import tidy_tables
from genept_book.notebooks import about, code_cells, read
from genept_book.stamp import code_hash
from genept_book.templates import render

CALLOUTS = {"note": "note", "result": "result", "tip": "result", "caution": "caution",
            "warning": "caution", "not": "status", "executed": "status"}


def read_notebook(app, docname, source):
    """Render a notebook with the outputs of its executed copy, and say where it was not executed.

    Those of ``_build/run/notebooks/NN-name.ipynb`` replace the committed ones if the hash of the
    code that the runner stamped into it is the hash of the committed code.
    """
    if not docname.startswith("notebooks/"):
        return
    name, run = docname.split("/", 1)[1], Path(app.srcdir, "_build", "run")
    notebook = nbformat.reads(source[0], as_version=4)
    summary, executed = run / "summary.json", run / "notebooks" / f"{name}.ipynb"
    rows = json.loads(summary.read_text(encoding="utf-8")) if summary.is_file() else []
    row = next((row for row in rows if row["notebook"] == name), {})
    if executed.is_file() and row.get("status") not in ("kept", "failed"):
        app.env.note_dependency(str(executed))
        copy = read(executed)
        stamp = about(copy).get("run", {})
        if stamp.get("code_sha256") == code_hash(notebook):
            notebook.metadata = copy.metadata
            for cell, ran in zip(*map(code_cells, (notebook, copy)), strict=True):
                cell.outputs = ran.outputs
    lead_figure(notebook)
    if status := render("status.md.j2", row={"missing": [], "status": "", **row}):
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(status))
    source[0] = nbformat.writes(notebook)


def lead_figure(notebook):
    """Show the figure of a cell tagged ``main-figure`` at the top of its page as well, in place.

    Below it stand its caption and a link to its place.
    """
    found = next((cell for cell in notebook.cells
                  if "main-figure" in cell.metadata.get("tags", [])), None)
    if found is None or not found.outputs:
        return
    shown = found.metadata["mystnb"]
    image = nbformat.v4.new_code_cell(found.source, outputs=found.outputs, metadata={
        "tags": ["remove-input"], "mystnb": {"image": shown.get("image", {})}})
    below = nbformat.v4.new_markdown_cell(
        f"{shown['figure']['caption']} [Where it is made](#{shown['figure']['name']}).")
    notebook.cells[1:1] = [image, below]


def drop_bindings(app, docname, source):
    """Take the comments that bind sentences to claims out of a page, also in alternative texts,
    where they would be read aloud."""
    source[0] = COMMENT.sub("", source[0])


def style_blocks(app, doctree):
    """Mark the claim of a page, the key facts of a chapter, and the quotes that are callouts.

    A quote is a callout if its first word is bold: that reads well on GitHub and Colab too.
    """
    for quote in doctree.findall(nodes.block_quote):
        first = next(iter(content(quote[0])), None) if quote.children else None
        if isinstance(first, nodes.strong):
            word = re.split(r"\W", first.astext().lower())[0]
            quote["classes"] += ["callout", f"callout-{CALLOUTS.get(word, 'plain')}"]
    for html in doctree.findall(nodes.raw):
        if "text_html" in html["classes"] and "dataframe" in html.astext():
            html.children = [nodes.Text(tidy_tables(html.astext()))]
    claim = next(doctree.findall(nodes.paragraph), None)
    if claim is not None and [type(node) for node in content(claim)] == [nodes.strong]:
        claim["classes"].append("claim")
    if app.env.docname.startswith("notebooks/"):
        first = next(doctree.findall(nodes.section), ())  # a page may have no heading
        for table in [one for one in first if isinstance(one, nodes.table)][:1]:
            table["classes"].append("key-facts")


def content(paragraph):
    """The parts of a paragraph that hold text."""
    return [node for node in paragraph.children if node.astext().strip()]
