"""Vectors of other models: what is read belongs to the genes it is said to belong to."""

import json
import pathlib
import pickle
import sys

import h5py
import numpy as np
import pytest

from genept_utils import embed, genes, pickles, sources
from genept_utils.embed import pretrained

FAMILIES = ["OR", "ZNF", "RPL", "KRT", "COL", "HLA-", "PCDH", "CYP", "TAS2R", "PSM", "NDUF", "COX",
            "KIR"]
# Genes of one cell type or pathway whose names are no neighbours in the alphabet.
PARTNERS = [("CD19", "MS4A1"), ("CD79A", "MS4A1"), ("CD3E", "LCK"), ("GZMA", "PRF1"),
            ("ALB", "TTR"), ("APOA1", "FGB"), ("MYH6", "TNNT2"), ("GCG", "TTR"), ("CDK1", "TOP2A"),
            ("MCM2", "PCNA"), ("C1QA", "TYROBP"), ("FCER1G", "TYROBP"), ("AHSP", "HBB"),
            ("COL1A1", "SPARC"), ("ACTA2", "TAGLN"), ("GFAP", "S100B"), ("MOG", "PLP1"),
            ("CDH5", "TIE1"), ("PECAM1", "VWF"), ("BUB1", "KIF11"), ("CCNB1", "PLK1")]


@pytest.fixture(scope="module")
def gene2vec():
    try:
        return embed.read_embedding("gene2vec")
    except sources.SourceError as error:
        pytest.skip(str(error).splitlines()[0])


def nearness(vectors, names):
    """(cosines of PARTNERS, mean cosine within each family less that with all genes)."""
    vectors = embed.unit(vectors)
    pairs = [vectors[names.get_loc(a)] @ vectors[names.get_loc(b)] for a, b in PARTNERS]
    families = []
    for family in FAMILIES:
        of = vectors[names.str.startswith(family)]
        sums = of.sum(axis=0)
        families.append((sums @ sums - len(of)) / (len(of) * (len(of) - 1))
                        - (vectors.sum(axis=0) @ sums) / len(vectors) / len(of))
    return np.array(pairs), np.array(families)


def test_gene2vec_is_what_it_says(gene2vec):
    assert gene2vec.shape == (16_906, 200) and gene2vec.X.dtype == np.float32
    assert gene2vec.obs_names.is_unique and (gene2vec.obs["symbol"] != "").mean() > .97
    card = gene2vec.uns["genept"]
    assert card["model"] == "gene2vec" and "gene2vec_16906.npy SHA-256" in card["sources"][0]


@pytest.mark.parametrize("shift", [1, -1, 8_000])
def test_gene2vec_names_and_vectors_align(gene2vec, shift):
    """One line too many in either file would leave families near, but not these pairs."""
    names = gene2vec.obs_names
    pairs, families = nearness(gene2vec.X, names)
    wrong_pairs, wrong_families = nearness(np.roll(gene2vec.X, shift, axis=0), names)
    assert pairs.mean() > wrong_pairs.mean() + .2 and (pairs > wrong_pairs).mean() > .7
    null, null_families = nearness(embed.permuted(gene2vec, seed=abs(shift)).X, names)
    assert (families > .1).all() and (np.abs(null_families) < .05).mean() > .8
    assert pairs.mean() > null.mean() + .2


def test_gene2vec_files_of_different_length(tmp_path, monkeypatch, source):
    source(genes.HGNC)
    files = dict(zip(pretrained.GENE2VEC, (tmp_path / "v.npy", tmp_path / "n.h5ad")))
    np.save(files[pretrained.GENE2VEC[0]], np.eye(3))
    with h5py.File(files[pretrained.GENE2VEC[1]], "w") as file:
        file["var/_index"] = ["TP53", "TP63"]
    monkeypatch.setattr(sources, "fetch", lambda key, progress=None: files[key])
    with pytest.raises(ValueError, match="3 vectors for 2 names"):
        pretrained.gene2vec()


# ---------------------------------------------------------------- released folders

GENES = ["TP53", "TP63", "OR1A1"]
ENSEMBL = ["ENSG00000141510", "ENSG00000073282", "ENSG00000172146"]


def draw(rows, d, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal((rows, d)).astype(dtype)


def geneformer(folder, rows=5, dtype=np.float32, prefix="bert.", names="geneformer/"
               "token_dictionary_gc104M.pkl", layout="safetensors"):
    """As the release has it: model folders, and the dictionaries in a folder beside them."""
    model = folder / "Geneformer-V2-104M"
    model.mkdir()
    (model / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": 16}))
    table = {f"{prefix}embeddings.word_embeddings.weight": draw(rows, 16, dtype=dtype),
             f"{prefix}embeddings.position_embeddings.weight": draw(9, 16, 1, dtype)}
    if layout == "safetensors":
        pytest.importorskip("safetensors.numpy").save_file(table, model / "model.safetensors")
    else:
        torch = pytest.importorskip("torch", reason="torch writes this format")
        torch.save({name: torch.from_numpy(value) for name, value in table.items()},
                   model / "pytorch_model.bin")
    tokens = {"<pad>": 0, "<mask>": 1, **{name: row + 2 for row, name in enumerate(ENSEMBL)}}
    (folder / names).parent.mkdir(parents=True, exist_ok=True)
    (folder / names).write_bytes(pickle.dumps(tokens))
    return model, next(iter(table.values())).astype(np.float32)


@pytest.mark.parametrize("options", [
    {}, {"dtype": np.float16}, {"prefix": ""}, {"layout": "torch"},
    {"names": "geneformer/gene_dictionaries_30m/token_dictionary_gc30M.pkl"},
    {"names": "Geneformer-V2-104M/token_dictionary.pkl"}], ids=str)
def test_geneformer(tmp_path, source, options):
    source(genes.HGNC)
    folder, table = geneformer(tmp_path, **options)
    found = embed.read_embedding(folder)
    assert list(found.obs_names) == ENSEMBL and np.allclose(found.X, table[2:])
    assert list(found.obs["symbol"]) == GENES and found.X.dtype == np.float32
    card = found.uns["genept"]
    assert card["model"] == "Geneformer" and card["names"].startswith("token_dictionary")
    assert card["sha256"] == sources.sha256(card["path"])
    rows, _ = embed.align(found, ["TP63", "ENSG00000141510", "none"])
    assert list(rows) == [1, 0, -1]


def test_geneformer_takes_the_dictionary_of_its_version(tmp_path, source):
    source(genes.HGNC)
    folder, table = geneformer(tmp_path)
    other = tmp_path / "geneformer" / "gene_dictionaries_30m" / "token_dictionary_gc30M.pkl"
    other.parent.mkdir()
    other.write_bytes(pickle.dumps({f"ENSG{i:011d}": i for i in range(9)}))
    assert np.allclose(embed.read_embedding(folder).X, table[2:])
    (tmp_path / "geneformer" / "token_dictionary_gc104M.pkl").unlink()
    with pytest.raises(FileNotFoundError, match="with 5 names is missing .*gc30M.pkl 9"):
        embed.read_embedding(folder)


def test_a_dictionary_that_would_run_something(tmp_path):
    folder, _ = geneformer(tmp_path)
    (tmp_path / "geneformer" / "token_dictionary_gc104M.pkl").write_bytes(
        b"cposix\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    with pytest.raises(pickles.UnsafePickle, match="posix.system"):
        embed.read_embedding(folder)
    assert not (tmp_path / "ran").exists()


def scgpt(folder, prefix="", **changes):
    torch = pytest.importorskip("torch", reason="torch writes this format")
    vocab = {"TP63": 1, "TP53": 0, "OR1A1": 2, "<pad>": 3, "<cls>": 4, "<eoc>": 5}
    state = {"encoder.embedding.weight": draw(6, 8), "encoder.enc_norm.weight": draw(1, 8, 1)[0],
             "encoder.enc_norm.bias": draw(1, 8, 2)[0],
             "decoder.fc.0.weight": draw(8, 8, 3)} | changes
    torch.save({prefix + name: torch.from_numpy(value) for name, value in state.items()},
               folder / "best_model.pt")
    (folder / "vocab.json").write_text(json.dumps(vocab))
    (folder / "args.json").write_text("{}")
    return torch, state


@pytest.mark.parametrize("prefix", ["", "module."])
def test_scgpt_is_what_its_gene_encoder_computes(tmp_path, source, prefix):
    source(genes.HGNC)
    torch, state = scgpt(tmp_path, prefix)
    norm = torch.nn.LayerNorm(8)
    norm.load_state_dict({part: torch.from_numpy(state[f"encoder.enc_norm.{part}"])
                          for part in ("weight", "bias")})
    wanted = norm(torch.from_numpy(state["encoder.embedding.weight"])).detach().numpy()
    for name in (tmp_path, tmp_path / "best_model.pt"):
        found = embed.read_embedding(name)
        assert list(found.obs_names) == ["TP63", "TP53", "OR1A1"]
        assert np.allclose(found["TP53"].X, wanted[0], atol=1e-5)
        assert np.allclose(found["TP63"].X, wanted[1], atol=1e-5)
    assert found.uns["genept"]["model"] == "scGPT"


def test_scfoundation(tmp_path, source):
    source(genes.HGNC)
    torch = pytest.importorskip("torch", reason="torch writes this format")
    table = draw(6, 8)  # two tokens and the padding behind the genes
    torch.save({kind: {"config": {"model": "mae_autobin"}, "state_dict": {
        "model.pos_emb.weight": torch.from_numpy(table + shift)}}
        for kind, shift in (("cell", 1), ("gene", 0))}, tmp_path / "models.ckpt")
    with pytest.raises(FileNotFoundError, match="OS_scRNA_gene_index.19264.tsv is missing"):
        embed.read_embedding(tmp_path)
    (tmp_path / "OS_scRNA_gene_index.19264.tsv").write_text(
        "gene_name\tindex\n" + "".join(f"{name}\t{i}\n" for i, name in enumerate(GENES)))
    found = embed.read_embedding(tmp_path)
    assert list(found.obs_names) == GENES and np.allclose(found.X, table[:3])


@pytest.mark.parametrize("files, error, said", [
    (["vocab.json", "args.json"], FileNotFoundError, "best_model.pt is missing"),
    (["best_model.pt"], FileNotFoundError, "vocab.json is missing"),
    (["panglao_pretrain.pth"], ValueError, "read_embedding\\('gene2vec'\\)"),
    (["config.json", "model.safetensors", "tokenizer.json"], ValueError, "read_embedding\\('st:"),
    (["config.json", "pytorch_model.bin", "vocab.txt"], ValueError, "a model of texts goes as"),
    (["readme.txt"], ValueError, "no released model known here"),
    ([], ValueError, "no released model known here"),
    ([".zgroup", ".zattrs"], ValueError, "a zarr store is written as a file first"),
    (["zarr.json"], ValueError, "anndata.read_zarr"),
])
def test_an_incomplete_or_other_folder(tmp_path, files, error, said):
    for name in files:
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(error, match=said):
        embed.read_embedding(str(tmp_path))


def test_geneformer_without_its_dictionary(tmp_path):
    folder, _ = geneformer(tmp_path)
    (tmp_path / "geneformer" / "token_dictionary_gc104M.pkl").unlink()
    with pytest.raises(FileNotFoundError, match="token_dictionary.* is missing .*none.*gc104M.pkl"):
        embed.read_embedding(folder)


def test_weights_of_another_model(tmp_path):
    save = pytest.importorskip("safetensors.numpy").save_file
    save({"distilbert.weight": draw(3, 4)}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="has 0 tables embeddings.word_embeddings.weight"):
        embed.read_embedding(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(ValueError, match="model.safetensors cannot be read"):
        embed.read_embedding(tmp_path)


def test_names_of_another_release(tmp_path):
    scgpt(tmp_path)
    (tmp_path / "vocab.json").write_text(json.dumps({"TP53": 60_000}))
    with pytest.raises(ValueError, match="rows up to 60,000, and best_model.pt has 6"):
        embed.read_embedding(tmp_path)


def test_a_checkpoint_that_would_run_something(tmp_path):
    torch = pytest.importorskip("torch", reason="torch writes this format")
    torch.save({"encoder.embedding.weight": pathlib.PurePosixPath("x")}, tmp_path / "best_model.pt")
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(ValueError, match="cannot be read as weights alone"):
        embed.read_embedding(tmp_path)


def test_without_torch_one_sentence_says_what_brings_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (tmp_path / "best_model.pt").write_bytes(b"PK")
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(ImportError, match=r"torch is not installed; .*genept-utils\[models\]"):
        embed.read_embedding(tmp_path)
