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
    suffix = kind(path)
    if suffix not in READERS:
        suffix = suffix or path.suffix.lower()  # of an archive that names nothing within
        raise ValueError(f"{path.name} has an unsupported format ({suffix or 'no ending'}); "
                         + OTHERS.get(suffix, "a table is written with pandas.DataFrame(vectors, "
                                              "index=names).to_csv(\"vectors.csv\")")
                         + "; read are " + ", ".join(sorted(READERS)))
    try:
        with compression.unpacked(path) as part:
            if not part.stat().st_size:
                raise ValueError("it is empty; copy or download it again")
            with open(part, "rb") as file:
                if other := compression.instead(file.read(200)):
                    raise ValueError(f"{path.name} {other}")
            keys, vectors, columns = READERS[suffix](part)
    except (ValueError, pickles.UnsafePickle) as error:  # pandas' own errors are among them
        said = str(error).removeprefix(f"{compression.inner_name(path)}: ")
        named = said if path.name in said else f"{path.name}: {said}"
        raise type(error)(named) if isinstance(error, pickles.UnsafePickle) else (
            ValueError(named)) from None
    keys = np.array([str(key) for key in keys], dtype=object)
    vectors = _numbers(keys, vectors, path.name)
    if vectors.ndim != 2 or len(vectors) != len(keys) or not vectors.size:
        raise ValueError(f"{path.name}: {len(keys):,} keys with numbers of shape {vectors.shape}; "
                         "one vector of the same length for each key is needed")
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        raise ValueError(f"{path.name}: {_listed(keys[bad], len(keys))} NaN or infinite values in "
                         "the vector; leave them out of the file")
    return _once(*_filled(keys, _only_dimensions(vectors, columns, path.name), path.name),
                 path.name)


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
                  f"numbers and no part of a vector ({', '.join(left_out[:SHOWN])}); they are "
                  "left out", stacklevel=5)
    return vectors[:, ~odd]


def _filled(keys, vectors, name):
    """Keys and vectors without vectors of zeros, which are none."""
    empty = ~vectors.any(axis=1)
    if empty.all():
        raise ValueError(f"{name}: all vectors are zeros")
    if empty.any():
        warnings.warn(f"{name}: {_listed(keys[empty], len(keys))} a vector of zeros, which is no "
                      "vector; left out", stacklevel=5)
    return keys[~empty], vectors[~empty]


def kind(path):
    """The ending that tells how a file is read, in small letters and without that of a packer."""
    return Path(compression.inner_name(path)).suffix.lower()


def _listed(keys, n):
    """`3 of 200 genes (A, B, C) have`."""
    more = f" and {len(keys) - SHOWN:,} more" if len(keys) > SHOWN else ""
    have = "has" if len(keys) == 1 else "have"
    return f"{len(keys):,} of {n:,} genes ({', '.join(map(repr, keys[:SHOWN]))}{more}) {have}"


def _numbers(keys, vectors, name):
    """Vectors as (n, d) float32, from a table or from rows of their own."""
    if isinstance(vectors, list):
        none = np.array([row is None or not np.size(row) or np.ndim(row) == 0 and row != row
                         for row in vectors])
        if none.any():
            raise ValueError(f"{name}: {_listed(keys[none], len(keys))} no vector (None, empty or "
                             "NaN); leave them out of the file")
        rows = [_row(key, row, name) for key, row in zip(keys, vectors)]
        lengths = pd.Series([len(row) for row in rows])
        usual = lengths.mode()[0] if len(lengths) else 0
        if (lengths != usual).any():
            odd = (lengths != usual).to_numpy()
            raise ValueError(f"{name}: the vectors have {lengths.nunique()} different lengths; "
                             f"{_listed(keys[odd], len(keys))} {lengths[odd].iloc[0]} numbers, the "
                             f"others {usual}")
        return np.stack(rows) if rows else np.empty((0, 0), np.float32)
    try:
        return np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        table = pd.DataFrame(vectors, dtype=object).replace("", None)
        empty = table.isna().any(axis=1).to_numpy()
        if empty.any():
            raise ValueError(f"{name}: {_listed(keys[empty], len(keys))} a value that is not a "
                             "number but empty; leave them out of the file") from None
        raise ValueError(f"{name}: a value is not a number ({error})") from None


def _row(key, row, name):
    try:
        row = np.asarray(row, dtype=np.float32)
        if row.ndim > 1 and row.size != max(row.shape):
            shape = " x ".join(map(str, row.shape))
            raise ValueError(f"{shape} numbers, as of several tokens; write their mean over the "
                             "tokens")
        return row.ravel()
    except (TypeError, ValueError) as error:
        why = str(error) if "tokens" in str(error) else f"a value is not a number ({error})"
        raise ValueError(f"{name}: {key!r}: {why}") from None


def _once(keys, vectors, name):
    first = pd.Series(np.arange(len(keys)), keys).groupby(level=0).transform("first").to_numpy()
    again = np.flatnonzero(first != np.arange(len(keys)))
    if (vectors[again] != vectors[first[again]]).any():
        other = again[(vectors[again] != vectors[first[again]]).any(axis=1)][0]
        raise ValueError(f"{name}: the key {keys[other]!r} stands twice with different vectors")
    keep = first == np.arange(len(keys))
    return keys[keep], vectors[keep]


def _pickle(path):
    try:
        with open(path, "rb") as file:
            found = pickles.load(file)
    except pickles.UnsafePickle:
        raise
    except Exception as error:  # a broken pickle may raise anything
        raise ValueError(f"the pickle cannot be read ({error})") from None
    if not isinstance(found, dict):
        raise ValueError(f"the pickle holds a {type(found).__name__}, not a dict of "
                         "name -> numbers")
    # A list of Python floats takes eight times the space of an array, and aliases share theirs:
    # each is turned once and let go. No list is made here, so an id stands for one list only.
    arrays = {}
    for key, row in found.items():
        if row is None:
            continue
        if id(row) not in arrays:
            try:
                arrays[id(row)] = np.asarray(row, dtype=np.float32)
            except (TypeError, ValueError) as error:
                raise ValueError(f"a value of {key!r} is not a number ({error})") from None
        found[key] = arrays[id(row)]
    return list(found), list(found.values()), None


READERS = {".pickle": _pickle, ".pkl": _pickle,
           **dict.fromkeys([".txt", ".vec", ".csv", ".tsv"], tables.text), ".parquet": tables.parquet,
           ".npz": tables.arrays, ".h5ad": tables.h5ad}
