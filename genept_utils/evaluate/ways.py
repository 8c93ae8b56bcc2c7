"""Cells written with gene vectors: the same genes for all, three preparations, nulls alike."""

import numpy as np
import pandas as pd

from genept_utils import cells, embed, renamed
from genept_utils.cells.expression import components
from genept_utils.embed.vectors import by_symbol
from genept_utils.evaluate.sets import readable

PREPARATIONS = ("plain", "hvg", "whitened")
VARIABLE = 2000  # genes of the last two


def on_same_genes(adata, embeddings):
    """Cells on the genes that every embedding has, and the vectors of these genes.

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes); of two columns of a gene the first is used.
    embeddings : dict of str to anndata.AnnData
        (n, d) gene vectors by method.

    Returns
    -------
    adata : anndata.AnnData
        (n_cells, n_shared), a copy named by approved symbols; ``uns["same_genes"]`` of the given
        one holds their number and their shares.
    vectors : dict of str to numpy.ndarray
        (n_shared, d) float32 by method, row i for column i.

    Raises
    ------
    ValueError
        Fewer than two genes are left, or X holds no expression values.
    """
    cells.scale_of(adata)  # what holds no expression is refused here
    symbols = pd.Index(cells.matched_genes(adata).symbols)
    rows = {method: by_symbol(embedding).reindex(symbols, fill_value=-1).to_numpy()
            for method, embedding in embeddings.items()}
    known = (np.array(list(rows.values())) >= 0).all(axis=0)
    shared = np.flatnonzero(known & ~symbols.duplicated())
    if len(shared) < 2:
        raise ValueError(f"{len(shared)} of {adata.n_vars:,} genes have a vector in each of "
                         f"{', '.join(embeddings)}; leave one of them out")
    vectors = {method: np.asarray(embeddings[method].X[found[shared]], np.float32)
               for method, found in rows.items()}
    made = adata[:, shared].copy()
    made.var_names = symbols[shared]
    adata.uns["same_genes"] = {
        "genes": made.n_vars, "of all genes": made.n_vars / adata.n_vars,
        "of the expression": float(made.X.sum(dtype=float) / adata.X.sum(dtype=float))}
    return made, vectors


def write(X, vectors, mean=0):
    """GenePT-w with any gene vectors: cells (n, n_genes) log-normalised -> (n, d), unit length; a
    ``mean`` (n_genes,) is taken away from the cells."""
    made = cells.weighted_sum(X, vectors)
    if np.ndim(mean):
        made -= mean @ vectors
    return embed.unit(made, out=made)


@renamed.parameters(draws="n_resamples")
def ways(adata, vectors, n_resamples=5, seed=0, preparations=PREPARATIONS):
    """Cells written with each method's gene vectors in each preparation, and their nulls.

    ``"plain"`` uses all genes, ``"hvg"`` the 2,000 most variable, ``"whitened"`` is ``"hvg"``
    centred and whitened. Three controls are prepared alike: the first method's vectors
    ``permuted`` among the genes, ``random`` ones of the same shape, and, in place of gene
    vectors, 50 components of the same expression with rows of unit length (``SVD``; ``PCA L2``
    where the genes are centred).

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes) log-normalised; what stands in ``.obsm`` is given first, as it is.
    vectors : dict of str to numpy.ndarray
        (n_genes, d) by method, as :func:`on_same_genes` gives them.
    n_resamples, seed : int
        Draws of the permuted and the random vectors, and the first seed.
    preparations : sequence of str
        Those that are wanted.

    Yields
    ------
    row : dict
        ``vectors`` ("GenePT-w"), ``preparation`` ("as it is" for ``.obsm``), ``method`` (both:
        "GenePT-w hvg") and ``draw`` (None for what is not drawn).
    X : numpy.ndarray
        (n_cells, d) float32.

    Raises
    ------
    ValueError
        Fewer than two cells or genes.
    """
    if min(adata.shape) < 2:
        raise ValueError(f"ways of writing cells are compared on two cells and two genes or more; "
                         f"there are {adata.n_obs} and {adata.n_vars}")
    for key, X in adata.obsm.items():
        yield _row(key, "as it is"), np.asarray(X, np.float32)
    variable, first = cells.highly_variable(adata, VARIABLE), next(iter(vectors))
    for preparation in preparations:
        used = np.full(adata.n_vars, True) if preparation == "plain" else variable
        X, whitened = adata.X if used.all() else adata.X[:, used], preparation == "whitened"
        X = X.tocsr()
        ready, mean = np.asarray, 0
        if whitened:
            ready, mean = cells.whiten, np.asarray(X.mean(axis=0), np.float32).ravel()
        for method, table in vectors.items():
            table = ready(table[used])
            text = table if method == first else text
            yield _row(method, preparation), write(X, table, mean)
        yield _row("components", preparation), embed.unit(
            components(X, seed=seed, centred=whitened))
        for draw in range(seed, seed + n_resamples):
            rng = np.random.default_rng(draw)
            table = text[rng.permutation(len(text))]  # whitened once: the order changes nothing
            yield _row("permuted", preparation, draw), write(X, table, mean)
            table = embed.unit(rng.standard_normal(text.shape, dtype=np.float32))
            yield _row("random", preparation, draw), write(X, ready(table), mean)


@renamed.parameters(draws="n_resamples")
def written(adata, embeddings, references=(), n_resamples=5, seed=0, preparations=PREPARATIONS):
    """:func:`ways` of a set on the genes that all gene vectors have (:func:`on_same_genes`).

    With ``references`` come "loadings-w": gene vectors learnt from the cells of the first of
    these open sets (or files) that is another one than the set itself.
    """
    name = adata.uns.get("genept_data", {}).get("name")
    other = [one for one in references if one != name][:1]
    learnt = readable({"loadings-w": f"coexpression:{one}" for one in other}, seed)
    made = on_same_genes(adata, {**embeddings, **learnt})
    del embeddings, learnt  # of all genes; a generator would hold them to its end
    yield from ways(*made, n_resamples, seed, preparations)


def _row(vectors, preparation, draw=None):
    """A way's names; without gene vectors the preparations are singular values and PCA."""
    kind = "" if preparation in ("plain", "as it is") else f" {preparation}"
    method = vectors + kind if vectors != "components" else (
        "PCA L2" if preparation == "whitened" else "SVD" + kind)
    return {"vectors": vectors, "preparation": preparation, "method": method, "draw": draw}


def score_all(sets, ways, score):
    """Scores of every set and every way to write its cells, as tables by name.

    Parameters
    ----------
    sets : dict of str to anndata.AnnData
        Sets by name.
    ways : callable
        Takes a set; yields (row, vectors (n, d)), as :func:`ways` does.
    score : callable
        Takes (vectors, ``obs``, row); gives a dict of name to dict or DataFrame.

    Returns
    -------
    dict of str to pandas.DataFrame
        The scores with ``dataset``, the columns of ``row`` and, unless the score gives its own,
        ``n`` cells; a name that no set has is an empty table.
    """
    made = {}
    for name, adata in sets.items():
        for row, X in ways(adata):
            for kind, found in score(X, adata.obs, row).items():
                table = pd.DataFrame([found]) if isinstance(found, dict) else found
                size = {} if "n" in table else {"n": adata.n_obs}
                made.setdefault(kind, []).append(table.assign(dataset=name, **row, **size))
    return {kind: pd.concat(tables, ignore_index=True) for kind, tables in made.items()}


def pairs_alike(table, vectors="GenePT-w"):
    """The pairs of one kind of gene vectors with every other way of the same preparation.

    Returns
    -------
    pandas.DataFrame
        ``preparation``, ``method``, ``against`` and ``other``, the gene vectors of ``against``.
    """
    known = table[["preparation", "vectors", "method"]].drop_duplicates()
    mine = known.query("vectors == @vectors").drop(columns="vectors")
    made = mine.merge(known, on="preparation", suffixes=("", "_other"))
    made = made.rename(columns={"method_other": "against", "vectors": "other"})
    return made[made["other"] != vectors].reset_index(drop=True)
