"""Classifiers by name, and cross-validation."""

import warnings

import numpy as np
import pandas as pd

from genept_utils import renamed
from genept_utils.evaluate.checks import checked
from genept_utils.evaluate.splits import splits


def classifier(name, seed=0):
    """A scikit-learn classifier by the name that the results carry.

    ``"lr"`` and ``"rf"`` are L2 logistic regression and random forest with scikit-learn's
    defaults, as published, ``"lr scaled"`` the first after scaling each dimension to unit
    variance. An estimator is given back as it is.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    made = {"lr": LogisticRegression(), "rf": RandomForestClassifier(random_state=seed),
            "lr scaled": make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))}
    if isinstance(name, str) and name not in made:
        raise ValueError(f"classifier {name!r} is not one of {', '.join(made)}")
    return made[name] if isinstance(name, str) else name


@renamed.parameters(folds="n_splits", repeats="n_repeats", test_share="test_size")
def cv_scores(X, y, classifier="lr", n_splits=5, n_repeats=20, groups=None, seed=0,
              scoring="roc_auc", test_size=None):
    """Test scores of a classifier over repeated splits.

    The splits depend on ``y``, ``groups``, ``seed`` and their numbers only: two calls with
    other ``X`` are scored on the same rows.

    Parameters
    ----------
    X : numpy.ndarray
        (n, d) features.
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
    import sklearn
    from sklearn.model_selection import cross_validate

    y, names = checked(X, y), [scoring] if isinstance(scoring, str) else list(scoring)
    parts = splits(y, n_splits, n_repeats, groups, seed, test_size)
    repeat, fold = np.divmod(np.arange(len(parts)), len(parts) // n_repeats)
    sizes = {name: [len(part[i]) for part in parts] for i, name in enumerate(["n_train", "n_test"])}
    one_class = [len(np.unique(y[train])) < 2 for train, _ in parts]
    # the published settings stop at 100 iterations, and folds of one class have no area: known;
    # scikit-learn checks numbers and parameters at each call: longer than a small fit
    with warnings.catch_warnings(), sklearn.config_context(assume_finite=True,
                                                           skip_parameter_validation=True):
        warnings.simplefilter("ignore")
        found = {} if all(one_class) else cross_validate(
            _classifier(classifier, seed), X, y, cv=parts, scoring=names)
    return pd.DataFrame({"repeat": repeat, "fold": fold, **sizes, **{
        name: np.where(one_class, np.nan, found.get(f"test_{name}", np.nan)) for name in names}})


_classifier = classifier  # the parameter of cv_scores hides the function's name


def label_scores(true, predicted):
    """Accuracy and macro precision, recall and F1 over the labels that ``true`` holds: a dict."""
    codes, names = pd.factorize(np.asarray(true))
    found = pd.Index(names).get_indexer(np.asarray(predicted))
    size, named = np.bincount(codes), np.bincount(found[found >= 0], minlength=len(names))
    hits = np.bincount(codes[codes == found], minlength=len(names))
    return {"accuracy": hits.sum() / len(codes),
            "precision_macro": (hits / np.maximum(named, 1)).mean(),
            "recall_macro": (hits / size).mean(), "f1_macro": (2 * hits / (size + named)).mean()}
