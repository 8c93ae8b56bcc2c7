"""Cells from genes: normalisation, GenePT-w, GenePT-s and the expression baseline, in memory.

Results go where scanpy finds them: ``adata.obsm["X_genept_w"]`` and so on, with what they were
made from in ``adata.uns["genept"]``.
"""

import warnings

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import embed, genes

TARGET = 10_000  # counts a cell is scaled to
LOG_CEILING = 15  # log1p of a million is 13.8: no log-normalised value is larger
ENOUGH = 0.2  # share of the counts that must lie on genes with a vector
PREFIX = "A cell with genes ranked by expression: "
RIDGE = 0.1  # of the largest eigenvalue


# ---------------------------------------------------------------- normalisation

def scale_of(adata):
    """Whether the values of ``adata.X`` are ``"raw"`` counts or ``"log"``-normalised.

    What is declared (``uns["genept_data"]["values"]``, or scanpy's ``uns["log1p"]``) counts;
    without that, whole numbers are counts, and so are fractions above :data:`LOG_CEILING`
    (corrected counts).

    Raises
    ------
    ValueError
        Values are NaN, infinite or negative, or there is no value above zero.
    """
    values = adata.X.data if sp.issparse(adata.X) else np.asarray(adata.X)
    if not np.isfinite(values).all():
        raise ValueError("the expression matrix holds NaN or infinite values; remove those cells "
                         "or genes, or set the values to 0")
    if values.size and values.min() < 0:
        raise ValueError("the expression matrix holds negative values, so it is neither counts nor "
                         "log-normalised counts (scaled data?); put counts into adata.X, "
                         "for example adata.X = adata.layers['counts'] or adata.raw.X")
    if not values.size or values.max() <= 0:
        raise ValueError("the expression matrix is all zeros; put counts into adata.X")
    if _declared(adata):
        return _declared(adata)
    whole = np.array_equal(values, np.rint(values))
    return "raw" if whole or values.max() > LOG_CEILING else "log"


def _declared(adata):
    logged = "log" if "log1p" in adata.uns else None
    return adata.uns.get("genept_data", {}).get("values", logged)


def normalise(adata, target=TARGET):
    """Counts scaled to ``target`` a cell, then log(1 + x): as published, and as in scanpy.

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes) counts in ``.X``, dense or sparse. Log-normalised values are left as
        they are; where nothing declares them, a warning says so.
    target : float
        Counts that each cell is scaled to.

    Returns
    -------
    anndata.AnnData
        A copy with float32 CSR ``.X``; a cell without counts stays all zero.

    Raises
    ------
    ValueError
        NaN, infinite or negative values, or no counts at all.
    """
    scale = scale_of(adata)
    if scale == "log" and not _declared(adata):
        warnings.warn("adata.X holds fractions below 15, so it looks log-normalised and is used as "
                      "it is; give counts to have it normalised here", stacklevel=3)
    X = sp.csr_matrix(adata.X, dtype=np.float32, copy=True)
    X.eliminate_zeros()
    if scale == "raw":
        total = np.asarray(X.sum(axis=1, dtype=np.float64)).ravel()
        factor = np.divide(target, total, out=np.zeros_like(total), where=total > 0)
        X.data = np.log1p(X.data * np.repeat(factor, np.diff(X.indptr))).astype(np.float32)
    made = type(adata)(X, obs=adata.obs.copy(), var=adata.var.copy())
    made.uns["genept_data"] = {**adata.uns.get("genept_data", {}), "values": "log"}
    made.uns["log1p"] = {}
    return made


def _normalised(adata):
    ready = sp.issparse(adata.X) and scale_of(adata) == "log" and _declared(adata)
    return adata if ready else normalise(adata)


def highly_variable(adata, n=2000):
    """Mask (n_genes,) of the ``n`` most variable genes, by scanpy's default rule on the
    log-normalised values; all genes that occur where there are no more than ``n``."""
    import scanpy as sc

    data = _normalised(adata)
    occurs = np.asarray((data.X > 0).sum(axis=0)).ravel() > 0
    mask = np.zeros(data.n_vars, dtype=bool)
    if occurs.sum() <= n:
        return occurs
    part = data[:, occurs].copy()
    sc.pp.highly_variable_genes(part, n_top_genes=n)
    mask[np.flatnonzero(occurs)[part.var["highly_variable"].to_numpy()]] = True
    return mask


def pca(adata, n_components=50, hvg=2000, seed=0, key="X_pca"):
    """Principal components of the log-normalised expression of the most variable genes.

    The baseline that needs no text. Genes are centred, not scaled to unit variance.

    Returns
    -------
    anndata.AnnData
        ``adata`` itself, with (n_cells, n_components) float32 in ``obsm[key]``.
    """
    from sklearn.decomposition import PCA

    data = _normalised(adata)
    X = data.X[:, highly_variable(data, hvg)].tocsr()
    rank = min(n_components, min(X.shape) - 1)
    made = PCA(rank, svd_solver="arpack", random_state=seed).fit_transform(X)
    adata.obsm[key] = made.astype(np.float32)
    return adata


# ---------------------------------------------------------------- GenePT-w

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


def weighted_sum(X, vectors):
    """Expression-weighted sum of gene vectors: (n_cells, n_genes) CSR @ (n_genes, d) -> float32.

    Its rows scaled to unit length are the weighted means scaled to unit length, for a cell's
    total weight is a positive number.
    """
    return np.asarray(X @ vectors, dtype=np.float32)


def genept_w(adata, embedding, hvg=None, whitened=False, key="X_genept_w"):
    """GenePT-w: a cell is the expression-weighted mean of its genes' vectors, of unit length.

    Chen & Zou 2024, Methods; matches the authors' aorta notebook, then adds the L2 norm that
    the paper states.

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes) counts or log-normalised values in ``.X``; counts are normalised on
        the way, ``.X`` itself is not changed.
    embedding : anndata.AnnData
        (n, d), from :func:`genept_utils.embed.read_embedding`.
    hvg : int, optional
        Use only the ``hvg`` most variable genes. Not in the paper.
    whitened : bool
        Take each gene's mean over the cells away, centre the gene vectors and whiten them with
        a ridge of .1 of the largest eigenvalue. Not in the paper; what it gains is isotropy,
        which a permuted map gains as well.
    key : str
        Where the result goes in ``.obsm``.

    Returns
    -------
    anndata.AnnData
        ``adata`` itself, with (n_cells, d) float32 in ``obsm[key]``; a cell without any matched
        gene is a row of zeros. ``uns["genept"][key]`` holds model, text, SHA-256 of the
        embedding, coverage by gene and by count mass, and the options.

    Raises
    ------
    ValueError
        No gene has a vector, or :func:`normalise` refuses the values.
    """
    if not hasattr(embedding, "obs_names"):
        raise TypeError(f"embedding is {type(embedding).__name__}; give the AnnData that "
                        "embed.read_embedding(name) returns")
    data = _normalised(adata)
    vectors, has, coverage = gene_vectors(adata, embedding)
    used = has & highly_variable(data, hvg) if hvg else has
    if not used.any():
        raise ValueError(f"none of the {hvg} most variable genes has a vector")
    X, G = data.X.tocsr()[:, used], vectors[used]
    if whitened:
        G = whiten(G)
        mean = np.asarray(X.mean(axis=0), dtype=np.float32)
        made = weighted_sum(X, G) - mean @ G
    else:
        made = weighted_sum(X, G)
    adata.obsm[key] = embed.unit(made)
    provenance = embedding.uns.get("genept", {})
    adata.uns.setdefault("genept", {})[key] = {
        "embedding": str(provenance.get("model", "unknown")),
        "text": str(provenance.get("text", "unknown")),
        "vectors_sha256": str(provenance.get("vectors_sha256", "unknown")),
        "coverage_genes": coverage["genes"], "coverage_mass": coverage["mass"],
        "genes_used": int(used.sum()), "hvg": int(hvg or 0), "whitened": bool(whitened),
        "cells_without_a_vector": int((~made.any(axis=1)).sum()),
    }
    return adata


def whiten(vectors, ridge=RIDGE):
    """Gene vectors (n, d) centred, and turned so that their directions count about equally.

    ``ridge`` is the share of the largest eigenvalue that is added to every eigenvalue of the
    covariance before its inverse square root is taken.
    """
    centred = vectors - vectors.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(centred, rowvar=False).astype(np.float64))
    root = (axes / np.sqrt(np.maximum(values, 0) + ridge * values[-1])) @ axes.T
    return (centred @ root).astype(np.float32)


# ---------------------------------------------------------------- GenePT-s

def cell_sentences(adata, n_genes=1000, prefix=PREFIX, names=None):
    """One sentence per cell: its genes' names in descending order of normalised expression.

    Genes without counts are left out. Equal values are ordered by name, so that the sentence
    does not depend on the order of the columns (the authors' code leaves it to the sort).

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes) counts or log-normalised values.
    n_genes : int
        At most so many names.
    prefix : str
        What the sentence begins with; the authors' words by default.
    names : sequence of str, optional
        (n_genes,) names to write; by default the approved symbol of an Ensembl, Entrez or HGNC
        identifier and otherwise the name as given.

    Returns
    -------
    numpy.ndarray
        (n_cells,) str.
    """
    X = _normalised(adata).X.tocsr()
    names = np.asarray(spoken_names(adata) if names is None else names, dtype=object).astype(str)
    place = np.argsort(np.argsort(names, kind="stable"), kind="stable")
    made = []
    for start, end in zip(X.indptr[:-1], X.indptr[1:]):
        genes_of, values = X.indices[start:end], X.data[start:end]
        genes_of, values = genes_of[values > 0], values[values > 0]
        order = np.lexsort((place[genes_of], -values))[:n_genes]
        made.append(prefix + " ".join(names[genes_of[order]]))
    return np.array(made, dtype=object)


def spoken_names(adata):
    """Gene names as a sentence writes them: a symbol for an identifier, else the name given."""
    matched = genes.match(gene_names(adata)).table
    identifier = matched["how"].isin(["ensembl", "entrez", "hgnc"])
    return matched["name"].where(~identifier, matched["symbol"]).to_numpy(object)


def genept_s(adata, model="wordllama", n_genes=1000, prefix=PREFIX, key="X_genept_s"):
    """GenePT-s: a cell is the text embedding of its sentence.

    Parameters
    ----------
    model : str
        A text model as :func:`genept_utils.embed.embed` takes it. ``"wordllama"`` averages
        static word vectors, so the order of the genes decides only which of them are named.
    n_genes, prefix
        See :func:`cell_sentences`.

    Returns
    -------
    anndata.AnnData
        ``adata`` itself, with (n_cells, d) float32 of unit length in ``obsm[key]``.
    """
    sentences = cell_sentences(adata, n_genes, prefix)
    adata.obsm[key] = embed.embed(sentences, model)
    adata.uns.setdefault("genept", {})[key] = {"embedding": model, "n_genes": int(n_genes),
                                               "prefix": prefix}
    return adata
