"""Text models in files: ONNX graphs, as model hubs publish them, and GGUF files.

Nothing is downloaded, no code of the folder runs, and no link leads out of it.
"""

import json
import os
import re
import urllib.request
from pathlib import Path

import numpy as np

from genept_utils import optional, sources, untrusted

GRAPHS = ("model.onnx", "onnx/model.onnx")
INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
WHOLE, BY_TOKEN = "sentence_embedding", ("last_hidden_state", "token_embeddings")
MODULES = {"Transformer", "Pooling", "Normalize"}  # of modules.json: what is done here
BESIDE = ("tokenizer.json", "tokenizer_config.json", "modules.json", "1_Pooling/config.json",
          "sentence_bert_config.json", "config_sentence_transformers.json")
MAX_TOKENS = 512  # where no file says how many tokens the model reads
GGUF_TOKENS = 2048  # more than any summary has; a model that reads fewer says so
BATCH = 16  # texts at a time; the caller gives them by length, which saves padding


class _Model:
    """What both kinds share; each says how a text is cut and gives the vectors of one batch."""

    def encode(self, texts):
        """(n, d) float32, one vector per text; ValueError where one is not finite."""
        made = np.vstack([self._vectors(texts[start:start + BATCH])
                          for start in range(0, len(texts), BATCH)])
        bad = np.flatnonzero(~np.isfinite(made).all(axis=1))
        if len(bad):
            raise ValueError(
                f"{self.file} gives NaN or infinite values for {len(bad):,} of {len(texts):,} "
                f"texts ({texts[bad[0]][:30]!r}, ...); take its file of full precision")
        return made


class Onnx(_Model):
    """A text model as a folder with an ONNX graph and ``tokenizer.json``.

    Pooling, length, lower case and prompt are those that the files of sentence-transformers
    beside it name; without them the mean over all tokens, up to 512 of them.

    Parameters
    ----------
    place : str
        The folder, with ``model.onnx`` or ``onnx/model.onnx``, or one of its ``.onnx`` files.

    Raises
    ------
    ImportError
        onnxruntime or tokenizers is not installed.
    FileNotFoundError
        There is no graph or no ``tokenizer.json``.
    ValueError
        A file cannot be read, or the graph asks for or gives something else.
    """

    def __init__(self, place):
        self.file, self.folder = _graph(Path(place).expanduser())
        runtime, tokenizers = map(optional.need, ("onnxruntime", "tokenizers"))
        self.sha256, self.identity = sources.sha256(self.file), digest(f"onnx:{place}")
        try:
            self.tokenizer = tokenizers.Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        except Exception as error:  # tokenizers raises nothing narrower
            raise ValueError(f"{self.folder / 'tokenizer.json'} cannot be read ({error}); copy the "
                             "model's folder again") from None
        self._settle()
        options = runtime.SessionOptions()
        options.log_severity_level = 4  # its warnings are about other hardware
        options.intra_op_num_threads = _threads()
        try:
            self.session = runtime.InferenceSession(str(self.file), options,
                                                    providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a dozen kinds without a common base
            raise ValueError(f"{self.file} cannot be read as an ONNX graph ({_first(error)}); copy "
                             "it again, with its .onnx_data file if it has one") from None
        self._look_at_the_graph()

    def _settle(self):
        """Pooling, length, lower case and prompt from the files beside the graph."""
        pooling, tokenizer, length, prompts = (_json(self.folder, name) for name in (
            "1_Pooling/config.json", "tokenizer_config.json", "sentence_bert_config.json",
            "config_sentence_transformers.json"))
        modes = ([pooling["pooling_mode"]] if "pooling_mode" in pooling else
                 [name for name, on in pooling.items() if on is True and "_mode_" in name])
        self.pooling = [re.sub("pooling_mode_|_tokens?$", "", mode) for mode in modes or ["mean"]]
        cut, pad = self.tokenizer.truncation or {}, self.tokenizer.padding or {}
        asked = (length.get("max_seq_length"), tokenizer.get("model_max_length"),
                 cut.get("max_length"), MAX_TOKENS)  # "none" is written as a number of 30 digits
        self.max_tokens = next(int(n) for n in asked if n and n < 1e6)
        self.lower = bool(length.get("do_lower_case"))
        self.prompt = (prompts.get("prompts") or {}).get(prompts.get("default_prompt_name"), "")
        token = tokenizer.get("pad_token")
        token = token.get("content") if isinstance(token, dict) else token
        self.tokenizer.enable_padding(
            pad_id=pad.get("pad_id", token and self.tokenizer.token_to_id(token)) or 0)
        self.tokenizer.enable_truncation(self.max_tokens)

    def _look_at_the_graph(self):
        """Refuse what cannot be given or used; note which inputs and which output are."""
        self.inputs = {one.name: np.int32 if "int32" in one.type else np.int64
                       for one in self.session.get_inputs()}
        gives = [one.name for one in self.session.get_outputs()]
        self.output = next((name for name in (WHOLE, *BY_TOKEN) if name in gives), None)
        if self.output is None or "input_ids" not in self.inputs or self.inputs.keys() - INPUTS:
            raise ValueError(f"{self.file} takes {', '.join(self.inputs)} and gives "
                             f"{', '.join(gives)}; a text model takes input_ids (and "
                             f"attention_mask, token_type_ids) and gives {WHOLE} or {BY_TOKEN[0]}: "
                             "export it for feature extraction")
        listed = {str(module.get("type")).rpartition(".")[2]
                  for module in _json(self.folder, "modules.json") or ()}
        more = [*(self.pooling if self.pooling not in (["mean"], ["cls"]) else ()),
                *sorted(listed - MODULES)]
        if more and self.output != WHOLE:
            raise ValueError(f"the files of {self.folder} ask for {' and '.join(more)}, which is "
                             f"not done here; export a graph that gives {WHOLE}")

    def _written(self, text):
        return self.prompt + (text.lower() if self.lower else text)

    def is_long(self, text):
        """Whether a text has more tokens than the model reads."""
        return bool(self.tokenizer.encode(self._written(text)).overflowing)

    def _vectors(self, texts):
        tokens = self.tokenizer.encode_batch([self._written(text) for text in texts])
        given = {"input_ids": [one.ids for one in tokens],
                 "attention_mask": [one.attention_mask for one in tokens],
                 "token_type_ids": [one.type_ids for one in tokens]}
        try:
            found = self.session.run([self.output], {
                name: np.array(given[name], kind) for name, kind in self.inputs.items()})[0]
        except Exception as error:  # as above
            raise ValueError(f"{self.file} does not run ({_first(error)}); take another export "
                             "of the model") from None
        found = np.asarray(found, np.float32)
        if self.output == WHOLE:
            return found
        if self.pooling == ["cls"]:
            return found[:, 0]
        mask = np.array(given["attention_mask"], np.float32)[:, :, None]
        return (found * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)


class Gguf(_Model):
    """A text model as one GGUF file, read by llama.cpp in the package xllamacpp.

    The file itself names its pooling. llama.cpp listens on a port of this machine meanwhile.

    Parameters
    ----------
    place : str
        The file.

    Raises
    ------
    ImportError
        xllamacpp is not installed.
    FileNotFoundError
        There is no such file.
    ValueError
        It is no GGUF file, or none that llama.cpp reads.
    """

    def __init__(self, place):
        self.file = Path(place).expanduser()
        if not self.file.is_file():
            raise FileNotFoundError(f"there is no file {self.file}; gguf:FILE takes its path")
        with open(self.file, "rb") as file:
            if file.read(4) != b"GGUF":
                raise ValueError(f"{self.file} is no GGUF file; download the file itself")
        llama = optional.need("xllamacpp")
        self.sha256 = self.identity = sources.sha256(self.file)
        wanted = llama.CommonParams()
        wanted.model.path, wanted.embedding, wanted.warmup = str(self.file), True, False
        wanted.n_ctx = wanted.n_batch = wanted.n_ubatch = GGUF_TOKENS
        wanted.n_parallel, wanted.verbosity = 1, -1
        if threads := _threads():
            wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = threads
        try:
            self.server = llama.Server(wanted)
        except RuntimeError as error:
            raise ValueError(f"llama.cpp cannot read {self.file} ({_first(error)}); copy it again, "
                             "or upgrade xllamacpp for a new kind of model") from None
        self.max_tokens = self._asked("/v1/models")["data"][0]["meta"]["n_ctx"]
        self.end = self._all_tokens("")[-1:]  # what closes a text, and stays where one is cut

    def _asked(self, where, given=None):
        """An answer of the server in this process; no proxy stands between."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(
            self.server.listening_address + where, given and json.dumps(given).encode(),
            {"Content-Type": "application/json"})
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)

    def _all_tokens(self, text):
        return self._asked("/tokenize", {"content": text, "add_special": True})["tokens"]

    def is_long(self, text):
        """Whether a text has more tokens than the model reads."""
        return (len(text.encode()) > self.max_tokens - 8  # a token has a byte or more
                and len(self._all_tokens(text)) > self.max_tokens)

    def _cut(self, text):
        tokens = self._all_tokens(text)
        if len(tokens) <= self.max_tokens:
            return tokens
        end = self.end if tokens[-1:] == self.end else []
        return tokens[:self.max_tokens - len(end)] + end

    def _vectors(self, texts):
        found = self.server.handle_embeddings({"input": [self._cut(text) for text in texts]})
        if "data" not in found:
            raise ValueError(f"{self.file} gives no vectors ({_first(found.get('error'))}); "
                             "take a model that was made for embedding")
        rows = sorted(found["data"], key=lambda row: row["index"])
        return np.array([row["embedding"] for row in rows], np.float32)


def digest(model):
    """SHA-256 of the files that make the vectors of an ``onnx:`` or ``gguf:`` model; else ""."""
    kind, _, place = model.partition(":")
    place = Path(place).expanduser()
    if kind == "gguf" and place.is_file():
        return sources.sha256(place)
    if kind != "onnx":
        return ""
    file, folder = _graph(place)
    data = sorted(file.parent.glob(f"{file.stem}.onnx?data*"))  # weights beside a large graph
    beside = [folder / name for name in BESIDE if (folder / name).is_file()]
    return " ".join(sources.sha256(untrusted.within(one, folder)) for one in (file, *data, *beside))


def _threads():
    """As many as OMP_NUM_THREADS allows; 0, all, where it is not set."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() else 0


def _graph(place):
    """The file of a graph, and the folder with its tokenizer."""
    files = [place] if place.suffix == ".onnx" else [place / name for name in GRAPHS]
    folders = [place.parent, place.parent.parent] if place.is_file() else [place]
    file = next(filter(Path.is_file, files), None)
    folder = next((one for one in folders if (one / "tokenizer.json").is_file()), None)
    if file is None or folder is None:
        others = sorted(map(str, place.rglob("*.onnx"))) if file is None else ()
        lacks = " or ".join(GRAPHS) if file is None else "tokenizer.json"
        raise FileNotFoundError(f"{place} has no {lacks}; onnx:FOLDER takes a folder with both" + (
            f", or one of its graphs, such as onnx:{others[0]}" if others else ""))
    return untrusted.within(file, folder), folder


def _json(folder, name):
    """A file of settings as a dict or list; an empty dict where there is none."""
    path = folder / name
    return untrusted.read_json(path) if path.is_file() else {}


def _first(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
