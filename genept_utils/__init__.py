"""Gene text -> gene vectors -> cell vectors -> honest evaluation.

The plain functions behind the GenePT book. The most used are names of the package itself::

    import genept_utils as gp
    embedding = gp.read_embedding()
    gp.genept_w(adata, embedding)          # -> adata.obsm["X_genept_w"]
"""

import importlib
import sys

from genept_utils import paths

__version__ = "0.1.0"

_NAMES = {
    "sources": "fetch",
    "genes": "gene_table match",
    "embed": "embed_genes read_embedding write_embedding align nearest nearest_to_list "
             "marking_words",
    "embed.texts": "texts",
    "embed.cost": "estimate_cost",
    "datasets": "load",
    "cells": "normalise coexpression genept_w cell_sentences genept_s",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
# What pages import by a short name: `from genept_utils import ledger, plots`.
_MODULES = {"embed": "genept_utils.embed",
            **{name: f"genept_book.{name}"
               for name in ("claim_plots", "claims", "ledger", "plots")}}
__all__ = [*_HOME, *_MODULES, "__version__"]

# A clone keeps its own book package, whatever else is installed.
if paths.CHECKOUT and str(paths.BOOK) not in sys.path:
    sys.path.insert(0, str(paths.BOOK))


def __getattr__(name):
    """Import a public name when it is first used, so that `import genept_utils` is quick."""
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name not in _HOME:
        raise AttributeError(f"module 'genept_utils' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"genept_utils.{_HOME[name]}"), name)
    return globals().setdefault(name, found)


def __dir__():
    return __all__
