"""Cell typing across gene panels that share no gene."""

import gc

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import cells, embed
from genept_utils.embed.vectors import checked
from genept_utils.evaluate.checks import checked as scored
from genept_utils.evaluate.neighbours import label_scores
from genept_utils.evaluate.splits import families, subsample
from genept_utils.evaluate.tables import summary


def panels(symbols, size=None, families=None, seed=0):
    """Two gene panels that share no gene, drawn at random.

    Parameters
    ----------
    symbols : sequence of str
        (n,) genes to draw from; a repeated symbol is one gene.
    size : int, optional
        Genes of each panel; by default half of all genes.
    families : sequence of str, optional
        (n,) family of each gene: then no family stands on both sides either. Families are dealt
        one at a time, in random order, to the panel that has fewer genes.
    seed : int
        Seed of the draw.

    Returns
    -------
    tuple of numpy.ndarray
        The symbols of the first and of the second panel, sorted.

    Raises
    ------
    ValueError
        There are fewer than ``2 * size`` genes, or than two.
    """
    table = pd.DataFrame({"symbol": np.asarray(symbols, dtype=object)})
    table["family"] = table["symbol"] if families is None else np.asarray(families, dtype=object)
    table = table[table["symbol"] != ""].drop_duplicates("symbol").sort_values("symbol")
    if 2 * (size or 1) > len(table):
        raise ValueError(f"two panels of {size or 1} genes need {2 * (size or 1)}; there are "
                         f"{len(table)}")
    rng = np.random.default_rng(seed)
    if families is None:
        mixed = rng.permutation(table["symbol"].to_numpy())
        size = size or len(mixed) // 2
        return np.sort(mixed[:size]), np.sort(mixed[size:2 * size])
    members = [part.to_numpy() for _, part in table.groupby("family")["symbol"]]
    sides, held = ([], []), [0, 0]
    for i in rng.permutation(len(members)):
        side = int(held[1] < held[0])
        sides[side].append(members[i])
        held[side] += len(members[i])
    drawn = [rng.permutation(np.concatenate(side)) for side in sides]
    return tuple(np.sort(side[:size] if size else side) for side in drawn)


def across_panels(train, embeddings, test=None, draws=10, size=None, among=None, families=None,
                  given=None, seed=0, C=0.01, max_cells=2000):
    """Cell typing when the training and the test cells were measured on disjoint gene panels.

    For every draw, GenePT-w of the training cells from panel A trains a logistic regression that
    is tested on GenePT-w of other cells from panel B. Each side is standardised by itself, so
    nothing is known of the test cells but their own vectors. ``"same panel"`` tests the same
    model on panel A of the same test cells.

    Parameters
    ----------
    train, test : anndata.AnnData
        Log-normalised cells with ``obs["cell_type"]``. Without ``test`` half of the training
        cells, another half in every draw, are tested. Of two sets only the types that both have
        are used.
    embeddings : dict of str to anndata.AnnData or callable
        Gene vectors by method; the first is an AnnData. A callable takes the number of the draw
        and gives the vectors: a control that is drawn anew.
    draws, seed : int
        Draws of panels (and of cells), and the first seed.
    size, families
        As in :func:`panels`; ``families`` is ``"symbol"`` or ``"gene_group"``
        (:func:`families`).
    among : int or numpy.ndarray, optional
        Draw the panels from the ``among`` most variable genes of the training cells only, or
        from the genes of a mask (n_genes,).
    given : set of str, optional
        Symbols of a fixed test panel; the training panel is then every other gene, and the
        draws differ in cells only.
    C : float
        Inverse strength of the L2 penalty.
    max_cells : int
        Larger sets are sampled, each type in its share.

    Returns
    -------
    pandas.DataFrame
        One row per draw, method and panel ("disjoint panels", "same panel"): ``accuracy``,
        ``f1_macro``, ``majority`` (share of the largest type among the test cells), ``genes``
        (of the training panel), ``n_test``.

    Raises
    ------
    ValueError
        Values that are no expression, fewer than two cell types (or shared ones), or fewer than
        two genes with a vector to draw from.
    """
    sides = [_panel_side(train, max_cells, seed)]
    if test is not None:
        sides.append(_panel_side(test, max_cells, seed))
        shared = np.intersect1d(sides[0]["y"], sides[1]["y"])
        sides = [_rows(side, np.flatnonzero(np.isin(side["y"], shared))) for side in sides]
        scored(None, sides[0]["y"], 2)
    pool = np.unique(np.concatenate([side["symbols"] for side in sides]))
    pool = pool[pd.Index(pool).isin(next(iter(embeddings.values())).obs_names)]
    if among is not None:
        mask = among if np.ndim(among) else cells.highly_variable(train, among)
        chosen = sides[0]["symbols"][mask]
        pool = pool[pd.Index(pool).isin(chosen)]
    kin = None if families is None else _families(pool, families)
    rows = []
    for draw in range(seed, seed + draws):
        a, b = panels(pool, size, kin, draw) if given is None else _given_panels(pool, given)
        near, far = _train_and_test(sides, draw)
        parts = [_on_panel(side, panel) for side, panel in ((near, a), (far, a), (far, b))]
        for method, embedding in embeddings.items():
            embedding = checked(embedding(draw) if callable(embedding) else embedding)
            fit, same, other = (_panel_vectors(*part, embedding) for part in parts)
            for split, tested in (("disjoint panels", other), ("same panel", same)):
                if split == "disjoint panels":
                    model = _fit_standardised(fit, near["y"], C)
                scores = label_scores(far["y"], model.predict(standardise(tested)))
                rows.append({"draw": draw, "method": method, "split": split, **scores,
                             "majority": pd.Series(far["y"]).value_counts(normalize=True).max(),
                             "genes": len(a), "n_test": len(far["y"])})
    return pd.DataFrame(rows)


def by_panel_size(adata, embeddings, sizes, among=None, report=print, **options):
    """:func:`across_panels` for panels of several sizes.

    Parameters
    ----------
    sizes : sequence of int
        Genes of each panel; tried where the pool holds three such panels or more.
    among : int, optional
        The pool is the ``among`` most variable genes instead of all.
    report : callable
        Is given one sentence where no size fits.
    **options
        Of :func:`across_panels`.

    Returns
    -------
    pandas.DataFrame
        With ``size``, ``pool`` ("all genes", "variable genes") and ``task``.
    """
    pool = "all genes" if among is None else "variable genes"
    most = min(among or adata.n_vars, adata.n_vars)
    if among is not None:
        among = cells.highly_variable(adata, among)  # once for all sizes
        gc.collect()  # the copies that this took
    made = [across_panels(adata, embeddings, size=size, among=among, **options).assign(
        size=size, pool=pool, task=f"panels of {size} from {pool}")
        for size in sizes if 3 * size <= most]
    if not made:
        report(f"{most:,} genes are fewer than three panels of {min(sizes)}: panel sizes are left "
               "out.")
    return pd.concat(made) if made else pd.DataFrame(columns=["size", "pool", "task", "split"])


def panel_table(runs, split=None, index=("dataset", "split")):
    """Mean accuracy by method, with the share of the largest type in a column of its own."""
    runs = runs if split is None else runs[runs["split"] == split]
    by = [name for name in index if split is None or name != "split"]
    table = runs.pivot_table("accuracy", by, "method", sort=False)
    table["largest type"] = runs.groupby(by, sort=False)["majority"].mean()
    return table.round(2)


def panel_rows(runs):
    """Rows for the ledger: ``accuracy`` and ``f1_macro`` with the middle 95 % of the draws, and
    the number ``n`` of test cells."""
    rows = summary(runs, ["task", "dataset", "method", "split"], ["accuracy", "f1_macro"])
    size = runs.groupby(["task", "dataset"])["n_test"].first().astype(int).rename("n")
    return rows.merge(size.reset_index(), on=["task", "dataset"])


def parts_of(sets, columns):
    """The sets, and their parts by the values of some columns of ``obs``: "kang control"."""
    parts = dict(sets)
    for name, adata in sets.items():
        for column in [column for column in columns if column in adata.obs]:
            for value in adata.obs[column].dropna().unique():
                parts[f"{name} {value}"] = adata[adata.obs[column] == value]
    return parts


def panel_predictions(adata, embedding, draws=10, seed=0, C=0.01, max_cells=2000):
    """True and predicted labels of the test cells of all draws of :func:`across_panels`, on
    disjoint random halves of the genes."""
    side = _panel_side(adata, max_cells, seed)
    pool = np.unique(side["symbols"][pd.Index(side["symbols"]).isin(
        checked(embedding).obs_names)])
    true, found = [], []
    for draw in range(seed, seed + draws):
        a, b = panels(pool, seed=draw)
        near, far = _train_and_test([side], draw)
        fit, other = (_panel_vectors(*_on_panel(*part), embedding)
                      for part in ((near, a), (far, b)))
        model = _fit_standardised(fit, near["y"], C)
        true.append(far["y"])
        found.append(model.predict(standardise(other)))
    return np.concatenate(true), np.concatenate(found)


_families = families  # the parameter of across_panels hides the function's name


def relabelled(embedding, seed=0):
    """The vectors of an embedding under the names of other genes: a permuted map that shares the
    memory of the original."""
    names = np.random.default_rng(seed).permutation(checked(embedding).obs_names.to_numpy())
    return type(embedding)(embedding.X, obs=pd.DataFrame(index=names))


def _panel_side(adata, max_cells, seed):
    cells.scale_of(adata)  # what is no expression is refused
    rows = subsample(scored(None, adata.obs["cell_type"], 2), max_cells, seed)
    return {"X": sp.csc_matrix(cells.chosen(adata).X[rows]),
            "y": adata.obs["cell_type"].to_numpy(str)[rows],
            "symbols": cells.matched_genes(adata).symbols}


def _rows(side, rows):
    return {"X": side["X"][rows], "y": side["y"][rows], "symbols": side["symbols"]}


def _train_and_test(sides, draw):
    if len(sides) == 2:
        return sides
    order = np.random.default_rng(draw).permutation(len(sides[0]["y"]))
    half = len(order) // 2
    return _rows(sides[0], np.sort(order[:half])), _rows(sides[0], np.sort(order[half:]))


def _given_panels(pool, given):
    inside = pd.Index(pool).isin(list(given))
    if inside.all() or not inside.any():
        raise ValueError(f"{inside.sum():,} of {len(pool):,} genes with a vector lie on the given "
                         "panel; both panels need one")
    return pool[~inside], pool[inside]


def _on_panel(side, panel):
    """The expression of a panel's genes, and their symbols."""
    columns = np.flatnonzero(pd.Index(side["symbols"]).isin(panel))
    return side["X"][:, columns].tocsr(), side["symbols"][columns]


def _panel_vectors(X, symbols, embedding):
    vectors = embedding.X[embedding.obs_names.get_indexer(symbols)]
    return embed.unit(cells.weighted_sum(X, vectors))


def standardise(X):
    """Each column brought to mean 0 and standard deviation 1; a constant column becomes 0."""
    X = np.asarray(X, dtype=np.float32)
    return (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-6)


def _fit_standardised(X, y, C):
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if len(np.unique(y)) < 2:  # rare types that all fell to the other half
        return DummyClassifier(strategy="most_frequent").fit(X, y)
    with threadpool_limits(1):  # the products are small: threads would wait for each other
        return LogisticRegression(C=C, max_iter=500, tol=1e-3).fit(standardise(X), y)
