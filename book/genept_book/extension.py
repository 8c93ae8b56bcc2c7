"""What the book adds to Sphinx.

Pages of notebooks are rendered from the copy that the strict runner executed, tables of
numbers are made from ``data/`` when the book is built, and nothing on a page asks another host.
"""

import re

from genept_book.assets import copy_mathjax, finish_page, join_styles, make_static_folder
from genept_book.cite import cite_page
from genept_book.directives import (ClaimsTable, LedgerTable, PaperIndexTable, RuntimesTable,
                                    SourcesTable)
from genept_book.gene_data import write_gene_data
from genept_book.icons import subset_icons
from genept_book.notebook_pages import drop_bindings, read_notebook, style_blocks
from genept_book.page_figures import PageFigure
from genept_book.promises import PromiseTable, SoakTable
from genept_book.roles import FromClaims
from genept_book.sources_list import add_sources
from genept_book.terms import link_terms

HANDLERS = {"builder-inited": [make_static_folder],
            "source-read": [read_notebook, drop_bindings, add_sources],
            "doctree-read": [style_blocks], "doctree-resolved": [link_terms]}
PAGES = [finish_page, cite_page]  # of HTML, which the theme made
FILES = [copy_mathjax, join_styles, subset_icons, write_gene_data]  # beside them
DIRECTIVES = (ClaimsTable, LedgerTable, PageFigure, PaperIndexTable, PromiseTable, RuntimesTable,
              SoakTable, SourcesTable)


def setup(app):
    for event, handlers in HANDLERS.items():
        for handler in handlers:
            app.connect(event, handler)
    for handler in PAGES:
        app.connect("html-page-context", handler, priority=900)
    app.connect("build-finished", write_files)
    for directive in DIRECTIVES:  # LedgerTable is ledger-table
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", directive.__name__).lower()
        app.add_directive(name, directive)
    for name in ("claim", "verdict"):
        app.add_role(name, FromClaims())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def write_files(app, exception):
    """What lies beside the pages of a book that was built as HTML."""
    if not exception and app.builder.format == "html":
        for write in FILES:
            write(app)
