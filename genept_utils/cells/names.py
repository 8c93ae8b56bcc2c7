"""The names of an AnnData's genes, and the vector of each."""

import warnings

import numpy as np

from genept_utils import embed, genes

ENOUGH = 0.2  # share of the counts that must lie on genes with a vector


def gene_names(adata):
    """The names of the genes that match best: ``var_names``, or a text column of ``.var``.

    A column is looked at only where ``var_names`` carry less than half of the counts.

    Returns
    -------
    numpy.ndarray
        (n_genes,) str.
    """
    return _best_names(adata, lambda names: (genes.match(names, _totals(adata)),))[0]


def _best_names(adata, look_up):
    """Names and what ``look_up`` makes of them (last: Matched), for the names that carry most."""
    names = adata.var_names.astype(str).to_numpy(object)
    best = (names, *look_up(names))
    if best[-1].mass < 0.5:
        for column in adata.var.columns:
            if isinstance(adata.var[column].iloc[0], str):
                names = adata.var[column].astype(str).to_numpy(object)
                best = max(best, (names, *look_up(names)), key=lambda found: found[-1].mass)
    return best


def _totals(adata):
    return np.asarray(adata.X.sum(axis=0), dtype=float).ravel()


def gene_vectors(adata, embedding):
    """The vector of each gene of ``adata``.

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes). Names may be symbols, aliases, Ensembl or Entrez ids, in
        ``var_names`` or in a column of ``.var``.
    embedding : anndata.AnnData
        (n, d), from :func:`genept_utils.embed.read_embedding`.

    Returns
    -------
    vectors : numpy.ndarray
        (n_genes, d) float32; rows of zeros for genes without a vector.
    has : numpy.ndarray
        (n_genes,) bool.
    coverage : dict
        ``genes``: share of the genes with a vector; ``mass``: share of the values in ``.X``
        that lies on them.

    Raises
    ------
    ValueError
        No gene has a vector.

    Warns
    -----
    UserWarning
        Less than a fifth of the counts lies on genes with a vector.
    """
    totals = _totals(adata)
    names, rows, matched = _best_names(adata, lambda names: embed.align(embedding, names, totals))
    has = rows >= 0
    if not has.any():
        raise ValueError(f"none of the {adata.n_vars:,} gene names has a vector (first names: "
                         f"{', '.join(names[:3])}); put human symbols, Ensembl or Entrez ids into "
                         "adata.var_names or a column of adata.var")
    if matched.mass < ENOUGH:
        warnings.warn(f"only {matched.mass:.1%} of the counts lie on the {has.sum():,} of "
                      f"{adata.n_vars:,} genes with a vector; the cell vectors rest on little",
                      stacklevel=3)
    vectors = np.zeros((adata.n_vars, embedding.n_vars), dtype=np.float32)
    vectors[has] = embedding.X[rows[has]]
    return vectors, has, {"genes": float(has.mean()), "mass": float(matched.mass)}
