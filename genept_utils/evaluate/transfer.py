"""Cell types carried from one data set to another that was measured on other genes."""

import shutil
import warnings
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd

from genept_utils import cells, sources, untrusted
from genept_utils.datasets import missing, read_cells
from genept_utils.evaluate.checks import checked
from genept_utils.evaluate.gene_spaces import standardise
from genept_utils.evaluate.splits import subsample


def transfer_labels(train, test, vectors, C=0.01, label="cell_type", max_cells=20_000, seed=0):
    """Predict the cell types of one data set from the labelled cells of another.

    A logistic regression is trained on GenePT-w of the training cells, from whatever genes those
    have, and applied to GenePT-w of the test cells, from whatever genes these have; no gene has
    to be on both sides. Each side is standardised by itself, as in
    :func:`genept_utils.evaluate.across_panels`: that takes away what differs between the panels
    as a whole, and it errs where the two sides hold very different mixtures of types.

    Parameters
    ----------
    train : anndata.AnnData
        (n_train, n_genes) counts or log-normalised values, with types in ``obs[label]``; cells
        without a type are not used.
    test : anndata.AnnData
        (n_test, n_other_genes). Where it has ``obs[label]``, too, at least one type must be
        among those of ``train``; the values are not used for the prediction.
    vectors : anndata.AnnData
        Gene vectors (n, d), from :func:`genept_utils.embed.read_embedding`.
    C : float
        Inverse strength of the L2 penalty.
    label : str
        Column of ``obs`` with the types.
    max_cells : int
        Larger training sets are sampled, each type in its share.
    seed : int
        Seed of that sample.

    Returns
    -------
    pandas.DataFrame
        Indexed by the names of the test cells, in their order: ``predicted``, a type of
        ``train``, and ``probability`` of that type, as the regression gives it, from 0 to 1; both
        missing for a cell that expresses no gene with a vector.

    Raises
    ------
    KeyError
        ``train`` has no column ``label``.
    ValueError
        Fewer than two types in ``train``, no type on both sides where both have types, or no gene
        with a vector on one side; the message says on which.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    there = ", ".join(map(str, train.obs.columns)) or "none"
    if label not in train.obs:
        raise KeyError(f"the training cells have no column {label!r}; name the one that holds "
                       f"their types, of {there}")
    given, types = _typed(train, label)
    if not len(given):
        raise ValueError(f"no training cell has a value in the column {label!r}; name another one "
                         f"of {there}")
    y = checked(None, types, 2)
    if label in test.obs:
        other = _typed(test, label)[1]
        if len(other) and not np.isin(other, y).any():
            raise ValueError(
                f"no type stands on both sides: the training cells are {_some(y)}, the test cells "
                f"{_some(other)}; write them alike, or leave {label!r} of the test cells out")
    rows = subsample(y, max_cells, seed)
    near = _written(train[given[rows]], vectors, "training")
    far = _written(test, vectors, "test")
    seen, known = near.any(axis=1), far.any(axis=1)
    checked(None, y[rows][seen], 2)
    with threadpool_limits(1):  # the products are small: threads would wait for each other
        model = LogisticRegression(C=C, max_iter=500, tol=1e-3).fit(
            standardise(near[seen]), y[rows][seen])
        chances = model.predict_proba(standardise(far[known]))
    found = pd.DataFrame({"predicted": np.full(len(far), None, dtype=object),
                          "probability": np.nan}, index=test.obs_names)
    found.loc[known, "predicted"] = model.classes_[chances.argmax(axis=1)]
    found.loc[known, "probability"] = chances.max(axis=1)
    if not known.all():
        warnings.warn(f"{(~known).sum():,} of {len(far):,} test cells express no gene with a "
                      "vector and get no type", stacklevel=2)
    return found


def _typed(adata, label):
    """Row numbers of the cells that have a type, and these types."""
    types = np.asarray(adata.obs[label], dtype=object)
    rows = np.flatnonzero(~missing(types))
    return rows, types[rows].astype(str)


def _some(types):
    names = np.unique(types)
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(map(repr, map(str, names[:4]))) + more


def _written(adata, vectors, side):
    """GenePT-w (n, d) of cells that are themselves not changed."""
    own = {name: adata.uns[name] for name in ("genept_data", "log1p") if name in adata.uns}
    light = ad.AnnData(adata.X, var=adata.var, uns=own)
    try:
        cells.genept_w(light, vectors)
    except ValueError as error:
        raise ValueError(f"the {side} cells: {error}") from None
    return np.asarray(light.obsm["X_genept_w"])


def write_predictions(source, found, out):
    """Write a copy of a file of cells with predicted types in its ``obs``.

    Parameters
    ----------
    source : path or anndata.AnnData
        The cells that were tested, which stay as they are. Of an ``.h5ad`` file all of its
        content is copied; of a file of another kind what
        :func:`genept_utils.datasets.read_cells` reads of it.
    found : pandas.DataFrame
        From :func:`transfer_labels`; a cell of the file that is not among them gets no type.
    out : path
        The new ``.h5ad`` file. It is there as a whole or not at all.

    Returns
    -------
    pathlib.Path
        ``out``, with ``obs["genept_predicted"]`` and ``obs["genept_probability"]``.

    Raises
    ------
    ValueError
        ``out`` does not end in ``.h5ad`` or is the source itself, or the names of the cells do not
        say which prediction belongs to which cell.
    """
    out = Path(out).expanduser()
    if out.suffix != ".h5ad":
        raise ValueError(f"{out.name} must end in .h5ad; the cells are written as AnnData")
    if hasattr(source, "obs_names"):
        copy = source.copy()
    else:
        source = Path(source).expanduser()
        if out.exists() and source.exists() and out.samefile(source):
            raise ValueError(f"{out} is the file that is read; give the new one another name")
        if source.suffix == ".h5ad" and h5py.is_hdf5(source):
            return _into_copy(source, found, out)
        copy = read_cells(source)
    copy.obs = copy.obs.assign(**_matching(found, copy.obs_names))
    with sources.replacing(out) as part:
        copy.write_h5ad(part)
    return out


def _into_copy(source, found, out):
    with untrusted.hdf5(source) as file:
        obs = ad.io.read_elem(file["obs"])
    obs = obs.assign(**_matching(found, obs.index))
    with sources.replacing(out) as part:
        shutil.copyfile(source, part)
        with h5py.File(part, "r+") as file:
            ad.io.write_elem(file, "obs", obs)
    return out


def _matching(found, names):
    """The columns for cells of these names, (n,) each, by name or where all are given in order."""
    if not names.equals(found.index):
        if not (names.is_unique and found.index.is_unique):
            raise ValueError("names of cells stand several times, so it is not known which "
                             "prediction belongs to which cell; adata.obs_names_make_unique() and "
                             "write the file again before its types are predicted")
        strange = found.index[~found.index.isin(names)]
        if len(strange):
            raise ValueError(f"{len(strange):,} of {len(found):,} predicted cells are not in the "
                             f"file (such as {strange[0]!r}); predict the cells of this file")
        found = found.reindex(names)
    return {"genept_predicted": pd.Categorical(found["predicted"]),
            "genept_probability": found["probability"].to_numpy(float)}
