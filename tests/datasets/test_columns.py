"""Missing values are no class, and a page says in one sentence what it lacks."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import datasets


def _cells(**columns):
    obs = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    obs.index = obs.index.astype(str)
    return ad.AnnData(np.ones((len(obs), 2), np.float32), obs=obs,
                      uns={"genept_data": {"name": "small"}})


@pytest.mark.parametrize("value", [np.nan, None, pd.NA, "", "  ", "nan", "NaN", "<NA>",
                                   "NA", "N/A", "None"])
def test_a_missing_value_is_no_class(value):
    values = ["a", "b", value, "a"]
    assert datasets.missing(values).tolist() == [False, False, True, False]
    assert datasets.categorical(values).categories.tolist() == ["a", "b"]


@pytest.mark.parametrize("value", ["none", "NAGA", "NA1", "Nancy", "unknown", 0, False,
                                   0.0])
def test_other_words_and_zeros_are_values(value):
    assert not datasets.missing(["a", value]).any()


def test_cells_without_a_value_are_left_out_with_their_number():
    said = []
    made = datasets.complete(_cells(batch=["x", "nan", None, "y"]), "batch", report=said.append)
    assert made.obs["batch"].tolist() == ["x", "y"]
    assert said == ["small: 2 of 4 cells have no batch and are left out."]


def test_a_column_without_any_value_is_refused():
    with pytest.raises(ValueError, match="no cell has a value in donor"):
        datasets.complete(_cells(donor=["nan", None]), "donor")
    with pytest.raises(KeyError, match="no column donor; name it with donor=COLUMN. Columns: b"):
        datasets.complete(_cells(b=["x"]), "donor")


def test_too_few_cells_or_values_are_one_sentence():
    cells = _cells(cell_type=["B", "B", "B"])
    with pytest.raises(ValueError, match="small has 3 cells, and this page needs 50"):
        datasets.enough(cells, cells=50)
    with pytest.raises(ValueError, match="all 3 cells have the cell type 'B'.*label=COLUMN"):
        datasets.enough(cells, cell_type=2)


def test_a_batch_that_was_not_asked_for_is_not_used():
    said, cells = [], _cells(cell_type=["B", "T"], batch=["x", "y"])
    datasets.settle_batch(cells, asked=False, report=said.append)
    assert "batch" not in cells.obs and "was not asked for" in said[0]


@pytest.mark.parametrize("batch, word", [
    (["x", "x", "x", "x"], "one batch only"), (["x", "x", "x", None], "1 of 4 cells have no batch"),
    (["x", "y", "x", "z"], "the cell types of batch z occur in no other")])
def test_what_cannot_be_held_out_is_said(batch, word):
    said, cells = [], _cells(cell_type=["B", "B", "T", "NK"], batch=batch)
    datasets.settle_batch(cells, asked=True, report=said.append)
    assert word in said[0]


@pytest.fixture
def file(tmp_path):
    adata = _cells(cell_type=["B", "T", None])
    adata.obsm["X_scGPT"] = np.ones((3, 4))
    adata.obsm["X_holes"] = np.array([[1.0], [np.nan], [1.0]])
    adata.obs["cell_type"] = adata.obs["cell_type"].fillna("nan")
    adata.write_h5ad(tmp_path / "own.h5ad")
    return tmp_path / "own.h5ad"


@pytest.mark.parametrize("column", ["label", "batch", "donor", "condition"])
def test_words_that_count_as_missing_are_said_with_their_number(tmp_path, column):
    """A label of R or Python for "no value" is neither a type nor a batch, and not in silence."""
    kinds = np.array(["T", "NA", "B", "None", "NA", "NAGA"], dtype=object)
    adata = _cells(cell_type=["T"] * 6, kind=kinds)
    del adata.uns["genept_data"]
    adata.write_h5ad(tmp_path / "own.h5ad")
    with pytest.warns(UserWarning, match="kind: 'NA' in 2 cells and 'None' in 1 cell are taken"):
        made = datasets.load(tmp_path / "own.h5ad", **{column: "kind"})
    name = "cell_type" if column == "label" else column
    assert made.obs[name].cat.categories.tolist() == ["B", "NAGA", "T"]
    assert made.obs[name].isna().sum() == (0 if column == "label" else 3)
    assert made.n_obs == (3 if column == "label" else 6)


@pytest.mark.parametrize("values", [[.1, .2, .3], [1, np.nan, 2.5], pd.Categorical([.5, .5, 2])])
def test_a_column_of_fractions_is_no_column_of_groups(tmp_path, values):
    adata = ad.AnnData(np.ones((3, 2), np.float32), obs=pd.DataFrame(
        {"score": values, "cell_type": ["B", "T", "B"], "cluster": [1.0, np.nan, 3.0]},
        index=list("abc")))
    adata.write_h5ad(tmp_path / "own.h5ad")
    with pytest.raises(ValueError, match="'score' holds fractions, not groups of cells.*cluster"):
        datasets.load(tmp_path / "own.h5ad", label="score")
    assert datasets.load(tmp_path / "own.h5ad", batch="cluster").obs["batch"].nunique() == 2


def test_vectors_of_other_models_are_kept_where_asked_for(file):
    with pytest.warns(UserWarning, match="1 of 3 cells have no cell type"):
        made = datasets.load(file, obsm=["X_scGPT"])
    assert made.obsm["X_scGPT"].shape == (2, 4) and list(made.obsm) == ["X_scGPT"]


@pytest.mark.parametrize("key, message", [("X_geneformer", "there are X_holes, X_scGPT"),
                                          ("X_holes", "no table of finite numbers")])
def test_vectors_that_cannot_be_used_are_refused(file, key, message):
    with pytest.raises((KeyError, ValueError), match=message):
        datasets.load(file, obsm=[key])
