"""Types carried to cells that share no gene with the labelled ones, and the file that holds them."""

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import datasets, embed, evaluate, sources
from genept_utils.evaluate import transfer

TYPES = ["B", "T", "NK"]


@pytest.fixture(scope="module")
def vectors():
    """Thirty genes on two panels, whose vectors say which type they belong to."""
    rng = np.random.default_rng(0)
    axes = np.repeat(np.eye(3), 10, axis=0) + .1 * rng.standard_normal((30, 3))
    return embed.as_embedding(axes, pd.DataFrame(index=[f"G{i}" for i in range(30)]),
                              model="drawn", text="none")


def drawn(genes, n=60, seed=0):
    """(n, len(genes)) counts; gene i is a mark of type i // 10."""
    rng = np.random.default_rng(seed)
    types = rng.integers(0, 3, n)
    rate = np.where(np.array(genes)[None] // 10 == types[:, None], 8, 1)
    return ad.AnnData(sp.csr_matrix(rng.poisson(rate).astype(np.float32)),
                      var=pd.DataFrame(index=[f"G{i}" for i in genes]),
                      obs=pd.DataFrame({"cell_type": np.array(TYPES)[types]},
                                       index=[f"cell{i}" for i in range(n)]))


@pytest.fixture
def sides():
    return drawn(range(0, 30, 2)), drawn(range(1, 30, 2), seed=1)


def test_labels_cross_panels_that_share_no_gene(sides, vectors):
    train, test = sides
    before = train.copy(), test.copy()
    found = evaluate.transfer_labels(train, test, vectors)
    assert list(found.index) == list(test.obs_names)
    assert (found["predicted"] == test.obs["cell_type"]).mean() > .95
    assert found["probability"].between(1 / 3, 1).all()
    for old, new in zip(before, sides):
        assert list(old.obs.columns) == list(new.obs.columns) and not new.obsm and not new.uns
        assert (old.X != new.X).nnz == 0
    hidden = test.copy()
    del hidden.obs["cell_type"]
    pd.testing.assert_frame_equal(evaluate.transfer_labels(train, hidden, vectors), found)


def test_the_probability_is_that_of_the_regression(sides, vectors):
    """The same by hand: GenePT-w, each side standardised by itself, scikit-learn's regression."""
    from sklearn.linear_model import LogisticRegression

    def written(adata):
        X = adata.X.toarray().astype(float)
        logged = np.log1p(X / X.sum(axis=1, keepdims=True) * 10_000)
        sums = logged @ vectors[adata.var_names].X
        sums = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return (sums - sums.mean(axis=0)) / sums.std(axis=0)

    train, test = sides
    model = LogisticRegression(C=.1, max_iter=500, tol=1e-3).fit(
        written(train), train.obs["cell_type"])
    found = evaluate.transfer_labels(train, test, vectors, C=.1)
    assert np.allclose(found["probability"], model.predict_proba(written(test)).max(axis=1),
                       atol=1e-3)
    assert list(found["predicted"]) == list(model.predict(written(test)))


def test_cells_without_a_type_do_not_train_and_cells_without_a_gene_get_none(sides, vectors):
    train, test = sides
    expected = evaluate.transfer_labels(train, test, vectors)
    more = ad.concat([train, drawn(range(0, 30, 2), 5, 9)], index_unique="-")
    more.obs.loc[more.obs_names[-5:], "cell_type"] = ["", "nan", "NA", None, np.nan]
    pd.testing.assert_frame_equal(evaluate.transfer_labels(more, test, vectors), expected)
    empty = test.copy()
    empty.X = sp.csr_matrix(empty.X.toarray() * (np.arange(60) != 7)[:, None])
    with pytest.warns(UserWarning, match="1 of 60 test cells express no gene"):
        found = evaluate.transfer_labels(train, empty, vectors)
    assert found.isna().all(axis=1).sum() == 1 and found.iloc[7].isna().all()


def lacking(side, change):
    def changed(train, test):
        change(train if side == "train" else test)
    return changed


@pytest.mark.parametrize("change, error, said", [
    (lacking("train", lambda a: a.obs.rename(columns={"cell_type": "kind"}, inplace=True)),
     KeyError, "no column 'cell_type'.*of kind"),
    (lacking("train", lambda a: a.obs.__setitem__("cell_type", "nan")), ValueError,
     "no training cell has a value"),
    (lacking("train", lambda a: a.obs.__setitem__("cell_type", "B")), ValueError,
     "1 label is no comparison"),
    (lacking("test", lambda a: a.obs.__setitem__("cell_type", "b")), ValueError,
     "no type stands on both sides: .*'B', 'NK', 'T', the test cells 'b'"),
    (lacking("train", lambda a: setattr(a, "var_names", [f"probe_x{i}q" for i in range(15)])),
     ValueError, "the training cells: none of the 15 gene names has a vector"),
    (lacking("test", lambda a: setattr(a, "var_names", [f"probe_x{i}q" for i in range(15)])),
     ValueError, "the test cells: none of the 15 gene names has a vector"),
], ids=["no column", "no value", "one type", "no shared type", "train names", "test names"])
def test_what_is_refused(sides, vectors, change, error, said):
    change(*sides)
    with pytest.raises(error, match=said):
        evaluate.transfer_labels(*sides, vectors)


# ---------------------------------------------------------------- the new file

@pytest.fixture
def found(sides, vectors):
    return evaluate.transfer_labels(*sides, vectors)


@pytest.mark.parametrize("given", ["a file", "cells"])
def test_the_copy_holds_all_of_the_file_and_the_types(sides, found, tmp_path, given):
    test = sides[1]
    test.layers["counts"], test.obsm["X_pca"] = test.X, np.ones((60, 2))
    test.obs["genept_predicted"] = "older"
    test.write_h5ad(tmp_path / "b.h5ad")
    digest = sources.sha256(tmp_path / "b.h5ad")
    source = tmp_path / "b.h5ad" if given == "a file" else test
    out = evaluate.write_predictions(source, found, tmp_path / "new" / "out.h5ad")
    made = ad.read_h5ad(out)
    assert list(made.obs.columns) == ["cell_type", "genept_predicted", "genept_probability"]
    assert list(made.obs["genept_predicted"]) == list(found["predicted"])
    assert np.array_equal(made.obs["genept_probability"], found["probability"])
    assert (made.X != test.X).nnz == 0 and set(made.layers) == {"counts"}
    assert np.array_equal(made.obsm["X_pca"], test.obsm["X_pca"])
    assert sources.sha256(tmp_path / "b.h5ad") == digest
    assert list(test.obs.columns) == ["cell_type", "genept_predicted"]
    assert [path.name for path in out.parent.iterdir()] == ["out.h5ad"]


def test_cells_go_by_name_and_others_get_none(sides, found, tmp_path):
    test = sides[1]
    test.write_h5ad(tmp_path / "b.h5ad")
    some = found.iloc[[5, 3, 40]]
    made = ad.read_h5ad(evaluate.write_predictions(tmp_path / "b.h5ad", some,
                                                   tmp_path / "out.h5ad"))
    given = made.obs["genept_predicted"].dropna()
    assert list(given.index) == ["cell3", "cell5", "cell40"]
    assert given.astype(object).equals(found.loc[given.index, "predicted"])


@pytest.mark.parametrize("out, change, said", [
    ("b.h5ad", None, "is the file that is read"), ("out.csv", None, "must end in .h5ad"),
    ("out.h5ad", lambda found: found.rename({"cell3": "other"}), "1 of 60 predicted cells are not"),
    ("out.h5ad", lambda found: found.rename({"cell3": "cell4"}), "stand several times")])
def test_what_is_not_written(sides, found, tmp_path, out, change, said):
    sides[1].write_h5ad(tmp_path / "b.h5ad")
    before = sources.sha256(tmp_path / "b.h5ad")
    with pytest.raises(ValueError, match=said):
        evaluate.write_predictions(tmp_path / "b.h5ad", change(found) if change else found,
                                   tmp_path / out)
    assert [path.name for path in tmp_path.iterdir()] == ["b.h5ad"]
    assert sources.sha256(tmp_path / "b.h5ad") == before


def test_a_writer_that_fails_leaves_nothing(sides, found, tmp_path, monkeypatch):
    sides[1].write_h5ad(tmp_path / "b.h5ad")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer.ad.io, "write_elem", full)
    with pytest.raises(OSError, match="No space"):
        evaluate.write_predictions(tmp_path / "b.h5ad", found, tmp_path / "out.h5ad")
    assert [path.name for path in tmp_path.iterdir()] == ["b.h5ad"]


# ---------------------------------------------------------------- open data

def test_gene2vec_types_sorted_cells_across_panels(tmp_path):
    """pbmc_facs, halves of genes and of cells: well above the largest type (.21)."""
    try:
        adata, vectors = datasets.load("pbmc_facs"), embed.read_embedding("gene2vec")
    except sources.SourceError as error:
        pytest.skip(str(error).splitlines()[0])
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(adata.n_obs), rng.permutation(adata.n_vars)
    train = adata[np.sort(rows[:700]), np.sort(columns[::2])].copy()
    test = adata[np.sort(rows[700:1400]), np.sort(columns[1::2])].copy()
    assert not set(train.var_names) & set(test.var_names)
    right = test.obs["cell_type"].to_numpy(str)
    found = evaluate.transfer_labels(train, test, vectors)
    assert (found["predicted"] == right).mean() > .55
    null = evaluate.transfer_labels(train, test, embed.permuted(vectors))
    assert (null["predicted"] == right).mean() < .35
    sure = found["probability"] > found["probability"].median()
    assert (found["predicted"] == right)[sure].mean() > (found["predicted"] == right)[~sure].mean()
