"""A small network on top of frozen cell vectors, and the representation it learns.

The paper fine-tunes GenePT-w with a "two-layer MLP with ReLU": one hidden layer with ReLU and
one output layer with softmax. Its size is not known; the defaults here are ours.
"""

import warnings

import numpy as np
import pandas as pd

from genept_utils.evaluate.checks import checked
from genept_utils.evaluate.classify import classifier
from genept_utils.evaluate.clusters import asw
from genept_utils.evaluate.donors import held_out_donors
from genept_utils.evaluate.neighbours import label_scores, neighbour_agreement


def fit(X, y, hidden=128, seed=0, weight_decay=1e-2, max_iter=200):
    """Train the network (Adam, cross-entropy) on centred vectors of mean variance 1.

    All columns are divided by one number: dividing each by its own spread would blow up the
    small principal components of a PCA, which are mostly noise.

    Parameters
    ----------
    X : numpy.ndarray
        (n_cells, d) cell vectors.
    y : array-like
        (n_cells,) labels.
    hidden : int
        Units of the hidden layer.
    seed : int
        Seed of the first weights and of the batches.
    weight_decay : float
        L2 penalty on the weights.
    max_iter : int
        Passes through the data.

    Returns
    -------
    sklearn.pipeline.Pipeline
        ``predict`` and ``predict_proba`` take (n, d) vectors; see also :func:`represent`.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    X = np.asarray(X, dtype=np.float32)
    y = checked(X, y, 2)
    scaler = StandardScaler().fit(X)
    scaler.scale_ = np.full(X.shape[1], max(np.sqrt(scaler.var_.mean()), 1e-12))
    network = MLPClassifier((hidden,), activation="relu", solver="adam", alpha=weight_decay,
                            learning_rate_init=1e-3, max_iter=max_iter, random_state=seed,
                            batch_size=min(128, len(y)))
    # a fixed number of passes is the stopping rule; its products are too small for threads
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(scaler.transform(X), np.asarray(y))
    return make_pipeline(scaler, network)


def represent(model, X):
    """The hidden layer of a fitted network: fine-tuned cell vectors.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        From :func:`fit`.
    X : numpy.ndarray
        (n_cells, d) cell vectors.

    Returns
    -------
    numpy.ndarray
        (n_cells, hidden) float32, not negative.
    """
    scaler, network = model[0], model[-1]
    inner = scaler.transform(np.asarray(X, dtype=np.float32)) @ network.coefs_[0]
    return np.maximum(inner + network.intercepts_[0], 0).astype(np.float32)


def compare(spaces, y, tests, kinds=("lr", "lr scaled", "mlp"), seed=0, vary=False,
            max_iter=200):
    """Scores of classifiers and of the network on the same splits.

    Parameters
    ----------
    spaces : dict of str to numpy.ndarray
        (n_cells, d) cell vectors by method.
    y : array-like
        (n_cells,) labels.
    tests : sequence of tuple
        (name of the kind of split, training rows, test rows).
    kinds : sequence of str
        ``"mlp"`` is :func:`fit`; others are names of
        :func:`genept_utils.evaluate.classifier`.
    seed, vary : int, bool
        Seed of the network; with ``vary`` it is one higher for every further split.
    max_iter : int
        Passes of the network through the data.

    Returns
    -------
    pandas.DataFrame
        One row per method, split and kind: ``method``, ``split``, ``number`` (of the split),
        ``classifier``, ``n`` (training and test rows), ``n_test`` and the scores of
        :func:`genept_utils.evaluate.label_scores`.
    """
    y, rows = np.asarray(y), []
    for method, X in spaces.items():
        for number, (split, train, test) in enumerate(tests):
            for kind in kinds:
                model = (fit(X[train], y[train], seed=seed + vary * number, max_iter=max_iter)
                         if kind == "mlp" else classifier(kind).fit(X[train], y[train]))
                rows.append({"method": method, "split": split, "number": number,
                             "classifier": kind, "n": len(train) + len(test), "n_test": len(test),
                             **label_scores(y[test], model.predict(X[test]))})
    return pd.DataFrame(rows)


def before_and_after(X, y, train, test, seed=0, max_iter=30):
    """Test cells as they are, and in the hidden layer of a network fitted to the training cells.

    Returns
    -------
    dict of str to numpy.ndarray
        ``"before"`` (n_test, d) and ``"after"`` (n_test, hidden).
    """
    network = fit(X[train], np.asarray(y)[train], seed=seed, max_iter=max_iter)
    return {"before": X[test], "after": represent(network, X[test])}


def agreement(sets, methods, seed=0, max_iter=30):
    """How well cells of held-out donors lie by condition, before and after fine-tuning on it.

    Parameters
    ----------
    sets : dict of str to anndata.AnnData
        Sets by name; those without ``obs["donor"]`` or a donor to hold out are passed over.
    methods : sequence of str
        Keys of ``obsm``; a set that lacks one is passed over for it.

    Returns
    -------
    pandas.DataFrame
        One row per set, method, held-out donors and ``vectors`` ("before", "after"):
        ``knn_agreement``, the share of the ten nearest held-out cells that have the cell's
        condition, ``chance``, what that share is among cells drawn at random, ``asw``, the
        average silhouette width of the conditions (cosine), and ``n`` cells of all held-out
        donors. Held-out donors that all have one condition are passed over.
    """
    rows = []
    for name, adata in sets.items():
        y = adata.obs["condition"].to_numpy(str)
        tests = [one for one in held_out_donors(adata.obs, seed=seed)
                 if 1 < len(np.unique(y[one[2]])) < len(one[2])]
        n = sum(len(test) for _, _, test in tests)
        for method in [method for method in methods if method in adata.obsm]:
            for _, train, test in tests:
                shares = np.unique(y[test], return_counts=True)[1] / len(test)
                made = before_and_after(adata.obsm[method], y, train, test, seed, max_iter)
                rows += [{"dataset": name, "method": method, "vectors": vectors, "n": n,
                          "chance": shares @ shares, "asw": asw(space, y[test]),
                          "knn_agreement": neighbour_agreement(space, y[test])}
                         for vectors, space in made.items()]
    return pd.DataFrame(rows)


def named(table):
    """Rows for the ledger: GenePT-w (in any preparation) under the network is ``"GenePT-w fine-tuned"``, and other
    methods after fine-tuning likewise; undefined values and what chance gives are left out."""
    made = table.copy()
    if len(made):
        after = (made.pop("vectors").eq("after") if "vectors" in made else
                 made["classifier"].eq("mlp") & made["method"].str.startswith("GenePT-w"))
        made["method"] = made["method"].where(~after, made["method"] + " fine-tuned")
        made = made[made["value"].notna() & made["metric"].ne("chance")]
    return made
