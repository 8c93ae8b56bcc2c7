"""Input validation shared by all metrics."""

import numpy as np
import scipy.sparse as sp


def checked(X, labels, least=1):
    """Check that rows and labels belong together.

    Parameters
    ----------
    X : numpy.ndarray
        (n, d) vectors, (n,) names, or None where only the labels count.
    labels : array-like
        (n,) labels.
    least : int
        Fewest different labels; with 2 there must also be more rows than labels.

    Returns
    -------
    numpy.ndarray
        The labels as an array.

    Raises
    ------
    ValueError
        No rows, another number of labels than of rows, NaN or infinite numbers, or too few
        different labels.
    """
    labels = np.asarray(labels)
    if not len(labels):
        raise ValueError("there are no cells (or genes) to score")
    if X is not None:
        n = X.shape[0]
        if n != len(labels):
            raise ValueError(f"there are {n:,} rows of vectors and {len(labels):,} labels")
        values = X.data if sp.issparse(X) else X
        if getattr(values, "dtype", np.dtype(object)).kind == "f" and not np.isfinite(values).all():
            raise ValueError("the vectors hold NaN or infinite values; leave those rows out")
    different = len(set(labels.tolist()))
    if different < least:
        raise ValueError(f"{different} label is no comparison; {least} or more are needed")
    if least > 1 and different == len(labels):
        raise ValueError(f"each of the {len(labels):,} rows has a label of its own; labels must "
                         "group rows")
    return labels
