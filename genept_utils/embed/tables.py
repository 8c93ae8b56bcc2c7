"""Keys and numbers from tables: text, parquet, arrays of numpy, AnnData."""

import zipfile

import anndata as ad
import numpy as np
import pandas as pd

from genept_utils import extras, outside, packed

_NUMBER = r"(?i)[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|[+-]?inf(?:inity)?"


def words(path):
    first, second = ([*_fields(path), [], []])[:2]
    # "rows columns" of word2vec, or the head line of a table
    head = len(first) == 2 or len(second) > 0 and (
        len(first) != len(second) or _counting(first[1:])
        or not pd.Series(first[1:]).str.fullmatch(_NUMBER).all())
    table = pd.read_csv(path, sep=r"\s+", header=None, skiprows=int(head),
                        keep_default_na=False, dtype={0: str}, quoting=3)
    return table[0], table.iloc[:, 1:].to_numpy()


def _fields(path):
    """The words of the first two lines."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return [line.split() for line, _ in zip(file, range(2))]


def _counting(words):
    """Column numbers 0, 1, 2, ... or 1, 2, 3, ...: a head line, too."""
    return words in ([str(i) for i in range(len(words))], [str(i + 1) for i in range(len(words))])


def table(path):
    separator, decimal = _marks(path)
    head = pd.read_csv(path, sep=separator, header=None, nrows=1, dtype=str,
                       keep_default_na=False)
    first = head.iloc[0, 1:].str.replace(decimal, ".", regex=False)
    numbers = pd.to_numeric(first, errors="coerce").notna()
    header = None if numbers.all() and not _counting(list(head.iloc[0, 1:])) else 0
    found = pd.read_csv(path, sep=separator, header=header, keep_default_na=False, decimal=decimal,
                        dtype={0 if header is None else head.iloc[0, 0] or "Unnamed: 0": str})
    return found.iloc[:, 0], found.iloc[:, 1:].to_numpy()


def _marks(path):
    """What stands between the columns of a table and before the decimals: a semicolon goes with
    a decimal comma where there is one, as spreadsheets write it in much of Europe."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line for line, _ in zip(file, range(3))]
    last = lines[-1] if lines else ""
    if last.count(";") and last.count(";") >= last.count(","):
        return ";", "," if "," in last else "."
    return ("\t" if path.suffix.lower() == ".tsv" else ","), "."


def parquet(path):
    extras.need("pyarrow")
    try:
        found = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"it cannot be read as parquet ({str(error)[:120]}); it is broken or not "
                         "complete, so copy or download it again") from None
    other = [c for c in found if not pd.api.types.is_numeric_dtype(found[c])]
    filled = {c: found[c].dropna() for c in other}
    lists = [c for c in other if len(filled[c]) and np.ndim(filled[c].iloc[0]) == 1]
    names = [c for c in other if c not in lists]
    keys = found[names[0]] if names else found.index
    if lists:
        return keys, list(found[lists[0]])
    return keys, found.drop(columns=other).to_numpy()


def arrays(path):
    try:
        with zipfile.ZipFile(path) as archive:
            packed.check_size(path, sum(member.file_size for member in archive.infolist()))
        with np.load(path, allow_pickle=False) as file:
            found = [file[name] for name in file.files]
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path.name} cannot be read ({error}); it is broken or not complete, so "
                         "copy or download it again") from None
    except ValueError as error:
        if "times its size" in str(error):
            raise
        raise ValueError(f"{path.name}: the file holds Python objects, which are not read; save "
                         "the names as an array of str") from None
    names = [a for a in found if a.ndim == 1 and a.dtype.kind in "US"]
    numbers = [a for a in found if a.ndim == 2 and a.dtype.kind in "fiu"]
    if len(names) != 1 or len(numbers) != 1:
        raise ValueError(f"{path.name}: one array of names and one of numbers (names x d) is "
                         "needed")
    return names[0].astype(str), numbers[0]


def h5ad(path):
    try:
        with outside.hdf5(path):
            adata = ad.read_h5ad(path)
    except MemoryError:
        raise
    except Exception as error:  # a file of others may make a library raise anything
        if "lies in another file" in str(error):
            raise
        raise ValueError(f"{path.name} cannot be read as .h5ad ({str(error)[:160]}); it is broken "
                         "or not complete, so copy or download it again") from None
    if adata.X is None:
        raise ValueError(f"{path.name} has no matrix X; an embedding has genes in rows and numbers "
                         "in X")
    return adata.obs_names, adata.X.toarray() if hasattr(adata.X, "toarray") else adata.X
