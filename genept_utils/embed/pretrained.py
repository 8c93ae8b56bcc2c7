"""Gene vectors of other models, from the files that their authors released.

A released model is a folder. What is read of it is one table, the vector that the network looks
up for each gene before it sees any cell, and the list that says which gene a row is. Nothing of
a file is executed: safetensors holds numbers alone, and torch opens its own format with
``weights_only=True``.
"""

import json
import pickle
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from genept_utils import genes, optional, pickles, sources, untrusted
from genept_utils.embed.vectors import as_embedding

GENE2VEC = ("vectors/gene2vec_16906.npy", "vectors/gene2vec_16906_names.h5ad")
SCGPT, SCGPT_NAMES = "best_model.pt", "vocab.json"
SCFOUNDATION, SCFOUNDATION_NAMES = "models.ckpt", "OS_scRNA_gene_index.19264.tsv"
SCBERT = "panglao_pretrain.pth"
GENEFORMER = ("model.safetensors", "pytorch_model.bin")
GENEFORMER_TABLE = "embeddings.word_embeddings.weight"  # "bert." before it in the released ones
GENEFORMER_NAMES = "token_dictionary*.pkl"
TEXT_MODEL = {"tokenizer.json", "tokenizer_config.json", "vocab.txt", "modules.json"}
WEIGHTS = {SCGPT, SCFOUNDATION, SCBERT, *GENEFORMER}


def gene2vec():
    """The published vectors of Gene2vec (Du et al. 2019), learnt from co-expression.

    The vectors and the names of their genes lie in two files that scBERT ships: an array
    without names, and the genes of its demo data. That row i of the one belongs to name i of the
    other is stated nowhere; chapter 06 and the tests check it on gene families.

    Returns
    -------
    anndata.AnnData
        (16906, 200) float32, of no common length, as published; indexed by the names as
        released, with a column ``symbol``.

    Raises
    ------
    ValueError
        The two files are not of the same length.
    genept_utils.sources.SourceError
        One of them cannot be had.
    """
    table, named = map(sources.fetch, GENE2VEC)
    vectors = np.load(table, allow_pickle=False)
    with h5py.File(named) as file:
        keys = file["var/_index"].asstr()[:]
    if len(keys) != len(vectors):
        raise ValueError(f"{table.name}: {len(vectors):,} vectors for {len(keys):,} names")
    return as_embedding(vectors, genes.identified(keys), model="gene2vec", text="none",
                        sources=[f"{key} SHA-256 {sources.registry().sha256[key]}"
                                 for key in GENE2VEC])


def read(folder):
    """Gene vectors of scGPT, Geneformer or scFoundation from the folder that was released.

    Parameters
    ----------
    folder : path-like
        scGPT: ``best_model.pt`` and ``vocab.json``; the vector of a gene is the row of
        ``encoder.embedding`` after the layer norm ``encoder.enc_norm``, as its ``GeneEncoder``
        computes it. Geneformer V1 and V2: ``model.safetensors`` or ``pytorch_model.bin``, and
        the token dictionary, which lies in the folder ``geneformer`` beside the model's; the
        vector is the row of ``bert.embeddings.word_embeddings``. scFoundation: ``models.ckpt``
        and ``OS_scRNA_gene_index.19264.tsv``; the vector is the row of ``pos_emb``. Or one of
        these weight files.

    Returns
    -------
    anndata.AnnData
        (n_genes, d) float32, tokens that are no genes left out; indexed by the names as released
        (symbols, or Ensembl identifiers for Geneformer).

    Raises
    ------
    FileNotFoundError
        A file of the release is missing; the sentence says which and where it comes from.
    ValueError
        The folder is of another kind, weights and names do not belong together, or a file is
        a link that leads out of its folder.
    ImportError
        The format needs torch (or safetensors), which is not installed.
    """
    folder = Path(folder).expanduser()
    folder = folder.parent if folder.name in WEIGHTS else folder
    here = {path.name for path in folder.iterdir()}
    if SCFOUNDATION in here:
        return _scfoundation(folder)
    if SCGPT in here or SCGPT_NAMES in here and "args.json" in here:
        return _scgpt(folder)
    if here & set(GENEFORMER) and not here & TEXT_MODEL:
        return _geneformer(folder)
    raise ValueError(
        f"{folder} is no released model known here: scGPT has {SCGPT} and {SCGPT_NAMES}, Geneformer "
        f"{' or '.join(GENEFORMER)}, scFoundation {SCFOUNDATION}; scBERT's gene vectors are "
        "read_embedding('gene2vec'); a model of texts goes as "
        f"read_embedding('st:{folder}/summary'); a zarr store is written as a file first, "
        "anndata.read_zarr(FOLDER).write_h5ad(\"vectors.h5ad\")")


def _scgpt(folder):
    names = _beside(SCGPT_NAMES, "it lies beside best_model.pt in scGPT's model zoo", folder)
    path = _beside(SCGPT, "it lies beside vocab.json in scGPT's model zoo", folder)
    state = _torch(path)
    table, weight, bias = (_tensor(state, f"encoder.{part}", path) for part in (
        "embedding.weight", "enc_norm.weight", "enc_norm.bias"))
    centred = table - table.mean(axis=1, keepdims=True)
    deviation = np.sqrt(centred.var(axis=1, keepdims=True) + 1e-5)  # as torch.nn.LayerNorm
    try:
        tokens = {str(name): int(row) for name, row in json.loads(names.read_text()).items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{names}: not a dictionary of gene -> row ({error})") from None
    return _embedding(centred / deviation * weight + bias, tokens, "scGPT", path, names)


def _geneformer(folder):
    path = next(folder / name for name in GENEFORMER if (folder / name).is_file())
    untrusted.within(path, folder)
    table = (_safetensor(path, GENEFORMER_TABLE) if path.suffix == ".safetensors"
             else _tensor(_torch(path), GENEFORMER_TABLE, path))
    places = [folder, folder / "geneformer", folder.parent, folder.parent / "geneformer"]
    found = [file for place in places for file in sorted(place.glob(GENEFORMER_NAMES))
             + sorted(place.glob(f"gene_dictionaries_30m/{GENEFORMER_NAMES}"))]
    sizes = {}
    for file in dict.fromkeys(found):
        untrusted.within(file, folder if file.is_relative_to(folder) else folder.parent)
        with open(file, "rb") as opened:
            tokens = pickles.load(opened)
        sizes[file.name] = len(tokens)
        if len(tokens) == len(table):  # V1 and V2 lie side by side and have other sizes
            return _embedding(table, tokens, "Geneformer", path, file)
    raise FileNotFoundError(
        f"{folder}: {GENEFORMER_NAMES} with {len(table):,} names is missing (there are: "
        f"{', '.join(f'{name} {size:,}' for name, size in sizes.items()) or 'none'}); it lies in the "
        "folder geneformer of the repository that the model comes from "
        "(token_dictionary_gc104M.pkl for V2, gene_dictionaries_30m/token_dictionary_gc30M.pkl for "
        "V1): put it beside the weights")


def _scfoundation(folder):
    path = untrusted.within(folder / SCFOUNDATION, folder)
    names = _beside(SCFOUNDATION_NAMES, "it lies in the folder model of scFoundation's repository",
                    folder, folder.parent)
    state = _torch(path)
    state = state.get("gene", state)  # one network each for cells and genes in the release
    table = _tensor(state.get("state_dict", state), "pos_emb.weight", path)
    listed = pd.read_csv(names, sep="\t", dtype={"gene_name": str}, keep_default_na=False)
    tokens = dict(zip(listed["gene_name"], listed["index"]))
    return _embedding(table, tokens, "scFoundation", path, names)


def _embedding(table, tokens, model, path, names):
    """Rows of the genes among the tokens; special ones, such as <pad>, are no genes."""
    kept = {name: row for name, row in tokens.items() if not str(name).startswith("<")}
    rows = np.array(list(kept.values()), dtype=int)
    if len(rows) == 0 or rows.min() < 0 or rows.max() >= len(table):
        raise ValueError(f"{names.name} names rows up to {max(rows, default=0):,}, and "
                         f"{path.name} has {len(table):,}: they are not of one release")
    return as_embedding(table[rows], genes.identified(list(kept)), model=model, text="none",
                        path=str(path), sha256=sources.sha256(path), names=names.name,
                        names_sha256=sources.sha256(names))


def _beside(name, where, *folders):
    for folder in folders:
        if (folder / name).is_file():
            return untrusted.within(folder / name, folder)
    raise FileNotFoundError(f"{folders[0]}: {name} is missing; {where}")


def _safetensor(path, name):
    safe = optional.need("safetensors")
    from safetensors import safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return np.asarray(file.get_tensor(_only(file.keys(), name, path)), dtype=np.float32)
    except safe.SafetensorError as error:
        raise ValueError(f"{path.name} cannot be read ({error})") from None


def _torch(path):
    """What a torch file holds: tensors in plain containers, nothing else is let in."""
    torch = optional.need("torch")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path.name} cannot be read as weights alone, and is not read "
                         f"otherwise ({str(error).splitlines()[0]})") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} holds a {type(found).__name__}, not a table of weights")
    return found


def _tensor(state, name, path):
    return state[_only(state, name, path)].float().numpy()


def _only(names, wanted, path):
    """The one name that is the wanted one, alone or behind a prefix such as "module."."""
    found = [name for name in names if name == wanted or name.endswith(f".{wanted}")]
    if len(found) != 1:
        raise ValueError(f"{path.name} has {len(found)} tables {wanted}; one is needed, so this "
                         "is another model or another version")
    return found[0]
