"""What is advised on a file that is not read as it is runs as it stands."""

import re

import anndata as ad
import nbformat
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import datasets, paths


@pytest.mark.parametrize("name, sep", [("table.csv", ","), ("table.tsv", "\t")])
def test_the_advice_on_a_table_runs(name, sep, tmp_path, monkeypatch):
    X = np.random.default_rng(0).poisson(1, (40, 60)).astype(np.float32)
    pd.DataFrame(X).add_prefix("GENE").rename("cell{}".format).to_csv(tmp_path / name, sep=sep)
    with pytest.raises(ValueError) as refused:
        datasets.load(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    advice = re.search(r"anndata\S+(\(.*\))\.write_h5ad\(\S+\)", str(refused.value))[0]
    exec(f"import anndata; {advice}", {})
    read = datasets.read_cells(tmp_path / "table.h5ad")
    assert np.array_equal(read.X.toarray(), X)


# How chapter 10 reads a set, and the rows that it recorded for a set of the book. All of its cells
# run on a reader's file in tests/pages/test_own_data.py.
CHAPTER = """
from genept_book import ledger
from genept_utils import evaluate
(name, adata), = evaluate.read_sets([dataset], 10**9, seed, label=label, layer=layer, raw=raw,
                                    values=values, species=species).items()
assert adata.X.min() >= 0
rows = ledger.differences("10-disjoint-panels", ledger.paths.DATA / "results")
rows = rows[rows["dataset"] == "pbmc_facs"].drop(columns="notebook")
ledger.record("10-disjoint-panels", rows.assign(dataset=name, n=adata.n_obs));
"""


@pytest.mark.skipif(not paths.NOTEBOOKS.is_dir(), reason="the notebooks are not here")
def test_the_advice_runs_on_a_chapter(tmp_path, at_hand, monkeypatch, capsys):
    from genept_book import notebooks
    from genept_utils import __main__, embed, evaluate

    page = nbformat.read(notebooks.notebooks(["10"])[0], as_version=4)
    own = [cell for cell in page.cells if "parameters" in cell.metadata.get("tags", [])]
    page.cells = [cell for cell in page.cells if cell.cell_type == "markdown" or cell in own]
    page.cells.insert(page.cells.index(own[0]) + 1, nbformat.v4.new_code_cell(CHAPTER))
    page.metadata["genept"]["sources"] = []
    (tmp_path / "notebooks").mkdir()
    nbformat.write(page, tmp_path / "notebooks" / "10-disjoint-panels.ipynb")
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "notebooks")
    rng, names = np.random.default_rng(0), list(embed.read_embedding().obs_names[:400])
    X = rng.poisson(np.where(np.arange(400) % 2 == np.arange(60)[:, None] % 2, 3, 1))
    made = ad.AnnData(sp.csr_matrix(X - 1.0), var=pd.DataFrame(index=names),
                      obs=pd.DataFrame({"kind": ["a", "b"] * 30},
                                       index=[f"c{i}" for i in range(60)]))
    made.layers["counts"] = sp.csr_matrix(X.astype(np.float32))
    made.write_h5ad(tmp_path / "cells.h5ad")
    with pytest.raises(ValueError) as refused:
        evaluate.read_sets([tmp_path / "cells.h5ad"], 100, label="kind")
    advice = re.search(r"give (\S+) to use", str(refused.value))[1].replace('"', "")
    assert advice == "layer=counts"
    monkeypatch.chdir(tmp_path)
    status = __main__.main(["run", "10", "dataset=cells.h5ad", "label=kind", "draws=1", "sizes=50",
                            "tries=1", advice, "--out", "out"])
    assert status == 0, capsys.readouterr().err
    assert (tmp_path / "out" / "results" / "10-disjoint-panels.json").is_file()
    page = nbformat.read(tmp_path / "out" / "notebooks" / "10-disjoint-panels.ipynb", as_version=4)
    told = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")
    assert "with `dataset=cells.h5ad, label=kind, layer=counts`" in page.cells[0].source
    assert "## What we found" not in told and "<!--" not in told and "pbmc" not in told
    assert "## Verdicts on these data" in page.cells[-1].source
    assert "| GenePT MiniLM | permuted | random halves, cells, disjoint panels, lr |" in (
        page.cells[-1].source)
