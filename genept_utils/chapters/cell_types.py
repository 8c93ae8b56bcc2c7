"""Chapter 7: vectors of all words, cell typing by nearest neighbours, and scores over the sets."""

import warnings

import numpy as np
import pandas as pd

from genept_utils import datasets, embed, evaluate, genes
from genept_utils.evaluate.checks import checked
from genept_utils.evaluate.neighbours import neighbours_and_sums, silhouettes


def coverage(sets):
    """Per set the genes that :func:`genept_utils.evaluate.on_same_genes` left, and the shares of
    all genes and of the expression that they are."""
    rows = {name: adata.uns["same_genes"] for name, adata in sets.items()}
    return pd.DataFrame(rows.values(), pd.Index(rows, name="dataset")).round(3)


def can_hold_out(obs):
    """Whether there are batches that share a cell type, so that one can be held out."""
    return ("batch" in obs and obs["batch"].nunique() > 1
            and len(datasets.batches_alone(obs)) < obs["batch"].nunique())


def over_sets(table, values, pairs, unit, kind="units", shown=None):
    """Scores and paired differences of every set, and over the sets with the set as unit.

    ``kind``: of the interval within a set; ``shown``: that of a set's scores, where it is another.
    Differences of sets in which two methods share no unit are left out; rows of "N sets" come
    last.
    """
    pairs = [tuple(pair) for pair in pairs]
    alone = (kind, unit) if shown is None else (shown,)
    scores = [evaluate.summarise(table, ["dataset", "method"], values, *alone)]
    gaps = [evaluate.compare(table, pairs, unit, values, ["dataset"], kind)]
    if (n := table["dataset"].nunique()) > 1:
        scores.append(evaluate.summarise(table, ["method"], values, "units", "dataset"))
        gaps.append(evaluate.compare(table, pairs, "dataset", values))
        for rows in (scores, gaps):
            rows[-1] = rows[-1].assign(dataset=f"{n} sets")
    made = [pd.concat([part.dropna(axis=1, how="all") for part in rows],  # pandas warns of those
                      ignore_index=True).reindex(columns=rows[0].columns)
            for rows in (scores, gaps)]
    return tuple(table.dropna(subset=["value"]) for table in made)


def projected_words(n=384, seed=0):
    """Gene vectors of all words: TF-IDF of every gene's name and summary, times a sparse random
    matrix (Li et al. 2006), so that no word is cut and angles stay to about ``1 / sqrt(n)``."""
    from sklearn.random_projection import SparseRandomProjection

    written = embed.texts("summary")
    narrow = SparseRandomProjection(n, dense_output=True, random_state=seed)
    return embed.as_embedding(narrow.fit_transform(evaluate.words(written)),
                              genes.identified(written.index), model="all words",
                              text="summary", seed=seed)


def neighbourhood(X, obs, k=40, votes=10):
    """Of each cell the nearest others (n_cells, k), the mean silhouette width of the cell types,
    and the nearest cells of other batches (n_cells, votes), None where :func:`can_hold_out` says
    no: Euclidean, nearest first, in one pass over the distances."""
    codes, apart = pd.factorize(checked(X, obs["cell_type"], 2))[0], None
    if can_hold_out(obs):
        batch = pd.factorize(np.asarray(obs["batch"]).astype(str))[0]
        apart = np.where(datasets.missing(obs["batch"]), -1, batch), votes
    near, sums, *others = neighbours_and_sums(X, codes, k, apart=apart)
    return near, float(silhouettes(sums, codes).mean()), others[0] if others else None


def cell_typing(X, labels, k=10, n_splits=5, groups=None, seed=0, near=None):
    """k-nearest-neighbour cell typing, a row per split with ``held_out``, ``n_test`` and scores:
    over stratified folds, or with one of the ``groups`` (n_cells,) held out at a time.

    ``X`` (n_cells, d), or several for one vote; ``near``: nearest cells of all, which spare the
    search. Only cells of types that the training part holds are scored.
    """
    parts = [X] if isinstance(X, np.ndarray) else list(X)
    for part in parts:
        labels = checked(part, labels, 2)
    labels = labels.astype(str)
    if groups is None:
        with warnings.catch_warnings():  # rare types, as said above
            warnings.filterwarnings("ignore", message="The least populated class")
            held = [(fold, *rows) for fold, rows in
                    enumerate(evaluate.splits(labels, n_splits, 1, None, seed))]
    else:
        known = ~datasets.missing(groups)
        groups = np.asarray(groups).astype(str)
        held = [(group, np.flatnonzero(known & (groups != group)),
                 np.flatnonzero(known & (groups == group))) for group in np.unique(groups[known])]
    rows = []
    for name, train, test in held:
        test = test[np.isin(labels[test], labels[train])]
        if not len(test):
            continue
        found = (knn_predict([part[train] for part in parts], labels[train],
                                      [part[test] for part in parts], k)
                 if near is None else _voted(near, labels, train, test, k))
        rows.append({"held_out": name, "n_test": len(test),
                     **evaluate.label_scores(labels[test], found)})
    return pd.DataFrame(rows)


def knn_predict(train, y, test, k=10):
    """Labels (n_test,) by vote of the ``k`` nearest training cells, found by exact search; of tied
    labels the one that sorts first.

    Of several representations each sends its neighbours to one vote: the ensemble of Appendix C4.
    Euclidean distance orders vectors of unit length as the cosine does.
    """
    from sklearn.neighbors import NearestNeighbors

    single = isinstance(train, np.ndarray)
    pairs = [(train, test)] if single else list(zip(train, test))
    for near, _ in pairs:
        y = checked(near, y)
    codes, names = pd.factorize(y, sort=True)
    votes = np.zeros((len(pairs[0][1]), len(names)), dtype=np.int32)
    for near, asked in pairs:
        search = NearestNeighbors(n_neighbors=min(k, len(near)), algorithm="brute")
        found = codes[search.fit(near).kneighbors(asked, return_distance=False)]
        for column in range(found.shape[1]):
            votes[np.arange(len(votes)), found[:, column]] += 1
    return names[votes.argmax(axis=1)]


def _voted(near, labels, train, test, k):
    """The vote of the first ``k`` training cells among the nearest cells of all."""
    codes, names = pd.factorize(labels, sort=True)
    counts = np.isin(near[test], train)
    counts &= counts.cumsum(axis=1) <= k
    if near.shape[1] < len(labels) - 1 and counts.sum(axis=1).min() < min(k, len(train)):
        raise ValueError(f"{near.shape[1]} neighbours of a cell hold fewer than {k} training cells")
    votes = np.zeros((len(test), len(names)), dtype=np.int32)
    np.add.at(votes, (np.arange(len(test))[:, None], codes[near[test]]), counts)
    return names[votes.argmax(axis=1)]
