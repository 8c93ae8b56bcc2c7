"""Columns of a file named by approved symbols, each gene once."""

import anndata as ad
import numpy as np

from genept_utils import cells


def test_genes_are_named_by_symbol_and_the_first_of_two_columns_counts(source):
    source("genes/hgnc_complete_set.txt.gz")
    adata = ad.AnnData(np.arange(8, dtype=np.float32).reshape(2, 4))
    adata.var_names = ["ENSG00000141510", "no gene", "CTSB", "P53"]
    made = cells.by_symbol(adata)
    assert made.var_names.tolist() == ["TP53", "CTSB"]
    np.testing.assert_array_equal(made.X, [[0, 2], [4, 6]])
    assert adata.n_vars == 4
