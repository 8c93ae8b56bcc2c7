"""Cells as AnnData, gene classes and sets as tidy frames. Nothing here evaluates."""

from genept_utils.datasets.columns import (batches_alone, categorical, complete,
                                           enough, missing, settle_batch)
from genept_utils.datasets.files import read_h5ad
from genept_utils.datasets.formats import annotations, read_cells
from genept_utils.datasets.gene_sets import gene_sets, go_processes
from genept_utils.datasets.open_sets import CELLS, available, sources_of
from genept_utils.datasets.own import COLUMNS, load
