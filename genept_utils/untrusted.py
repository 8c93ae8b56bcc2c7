"""Checks of untrusted files: no link out of them is followed, no code in them runs.

HDF5 knows links and datasets that lie in another file, a folder may hold symbolic links that lead
out of it, a zarr array names the codecs that decode it, among them one that is Python's pickle,
and a folder of a text model may name classes that are code of its own.
"""

import contextlib
import functools
import json
import os
from pathlib import Path

from genept_utils.compression import Refused

CODECS = {  # of zarr: those that only turn bytes into numbers or strings
    "adler32", "astype", "base64", "bitround", "blosc", "bytes", "bz2", "categorize", "crc32",
    "crc32c", "delta", "endian", "fixedscaleoffset", "fletcher32", "gzip", "jenkins_lookup3",
    "json2", "lz4", "lzma", "msgpack2", "packbits", "pcodec", "quantize", "sharding_indexed",
    "shuffle", "transpose", "vlen-array", "vlen-bytes", "vlen-utf8", "zfpy", "zlib", "zstd"}
METADATA = {".zarray", ".zmetadata", "zarr.json"}


@contextlib.contextmanager
def hdf5(path):
    """An HDF5 file opened for reading, once nothing in it leads to another file.

    Raises
    ------
    OSError
        It is no HDF5 file.
    ValueError
        A link or a dataset lies in another file; the message names it.
    """
    import h5py

    path = Path(path)
    with h5py.File(path) as file:
        no_other_file(file, path.name)
        yield file


def no_other_file(file, name):
    """Check that nothing in an open HDF5 file leads to another one; errors as :func:`hdf5`."""
    import h5py

    # what a visitor returns ends the visit; an error in it would end h5py
    def link(place, found):
        return (place, found.filename) if isinstance(found, h5py.ExternalLink) else None

    def dataset(place, found):
        if not isinstance(found, h5py.Dataset):
            return None
        virtual = found.virtual_sources() if found.is_virtual else ()
        others = [*(part[0] for part in found.external or ()),
                  *(part.file_name for part in virtual if part.file_name != ".")]
        return (place, others[0]) if others else None

    if leads := file.visititems_links(link) or file.visititems(dataset):
        place, other = leads
        raise Refused(f"{name}: {place} lies in another file ({other}), which is not read; write "
                      "one file that holds everything where the data were made")


def compressed(X):
    """Check that a sparse matrix, in memory or in an open file, points to its own values only.

    scipy trusts these numbers; wrong ones make it read and write anywhere in memory. Of a matrix
    in a file only the starts of its rows are read; a block of it is checked once it is read.

    Raises
    ------
    ValueError
        Starts of rows that fall, or columns that the matrix does not have.
    """
    if getattr(X, "format", "") not in ("csr", "csc"):
        return
    import numpy as np

    stored, (rows, columns) = getattr(X, "group", None), X.shape[::1 if X.format == "csr" else -1]
    starts, *counts = (getattr(X, part) if stored is None else stored[part]
                       for part in ("indptr", "indices", "data"))
    right = starts.shape[0] == rows + 1
    starts = starts[:] if right else starts
    right = right and starts[0] == 0 and (np.diff(starts) >= 0).all() and (
        starts[-1] <= min(part.shape[0] for part in counts))
    if right and stored is None and starts[-1]:
        used = X.indices[:starts[-1]]
        right = used.min() >= 0 and used.max() < columns
    if not right:
        raise Refused(f"the sparse matrix of {X.shape[0]:,} x {X.shape[1]:,} is damaged: it "
                         "points beyond its values or columns; copy or download it again")


def within(path, folder):
    """The path, once it is known that no link on it leads out of the folder.

    A snapshot of Hugging Face's cache may lead to the blobs of its own repository.

    Raises
    ------
    ValueError
        It does; the message names the link and its target.
    """
    root, real = Path(folder).resolve(), Path(path).resolve()
    if root.parent.name == "snapshots" and root.parents[1].name.startswith("models--"):
        root = root.parents[1]
    if not real.is_relative_to(root):
        raise Refused(f"{path} is a link to {real}, outside of {root}, and is not followed; "
                         "put the file itself there, or give the folder it lies in")
    return path


def read_json(path):
    """What a JSON file holds; ValueError where it is broken."""
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise Refused(f"{path} is no JSON; copy it again") from None


def zarr_store(path):
    """Check a zarr store before it is opened: links and codecs.

    Raises
    ------
    ValueError
        A link leads out of the folder, or an array asks for a codec that may run code.
    """
    _zarr_store(Path(path).resolve(), Path(path).stat().st_mtime_ns)


@functools.lru_cache
def _zarr_store(root, _):
    for path in _files(root):
        if path.name in METADATA:
            for codec in _codecs(read_json(path)):
                if codec.removeprefix("numcodecs.") not in CODECS:
                    raise Refused(f"{root.name}: {path.relative_to(root)} asks for the codec "
                                  f"{codec!r}, which may run code; the store is not read")


def text_model(path):
    """Check a folder of a sentence-transformers model: no code of its own, no way out.

    Raises
    ------
    ValueError
        A link leads out of the folder, or it brings or names code.
    """
    root = Path(path).resolve()
    for file in _files(root):
        if file.suffix == ".py":
            raise Refused(f"{path} brings code ({file.relative_to(root)}), which would run; embed "
                          "the texts elsewhere and give the vectors as a file")
        if file.name == "modules.json":
            for module in read_json(file):
                kind = str(module.get("type"))
                if not kind.startswith("sentence_transformers."):
                    raise Refused(f"{path}: modules.json names {kind}, which is no part of "
                                  "sentence_transformers and would run; it is not loaded")


def _files(root):
    for place, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(place, name)
            if path.is_symlink():
                within(path, root)
            if name in files:
                yield path


def _codecs(said, inside=False):
    """Names of all codecs in the metadata of an array or of a whole store."""
    if isinstance(said, list):
        for part in said:
            yield from _codecs(part, inside)
    elif isinstance(said, dict):
        if inside and (name := said.get("id", said.get("name"))) is not None:
            yield str(name)
        for key, part in said.items():
            if key != "attributes" and not key.endswith(".zattrs"):  # they are the user's own
                yield from _codecs(part, key in ("filters", "compressor", "codecs", "index_codecs"))
    elif isinstance(said, str) and inside:
        yield said
