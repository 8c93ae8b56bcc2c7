"""GenePT-w: the expression-weighted mean of the gene vectors.

Results go where scanpy finds them: ``adata.obsm["X_genept_w"]``, with what they were made from
in ``adata.uns["genept"]``.
"""

import numpy as np

from genept_utils.cells import scale
from genept_utils.cells.expression import highly_variable
from genept_utils.cells.names import gene_features, gene_vectors, only_genes
from genept_utils.cells.normalise import chosen, judge, normalised

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
        the way, ``.X`` itself is not changed. ``.X`` may be sparse or dense, backed by a file,
        or a Dask array: then its values are passed once when this is called, to judge them, and
        once more when the result is computed.
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
        ``adata`` itself, with (n_cells, d) float32 in ``obsm[key]``, a Dask array where ``.X`` is
        one; a cell without any matched gene is a row of zeros. ``uns["genept"][key]`` holds
        model, text, SHA-256 of the embedding, coverage by gene and by count mass, the species,
        where the names stood, and the options.

    Raises
    ------
    ValueError
        No gene has a vector, or :func:`normalise` refuses the values.
    """
    if not hasattr(embedding, "obs_names"):
        raise TypeError(f"embedding is {type(embedding).__name__}; give the AnnData that "
                        "embed.read_embedding(name) returns")
    source = chosen(adata, layer, raw, values, read=bool(hvg or whitened))
    way = _from_memory if scale.in_memory(source.X) else _from_elsewhere
    made, coverage, used, empty = way(source, embedding, species, hvg, whitened)
    adata.obsm[key] = made
    provenance = embedding.uns.get("genept", {})
    adata.uns.setdefault("genept", {})[key] = {
        "embedding": str(provenance.get("model", "unknown")),
        "text": str(provenance.get("text", "unknown")),
        "vectors_sha256": str(provenance.get("vectors_sha256", "unknown")),
        "coverage_genes": coverage["genes"], "coverage_mass": coverage["mass"],
        "species": coverage["species"], "names": coverage["names"],
        "genes_used": used, "hvg": int(hvg or 0), "whitened": bool(whitened),
    } | ({} if empty is None else {"cells_without_a_vector": empty})
    return adata


def _from_memory(source, embedding, species, hvg, whitened):
    """Cell vectors, coverage, number of genes used and of cells without a vector."""
    source = only_genes(source)
    data = normalised(source)
    vectors, has, coverage = gene_vectors(source, embedding, species)
    used, vectors, columns = _chosen_genes(data, vectors, has, hvg, whitened)
    mean = np.asarray(data.X.mean(axis=0)).ravel() if whitened else None
    made = scale.vector_block(data.X.tocsr(), vectors, _offset(mean, vectors, columns), columns)
    return made, coverage, used, int((~made.any(axis=1)).sum())


def _from_elsewhere(source, embedding, species, hvg, whitened):
    """The same a block of cells at a time; of a Dask array the vectors are one, too, and which
    cells stay without a vector is not known before they are computed."""
    var = source.var.to_memory() if hasattr(source.var, "to_memory") else source.var.copy()
    kept = gene_features(var)
    X = source.X
    if scale.is_dask(X):
        X = scale.whole_rows(X if kept is None else X[:, np.flatnonzero(kept)])
    seen, totals = scale.survey(X, kept)
    kind = judge(source, seen)
    genes_alone = type(source)(totals[None], var=var if kept is None else var[kept],
                               uns={"genept_data": dict(source.uns.get("genept_data", {}))})
    vectors, has, coverage = gene_vectors(genes_alone, embedding, species)
    if not scale.is_dask(X):
        made = np.concatenate([scale.vector_block(scale.log_block(block, kind), vectors)
                               for _, block in scale.backed_blocks(X, kept)])
        return made, coverage, int(has.sum()), int((~made.any(axis=1)).sum())
    X = scale.normalised_blocks(X, kind)
    data = type(source)(X, var=genes_alone.var, uns={"log1p": {}})
    used, vectors, columns = _chosen_genes(data, vectors, has, hvg, whitened, totals > 0)
    mean = scale.gene_means(X) if whitened else None
    offset = _offset(mean, vectors, columns)
    return scale.vector_blocks(X, vectors, offset, columns), coverage, used, None


def _chosen_genes(data, vectors, has, hvg, whitened, occurs=None):
    """How many genes are used, their vectors, and their columns where that is a choice."""
    used = has & highly_variable(data, hvg, occurs) if hvg else has
    if not used.any():
        raise ValueError(f"none of the {hvg} most variable genes has a vector")
    if whitened:
        if used.sum() < 2:
            raise ValueError("whitening needs two genes with a vector; there is one")
        vectors[used] = whiten(vectors[used])
    return int(used.sum()), vectors[used] if hvg else vectors, used if hvg else None


def _offset(mean, vectors, columns):
    if mean is None:
        return None
    return (mean if columns is None else mean[columns]).astype(np.float32) @ vectors


def whiten(vectors, ridge=RIDGE):
    """Gene vectors (n, d) centred, and turned so that their directions count about equally.

    ``ridge`` is the share of the largest eigenvalue that is added to every eigenvalue of the
    covariance before its inverse square root is taken. Vectors that are all the same have no
    direction: ValueError.
    """
    mean, root = whitening(vectors, ridge)
    return ((vectors - mean) @ root).astype(np.float32)


def whitening(vectors, ridge=RIDGE):
    """What :func:`whiten` does to vectors: the mean (d,) it takes away, and the matrix (d, d)
    float64 that it then multiplies by."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    if not centred.any():
        raise ValueError(f"the vectors of all {len(vectors):,} genes are the same, so there is "
                         "nothing to whiten")
    values, axes = np.linalg.eigh(np.cov(centred, rowvar=False).astype(np.float64))
    return mean, (axes / np.sqrt(np.maximum(values, 0) + ridge * values[-1])) @ axes.T
