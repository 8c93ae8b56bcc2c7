"""Cross-validation, intervals, pair tasks, clustering agreement.

Splitters and estimators are scikit-learn's; what is added here is what the book needs around
them: families, node-disjoint and degree-matched pairs, and honest intervals. Nothing here plots.
"""

import warnings

import numpy as np
import pandas as pd
import scipy.linalg
import scipy.sparse as sp
from scipy import stats

# ======================================================================================
# Gene level: classifiers, splits, intervals, pairs
# ======================================================================================


# ---------------------------------------------------------------- intervals

def interval(scores, test_share, level=0.95):
    """Mean of resampled test scores with the corrected resampled t interval.

    Test scores of overlapping training sets are correlated; the variance of their mean is taken
    as ``(1/J + test/train) * variance`` instead of ``variance / J`` (Nadeau & Bengio 2003,
    Machine Learning 52:239).

    Parameters
    ----------
    scores : array-like
        (J,) scores, one per split; NaN (a fold with one class only) is left out.
    test_share : float
        Share of the rows that is tested in each split, .2 for five folds.

    Returns
    -------
    tuple of float
        mean, low, high. With fewer than two scores low and high are NaN.
    """
    scores = np.asarray(scores, dtype=float)
    scores = scores[np.isfinite(scores)]
    n = len(scores)
    if n < 2:
        return (scores.mean() if n else np.nan), np.nan, np.nan
    error = np.sqrt((1 / n + test_share / (1 - test_share)) * scores.var(ddof=1))
    half = stats.t.ppf((1 + level) / 2, n - 1) * error
    return scores.mean(), scores.mean() - half, scores.mean() + half


def paired(a, b, test_share, level=0.95):
    """Difference a - b of two methods scored on the same splits, corrected resampled t.

    Parameters
    ----------
    a, b : array-like
        (J,) scores on the same J splits, in the same order.
    test_share : float
        As in :func:`interval`.

    Returns
    -------
    dict
        ``difference``, ``low``, ``high`` and the two-sided ``p`` value.
    """
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    mean, low, high = interval(difference, test_share, level)
    n = np.isfinite(difference).sum()
    half = high - mean
    if not half > 0:  # identical scores, or too few of them
        return {"difference": mean, "low": low, "high": high, "p": np.nan}
    t = mean / (half / stats.t.ppf((1 + level) / 2, n - 1))
    return {"difference": mean, "low": low, "high": high,
            "p": float(2 * stats.t.sf(abs(t), n - 1))}


def bootstrap(statistic, units, draws=1000, seed=0, level=0.95):
    """Percentile interval of a statistic when whole units (donors, genes) are drawn again.

    Parameters
    ----------
    statistic : callable
        Takes an integer array of row numbers, gives a float.
    units : array-like
        (n,) the unit of each row; all rows of a drawn unit are taken together.
    draws, seed : int
        Number of draws and their seed.

    Returns
    -------
    tuple of float
        value on all rows, low, high.
    """
    codes, names = pd.factorize(np.asarray(units))
    rows_of = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    rng = np.random.default_rng(seed)
    drawn = [statistic(np.concatenate([rows_of[u] for u in rng.integers(0, len(names),
                                                                        len(names))]))
             for _ in range(draws)]
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return statistic(np.arange(len(codes))), low, high


# ---------------------------------------------------------------- classifiers and splits

def classifier(name, seed=0):
    """A scikit-learn classifier by the name that the results carry.

    ``"lr"`` and ``"rf"`` are L2 logistic regression and random forest with scikit-learn's
    defaults, as published. ``"lr converged"`` is the same model solved to convergence,
    ``"lr scaled"`` the same after scaling each dimension to unit variance. ``"spelling"`` takes
    names in place of vectors: logistic regression (C = 10) on all their runs of 2 to 4 letters.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if not isinstance(name, str):
        return name
    made = {
        "lr": lambda: LogisticRegression(),
        "lr converged": lambda: LogisticRegression(max_iter=10_000, tol=1e-6),
        "lr scaled": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        "rf": lambda: RandomForestClassifier(random_state=seed),
        "spelling": lambda: make_pipeline(
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)), LogisticRegression(C=10)),
    }
    if name not in made:
        raise ValueError(f"classifier {name!r} is not one of {', '.join(made)}")
    return made[name]()


def splits(y, folds=5, repeats=1, groups=None, seed=0, test_share=None):
    """Train and test rows of repeated stratified splits.

    Parameters
    ----------
    y : array-like
        (n,) labels.
    folds, repeats : int
        Folds of each repeat, and repeats; each repeat shuffles anew.
    groups : array-like, optional
        (n,) group of each row; a group never stands on both sides of a split.
    test_share : float, optional
        Take ``repeats`` random splits with this share of test rows (or of groups) instead of
        folds.

    Returns
    -------
    list of tuple of numpy.ndarray
        (train, test) row numbers, ``repeats`` x ``folds`` of them (``repeats`` with
        ``test_share``).
    """
    from sklearn.model_selection import (GroupShuffleSplit, RepeatedStratifiedKFold,
                                         StratifiedGroupKFold, StratifiedShuffleSplit)

    y, blank = np.asarray(y), np.zeros(len(y))
    if test_share is not None:
        splitter = StratifiedShuffleSplit if groups is None else GroupShuffleSplit
        made = splitter(repeats, test_size=test_share, random_state=seed)
        return list(made.split(blank, y, groups))
    if groups is None:
        made = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=seed)
        return list(made.split(blank, y))
    return [split for repeat in range(repeats)
            for split in StratifiedGroupKFold(folds, shuffle=True, random_state=seed + repeat)
            .split(blank, y, groups)]


def cross_validate(X, y, classifier="lr", folds=5, repeats=20, groups=None, seed=0,
                   scoring="roc_auc", test_share=None):
    """Test scores of a classifier over repeated splits.

    The splits depend on ``y``, ``groups``, ``seed`` and their numbers only: two calls with
    other ``X`` are scored on the same rows, as :func:`paired` asks.

    Parameters
    ----------
    X : numpy.ndarray
        (n, d) features, or (n,) names for the classifier ``"spelling"``.
    y : array-like
        (n,) labels.
    classifier : str or estimator
        See :func:`classifier`.
    folds, repeats, groups, seed, test_share
        See :func:`splits`.
    scoring : str or list of str
        scikit-learn's scorer names.

    Returns
    -------
    pandas.DataFrame
        One row per split: ``repeat``, ``fold``, ``n_train``, ``n_test`` and one column per
        scorer. A score that a fold does not define (one class only) is NaN.
    """
    from sklearn.metrics import get_scorer

    names = [scoring] if isinstance(scoring, str) else list(scoring)
    y = np.asarray(y)
    rows = []
    parts = splits(y, folds, repeats, groups, seed, test_share)
    per_repeat = len(parts) // repeats
    for number, (train, test) in enumerate(parts):
        row = {"repeat": number // per_repeat, "fold": number % per_repeat,
               "n_train": len(train), "n_test": len(test)}
        row |= dict.fromkeys(names, np.nan)
        if len(np.unique(y[train])) > 1:
            model = _fitted(classifier, X[train], y[train], seed)
            one_class = len(np.unique(y[test])) < 2
            row |= {name: get_scorer(name)(model, X[test], y[test]) for name in names
                    if not (one_class and name.startswith("roc_auc"))}
        rows.append(row)
    return pd.DataFrame(rows)


_classifier = classifier  # the parameter of cross_validate hides the function's name


def _fitted(kind, X, y, seed):
    """The published settings stop at 100 iterations; that is known and not said at each fit."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _classifier(kind, seed).fit(X, y)


def nested(candidates, y, classifiers=("lr",), folds=5, repeats=1, inner=3, groups=None, seed=0,
           scoring="roc_auc"):
    """Test scores when features and classifier are chosen inside each training part.

    Every pair of candidate features and classifier is scored by ``inner`` folds of the training
    rows; the best one is fitted to all training rows and tested once.

    Parameters
    ----------
    candidates : dict of str to numpy.ndarray
        (n, d) features by name.
    classifiers : sequence of str
        See :func:`classifier`.

    Returns
    -------
    pandas.DataFrame
        As :func:`cross_validate`, with ``features`` and ``classifier`` that were chosen. The
        outer splits are those of :func:`cross_validate` with the same arguments.
    """
    from sklearn.metrics import get_scorer

    y = np.asarray(y)
    groups = None if groups is None else np.asarray(groups)
    rows = []
    for number, (train, test) in enumerate(splits(y, folds, repeats, groups, seed)):
        within = None if groups is None else groups[train]
        tried = {
            (name, kind): cross_validate(X[train], y[train], kind, inner, 1, within, seed,
                                         scoring)[scoring].mean()
            for name, X in candidates.items() for kind in classifiers
        }
        name, kind = max(tried, key=lambda key: np.nan_to_num(tried[key], nan=-np.inf))
        score = np.nan
        if len(np.unique(y[train])) > 1 and len(np.unique(y[test])) > 1:
            model = _fitted(kind, candidates[name][train], y[train], seed)
            score = get_scorer(scoring)(model, candidates[name][test], y[test])
        rows.append({"repeat": number // folds, "fold": number % folds, "n_train": len(train),
                     "n_test": len(test), scoring: score, "features": name, "classifier": kind})
    return pd.DataFrame(rows)


def families(symbols, kind="symbol"):
    """A family name for each gene, for grouped splits.

    Parameters
    ----------
    symbols : sequence of str
        (n,) approved symbols.
    kind : {"symbol", "gene_group"}
        ``"symbol"``: the letters before the first digit or hyphen, without the last of them where
        there are more than three (ZNF683 -> ZNF, HOXA1 and HOXB2 -> HOX, CTSB -> CTS).
        ``"gene_group"``: the first HGNC gene group, and where HGNC has none the symbol family.

    Returns
    -------
    numpy.ndarray
        (n,) str.
    """
    symbols = pd.Series(list(symbols), dtype=str)
    stem = symbols.str.extract(r"^([^\d-]+)", expand=False).fillna(symbols)
    stem = stem.where(stem.str.len().le(3), stem.str[:-1])
    if kind == "symbol":
        return stem.to_numpy()
    if kind != "gene_group":
        raise ValueError(f"family {kind!r} is not one of symbol, gene_group")
    from genept_utils import genes

    group = symbols.map(genes.gene_table()["gene_group"]).fillna("")
    group = group.str.split("|").str[0]
    return group.where(group.ne(""), stem).to_numpy()


# ---------------------------------------------------------------- pairs

def pair_features(vectors, pairs, kind="sum"):
    """One row per pair from the vectors of its two genes.

    Parameters
    ----------
    vectors : numpy.ndarray
        (n_genes, d).
    pairs : numpy.ndarray
        (n, 2) row numbers into ``vectors``.
    kind : {"sum", "product", "difference"}
        The sum (as published), the elementwise product or the absolute difference.
    """
    a, b = vectors[pairs[:, 0]], vectors[pairs[:, 1]]
    if kind == "sum":
        return a + b
    if kind == "product":
        return a * b
    if kind == "difference":
        return np.abs(a - b)
    raise ValueError(f"pair feature {kind!r} is not one of sum, product, difference")


def fit_pairs(vectors, pairs, y, features="sum", C=1.0, tol=1e-8, max_iter=50):
    """L2 logistic regression on pairs without the matrix of pair features.

    The minimum of ``|w|^2 / 2 + C * sum(log loss)``, the same as scikit-learn's
    ``LogisticRegression(C=C)``, by Newton's method. With the sum the features of all pairs are
    ``A @ G`` (A sparse pairs x genes, two ones a row; G the gene vectors), so that a Hessian is
    ``G.T @ (A.T @ D @ A) @ G``: its cost grows with genes, not with pairs. The other features
    are built in blocks of 8,192 pairs.

    Parameters
    ----------
    vectors, pairs
        As in :func:`pair_features`.
    y : array-like
        (n,) labels 0 or 1.
    C : float
        Inverse strength of the penalty.
    tol : float
        Stop when no coefficient moves by more.

    Returns
    -------
    tuple
        Coefficients (d,) and intercept. Use :func:`score_pairs` for decision values.

    Raises
    ------
    ValueError
        Labels other than 0 and 1, or Newton's method does not converge.
    """
    pairs, y = np.asarray(pairs), np.asarray(y, dtype=float)
    if set(np.unique(y)) != {0.0, 1.0}:
        raise ValueError("pair labels must be 0 and 1, with both present")
    moments = _incidence_moments if features == "sum" else _block_moments
    step_of = moments(np.asarray(vectors), pairs, features)
    weights = np.zeros(vectors.shape[1] + 1)
    ridge = np.append(np.ones(vectors.shape[1]), 0.0)  # the intercept is not penalised

    def loss(weights):
        margin = step_of.decision(weights)
        return (ridge * weights**2).sum() / 2 + C * (np.logaddexp(0, margin) - y * margin).sum()

    value = loss(weights)
    for _ in range(max_iter):
        p = 1 / (1 + np.exp(-step_of.decision(weights)))
        gradient = ridge * weights + C * step_of.gradient(p - y)
        hessian = np.diag(ridge) + C * step_of.hessian(p * (1 - p))
        step = scipy.linalg.solve(hessian, gradient, assume_a="pos")
        size = 1.0
        while (trial := loss(weights - size * step)) > value + 1e-9 * abs(value):
            size /= 2
            if size < 1e-6:
                raise ValueError("pair logistic regression did not converge; lower C")
        weights, value = weights - size * step, trial
        if np.abs(step).max() * size < tol:
            return weights[:-1], weights[-1]
    raise ValueError(f"pair logistic regression did not converge in {max_iter} steps; lower C")


class _incidence_moments:
    """Decision values, gradient and Hessian of the sum features through the incidence matrix."""

    def __init__(self, vectors, pairs, _):
        used, codes = np.unique(pairs, return_inverse=True)
        codes = codes.reshape(pairs.shape)
        n = len(pairs)
        self.A = sp.csr_array((np.ones(2 * n), (np.repeat(np.arange(n), 2), codes.ravel())),
                              shape=(n, len(used)))
        self.G = vectors[used].astype(np.float64)

    def decision(self, weights):
        return self.A @ (self.G @ weights[:-1]) + weights[-1]

    def gradient(self, residual):
        return np.append(self.G.T @ (self.A.T @ residual), residual.sum())

    def hessian(self, d):
        weighted = self.A.T @ sp.dia_array((d[None], [0]), shape=(len(d), len(d))) @ self.A
        edge = self.G.T @ (self.A.T @ d)
        return np.block([[self.G.T @ (weighted @ self.G), edge[:, None]],
                         [edge[None], d.sum()]])


class _block_moments:
    """The same for features that do not factor, a block of pairs at a time."""

    def __init__(self, vectors, pairs, kind):
        self.vectors, self.pairs, self.kind = vectors.astype(np.float64), pairs, kind

    def blocks(self):
        for start in range(0, len(self.pairs), 8192):
            rows = slice(start, start + 8192)
            block = pair_features(self.vectors, self.pairs[rows], self.kind)
            yield rows, np.column_stack([block, np.ones(len(block))])

    def decision(self, weights):
        return np.concatenate([block @ weights for _, block in self.blocks()])

    def gradient(self, residual):
        return sum(block.T @ residual[rows] for rows, block in self.blocks())

    def hessian(self, d):
        return sum(block.T @ (d[rows, None] * block) for rows, block in self.blocks())


def score_pairs(vectors, pairs, model, features="sum"):
    """Decision values (n,) of pairs under a model of :func:`fit_pairs`."""
    weights, intercept = model
    pairs = np.asarray(pairs)
    if features == "sum":
        each = vectors @ weights
        return each[pairs[:, 0]] + each[pairs[:, 1]] + intercept
    return np.concatenate([pair_features(vectors, pairs[i:i + 8192], features) @ weights
                           for i in range(0, len(pairs), 8192)]) + intercept


def degree(pairs, n_genes):
    """How often each gene occurs in the pairs: (n_genes,) int."""
    return np.bincount(np.asarray(pairs).ravel(), minlength=n_genes)


def random_negatives(pairs, n_genes=None, seed=0):
    """As many pairs as given, drawn uniformly from the genes that occur, none of them reported.

    As published: "drawn at random from tested proteins not reported as pairs".
    """
    pool = np.unique(pairs)
    draw = np.random.default_rng(seed)
    return _negatives(pairs, lambda n: draw.choice(pool, (n, 2)))


def matched_negatives(pairs, seed=0):
    """As many pairs as given in which each gene occurs about as often as among the given ones.

    Ends of the reported pairs are shuffled (configuration model); reported pairs, self-pairs and
    repeats are drawn again. A classifier cannot then win by knowing which genes are well studied.
    """
    ends = np.asarray(pairs).ravel()
    draw = np.random.default_rng(seed)

    def shuffled(n):
        mixed = draw.permutation(ends)
        return mixed.reshape(-1, 2) if n == len(ends) // 2 else draw.choice(ends, (n, 2))

    return _negatives(pairs, shuffled)


def _negatives(pairs, draw):
    pairs = np.sort(np.asarray(pairs), axis=1)
    width = int(pairs.max()) + 1
    taken = np.unique(pairs[:, 0] * width + pairs[:, 1])
    kept = np.empty(0, dtype=np.int64)
    for _ in range(200):
        missing = len(pairs) - len(kept)
        if not missing:
            return np.column_stack([kept // width, kept % width])
        drawn = np.sort(draw(missing).astype(np.int64), axis=1)
        drawn = drawn[drawn[:, 0] != drawn[:, 1]]
        code = pd.unique(drawn[:, 0] * width + drawn[:, 1])
        code = code[~np.isin(code, taken)]
        kept = np.concatenate([kept, code[~np.isin(code, kept)]])
    raise ValueError("the pairs are so dense that not enough unreported pairs exist")


def node_disjoint(pairs, test_share=0.3, seed=0, groups=None):
    """Pairs cut so that no gene (with ``groups``: no family) stands on both sides.

    ``test_share`` of the genes or families is put aside; pairs with one gene on each side are
    dropped.

    Parameters
    ----------
    pairs : numpy.ndarray
        (n, 2) gene numbers.
    groups : array-like, optional
        (n_genes,) family of each gene number.

    Returns
    -------
    tuple of numpy.ndarray
        Boolean (n,) masks of training and of test pairs.
    """
    pairs = np.asarray(pairs)
    if groups is not None:  # numbers, since comparing names takes minutes
        pairs = np.unique(np.asarray(groups).astype(str), return_inverse=True)[1][pairs]
    pool = np.unique(pairs)
    aside = np.random.default_rng(seed).permutation(pool)[:round(test_share * len(pool))]
    inside = np.isin(pairs, aside)
    return ~inside.any(axis=1), inside.all(axis=1)


def strata(values, bins=20):
    """Number (n,) of the quantile bin of each value; equal values share a bin."""
    return pd.qcut(np.asarray(values), bins, labels=False, duplicates="drop")


def stratified_auc(y, scores, stratum):
    """ROC-AUC within strata, averaged with the number of (positive, negative) pairs as weight.

    What is left of a score once the stratum (here the degree) is known.
    """
    from sklearn.metrics import roc_auc_score

    table = pd.DataFrame({"y": np.asarray(y), "score": np.asarray(scores), "s": stratum})
    total = weight = 0.0
    for _, part in table.groupby("s"):
        n = part["y"].sum() * (1 - part["y"]).sum()
        if n:
            total += n * roc_auc_score(part["y"], part["score"])
            weight += n
    return total / weight


def bootstrap_pairs(y, scores, pairs, draws=200, seed=0, grid=101, stratum=None):
    """ROC curves of pair scores when genes, not pairs, are drawn again.

    A pair weighs the product of how often its two genes were drawn, so that pairs which share a
    gene rise and fall together; an interval over pairs would be far too narrow.

    Parameters
    ----------
    y : array-like
        (n,) labels 0 or 1.
    scores : dict of str to array-like
        (n,) scores by method; all methods see the same draws.
    pairs : numpy.ndarray
        (n, 2) genes of each pair.
    grid : int
        Number of false positive rates between 0 and 1 at which curves are kept.
    stratum : array-like, optional
        (n,) stratum of each pair: the area is then that of :func:`stratified_auc`, and no
        curve is drawn.

    Returns
    -------
    dict of str to dict
        Per method: ``auc`` (all genes once) with the 95 % interval ``low`` and ``high``,
        ``draws`` (draws,) AUCs, and ``fpr``, ``tpr``, ``tpr_low``, ``tpr_high`` (grid,).
    """
    y = np.asarray(y, dtype=bool)
    _, codes = np.unique(pairs, return_inverse=True)
    codes = codes.reshape(np.shape(pairs))
    n = codes.max() + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=draws)
    fpr = np.linspace(0, 1, grid)
    made = {}
    for name, values in scores.items():
        values = np.asarray(values)
        curve = _roc(y, values) if stratum is None else _roc_within(y, values, stratum)
        auc, tpr = curve(np.ones(len(y)), fpr)
        each = [curve(count[codes[:, 0]] * count[codes[:, 1]], fpr) for count in drawn]
        aucs = np.array([a for a, _ in each])
        low, high = np.quantile(aucs, [.025, .975])
        made[name] = {"auc": auc, "low": low, "high": high, "draws": aucs}
        if stratum is None:
            band = np.quantile([t for _, t in each], [.025, .975], axis=0)
            made[name] |= {"fpr": fpr, "tpr": tpr, "tpr_low": band[0], "tpr_high": band[1]}
    return made


def _roc_within(y, scores, stratum):
    """As :func:`_roc`, the area averaged over strata as in :func:`stratified_auc`."""
    parts = [np.flatnonzero(np.asarray(stratum) == s) for s in np.unique(stratum)]
    curves = [_roc(y[rows], scores[rows]) for rows in parts]

    def curve(weights, fpr):
        total = share = 0.0
        for rows, each in zip(parts, curves):
            w, positive = weights[rows], y[rows]
            n = w[positive].sum() * w[~positive].sum()
            if n:
                total, share = total + n * each(w, fpr)[0], share + n
        return total / share, None

    return curve


def _roc(y, scores):
    """Weighted ROC of fixed scores: sorts once; ties share a point of the curve."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    positive = y[order]

    def curve(weights, fpr):
        w = weights[order]
        tp, fp = np.cumsum(w * positive)[last], np.cumsum(w * ~positive)[last]
        tp, fp = np.append(0, tp / tp[-1]), np.append(0, fp / fp[-1])
        return np.trapezoid(tp, fp), np.interp(fpr, fp, tp)

    return curve


# ---------------------------------------------------------------- programs

def gene_programs(vectors, threshold=0.9, resolution=20, min_genes=10, seed=0):
    """Communities of genes with similar vectors (Fig. 2g of Chen & Zou 2024).

    Genes are joined where the cosine of their vectors exceeds ``threshold``; Leiden communities
    (RB configuration model) of ``min_genes`` or more are programs.

    Returns
    -------
    tuple
        (n_genes,) int program of each gene, largest first, -1 for none; and the share of gene
        pairs that are joined.
    """
    import igraph
    import leidenalg

    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    edges = np.argwhere(np.triu(unit @ unit.T > threshold, 1))
    n = len(vectors)
    found = leidenalg.find_partition(igraph.Graph(n=n, edges=edges),
                                     leidenalg.RBConfigurationVertexPartition,
                                     resolution_parameter=resolution, seed=seed)
    program = np.asarray(found.membership)  # leidenalg numbers communities by size
    sizes = np.bincount(program)
    return np.where(sizes[program] >= min_genes, program, -1), len(edges) / (n * (n - 1) / 2)


def cosine_threshold(vectors, density):
    """The cosine that a share ``density`` of all pairs of vectors exceeds."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    cosines = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    kept = max(round(density * len(cosines)), 1)
    return float(np.partition(cosines, -kept)[-kept])


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
    codes, names = pd.factorize(np.asarray(labels))
    one_hot = sp.csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))))
    centred = values - values.mean(axis=0)
    sums = one_hot @ centred
    between = (sums**2 / np.bincount(codes)[:, None]).sum(axis=0)
    total = (centred**2).sum(axis=0)
    return np.divide(between, total, out=np.full(len(total), np.nan), where=total > 0)


# ======================================================================================
# Cell level: clustering agreement, neighbours
# ======================================================================================


def subsample(labels, n, seed=0, least=10):
    """Row numbers (sorted) of about ``n`` cells with the share of every label kept.

    A label keeps at least ``least`` of its cells, or all it has. All rows where there are no
    more than ``n``.
    """
    codes, _ = pd.factorize(np.asarray(labels))
    if len(codes) <= n:
        return np.arange(len(codes))
    rng = np.random.default_rng(seed)
    kept = []
    for code in range(codes.max() + 1):
        rows = np.flatnonzero(codes == code)
        take = min(len(rows), max(least, round(n * len(rows) / len(codes))))
        kept.append(rng.choice(rows, take, replace=False))
    return np.sort(np.concatenate(kept))


def clustering(X, labels, seeds=20, seed=0):
    """k-means with as many clusters as there are labels, and its agreement with the labels.

    One start (``n_init=1``, k-means++) per seed, so that the spread over seeds is what a single
    run, as published, leaves to chance.

    Parameters
    ----------
    X : numpy.ndarray
        (n_cells, d).
    labels : array-like or dict of str to array-like
        (n_cells,) labels. Of several columns the first sets the number of clusters.
    seeds, seed : int
        Number of runs, and the first seed.

    Returns
    -------
    pandas.DataFrame
        One row per run: ``seed``, ``ari``, ``ami``; with several columns one row per run and
        ``label``.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    columns = labels if isinstance(labels, dict) else {"": labels}
    columns = {name: pd.factorize(np.asarray(values))[0] for name, values in columns.items()}
    k = next(iter(columns.values())).max() + 1
    X = np.ascontiguousarray(X, dtype=np.float32)
    rows = []
    for run in range(seed, seed + seeds):
        found = KMeans(k, n_init=1, random_state=run).fit_predict(X)
        rows += [{"seed": run, "label": name, "ari": adjusted_rand_score(codes, found),
                  "ami": adjusted_mutual_info_score(codes, found)}
                 for name, codes in columns.items()]
    table = pd.DataFrame(rows)
    return table if isinstance(labels, dict) else table.drop(columns="label")


def spread(values, level=0.95):
    """Mean and the interval that holds ``level`` of the values (of seeds, of draws): a triple."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan, np.nan
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    mean = values.mean()
    return mean, min(low, mean), max(high, mean)


def asw(X, labels, metric="cosine", max_cells=3000, seed=0):
    """Average silhouette width of the true labels, in [-1, 1].

    On at most ``max_cells`` cells, with the share of every label kept.
    """
    from sklearn.metrics import silhouette_score

    labels = np.asarray(labels)
    rows = subsample(labels, max_cells, seed)
    X = np.asarray(X, dtype=np.float32)[rows]
    return float(silhouette_score(X, labels[rows], metric=metric))


def knn_predict(train, y, test, k=10):
    """Labels by vote of the ``k`` nearest training cells, found by exact search.

    Parameters
    ----------
    train, test : numpy.ndarray, or sequence of numpy.ndarray
        (n_train, d) and (n_test, d). Of several representations each sends its ``k`` neighbours
        to one vote: the ensemble of the paper's Appendix C4. The distance is Euclidean, which
        orders vectors of unit length as the cosine does.
    y : array-like
        (n_train,) labels.

    Returns
    -------
    numpy.ndarray
        (n_test,) labels; of tied labels the one that sorts first.
    """
    from sklearn.neighbors import NearestNeighbors

    single = isinstance(train, np.ndarray)
    pairs = [(train, test)] if single else list(zip(train, test))
    codes, names = pd.factorize(np.asarray(y), sort=True)
    votes = np.zeros((len(pairs[0][1]), len(names)), dtype=np.int32)
    for near, asked in pairs:
        search = NearestNeighbors(n_neighbors=min(k, len(near)), algorithm="brute")
        found = codes[search.fit(near).kneighbors(asked, return_distance=False)]
        for column in range(found.shape[1]):
            votes[np.arange(len(votes)), found[:, column]] += 1
    return names[votes.argmax(axis=1)]


def label_scores(true, predicted):
    """Accuracy and macro precision, recall and F1 over the labels that ``true`` holds: a dict."""
    from sklearn.metrics import precision_recall_fscore_support

    true, predicted = np.asarray(true), np.asarray(predicted)
    p, r, f, _ = precision_recall_fscore_support(true, predicted, labels=np.unique(true),
                                                 average="macro", zero_division=0)
    return {"accuracy": float((true == predicted).mean()), "precision_macro": float(p),
            "recall_macro": float(r), "f1_macro": float(f)}


def cell_typing(X, labels, k=10, folds=5, groups=None, seed=0):
    """k-nearest-neighbour cell typing over folds, or with one group held out at a time.

    Parameters
    ----------
    X : numpy.ndarray, or sequence of numpy.ndarray
        (n_cells, d), or several representations for one vote (:func:`knn_predict`).
    labels : array-like
        (n_cells,) cell types.
    folds : int
        Stratified folds; a type with fewer cells than folds is missing from some of them.
    groups : array-like, optional
        (n_cells,) batch or donor: each is held out once, instead of folds.

    Returns
    -------
    pandas.DataFrame
        One row per split: ``held_out``, ``n_test`` and the scores of :func:`label_scores`. With
        groups only cells of types that the other groups hold as well are scored.
    """
    import warnings

    labels = np.asarray(labels).astype(str)
    parts = [X] if isinstance(X, np.ndarray) else list(X)
    if groups is None:
        with warnings.catch_warnings():  # rare types, as said above
            warnings.filterwarnings("ignore", message="The least populated class")
            held = [(fold, *rows) for fold, rows in enumerate(splits(labels, folds, 1, None,
                                                                     seed))]
    else:
        groups = np.asarray(groups).astype(str)
        held = [(group, np.flatnonzero(groups != group), np.flatnonzero(groups == group))
                for group in np.unique(groups)]
    rows = []
    for name, train, test in held:
        test = test[np.isin(labels[test], labels[train])]
        found = knn_predict([part[train] for part in parts], labels[train],
                            [part[test] for part in parts], k)
        rows.append({"held_out": name, "n_test": len(test), **label_scores(labels[test], found)})
    return pd.DataFrame(rows)


# ---------------------------------------------------------------- batches

NEIGHBOURS = 30


def integration(X, batch, labels, max_cells=3000, seed=0):
    """How well batches are mixed and cell types are kept apart, each from 0 (bad) to 1 (good).

    After Luecken et al. 2022 (scIB), computed with scikit-learn. Two differences: the inverse
    Simpson index counts the 30 nearest neighbours alike, where scIB weighs 90 of them by a
    Gaussian of that perplexity, and no score is rescaled by the other methods.

    Parameters
    ----------
    X : numpy.ndarray
        (n_cells, d).
    batch, labels : array-like
        (n_cells,) batch and cell type.
    max_cells : int
        The scores are computed on a stratified sample of at most so many cells.

    Returns
    -------
    dict
        ``asw_batch``: 1 - \\|silhouette of the batch\\| within each cell type, mean over types;
        ``ilisi``: median inverse Simpson index of the batch among the neighbours, rescaled;
        ``connectivity``: share of each type's cells in the largest component of its
        15-neighbour graph, mean over types; ``asw_label``: silhouette of the cell type, halved
        and raised to [0, 1]; ``clisi``: as ``ilisi`` for cell types, 1 where neighbours agree.
    """
    from sklearn.metrics import silhouette_samples, silhouette_score
    from sklearn.neighbors import NearestNeighbors, kneighbors_graph

    batch, labels = np.asarray(batch).astype(str), np.asarray(labels).astype(str)
    rows = subsample(labels, max_cells, seed)
    X, batch, labels = np.asarray(X, dtype=np.float32)[rows], batch[rows], labels[rows]
    graph = kneighbors_graph(X, 15, mode="connectivity")
    graph = graph.maximum(graph.T)
    mixed, joined = [], []
    for label in np.unique(labels):
        here = np.flatnonzero(labels == label)
        _, part = sp.csgraph.connected_components(graph[here][:, here], directed=False)
        joined.append(np.bincount(part).max() / len(here))
        if 1 < len(np.unique(batch[here])) < len(here):
            width = silhouette_samples(X[here], batch[here])
            mixed.append(np.mean(1 - np.abs(width)))
    search = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(X)
    neighbours = search.kneighbors(return_distance=False)
    batch_lisi, label_lisi = _lisi(neighbours, batch), _lisi(neighbours, labels)
    n_batches, n_labels = len(np.unique(batch)), len(np.unique(labels))
    return {
        "asw_batch": float(np.mean(mixed)),
        "ilisi": (batch_lisi - 1) / (n_batches - 1),
        "connectivity": float(np.mean(joined)),
        "asw_label": (float(silhouette_score(X, labels)) + 1) / 2,
        "clisi": (n_labels - label_lisi) / (n_labels - 1),
    }


def _lisi(neighbours, labels):
    """Median inverse Simpson index of the labels among each cell's neighbours (n, k)."""
    codes, names = pd.factorize(labels)
    shares = np.stack([(codes[neighbours] == code).mean(axis=1) for code in range(len(names))])
    return float(np.median(1 / (shares**2).sum(axis=0)))


# ---------------------------------------------------------------- tables of scores

def summary(scores, by, metrics, kind="spread", test_share=0.2):
    """Per-run scores as one row per group and metric, ready for ``ledger.record``.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per run.
    by : list of str
        Columns that name a group, such as ``dataset`` and ``method``.
    metrics : list of str
        Columns that hold scores.
    kind : {"spread", "t", "range"}
        Interval: the middle 95 % of the runs (:func:`spread`), the corrected resampled t
        interval of folds (:func:`interval`, cut to the largest possible score 1), or smallest
        and largest value, for few runs such as held-out batches.

    Returns
    -------
    pandas.DataFrame
        ``by``, ``metric``, ``value``, ``low``, ``high``, ``repeats``.
    """
    how = {"spread": spread, "t": lambda values: interval(values, test_share),
           "range": lambda values: (np.mean(values), np.min(values), np.max(values))}[kind]
    rows = []
    for key, part in scores.groupby(by, sort=False, observed=True):
        for metric in metrics:
            mean, low, high = how(part[metric].to_numpy(float))
            high = min(high, max(1.0, mean)) if kind == "t" else high
            rows.append(dict(zip(by, key)) | {"metric": metric, "value": mean, "low": low,
                                              "high": high, "repeats": len(part)})
    return pd.DataFrame(rows)


# ---------------------------------------------------------------- gene panels

def panels(symbols, size=None, families=None, seed=0):
    """Two gene panels that share no gene, drawn at random.

    Parameters
    ----------
    symbols : sequence of str
        (n,) genes to draw from; a repeated symbol is one gene.
    size : int, optional
        Genes of each panel; by default half of all genes.
    families : sequence of str, optional
        (n,) family of each gene: then no family stands on both sides either. Families are dealt
        one at a time, in random order, to the panel that has fewer genes.
    seed : int
        Seed of the draw.

    Returns
    -------
    tuple of numpy.ndarray
        The symbols of the first and of the second panel, sorted.

    Raises
    ------
    ValueError
        There are fewer than ``2 * size`` genes.
    """
    table = pd.DataFrame({"symbol": np.asarray(symbols, dtype=object)})
    table["family"] = table["symbol"] if families is None else np.asarray(families, dtype=object)
    table = table[table["symbol"] != ""].drop_duplicates("symbol").sort_values("symbol")
    if size and 2 * size > len(table):
        raise ValueError(f"two panels of {size} genes need {2 * size}; there are {len(table)}")
    rng = np.random.default_rng(seed)
    if families is None:
        mixed = rng.permutation(table["symbol"].to_numpy())
        size = size or len(mixed) // 2
        return np.sort(mixed[:size]), np.sort(mixed[size:2 * size])
    members = [part.to_numpy() for _, part in table.groupby("family")["symbol"]]
    sides, held = ([], []), [0, 0]
    for i in rng.permutation(len(members)):
        side = int(held[1] < held[0])
        sides[side].append(members[i])
        held[side] += len(members[i])
    drawn = [rng.permutation(np.concatenate(side)) for side in sides]
    return tuple(np.sort(side[:size] if size else side) for side in drawn)


def across_panels(train, embeddings, test=None, draws=10, size=None, among=None, families=None,
                  given=None, seed=0, C=0.01, max_cells=2000):
    """Cell typing when the training and the test cells were measured on disjoint gene panels.

    For every draw, GenePT-w of the training cells from panel A trains a logistic regression that
    is tested on GenePT-w of other cells from panel B. Each side is standardised by itself, so
    nothing is known of the test cells but their own vectors. ``"same panel"`` tests the same
    model on panel A of the same test cells.

    Parameters
    ----------
    train, test : anndata.AnnData
        Log-normalised cells with ``obs["cell_type"]``. Without ``test`` half of the training
        cells, another half in every draw, are tested. Of two sets only the types that both have
        are used.
    embeddings : dict of str to anndata.AnnData or callable
        Gene vectors by method; the first is an AnnData. A callable takes the number of the draw
        and gives the vectors: a control that is drawn anew.
    draws, seed : int
        Draws of panels (and of cells), and the first seed.
    size, families
        As in :func:`panels`; ``families`` is ``"symbol"`` or ``"gene_group"``
        (:func:`families`).
    among : int, optional
        Draw the panels from the ``among`` most variable genes of the training cells only.
    given : set of str, optional
        Symbols of a fixed test panel; the training panel is then every other gene, and the
        draws differ in cells only.
    C : float
        Inverse strength of the L2 penalty.
    max_cells : int
        Larger sets are sampled, each type in its share.

    Returns
    -------
    pandas.DataFrame
        One row per draw, method and panel ("disjoint panels", "same panel"): ``accuracy``,
        ``f1_macro``, ``majority`` (share of the largest type among the test cells), ``genes``
        (of the training panel), ``n_test``.
    """
    from genept_utils import cells

    sides = [_panel_side(train, max_cells, seed)]
    if test is not None:
        sides.append(_panel_side(test, max_cells, seed))
        shared = np.intersect1d(sides[0]["y"], sides[1]["y"])
        sides = [_rows(side, np.flatnonzero(np.isin(side["y"], shared))) for side in sides]
    pool = np.unique(np.concatenate([side["symbols"] for side in sides]))
    pool = pool[pd.Index(pool).isin(next(iter(embeddings.values())).obs_names)]
    if among:
        chosen = sides[0]["symbols"][cells.highly_variable(train, among)]
        pool = pool[pd.Index(pool).isin(chosen)]
    kin = None if families is None else _families(pool, families)
    rows = []
    for draw in range(seed, seed + draws):
        a, b = panels(pool, size, kin, draw) if given is None else _given_panels(pool, given)
        near, far = _train_and_test(sides, draw)
        for method, embedding in embeddings.items():
            embedding = embedding(draw) if callable(embedding) else embedding
            fit, same, other = (_panel_vectors(side, panel, embedding)
                                for side, panel in ((near, a), (far, a), (far, b)))
            for split, tested in (("disjoint panels", other), ("same panel", same)):
                if split == "disjoint panels":
                    model = _fit_standardised(fit, near["y"], C)
                scores = label_scores(far["y"], model.predict(standardise(tested)))
                rows.append({"draw": draw, "method": method, "split": split, **scores,
                             "majority": pd.Series(far["y"]).value_counts(normalize=True).max(),
                             "genes": len(a), "n_test": len(far["y"])})
    return pd.DataFrame(rows)


def panel_predictions(adata, embedding, draws=10, seed=0, C=0.01, max_cells=2000):
    """True and predicted labels of the test cells of all draws of :func:`across_panels`, on
    disjoint random halves of the genes."""
    side = _panel_side(adata, max_cells, seed)
    pool = np.unique(side["symbols"][pd.Index(side["symbols"]).isin(embedding.obs_names)])
    true, found = [], []
    for draw in range(seed, seed + draws):
        a, b = panels(pool, seed=draw)
        near, far = _train_and_test([side], draw)
        model = _fit_standardised(_panel_vectors(near, a, embedding), near["y"], C)
        true.append(far["y"])
        found.append(model.predict(standardise(_panel_vectors(far, b, embedding))))
    return np.concatenate(true), np.concatenate(found)


_families = families  # the parameter of across_panels hides the function's name


def relabelled(embedding, seed=0):
    """The vectors of an embedding under the names of other genes: a permuted map that shares the
    memory of the original."""
    names = np.random.default_rng(seed).permutation(embedding.obs_names.to_numpy())
    return type(embedding)(embedding.X, obs=pd.DataFrame(index=names))


def _panel_side(adata, max_cells, seed):
    from genept_utils import cells, genes

    rows = subsample(adata.obs["cell_type"], max_cells, seed)
    return {"X": adata.X[rows].tocsc(), "y": adata.obs["cell_type"].to_numpy(str)[rows],
            "symbols": genes.match(cells.gene_names(adata)).symbols}


def _rows(side, rows):
    return {"X": side["X"][rows], "y": side["y"][rows], "symbols": side["symbols"]}


def _train_and_test(sides, draw):
    if len(sides) == 2:
        return sides
    order = np.random.default_rng(draw).permutation(len(sides[0]["y"]))
    half = len(order) // 2
    return _rows(sides[0], np.sort(order[:half])), _rows(sides[0], np.sort(order[half:]))


def _given_panels(pool, given):
    inside = pd.Index(pool).isin(list(given))
    return pool[~inside], pool[inside]


def _panel_vectors(side, panel, embedding):
    from genept_utils import cells, embed

    columns = np.flatnonzero(pd.Index(side["symbols"]).isin(panel))
    vectors = embedding.X[embedding.obs_names.get_indexer(side["symbols"][columns])]
    return embed.unit(cells.weighted_sum(side["X"][:, columns].tocsr(), vectors))


def standardise(X):
    """Each column brought to mean 0 and standard deviation 1; a constant column becomes 0."""
    X = np.asarray(X, dtype=np.float32)
    return (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-6)


def _fit_standardised(X, y, C):
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # the products are small: threads would wait for each other
        return LogisticRegression(C=C, max_iter=500, tol=1e-3).fit(standardise(X), y)


# ---------------------------------------------------------------- patients

def leave_one_donor_out(X, donor, condition, permutations=200, seed=0):
    """Condition of a donor from the mean vector of the donor's cells.

    Each donor is held out once; L2 logistic regression (C = 1) on columns scaled by the training
    donors. Every training part is weighted so that both conditions count alike: without that,
    leaving one out moves the base rate against the held-out donor.

    Parameters
    ----------
    X : numpy.ndarray
        (n_cells, d) cell vectors.
    donor, condition : array-like
        (n_cells,) donor, and the donor's condition (two values).
    permutations, seed : int
        Shuffles of the conditions among the donors, and their seed.

    Returns
    -------
    dict
        ``n`` donors; ``accuracy`` and ``roc_auc`` with ``_low`` and ``_high`` (95 % bootstrap over
        donors, scores fixed) and ``_p`` (share of shuffles, the true order counted in, that
        do at least as well).
    """
    from sklearn.metrics import accuracy_score, roc_auc_score

    table = pd.DataFrame(np.asarray(X, dtype=np.float64))
    table = table.groupby(np.asarray(donor).astype(str)).mean()
    of = pd.Series(np.asarray(condition).astype(str), np.asarray(donor).astype(str))
    of = of[~of.index.duplicated()].reindex(table.index)
    if of.nunique() != 2:
        raise ValueError(f"donors have {of.nunique()} conditions; two are needed")
    y = (of == of.max()).to_numpy(int)
    rng = np.random.default_rng(seed)
    turned = [_turned(table.to_numpy(), i) for i in range(len(y))]
    scores = _held_out_scores(turned, y)
    shuffled = [rng.permutation(y) for _ in range(permutations)]
    chance = [(other, _held_out_scores(turned, other)) for other in shuffled]
    metrics = {"accuracy": lambda y, s: accuracy_score(y, s > 0), "roc_auc": roc_auc_score}
    made = {"n": len(y)}
    for name, metric in metrics.items():
        value = metric(y, scores)
        drawn = [rng.integers(0, len(y), len(y)) for _ in range(1000)]
        boot = [metric(y[rows], scores[rows]) for rows in drawn if len(set(y[rows])) == 2]
        low, high = np.quantile(boot, [.025, .975])
        least = sum(metric(other, found) >= value for other, found in chance)
        made |= {name: value, f"{name}_low": min(low, value), f"{name}_high": max(high, value),
                 f"{name}_p": (1 + least) / (1 + permutations)}
    return made


def _turned(X, held_out):
    """The rows scaled by all but one of them, in at most n coordinates.

    L2 logistic regression depends on the rows through their inner products only, so turning the
    columns changes nothing but the time.
    """
    rest = np.arange(len(X)) != held_out
    scaled = (X - X[rest].mean(axis=0)) / np.maximum(X[rest].std(axis=0), 1e-9)
    u, s, _ = np.linalg.svd(scaled, full_matrices=False)
    return u * s


def _held_out_scores(turned, y):
    """Decision value of each row under a model of all other rows."""
    from sklearn.linear_model import LogisticRegression

    scores = np.empty(len(y))
    for i, rows in enumerate(turned):
        rest = np.arange(len(y)) != i
        model = LogisticRegression(class_weight="balanced", solver="newton-cholesky")
        scores[i] = model.fit(rows[rest], y[rest]).decision_function(rows[i:i + 1])[0]
    return scores
