"""The code that the pages show runs as shown, and what they say of a chapter is true."""

import json
import re

import anndata as ad
import nbformat
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import embed, paths

README = paths.ROOT / "README.md"
OWN_DATA = paths.ROOT / "book" / "your-own-data.md"
NOTEBOOKS = sorted(paths.NOTEBOOKS.glob("[0-9]*.ipynb"))


def code_blocks(path):
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def cells(tmp_path, monkeypatch):
    """A small file cells.h5ad of Poisson counts in the working folder."""
    symbols = [name for name in ("CD3E", "MS4A1", "NKG7", "LYZ", "CD8A", "GNLY", "CD14", "FCGR3A")]
    draw = np.random.default_rng(0).poisson(2, (60, len(symbols)))
    adata = ad.AnnData(sp.csr_matrix(draw, dtype=np.float32))
    adata.var_names = symbols
    adata.write_h5ad(tmp_path / "cells.h5ad")
    embed.write_embedding(embed.read_embedding()[symbols].copy(), tmp_path / "vectors.h5ad")
    names = [*symbols, *embed.read_embedding().obs_names[:122]]
    draw = np.random.default_rng(1).poisson(2, (150, 130)).astype(np.float32)
    for file, part in (("reference", slice(None)), ("A", slice(0, None, 2)),
                       ("B", slice(1, None, 2))):
        one = ad.AnnData(sp.csr_matrix(draw[:, part]), var=pd.DataFrame(index=names[part]))
        if file == "A":
            one.obs["cell_type"] = ["T", "B", "NK"] * 50
        one.write_h5ad(tmp_path / f"{file}.h5ad")
    monkeypatch.chdir(tmp_path)


def test_the_five_lines_of_the_readme_run(cells):
    names = {}
    exec(code_blocks(README)[0], names)
    adata = names["adata"]
    assert adata.obsm["X_genept_w"].shape == (60, 384)
    np.testing.assert_allclose(np.linalg.norm(adata.obsm["X_genept_w"], axis=1), 1, rtol=1e-5)


def test_the_page_on_your_own_data_runs(cells, source):
    source("genes/hgnc_complete_set.txt.gz", "genes/refseq_gene_summary.rds",
           "genes/Homo_sapiens.gene_info.gz", "genes/homologene2.rda")
    names = {}
    for block in code_blocks(OWN_DATA):
        exec(block.replace("vectors.parquet", "vectors.h5ad"), names)
    assert "X_umap" in names["adata"].obsm


@pytest.mark.parametrize("page", ["ask", "data-card"])
def test_what_other_pages_show_runs(cells, source, page):
    source("genes/hgnc_complete_set.txt.gz", "genes/refseq_gene_summary.rds")
    names = {"adata": ad.read_h5ad("cells.h5ad")}
    for block in code_blocks(paths.ROOT / "book" / f"{page}.md"):
        exec(block, names)
    assert {"genes", "report"} & set(names)


def test_the_readme_is_under_a_page():
    """The table of the paper's results and the comments that bind sentences are not counted."""
    text = re.sub(r"<!--.*?-->|^\|.*$", "", README.read_text(encoding="utf-8"), flags=re.M)
    assert len(text.split()) < 560


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_states_its_time_and_memory(path):
    """The key-facts table agrees with the recorded run to a factor of two."""
    runs = json.loads((paths.DATA / "results" / "runs.json").read_text())
    facts = nbformat.read(path, as_version=4).cells[0].source
    stated = re.search(r"([\d.]+) (s|min)\b.*?([\d.,]+) (MB|GB)", facts, flags=re.S)
    assert stated, "the first cell states run time and peak memory, as in `40 s | 700 MB`"
    seconds = float(stated[1]) * {"s": 1, "min": 60}[stated[2]]
    megabytes = float(stated[3].replace(",", "")) * {"MB": 1, "GB": 1000}[stated[4]]
    assert 0.5 <= seconds / max(60 * runs[path.stem]["minutes"], 1) <= 2
    assert 0.5 <= megabytes / runs[path.stem]["peak_mb"] <= 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_clean(path):
    assert path.stat().st_size < 1_000_000
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code"
               for output in cell.outputs]
    noise = [output.text[:200] for output in outputs if output.get("name") == "stderr"]
    assert not noise, f"warnings or progress bars in the outputs: {noise}"
    text = json.dumps(notebook)
    assert str(paths.ROOT) not in text and "sk-proj" not in text
    for cell in notebook.cells:
        if cell.cell_type == "code":
            defined = re.findall(r"^def \w+.*?(?=^\S|\Z)", cell.source, flags=re.M | re.S)
            assert all(len(body.strip().splitlines()) <= 30 for body in defined)
