"""How far gene programs differ between types of cells, beside programs of shuffled genes."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils.evaluate.checks import checked
from genept_utils.evaluate.intervals import mean_interval


def explained_by(labels, values):
    """Share of the variance of each column of values that lies between labels (eta squared).

    Parameters
    ----------
    labels : array-like
        (n,) label of each row, for example the cell type.
    values : numpy.ndarray
        (n, k), for example the score of k programs in n cells.

    Returns
    -------
    numpy.ndarray
        (k,) between 0 and 1; NaN for a constant column.
    """
    codes, names = pd.factorize(checked(values, labels))
    one_hot = sp.csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))))
    centred = values - values.mean(axis=0)
    sums = one_hot @ centred
    between = (sums**2 / np.bincount(codes)[:, None]).sum(axis=0)
    total = (centred**2).sum(axis=0)
    return np.divide(between, total, out=np.full(len(total), np.nan), where=total > 0)


def program_scores(X, program):
    """Mean of the genes of each program in each cell, each gene scaled over the cells.

    Parameters
    ----------
    X : numpy.ndarray or scipy.sparse matrix
        (n_cells, n_genes) expression; scaled here to zero mean and unit variance without being
        made dense. A gene without variance counts as 0.
    program : array-like
        (n_genes,) int program of each gene, -1 for none.

    Returns
    -------
    numpy.ndarray
        (n_cells, n_programs) float64; 0 for a program without a gene here.
    """
    program, X = np.asarray(program), sp.csr_array(X, dtype=np.float64)
    mean = X.mean(axis=0)
    deviation = np.sqrt(np.maximum(X.multiply(X).mean(axis=0) - mean**2, 0))
    kept = np.flatnonzero(program >= 0)
    size = np.bincount(program[kept], minlength=program.max() + 1)
    weight = np.divide(1, deviation * size[program], out=np.zeros(len(program)),
                       where=(deviation > 1e-6) & (program >= 0))
    table = sp.csr_array((weight[kept], (kept, program[kept])),
                         shape=(len(program), program.max() + 1))
    return (X @ table).toarray() - mean @ table


def selectivity(X, program, labels, shuffles=50, seed=0):
    """Between-label share of the variance of each program's score, and that of shuffled genes.

    Parameters
    ----------
    X, program
        As :func:`program_scores` takes them.
    labels : array-like
        (n_cells,) cell type.
    shuffles, seed : int
        How often the genes are handed to programs of the same sizes, and the seed.

    Returns
    -------
    eta : numpy.ndarray
        (n_programs,) :func:`explained_by`; NaN for a program without a gene here.
    null : numpy.ndarray
        (shuffles, n_programs) the same for shuffled genes.
    """
    rng = np.random.default_rng(seed)
    drawn = [np.asarray(program), *(rng.permutation(program) for _ in range(shuffles))]
    eta, *null = [explained_by(labels, program_scores(X, each)) for each in drawn]
    return eta, np.array(null)


def selectivity_table(effects, names):
    """Mean selectivity of several sets of programs beside their shuffled genes.

    Parameters
    ----------
    effects : dict of tuple
        Key -> what :func:`selectivity` returns.
    names : list of str
        Columns that the keys fill.

    Returns
    -------
    pandas.DataFrame
        One row per key: ``n`` programs, ``value`` with ``low`` and ``high`` (95 %, of
        :func:`mean_interval` over programs); ``shuffled`` with ``shuffled low`` and ``shuffled high`` (middle 95 % of the
        shuffles); ``above`` (share of programs above 95 % of the shuffled ones of their size).
    """
    rows = []
    for key, (eta, null) in effects.items():
        eta, null = eta[np.isfinite(eta)], null[:, np.isfinite(eta)]
        value, low, high = mean_interval(eta)
        means = np.nanmean(null, axis=1)
        rows.append(dict(zip(names, key, strict=True)) | {
            "n": len(eta), "value": value, "low": low, "high": high, "shuffled": means.mean(),
            "shuffled low": np.quantile(means, .025), "shuffled high": np.quantile(means, .975),
            "above": np.mean(eta > np.quantile(null, .95, axis=0))})
    return pd.DataFrame(rows)
