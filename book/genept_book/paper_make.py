"""The paper's sets from the files at their addresses: one reader for each form."""

import re
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import datasets, sources, untrusted
from genept_utils.datasets.files import matrix_of

LABELS = "cells/aorta_labels.csv"
SHARE, SEED = .2, 0  # of the cells of the aorta; SEED is the default of scanpy.pp.subsample
# Cell 3 of the authors' aorta notebook; their affected_1 is taken to be ATAA1, and so on.
PHENOTYPES = ["only", "only", "w/ root", "only", "w/ root", "to descending", "w/ root", "w/ root"]
LEFT_OUT = {"b cell", "t cell", "oligodendrocyte b"}  # of E-HCAD-35; the prepared file has none
LINES = 1 << 21  # of a matrix in text that are read at a time
OBS = ("donor_id", "disease", "cell_type", "author_cell_type", "sex", "self_reported_ethnicity")


def check(row, what, cells=None, genes=None, obs=None):
    """Refuse what does not hold what is known of it; an empty cell of the table is not known.

    Raises
    ------
    ValueError
        Other cells, genes or types, or no such column; the message has both sides.
    """
    facts = {"cells": cells, "genes": genes}
    if obs is not None and row["label"]:
        if row["label"] not in obs:
            raise ValueError(f"{what} has no column {row['label']!r}; its columns are "
                             f"{', '.join(map(str, obs.columns)) or 'none'}")
        facts["types"] = obs[row["label"]].nunique()
    wrong = [f"{n:,} {name} and not {int(row[name]):,}" for name, n in facts.items()
             if n is not None and row[name] and int(row[name]) != n]
    if wrong:
        raise ValueError(f"{what} holds {', '.join(wrong)}, so it is not the paper's")


def one(rows, got, out, cells):
    """A file as it lies there."""
    obs, genes = datasets.annotations(got[0])
    check(rows[0], "what was fetched", len(obs), genes, obs)
    shutil.copyfile(got[0], out)


def several(rows, got, out, cells):
    """Files of the same genes, one after the other; ``part`` says which file a cell is from."""
    read = {}
    for row, path in zip(rows, got):
        read[row["inner"]] = adata = datasets.read_cells(path)
        check(row, row["inner"], *adata.shape, adata.obs)
    ad.concat(read, label="part", index_unique="-", merge="same").write_h5ad(out)


def read_table(path):
    """Counts from a table of genes x cells as R writes it: the header names the cells.

    Returns
    -------
    anndata.AnnData
        (n_cells, n_genes), CSR; never more than 500 genes of it are dense.
    """
    parts, genes = [], []
    try:
        for frame in pd.read_csv(path, sep=r"\s+", chunksize=500):
            if isinstance(frame.index, pd.RangeIndex):  # the header names the column of genes too
                frame = frame.set_index(frame.columns[0])
            parts.append(sp.csr_matrix(frame.to_numpy(dtype=np.float32)))
            genes, cells = [*genes, *frame.index.astype(str)], frame.columns
        X = sp.vstack(parts).T.tocsr()
    except (ValueError, EOFError, OSError):
        raise ValueError(f"{Path(path).name} is no table of counts, or is broken") from None
    adata = ad.AnnData(X, obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=genes))
    adata.var_names_make_unique()
    return adata


def subsample(n):
    """The cells that ``scanpy.pp.subsample(adata, fraction=.2)`` draws of n with its defaults."""
    return np.random.RandomState(SEED).choice(n, int(SHARE * n), replace=False)


def key(name, sample):
    """A cell by its barcode and the number of its sample."""
    barcode = re.search("[ACGTN]{8,}", name)
    return f"{barcode[0] if barcode else name}_{sample}"


def aorta(rows, got, out, cells):
    """Tables of one sample each, labels joined by name, and the sample of the paper's size.

    Which cells the authors drew is not known; scanpy's default seed is a guess.
    """
    labels = pd.read_csv(sources.fetch(LABELS), index_col=0)
    labels.index = [key(name, name.rpartition("_")[2]) for name in labels.index]
    check(rows[0], LABELS, obs=labels)
    sizes = [int(row["cells"]) for row in rows]
    drawn, starts = subsample(sum(sizes)), np.cumsum([0, *sizes])
    parts, order, known = [], [], set()
    for n, (row, path) in enumerate(zip(rows, got)):
        adata = read_table(path)
        check(row, path.name, adata.n_obs)
        adata.obs_names = [key(name, n + 1) for name in adata.obs_names]
        known |= set(adata.obs_names)
        mine = drawn[(drawn >= starts[n]) & (drawn < starts[n + 1])]
        order.append(mine)
        parts.append(adata[mine - starts[n]].copy())
    if lost := len(set(labels.index) - known):
        raise ValueError(f"{lost:,} of {len(labels):,} labels have no cell in the tables, so that "
                         "the two do not belong together")
    adata = ad.concat(parts, join="outer", fill_value=0)
    adata = adata[pd.Index(np.concatenate(order)).get_indexer(drawn)].copy()
    adata.obs = labels.reindex(adata.obs_names)
    names = {f"ATAA{n}": f"Ascending {word}" for n, word in enumerate(PHENOTYPES, 1)}
    adata.obs["phenotype"] = adata.obs["orig.ident"].map(names).fillna("Control").where(
        adata.obs["orig.ident"].notna())
    print(f"aorta: {adata.n_obs:,} cells drawn, {adata.obs['celltype'].isna().sum()} of them "
          "without a label (the authors' sample has 10 to 14)")
    adata.write_h5ad(out)


def write_cells(path, genes, cells, obs, out):
    """Write the cells of ``obs`` from a Matrix Market file of genes x cells to an h5ad file.

    In memory are the values of these cells and a part of the file's lines.

    Parameters
    ----------
    path : pathlib.Path
    genes : pandas.DataFrame
        (n_genes, k), the ``var`` of the output.
    cells : sequence of str
        (n_cells,) names of all cells of the file.
    obs : pandas.DataFrame
        (n_chosen, k) by name, in the order of the file.
    out : pathlib.Path

    Raises
    ------
    ValueError
        It is no such file, is broken, or has other genes and cells than are named.
    """
    place, values, size = obs.index.get_indexer(cells), 0, None
    X = sp.csr_matrix((len(obs), len(genes)), dtype=np.float32)
    try:
        for table in pd.read_csv(path, sep=r"\s+", comment="%", header=None, chunksize=LINES,
                                 names=["gene", "cell", "value"],
                                 dtype={"gene": "i4", "cell": "i4"}):
            if size is None:  # its first line: genes, cells and values
                size, table = [int(n) for n in table.iloc[0]], table.iloc[1:]
            values += len(table)
            row = place[table["cell"] - 1]
            kept = row >= 0
            X = X + sp.csr_matrix((table["value"][kept].astype(np.float32),
                                   (row[kept], table["gene"][kept] - 1)), X.shape)
        if size != [len(genes), len(cells), values]:
            raise ValueError
    except (ValueError, EOFError, IndexError, zlib.error, OSError) as error:
        raise ValueError(f"{path.name} is no matrix of {len(genes):,} genes x {len(cells):,} "
                         "cells, or is broken") from error
    ad.AnnData(X, obs=obs.rename_axis("cell"), var=genes).write_h5ad(out)


def _names(path):
    return pd.read_csv(path, sep="\t", header=None, dtype=str)


def atlas(rows, got, out, cells):
    """A matrix of the Single Cell Expression Atlas with its design, without healthy donors."""
    matrix, genes, names, design = *got[:3], pd.read_csv(got[3], sep="\t", index_col=0, dtype=str)
    label, ill = rows[0]["label"], "Sample Characteristic[disease]"
    check({**rows[0], "types": ""}, "the design", obs=design)
    kept = design[label].notna() & ~design[label].str.lower().isin(LEFT_OUT)
    if ill in design:
        kept &= design[ill].str.lower() == "multiple sclerosis"
    names = pd.Index(_names(names)[0])
    obs = design.loc[names[names.isin(design.index[kept])]]
    genes = pd.DataFrame(index=_names(genes)[0].to_numpy())
    check(rows[0], "the matrix with its design", *obs.shape[:1], len(genes), obs)
    write_cells(matrix, genes, names, obs, out)


def artery(rows, got, out, cells):
    """A sample of the cells of a 10x folder in a tar; the barcode's suffix is the sample."""
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        names, genes, matrix = untarred(got[0], folder, (
            "barcodes.tsv", "features.tsv", "matrix.mtx"))
        names, genes = _names(names)[0], _names(genes)
        check(rows[0], "the matrix", len(names), len(genes))
        drawn = np.sort(np.random.default_rng(SEED).permutation(len(names))[:cells])
        sample = names.str.rpartition("-")[2].iloc[drawn]
        obs = pd.DataFrame({"sample": pd.Categorical(sample)}, index=names.iloc[drawn])
        genes = pd.DataFrame({"symbol": genes[1].to_numpy()}, index=genes[0].to_numpy())
        write_cells(matrix, genes, names, obs, out)
    print(f"artery: {len(obs):,} of {len(names):,} cells drawn, of {sample.nunique()} samples; "
          "labels of their types are known nowhere, so only their samples are used")


def untarred(path, folder, names):
    """Paths in ``folder`` of the members of a tar that are called so, packed or not."""
    try:
        with tarfile.open(path) as archive:
            archive.extractall(folder, [one for one in archive if one.isfile() and Path(
                one.name).name.removesuffix(".gz") in names], filter="data")
    except (tarfile.TarError, EOFError, zlib.error):
        raise ValueError(f"{path.name} is no tar, or is broken") from None
    found = {name: [*Path(folder).rglob(name), *Path(folder).rglob(f"{name}.gz")]
             for name in names}
    for name, there in found.items():
        if len(there) != 1:
            raise ValueError(f"the tar holds {len(there) or 'no'} {name}")
    return [there[0] for there in found.values()]


def part(rows, got, out, cells):
    """About ``cells`` cells of an open h5ad file: a run of neighbouring rows from each donor."""
    with h5py.File(got[0]) as group:
        untrusted.no_other_file(group, "the file")
        table = pd.DataFrame({name: ad.io.read_elem(group["obs"][name]) for name in OBS
                              if name in group["obs"]})
        check(rows[0], "the file", len(table), obs=table)
        (donors, names), random = pd.factorize(table["donor_id"]), np.random.default_rng(0)
        length = max(1, cells // len(names))
        firsts = [random.choice(np.flatnonzero(donors == n)) for n in range(len(names))]
        taken = np.unique(np.concatenate([np.arange(first, min(first + length, len(table)))
                                          for first in firsts]))
        runs = [slice(run[0], run[-1] + 1)
                for run in np.split(taken, np.flatnonzero(np.diff(taken) > 1) + 1)]
        raw = "raw" in group
        matrix = matrix_of(group, "the file", raw=raw)
        index = group["obs"][group["obs"].attrs["_index"]]
        X = sp.vstack([matrix[run] for run in runs], format="csr")
        untrusted.compressed(X)
        obs = table.iloc[taken].set_axis([name.decode() for run in runs for name in index[run]])
        var = ad.io.read_elem(group["raw/var" if raw else "var"])
        ad.AnnData(X.astype(np.float32), obs=obs, var=var).write_h5ad(out)
    print(f"lupus: {len(taken):,} of {len(table):,} cells, of all {len(names)} donors")


FORMS = {"file": one, "files": several, "tables": aorta, "matrix": atlas, "tar": artery,
         "part": part}
