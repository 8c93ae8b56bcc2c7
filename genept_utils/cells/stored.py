"""The matrix of a stored AnnData, an .h5ad file or a zarr store, without reading it."""

import contextlib
from pathlib import Path

import anndata as ad

from genept_utils import extras, outside


@contextlib.contextmanager
def opened(path):
    """The group of an h5ad file or of a zarr store, for reading."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}; give an .h5ad file or a .zarr folder")
    if path.is_dir():
        outside.zarr_store(path)
        group = extras.need("zarr").open_group(path, mode="r")
        if "obs" not in group:
            raise ValueError(f"{path} holds no AnnData")
        yield group
        return
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(outside.hdf5(path))
        except OSError as error:
            raise ValueError(f"{path} cannot be read as .h5ad ({error}); it is broken or not "
                             "complete, so copy or download it again") from None
        yield file


def matrix_of(group, layer=None, raw=False):
    """The stored matrix that holds the values, as something that gives rows."""
    place = f"layers/{layer}" if layer else "raw/X" if raw else "X"
    if place not in group:
        there = [name for name in ("X", "raw/X") if name in group]
        there += [f"layers/{name}" for name in (group["layers"] if "layers" in group else ())]
        raise KeyError(f"there is no {place} in the file; there is {', '.join(there) or 'nothing'}")
    stored = group[place]
    return stored if hasattr(stored, "shape") else ad.io.sparse_dataset(stored)
