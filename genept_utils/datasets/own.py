"""Any file of cells as AnnData with declared values and columns.

A set of cells is an AnnData with float32 CSR ``.X`` (cells x genes), ``.obs`` with the columns
``cell_type``, ``batch``, ``donor`` and ``condition`` as far as they are known, and
``.uns["genept_data"]`` with the set's name and, where it is known, whether its values are
``"raw"`` counts or ``"log"``-normalised.
"""

import functools
import warnings
from pathlib import Path

from genept_utils import genes, paths
from genept_utils.datasets.columns import (categorical, columns_of, complete, only_codes,
                                           writable, written_missing)
from genept_utils.datasets.formats import KNOWN, plain_name, read_cells
from genept_utils.datasets.matrix import check_scale
from genept_utils.datasets.open_sets import CELLS, load_open

COLUMNS = ("cell_type", "batch", "donor", "condition")


def load(name_or_path, label=None, batch=None, donor=None, condition=None, obsm=(), *,
         layer=None, raw=False, table=None, values=None, species=None, labelled=True):
    """A set of cells by name, or any file of cells by path.

    Parameters
    ----------
    name_or_path : str
        A name of :data:`CELLS`, or a path that
        :func:`genept_utils.datasets.formats.read_cells` takes: ``.h5ad`` and others.
    label, batch, donor, condition : str, optional
        Column of ``.obs`` that holds the cell type, batch, donor and condition. A registered
        set knows its own. In a file a column that already bears the standard name
        (``cell_type``, ``batch``, ``donor``, ``condition``) is taken without being asked for.
        Missing values, also those written as ``""``, ``"nan"``, ``"NA"`` or ``"None"``, are NaN
        afterwards; a warning counts the written ones.
    obsm : sequence of str
        Keys of the file's ``obsm`` to keep: vectors of other models, (n_cells, d) each.
    layer : str, optional
        Layer of the file that takes the place of ``X``.
    raw : bool
        Values and genes of the file's ``raw`` take the place of ``X`` and ``var``.
    table : str, optional
        Which of several in the file, see :func:`genept_utils.datasets.read_cells`; a path
        ``FILE/TABLE`` says the same.
    values : {"raw", "log"}, optional
        What the values are, where they leave it open: counts or log-normalised.
    species : str, optional
        Kept in ``uns["genept_data"]["species"]`` for the matching of names.
    labelled : bool
        Cells must have a cell type. With False a file without one is read, too, and cells without
        one stay: such as a type is to be predicted for.

    Returns
    -------
    anndata.AnnData
        (n_cells, n_genes), see the module's first lines. Cells without a cell type are left out
        (but for ``labelled=False``).

    Raises
    ------
    KeyError
        A column, layer or key of obsm does not exist; the message names those that do.
    FileNotFoundError
        Neither a known set nor a file.
    ValueError
        A registered set does not have the shape or the number of cell types it must have, or a
        file is broken or of a kind that is not read.
    genept_utils.sources.SourceError
        A registered file cannot be had.
    """
    name, obsm = str(name_or_path), [obsm] if isinstance(obsm, str) else list(obsm)
    check_scale(values)
    if name in CELLS:
        if layer or raw or obsm or values or table:
            raise KeyError(f"{name}, a set of the book, holds neither layers nor raw nor tables "
                           "nor obsm, and its values are known; those are for the path of a file")
        adata, marked = load_open(name), CELLS[name]["values"]
    else:
        path, table = paths.split_table(Path(name).expanduser(), table)
        if not path.exists():
            sets = ", ".join(CELLS)
            raise FileNotFoundError(
                f"there is no file {path}; `dataset` is a path to a file of cells, such as .h5ad, "
                f"or one of {sets}" if set(map(str.lower, path.suffixes)) & KNOWN else
                f"{name!r} is neither a known data set ({sets}) nor the path of a file of cells, "
                "such as an .h5ad file; a folder is given as ./FOLDER")
        adata, marked, name = read_cells(path, layer, raw, obsm, table), None, plain_name(path)
        adata = genes.only_genes(adata)
    own = adata.uns["genept_data"] = {"name": name, **adata.uns.get("genept_data", {})}
    if values:
        own |= {"values": values, "sure": True}
        adata.uns.pop("log1p", None)  # what the reader says takes the place of the mark
    elif marked:
        own["values"] = marked
    if species:
        own["species"] = species
    for column, given in zip(COLUMNS, (label, batch, donor, condition)):
        if given and (labelled or column != "cell_type" or given in adata.obs):
            _column(adata, given)
            adata.obs[column] = adata.obs[given]
        if column in adata.obs:
            if word := written_missing(adata.obs[column], given or column):
                warnings.warn(word, stacklevel=2)
            adata.obs[column] = categorical(adata.obs[column])
    if "cell_type" in adata.obs and (word := only_codes(adata.obs["cell_type"])):
        warnings.warn(word, stacklevel=2)
    if labelled:
        adata = complete(adata, "cell_type",
                         report=functools.partial(warnings.warn, stacklevel=3))
    adata.obs, adata.var = writable(adata.obs), writable(adata.var)
    return adata


def _column(adata, column):
    """Raise where a column is not there, or holds measured numbers and no groups."""
    if column not in adata.obs:
        raise KeyError(f"there is no column {column!r} in obs{columns_of(adata)}")
    values = adata.obs[column].dropna()
    values = values.cat.categories if hasattr(values, "cat") else values
    if values.dtype.kind == "f" and (values % 1 != 0).any():
        raise ValueError(f"the column {column!r} holds fractions, not groups of cells; name "
                         f"another one{columns_of(adata)}")
