"""The tasks of ``score`` on cells: types across panels, and clusters."""

import functools

import numpy as np
import pandas as pd

from genept_book.notebooks import definitions
from genept_utils import cells, embed, evaluate
from genept_utils.chapters import disjoint_panels

SEED = 0
PANEL_SETS, PANEL_DRAWS = ("pbmc_facs", "pbmc3k", "kang"), 3  # of six sets and six draws
PANELS = (f"Cells of {', '.join(PANEL_SETS)}, {PANEL_DRAWS} draws of panels; in the chapter six "
          "sets and six draws, beside loadings. The interval is over draws.")
MAX_CELLS = 1000  # of each set; in the chapter 3,000
PCA = "PCA of the same cells"
CLUSTERS = (f"GenePT-w whitened of {MAX_CELLS:,} cells of each of six sets, in the chapter 3,000; "
            "words, letters and GO processes are projected to 384 numbers. The interval is over "
            "sets.")


def page(number, *names, **given):
    """What a page defines, with the seed of all tasks."""
    return definitions(number, *names, seed=SEED, **given)


@functools.cache
def _cells():
    read = evaluate.read_sets(PANEL_SETS, 10**9, SEED)
    return disjoint_panels.ready({name: cells.by_symbol(adata) for name, adata in read.items()},
                                 page("10")["max_cells"], SEED)


def _genes(sets):
    return pd.Series("", sorted(set().union(*(adata.var_names for adata in sets.values()))))


def measured():
    """The genes of the sets of panels."""
    return _genes(_cells())


def panels(method, source, kept):
    """Cell types across panels that share no gene: accuracy of each draw."""
    at = page("10", "ways", "choose", tries=PANEL_DRAWS)
    vectors = embed.read_embedding(source, SEED) if isinstance(source, str) else source
    rows = embed.vectors.by_symbol(vectors)
    one = vectors[rows[rows.index.isin(kept)].to_numpy()].copy()
    given = {method: one if method != "permuted" else functools.cache(
        functools.partial(disjoint_panels.relabelled, one))}
    made = []
    for name, adata in _cells().items():
        made.append(evaluate.across_panels(
            adata, given, n_resamples=PANEL_DRAWS, seed=SEED, same=False,
            settings=at["choose"](adata, given)).assign(dataset=name, split="disjoint panels"))
    return pd.concat(made).assign(value=lambda found: found["accuracy"])


@functools.cache
def _sets():
    read = evaluate.read_sets(page("07")["datasets"], MAX_CELLS, SEED)
    return {name: cells.by_symbol(adata) for name, adata in read.items()}


def in_sets():
    """The genes of the sets of chapter 7."""
    return _genes(_sets())


def clusters(method, source, kept):
    """Clusters of cells: agreement of each run of k-means with the types, whitened."""
    at, made = page("07"), []
    symbols = pd.Index(sorted(kept))
    table = _narrow(evaluate.gene_input(source, symbols, SEED))
    wanted = {PCA: "components"}.get(method, method)
    drawn = wanted in ("permuted", "random")  # several draws, which share the runs
    for name, adata in _sets().items():
        some = symbols.intersection(adata.var_names)
        written = evaluate.ways(adata[:, some], {method: table[symbols.get_indexer(some)]},
                                at["draws"], SEED, ["whitened"])
        for way, X in written:
            if way["vectors"] != wanted or drawn and way["draw"] is None:
                continue
            runs = range(SEED + (way["draw"] or 0), SEED + at["seeds"],
                         at["draws"] if drawn else 1)
            made.append(evaluate.clustering(X, adata.obs["cell_type"], runs).assign(set=name))
            if not drawn:
                break
    return pd.concat(made).assign(split="whitened", value=lambda found: found["ari"])


def _narrow(X):
    """Counts of words or letters in as many numbers as chapter 7 gives them, vectors as they
    are."""
    if isinstance(X, np.ndarray):
        return X
    from sklearn.random_projection import SparseRandomProjection

    return SparseRandomProjection(384, dense_output=True, random_state=SEED).fit_transform(X)
