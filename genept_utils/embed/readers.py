"""Gene vectors from files of others: keys and numbers, and nothing that runs.

Every reader takes a path and returns the keys as they stand in the file and the vectors,
(n,) str and (n, d) float32.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from genept_utils import compression, pickles
from genept_utils.embed import tables

SHOWN = 5  # genes that a message names
MUCH_LARGER = 1000  # times the median of the columns' largest numbers
OF_NETWORKS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
OTHERS = {  # endings of files that are often meant for vectors -> what to do
    ".npy": "it has no names: numpy.savez(\"vectors.npz\", names=names, vectors=vectors) keeps "
            "both",
    **dict.fromkeys(compression.ARCHIVES, compression.UNPACK),
    **dict.fromkeys(OF_NETWORKS,
                    "its parts are those of a network: write the gene vectors as .npz, "
                    "numpy.savez(\"vectors.npz\", names=names, vectors=vectors)"),
}


def read(path):
    """Keys and vectors of a file.

    Parameters
    ----------
    path : path-like
        ``.pickle`` / ``.pkl`` (dict of name -> numbers, as GenePT releases them; read through
        an allow-list), ``.txt`` / ``.vec`` (Gene2vec and word2vec text: name and numbers
        between blanks, with or without the line "rows columns"), ``.csv`` / ``.tsv`` (name and
        numbers, with or without a head line), ``.parquet`` (one column or index of names, the
        others numbers, or one column of lists), ``.npz`` (one array of names, one of numbers),
        ``.h5ad``; in small or capital letters, and all of them also packed (``.gz``, ``.bz2``,
        ``.xz``, ``.zip`` with one file).

    Returns
    -------
    keys : numpy.ndarray
        (n,) str, as in the file; a key that stands twice with the same vector is kept once.
    vectors : numpy.ndarray
        (n, d) float32.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    genept_utils.pickles.UnsafePickle
        A pickle with anything but containers and numpy arrays in it.
    ValueError
        A kind of file that is not read, genes without a vector (the message names them), vectors
        of different length, something that is not a number, or one key with two vectors.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the file with the vectors")
    if not path.is_file():
        raise FileNotFoundError(f"there is no embedding at {path}")
    suffix, name = kind(path), path.name
    if suffix not in READERS:
        suffix = suffix or path.suffix.lower()  # of an archive that names nothing within
        raise ValueError(f"{name} has an unsupported format ({suffix or 'no ending'}); "
                         + OTHERS.get(suffix, "write pandas.DataFrame(vectors, names).to_csv(FILE)")
                         + "; read are " + ", ".join(sorted(READERS)))
    try:
        with compression.unpacked(path) as part:
            with open(part, "rb") as file:
                head = file.read(200)
            if not head or (other := compression.instead(head)):
                raise compression.Refused(f"{name} {other if head else 'is empty; copy it again'}")
            keys, vectors, columns = READERS[suffix](part)
    except compression.Refused as error:
        said = str(error).removeprefix(f"{compression.inner_name(path)}: ")
        raise type(error)(said if name in said else f"{name}: {said}") from None
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # a file of others may make a library raise anything
        said = " ".join(str(error).split())[:160]
        raise ValueError(f"{name} cannot be read as {suffix} ({said}); it is broken or not "
                         "complete, so copy or download it again") from None
    keys = np.array([str(key) for key in keys], dtype=object)
    vectors = (_stacked if isinstance(vectors, list) else _numbers)(keys, vectors, name)
    if vectors.ndim != 2 or len(vectors) != len(keys) or not vectors.size:
        raise ValueError(f"{name}: {len(keys):,} keys with numbers of shape {vectors.shape}; "
                         "one vector of the same length for each key is needed")
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        raise ValueError(f"{name}: {_listed(keys[bad], len(keys))} NaN or infinite values in "
                         "the vector; leave them out of the file")
    vectors = _only_dimensions(vectors, columns, name)
    empty = ~vectors.any(axis=1)
    if empty.all():
        raise ValueError(f"{name}: all vectors are zeros")
    if empty.any():
        warnings.warn(f"{name}: {_listed(keys[empty], len(keys))} a vector of zeros, which is no "
                      "vector; left out", stacklevel=4)
    return _once(keys[~empty], vectors[~empty], name)


def _only_dimensions(vectors, columns, name):
    """The vectors without columns that hold something else: whole numbers (ids, counts, places)
    among fractions, or numbers a thousand times as large as the others'."""
    filled = vectors.any(axis=0)
    whole = filled & (vectors == np.rint(vectors)).all(axis=0)
    size = np.abs(vectors).max(axis=0)
    odd = size > MUCH_LARGER * max(np.median(size[filled]), 1e-30) if filled.any() else ~filled
    if whole.sum() * 2 < filled.sum():
        odd |= whole
    if not odd.any():
        return vectors
    columns = columns or [f"column {i + 2}" for i in range(len(odd))]
    left_out = [str(column) for column, out in zip(columns, odd) if out]
    warnings.warn(f"{name}: {len(left_out):,} of {len(odd):,} columns hold ids, counts or other "
                  f"numbers ({', '.join(left_out[:SHOWN])}); they are left out", stacklevel=4)
    return vectors[:, ~odd]


def kind(path):
    """The ending that tells how a file is read, in small letters and without that of a packer."""
    return Path(compression.inner_name(path)).suffix.lower()


def _listed(keys, n):
    """`3 of 200 genes (A, B, C) have`."""
    more = f" and {len(keys) - SHOWN:,} more" if len(keys) > SHOWN else ""
    have = "has" if len(keys) == 1 else "have"
    return f"{len(keys):,} of {n:,} genes ({', '.join(map(repr, keys[:SHOWN]))}{more}) {have}"


def _numbers(keys, table, name):
    """A table as (n, d) float32."""
    try:
        return np.asarray(table, dtype=np.float32)
    except (TypeError, ValueError) as error:
        empty = pd.DataFrame(table, dtype=object).replace("", None).isna().any(axis=1).to_numpy()
        if empty.any():
            raise ValueError(f"{name}: {_listed(keys[empty], len(keys))} a value that is not a "
                             "number but empty; leave them out of the file") from None
        raise ValueError(f"{name}: a value is not a number ({error})") from None


def _stacked(keys, rows, name):
    """Rows of their own as (n, d) float32.

    A list of Python floats takes eight times the space of an array, and aliases share theirs:
    each is turned once and let go.
    """
    arrays = {}
    for i, (key, row) in enumerate(zip(keys, rows)):
        if id(row) not in arrays:
            arrays[id(row)] = _row(key, row, name)
        rows[i] = arrays[id(row)]
    lengths = np.array([len(row) for row in rows])
    usual = pd.Series(lengths[lengths > 0]).mode().min()
    if (lengths != usual).any():
        least = lengths[lengths != usual].min()  # 0 for None and for an empty list
        raise ValueError(f"{name}: {_listed(keys[lengths == least], len(keys))} " + (
            f"{least} numbers, the others {usual}" if least else "no vector; leave them out"))
    return np.stack(rows) if rows else np.empty((0, 0), np.float32)


def _row(key, row, name):
    try:
        row = np.asarray([] if row is None else row, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {key!r}: a value is not a number ({error})") from None
    if row.ndim > 1 and row.size != max(row.shape):
        raise ValueError(f"{name}: {key!r}: {' x '.join(map(str, row.shape))} numbers, as of "
                         "several tokens; write their mean over the tokens")
    return row.ravel() if row.ndim or np.isfinite(row) else row.ravel()[:0]


def _once(keys, vectors, name):
    first = {}
    place = np.array([first.setdefault(key, i) for i, key in enumerate(keys)])
    again = np.flatnonzero(place != np.arange(len(keys)))
    other = again[(vectors[again] != vectors[place[again]]).any(axis=1)]
    if len(other):
        raise ValueError(f"{name}: the key {keys[other[0]]!r} stands twice with different vectors")
    return np.delete(keys, again), np.delete(vectors, again, axis=0)


def _pickle(path):
    with open(path, "rb") as file:
        found = pickles.load(file)
    if not isinstance(found, dict):
        raise compression.Refused(f"the pickle holds a {type(found).__name__}, not a dict of "
                                  "name -> numbers")
    return list(found), list(found.values()), None


READERS = {".pickle": _pickle, ".pkl": _pickle,
           **dict.fromkeys([".txt", ".vec", ".csv", ".tsv"], tables.text), ".parquet": tables.parquet,
           ".npz": tables.arrays, ".h5ad": tables.h5ad}
