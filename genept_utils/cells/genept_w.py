"""GenePT-w: the expression-weighted mean of the gene vectors.

Results go where scanpy finds them: ``adata.obsm["X_genept_w"]``, with what they were made from
in ``adata.uns["genept"]``.
"""

import numpy as np

from genept_utils import embed
from genept_utils.cells.expression import highly_variable
from genept_utils.cells.kernel import weighted_sum
from genept_utils.cells.names import gene_vectors, only_genes
from genept_utils.cells.normalise import chosen, normalised

RIDGE = 0.1  # of the largest eigenvalue


def genept_w(adata, embedding, hvg=None, whitened=False, key="X_genept_w",
             layer=None, raw=False, values=None, species=None):
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
    layer : str, optional
        Take the values from this layer instead of ``.X``.
    raw : bool
        Take values and genes from ``adata.raw``.
    values : {"raw", "log"}, optional
        What the values are, where they leave it open: counts or log-normalised.
    species : str or int, optional
        "mouse", 10090, ...: whose genes these are, see :func:`genept_utils.cells.gene_vectors`.

    Returns
    -------
    anndata.AnnData
        ``adata`` itself, with (n_cells, d) float32 in ``obsm[key]``; a cell without any matched
        gene is a row of zeros. ``uns["genept"][key]`` holds model, text, SHA-256 of the
        embedding, coverage by gene and by count mass, the species, where the names stood, and the
        options.

    Raises
    ------
    ValueError
        No gene has a vector, or :func:`normalise` refuses the values.
    """
    if not hasattr(embedding, "obs_names"):
        raise TypeError(f"embedding is {type(embedding).__name__}; give the AnnData that "
                        "embed.read_embedding(name) returns")
    source = only_genes(chosen(adata, layer, raw, values))
    data = normalised(source)
    vectors, has, coverage = gene_vectors(source, embedding, species)
    used = has & highly_variable(data, hvg) if hvg else has
    if not used.any():
        raise ValueError(f"none of the {hvg} most variable genes has a vector")
    if whitened:
        vectors[used] = whiten(vectors[used])
    X = data.X.tocsr()
    if hvg:  # few columns; otherwise rows of zeros cost less than a copy of the matrix
        X, vectors = X[:, used], vectors[used]
    made = weighted_sum(X, vectors)
    if whitened:
        made -= np.asarray(X.mean(axis=0), dtype=np.float32) @ vectors
    adata.obsm[key] = embed.unit(made)
    provenance = embedding.uns.get("genept", {})
    adata.uns.setdefault("genept", {})[key] = {
        "embedding": str(provenance.get("model", "unknown")),
        "text": str(provenance.get("text", "unknown")),
        "vectors_sha256": str(provenance.get("vectors_sha256", "unknown")),
        "coverage_genes": coverage["genes"], "coverage_mass": coverage["mass"],
        "species": coverage["species"], "names": coverage["names"],
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
