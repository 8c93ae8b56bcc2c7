"""Chapter 4: cosines of all pairs of genes, families in programs, selectivity for cell types."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy import stats

from genept_utils.evaluate.checks import checked
from genept_utils.evaluate.intervals import mean_interval
from genept_utils.optional import compiled


STEP = .0001  # of cosines that are counted
ROWS = 1024  # genes whose cosines are in memory at once


def pair_cosines(vectors, share, least=1):
    """Of vectors (n, d), dense or sparse: cosines of all pairs, counted in steps of .01 from -1, their
    median, and the pairs ``a < b`` with a ``cosine`` of the largest ``share`` or above ``least``."""
    size = np.sqrt(np.asarray((vectors**2 if isinstance(vectors, np.ndarray)
                               else vectors.multiply(vectors)).sum(axis=1)).ravel())
    weight = 1 / np.maximum(size, 1e-12).astype(np.float32)
    unit = sp.diags_array(weight, dtype=np.float32) @ vectors if sp.issparse(vectors) else (
        vectors * weight[:, None])
    n, floor, kept = len(size), -2.0, []
    counts, most = np.zeros(round(2.01 / STEP), dtype=int), round(share * n * (n - 1) / 2)
    for start in range(0, n, ROWS):
        found = unit[start:start + ROWS] @ unit[start:].T
        found = found.toarray() if sp.issparse(found) else found
        upper = np.triu(np.ones(found.shape, dtype=bool), 1)
        counts += np.bincount(((found[upper] + 1) / STEP).clip(0).astype(np.int32),
                              minlength=len(counts))
        a, b = np.nonzero(upper & (found > min(floor, least)))
        kept.append(pd.DataFrame({"a": a + start, "b": b + start, "cosine": found[a, b]}))
        if sum(map(len, kept)) > 4 * most or start + ROWS >= n:
            kept = [pd.concat(kept, ignore_index=True)]
            floor = exceeded(kept[0]["cosine"].to_numpy(), most)
            kept = [kept[0][kept[0]["cosine"] >= min(floor, least)]]
    median = np.searchsorted(counts.cumsum(), counts.sum() / 2) * STEP - 1
    return counts.reshape(-1, round(.01 / STEP)).sum(axis=1), median, kept[0]


def exceeded(values, n):
    """The n-th largest of some values."""
    return float(np.partition(values, -n)[-n]) if 0 < n <= len(values) else -2.0


def family_recovery(programs, families):
    """Of each family (its mask of genes), the program that holds most of it; of several the
    smallest. ``p`` is hypergeometric and not corrected for taking the best program."""
    rows = {}
    for family, member in families.items():
        member = np.asarray(member, dtype=bool)
        genes = int(member.sum())
        for name, program in programs.items():
            program = np.asarray(program)
            sizes = np.bincount(program[program >= 0], minlength=1)
            inside = np.bincount(program[member & (program >= 0)], minlength=len(sizes))
            best = int(np.lexsort((sizes, -inside))[0])
            found = int(inside[best])
            size = int(sizes[best]) if found else 0
            low, high = stats.binomtest(found, genes).proportion_ci(method="wilson")
            key = (family, *name) if isinstance(name, tuple) else (family, name)
            rows[key] = {"found": found, "genes": genes, "program": best,
                         "size": size, "value": found / genes, "low": low, "high": high,
                         "p": stats.hypergeom.sf(found - 1, len(program), genes, size)}
    return pd.DataFrame.from_dict(rows, orient="index")


def explained_by(labels, values):
    """(k,) share of the variance of values (n, k) that lies between labels (eta squared)."""
    codes, names = pd.factorize(checked(values, labels))
    one_hot = sp.csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))))
    centred = values - values.mean(axis=0)
    sums = one_hot @ centred
    between = (sums**2 / np.bincount(codes)[:, None]).sum(axis=0)
    total = (centred**2).sum(axis=0)
    return np.divide(between, total, out=np.full(len(total), np.nan), where=total > 0)


def scaling(X):
    """X as float64, and mean and deviation of each of its genes; X is not made dense."""
    X = sp.csr_array(X, dtype=np.float64)
    mean = X.mean(axis=0)
    return X, mean, np.sqrt(np.maximum(X.multiply(X).mean(axis=0) - mean**2, 0))


def program_scores(scaled, program):
    """(n_cells, n_programs) mean of the scaled genes of each program, of what :func:`scaling` gives."""
    (X, mean, deviation), program = scaled, np.asarray(program)
    kept = program >= 0
    size = np.bincount(program[kept], minlength=program.max() + 1)
    weight = np.divide(1, deviation * size[program], out=np.zeros(len(program)),
                       where=(deviation > 1e-6) & kept)
    made = np.zeros((X.shape[0], len(size)))
    _add(X.indptr, X.indices, X.data * weight[X.indices], np.where(kept, program, 0), made)
    return made - np.bincount(program[kept], (mean * weight)[kept], len(size))


@compiled
def _add(starts, genes, values, program, made):
    """Values of each cell by program: scipy's product with a sparse table takes twice as long."""
    for cell in range(len(made)):
        for at in range(starts[cell], starts[cell + 1]):
            made[cell, program[genes[at]]] += values[at]


def selectivity(X, program, labels, shuffles=50, seed=0):
    """Eta squared of each program's score, and (shuffles, n_programs) of shuffled genes."""
    rng, scaled = np.random.default_rng(seed), scaling(X)
    drawn = [np.asarray(program), *(rng.permutation(program) for _ in range(shuffles))]
    eta, *null = [explained_by(labels, program_scores(scaled, each)) for each in drawn]
    return eta, np.array(null)


def selectivity_table(effects, names):
    """A row a set of programs: mean selectivity, that of shuffles, share above 95 % of them."""
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
