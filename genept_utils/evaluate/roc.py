"""ROC curves of pair scores, with intervals over genes and within strata."""

import numpy as np
import pandas as pd


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
        Per method: ``auc`` (all genes once) with the 95 % interval ``low`` and ``high``, the
        number ``n`` of pairs, ``draws`` (draws,) AUCs, and ``fpr``, ``tpr``, ``tpr_low``,
        ``tpr_high`` (grid,).
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
        made[name] = {"auc": auc, "low": low, "high": high, "n": len(y), "draws": aucs}
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
