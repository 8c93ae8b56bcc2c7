"""The same methods on several sets of cells: sets read alike, controls drawn, scores gathered."""

import gc

import numpy as np
import pandas as pd

from genept_utils import cells, datasets, embed, sources
from genept_utils.evaluate.intervals import spread
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
        Columns that a set must have; cells without a value in them are left out, with a word.
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
        adata = adata[subsample(adata.obs["cell_type"], max_cells, seed)].copy()
        ready = cells.normalise(adata)
        for key in also:
            ready.obsm[key] = np.asarray(adata.obsm[key], dtype=np.float32)
        made[ready.uns["genept_data"]["name"]] = ready
        del adata
        gc.collect()  # an AnnData refers to itself: without this it stays in memory for a while
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


def coverage(sets, key):
    """Per set the share of the genes that have a vector in the GenePT-w of ``key``, and the share
    of the expression that lies on them."""
    about = {name: adata.uns["genept"][key] for name, adata in sets.items()}
    rows = [{"genes with a vector": one["coverage_genes"],
             "expression on them": one["coverage_mass"]} for one in about.values()]
    return pd.DataFrame(rows, pd.Index(about, name="dataset")).round(3)


def readable(wanted, seed=0, report=print):
    """Gene vectors by method, as far as they can be had; the others are reported.

    Parameters
    ----------
    wanted : dict of str to str
        Per method a name as :func:`genept_utils.embed.read_embedding` takes it.

    Returns
    -------
    dict of str to anndata.AnnData
    """
    made = {}
    for method, name in wanted.items():
        try:
            made[method] = embed.read_embedding(name, seed)
        except sources.SourceError as error:
            report(f"{method} is left out: {str(error).splitlines()[0]}")
    return made


def drawn(sets, method, control, draws, seed=0, **options):
    """GenePT-w with a control's gene vectors, drawn anew several times, for every set.

    Parameters
    ----------
    control : callable
        Takes the number of the draw and gives gene vectors.
    **options
        Of :func:`genept_utils.cells.genept_w`.

    Returns
    -------
    list of str
        The keys of ``obsm`` that were written: ``method`` and the number of the draw.
    """
    keys = [f"{method} {draw}" for draw in range(seed, seed + draws)]
    for draw, key in enumerate(keys, seed):
        vectors = control(draw)
        for adata in sets.values():
            cells.genept_w(adata, vectors, key=key, **options)
        del vectors
        gc.collect()
    return keys


def each(sets, keys, score):
    """What a score gives for every set and method, as one table.

    Parameters
    ----------
    sets : dict of str to anndata.AnnData
        Sets by name.
    keys : dict of str to list of str
        Per method its keys of ``obsm``: several for a control that was drawn several times; a
        tuple of keys hands several representations to the score at once.
    score : callable
        Takes (vectors (n, d), ``obs``, number of keys of the method); gives a dict or a
        DataFrame.

    Returns
    -------
    pandas.DataFrame
        The scores, with ``dataset``, ``method`` and, unless the score gives its own, ``n`` cells;
        empty where there is no set.
    """
    made = []
    for name, adata in sets.items():
        for method, used in keys.items():
            for key in used:
                space = (adata.obsm[key] if isinstance(key, str)
                         else [adata.obsm[part] for part in key])
                found = score(space, adata.obs, len(used))
                table = pd.DataFrame([found]) if isinstance(found, dict) else found
                size = {} if "n" in table else {"n": adata.n_obs}
                made.append(table.assign(dataset=name, method=method, **size))
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame()


def differences(table, metric, pairs):
    """In how many sets one method is above another, and by how much.

    Parameters
    ----------
    table : pandas.DataFrame
        ``dataset``, ``method``, ``metric``, ``value``, as :func:`summary` gives it.
    pairs : sequence of tuple of str
        (method, other).

    Returns
    -------
    pandas.DataFrame
        ``method``, ``other``, ``above`` (sets in which the method is above), ``sets``, and the
        ``mean``, ``smallest`` and ``largest`` difference.
    """
    wide = table[table["metric"] == metric].pivot(index="dataset", columns="method",
                                                  values="value")
    rows = []
    for method, other in pairs:
        if {method, other} <= set(wide.columns):
            gap = (wide[method] - wide[other]).dropna()
            rows.append({"method": method, "other": other, "above": int((gap > 0).sum()),
                         "sets": len(gap), "mean": gap.mean(), "smallest": gap.min(),
                         "largest": gap.max()})
    return pd.DataFrame(rows)


def run_gains(runs, metric, pairs, by):
    """Differences of two methods run by run: their mean and what holds 95 % of them.

    Parameters
    ----------
    runs : pandas.DataFrame
        One row per run: ``method``, ``metric`` and the columns ``by``.
    pairs : sequence of tuple of str
        (method, other); a pair of which one is missing is left out.
    by : list of str
        Columns that name a run, the same for both methods.

    Returns
    -------
    pandas.DataFrame
        ``method``, ``minus``, ``mean``, ``low``, ``high``.
    """
    wide = runs.pivot_table(metric, by, "method")
    rows = [(a, b, *spread(wide[a] - wide[b])) for a, b in pairs if {a, b} <= set(wide)]
    return pd.DataFrame(rows, columns=["method", "minus", "mean", "low", "high"])
