"""Classifiers by name, cross-validation, and the choice of features inside the training part."""

import warnings

import numpy as np
import pandas as pd

from genept_utils import renamed
from genept_utils.evaluate.checks import checked
from genept_utils.evaluate.bag_of_words import counted, vectoriser
from genept_utils.evaluate.splits import splits

SPARSE = {"spelling": "letters", "words": "words"}  # classifiers of strings, and what they count


def classifier(name, seed=0):
    """A scikit-learn classifier by the name that the results carry.

    ``"lr"`` and ``"rf"`` are L2 logistic regression and random forest with scikit-learn's
    defaults, as published, ``"lr scaled"`` the first after scaling each dimension to unit
    variance. Two take strings in place of vectors: ``"spelling"`` names, by all their runs of 2
    to 4 letters, ``"words"`` texts, by all their words (:func:`words`). Both learn the weights
    of letters and words from what they are fitted to, and are L2 logistic regression with C = 10,
    one class against the rest, by liblinear, which takes a tenth of the time on sparse tables.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if not isinstance(name, str):
        return name

    def sparse():
        return make_pipeline(vectoriser(SPARSE[name]), OneVsRestClassifier(
            LogisticRegression(C=10, solver="liblinear")))

    made = {
        "lr": lambda: LogisticRegression(),
        "lr scaled": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        "rf": lambda: RandomForestClassifier(random_state=seed),
        "spelling": sparse,
        "words": sparse,
    }
    if name not in made:
        raise ValueError(f"classifier {name!r} is not one of {', '.join(made)}")
    return made[name]()


@renamed.parameters(folds="n_splits", repeats="n_repeats", test_share="test_size")
def cv_scores(X, y, classifier="lr", n_splits=5, n_repeats=20, groups=None, seed=0,
                   scoring="roc_auc", test_size=None):
    """Test scores of a classifier over repeated splits.

    The splits depend on ``y``, ``groups``, ``seed`` and their numbers only: two calls with
    other ``X`` are scored on the same rows.

    Parameters
    ----------
    X : numpy.ndarray
        (n, d) features, or (n,) names for the classifier ``"spelling"``, texts for ``"words"``.
    y : array-like
        (n,) labels.
    classifier : str or estimator
        See :func:`classifier`.
    n_splits, n_repeats, groups, seed, test_size
        See :func:`splits`.
    scoring : str or list of str
        scikit-learn's scorer names.

    Returns
    -------
    pandas.DataFrame
        One row per split: ``repeat``, ``fold``, ``n_train``, ``n_test`` and one column per
        scorer. A score that a fold does not define (one class only) is NaN.
    """
    y = checked(X if hasattr(X, "shape") else None, y)
    parts = splits(y, n_splits, n_repeats, groups, seed, test_size)
    return score_parts(X, y, parts, len(parts) // n_repeats, classifier, seed, scoring)


def score_parts(X, y, parts, per_repeat, classifier="lr", seed=0, scoring="roc_auc"):
    """As :func:`cv_scores` on the given splits, ``per_repeat`` of them in each repeat.

    Returns
    -------
    pandas.DataFrame
        As :func:`cv_scores`.
    """
    import sklearn
    from sklearn.metrics import check_scoring
    from sklearn.pipeline import make_pipeline

    y = checked(X if hasattr(X, "shape") else None, y)
    names = [scoring] if isinstance(scoring, str) else list(scoring)
    rows, ours = [], isinstance(classifier, str)
    if ours and classifier in SPARSE:  # texts are split once for all folds
        X, weights = counted(X, SPARSE[classifier])
        classifier = make_pipeline(weights, _classifier(classifier)[-1])
    # scikit-learn checks numbers and parameters at each call: longer than a small fit
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=ours):
        for number, (train, test) in enumerate(parts):
            row = {"repeat": number // per_repeat, "fold": number % per_repeat,
                   "n_train": len(train), "n_test": len(test)}
            row |= dict.fromkeys(names, np.nan)
            if len(np.unique(y[train])) > 1:
                model = _fitted(classifier, X[train], y[train], seed)
                one_class = len(np.unique(y[test])) < 2
                defined = [name for name in names
                           if not (one_class and name.startswith("roc_auc"))]
                if defined:  # one scorer for all: it predicts once
                    row |= check_scoring(model, scoring=defined)(model, X[test], y[test])
            rows.append(row)
    return pd.DataFrame(rows)


_classifier = classifier  # the parameter of cv_scores hides the function's name


def _fitted(kind, X, y, seed):
    """The published settings stop at 100 iterations; that is known and not said at each fit."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _classifier(kind, seed).fit(X, y)
