"""What the book adds to Sphinx.

Pages of notebooks are rendered from the copy that the strict runner executed, tables of
numbers are made from ``data/`` when the book is built, and nothing on a page asks another host.
"""

from genept_book.assets import (copy_mathjax, drop_font_preloads, finish_page, join_styles,
                                make_static_folder)
from genept_book.directives import (BookStamp, ClaimsTable, LedgerTable, PaperIndexTable,
                                    RuntimesTable, SourcesTable)
from genept_book.gene_data import write_gene_data
from genept_book.gene_pages import GeneList, GeneMap
from genept_book.notebook_pages import drop_bindings, read_notebook, style_blocks
from genept_book.promises import PromiseTable, SoakTable
from genept_book.roles import Claim, Verdict
from genept_book.terms import link_terms


def setup(app):
    app.connect("builder-inited", make_static_folder)
    app.connect("source-read", read_notebook)
    app.connect("source-read", drop_bindings)
    app.connect("doctree-read", style_blocks)
    app.connect("doctree-resolved", link_terms)
    app.connect("html-page-context", finish_page, priority=900)
    app.connect("build-finished", copy_mathjax)
    app.connect("build-finished", join_styles)
    app.connect("build-finished", drop_font_preloads)
    app.connect("build-finished", write_gene_data)
    app.add_directive("ledger-table", LedgerTable)
    app.add_directive("sources-table", SourcesTable)
    app.add_directive("runtimes-table", RuntimesTable)
    app.add_directive("claims-table", ClaimsTable)
    app.add_directive("paper-index-table", PaperIndexTable)
    app.add_directive("promise-table", PromiseTable)
    app.add_directive("soak-table", SoakTable)
    app.add_directive("book-stamp", BookStamp)
    app.add_directive("gene-list", GeneList)
    app.add_directive("gene-map", GeneMap)
    app.add_role("claim", Claim())
    app.add_role("verdict", Verdict())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
