"""Chapter 9: donors held out, the condition of a donor, and a small network on cell vectors.

The paper fine-tunes GenePT-w with a "two-layer MLP with ReLU": one hidden layer with ReLU and
one output layer with softmax. Its size is not known; the defaults here are ours.
"""

import warnings

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from genept_utils import evaluate
from genept_utils.datasets import missing
from genept_utils.evaluate.checks import checked

FOLDS = 10  # of donors, where there are as many
ONE_BY_ONE = 30  # donors that are held out one at a time where a donor is one row


def fit(X, y, hidden=128, seed=0, weight_decay=1e-2, max_iter=200):
    """Train the network (Adam, cross-entropy) on centred vectors of mean variance 1.

    All columns are divided by one number: dividing each by its own spread would blow up the
    small principal components of a PCA, which are mostly noise.
    """
    X = np.asarray(X, dtype=np.float32)
    y = checked(X, y, 2)
    scaler = StandardScaler().fit(X)
    scaler.scale_ = np.full(X.shape[1], max(np.sqrt(scaler.var_.mean()), 1e-12))
    network = MLPClassifier((hidden,), alpha=weight_decay, max_iter=max_iter, random_state=seed,
                            batch_size=min(128, len(y)))
    # its products are too small for threads, and max_iter passes are what is asked for
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(scaler.transform(X), np.asarray(y))
    return make_pipeline(scaler, network)


def represent(model, X):
    """The hidden layer of a fitted network, (n_cells, hidden) float32: fine-tuned vectors."""
    scaler, network = model[0], model[-1]
    inner = scaler.transform(np.asarray(X, dtype=np.float32)) @ network.coefs_[0]
    return np.maximum(inner + network.intercepts_[0], 0).astype(np.float32)


def compare(spaces, y, tests, kinds=("lr", "lr scaled", "mlp"), seed=0, vary=False,
            max_iter=200):
    """Scores of classifiers and of the network ("mlp") on the same splits (name, train, test), a
    row per method, split and kind; with ``vary`` the network's seed grows with the split."""
    y, rows = np.asarray(y), []
    for method, X in spaces.items():
        for number, (split, train, test) in enumerate(tests):
            near, far = X[train], X[test]
            for kind in kinds:
                model = (fit(near, y[train], seed=seed + vary * number, max_iter=max_iter)
                         if kind == "mlp" else _regression(kind, y[train]).fit(near, y[train]))
                rows.append({"method": method, "split": split, "number": number,
                             "classifier": kind, "n": len(train) + len(test), "n_test": len(test),
                             **evaluate.label_scores(y[test], model.predict(far))})
    return pd.DataFrame(rows)


def _regression(kind, y):
    """A classifier by name; of two classes by Newton's steps, which thousands of cells ask for."""
    model = evaluate.classifier(kind)
    if kind == "lr scaled" and len(np.unique(y)) == 2:
        model.set_params(logisticregression__solver="newton-cholesky")
    return model


def before_and_after(X, y, train, test, seed=0, max_iter=30):
    """Test cells as they are, and in the hidden layer of a network fitted to the others."""
    network = fit(X[train], np.asarray(y)[train], seed=seed, max_iter=max_iter)
    return {"before": X[test], "after": represent(network, X[test])}


def agreement(sets, methods, seed=0, max_iter=30):
    """How well cells of held-out donors lie by condition, before and after fine-tuning on it.

    One row per set, method, held-out donors and ``vectors``: ``knn_agreement``, the share of the
    ten nearest held-out cells that have the cell's condition, ``chance``, that share among cells
    drawn at random, ``asw`` of the conditions (cosine), and ``n`` cells of all held-out donors.
    Held-out donors that all have one condition are passed over.
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
    """Rows for the ledger: GenePT-w under the network, and any method after fine-tuning, is
    named "fine-tuned"; undefined values and what chance gives are left out."""
    made = table.copy()
    if len(made):
        after = (made.pop("vectors").eq("after") if "vectors" in made else
                 made["classifier"].eq("mlp") & made["method"].str.startswith("GenePT-w"))
        made["method"] = made["method"].where(~after, made["method"] + " fine-tuned")
        made = made[made["value"].notna() & made["metric"].ne("chance")]
    return made


def donor_splits(y, donor, seed=0):
    """Train and test rows with whole donors held out: one at a time, from ten on in ten folds.

    Cells without a donor stand in no split; splits that train on one condition are left out.
    """
    y, known = np.asarray(y), np.flatnonzero(~missing(donor))
    names = np.asarray(donor).astype(str)[known]
    donors = np.unique(names)
    if len(donors) < FOLDS:
        held = [(known[names != one], known[names == one]) for one in donors]
    else:
        held = [(known[train], known[test])
                for train, test in evaluate.splits(y[known], FOLDS, 1, names, seed)]
    return [(train, test) for train, test in held if len(test) and len(np.unique(y[train])) > 1]


def phenotype_tests(obs, max_cells=4000, seed=0, report=print):
    """Splits (name, train, test) for a phenotype that each cell has: five random folds of a
    sample, and whole donors held out; ``report`` is told where donors are missing."""
    y = obs["condition"].to_numpy(str)
    sample = evaluate.subsample(y, max_cells, seed)
    tests = [("random cells", np.sort(sample[train]), sample[test])
             for train, test in evaluate.splits(y[sample], 5, 1, seed=seed)
             if len(np.unique(y[sample[train]])) > 1]
    if "donor" not in obs:
        report("There is no column of donors, so none is held out; name it with donor=COLUMN.")
        return tests
    lacks = missing(obs["donor"])
    if lacks.any():
        report(f"{lacks.sum():,} of {len(y):,} cells have no donor and are left out where donors "
               "are held out.")
    held = held_out_donors(obs, max_cells, seed)
    if not held:
        donors = obs["donor"][~lacks].nunique()
        report(f"No donor is held out: there {'is' if donors == 1 else 'are'} {donors}, and the "
               "others must have two conditions to learn from.")
    return tests + held


def held_out_donors(obs, max_cells=4000, seed=0):
    """:func:`donor_splits` of a sample of the cells whose donor and condition are known, as
    ("held-out donor", train, test); empty without a column of donors."""
    if "donor" not in obs:
        return []
    known = np.flatnonzero(~missing(obs["donor"]) & ~missing(obs["condition"]))
    names, y = (obs[column].to_numpy()[known].astype(str) for column in ("donor", "condition"))
    chosen = evaluate.subsample(np.char.add(np.char.add(names, "|"), y), max_cells, seed)
    known = known[chosen]
    return [("held-out donor", known[train], known[test])
            for train, test in donor_splits(y[chosen], names[chosen], seed)]


def leave_one_donor_out(X, donor, condition, permutations=200, seed=0):
    """Accuracy and ROC-AUC over donors and the decision on each: a table of scores, with the share
    of shuffled conditions that do at least as well in ``note``, and a table of donors.

    Each donor is held out once, alone or, of more than 30, in one of ten folds; the model is L2
    logistic regression (C = 1) of the mean vectors, columns scaled by the training donors. Every
    training part is weighted so that both conditions count alike: without that, leaving one out
    moves the base rate against the held-out donor.
    """
    table, turned = _donor_table(X, donor, condition, seed)
    y, rng = table["label"].to_numpy(), np.random.default_rng(seed)
    labels = np.array([y, *(rng.permutation(y) for _ in range(permutations))])
    (table["score"], *chance) = _held_out_scores(turned, labels)
    table["right"] = ((table["score"] > 0) == y).astype(int)
    metrics = {"accuracy": lambda y, s: evaluate.mean_interval((s > 0) == y),
               "roc_auc": evaluate.donor_auc}
    made = []
    for name, metric in metrics.items():
        value, low, high = metric(y, table["score"].to_numpy())
        least = sum(metric(*other)[0] >= value for other in zip(labels[1:], chance))
        p = (1 + least) / (1 + permutations)
        made.append({"metric": name, "value": value, "low": low, "high": high, "n": len(y),
                     "note": f"permutation p-value {p:.2f}"})
    return pd.DataFrame(made), table


def _donor_table(X, donor, condition, seed):
    """Donors with their labels, and for every fold the turned mean vectors and its test rows."""
    donor, condition = checked(X, donor), checked(X, condition)
    codes, names = pd.factorize(donor.astype(str), sort=True)
    means = np.array([np.asarray(X[codes == code]).mean(axis=0, dtype=np.float64)
                      for code in range(len(names))])
    of = pd.Series(np.asarray(condition).astype(str), np.asarray(donor).astype(str))
    mixed = of.groupby(level=0).nunique()
    if (mixed > 1).any():
        raise ValueError(f"donor {mixed.idxmax()!r} has cells of {mixed.max()} conditions; a donor "
                         "must have one here")
    of = of[~of.index.duplicated()].reindex(names)
    if of.nunique() != 2:
        raise ValueError(f"the donors have {of.nunique()} conditions "
                         f"({', '.join(of.unique()[:5])}); two are needed")
    y = (of == of.max()).to_numpy(int)
    folds = ([np.array([i]) for i in range(len(y))] if len(y) <= ONE_BY_ONE
             else [test for _, test in evaluate.splits(y, FOLDS, 1, seed=seed)])
    return pd.DataFrame({"donor": names, "label": y}), [(_turned(means, test), test)
                                                        for test in folds]


def _turned(X, held_out):
    """The rows scaled by all but those held out, in at most n coordinates.

    L2 logistic regression depends on the rows through their inner products only, so turning the
    columns changes nothing but the time.
    """
    rest = np.setdiff1d(np.arange(len(X)), held_out)
    scaled = (X - X[rest].mean(axis=0)) / np.maximum(X[rest].std(axis=0), 1e-9)
    u, s, _ = np.linalg.svd(scaled, full_matrices=False)
    return u * s


def _held_out_scores(turned, labels):
    """(p, n) decision value of each row under a model of the rows of other folds, for each of p
    labellings (p, n): damped Newton steps, all labellings at once."""
    scores = np.empty(labels.shape)
    for rows, test in turned:
        rest = np.setdiff1d(np.arange(len(rows)), test)
        X, y = np.column_stack([rows, np.ones(len(rows))]), labels[:, rest]
        share = y.mean(axis=1, keepdims=True)
        if not ((share > 0) & (share < 1)).all():
            raise ValueError("a condition that one donor alone has cannot be learnt from others; "
                             "two donors of each are needed")
        sign, weight = 2 * y - 1, np.where(y == 1, .5 / share, .5 / (1 - share))
        ridge = np.append(np.ones(rows.shape[1]), 0)  # the intercept is not penalised
        found, size = np.zeros((len(y), len(ridge))), np.ones(1)
        while size.max() > 1e-6:
            miss = expit(-sign * (found @ X[rest].T))
            slope = ridge * found - (weight * sign * miss) @ X[rest]
            curve = (weight * miss * (1 - miss))[:, None] * X[rest].T @ X[rest] + np.diag(ridge)
            step = np.linalg.solve(curve, slope[..., None])[..., 0]
            size = np.sqrt(np.maximum((step * slope).sum(axis=1, keepdims=True), 0))
            found -= step / np.where(size > .25, 1 + size, 1)
        scores[:, test] = found @ X[test].T
    return scores


def small_share(labels, share, draws, seed=0, report=print):
    """(train, test) rows of draws of a small share of the cells, each type in its share; types of
    one cell are left out, and no draw is made where the share holds fewer cells than types."""
    from sklearn.model_selection import train_test_split

    labels = np.asarray(labels).astype(str)
    counts = pd.Series(labels).value_counts()
    single = counts.index[counts < 2]
    rows = np.flatnonzero(~np.isin(labels, single))
    types = len(counts) - len(single)
    if len(single):
        report(f"Types of one cell are left out here: {', '.join(single[:5])}"
               + (f" and {len(single) - 5} more." if len(single) > 5 else "."))
    if types < 2:
        report("Learning cell types is left out: fewer than two types have two cells or more.")
        return []
    n = int(share * len(rows))
    if n < types or len(rows) - n < types:
        most = 1 - types / len(rows)
        report(f"Learning cell types is left out: {share:.2%} of {len(rows):,} cells are {n}, and "
               f"{types} types ask for a share between {np.ceil(1e4 * types / len(rows)) / 1e4} "
               f"and {np.floor(1e4 * most) / 1e4} (share=...).")
        return []
    return [tuple(train_test_split(rows, train_size=share, stratify=labels[rows],
                                   random_state=draw)) for draw in range(seed, seed + draws)]


def neighbour_agreement(X, labels, k=10):
    """Mean share of the ``k`` nearest other cells (cosine) that have the cell's own label."""
    from sklearn.neighbors import NearestNeighbors

    labels = np.asarray(labels)
    near = NearestNeighbors(n_neighbors=min(k, len(labels) - 1), metric="cosine",
                            algorithm="brute").fit(X).kneighbors(return_distance=False)
    return float((labels[near] == labels[:, None]).mean())


def asw(X, labels, max_cells=3000, seed=0):
    """Average silhouette width (cosine) of the labels of ``max_cells`` cells, each in its share."""
    from sklearn.metrics import silhouette_score

    labels = checked(X, labels, 2)
    rows = evaluate.subsample(labels, max_cells, seed)
    return float(silhouette_score(np.asarray(X, np.float32)[rows], labels[rows], metric="cosine"))
