"""Cell typing across gene panels that share no gene."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import cells, memory, renamed
from genept_utils.evaluate.checks import checked as scored
from genept_utils.evaluate.classify import label_scores
from genept_utils.evaluate.gene_spaces import GeneSpaces, placed, shared_rows
from genept_utils.evaluate.logistic import softmax_path
from genept_utils.evaluate.splits import families, subsample
from genept_utils.genes.table import named_genes

HELD = 1_000_000  # values of cells on panels that are summed together, 8 bytes each
KEPT = 0.4  # share of the cells that train in every draw, so that settings can be chosen on them
_families = families  # the parameter of across_panels hides the function's name


def panels(symbols, size=None, families=None, seed=0):
    """Two gene panels that share no gene, drawn at random.

    Parameters
    ----------
    symbols : sequence of str
        (n,) genes to draw from; a repeated symbol is one gene.
    size : int, optional
        Genes of each panel; by default half of all genes.
    families : sequence of str, optional
        (n,) family of each gene: no family stands on both sides. Families are dealt in random
        order to the panel that has fewer genes.
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
    symbols = np.asarray(symbols, dtype=object)
    unique, first = symbols, np.arange(len(symbols))
    if not (symbols[1:] > symbols[:-1]).all():  # to sort names takes as long as all the rest
        unique, first = np.unique(symbols, return_index=True)
    unique, first = unique[unique != ""], first[unique != ""]
    if 2 * (size or 1) > len(unique):
        raise ValueError(f"two panels of {size or 1} genes need {2 * (size or 1)}; there are "
                         f"{len(unique)}")
    rng = np.random.default_rng(seed)
    if families is None:
        mixed = rng.permutation(len(unique))
        size = size or len(mixed) // 2
        return unique[np.sort(mixed[:size])], unique[np.sort(mixed[size:2 * size])]
    codes, _ = pd.factorize(np.asarray(families, dtype=object)[first], sort=True)
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    sides, held = ([], []), [0, 0]
    for i in rng.permutation(len(members)):
        side = int(held[1] < held[0])
        sides[side].append(members[i])
        held[side] += len(members[i])
    drawn = [rng.permutation(np.concatenate(side)) for side in sides]
    return tuple(unique[np.sort(side[:size] if size else side)] for side in drawn)


def shared_genes(embeddings, *sets):
    """The genes (symbols, sorted) that panels are drawn from: measured in one of the sets, and
    with a vector in every embedding (a callable is asked for its first draw)."""
    measured = np.concatenate([_symbols(adata) for adata in sets])
    shared, _ = shared_rows({name: given(0) if callable(given) else given
                             for name, given in embeddings.items()})
    return shared[shared.isin(measured)].to_numpy(object)


def always_training(adata, max_cells=2000, seed=0):
    """The cells that :func:`across_panels` tests in no draw: settings can be chosen on them.

    Parameters
    ----------
    max_cells, seed : int
        As in :func:`across_panels`.

    Returns
    -------
    anndata.AnnData
        Two fifths of the cells.
    """
    rows = subsample(scored(None, adata.obs["cell_type"], 2), max_cells, seed)
    return adata[rows[np.sort(_order(len(rows), seed)[0])]]


@renamed.parameters(draws="n_resamples")
def across_panels(train, embeddings, test=None, n_resamples=10, size=None, among=None,
                  families=None, given=None, seed=0, C=0.01, how="plain", settings=None, same=True,
                  max_cells=2000):
    """Cell typing when the training and the test cells were measured on disjoint gene panels.

    For every draw, GenePT-w of the training cells from panel A trains a logistic regression that
    is tested on GenePT-w of other cells from panel B. Each side is standardised by itself.
    ``"same panel"`` tests the same model on panel A of the same test cells. All methods see the
    same genes: those that every embedding has.

    Parameters
    ----------
    train, test : anndata.AnnData
        Log-normalised cells with ``obs["cell_type"]``. Without ``test`` half of the training
        cells are tested, another half in every draw; two fifths train in every draw
        (:func:`always_training`). Of two sets only the types that both have are used.
    embeddings : dict of str to anndata.AnnData or callable
        Gene vectors by method. A callable takes the number of the draw: a control drawn anew.
    n_resamples, seed : int
        Draws of panels (and of cells), and the first seed.
    size, families
        As in :func:`panels`; ``families`` is ``"symbol"`` or ``"gene_group"``
        (:func:`families`).
    among : sequence of str, optional
        Draw the panels from these symbols only.
    given : set of str, optional
        Symbols of a fixed test panel; every other gene trains, and draws differ in cells only.
    C : float or sequence of float
        Inverse strength of the L2 penalty; of several, each is scored.
    how : str or sequence of str
        Gene vectors as they are (``"plain"``), with their mean over the genes taken away
        (``"centred"``), or also ``"whitened"`` (:func:`genept_utils.cells.whiten`).
    settings : dict of str to tuple, optional
        Per method its C and how, in place of the two above.
    same : bool
        Score the same panel, too.
    max_cells : int
        Larger sets are sampled, each type in its share.

    Returns
    -------
    pandas.DataFrame
        One row per draw, method, setting and panel ("disjoint panels", "same panel"):
        ``accuracy``, ``f1_macro``, ``majority`` (share of the largest type among the test
        cells), ``C``, ``how``, ``genes`` (of the training panel), ``pool`` (genes that panels
        are drawn from), ``n_test``.

    Raises
    ------
    ValueError
        Values that are no expression, fewer than two cell types (or shared ones), no gene that
        all embeddings have, or fewer than two of them measured.
    """
    spaces, names, draws = _drawn(train, embeddings, test, n_resamples, size, among, families,
                                  given, seed, max_cells)
    return pd.DataFrame([{**about, **label_scores(true, found), "n_test": len(true)} for
                         about, true, found in _tested(spaces, draws, C, how, settings, same)])


@renamed.parameters(draws="n_resamples")
def panel_predictions(train, embeddings, test=None, C=0.01, how="plain", settings=None,
                      n_resamples=10, given=None, seed=0, max_cells=2000):
    """What the test cells of :func:`across_panels` are taken for on the other panel.

    Returns
    -------
    pandas.DataFrame
        One row per draw, method and test cell: ``draw``, ``method``, ``true``, ``found``.
    """
    spaces, names, draws = _drawn(train, embeddings, test, n_resamples, None, None, None, given,
                                  seed, max_cells)
    return pd.concat([pd.DataFrame({"draw": about["draw"], "method": about["method"],
                                    "true": names[true], "found": names[found]}) for
                      about, true, found in _tested(spaces, draws, C, how, settings, False)],
                     ignore_index=True)


def _drawn(train, embeddings, test, n_resamples, size, among, families, given, seed, max_cells):
    """Gene vectors, names of the types, and per draw: what it is, masks of both panels, sides."""
    sides = [_side(train, max_cells, seed)]
    if test is not None:
        sides.append(_side(test, max_cells, seed))
        shared = np.intersect1d(sides[0]["y"], sides[1]["y"])
        sides = [_rows(side, np.isin(side["y"], shared)) for side in sides]
        scored(None, sides[0]["y"], 2)
    pool = np.unique(np.concatenate([side["symbols"] for side in sides]))
    if among is not None:
        pool = pool[pd.Index(pool).isin(among)]
    spaces = GeneSpaces(embeddings, pool, seed)
    names, codes = np.unique(np.concatenate([side["y"] for side in sides]), return_inverse=True)
    for side in sides:
        side["X"] = placed(side["X"], pd.Index(spaces.genes).get_indexer(side["symbols"]),
                            len(spaces.genes))
        side["y"], codes = np.split(codes, [len(side["y"])])
    kin = None if families is None else _families(spaces.genes, families)

    def drawn():  # one after the other: each has copies of its cells
        for draw in range(seed, seed + n_resamples):
            a, b = (_given_panels(spaces.genes, given) if given is not None
                    else panels(spaces.genes, size, kin, draw))
            about = {"draw": draw, "genes": len(a), "pool": len(spaces.genes)}
            yield (about, *(pd.Index(spaces.genes).isin(panel) for panel in (a, b)),
                   *(sides if test is not None else _halves(sides[0], draw, seed)))

    return spaces, names, drawn()


def _tested(spaces, draws, C, how, settings, same):
    """Per method, draw, setting and panel: what it is, true and found types."""
    import sklearn
    from threadpoolctl import threadpool_limits

    # the products are small: threads would wait for each other, and checks take as long as a fit
    with threadpool_limits(1), sklearn.config_context(assume_finite=True,
                                                      skip_parameter_validation=True):
        for some, X in _stacked(draws, same):
            memory.trim()  # cells as they were written for the draws before
            for method in spaces.methods:
                strengths, ways = settings[method] if settings else (C, how)
                sums = None if method in spaces.controls else spaces.sums(X, method)
                for about, y, true, rows, ends in some:
                    if sums is None:
                        spaces.draw(method, about["draw"])
                    own = spaces.sums(X[rows], method) if sums is None else sums[rows]
                    for way in np.atleast_1d(ways):
                        near, *others = (spaces.write(part, method, way)
                                         for part in np.split(own, ends))
                        for strength, model in _fits(near, y, np.atleast_1d(strengths)):
                            for split, other in zip(("disjoint panels", "same panel"), others):
                                yield ({**about, "method": method, "split": split, "C": strength,
                                        "how": way}, true, model.predict(other))


def _stacked(draws, same):
    """Draws whose cells are summed together, with their rows, and the expression of these cells on
    their panels: of one draw at a time most of the work would be to fetch the gene vectors."""
    some, blocks, size = [], [], 0
    for about, a, b, near, far in draws:
        made = [placed(side["X"], np.where(panel, np.arange(len(panel)), -1), len(panel))
                for side, panel in [(near, a), (far, b), (far, a)][:2 + same]]
        ends = np.cumsum([part.shape[0] for part in made])
        about["majority"] = np.bincount(far["y"]).max() / len(far["y"])
        some.append((about, near["y"], far["y"], slice(size, size + ends[-1]), ends[:-1]))
        blocks, size = [*blocks, *made], size + ends[-1]
        del near, far, made  # what is bound here stays while the draws are scored
        if sum(part.nnz for part in blocks) > HELD:
            made, blocks = sp.vstack(blocks, format="csr"), []
            yield some, made
            some, size = [], 0
    if some:
        yield some, sp.vstack(blocks, format="csr")


def _side(adata, max_cells, seed):
    cells.scale_of(adata)  # what is no expression is refused
    rows = subsample(scored(None, adata.obs["cell_type"], 2), max_cells, seed)
    symbols = pd.Series(_symbols(adata))
    symbols = symbols.where(~symbols.duplicated(), "")  # of two columns the first
    return {"X": sp.csr_matrix(cells.select_matrix(adata).X[rows]),
            "y": adata.obs["cell_type"].to_numpy(str)[rows], "symbols": symbols.to_numpy(object)}


def _symbols(adata):
    """(n_genes,) approved symbols, "" for none; names that are all symbols are not matched."""
    if adata.var_names.isin(named_genes()[0].index).all():
        return adata.var_names.to_numpy(object)
    return np.asarray(cells.matched_genes(adata).symbols, dtype=object)


def _rows(side, rows):
    return {**side, "X": side["X"][rows], "y": side["y"][rows]}


def _given_panels(pool, given):
    inside = pd.Index(pool).isin(list(given))
    if inside.all() or not inside.any():
        raise ValueError(f"{inside.sum():,} of {len(pool):,} genes with a vector lie on the given "
                         "panel; both panels need one")
    return pool[~inside], pool[inside]


def _halves(side, draw, seed):
    """Training and test cells of a draw."""
    kept, rest = _order(len(side["y"]), seed)
    near, far = np.split(np.random.default_rng(draw).permutation(rest),
                         [len(side["y"]) // 2 - len(kept)])
    return [_rows(side, np.sort(rows)) for rows in (np.concatenate([kept, near]), far)]


def _order(n, seed):
    """Row numbers of the cells that train in every draw, and of the others."""
    return np.split(np.random.default_rng(seed).permutation(n), [int(KEPT * n)])


def _fits(X, y, strengths):
    """Each strength and a model of these types."""
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression

    types = len(np.unique(y))
    if types > 2:
        return zip(strengths, softmax_path(X, y, strengths))
    if types < 2:  # rare types that all fell to the other half
        return [(C, DummyClassifier(strategy="most_frequent").fit(X, y)) for C in strengths]
    return [(C, LogisticRegression(C=C, max_iter=2000).fit(X, y)) for C in strengths]
