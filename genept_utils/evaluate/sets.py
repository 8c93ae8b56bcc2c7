"""Several sets of cells: read alike, sampled, and listed."""

import numpy as np
import pandas as pd

from genept_utils import cells, datasets, embed, memory, sources
from genept_utils.evaluate.splits import subsample

LEAST_CELLS = 50  # the scores ask for 30 neighbours


def read_sets(names, max_cells, seed=0, needs=(), also=(), types=2, report=print, **options):
    """Sets of cells by name or path: columns checked, sampled, then log-normalised.

    Parameters
    ----------
    names : sequence of str
        As :func:`genept_utils.datasets.load` takes them.
    max_cells, seed : int
        Larger sets are sampled, each type in its share (:func:`subsample`).
    needs : sequence of str
        Columns that a set must have; cells without a value in them are left out and reported.
    also : sequence of str
        Keys of ``obsm`` that are kept.
    types : int
        Cell types that a set must have.
    report : callable
        Is given one sentence about whatever is left out.
    **options
        Columns and further options of :func:`genept_utils.datasets.load`; ``""`` is not given,
        and what concerns files (``layer``, ``raw``, ``values``, ``species``) is for paths only.

    Returns
    -------
    dict of str to anndata.AnnData
        By the set's name.

    Raises
    ------
    ValueError
        Fewer than 50 cells, fewer cell types than ``types``, or one value of a needed column.
    KeyError
        A needed column or key of ``obsm`` does not exist.
    """
    batched = "batch" in options or "batch" in needs
    if options.get("species") == "human":  # the default: load may then find a mouse by itself
        del options["species"]
    options = {key: value for key, value in options.items() if value}
    made = {}
    for name in names:
        adata = datasets.load(name, **options, **({"obsm": list(also)} if also else {}))
        adata = datasets.complete(adata, *needs, report=report)
        datasets.enough(adata, cells=LEAST_CELLS, cell_type=types, **dict.fromkeys(needs, 2))
        asked = "batch" in needs or bool(options.get("batch")) or name in datasets.CELLS
        if batched:
            datasets.settle_batch(adata, asked, report)
        rows = subsample(adata.obs["cell_type"], max_cells, seed)
        adata = adata if len(rows) == adata.n_obs else adata[rows].copy()
        memory.release()
        ready = cells.normalise(adata)
        for key in also:
            ready.obsm[key] = np.asarray(adata.obsm[key], dtype=np.float32)
        made[ready.uns["genept_data"]["name"]] = ready
        del adata
        memory.release()
    return made


def overview(sets):
    """A table of sets: ``cells``, ``genes``, ``types`` (and ``batches``), and the share of the
    ``largest type``."""
    rows = {}
    for name, adata in sets.items():
        types = adata.obs["cell_type"].value_counts(normalize=True)
        rows[name] = {"cells": adata.n_obs, "genes": adata.n_vars, "types": len(types)}
        if "batch" in adata.obs:
            rows[name]["batches"] = adata.obs["batch"].nunique()
        rows[name]["largest type"] = round(types.max(), 2)
    table = pd.DataFrame(rows.values(), pd.Index(rows, name="dataset"))
    return table.astype({"batches": "Int64"}) if "batches" in table else table


def readable(wanted, seed=0, report=print):
    """Gene vectors by method, as far as they can be had; the others are reported.

    Parameters
    ----------
    wanted : dict of str to str or callable
        Per method a name as :func:`genept_utils.embed.read_embedding` takes it, or what takes the
        seed and gives gene vectors.

    Returns
    -------
    dict of str to anndata.AnnData
    """
    made = {}
    for method, name in wanted.items():
        try:
            made[method] = (name(seed=seed) if callable(name)
                            else embed.read_embedding(name, seed))
        except sources.SourceError as error:
            report(f"{method} is left out: {str(error).splitlines()[0]}")
    return made
