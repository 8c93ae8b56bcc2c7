"""The matrix of a stored AnnData, an .h5ad file or a zarr store, without reading it."""

import contextlib

import anndata as ad

from genept_utils import optional, paths, untrusted
from genept_utils.datasets.files import anndata_in, check_declared, read_frame
from genept_utils.datasets.formats import CONVERT, PACKED, is_zarr, not_read, plain_name
from genept_utils.datasets.matrix import other_matrices, stored_matrix

ONCE = ('make an .h5ad file of it once: genept_utils.datasets.read_cells("{0}")'
        '.write_h5ad("{1}.h5ad")')


@contextlib.contextmanager
def opened(path):
    """The group of an h5ad file, of a zarr store or of a table in one, for reading."""
    path, table = paths.split_table(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}; give an .h5ad file or a .zarr folder")
    once = ONCE.format(path, plain_name(path))
    with contextlib.ExitStack() as stack:
        if path.is_dir():
            if not is_zarr(path):
                raise ValueError(f"{path} is a folder, but no zarr store; {once}")
            untrusted.zarr_store(path)
            found = optional.need("zarr").open_group(path, mode="r")
        else:
            try:
                found = stack.enter_context(untrusted.hdf5(path))
            except OSError as error:
                raise ValueError(_why(path, error, once)) from None
        group = anndata_in(found, path.name, table)
        if "obs" not in group:
            raise ValueError(f"{path.name} holds no AnnData; {once}")
        yield group


def _why(path, error, once):
    """Why a file is not read: its kind, or that it is broken."""
    with open(path, "rb") as file:
        head = file.read(512)
    if head.startswith(b"\x89HDF"):
        return (f"{path} cannot be read as .h5ad ({error}); it is broken or not complete, so copy "
                "or download it again")
    packed = head.startswith(PACKED) and not set(map(str.lower, path.suffixes)) & CONVERT.keys()
    if ".mtx" in path.suffixes or packed:
        return f"{path.name} is no .h5ad file as it is; {once}"
    return f"{path.name} {not_read(path, head)}"


def described(group, layer=None, raw=False, values=None):
    """The stored matrix that holds the values, and an AnnData of its genes alone, with what the
    file (or its reader, by ``values``) declares of the values."""
    matrix = matrix_of(group, layer, raw)
    genes = ad.AnnData(var=read_frame(group["raw/var" if raw else "var"]))
    if "uns" in group and "log1p" in group["uns"] and not layer:
        genes.uns["log1p"] = {}
    genes.uns["genept_data"] = {"elsewhere": other_matrices(group, layer, raw)} | (
        {"values": values, "sure": True} if values else {})
    return matrix, genes


def matrix_of(group, layer=None, raw=False):
    """The stored matrix that holds the values, as something that gives rows."""
    stored = stored_matrix(group, "the file", layer, raw)
    check_declared(group["obs"], group["raw/var" if raw else "var"], stored, "the file")
    if hasattr(stored, "shape"):
        return stored
    matrix = ad.io.sparse_dataset(stored)
    untrusted.compressed(matrix)
    return matrix
