"""Gene vectors from files of others: keys and numbers, and nothing that runs.

Every reader takes a path and returns the keys as they stand in the file and the vectors,
(n,) str and (n, d) float32.
"""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from genept_utils import extras, pickles


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
        ``.h5ad``; the text formats also as ``.gz``.

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
        An unknown format, vectors of different length, something that is not a number, or one
        key with two vectors.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no embedding at {path}")
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    if suffix.lower() not in READERS:
        raise ValueError(f"{path.name}: no reader for {suffix!r}; known are "
                         + ", ".join(sorted(READERS)))
    keys, vectors = READERS[suffix.lower()](path)
    keys = np.array([str(key) for key in keys], dtype=object)
    try:
        vectors = np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path.name}: a value is not a number ({error})") from None
    if vectors.ndim != 2 or len(vectors) != len(keys) or not vectors.size:
        raise ValueError(f"{path.name}: {len(keys):,} keys with numbers of shape {vectors.shape}; "
                         "one vector of the same length for each key is needed")
    if not np.isfinite(vectors).all():
        raise ValueError(f"{path.name}: the vectors contain NaN or infinite values")
    return _once(keys, vectors, path.name)


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
    except pickles.UnsafePickle as error:
        raise pickles.UnsafePickle(f"{path.name}: {error}") from None
    except Exception as error:  # a broken pickle may raise anything
        raise ValueError(f"{path.name}: the pickle cannot be read ({error})") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path.name}: the pickle holds a {type(found).__name__}, not a dict of "
                         "name -> numbers")
    # A list of Python floats takes eight times the space of an array, and aliases share theirs:
    # each is turned once and let go. No list is made here, so an id stands for one list only.
    arrays = {}
    for key, row in found.items():
        try:
            if id(row) not in arrays:
                arrays[id(row)] = np.asarray(row, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path.name}: a value of {key!r} is not a number "
                             f"({error})") from None
        found[key] = arrays[id(row)]
    return list(found), _stacked(found.values(), path)


def _stacked(rows, path):
    rows = [np.asarray(row, dtype=np.float32).ravel() for row in rows]
    lengths = {len(row) for row in rows}
    if len(lengths) != 1:
        raise ValueError(f"{path.name}: the vectors have {len(lengths)} different lengths")
    return np.stack(rows)


def _words(path):
    head = pd.read_csv(path, sep=r"\s+", header=None, nrows=1, dtype=str, keep_default_na=False)
    table = pd.read_csv(path, sep=r"\s+", header=None, skiprows=int(head.shape[1] == 2),
                        keep_default_na=False, dtype={0: str}, quoting=3)
    return table[0], table.iloc[:, 1:].to_numpy()


def _table(path):
    separator = "\t" if ".tsv" in path.suffixes else ","
    head = pd.read_csv(path, sep=separator, header=None, nrows=1, dtype=str,
                       keep_default_na=False)
    numbers = pd.to_numeric(head.iloc[0, 1:], errors="coerce").notna()
    # a head line of column numbers 0, 1, 2, ... is a head line too
    counting = list(head.iloc[0, 1:]) in ([str(i) for i in range(head.shape[1] - 1)],
                                          [str(i + 1) for i in range(head.shape[1] - 1)])
    header = None if numbers.all() and not counting else 0
    table = pd.read_csv(path, sep=separator, header=header, keep_default_na=False,
                        dtype={0 if header is None else head.iloc[0, 0] or "Unnamed: 0": str})
    return table.iloc[:, 0], table.iloc[:, 1:].to_numpy()


def _parquet(path):
    extras.need("pyarrow")
    table = pd.read_parquet(path)
    other = [c for c in table if not pd.api.types.is_numeric_dtype(table[c])]
    lists = [c for c in other if len(table) and np.ndim(table[c].iloc[0]) == 1]
    names = [c for c in other if c not in lists]
    keys = table[names[0]] if names else table.index
    if lists:
        return keys, _stacked(table[lists[0]], path)
    return keys, table.drop(columns=other).to_numpy()


def _npz(path):
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name] for name in file.files]
    except ValueError:
        raise ValueError(f"{path.name}: the file holds Python objects, which are not read; save "
                         "the names as an array of str") from None
    names = [a for a in arrays if a.ndim == 1 and a.dtype.kind in "US"]
    numbers = [a for a in arrays if a.ndim == 2 and a.dtype.kind in "fiu"]
    if len(names) != 1 or len(numbers) != 1:
        raise ValueError(f"{path.name}: one array of names and one of numbers (names x d) is "
                         "needed")
    return names[0].astype(str), numbers[0]


def _h5ad(path):
    adata = ad.read_h5ad(path)
    return adata.obs_names, adata.X.toarray() if hasattr(adata.X, "toarray") else adata.X


READERS = {".pickle": _pickle, ".pkl": _pickle, ".txt": _words, ".vec": _words, ".csv": _table,
           ".tsv": _table, ".parquet": _parquet, ".npz": _npz, ".h5ad": _h5ad}
