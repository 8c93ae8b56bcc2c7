"""Chapter 11: effects and pairs of perturbed genes, kernels of gene vectors, pairs as curves."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import datasets, evaluate, genes, sources
from genept_utils.evaluate.roc import SharedGenes

LINCS = "perturbation/lincs_overexpression_dysreg.tsv"
REPLOGLE = "perturbation/replogle_k562"
NORMAN = [f"perturbation/norman_{part}" for part in (
    "emap_gene.txt", "phenotype_gene.txt", "doubles_fits.csv")]


def perturbation_effects(name="lincs", least=5):
    """What each perturbed gene does to the others: z-scores (n_perturbed, n_genes) float32, 0 where
    no effect is known and for the gene itself; rows by approved symbol, sorted.

    ``"lincs"``: consensus signatures of overexpressed genes (Himmelstein et al. 2016), significant
    effects alone, columns by Entrez identifier; ``"replogle_k562"``: essential genes repressed in
    K562 (Replogle et al. 2022), 80 MB, from the network; or the path of an .h5ad file of one row
    per perturbation, named after its gene or ``NUMBER_GENE_...``, and one column per gene, named
    in ``var_names`` or a text column of ``var``. Rows of one gene are averaged; genes with fewer
    than ``least`` effects are left out. ``.attrs`` counts ``lines`` read, ``own`` effects and
    ``perturbed`` genes before that.
    """
    if name == "lincs":
        table = pd.read_csv(sources.fetch(LINCS), sep="\t")
        entrez = genes.hgnc()["entrez_id"].loc[lambda ids: ids != ""].astype(int)
        own = table["perturbagen"] == table["entrez_gene_id"]
        counts = {"lines": len(table), "own": int(own.sum()),
                  "perturbed": table["perturbagen"].nunique()}
        table = table[~own].assign(
            symbol=table["perturbagen"].map(pd.Series(entrez.index, entrez)))
        made = table.pivot_table("z_score", "symbol", "entrez_gene_id", fill_value=0)
    else:
        made, counts = _of_file(sources.fetch(REPLOGLE) if name == "replogle_k562" else name)
    made = made.loc[(made != 0).sum(axis=1) >= least].astype(np.float32)
    if len(made) < 10:
        raise ValueError(f"{name} has {len(made)} perturbed genes with {least} effects or more; "
                         "take a smaller `least`, or another file")
    made = made.loc[:, (made != 0).any()].rename_axis(index="symbol", columns=None)
    made.attrs = counts
    return made


def _of_file(path):
    adata = datasets.read_cells(path)
    values = adata.X.toarray() if sp.issparse(adata.X) else np.asarray(adata.X)
    rows = pd.Series(adata.obs_names, dtype=str)
    rows = rows.str.extract(r"^\d+_([^_]+)_", expand=False).fillna(rows)
    symbols = genes.match(rows).symbols
    texts = [adata.var_names, *(adata.var[name].astype(str) for name in adata.var
                                if not pd.api.types.is_numeric_dtype(adata.var[name]))]
    columns = max((genes.match(list(names)).symbols for names in texts),
                  key=lambda found: (found != "").sum())
    for side, found, form in (("row", symbols, "a gene, or NUMBER_GENE_... as in Replogle et al."),
                              ("column", columns, "a gene")):
        if not (found != "").any():
            raise ValueError(f"{Path(path).name} is no table of perturbations by genes: no {side} "
                             f"is named after {form}")
    own = (columns == symbols[:, None]) & (columns != "")
    values = np.where(own | ~np.isfinite(values), 0, values)
    made = pd.DataFrame(values, symbols, adata.var_names)[symbols != ""]
    return made.groupby(level=0).mean(), {"lines": len(rows), "own": int(own.sum()),
                                          "perturbed": len(set(symbols) - {""})}


def genetic_interactions():
    """Genes activated in pairs in K562 (Norman et al. 2019): (112, 112) by how much the fitness of
    the double departs from what its singles let expect, NaN on the diagonal; and (112,) the
    fitness of each gene activated alone, beside the negative control."""
    scores, fitness = (pd.read_csv(sources.fetch(key), sep="\t", index_col=0)
                       for key in NORMAN[:2])
    values = (scores.to_numpy() + scores.to_numpy().T) / 2
    np.fill_diagonal(values, np.nan)
    names = _approved(scores.index)
    return (pd.DataFrame(values, names, names),
            fitness.loc[scores.index, "negative"].set_axis(names).rename("fitness"))


def double_perturbations():
    """The 125 doubles with a measured transcriptome: ``a``, ``b``; ``additive``, correlation of
    the double's profile with the sum of its singles'; of the singles ``similarity``, the distance
    correlation of their profiles, and ``strength``, log10 of the genes that each changes, added."""
    table = pd.read_csv(sources.fetch(NORMAN[2]), index_col="name")
    first, second = zip(*(name.split("_") for name in table.index))
    return pd.DataFrame({
        "a": _approved(first), "b": _approved(second), "additive": table["corr_sum"].to_numpy(),
        "similarity": table["dcor_singles"].to_numpy(),
        "strength": (table["de_first"] + table["de_second"]).to_numpy()})


def _approved(names):
    """(n,) approved symbols; a name that has none stays as it is."""
    found = genes.match(list(names)).symbols
    return np.where(found == "", np.asarray(names, dtype=object), found)


def kernel(source, symbols, seed=0):
    """(n, n) cosines of the vectors of some genes, the mean of these genes taken off first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the page counts genes without a vector
        X = evaluate.gene_input(source, symbols, seed)
    X = X.toarray() if sp.issparse(X) else np.asarray(X, dtype=float)
    return cosines(X - X.mean(axis=0)).astype(np.float32)


def cosines(X):
    """(n, n) cosines of rows; a row of zeros has 0 with all others."""
    length = np.linalg.norm(X, axis=1, keepdims=True)
    X = np.divide(X, length, out=np.zeros_like(X), where=length > 1e-12)
    return X @ X.T


def centred(G, train):
    """Inner products of profiles less the mean profile of the training genes, from plain ones."""
    mean = G[:, train].mean(axis=1)
    return G - mean[:, None] - mean + mean[train].mean()


def gene_folds(symbols, family=None, n_splits=5, seed=0):
    """(train, test) row numbers: random genes, or whole families, in each fold."""
    groups = None if family is None else evaluate.families(symbols, family)
    return evaluate.splits(np.zeros(len(symbols), dtype=int), n_splits, 1, groups, seed)


def ranks(cosine):
    """Share of the other held-out profiles that lie farther from a prediction than the true one;
    cosines (n, n), a row a prediction; of equal ones half."""
    own, n = cosine.diagonal()[:, None], len(cosine)
    return ((cosine < own).sum(axis=1) + ((cosine == own).sum(axis=1) - 1) / 2) / (n - 1)


def directions(W, known, test):
    """Share of a gene's significant effects (test, n_test x m) whose direction is right in the
    mean profile of the training genes (known, n_train x m) moved by the weights; an effect that
    no training gene shows counts half."""
    share = W - (W.sum(axis=1, keepdims=True) - 1) / len(known)  # of the profiles less their mean
    found = share.astype(known.dtype) @ known
    right = np.where(np.abs(found) < 1e-9, .5, (found > 0) == (test > 0))
    return (right * (test != 0)).sum(axis=1) / (test != 0).sum(axis=1)


def correlation(y, scores, pairs):
    """Pearson correlation over pairs by method, as :func:`evaluate.pair_roc` gives areas, so that
    ``summarise`` and ``compare`` know which pairs share a gene."""
    shared, made, y = SharedGenes(pairs), {}, standard(y)
    for method, values in scores.items():
        x = standard(values)
        r = (x * y).mean()
        influence = (x * y - r * (x**2 + y**2) / 2) / len(y)
        half = shared.half_width(influence)
        made[method] = {"auc": r, "low": max(r - half, -1), "high": min(r + half, 1),
                        "n": len(y), "influence": influence, "shared": shared}
    return made


def standard(values):
    """Values less their mean, over their deviation; a constant becomes 0."""
    values = np.asarray(values, dtype=float) - np.mean(values)
    return values / max(values.std(), 1e-12)


def of_singles(fitness, Y, train, test, other):
    """Interactions (n_test, n_other) by least squares on what the fitness of two singles gives:
    sum, product and difference. It reads no vector, and knows both genes of a new pair."""
    def table(a, b):
        a, b = np.meshgrid(fitness[a], fitness[b], indexing="ij")
        return np.stack([np.ones_like(a), a + b, a * b, np.abs(a - b)], axis=-1)

    inside = Y[np.ix_(train, train)]
    known = np.isfinite(inside)
    fitted = np.linalg.lstsq(table(train, train)[known], inside[known], rcond=None)[0]
    return table(test, other) @ fitted


def both_new(W, Y, train):
    """Interactions among new genes (n_test, n_test) from those among training genes, through
    weights: of the pairs, W Y W'; and additive, from what each gene does on average."""
    known = known_interactions(Y, train)
    alone = W @ known.sum(axis=1) / (len(train) - 1)
    return W @ known @ W.T, alone[:, None] + alone


def one_new(W, Y, train):
    """Interactions of new genes with training genes (n_test, n_train), through weights; and what
    each training gene does on average, whatever the new gene is."""
    known = known_interactions(Y, train)
    return W @ known, np.ones((len(W), 1)) * known.sum(axis=0) / (len(train) - 1)


PLAIN = {both_new: "GenePT MiniLM, additive", one_new: "degree"}  # second value of each


def known_interactions(Y, train):
    """Interactions among training genes less their mean; 0 for a gene with itself."""
    known = Y[np.ix_(train, train)]
    return np.where(np.isnan(known), 0, known - np.nanmean(known))


def relabelled(K, seed):
    """A kernel whose vectors are handed to other genes."""
    order = np.random.default_rng(seed).permutation(len(K))
    return K[np.ix_(order, order)]


def columns(model, train, test):
    """Genes on the other side of the new ones: new ones themselves, or training genes."""
    return test if model is both_new else train


def agree(model, W, Y, train, test):
    """Pearson correlation of a model's predictions with the interactions of the new genes."""
    other = columns(model, train, test)
    at = np.triu_indices(len(test), 1) if other is test else ...
    known, found = Y[np.ix_(test, other)][at], model(W, Y, train)[0][at]
    return (standard(known) * standard(found)).mean()


def pair_table(parts):
    """Pairs (n, 2) of gene numbers, the smaller first, with their mean over repeats, from a list
    of (genes of the rows, genes of the columns, values) of test folds. The mean of a fold is taken
    off first: a training mean is high where the held-out mean is low."""
    rows = []
    for a, b, values in parts:
        same = len(a) == len(b) and (a == b).all()
        i, j = np.triu_indices(len(a), 1) if same else np.indices(values.shape).reshape(2, -1)
        ends = np.sort(np.column_stack([a[i], b[j]]), axis=1)
        rows.append(pd.DataFrame({"a": ends[:, 0], "b": ends[:, 1],
                                  "value": values[i, j] - values[i, j].mean()}))
    made = pd.concat(rows).groupby(["a", "b"])["value"].mean()
    return np.array(made.index.to_list()), made.to_numpy()
