"""The way of one call through the files of the module, which a reader can follow."""

import sys

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import genept_utils as gp
from genept_utils import paths

MAX_FILES, MAX_CHANGES = 9, 20


@pytest.mark.skipif(not (paths.EMBEDDINGS / "minilm.h5ad").is_file(), reason="no embedding here")
def test_genept_w_in_memory_passes_few_files():
    embedding = gp.read_embedding()
    X = sp.csr_matrix(np.random.default_rng(0).poisson(.5, (200, 500)).astype(np.float32))
    adata = ad.AnnData(X, var=pd.DataFrame(index=embedding.obs_names[:500]))
    gp.genept_w(adata.copy(), embedding)  # what is read once is read
    passed = []

    def note(frame, event, _):
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(str(paths.PACKAGE)) and passed[-1:] != [file]:
            passed.append(file)

    sys.setprofile(note)
    try:
        gp.genept_w(adata, embedding)
    finally:
        sys.setprofile(None)
    assert len(set(passed)) <= MAX_FILES and len(passed) <= MAX_CHANGES, passed
