"""Gene functions: the classes, the linear model of a class, its scores, and places on a map."""

import gzip
import re
import warnings

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.multiclass import OneVsRestClassifier

from genept_utils import evaluate, genes, paths, sources
from genept_utils.evaluate import logistic

N_CLASSES, MORE_THAN = 15, 75  # classes at most, each of more rows than that
FEW = 32  # columns, below which many rows are equal
PLACES = paths.DATA / "gene-map.csv.gz"
# UMAP leaves one dense heap with small islands far out: a distance r from the middle of the map
# becomes r ** _SPREAD, so that the heap can be read and the islands keep their direction.
_SPREAD = 0.6
_HEAD = re.compile(r"# (\S+) SHA-256 ([0-9a-f]{64})")


def gene_classes(universe="symbol"):
    """Genes of the most common functional classes, as in Fig. 2a-b: ``symbol`` and ``gene_type`` of
    each row of the class table; ``.attrs["loss"]`` counts what was left out.

    ``universe``: "symbol", rows whose name is an approved symbol as it stands (closest to the
    paper), or "any", rows whose name or Ensembl id leads to one approved gene.
    """
    if universe not in ("symbol", "any"):
        raise ValueError(f"universe {universe!r} is not one of symbol, any")
    table = pd.read_csv(sources.fetch("genes/gene_info_table.csv"), dtype=str,
                        keep_default_na=False, index_col=0)
    lines = len(table)
    table = table[~table["gene_type"].isin(["nan", "None", "gene_type"])]
    labelled = len(table)
    found = genes.match(table["gene_name"]).table
    table["symbol"] = found["symbol"].to_numpy()
    if universe == "symbol":
        table = table[(found["match_type"] == "approved").to_numpy()]
    else:
        by_id = genes.match(table["ensembl_id"]).symbols
        table["symbol"] = np.where(table["symbol"] != "", table["symbol"], by_id)
        table = table[table["symbol"] != ""]
    matched, count = len(table), table["gene_type"].value_counts()
    chosen = count[count > MORE_THAN].index[:N_CLASSES]
    kept = table.loc[table["gene_type"].isin(chosen), ["symbol", "gene_type"]]
    kept = kept.reset_index(drop=True)
    several = (kept.groupby("symbol")["gene_type"].nunique() > 1).sum()
    kept.attrs["loss"] = {"lines": lines, "unlabelled": lines - labelled,
                          "unmatched": labelled - matched, "small_classes": matched - len(kept),
                          "rows": len(kept), "genes": kept["symbol"].nunique(),
                          "contradictory": int(several)}
    return kept


def along_axes(X):
    """The features of a method as :func:`fits` takes them; no fit is changed by it."""
    return X if sp.issparse(X) or X.shape[1] < FEW else logistic.along_axes(X)


def fits(X, y, strengths, start=None):
    """L2 logistic regressions, one a strength. Dense vectors (:func:`along_axes`): all classes at
    once, beginning from a fit to other rows where one is given; sparse tables: one class against
    the rest by liblinear, in a third of the time; few columns: equal rows are one that counts more,
    100 iterations."""
    if sp.issparse(X):
        return [OneVsRestClassifier(LogisticRegression(C=C, tol=0.001, solver="liblinear")).fit(X, y)
                for C in strengths]
    if X.shape[1] >= FEW:
        return logistic.softmax_path(X, y, strengths, start=start)
    names, codes = np.unique(y, return_inverse=True)
    once, copies = np.unique(np.column_stack([X, codes]), axis=0, return_counts=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return [LogisticRegression(C=C).fit(once[:, :-1], names[once[:, -1].astype(int)], copies)
                for C in strengths]


def scores(given, y, parts, only=None):
    """Accuracy and macro F1 per method and split; ``only``: a mask of the test rows of each."""
    made = []
    for method, answers in given.items():
        for fold, (answer, (_, test)) in enumerate(zip(answers, parts)):
            kept = slice(None) if only is None else only[fold]
            found, truth = answer[kept], y[test][kept]
            made.append({"method": method, "fold": fold, "n_test": len(truth),
                         "accuracy": np.mean(found == truth),
                         "f1_macro": f1_score(truth, found, average="macro")})
    return pd.DataFrame(made)


def coding_scores(inputs, symbols, y, strengths, seed=0):
    """ROC-AUC of a yes-or-no label in five folds, C chosen by three inner folds."""
    outer, made = evaluate.splits(y, 5, 1, None, seed), []
    cut = [part for train, test in outer for part in [(train, test), *(
        (train[a], train[b]) for a, b in evaluate.splits(y[train], 3, 1, None, seed))]]
    for method, source in inputs.items():
        X = evaluate.gene_input(source, symbols, seed)
        areas = np.array([[roc_auc_score(y[test], _plain(X, y, train, C).decision_function(X[test]))
                           for train, test in cut] for C in strengths]).reshape(len(strengths), 5, 4)
        best = areas[:, :, 1:].mean(axis=2).argmax(axis=0)
        made += [{"method": method, "fold": fold, "n_test": len(outer[fold][1]),
                  "roc_auc": areas[best[fold], fold, 0]} for fold in range(5)]
    return pd.DataFrame(made)


def _plain(X, y, rows, C):
    """scikit-learn's fit as it comes: labels of which one is rare need all its digits."""
    solver = {"solver": "liblinear"} if sp.issparse(X) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=C, **solver).fit(X[rows], y[rows])


def on_map(embedding, symbols, seed=0):
    """Two coordinates per gene (n, 2): those of the book's map for its own embedding, else UMAP."""
    if embedding == "minilm":
        return read_map().loc[list(symbols)].to_numpy()
    from umap import UMAP

    return UMAP(random_state=seed, n_epochs=100, n_jobs=1).fit_transform(
        evaluate.gene_input(embedding, symbols, seed))


def read_map(path=PLACES):
    """The kept coordinates by approved symbol; ValueError where they were computed from another
    embedding than the one in ``data/embeddings``."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        name, sha = _HEAD.match(file.readline()).groups()
        table = pd.read_csv(file, index_col="symbol", keep_default_na=False)
    if sources.sha256(paths.EMBEDDINGS / name) != sha:
        raise ValueError(f"{path.name} was computed from another {name}: "
                         "`python -m genept_utils map` computes it again")
    return table


def map_places(embedding, seed=0):
    """Two whole numbers for each gene, ``x`` and ``y`` from 0 to 9999, by UMAP on the cosine of the
    vectors; the middle is stretched and the rim pressed together, and neither axis has a unit.

    ValueError for fewer than 16 vectors, or one that is all zero, NaN or infinite.
    """
    import umap

    if embedding.n_obs < 16:
        raise ValueError(f"{embedding.n_obs} vectors make no map; 16 or more are needed")
    if not np.isfinite(embedding.X).all() or not embedding.X.any(axis=1).all():
        raise ValueError("a vector is all zero or holds NaN or infinite numbers, and has no place "
                         "on a map by angles; leave its gene out")
    layout = umap.UMAP(n_neighbors=15, min_dist=0.1, metric="cosine", random_state=seed,
                       n_jobs=1).fit_transform(np.asarray(embedding.X))
    around = layout - np.median(layout, axis=0)
    far = np.hypot(*around.T)[:, None] + 1e-9
    scaled = around / far * (far / far.max()) ** _SPREAD
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    scaled = (scaled - (low + high) / 2) / ((high - low).max() / 2)
    return pd.DataFrame(np.rint((scaled + 1) / 2 * 9999).astype(int), columns=["x", "y"],
                        index=embedding.obs_names.rename("symbol"))


def write_map(table, embedding_file, path=PLACES):
    """Keep the coordinates with the SHA-256 of the embedding that they belong to."""
    head = f"# {embedding_file.name} SHA-256 {sources.sha256(embedding_file)}\n"
    with sources.replacing(path) as part:
        # no time of writing, so that the same coordinates give the same file
        with open(part, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
            file.write((head + table.to_csv(lineterminator="\n")).encode())
