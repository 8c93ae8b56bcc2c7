"""The names of an AnnData's genes, and the vector of each."""

import functools
import operator
import warnings

import numpy as np
import pandas as pd

from genept_utils import genes
from genept_utils.cells.normalise import MatrixSummary, summarise
from genept_utils.datasets.matrix import each, is_dask
from genept_utils.embed.vectors import checked, keys_of

MIN_KNOWN = 0.5  # share of known names from which it is not theirs that nothing has a vector
MIN_COUNT_FRACTION = 0.2  # share of the counts that must lie on genes with a vector


def matched_genes(adata, species=None):
    """What :func:`genept_utils.genes.match` makes of the names that match best: ``var_names``, or
    a column of ``.var`` where those are bare numbers or carry less than half of the counts.

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes).
    species : str or int, optional
        Whose genes these are; by default what ``uns["genept_data"]["species"]`` says, or human.

    Returns
    -------
    genept_utils.genes.Matched
        (n_genes,) names; a name of another species with the symbol of its human ortholog.

    Raises
    ------
    ValueError
        The names are row numbers and no column of ``.var`` holds names.
    """
    return genes.match(adata, species=species_of(adata, species))


def species_of(adata, species=None):
    """The species that was given, or the one that a loaded set declares; None for neither."""
    return adata.uns.get("genept_data", {}).get("species") if species is None else species


def survey(X, var):
    """A matrix in blocks of whole rows, which of its columns are genes (None: all), the table of
    these, and the summary of their values."""
    var = var.to_memory() if hasattr(var, "to_memory") else var
    kept = genes.gene_features(var)
    var = var if kept is None else var[kept]
    if is_dask(X):
        X = (X if kept is None else X[:, np.flatnonzero(kept)]).rechunk({1: -1})
        kept = None
    return X, kept, var, functools.reduce(operator.add, each(X, summarise, kept), MatrixSummary())


def gene_vectors(adata, embedding, species=None):
    """The vector of each gene of ``adata``.

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes). Names may be symbols, aliases, Ensembl or Entrez ids, in
        ``var_names`` or in a column of ``.var``.
    embedding : anndata.AnnData
        (n, d), from :func:`genept_utils.embed.read_embedding`.
    species : str or int, optional
        "mouse", 10090, ...: names are taken for genes of this species and get the vectors of
        their human orthologs, see :func:`genept_utils.genes.match`. By default what
        ``uns["genept_data"]["species"]`` says, or human.

    Returns
    -------
    vectors : numpy.ndarray
        (n_genes, d) float32; rows of zeros for genes without a vector.
    has : numpy.ndarray
        (n_genes,) bool.
    coverage : dict
        ``genes``: share of the genes with a vector; ``count_fraction``: share of the values in
        ``.X`` that lies on them (features that are no genes are in neither); ``species``: whose
        genes they were taken for; ``names``: where the names stood.

    Raises
    ------
    ValueError
        No gene has a vector, the names are row numbers, or the embedding has no X, bad numbers
        or a key twice.

    Warns
    -----
    UserWarning
        Less than a fifth of the counts lies on genes with a vector; features that are no genes
        are left out; the names look like those of another species and none was given.
    """
    if adata.X is None:
        raise ValueError("the AnnData has no X; put counts there: adata.X = adata.layers[NAME]")
    return vectors_of(adata.var, genes.totals_of(adata), embedding, species_of(adata, species))


def vectors_of(var, totals, embedding, species=None):
    """As :func:`gene_vectors` for a table of genes and what each sums to over the cells (n,)."""
    matched = genes.of_table(var.index, var, totals, species, keys=keys_of(checked(embedding)))
    if matched.notes:
        matched.warn(stacklevel=5)
    rows, table, n = matched.rows, matched.table, len(var)
    has = rows >= 0
    if not has.any() and matched.share >= MIN_KNOWN:
        raise ValueError(f"none of the {n:,} gene names has a vector, though {matched.share:.0%} "
                         "of them are known genes: the embedding is one of "
                         f"{', '.join(map(repr, embedding.obs_names[:3]))}, ...")
    if not has.any():
        raise ValueError(f"none of the {n:,} gene names has a vector "
                         f"({', '.join(table['name'][:3])}, ...); put symbols, Ensembl or Entrez "
                         "ids into adata.var_names or adata.var; species= where not human")
    fraction = matched.count_fraction
    fraction = float("nan") if fraction is None else float(fraction)
    if fraction < MIN_COUNT_FRACTION:
        warnings.warn(f"only {fraction:.1%} of the counts lie on the {has.sum():,} of {n:,} genes "
                      "with a vector; the cell vectors rest on little", stacklevel=4)
    vectors = np.asarray(embedding.X[np.where(has, rows, 0)], dtype=np.float32)  # one copy
    vectors[~has] = 0
    n_genes = (table["match_type"].to_numpy() != "not a gene").sum()
    return vectors, has, {"genes": float(has.sum() / n_genes), "count_fraction": fraction,
                          "species": matched.species, "names": matched.column}


def by_symbol(adata):
    """The genes that have an approved symbol, named by it; of two columns of a gene the first."""
    symbols = pd.Series(matched_genes(adata).symbols)
    kept = np.flatnonzero((symbols != "") & ~symbols.duplicated())
    made = adata[:, kept].copy()
    made.var_names = symbols.iloc[kept].to_numpy()
    return made
