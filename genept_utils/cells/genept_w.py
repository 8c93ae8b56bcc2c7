"""GenePT-w: the expression-weighted mean of the gene vectors.

Results go where scanpy finds them: ``adata.obsm["X_genept_w"]``, with what they were made from
in ``adata.uns["genept"]``. Cells do not depend on each other once three things are known of the
whole matrix: whether it holds counts or logarithms, what each gene sums to, and (for ``hvg`` and
``whitened``) the genes' means. They are found in a pass over blocks of cells, one in memory;
after that a block is normalised, multiplied and scaled to unit length by itself.
"""

import numpy as np
import scipy.sparse as sp

from genept_utils import embed
from genept_utils.cells.expression import highly_variable
from genept_utils.cells.kernel import weighted_sum
from genept_utils.cells.names import species_of, survey, vectors_of
from genept_utils.cells.normalise import judge, log_block
from genept_utils.datasets.matrix import blocks, declared_scale, each, is_dask, select_matrix

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
        model, text, SHA-256 of the embedding, coverage by gene and by count fraction, the species,
        where the names stood, and the options.

    Raises
    ------
    ValueError
        No gene has a vector, or :func:`normalise` refuses the values.
    """
    if not hasattr(embedding, "obs_names"):
        raise TypeError(f"embedding is {type(embedding).__name__}; give read_embedding(name)")
    source = select_matrix(adata, layer, raw, values, read=bool(hvg or whitened))
    lazy, metadata = is_dask(source.X), declared_scale(source)
    X, kept, var, summary = survey(source.X, source.var)
    scale, totals = judge(source, summary, metadata), summary.gene_totals
    vectors, has, coverage = vectors_of(var, totals, embedding, species_of(source, species))
    used, columns, offset = int(has.sum()), None, None
    if hvg or whitened:  # the genes' variances and means are those of the logarithms
        X = normalised_blocks(X, scale) if lazy else log_block(
            X if kept is None else X[:, kept], scale)
        scale = kept = None
        used, vectors, columns = _chosen_genes(type(source)(X, uns={"log1p": {}}), vectors, has,
                                               hvg, whitened, totals)
        offset = _offset(X, vectors, columns) if whitened else None
    if lazy:
        X = X if scale is None else normalised_blocks(X, scale)
        made, empty = vector_blocks(X, vectors, offset, columns), {}
    else:
        made = [vector_block(block if scale is None else log_block(block, scale), vectors, offset,
                             columns) for block in blocks(X, kept)]
        made = made[0] if len(made) == 1 else np.concatenate(made)
        empty = {"cells_without_a_vector": int((~made.any(axis=1)).sum())}
    adata.obsm[key] = made
    adata.uns.setdefault("genept", {})[key] = about(
        embedding, coverage, used, hvg, whitened) | empty
    return adata


def about(embedding, coverage, used, hvg=None, whitened=False):
    """What ``uns["genept"]`` says of cell vectors: what they were made from."""
    provenance = embedding.uns.get("genept", {})
    told = {"embedding": "model", "text": "text", "vectors_sha256": "vectors_sha256"}
    return {name: str(provenance.get(of, "unknown")) for name, of in told.items()} | {
        "coverage_genes": coverage["genes"], "coverage_mass": coverage["count_fraction"],
        "species": coverage["species"], "names": coverage["names"],
        "genes_used": used, "hvg": int(hvg or 0), "whitened": bool(whitened)}


def normalised_blocks(X, scale):
    """A Dask array as one of log-normalised CSR blocks; ``scale`` as in :func:`log_block`."""
    return X.map_blocks(log_block, scale, dtype=np.float32,
                        meta=sp.csr_matrix((0, 0), dtype=np.float32))


def vector_blocks(X, vectors, offset=None, columns=None):
    """A Dask array (n_cells, d) of the cell vectors of log-normalised blocks."""
    import dask

    held = dask.delayed(vectors)  # one node of the graph, not a copy in every block's task
    return X.map_blocks(vector_block, held, offset, columns, 1, dtype=np.float32,
                        chunks=(X.chunks[0], (vectors.shape[1],)),
                        meta=np.empty((0, 0), dtype=np.float32))


def vector_block(X, vectors, offset=None, columns=None, threads=None):
    """Cell vectors (n, d) float32 of unit length from log-normalised cells (n, n_genes).

    Parameters
    ----------
    X : scipy.sparse matrix
        (n, n_genes) log-normalised values.
    vectors : numpy.ndarray
        (n_genes, d), or (n_used, d) with ``columns``.
    offset : numpy.ndarray, optional
        (d,) that is taken from every sum: the genes' means times their vectors.
    columns : numpy.ndarray, optional
        (n_genes,) bool: the genes that are used.
    threads : int, optional
        As in :func:`weighted_sum`.
    """
    if columns is not None:  # otherwise rows of zeros cost less than a copy of the matrix
        X = X.tocsr()[:, columns]
    made = weighted_sum(X, vectors, threads)
    if offset is not None:
        made -= offset
    return embed.unit(made, out=made)


def _chosen_genes(logged, vectors, has, hvg, whitened, totals):
    """How many genes are used, their vectors, and their columns where that is a choice."""
    used = has & highly_variable(logged, hvg, totals > 0) if hvg else has
    if not used.any():
        raise ValueError(f"none of the {hvg} most variable genes has a vector")
    if whitened:
        if used.sum() < 2:
            raise ValueError("whitening needs two genes with a vector; there is one")
        vectors[used] = whiten(vectors[used])
    return int(used.sum()), vectors[used] if hvg else vectors, used if hvg else None


def _offset(X, vectors, columns):
    """The genes' means (float32) times their vectors, (d,)."""
    mean = (sum(each(X, gene_totals)) / X.shape[0] if is_dask(X)
            else np.asarray(X.mean(axis=0)).ravel())
    return (mean if columns is None else mean[columns]).astype(np.float32) @ vectors


def gene_totals(X):
    """Sums over the cells of a block, (n_genes,) float64."""
    return np.asarray(X.sum(axis=0, dtype=np.float64)).ravel()


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
    mean, covariance = vectors.mean(axis=0), 0
    for start in range(0, len(vectors), 4096):  # float64 of all would take twice the vectors
        part = (vectors[start:start + 4096] - mean).astype(np.float64)
        covariance = covariance + part.T @ part / max(len(vectors) - 1, 1)
    if not covariance.any():
        raise ValueError(f"the vectors of all {len(vectors):,} genes are the same, so there is "
                         "nothing to whiten")
    values, axes = np.linalg.eigh(covariance)
    return mean, (axes / np.sqrt(np.maximum(values, 0) + ridge * values[-1])) @ axes.T
