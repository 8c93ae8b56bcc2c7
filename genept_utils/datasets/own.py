"""Any file of cells as AnnData with declared values and columns.

A set of cells is an AnnData with float32 CSR ``.X`` (cells x genes), ``.obs`` with the columns
``cell_type``, ``batch``, ``donor`` and ``condition`` as far as they are known, and
``.uns["genept_data"]`` with the set's name and whether its values are ``"raw"`` counts or
``"log"``-normalised.
"""

import warnings
from pathlib import Path

from genept_utils.datasets.columns import categorical
from genept_utils.datasets.files import read_h5ad
from genept_utils.datasets.open_sets import CELLS, load_open

COLUMNS = ("cell_type", "batch", "donor", "condition")


def load(name_or_path, label=None, batch=None, donor=None, condition=None, obsm=()):
    """A set of cells by name, or any ``.h5ad`` by path.

    Parameters
    ----------
    name_or_path : str
        A name of :data:`CELLS`, or the path of an ``.h5ad`` file.
    label, batch, donor, condition : str, optional
        Column of ``.obs`` that holds the cell type, batch, donor and condition. A registered
        set knows its own. In a file a column that already bears the standard name
        (``cell_type``, ``batch``, ``donor``, ``condition``) is taken without being asked for.
        Missing values, also those written as ``""`` or ``"nan"``, are NaN afterwards.
    obsm : sequence of str
        Keys of the file's ``obsm`` to keep: vectors of other models, (n_cells, d) each.

    Returns
    -------
    anndata.AnnData
        (n_cells, n_genes), see the module's first lines. Cells without a cell type are left out.

    Raises
    ------
    KeyError
        A column or a key of ``obsm`` does not exist; the message names those that do.
    FileNotFoundError
        Neither a known set nor a file.
    ValueError
        A registered set does not have the shape or the number of cell types it must have.
    genept_utils.sources.SourceError
        A registered file cannot be had.
    """
    name = str(name_or_path)
    if name in CELLS:
        if obsm:
            raise KeyError(f"{name} holds no vectors of other models (obsm); give the path of a "
                           f"file that has {', '.join(obsm)}")
        adata = load_open(name)
        values = CELLS[name]["values"]
    elif Path(name).expanduser().suffix == ".h5ad":
        path = Path(name).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}; `dataset` is a path to an .h5ad "
                                    f"file or one of {', '.join(CELLS)}")
        adata, values, name = read_h5ad(path, obsm=obsm), None, path.stem
    else:
        raise FileNotFoundError(f"{name!r} is neither a known data set ({', '.join(CELLS)}) nor "
                                "the path of an .h5ad file")
    for column, given in zip(COLUMNS, (label, batch, donor, condition)):
        if given:
            _column(adata, given)
            adata.obs[column] = adata.obs[given]
        if column in adata.obs:
            adata.obs[column] = categorical(adata.obs[column])
    if "cell_type" not in adata.obs:
        raise KeyError(f"{name} has no column cell_type; name the label column with label=COLUMN."
                       f" Columns: {', '.join(map(str, adata.obs.columns)) or 'none'}")
    unlabelled = adata.obs["cell_type"].isna().to_numpy()
    if unlabelled.any():
        warnings.warn(f"{unlabelled.sum():,} of {adata.n_obs:,} cells have no cell type and are "
                      "left out", stacklevel=2)
        adata = adata[~unlabelled].copy()
    adata.uns["genept_data"] = {"name": name} | ({"values": values} if values else {})
    return adata


def _column(adata, column):
    if column not in adata.obs:
        raise KeyError(f"there is no column {column!r} in obs; the columns are "
                       f"{', '.join(map(str, adata.obs.columns)) or 'none'}")
