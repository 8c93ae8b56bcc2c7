"""Texts -> vectors, by models that run here and by servers."""

import collections
import functools
import importlib.util
import sys
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from genept_utils import optional, sources, untrusted
from genept_utils.embed import model_files, store, text_models
from genept_utils.embed.vectors import unit

SVD_DIMENSIONS = 256
PART = 512  # texts of a local model that are computed before they are kept
MODELS = {}  # "wordllama", "st", ...: how the model is written ("st:NAME") and its function


def model(form):
    """Decorator: register a function of (texts, name, seed, report, **options) as a text model.

    What stands before the colon of ``form`` becomes its name; error texts list all forms.
    """
    def register(function):
        MODELS[form.partition(":")[0]] = form, function
        return function
    return register


def known(model):
    """The key of a model in :data:`MODELS`; ValueError where there is none."""
    key, _, name = model.partition(":")
    if key not in MODELS or bool(name) != (":" in MODELS[key][0]):
        raise ValueError(f"embedding model {model!r} is not one of {forms()}")
    return key


def forms():
    """All models, as they are written."""
    return ", ".join(form for form, _ in MODELS.values())


def embed(texts, model="wordllama", seed=0, report=None, **options):
    """One vector per text.

    Parameters
    ----------
    texts : sequence of str
        (n,) texts.
    model : str
        ``"wordllama"`` (static vectors, 256 dimensions, weights in its wheel),
        ``"st:NAME_OR_PATH"`` (sentence-transformers, optional extra), ``"onnx:FOLDER"`` and
        ``"gguf:FILE"`` (text models in files, optional extras), ``"openai:MODEL"`` (any
        OpenAI-compatible server, see :func:`genept_utils.embed.api.vectors`),
        ``"openai-batch:MODEL"`` (the same through the Batch API), ``"tfidf"`` (word TF-IDF,
        truncated SVD), ``"spelling"`` (the same on character 2- to 4-grams).
    seed : int
        Seed of the truncated SVD.
    report : dict, optional
        Filled by the server back ends and local models: what was sent, kept, how many texts were
        longer than the model reads and were ``truncated``, and the SHA-256 of a model's file.
    **options
        Of the server back ends: ``dimensions``, rate limits, ...

    Returns
    -------
    numpy.ndarray
        (n, d) float32, rows of unit L2 norm (a zero row stays zero).

    Raises
    ------
    ValueError
        The model is not known, or takes no such option, or its file cannot be used.
    FileNotFoundError
        There is no such file or folder of a model.
    ImportError
        The package that reads the model is not installed; the message names the extra.
    genept_utils.embed.api.ServiceError
        The server cannot be used; the message says why.
    """
    _, compute = MODELS[known(model)]
    if options and not model.startswith("openai"):
        raise ValueError(f"embedding model {model!r} takes no {', '.join(options)}")
    return unit(compute(list(texts), model.partition(":")[2], seed, report, **options))


@model("wordllama")
def _wordllama(texts, *_):
    WordLlama = optional.need("wordllama").WordLlama

    folder = Path(importlib.util.find_spec("wordllama").origin).parent
    model = WordLlama.load(cache_dir=folder, disable_download=True)
    # The vector of a text is the mean over its tokens, and no token reaches over a blank: each
    # different word is tokenised once. On single-blank text the same as model.embed to 1e-5,
    # and 5 to 10 times as fast on the sentences of cells, which repeat the same gene names.
    words = collections.defaultdict()
    words.default_factory = words.__len__
    codes = [np.fromiter(map(words.__getitem__, text.split()), np.int32) for text in texts]
    if not words:
        return np.zeros((len(texts), model.embedding.shape[1]), dtype=np.float32)
    words = list(words)
    model.tokenizer.no_padding()
    tokens = [word.ids for start in range(0, len(words), 1024)  # all at once would take 200 MB
              for word in model.tokenize(words[start:start + 1024])]
    of_words = _counts(tokens, len(model.embedding))
    made = np.empty((len(texts), model.embedding.shape[1]), np.float32)
    for start in range(0, len(texts), PART):  # all at once would take as much again
        counts = _counts(codes[start:start + PART], len(words)) @ of_words
        made[start:start + PART] = (counts @ model.embedding) / np.maximum(counts.sum(axis=1), 1)
    return made


def _counts(rows, n):
    """(len(rows), n) float32: how often each number below n stands in each row."""
    ends, columns = np.cumsum([0, *map(len, rows)]), np.concatenate(rows).astype(np.int32)
    return sp.csr_matrix((np.ones(ends[-1], np.float32), columns, ends), shape=(len(rows), n))


@model("st:NAME")
def _sentence_transformer(texts, name, _, report):
    SentenceTransformer = optional.need("sentence_transformers").SentenceTransformer
    identity, place = name, text_models.folder(name)
    if Path(name).is_dir():  # a folder may change what it holds
        untrusted.text_model(name)
        identity = "".join(sources.sha256(file) for file in sorted(Path(name).glob("*model*")))
    model = SentenceTransformer(place, device="cpu")

    encode = functools.partial(model.encode, batch_size=64,
                               show_progress_bar=sys.stderr.isatty())

    def is_long(text):
        return len(model.tokenizer(text, verbose=False)["input_ids"]) > model.max_seq_length

    return _kept("st", identity, texts, encode, report, is_long, max_tokens=model.max_seq_length)


def _of_file(reader, texts, place, _, report):
    """Vectors of a model in a file; its SHA-256 stands in the report, and in the key of what is
    kept, since a file may change."""
    model = reader(place)
    return _kept(reader.__name__, model.identity, texts, model.encode, report, model.is_long,
                 max_tokens=model.max_tokens, model_sha256=model.sha256)


model("onnx:FOLDER")(functools.partial(_of_file, model_files.Onnx))
model("gguf:FILE")(functools.partial(_of_file, model_files.Gguf))


def _kept(kind, identity, texts, encode, report, is_long, **about):
    """Vectors (n, d) of texts, computed in parts that are kept: a stopped run goes on."""
    keys = [store.key(kind, identity, text) for text in texts]
    with store.opened() as table:
        found = store.read(table, keys)
        missing = sorted(((key, text) for key, text in dict(zip(keys, texts)).items()
                          if key not in found), key=lambda pair: len(pair[1]))
        for start in range(0, len(missing), PART):
            part_keys, part = zip(*missing[start:start + PART])
            made = {key: row.astype("<f4").tobytes()
                    for key, row in zip(part_keys, encode(list(part)))}
            store.write(table, made)
            found |= made
    if report is not None:
        long = {text for text in dict.fromkeys(texts) if is_long(text)}
        report.update(about, truncated=sum(text in long for text in texts))
    return np.stack([np.frombuffer(found[key], "<f4") for key in keys])


def _svd(texts, _, seed, report, **options):
    optional.need("sklearn")
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    table = TfidfVectorizer(dtype=np.float32, **options).fit_transform(texts)  # half the memory
    rank = min(SVD_DIMENSIONS, table.shape[1] - 1, len(texts) - 1)
    return TruncatedSVD(rank, random_state=seed).fit_transform(table)


model("tfidf")(functools.partial(_svd, sublinear_tf=True, min_df=2, stop_words="english"))
model("spelling")(functools.partial(_svd, analyzer="char_wb", ngram_range=(2, 4), min_df=2))


def _of_server(by_batch, texts, name, _, report, **options):
    from genept_utils.embed import api, batch

    ask = batch.batch_vectors if by_batch else api.vectors
    return ask(texts, name, report=report, **options)


model("openai:MODEL")(functools.partial(_of_server, False))
model("openai-batch:MODEL")(functools.partial(_of_server, True))
