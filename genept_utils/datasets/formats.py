"""The kinds of files that cells come in: told by content, read, or refused with what to do."""

import contextlib
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import compression, optional, paths, untrusted
from genept_utils.datasets.files import (anndata_in, one_of, read_frame, read_group, readable,
                                         rows_of)
from genept_utils.datasets.matrix import read_whole, stored_matrix

_AS = '.write_h5ad("{1}.h5ad") where rows are cells (.T where they are genes)'
CONVERT = {  # ending -> what turns such a file into one that is read
    ".csv": 'anndata.read_csv("{0}")' + _AS,
    ".tsv": 'anndata.read_csv("{0}", delimiter="\\t")' + _AS,
    ".rds": 'in R: zellkonverter::writeH5AD(Seurat::as.SingleCellExperiment(readRDS("{0}")), '
            '"{1}.h5ad")',
    ".h5seurat": 'in R: SeuratDisk::Convert("{0}", dest = "h5ad")',
}
CONVERT[".txt"] = CONVERT[".tsv"]
CONVERT[".rdata"] = CONVERT[".rda"] = CONVERT[".rds"]
PACKED = b"\x1f\x8b", b"BZh", b"\xfd7zXZ"  # first bytes
READ = [".h5ad", ".h5mu", ".h5", ".hdf5", ".loom", ".zarr", ".mtx"]
KNOWN = {*READ, *CONVERT, *compression.ENDINGS, ".xlsx", ".parquet"}


def plain_name(path):
    """The name of a file or folder without its endings."""
    name = path.resolve().name
    while Path(name).suffix.lower() in KNOWN and Path(name).stem:
        name = Path(name).stem
    return name


def read_cells(path, layer=None, raw=False, obsm=(), table=None):
    """Cells from a file of any kind that is read, told by its content and not by its ending.

    Parameters
    ----------
    path : path
        AnnData in HDF5 (``.h5ad``, also gzipped) or zarr, the ``.h5`` file or the folder of
        ``matrix.mtx`` that 10x programs write, ``.loom``, MuData (``.h5mu``) or SpatialData.
        ``FILE/TABLE`` names a table in it, as ``table`` does.
    layer, raw, obsm
        As in :func:`genept_utils.datasets.read_h5ad`.
    table : str, optional
        The modality of a MuData file, the table of a SpatialData store, or the genome of a 10x
        file, where there are several.

    Raises
    ------
    ValueError
        The file is broken, leads to another one, or has an unsupported format; then the
        message says how to convert it.
    """
    path, table = paths.split_table(path, table)
    if is_zarr(path):
        with readable(path), opened(path, table) as group:
            return read_group(group, path.name, layer, raw, obsm)
    if path.is_dir():
        return _folder(path, layer, raw, obsm)
    if not _head(path):
        raise ValueError(f"{path.name} is empty; copy or download it again")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if ".mtx" in suffixes:
        return _mtx(path, layer, raw, obsm)
    if h5py.is_hdf5(path):
        return _hdf5(path, layer, raw, obsm, table)
    if _packed(path):
        return _unpacked(path, layer, raw, obsm, table)
    raise ValueError(f"{path.name} {_not_read(path)}")


def annotations(path):
    """The table of the cells of a file, and the number of its genes; of ``.h5ad`` nothing else is
    read."""
    file, table = paths.split_table(path)
    if table is None and file.is_file() and h5py.is_hdf5(file):
        with readable(file), untrusted.hdf5(file) as group:
            if {"obs", "var"} <= set(group) and "mod" not in group:
                return read_frame(group["obs"]), rows_of(group["var"], file.name)
    adata = read_cells(path)
    return adata.obs, adata.n_vars


@contextlib.contextmanager
def opened(path, table=None):
    """The group of an AnnData for reading: of an h5ad file, a zarr store, or a table in one."""
    path, table = paths.split_table(path, table)
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}; give an .h5ad file or a .zarr folder")
    once = (f'make an .h5ad file of it once: genept_utils.datasets.read_cells("{path}")'
            f'.write_h5ad("{plain_name(path)}.h5ad")')
    with contextlib.ExitStack() as stack:
        with readable(path):
            if is_zarr(path):
                untrusted.zarr_store(path)
                found = optional.need("zarr").open_group(path, mode="r")
            elif path.is_dir() or ".mtx" in path.suffixes or _packed(path):
                raise ValueError(f"{path.name} is no .h5ad file and no zarr store; {once}")
            elif h5py.is_hdf5(path):
                found = stack.enter_context(untrusted.hdf5(path))
            else:
                raise ValueError(f"{path.name} {_not_read(path)}")
        group = anndata_in(found, path.name, table)
        if "obs" not in group:
            raise ValueError(f"{path.name} holds no AnnData; {once}")
        yield group


def _head(path):
    with open(path, "rb") as file:
        return file.read(512)


def _packed(path):
    """Whether a file is compressed, and no table that has to be converted."""
    suffixes = {suffix.lower() for suffix in path.suffixes}
    return _head(path).startswith(PACKED) and not suffixes & CONVERT.keys()


def _not_read(path):
    """Why a file is not read and what to do, as the rest of a sentence with its name."""
    name = plain_name(path)
    for suffix in reversed(path.suffixes):
        if suffix.lower() in CONVERT:
            return ("is not read as it is; convert it once: "
                    + CONVERT[suffix.lower()].format(path.name, name))
    if other := compression.instead(_head(path)):
        return other
    if path.suffix.lower() in compression.ARCHIVES:
        return f"is an archive; {compression.UNPACK}"
    if path.suffix.lower() in (".h5ad", ".h5", ".loom", ".hdf5"):
        return "is not a valid HDF5 file; copy or download it again"
    return ("has an unsupported format; make an .h5ad file of it (read are "
            + ", ".join(READ) + " and folders of matrix.mtx)")


def is_zarr(path):
    """Whether a folder is a zarr store."""
    return any((path / name).exists() for name in (".zgroup", "zarr.json", ".zattrs"))


def _folder(path, layer, raw, obsm):
    matrices = sorted(path.glob("*matrix.mtx")) + sorted(path.glob("*matrix.mtx.gz"))
    if len(matrices) == 1:
        return _mtx(untrusted.within(matrices[0], path), layer, raw, obsm)
    if matrices:
        raise ValueError(f"{path} holds {len(matrices)} matrices; give one of them: "
                         f"{', '.join(file.name for file in matrices[:5])}")
    inside = sorted(file.name for file in path.iterdir())[:5]
    raise ValueError(f"{path} is a folder, but neither a zarr store nor a folder with a matrix.mtx;"
                     f" give a file in it ({', '.join(inside) or 'it is empty'})")


def _hdf5(path, layer, raw, obsm, table):
    with readable(path), untrusted.hdf5(path) as file:
        keys = set(file)
        tenx = [key for key in file if isinstance(file[key], h5py.Group)
                and {"barcodes", "indptr"} <= set(file[key])]
        if "row_attrs" in keys:
            return _loom(file, path.name, layer, raw, obsm)
        if "mod" in keys or {"obs", "var"} <= keys or table and not tenx:
            return read_group(anndata_in(file, path.name, table), path.name, layer, raw, obsm)
    if tenx:
        return _ten_x(path, layer, raw, obsm, table, tenx)
    raise ValueError(f"{path.name} is HDF5, but holds neither AnnData, a 10x matrix nor a loom "
                     f"(it has {', '.join(sorted(keys)[:8]) or 'nothing'}); make an .h5ad of it")


def _ten_x(path, layer, raw, obsm, table, groups):
    """A file of 10x; those before Cell Ranger 3 have a matrix for each genome."""
    sc = optional.need("scanpy")
    _one_matrix(path.name, layer, raw, obsm)
    with readable(path):
        genome = None if groups == ["matrix"] else one_of(groups, table, path.name)
        adata = sc.read_10x_h5(path, genome=genome, gex_only=False)
        if table and not genome:
            genomes = list(adata.var["genome"].unique()) if "genome" in adata.var else []
            adata = adata[:, adata.var["genome"] == one_of(genomes, table, path.name)].copy()
        untrusted.compressed(adata.X)
    adata.X = sp.csr_matrix(adata.X, dtype=np.float32)
    return adata


def _loom(file, name, layer, raw, obsm):
    """A loom file: genes x cells, with the attributes of rows and columns beside it."""
    _one_matrix(name, None, raw, obsm)
    matrix = stored_matrix(file, name, layer) if layer else file["matrix"]
    X = sp.csr_matrix(read_whole(matrix).T)
    var, obs = (_attributes(file[which]) for which in ("row_attrs", "col_attrs"))
    for table, names in ((var, ("Gene", "gene_names", "Accession")),
                         (obs, ("CellID", "obs_names", "cell_id"))):
        found = [column for column in names if column in table]
        table.index = (table[found[0]] if found else table.index).astype(str).to_numpy()
    return ad.AnnData(X, obs=obs, var=var)


def _attributes(group):
    # pySCENIC keeps embeddings and activities as columns of several numbers
    columns = {key: values for key, values in group.items()
               if values.ndim == 1 and not values.dtype.names}
    return pd.DataFrame({key: values.asstr()[:] if h5py.check_string_dtype(values.dtype)
                         else values[:] for key, values in columns.items()})


def _mtx(path, layer, raw, obsm):
    """``matrix.mtx`` (genes x cells) with the names of genes and cells in the files beside it."""
    import scipy.io

    _one_matrix(path.name, layer, raw, obsm)
    at = path.name.lower().find("matrix.mtx")
    start = path.name[:max(at, 0)]
    genes = _beside(path, start, ("features.tsv", "genes.tsv"))
    cells = _beside(path, start, ("barcodes.tsv",))
    with readable(path):
        X = sp.csc_matrix(scipy.io.mmread(path), dtype=np.float32).T.tocsr()
    if X.shape == (len(genes), len(cells)) and len(genes) != len(cells):
        X = X.T.tocsr()
    if X.shape != (len(cells), len(genes)):
        raise ValueError(f"{path.name} is {X.shape[1]:,} x {X.shape[0]:,}, but the files beside it "
                         f"name {len(genes):,} genes and {len(cells):,} cells")
    var = genes[[0, 2]] if genes.shape[1] > 2 else genes[[0]]
    var = var.rename(columns={0: "gene_ids", 2: "feature_types"})
    return ad.AnnData(X, obs=pd.DataFrame(index=cells[0].to_numpy()),
                      var=var.set_axis(genes[min(1, genes.shape[1] - 1)].to_numpy()))


def _beside(path, start, names):
    for file in (path.parent / f"{start}{name}{end}" for name in names for end in ("", ".gz")):
        if file.is_file():
            untrusted.within(file, path.parent)
            with readable(file):
                return pd.read_csv(file, sep="\t", header=None, dtype=str, keep_default_na=False)
    raise ValueError(f"{path.name} has no {' or '.join(start + name for name in names)} beside it "
                     "(also as .gz); the matrix cannot be used without gene and cell names")


def _one_matrix(name, layer, raw, obsm):
    if layer or raw or obsm:
        raise KeyError(f"{name} holds one matrix and no layers, raw or obsm of that name")


def _unpacked(path, layer, raw, obsm, table):
    with compression.unpacked(path) as part:
        if not h5py.is_hdf5(part):
            raise ValueError(f"{path.name} holds no HDF5 file; make an .h5ad file of it")
        try:
            return _hdf5(part, layer, raw, obsm, table)
        except ValueError as error:
            raise ValueError(str(error).replace(part.name, path.name)) from None
