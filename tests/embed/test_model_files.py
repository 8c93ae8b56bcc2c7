"""Text models in files, read with stand-ins for what runs them; with the packages where they are."""

import base64
import hashlib
import importlib.util
import json
import zlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from genept_utils import embed, genes, optional, paths
from genept_utils.embed import model_files, registry

TEXTS = ["a b", "", "c", "B a b c a b c"]
WORDS = {"[PAD]": 7, "[CLS]": 1, "[SEP]": 2, "a": 3, "b": 4, "c": 5}
# Gather of rows of W[i] = e_i + i / 8, (8, 4), at input_ids: made with the package onnx
TINY = ("eNrj4BBisFrHxKXJxRjOxZmZV1BaEp+ZUiwkmJNYXBKfkZmSkpoXX1ySWJKqxOaeWJKRWiTEUpKZV6nVw8jBwcEiwO"
        "jEGO7VwMjA0GDPgArsGBgm2ENoEG6A4gX2EPoAEt4AUoeGFdCwAxpOQMFRssiOF+Di42AX4uJiFmJMAhHFUUpcfIkl"
        "Jal5JZn5efG5icXZmGqSNLkwPS0kwiXEwSjEh1DGxcTB4sTCxSDACwApPzry")
ROWS = np.eye(8, 4) + np.arange(8)[:, None] / 8


class Tokenizer:
    """Words of a JSON file between [CLS] and [SEP], with the interface of tokenizers."""

    truncation, padding = None, {"pad_id": 7}

    def __init__(self, words):
        self.words = words

    @classmethod
    def from_file(cls, path):
        with open(path) as file:
            return cls(json.load(file))

    def token_to_id(self, token):
        return self.words.get(token)

    def enable_padding(self, pad_id):
        self.pad = pad_id

    def enable_truncation(self, n):
        self.n = n

    def encode(self, text):
        inner = [self.words.get(word, 6) for word in text.split()]
        return SimpleNamespace(ids=[1, *inner[:self.n - 2], 2], overflowing=inner[self.n - 2:])

    def encode_batch(self, texts):
        rows = [self.encode(text).ids for text in texts]
        width = max(map(len, rows))
        return [SimpleNamespace(ids=ids + [self.pad] * (width - len(ids)), type_ids=[0] * width,
                                attention_mask=[1] * len(ids) + [0] * (width - len(ids)))
                for ids in rows]


class Session:
    """A graph whose vectors of tokens are ROWS; its file is JSON of inputs and outputs."""

    def __init__(self, path, options, providers):
        with open(path) as file:
            self.said = json.load(file)

    def get_inputs(self):
        return [SimpleNamespace(name=name, type=f"tensor({self.said.get('type', 'int64')})")
                for name in self.said.get("inputs", ["input_ids", "attention_mask"])]

    def get_outputs(self):
        return [SimpleNamespace(name=name)
                for name in self.said.get("outputs", ["last_hidden_state"])]

    def run(self, names, given):
        if self.said.get("fails"):
            raise RuntimeError("shape\nof a node")
        assert set(given) == {one.name for one in self.get_inputs()}
        kinds = {array.dtype.name for array in given.values()}
        assert kinds == {self.said.get("type", "int64")}
        assert (given["input_ids"][given["attention_mask"] == 0] == 7).all()
        found = ROWS[given["input_ids"]] * self.said.get("times", 1)
        whole = (found * given["attention_mask"][:, :, None]).sum(axis=1)
        return [whole if names == ["sentence_embedding"] else found]


def _tree(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        content = content if isinstance(content, bytes) else (
            content if isinstance(content, str) else json.dumps(content)).encode()
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Writes a folder of a model; stand-ins take the place of the packages."""
    stand_ins = {"tokenizers": SimpleNamespace(Tokenizer=Tokenizer),
                 "onnxruntime": SimpleNamespace(InferenceSession=Session,
                                                SessionOptions=SimpleNamespace)}
    monkeypatch.setattr(optional, "need", stand_ins.__getitem__)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    plain = {"onnx/model.onnx": {}, "tokenizer.json": WORDS}
    return lambda **files: _tree(tmp_path / "model", {
        name: content for name, content in {**plain, **files}.items() if content is not None})


def expected(texts, pool="mean", n=512, lower=False, prompt=""):
    rows = []
    for text in texts:
        inner = [WORDS.get(word, 6) for word in (prompt + (text.lower() if lower else text)).split()]
        tokens = ROWS[[1, *inner[:n - 2], 2]]
        rows.append(tokens[0] if pool == "cls" else tokens.sum(0) if pool == "sum"
                    else tokens.mean(0))
    return embed.unit(np.array(rows))


@pytest.mark.parametrize("files, like", [
    ({}, {}),
    ({"onnx/model.onnx": None, "model.onnx": {}}, {}),
    ({"onnx/model.onnx": {"inputs": ["input_ids", "attention_mask", "token_type_ids"],
                          "type": "int32"}}, {}),
    ({"onnx/model.onnx": {"outputs": ["pooler_output", "token_embeddings"]}}, {}),
    ({"onnx/model.onnx": {"outputs": ["token_embeddings", "sentence_embedding"]},
      "1_Pooling/config.json": {"pooling_mode_cls_token": True}}, {"pool": "sum"}),
    ({"1_Pooling/config.json": {"pooling_mode_cls_token": True,
                                "pooling_mode_mean_tokens": False}}, {"pool": "cls"}),
    ({"1_Pooling/config.json": {"pooling_mode": "cls"}}, {"pool": "cls"}),
    ({"sentence_bert_config.json": {"max_seq_length": 4, "do_lower_case": True},
      "tokenizer_config.json": {"model_max_length": 8}}, {"n": 4, "lower": True}),
    ({"tokenizer_config.json": {"model_max_length": 5, "pad_token": "a"}}, {"n": 5}),
    ({"tokenizer_config.json": {"model_max_length": int(1e30)}}, {}),
    ({"config_sentence_transformers.json": {"prompts": {"query": "c c "},
                                            "default_prompt_name": "query"}}, {"prompt": "c c "}),
    ({"modules.json": [{"type": f"sentence_transformers.models.{kind}"}
                       for kind in ("Transformer", "Pooling", "Normalize")]}, {})])
def test_a_graph_is_read_as_the_files_beside_it_say(made, files, like):
    folder, report = made(**files), {}
    found = embed.embed(TEXTS, f"onnx:{folder}", report=report)
    np.testing.assert_allclose(found, expected(TEXTS, **like), atol=1e-6)
    assert found.dtype == np.float32
    n = like.get("n", 512)
    assert report["max_tokens"] == n
    assert report["truncated"] == sum(len(text.split()) > n - 2 for text in TEXTS)
    graph = next(folder.rglob("*.onnx"))
    assert report["model_sha256"] == hashlib.sha256(graph.read_bytes()).hexdigest()


def test_a_changed_file_is_computed_anew_and_the_same_is_kept(made, monkeypatch):
    model = f"onnx:{made()}"
    first = embed.embed(TEXTS, model)
    monkeypatch.setattr(model_files.Onnx, "encode", None)
    np.testing.assert_array_equal(first, embed.embed(TEXTS, model))
    before = model_files.digest(model)
    made(**{"1_Pooling/config.json": {"pooling_mode": "cls"}})
    assert model_files.digest(model) != before
    with pytest.raises(TypeError):
        embed.embed(TEXTS, model)
    made(**{"onnx/model.onnx_data": b"weights"})
    assert len(model_files.digest(model).split()) == 4


@pytest.mark.parametrize("files, error, said", [
    ({"onnx/model.onnx": None}, FileNotFoundError, "has no model.onnx or onnx/model.onnx; onnx:FOLDER"),
    ({"onnx/model.onnx": None, "onnx/model_q4.onnx": {}}, FileNotFoundError,
     "or one of its graphs, such as onnx:.*onnx/model_q4.onnx"),
    ({"tokenizer.json": None}, FileNotFoundError, "has no tokenizer.json; onnx:FOLDER"),
    ({"tokenizer.json": "{"}, ValueError, "tokenizer.json cannot be read"),
    ({"onnx/model.onnx": "no graph"}, ValueError, "cannot be read as an ONNX graph .*copy it"),
    ({"onnx/model.onnx": {"inputs": ["input_ids", "pixel_values"]}}, ValueError,
     "takes input_ids, pixel_values and .*export it for feature extraction"),
    ({"onnx/model.onnx": {"inputs": ["attention_mask"]}}, ValueError, "takes attention_mask and"),
    ({"onnx/model.onnx": {"outputs": ["logits"]}}, ValueError, "gives logits; a text model"),
    ({"onnx/model.onnx": {"fails": True}}, ValueError, r"does not run \(shape\); take another"),
    ({"onnx/model.onnx": {"times": float("nan")}}, ValueError,
     "NaN or infinite values for 4 of 4 texts .*full precision"),
    ({"1_Pooling/config.json": {"pooling_mode": "lasttoken"}}, ValueError, "ask for lasttoken"),
    ({"1_Pooling/config.json": "{"}, ValueError, "is no JSON; copy it again"),
    ({"modules.json": [{"type": "sentence_transformers.models.Dense"}]}, ValueError,
     "ask for Dense, which is not done here")])
def test_a_graph_that_cannot_be_used_is_one_sentence(made, files, error, said):
    with pytest.raises(error, match=said) as found:
        embed.embed(TEXTS, f"onnx:{made(**files)}")
    assert "\n" not in str(found.value)


def test_a_file_of_a_graph_and_places_that_are_not_there(made, tmp_path):
    folder = made(**{"onnx/other.onnx": {"times": 2}})
    np.testing.assert_allclose(embed.embed(TEXTS, f"onnx:{folder / 'onnx/other.onnx'}"),
                               expected(TEXTS), atol=1e-6)
    with pytest.raises(FileNotFoundError, match="none has no model.onnx or .*onnx:FOLDER takes"):
        embed.embed(TEXTS, f"onnx:{tmp_path / 'none'}")
    (tmp_path / "secret.json").write_text("{}")
    (folder / "modules.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(ValueError, match="outside of"):
        embed.embed(TEXTS, f"onnx:{folder}")


def test_a_name_is_computed_once_for_as_long_as_its_files_stay_the_same(made, monkeypatch):
    asked = []

    def genes_of(model, text, seed):
        asked.append((model, text))
        return embed.as_embedding(np.full((2, 2), len(asked)), pd.DataFrame(index=["a", "b"]), model=model)

    monkeypatch.setattr(registry, "embed_genes", genes_of)
    name = f"onnx:{made()}"
    for _ in range(2):
        assert embed.read_embedding(f"{name}/name").X[0, 0] == 1
    made(**{"onnx/model.onnx": {"times": 2}})
    assert embed.read_embedding(f"{name}/name").X[0, 0] == 2
    assert asked == [(name, "name")] * 2


def test_the_hash_stands_in_the_provenance(made, source):
    source(genes.HGNC)
    folder = made()
    card = embed.embed_genes(f"onnx:{folder}", "name", symbols=["TP53", "INS"]).uns["genept"]
    assert card["model_sha256"] == hashlib.sha256(b"{}").hexdigest()
    assert card["model"] == f"onnx:{folder}" and card["text"] == "name"


@pytest.mark.parametrize("missing, extra, model", [
    ("onnxruntime", "onnx", "onnx:model"), ("tokenizers", "onnx", "onnx:model"),
    ("xllamacpp", "gguf", "gguf:model.gguf")])
def test_the_packages_are_optional(missing, extra, model, tmp_path, monkeypatch):
    _tree(tmp_path, {"model/model.onnx": {}, "model/tokenizer.json": WORDS, "model.gguf": b"GGUF"})
    monkeypatch.chdir(tmp_path)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name: None if name == missing else find("json"))
    monkeypatch.setattr(importlib, "import_module", lambda name: SimpleNamespace())
    with pytest.raises(ImportError, match=rf'{missing} is .*pip install "genept-utils\[{extra}\]"'):
        embed.embed(TEXTS, model)


def test_a_real_graph(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime", reason="the optional extra `onnx` is not installed")
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(
        {**WORDS, "[UNK]": 6}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.post_processor = tokenizers.processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    words.enable_padding(length=20, pad_id=7)  # as files on the hub have it
    _tree(tmp_path, {"model.onnx": zlib.decompress(base64.b64decode(TINY)),
                     "sentence_bert_config.json": {"max_seq_length": 6},
                     "tokenizer.json": words.to_str()})
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    report = {}
    found = embed.embed(TEXTS, f"onnx:{tmp_path}", report=report)
    np.testing.assert_allclose(found, expected(TEXTS, n=6), atol=1e-6)
    assert report["truncated"] == 1
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ValueError, match="cannot be read as an ONNX graph"):
        embed.embed(TEXTS, f"onnx:{tmp_path}")


class Server:
    """llama.cpp whose tokens are letters, closed by 2, and whose vectors count them."""

    answer = None

    def __init__(self, given):
        with open(given.model.path, "rb") as file:
            if b"broken" in file.read():
                raise RuntimeError("Failed to init server")

    def handle_embeddings(self, given):
        if self.answer:
            return self.answer
        rows = [[len(ids), ids[-1], ids.count(97)] for ids in given["input"]]
        return {"data": [{"index": i, "embedding": row} for i, row in enumerate(rows)][::-1]}


@pytest.fixture
def llama(tmp_path, monkeypatch):
    package = SimpleNamespace(
        CommonParams=lambda: SimpleNamespace(model=SimpleNamespace(), cpuparams=SimpleNamespace(),
                                             cpuparams_batch=SimpleNamespace()), Server=Server)
    monkeypatch.setattr(optional, "need", {"xllamacpp": package}.__getitem__)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(model_files.Gguf, "_asked", lambda self, where, given=None: {
        "data": [{"meta": {"n_ctx": 12}}],
        "tokens": [1, *(given or {"content": ""})["content"].encode(), 2]})
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"GGUF and weights")
    return file


def test_a_gguf_file(llama):
    report, texts = {}, ["a", "aab", "", "a" * 40]
    found = embed.embed(texts, f"gguf:{llama}", report=report)
    np.testing.assert_allclose(found, embed.unit(np.array(
        [[3, 2, 1], [5, 2, 2], [2, 2, 0], [12, 2, 10]])), atol=1e-6)
    assert report == {"model_sha256": hashlib.sha256(llama.read_bytes()).hexdigest(),
                      "max_tokens": 12, "truncated": 1}


@pytest.mark.parametrize("content, answer, error, said", [
    (None, None, FileNotFoundError, "there is no file .*mine.gguf; gguf:FILE takes"),
    (b"<html>", None, ValueError, "is no GGUF file; .*download the file itself"),
    (b"GGUF broken", None, ValueError, "llama.cpp cannot read .*upgrade xllamacpp"),
    (b"GGUF", {"error": {"message": "pooling none"}}, ValueError,
     "no vectors .*pooling none.*made for embedding"),
    (b"GGUF", {"data": [{"index": 0, "embedding": [float("nan"), 1.]}]}, ValueError,
     "NaN or infinite values for 1 of 1 texts")])
def test_a_gguf_file_that_cannot_be_used(llama, monkeypatch, content, answer, error, said):
    llama.unlink()
    if content:
        llama.write_bytes(content)
    monkeypatch.setattr(Server, "answer", answer)
    with pytest.raises(error, match=said) as found:
        embed.embed(["a"], f"gguf:{llama}")
    assert "\n" not in str(found.value)
