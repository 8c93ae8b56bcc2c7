"""Gene embeddings by name: shipped, computed here, controls, files of others."""

import contextlib
import importlib.metadata
import re
import warnings
from pathlib import Path

import anndata as ad

from genept_utils import genes, optional, paths, sources, untrusted
from genept_utils.embed import cost, model_files, readers
from genept_utils.embed.backends import MODELS, embed, forms
from genept_utils.embed.texts import TEXTS, text_sources, texts
from genept_utils.embed.vectors import as_embedding, dequantised, made_once, permuted, random_like
from genept_utils.paths import SHIPPED

MAX_UNKNOWN = 0.2  # share of the keys of a file that may be no genes without a warning
ADA002_FILE = "GenePT_gene_embedding_ada_text.pickle"
ADA002_FROM = "GenePT_emebdding_v2.zip (574 MB) at https://doi.org/10.5281/zenodo.10833191"
KNOWN_FILES = {  # SHA-256 of released files -> model, text
    "fd297510ddd3040744033fde0b0f2cf15a40ac8b2fd2fb02f10667295e55c862":
        ("text-embedding-ada-002", "genept-v2"),
}


def shipped():
    """Names of the embeddings that come with the book, the files of ``data/embeddings``."""
    return sorted(path.stem for path in paths.EMBEDDINGS.glob("*.h5ad"))


def embed_genes(model="wordllama", text="summary", seed=0, symbols=None, **options):
    """The embedding of HGNC genes by one model on one text, computed here.

    Parameters
    ----------
    model, seed, **options
        As in :func:`embed`.
    text : str
        As in :func:`genept_utils.embed.texts`.
    symbols : sequence of str, optional
        Only these genes.

    Returns
    -------
    anndata.AnnData
        (43882, d) or (len(symbols), d); see the module's first lines. What a server was sent, and
        how many texts were cut or empty, stands in ``.uns["genept"]``.
    """
    written, report = texts(text, symbols), {}
    vectors = embed(written.index if model == "spelling" else written, model, seed, report,
                    **options)
    return as_embedding(vectors, genes.identified(written.index), model=model, text=text,
                        sources=[f"{key} SHA-256 {sources.registry().sha256[key]}"
                                 for key in text_sources(text)], **report)


def read_embedding(name=SHIPPED, seed=0):
    """A gene embedding by name.

    Parameters
    ----------
    name : str
        ``"minilm"``, ``"mpnet"``: shipped, all-MiniLM-L6-v2 and all-mpnet-base-v2 on name and
        summary, no network needed; the second holds protein-coding genes.
        ``"MODEL/TEXT"``: computed on the spot and kept in the cache, for example
        ``"wordllama/summary"``, ``"tfidf/name"``, ``"st:all-MiniLM-L6-v2/section"``,
        ``"onnx:FOLDER/summary"``, ``"gguf:FILE/summary"``; ``"MODEL"`` alone is on the summary.
        ``"random"``, ``"spelling"``, ``"permuted:NAME"``: controls. ``"gene2vec"``: Du et al.'s
        published vectors. ``"coexpression:FILE.h5ad"``: learnt from the cells of a file, or of an
        open set such as ``"coexpression:kang"`` (:func:`genept_utils.coexpression`), and kept in
        the cache.
        ``"ada-002"``: the authors' vectors, where their file is in the cache or the mirror (the
        error says where to get it). A path: any file of :func:`genept_utils.embed.readers.read`,
        with its keys as released; the look-up then goes by key first and by approved symbol
        second. Or the folder of a released scGPT, Geneformer or scFoundation model
        (:func:`genept_utils.embed.pretrained.read`); a folder of a text model goes as
        ``"st:FOLDER"``.
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
    if name in shipped():
        return dequantised(ad.read_h5ad(paths.EMBEDDINGS / f"{name}.h5ad"))
    if name.startswith("permuted:"):
        return permuted(read_embedding(name.removeprefix("permuted:"), seed), seed)
    if name.startswith("coexpression:"):
        return _learnt(name, seed)
    if name == "random":
        return random_like(read_embedding(), seed)
    if name == "gene2vec":
        from genept_utils.embed import pretrained

        return pretrained.gene2vec()
    if name == "ada-002":
        return _from_file(_authors_file())
    if readers.kind(name) in readers.READERS:
        return _from_file(Path(name).expanduser())
    is_folder = name not in ("", *MODELS) and Path(name).expanduser().is_dir()
    if is_folder or readers.kind(name) in readers.OF_NETWORKS:
        from genept_utils.embed import pretrained

        if Path(name).name in pretrained.WEIGHTS or not Path(name).expanduser().is_file():
            return pretrained.read(name)
    # a model's name may hold a slash, a text's may too
    found = re.fullmatch(rf"(.*)/((?:{'|'.join(TEXTS)})(?::.*)?)", name, re.DOTALL)
    model, text = found.groups() if found else (name, "summary")
    if model.partition(":")[0] not in MODELS:
        if name and Path(name).expanduser().exists():
            readers.read(name)  # says what is wrong with a file of this kind
        raise ValueError(f"there is no embedding {name!r}; known are {', '.join(shipped())} "
                         f"(shipped), MODEL/TEXT with MODEL among {forms()} and TEXT among "
                         f"{', '.join(TEXTS)}, random, permuted:NAME, gene2vec, ada-002, "
                         "coexpression:FILE, and the path of a file")
    return _computed(model, text, seed)


def _from_file(path):
    """One of our own files, or keys and vectors of others with identifiers beside them."""
    with contextlib.suppress(OSError):  # no HDF5 file, or a broken one: the reader says which
        with untrusted.hdf5(path) as file:
            ours = "uns/genept" in file
        if ours:
            return dequantised(ad.read_h5ad(path))
    keys, vectors = readers.read(path)
    digest = sources.sha256(path)
    model, text = KNOWN_FILES.get(digest, (path.name, "not known"))
    try:
        obs = genes.identified(keys)
    except ValueError as error:
        raise ValueError(f"{path.name}: its keys, {', '.join(keys[:3])}, ..., are no genes: {error}"
                         "; where the genes stand in columns, turn the table (.T)") from None
    strange = keys[(obs["symbol"] == "").to_numpy()] if "symbol" in obs else keys[:0]
    if len(strange) > MAX_UNKNOWN * len(keys):
        warnings.warn(f"{path.name}: {len(strange):,} of {len(keys):,} keys "
                      f"({len(strange) / len(keys):.0%}) are no human gene known here, such as "
                      f"{', '.join(map(repr, strange[:3]))}; they are found only under the very "
                      "same names", stacklevel=3)
    return as_embedding(vectors, obs, model=model, text=text, path=str(path),
                        sha256=digest, distinct=len({hash(row.tobytes()) for row in vectors}))


def _learnt(name, seed):
    import genept_utils  # which leads to the cells, a layer above

    try:
        return genept_utils.coexpression(name.removeprefix("coexpression:"), seed=seed)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{name}: {error.args[0]}; `python -m genept_utils embed --model {name} "
                         "--out FILE.h5ad` takes these options and makes a file of it") from None


def _authors_file():
    if found := paths.copies(f"vectors/{ADA002_FILE}"):
        return found[0]
    raise FileNotFoundError(
        f"the authors' vectors are not here: take {ADA002_FILE} out of {ADA002_FROM} and put it "
        f"into {paths.cache() / 'vectors'}, or read it by its path")


def _computed(model, text, seed):
    if model == "wordllama":
        optional.need("wordllama")
    version = (importlib.metadata.version("wordllama") if model == "wordllama"
               else model_files.digest(model))  # a file may change
    made_from = [model, text, seed, version,
                 *(sources.registry().sha256[key] for key in text_sources(text))]

    def make():
        estimate = cost.estimate_cost(texts(text), model) if model.startswith("openai") else None
        if estimate and estimate.to_send:
            print(estimate)
            cost.ask(f"`python -m genept_utils embed --model {model} --text {text} --out vectors.h5ad"
                     " --yes` computes it once; after it the name is read without a request")
        return embed_genes(model, text, seed)

    return made_once(re.sub(r"[^A-Za-z0-9.]+", "-", f"{model}-{text}"), made_from, make)
