"""Files from outside: nothing of them is executed, nothing beyond them is read."""

import gzip
import io
import json
import os
import pickle
import struct
import subprocess
import sys
from types import SimpleNamespace

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import genept_utils as gp
from genept_utils import cells, datasets, embed, genes, paths, pickles, untrusted
from genept_utils.datasets import files, formats, matrix
from genept_utils.cli import match
from genept_utils.embed import backends

GENES = ["TP53", "MDM2", "LYZ", "CD4"]
EMBEDDING = embed.read_embedding()


class Runs:
    """Pickled, it touches a file where it is loaded by the standard unpickler."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch {self.trace}",)


def cells_of(n=6):
    counts = np.random.default_rng(0).poisson(2, (n, len(GENES))).astype(np.float32)
    return ad.AnnData(sp.csr_matrix(counts), obs=pd.DataFrame(
        {"kind": ["a", "b"] * (n // 2)}, index=[f"cell{i}" for i in range(n)]),
        var=pd.DataFrame(index=GENES))


# ---------------------------------------------------------------- pickles

def nested(evil):
    return {"TP53": [1., 2.], "more": {"deep": [({"er": evil},)]}}


def as_key(evil):
    return {(1, evil): [1., 2.]}


def in_an_array(evil):
    return {"TP53": np.array([evil, None], dtype=object)}


def twice(evil):
    return {"TP53": pickle.dumps(evil), "MDM2": evil}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("place", [nested, as_key, in_an_array, twice])
def test_a_pickle_runs_nothing_wherever_it_hides(tmp_path, place, protocol, pack):
    trace, path = tmp_path / "it-ran", tmp_path / "vectors.pkl"
    path.write_bytes(pack(pickle.dumps(place(Runs(trace)), protocol)))
    with pytest.raises(pickles.UnsafePickle, match="nothing was executed"):
        embed.read_embedding(path)
    assert not trace.exists()


TRICKS = {  # what an unpickler can be told to do
    "a reduce of a reduce": b"cbuiltins\ngetattr\n(cbuiltins\n__import__\nVsystem\ntR.",
    "an attribute of an allowed class": b"\x80\x04\x8c\x08builtins\x8c\x0cdict.__class__\x93.",
    "an old name of builtins": b"c__builtin__\neval\n(V1\ntR.",
    "an extension code": b"\x82\x01.",
    "an object from elsewhere": b"Ppersistent\n.",
    "build on a class": b"ccollections\nOrderedDict\n}Vfromkeys\ncposix\nsystem\nsb.",
    "instance": b"(Vtouch x\nios\nsystem\n.",
    "newobj": b"\x80\x02csubprocess\nPopen\n)\x81.",
    "newobj_ex": b"\x80\x04\x8c\x0asubprocess\x8c\x05Popen\x93)}\x92.",
    "code": b"ctypes\nCodeType\n.", "a loader": b"cnumpy\nload\n(Vx\ntR.",
}


@pytest.mark.parametrize("allowed", [pickles.ARRAYS, pickles.FRAMES], ids=["arrays", "frames"])
@pytest.mark.parametrize("trick", TRICKS)
def test_tricks_of_pickles_are_refused(tmp_path, trick, allowed):
    path = tmp_path / "x.pkl"
    path.write_bytes(TRICKS[trick])
    with open(path, "rb") as file, pytest.raises((pickle.UnpicklingError, ValueError)):
        pickles.load(file, allowed)
    with pytest.raises((pickles.UnsafePickle, ValueError)) as caught:
        embed.read_embedding(path)
    assert "\n" not in str(caught.value)


SHARED = np.array(["x" + str(i) for i in range(99)] + [None, [1, 2]], dtype=object)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("found", [
    {"a": [1., 2.5, 3], "b": (1, (2, 3)), "c": list(range(9))}, {"a": [.5] * 5000, "b": {1: None}},
    {"a": np.arange(6.).reshape(2, 3), "b": np.float32(3), "c": np.asfortranarray(np.ones((3, 4)))},
    {"a": np.arange(3, dtype=">f4"), "b": np.array(["ab", "c"]), "c": np.array(3.)},
    {"a": np.empty((0, 3), np.float16), "b": np.array([True, False]), "c": np.array([b"a"])},
    {"a": SHARED, "b": SHARED}, {1: {2, 3}, 2: frozenset([1]), 3: bytearray(b"abc"), 4: 1 + 2j},
], ids=range(7))
def test_what_a_pickle_of_vectors_holds_is_read(found, protocol):
    read = pickles.load(io.BytesIO(pickle.dumps(found, protocol)))
    assert list(read) == list(found)
    for key, value in found.items():
        assert type(read[key]) is type(value)
        if isinstance(value, np.ndarray):
            assert np.array_equal(read[key], value)
            assert read[key].dtype.newbyteorder("=") == value.dtype.newbyteorder("=")
        else:
            assert read[key] == value
    if found.get("b") is SHARED:
        assert read["a"] is read["b"]


def word(text):
    return b"\x8c" + bytes([len(text)]) + text.encode()


def name(module, attribute):
    return word(module) + word(attribute) + b"\x93"


def dtype(kind, state=b""):
    return name("numpy", "dtype") + b"(" + word(kind) + b"\x89\x88tR" + state


POINTERS = b"C\x10" + b"A" * 16
NO_OBJECTS = b"(K\x03" + word("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
FIELDS = (b"(K\x03" + word("|") + b"N(" + word("a") + b"t}" + word("a") + b"(" + dtype("O8")
          + b"K\x00tsK\x08K\x01K\x00tb")
EMPTY = (name("numpy._core.multiarray", "_reconstruct") + b"(" + name("numpy", "ndarray")
         + b"(K\x00tC\x01btR")
COPIES = b"(" + b"".join(b"h\x01h\x00\x85R" for _ in range(2000)) + b"l"
FORGED = {  # of names on the list alone
    "an array over bytes": name("numpy", "ndarray") + b"((K\x02t" + word("O") + POINTERS + b"tR",
    "an array object made anew": name("numpy", "ndarray") + b"(K\x02t\x81",
    "objects that claim to be none": EMPTY + b"(K\x01(K\x02t" + dtype("O8", NO_OBJECTS) + b"\x89"
                                     + POINTERS + b"tb",
    "objects of bytes": EMPTY + b"(K\x01(K\x02t" + dtype("O8") + b"\x89" + POINTERS + b"tb",
    "objects in a buffer": name("numpy._core.numeric", "_frombuffer") + b"(" + POINTERS
                           + dtype("O8") + b"(K\x02t" + word("C") + b"tR",
    "objects in fields": name("numpy._core.numeric", "_frombuffer") + b"(" + POINTERS
                         + dtype("S8", FIELDS) + b"(K\x02t" + word("C") + b"tR",
    "an object of bytes": name("numpy._core.multiarray", "scalar") + b"(" + dtype("O8") + POINTERS
                          + b"tR",
    "an array under another": EMPTY + b"\x94" + b"(K\x01(K\x02t" + dtype("i8") + b"\x89" + POINTERS
                              + b"tbh\x00(K\x01(K\x02t" + dtype("i8") + b"\x89" + POINTERS + b"tb",
    "attributes of a name": name("builtins", "set") + b"N}" + word("update") + b"Ns\x86b",
    "a length that is not there": b"\x8e" + (1 << 50).to_bytes(8, "little") + b"abc",
    "zeros that are not there": b"\x96" + (1 << 50).to_bytes(8, "little") + b"abc",
    "zeros by their number": name("builtins", "bytearray") + b"\x8a\x05"
                             + (1 << 31).to_bytes(5, "little") + b"\x85R",
    "a list of them": name("builtins", "list") + name("builtins", "bytearray") + b"K\x09\x85R\x85R",
    "tuples in tuples": b"})" + b"\x85" * 100_000 + b"K\x01s",
    "lists in lists": b"]" * 100_000 + b"a" * 99_999,
    "lists of the same list": b"]\x94K\x01a" + b"".join(
        b"]\x94(" + bytes([104, i]) * 9 + b"e" for i in range(11)),
    "copies": b"B" + (1 << 18).to_bytes(4, "little") + bytes(1 << 18) + b"\x94"
              + name("builtins", "bytearray") + b"\x94" + COPIES,
}


@pytest.mark.parametrize("trick", FORGED)
def test_an_array_lies_over_no_memory_that_the_pickle_chose(tmp_path, trick):
    path = tmp_path / "x.pkl"
    path.write_bytes(b"\x80\x04" + FORGED[trick] + b".")
    with open(path, "rb") as file, pytest.raises(Exception) as caught:
        pickles.load(file)
    assert not isinstance(caught.value, (MemoryError, AssertionError))
    with pytest.raises(ValueError, match="x.pkl") as caught:
        embed.read_embedding(path)
    assert "\n" not in str(caught.value)


MUTATED = """
import faulthandler, io, pickle, pickletools, resource, sys, warnings
import numpy as np
from genept_utils import pickles
faulthandler.enable()
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
rng = np.random.default_rng(int(sys.argv[1]))
rows = {"TP53": [1., 2.], "MDM2": np.arange(3.), ("a", 1): np.array(["x", None], object),
        "c": np.float32(2), "d": np.asfortranarray(np.ones((2, 2), ">f4")), "e": {1, 2},
        "f": bytearray(b"abc"), "g": frozenset([2]), "h": np.array(["ab", "c"]), "i": 1 + 2j}
seeds = [pickle.dumps(rows, protocol) for protocol in range(6)]
steps = np.frombuffer("".join(step.code for step in pickletools.opcodes).encode("latin1"), "u1")
ends = {"read": 0, "refused": 0}
for _ in range(int(sys.argv[2])):
    content = np.frombuffer(seeds[rng.integers(6)], "u1").copy()
    at = rng.integers(0, len(content), rng.integers(1, 4))
    content[at] = np.where(rng.random(len(at)) < .5, rng.choice(steps, len(at)),
                           rng.integers(0, 256, len(at)))
    if rng.random() < .3:
        content = np.insert(content, rng.integers(len(content)), rng.choice(steps, 4))
    try:
        repr(pickles.load(io.BytesIO(content.tobytes())))
        ends["read"] += 1
    except Exception:
        ends["refused"] += 1
print(ends["read"], ends["refused"])
"""


@pytest.mark.skipif(os.name != "posix", reason="the memory is bounded by POSIX limits")
def test_thousands_of_broken_pickles_end_no_interpreter():
    done = subprocess.run([sys.executable, "-c", MUTATED, "0", "4000"], capture_output=True,
                          text=True, env={**os.environ, "PYTHONPATH": str(paths.ROOT)})
    assert done.returncode == 0, done.stderr[-2000:]
    read, refused = map(int, done.stdout.split())
    assert read + refused == 4000 and min(read, refused) > 100


def test_an_array_of_objects_in_npz_is_not_read(tmp_path):
    trace, path = tmp_path / "it-ran", tmp_path / "vectors.npz"
    np.savez(path, names=np.array(GENES, dtype=object),
             vectors=np.array([Runs(trace)], dtype=object))
    with pytest.raises(ValueError, match="holds Python objects, which are not read"):
        embed.read_embedding(path)
    assert not trace.exists()


# ---------------------------------------------------------------- HDF5

def raw_pickle(path, trace, place):
    content = np.frombuffer(pickle.dumps(Runs(trace)), "u1")
    with h5py.File(path, "r+") as file:
        if place in file:
            del file[place]
        file[place] = np.void(content.tobytes())
        file[place].attrs["encoding-type"] = "pickle"
        file[place].attrs["encoding-version"] = "0.1.0"


@pytest.mark.parametrize("place", ["uns/made", "obs/kind", "obsm/X_pca", "X"])
def test_a_pickle_inside_h5ad_is_never_loaded(tmp_path, place):
    trace, path = tmp_path / "it-ran", tmp_path / "cells.h5ad"
    cells_of().write_h5ad(path)
    raw_pickle(path, trace, place)
    for read in (datasets.read_h5ad, datasets.annotations, embed.read_embedding):
        try:
            read(path)
        except (ValueError, KeyError) as error:
            assert "cells.h5ad" in str(error)
    assert not trace.exists()


def external_link(file, place, other):
    file[place] = h5py.ExternalLink(other, "/secret")


def external_data(file, place, other):
    file.create_dataset(place, shape=(24,), dtype="u1", external=[(other, 0, 24)])


def virtual_data(file, place, other):
    layout = h5py.VirtualLayout(shape=(6, 4), dtype="f4")
    layout[:] = h5py.VirtualSource(other, "secret", shape=(6, 4))
    file.create_virtual_dataset(place, layout)


def soft_to_external(file, place, other):
    file["hidden"] = h5py.ExternalLink(other, "/secret")
    file[place] = h5py.SoftLink("/hidden")


READERS = {"read_cells": lambda path: datasets.read_cells(path, layer="counts"),
           "read_h5ad": datasets.read_h5ad, "annotations": datasets.annotations,
           "embedding": embed.read_embedding,
           "packed embedding": lambda path: embed.read_embedding(packed(path)),
           "block by block": lambda path: by_blocks(path, "counts")}


def packed(path):
    made = path.with_name(f"{path.name}.gz")
    made.write_bytes(gzip.compress(path.read_bytes(), 1))
    return made


def by_blocks(path, layer=None):
    with formats.opened(path) as group:
        return list(matrix.blocks(files.matrix_of(group, path.name, layer), rows=4))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("link", [external_link, external_data, virtual_data, soft_to_external])
def test_nothing_is_read_through_a_link_to_another_file(tmp_path, link, reader):
    path, other = tmp_path / "cells.h5ad", tmp_path / "other.h5"
    cells_of().write_h5ad(path)
    with h5py.File(other, "w") as file:
        file["secret"] = np.full((6, 4), 7, "f4")
    with h5py.File(path, "r+") as file:
        del file["layers"]
        link(file, "layers/counts", str(other))
    with pytest.raises(ValueError, match="cells.h5ad(.gz)?: .*in another file .*other.h5.* not"):
        READERS[reader](path)


@pytest.mark.parametrize("link", [external_link, virtual_data])
def test_an_embedding_in_our_own_form_is_not_read_through_a_link(tmp_path, link):
    path, other = tmp_path / "own.h5ad", tmp_path / "other.h5"
    embed.write_embedding(embed.as_embedding(np.ones((6, 4)), pd.DataFrame(index=list("ABCDEF")),
                                             model="m", text="t"), path)
    with h5py.File(other, "w") as file:
        file["secret"] = np.full((6, 4), 7, "f4")
    with h5py.File(path, "r+") as file:
        attributes = dict(file["X"].attrs)
        del file["X"]
        link(file, "X", str(other))
        if link is virtual_data:
            file["X"].attrs.update(attributes)
    with pytest.raises(ValueError, match="own.h5ad: X lies in another file .*other.h5"):
        embed.read_embedding(path)


def test_links_inside_a_file_are_followed_and_circles_end(tmp_path):
    path = tmp_path / "cells.h5ad"
    cells_of().write_h5ad(path)
    with h5py.File(path, "r+") as file:
        file["layers/counts"] = h5py.SoftLink("/X")
        file["uns/around"] = h5py.SoftLink("/uns")
        file["uns/again"] = file["uns"]
    assert (datasets.read_h5ad(path, layer="counts").X != cells_of().X).nnz == 0
    with pytest.warns(UserWarning, match="cells.h5ad: .*no human gene"):  # ends, and says so
        embed.read_embedding(path)


# ---------------------------------------------------------------- sparse matrices

def put(part, place, value):
    def damage(group):
        stored = group[part][:]
        stored[place] = value
        group[part][:] = stored
    return damage


DAMAGE = {"far beyond": put("indices", 5, 2**31 - 1), "one beyond": put("indices", 5, 6),
          "negative": put("indices", 5, -1), "falling": put("indptr", 3, 1),
          "not from 0": put("indptr", 0, 2), "more than there are": put("indptr", -1, 99)}


def many_cells(adata):
    dask = pytest.importorskip("dask.array")
    adata.X = dask.from_array(adata.X, chunks=(6, 4), asarray=False)
    return adata


def as_raw(adata):
    made = cells_of()
    made.raw = adata
    return made


USES = {  # what is done with an AnnData that a user has read, in memory or backed
    "genept_w": lambda a: gp.genept_w(a, EMBEDDING), "match": genes.match,
    "whitened": lambda a: gp.genept_w(a, EMBEDDING, whitened=True),
    "normalise": cells.normalise, "only_genes": cells.only_genes, "by_symbol": cells.by_symbol,
    "genept_w of Dask": lambda a: gp.genept_w(many_cells(a.to_memory()), EMBEDDING),
    "raw": lambda a: gp.genept_w(as_raw(a.to_memory()), EMBEDDING, raw=True)}


@pytest.mark.parametrize("form", ["csr", "csc"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_sparse_matrix_that_points_beyond_itself_is_read_nowhere(tmp_path, form, damage):
    path, adata = tmp_path / "cells.h5ad", cells_of()
    adata.X = adata.layers["counts"] = adata.X.asformat(form)
    adata.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        DAMAGE[damage](file["X"]), DAMAGE[damage](file["layers/counts"])
    for name, read in READERS.items():
        if name != "annotations":  # they hold no matrix
            with pytest.raises(ValueError, match="damaged|cannot be read"):
                read(path)
    for name, use in USES.items():
        for backed in (None,) if name == "only_genes" else (None, "r"):
            given = ad.read_h5ad(path, backed=backed)
            with pytest.raises(ValueError):  # ours or scipy's
                use(given)
            if backed:
                given.file.close()


# ---------------------------------------------------------------- zarr

@pytest.fixture
def store(tmp_path):
    pytest.importorskip("zarr")
    path = tmp_path / "given" / "cells.zarr"
    cells_of().write_zarr(path)
    return path


ZARR = {"read_cells": datasets.read_cells, "block by block": by_blocks}


@pytest.mark.parametrize("reader", ZARR)
@pytest.mark.parametrize("where", ["filters", "compressor", "consolidated"])
def test_a_zarr_array_that_is_a_pickle_is_refused(store, tmp_path, where, reader):
    trace, array = tmp_path / "it-ran", store / "obs" / "kind" / "categories"
    content = pickle.dumps(np.array([Runs(trace), "b"], dtype=object))
    said = {"zarr_format": 2, "shape": [2], "chunks": [2], "dtype": "|O", "fill_value": None,
            "order": "C", "compressor": None, "filters": None, "dimension_separator": "."}
    said |= {"compressor": {"id": "pickle"}} if where == "compressor" else {
        "filters": [{"id": "pickle"}]}
    for old in list(array.rglob("*"))[::-1]:
        old.unlink() if old.is_file() else old.rmdir()
    (array / "0").write_bytes(content)
    if where == "consolidated":
        (store / ".zmetadata").write_text(json.dumps(
            {"zarr_consolidated_format": 1, "metadata": {"obs/kind/categories/.zarray": said}}))
    else:
        (array / ".zarray").write_text(json.dumps(said))
    with pytest.raises(ValueError, match="codec 'pickle', which may run code"):
        ZARR[reader](store)
    assert not trace.exists()


@pytest.mark.parametrize("reader", ZARR)
@pytest.mark.parametrize("part", ["X", "obs"])
def test_a_zarr_store_is_not_left_by_a_link(store, tmp_path, part, reader):
    other = tmp_path / "other"
    (store / part).rename(other)
    (store / part).symlink_to(other)
    with pytest.raises(ValueError, match="is a link to .*other, outside of"):
        ZARR[reader](store)


@pytest.mark.parametrize("climbs", ["../../other/secret", "..", "/../other/secret"])
def test_a_name_in_a_zarr_store_does_not_climb(store, tmp_path, climbs):
    import zarr

    outer = zarr.open_group(tmp_path / "other", mode="w", zarr_format=2)
    outer.create_array("secret", data=np.array([f"SECRET{i}" for i in range(6)], dtype="U9"))
    for file in (store / "obs").glob("*"):
        if file.name in (".zattrs", "zarr.json"):
            file.write_text(file.read_text().replace('"_index": "_index"',
                                                     f'"_index": "{climbs}"'))
    with pytest.raises(ValueError, match="cells.zarr"):
        assert "SECRET" not in "".join(datasets.read_cells(store).obs_names)
        raise ValueError("cells.zarr was read")
    with pytest.raises((ValueError, KeyError)):
        datasets.read_cells(store, layer=climbs)


def test_a_plain_zarr_store_is_read(store):
    assert (datasets.read_cells(store).X != cells_of().X).nnz == 0


# ---------------------------------------------------------------- folders

def test_a_matrix_of_10x_is_not_a_link_out_of_its_folder(tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    (tmp_path / "other.mtx").write_text("%%MatrixMarket matrix coordinate real general\n1 1 0\n")
    (folder / "features.tsv").write_text("TP53\n"), (folder / "barcodes.tsv").write_text("cell\n")
    (folder / "matrix.mtx").symlink_to(tmp_path / "other.mtx")
    with pytest.raises(ValueError, match="matrix.mtx is a link to .*other.mtx, outside of"):
        datasets.read_cells(folder)


def test_a_folder_of_10x_files_is_not_left_by_a_link(tmp_path):
    import scipy.io

    folder, other = tmp_path / "given", tmp_path / "other.tsv"
    folder.mkdir()
    scipy.io.mmwrite(folder / "matrix.mtx", cells_of().X.T)
    (folder / "barcodes.tsv").write_text("".join(f"cell{i}\n" for i in range(6)))
    other.write_text("".join(f"{gene}\n" for gene in GENES))
    (folder / "features.tsv").symlink_to(other)
    with pytest.raises(ValueError, match="features.tsv is a link to .*other.tsv, outside of"):
        datasets.read_cells(folder)
    (folder / "features.tsv").unlink()
    other.rename(folder / "names.tsv")
    (folder / "features.tsv").symlink_to("names.tsv")  # inside it may lead anywhere
    assert list(datasets.read_cells(folder).var_names) == GENES


def safetensors(path, table):
    """The format by hand: a length, a JSON head, the numbers."""
    head = json.dumps({"bert.embeddings.word_embeddings.weight": {
        "dtype": "F32", "shape": list(table.shape), "data_offsets": [0, table.nbytes]}}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + table.tobytes())


@pytest.mark.parametrize("linked", ["model.safetensors", "token_dictionary_x.pkl"])
def test_a_released_model_is_not_left_by_a_link(tmp_path, linked):
    pytest.importorskip("safetensors")
    folder, other = tmp_path / "given", tmp_path / "other"
    folder.mkdir(), other.mkdir()
    safetensors(folder / "model.safetensors", np.eye(4, dtype=np.float32))
    (folder / "token_dictionary_x.pkl").write_bytes(pickle.dumps({
        "<pad>": 0, "ENSG00000141510": 1, "ENSG00000135679": 2, "ENSG00000090382": 3}))
    (folder / linked).rename(other / linked)
    (folder / linked).symlink_to(other / linked)
    with pytest.raises(ValueError, match=f"{linked} is a link to .*, outside of"):
        embed.read_embedding(folder)


def test_a_snapshot_may_lead_to_the_blobs_of_its_own_repository(tmp_path):
    snapshot = tmp_path / "models--a--b" / "snapshots" / "12"
    blob = tmp_path / "models--a--b" / "blobs" / "34"
    snapshot.mkdir(parents=True), blob.parent.mkdir()
    blob.write_text("numbers"), (tmp_path / "other").write_text("numbers")
    (snapshot / "a").symlink_to(blob), (snapshot / "b").symlink_to(tmp_path / "other")
    assert untrusted.within(snapshot / "a", snapshot).read_text() == "numbers"
    with pytest.raises(ValueError, match="outside of"):
        untrusted.within(snapshot / "b", snapshot)
    (tmp_path / "models--a--b").rename(tmp_path / "own")  # no cache of Hugging Face
    moved = tmp_path / "own" / "snapshots" / "12"
    (moved / "a").unlink(), (moved / "a").symlink_to(tmp_path / "own" / "blobs" / "34")
    with pytest.raises(ValueError, match="outside of"):
        untrusted.within(moved / "a", moved)


@pytest.mark.parametrize("name, content, said", [
    ("custom.py", "open('it-ran', 'w')", "brings code"),
    ("0_Own/more.py", "", "brings code"),
    ("modules.json", '[{"type": "custom.Own", "path": ""}]', "names custom.Own"),
    ("modules.json", '[{"type": "a/b--custom.Own", "path": ""}]', "names a/b--custom.Own"),
])
def test_a_text_model_brings_no_code(tmp_path, name, content, said):
    (tmp_path / "modules.json").write_text(
        '[{"type": "sentence_transformers.models.Transformer", "path": ""}]')
    untrusted.text_model(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=said):
        untrusted.text_model(tmp_path)


def test_a_text_model_is_looked_at_before_it_is_loaded(tmp_path, monkeypatch):
    loads = SimpleNamespace(SentenceTransformer=lambda *given, **named: pytest.fail("loaded"))
    monkeypatch.setattr(backends.optional, "need", lambda name: loads)
    monkeypatch.setenv("GENEPT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "custom.py").write_text("")
    with pytest.raises(ValueError, match="brings code"):
        backends.embed(["a text"], f"st:{tmp_path / 'model'}")


# ---------------------------------------------------------------- what we write

@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1+2", "-2+3", "@SUM(A1)", " =1", "\t=1",
                                  "\uff1d1"])
def test_a_name_is_no_formula_in_the_table_we_write(tmp_path, source, name):
    from genept_utils import __main__, genes

    source(genes.HGNC)
    names, out = tmp_path / "names.txt", tmp_path / "found.csv"
    names.write_text(f"TP53\nMDM2\n{name.strip()}\n")
    assert __main__.main(["match", str(names), "--out", str(out)]) == 0
    found = list(pd.read_csv(out, keep_default_na=False)["name"])
    assert found == ["TP53", "MDM2", f"'{name.strip()}"]
    assert match._as_text(name) == f"'{name}" and match._as_text("HLA-A") == "HLA-A"
