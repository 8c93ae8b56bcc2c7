"""Keys and numbers from tables: text, parquet, arrays of numpy, AnnData."""

import re
import zipfile

import anndata as ad
import numpy as np
import pandas as pd

from genept_utils import compression, optional, untrusted

_NUMBER = r"(?i)[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|[+-]?inf(?:inity)?"


def text(path):
    """Names and numbers of a table as text: commas, tabs, semicolons or blanks between columns,
    with or without a head line, quotes, or the line "rows columns" of word2vec."""
    with open(path, "rb") as file:
        wide = file.read(2) in (b"\xff\xfe", b"\xfe\xff")
    encoding = "utf-16" if wide else "utf-8-sig"
    with open(path, encoding=encoding, errors="replace") as file:
        lines = [line.rstrip("\r\n") for line, _ in zip(file, range(3))]
    separator, decimal = _separator(lines[-1] if lines else "")
    first, second = ([_split(line, separator) for line in lines[:2]] + [[], []])[:2]
    first, second = (words[:-1] if words[-1:] == [""] else words for words in (first, second))
    numbers = all(re.fullmatch(_NUMBER, word.replace(decimal, ".")) for word in first[1:])
    count_line = len(first) == 2 < len(second) and all(word.isdigit() for word in first)
    short = len(second) > 0 and len(first) == len(second) - 1  # R names no column of row names
    counted = [[str(i + start) for i in range(len(first) - 1)] for start in (0, 1)]
    head = count_line or short or not numbers or first[1:] and first[1:] in counted
    quoted = any('"' in line for line in lines)
    table = pd.read_csv(path, sep=separator, header=None, skiprows=int(bool(head)), decimal=decimal,
                        keep_default_na=False, dtype={0: str}, encoding=encoding,
                        quoting=0 if quoted else 3)
    if len(table.columns) > 2 and table.iloc[:, -1].isin(["", np.nan]).all():
        table = table.iloc[:, :-1]  # each line ends with what stands between the columns
    names = None if count_line or not head else first if short else first[1:]
    return table[0], table.iloc[:, 1:].to_numpy(), names


def _separator(line):
    """What stands between the columns and before the decimals: a semicolon or a tab goes with a
    decimal comma where there is one, as spreadsheets write it in much of Europe."""
    if line.count(";") and line.count(";") >= line.count(","):
        return ";", "," if "," in line else "."
    tabs = line.count("\t") > line.count(" ")  # Gene2vec: a tab after the name, then blanks
    numbers = line.partition("\t")[2]
    if tabs and "," in numbers and "." not in numbers:
        return "\t", ","
    return ("\t" if tabs else "," if "," in line else r"\s+"), "."


def _split(line, separator):
    words = line.split() if separator == r"\s+" else line.split(separator)
    return [word.strip().strip('"') for word in words]


def parquet(path):
    optional.need("pyarrow")
    found = pd.read_parquet(path)
    other = [c for c in found if not pd.api.types.is_numeric_dtype(found[c])]
    filled = {c: found[c].dropna() for c in other}
    lists = [c for c in other if len(filled[c]) and np.ndim(filled[c].iloc[0]) == 1]
    names = [c for c in other if c not in lists]
    keys = found[names[0]] if names else found.index
    if lists:
        return keys, list(found[lists[0]]), None
    found = found.drop(columns=other)
    return keys, found.to_numpy(), list(found)


def arrays(path):
    with zipfile.ZipFile(path) as archive:
        compression.check_size(path, sum(member.file_size for member in archive.infolist()))
    with np.load(path, allow_pickle=False) as file:
        try:
            found = [file[name] for name in file.files]
        except ValueError:
            raise compression.Refused(f"{path.name}: the file holds Python objects, which are not "
                                      "read; save the names as an array of str") from None
    names = [a for a in found if a.ndim == 1 and a.dtype.kind in "US"]
    numbers = [a for a in found if a.ndim == 2 and a.dtype.kind in "fiu"]
    if len(names) != 1 or len(numbers) != 1:
        raise compression.Refused(f"{path.name}: one array of names and one of numbers (names x d)"
                                  " is needed")
    return names[0].astype(str), numbers[0], None


def h5ad(path):
    """Vectors of the rows of ``X``; where X is empty, of the one array of ``obsm``."""
    with untrusted.hdf5(path) as file:
        X, obs = file.get("X"), file["obs"]
        for part in X.values() if hasattr(X, "values") else (X,):
            compression.check_size(path, getattr(part, "nbytes", 0))
        if hasattr(obs, "keys"):
            compression.check_size(path, 4 * obs[obs.attrs.get("_index", "_index")].size)
        obs = ad.io.read_elem(obs)  # var says nothing of vectors, and may be old
        X = _dense(ad.io.read_elem(file["X"])) if "X" in file else np.zeros((len(obs), 0))
        columns = _names(file["var"]) if "var" in file else None
        held = {key: file["obsm"][key].shape for key in file.get("obsm", ())
                if hasattr(file["obsm"][key], "shape")}
        if not X.any() and len(held) == 1:
            X, columns = _dense(ad.io.read_elem(file["obsm"][next(iter(held))])), None
    if not X.any():
        raise compression.Refused(
            f"{path.name} has no matrix X with numbers in it; an embedding has genes in rows and "
            f"numbers in X (obsm holds {', '.join(held) or 'nothing'}: put one of them into X)")
    return obs.index, X, columns


def _dense(X):
    untrusted.compressed(X)
    return X.toarray() if hasattr(X, "toarray") else np.asarray(X)


def _names(var):
    index = var.attrs.get("_index", "_index")
    return [str(name) for name in var[index].asstr()[:]] if index in var else None
