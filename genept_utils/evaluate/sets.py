"""The same methods on several sets of cells: sets read alike, controls drawn, scores gathered."""

import numpy as np
import pandas as pd

from genept_utils import cells, datasets
from genept_utils.evaluate.splits import subsample

LEAST_CELLS = 50  # the scores ask for 30 neighbours


def read_sets(names, max_cells, seed=0, needs=(), also=(), report=print, **options):
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
    report : callable
        Is given one sentence about whatever is left out.
    **options
        Columns and further options of :func:`genept_utils.datasets.load`; ``""`` is not given.

    Returns
    -------
    dict of str to anndata.AnnData
        By the set's name.

    Raises
    ------
    ValueError
        Fewer than 50 cells, or fewer than two cell types or values of a needed column.
    KeyError
        A needed column or key of ``obsm`` does not exist.
    """
    options = {key: value for key, value in options.items() if value}
    made = {}
    for name in names:
        adata = datasets.load(name, **options, **({"obsm": list(also)} if also else {}))
        adata = datasets.complete(adata, *needs, report=report)
        datasets.enough(adata, cells=LEAST_CELLS, cell_type=2, **dict.fromkeys(needs, 2))
        if "batch" not in needs:
            asked = bool(options.get("batch")) or name in datasets.CELLS
            datasets.optional_batch(adata, asked, report)
        adata = adata[subsample(adata.obs["cell_type"], max_cells, seed)].copy()
        ready = cells.normalise(adata)
        for key in also:
            ready.obsm[key] = np.asarray(adata.obsm[key], dtype=np.float32)
        made[ready.uns["genept_data"]["name"]] = ready
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
    return keys


def each(sets, keys, score):
    """What a score gives for every set and method, as one table.

    Parameters
    ----------
    sets : dict of str to anndata.AnnData
        Sets by name.
    keys : dict of str to list of str
        Per method its keys of ``obsm``: several for a control that was drawn several times.
    score : callable
        Takes (vectors (n, d), ``obs``, number of keys of the method); gives a dict or a
        DataFrame.

    Returns
    -------
    pandas.DataFrame
        The scores, with ``dataset``, ``method`` and ``n`` cells; empty where there is no set.
    """
    made = []
    for name, adata in sets.items():
        for method, used in keys.items():
            for key in used:
                found = score(adata.obsm[key], adata.obs, len(used))
                table = pd.DataFrame([found]) if isinstance(found, dict) else found
                made.append(table.assign(dataset=name, method=method, n=adata.n_obs))
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
