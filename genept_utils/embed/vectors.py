"""The AnnData that holds gene vectors: made, written, permuted, drawn.

An embedding is an AnnData of genes x dimensions: ``.X`` float32, ``.obs`` indexed by approved
symbol with the identifiers, ``.uns["genept"]`` with model, text, date and hashes.
"""

import datetime
import hashlib
import json

import anndata as ad
import numpy as np
import pandas as pd

from genept_utils import genes, paths, sources
from genept_utils.embed import store


def unit(vectors, out=None):
    """Rows scaled to unit L2 norm as float32 (into ``out`` if given); a zero row stays zero."""
    vectors = np.asarray(vectors, dtype=np.float32)
    out = np.empty_like(vectors) if out is None else out
    for start in range(0, len(vectors), 1024):  # a stretch that stays in the cache
        part = vectors[start:start + 1024]
        norms = np.linalg.norm(part, axis=1, keepdims=True)
        np.divide(part, np.where(norms > 0, norms, 1), out=out[start:start + 1024])
    return out


def as_embedding(vectors, obs, **provenance):
    """Vectors (n_genes, d) and a table of their genes as an embedding AnnData.

    ``provenance`` goes to ``.uns["genept"]``, with the date and the SHA-256 of the vectors.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if not np.isfinite(vectors).all():
        raise ValueError("the vectors contain NaN or infinite values")
    adata = ad.AnnData(vectors, obs=pd.DataFrame(obs).copy())
    adata.var_names = [f"d{i}" for i in range(vectors.shape[1])]
    adata.uns["genept"] = {
        "date": datetime.date.today().isoformat(),
        **provenance,
        "vectors_sha256": hashlib.sha256(vectors).hexdigest(),
    }
    return adata


def checked(embedding):
    """The embedding itself, once every gene in it has one vector of finite numbers.

    Raises
    ------
    ValueError
        There is no X or no gene, a vector is not finite, or a key stands twice.
    """
    if embedding.X is None or not embedding.n_obs:
        raise ValueError("the embedding has no X or no genes; as_embedding(vectors, table) makes "
                         "one of (n_genes, d) numbers and a table indexed by gene")
    with np.errstate(over="ignore", invalid="ignore"):
        total = embedding.X.sum()  # a quarter of the time of isfinite; one bad value spoils it
    if not np.isfinite(total):
        bad = embedding.obs_names[~np.isfinite(embedding.X).all(axis=1)]
        if len(bad):
            raise ValueError(f"the embedding holds NaN or infinite values in {len(bad):,} of "
                             f"{embedding.n_obs:,} vectors ({bad[0]}, ...); leave those genes out")
    if not embedding.obs_names.is_unique:
        twice = embedding.obs_names[embedding.obs_names.duplicated()][0]
        raise ValueError(f"the key {twice!r} stands twice in the embedding; keep one vector of it")
    return embedding


def by_symbol(embedding):
    """The row of each gene of an embedding, by approved symbol; keys of others, kept as released,
    go by their column ``symbol``. Of two vectors of a gene the first.

    Returns
    -------
    pandas.Series
        (n_genes,) int, indexed by symbol; genes without one are left out.
    """
    keys = (pd.Index(embedding.obs["symbol"]).astype(str) if "symbol" in embedding.obs
            else embedding.obs_names)
    rows = pd.Series(np.arange(embedding.n_obs), keys)
    return rows if keys.is_unique and "" not in keys else rows[(keys != "") & ~keys.duplicated()]


def keys_of(embedding):
    """The :class:`genept_utils.genes.Keys` of an embedding. Vectors of zeros are none: those genes
    were given no text."""
    rows, empty = by_symbol(embedding), np.flatnonzero(embedding.X[:, 0] == 0)
    empty = empty[~np.asarray(embedding.X[empty]).any(axis=1)]  # only the few are looked at whole
    return genes.Keys(rows.index, rows.to_numpy(), embedding.obs_names, "symbol" in embedding.obs,
                      empty)


def write_embedding(adata, path):
    """Write an embedding as one byte per number with one scale per gene (h5ad, gzip).

    The largest absolute error of a number and the smallest cosine between a vector and its
    quantised form are written into ``.uns["genept"]``.
    """
    scale = np.abs(checked(adata).X).max(axis=1, keepdims=True) / 127
    scale[scale == 0] = 1
    codes = np.rint(adata.X / scale).astype(np.int8)
    restored = codes * scale.astype(np.float32)
    obs = adata.obs.assign(scale=scale[:, 0].astype(np.float32))
    if "entrez_id" in obs:  # as a number it takes a fifth of the space
        obs["entrez_id"] = pd.to_numeric(obs["entrez_id"]).fillna(0).astype(np.int32)
    stored = ad.AnnData(codes, obs=obs, var=adata.var)
    cosines = (unit(restored) * unit(adata.X)).sum(axis=1)
    stored.uns["genept"] = {
        **adata.uns["genept"],
        "quantisation": "int8 with one scale per gene",
        "quantisation_max_abs_error": float(np.abs(restored - adata.X).max()),
        "quantisation_min_cosine": float(
            cosines[np.abs(adata.X).sum(axis=1) > 0].min(initial=1)),
    }
    with sources.replacing(path) as part:
        stored.write_h5ad(part, compression="gzip", compression_opts=9)


def permuted(embedding, seed=0):
    """The same vectors handed to other genes: the null for "does the text matter"."""
    order = np.random.default_rng(seed).permutation(checked(embedding).n_obs)
    return as_embedding(embedding.X[order], embedding.obs,
                        model=f"permuted:{embedding.uns['genept']['model']}",
                        text=embedding.uns["genept"]["text"], seed=seed)


def random_like(embedding, seed=0):
    """Gaussian vectors of the same shape: a random sketch of expression, no null."""
    draw = np.random.default_rng(seed).standard_normal(checked(embedding).shape, dtype=np.float32)
    return as_embedding(unit(draw, out=draw), embedding.obs, model="random", text="none", seed=seed)


def dequantised(adata):
    if "scale" in adata.obs:
        scale = adata.obs.pop("scale").to_numpy(np.float32)[:, None]
        X = adata.X.astype(np.float32)
        X *= scale  # in place: all genes take 70 MB
        adata.X = X
    if "entrez_id" in adata.obs and adata.obs["entrez_id"].dtype.kind == "i":
        adata.obs["entrez_id"] = adata.obs["entrez_id"].astype(str).replace("0", "")
    return adata


def made_once(name, made_from, make):
    """An embedding that ``make`` makes once: kept in the cache by its name and the hash of
    ``made_from``, a list of what it depends on. Of processes side by side one makes it."""
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:16]
    path = paths.cache() / "vectors" / f"{name}-{digest}.h5ad"
    with store.alone(path.name, tell=False):
        path = sources.derived(path, lambda part: make().write_h5ad(
            part, convert_strings_to_categoricals=False))
    return ad.read_h5ad(path)
