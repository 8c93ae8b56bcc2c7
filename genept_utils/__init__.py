"""Gene text -> gene vectors -> cell vectors -> honest evaluation.

The plain functions behind the GenePT book. The most used are names of the package itself::

    import genept_utils as gp
    embedding = gp.read_embedding()
    gp.genept_w(adata, embedding)          # -> adata.obsm["X_genept_w"]
"""

import importlib

__version__ = "0.1.0"

_HOME = {
    "fetch": "sources",
    "gene_table": "genes",
    "texts": "embed.texts",
    "match": "genes",
    "embed_genes": "embed",
    "read_embedding": "embed",
    "write_embedding": "embed",
    "align": "embed",
    "nearest": "embed",
    "marking_words": "embed",
    "estimate_cost": "embed.cost",
    "load": "datasets",
    "normalise": "cells",
    "coexpression": "cells",
    "genept_w": "cells",
    "cell_sentences": "cells",
    "genept_s": "cells",
}
# Rooms by the short names that pages use: `from genept_utils import ledger, plots`.
_ROOMS = {"claims": "pages.claims", "embed": "embed", "finetune": "evaluate.finetune",
          "ledger": "pages.ledger", "plots": "pages.plots"}
__all__ = [*_HOME, *_ROOMS, "__version__"]


def __getattr__(name):
    """Import a public name when it is first used, so that `import genept_utils` is quick."""
    if name in _ROOMS:
        return importlib.import_module(f"genept_utils.{_ROOMS[name]}")
    if name not in _HOME:
        raise AttributeError(f"module 'genept_utils' has no attribute {name!r}")
    return getattr(importlib.import_module(f"genept_utils.{_HOME[name]}"), name)


def __dir__():
    return __all__
