"""Files of vectors as people have them: packed, in capitals, with holes, of other kinds."""

import bz2
import gzip
import lzma
import os
import pickle
import subprocess
import sys
import zipfile

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import embed, paths, pickles, sources

GENES = ["TP53", "MDM2", "CD3E", "LYZ", "NKG7"]

pytestmark = pytest.mark.skipif(not (paths.EMBEDDINGS / "minilm.h5ad").is_file(),
                                reason="the shipped embedding, which knows the names, is not here")


@pytest.fixture
def vectors():
    return dict(zip(GENES, np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)))


def zipped(content, name):
    def write(path):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
    return write


def lists(vectors):
    return pickle.dumps({key: row.tolist() for key, row in vectors.items()})


def frame(vectors):
    return pd.DataFrame.from_dict(vectors, orient="index").add_prefix("d")


def h5ad(path, vectors):
    ad.AnnData(frame(vectors)).write_h5ad(path)


WRITERS = {
    "a.PKL": lambda p, v: p.write_bytes(lists(v)),
    "a.Pickle": lambda p, v: p.write_bytes(lists(v)),
    "a.pkl.gz": lambda p, v: p.write_bytes(gzip.compress(lists(v))),
    "a.pickle.bz2": lambda p, v: p.write_bytes(bz2.compress(lists(v))),
    "a.pkl.xz": lambda p, v: p.write_bytes(lzma.compress(lists(v))),
    "a.PKL.GZ": lambda p, v: p.write_bytes(gzip.compress(lists(v))),
    "a.pkl.zip": lambda p, v: zipped(lists(v), "a.pkl")(p),
    "gzipped-all-the-same.pkl": lambda p, v: p.write_bytes(gzip.compress(lists(v))),
    "a.CSV": lambda p, v: frame(v).to_csv(p),
    "a.csv.bz2": lambda p, v: p.write_bytes(bz2.compress(frame(v).to_csv().encode())),
    "a.TSV.GZ": lambda p, v: p.write_bytes(gzip.compress(frame(v).to_csv(sep="\t").encode())),
    "a.Parquet": lambda p, v: frame(v).to_parquet(p),
    "a.H5AD": h5ad,
}


@pytest.mark.parametrize("name", WRITERS)
def test_packed_files_and_capital_endings(name, vectors, tmp_path):
    WRITERS[name](tmp_path / name, vectors)
    read = embed.read_embedding(tmp_path / name)
    assert list(read.obs_names) == GENES
    assert np.allclose(read.X, np.stack(list(vectors.values())), atol=1e-6)
    assert read.uns["genept"]["sha256"] == sources.sha256(tmp_path / name)


def test_a_file_of_ours_is_known_by_its_content(tmp_path):
    few = embed.read_embedding()[:50].copy()
    embed.write_embedding(few, tmp_path / "OURS.H5AD")
    read = embed.read_embedding(tmp_path / "OURS.H5AD")
    assert read.uns["genept"]["model"] == few.uns["genept"]["model"]
    assert np.abs(read.X - few.X).max() < 1e-2 and read.X.dtype == np.float32


def test_from_a_folder_of_the_readers(vectors, tmp_path):
    WRITERS["a.PKL.GZ"](tmp_path / "MINE.PKL.GZ", vectors)
    code = "import genept_utils as gp; print(gp.read_embedding('MINE.PKL.GZ').shape)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True,
                          text=True, env={**os.environ, "PYTHONPATH": str(paths.ROOT)})
    assert done.stdout.strip() == "(5, 4)", done.stderr


# ---------------------------------------------------------------- holes

@pytest.mark.parametrize("holes, said", [
    ({"MDM2": None}, r"1 of 5 genes \('MDM2'\) has no vector"),
    ({"MDM2": [], "LYZ": None}, r"2 of 5 genes \('MDM2', 'LYZ'\) have no vector"),
    ({"TP53": float("nan")}, r"1 of 5 genes \('TP53'\) has no vector"),
    ({"NKG7": [1., 2., 3., float("nan")]}, r"\('NKG7'\) has NaN or infinite"),
    ({"NKG7": [1., 2., 3., float("inf")]}, r"\('NKG7'\) has NaN or infinite"),
    ({"CD3E": [1., 2.]}, r"1 of 5 genes \('CD3E'\) has 2 numbers, the others 4"),
    ({f"G{i}": None for i in range(9)}, r"9 of 14 genes \('G0', .*'G4' and 4 more\) have no"),
])
def test_genes_without_a_vector_are_named(holes, said, vectors, tmp_path):
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({**vectors, **holes}))
    with pytest.raises(ValueError, match=f"x.pkl: .*{said}"):
        embed.read_embedding(tmp_path / "x.pkl")


@pytest.mark.parametrize("value, said", [("", "not a number but empty"), ("NaN", "NaN or inf"),
                                         ("inf", "NaN or infinite")])
def test_holes_of_tables_are_named(value, said, vectors, tmp_path):
    text = frame(vectors).astype(object)
    text.loc["LYZ", "d2"] = value
    text.to_csv(tmp_path / "x.csv")
    with pytest.raises(ValueError, match=rf"1 of 5 genes \('LYZ'\) has .*{said}"):
        embed.read_embedding(tmp_path / "x.csv")
    text.to_csv(tmp_path / "x.tsv.gz", sep="\t")
    with pytest.raises(ValueError, match=r"x.tsv.gz: .*'LYZ'"):
        embed.read_embedding(tmp_path / "x.tsv.gz")


def test_holes_of_parquet_are_named(vectors, tmp_path):
    table = pd.DataFrame({"gene": GENES, "vector": [None, *list(vectors.values())[1:]]})
    table.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"1 of 5 genes \('TP53'\) has no vector"):
        embed.read_embedding(tmp_path / "x.parquet")


# ---------------------------------------------------------------- other kinds, broken files

@pytest.mark.parametrize("name, said", [
    ("x.npy", "no names: numpy.savez"), ("x.pt", "those of a network"),
    ("x.safetensors", "those of a network"), ("x.xlsx", "to_csv"), ("x.json", "to_csv"),
    ("x.rds", "to_csv"), ("x", "no ending"), ("x.json.gz", "to_csv")])
def test_a_kind_that_is_not_read_says_so(name, said, tmp_path):
    (tmp_path / name).write_bytes(b"\x93NUMPY")
    with pytest.raises(ValueError, match=f"{name} has an unsupported format.*{said}"):
        embed.read_embedding(tmp_path / name)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ValueError, match="is no released model known here"):
        embed.read_embedding(tmp_path)
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(ValueError, match="is a folder; give the file"):
        embed.read_embedding(tmp_path / "x.csv")


@pytest.mark.parametrize("name", ["a.pkl.gz", "a.pickle.bz2", "a.pkl.xz", "a.pkl.zip", "a.Parquet",
                                  "a.H5AD"])
def test_a_broken_file_is_named(name, vectors, tmp_path):
    path = tmp_path / name
    WRITERS[name](path, vectors)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    with pytest.raises(ValueError, match=name):
        embed.read_embedding(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=name):
        embed.read_embedding(path)


def test_a_zip_with_several_files(vectors, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pkl.zip", "w") as archive:
        archive.writestr("a.pkl", lists(vectors))
        archive.writestr("b.pkl", lists(vectors))
    with pytest.raises(ValueError, match="holds 2 files; take the right one out"):
        embed.read_embedding(tmp_path / "a.pkl.zip")


def bomb_npz(path):
    np.savez_compressed(path, names=np.array(GENES), vectors=np.zeros((5, 9_000_000), np.float32))


@pytest.mark.parametrize("name, write", [
    ("x.csv.gz", lambda p: p.write_bytes(gzip.compress(bytes(90 << 20), 9))),
    ("x.pkl.xz", lambda p: p.write_bytes(lzma.compress(bytes(90 << 20), preset=0))),
    ("x.pkl.zip", lambda p: zipped(bytes(90 << 20), "x.pkl")(p)), ("x.npz", bomb_npz)])
def test_what_unpacks_without_bounds_is_refused(name, write, tmp_path):
    write(tmp_path / name)
    with pytest.raises(ValueError, match=f"{name} unpacks to more than 200 times"):
        embed.read_embedding(tmp_path / name)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_pickle_runs_nothing(pack, tmp_path):
    trace, path = tmp_path / "it-ran", tmp_path / "x.pkl.gz"
    path.write_bytes(pack(b"cposix\nsystem\n(Vtouch " + str(trace).encode() + b"\ntR."))
    with pytest.raises(pickles.UnsafePickle, match="x.pkl.gz: .*posix.system"):
        embed.read_embedding(path)
    assert not trace.exists()


# ---------------------------------------------------------------- keys that are no genes

@pytest.mark.parametrize("keys, said", [
    (["tok_1", "tok_2", "tok_3", "tok_4", "tok_5"], r"5 of 5 keys \(100%\).*'tok_1', 'tok_2'"),
    (["TP53", "MDM2", "the cell", "<pad>", "LYZ"], r"2 of 5 keys \(40%\).*'the cell', '<pad>'"),
])
def test_keys_that_are_no_genes_are_said_at_reading(keys, said, vectors, tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(dict(zip(keys, vectors.values()))))
    with pytest.warns(UserWarning, match=f"x.pkl: .*{said}"):
        read = embed.read_embedding(path)
    assert list(read.obs_names) == keys


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("keys", [GENES, ["P53", "ENSG00000135679", "914", "4069", "NKG7"]])
def test_genes_under_any_name_need_no_word(keys, vectors, tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(dict(zip(keys, vectors.values()))))
    assert (embed.read_embedding(path).n_obs) == 5


@pytest.mark.parametrize("separator", ["\t", " "])
@pytest.mark.parametrize("head", ["{}", "gene{}", "none"])
@pytest.mark.parametrize("columns", ["d{}", "{}"])
def test_a_table_under_the_ending_txt(separator, head, columns, vectors, tmp_path):
    """As pandas and R write it: with a head line, without a word above the names, without one."""
    rows = frame(vectors).set_axis([columns.format(i) for i in range(4)], axis=1)
    text = rows.to_csv(sep=separator, header=head != "none")
    text = text if head == "none" else head.format("") + text[head == "{}":]
    (tmp_path / "x.txt").write_text(text)
    read = embed.read_embedding(tmp_path / "x.txt")
    assert list(read.obs_names) == GENES
    assert np.allclose(read.X, rows.to_numpy())


@pytest.mark.parametrize("name, content, said", [
    ("x.pkl", b"version https://git-lfs.github.com/spec/v1\noid a\n", "only a pointer of Git LFS"),
    ("x.csv", b"version https://git-lfs.github.com/spec/v1\noid a\n", "only a pointer of Git LFS"),
    ("x.pkl", b"<!DOCTYPE html><title>404</title>", "holds a web page"),
    ("x.txt", b"\xef\xbb\xbf <html>", "holds a web page"),
    ("x.parquet", b"PAR1xx", "x.parquet cannot be read as .parquet .* download it again"),
    ("GenePT_v2.zip", b"PK\x03\x04", r"unsupported format \(.zip\); unpack it and give the file that is in it"),
    ("x.tar", b"x", r"unsupported format \(.tar\); unpack it"),
])
def test_what_stands_in_place_of_the_file_is_said(name, content, said, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=said) as refused:
        embed.read_embedding(tmp_path / name)
    assert name in str(refused.value)
