"""evaluate: splits and classifiers against slow or known answers."""

import numpy as np
import pandas as pd
import pytest

from genept_utils import evaluate

# ------------------------------------------------------------------ gene level


@pytest.fixture
def two_classes():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 10))
    return X, (X[:, 0] + rng.standard_normal(200) > 0).astype(int)


def test_cross_validate_is_tidy_and_repeatable(two_classes):
    X, y = two_classes
    made = evaluate.cv_scores(X, y, n_repeats=3, scoring=["roc_auc", "accuracy"])
    assert len(made) == 15
    assert list(made.columns) == ["repeat", "fold", "n_train", "n_test", "roc_auc", "accuracy"]
    assert made["n_test"].sum() == 3 * 200
    pd.testing.assert_frame_equal(
        made, evaluate.cv_scores(X, y, n_repeats=3, scoring=["roc_auc", "accuracy"]))


def test_groups_stay_on_one_side_and_one_class_folds_are_nan(two_classes):
    X, y = two_classes
    groups = np.arange(200) // 10
    for train, test in evaluate.splits(y, groups=groups, n_repeats=2):
        assert not set(groups[train]) & set(groups[test])
    y = (np.arange(200) < 160).astype(int)
    made = evaluate.cv_scores(X, y, n_repeats=1, groups=np.arange(200) // 40)
    assert made["roc_auc"].isna().all()


def test_test_share_takes_repeated_random_splits(two_classes):
    X, y = two_classes
    made = evaluate.cv_scores(X, y, n_repeats=4, test_size=.3)
    assert len(made) == 4 and (made["n_test"] == 60).all() and (made["fold"] == 0).all()


@pytest.mark.parametrize("name", ["lr", "lr scaled", "rf"])
def test_named_classifiers_learn(two_classes, name):
    X, y = two_classes
    assert evaluate.cv_scores(X, y, name, n_repeats=1)["roc_auc"].mean() > .75


def test_unknown_classifier_is_named():
    with pytest.raises(ValueError, match="'svm' is not one of lr"):
        evaluate.classifier("svm")


def test_symbol_families():
    names = ["ZNF683", "ZNF10", "HOXA1", "HOXB13", "SOX2", "POU3F2", "CTSB", "CTSL", "MAX",
             "HLA-DRA", "C1orf112"]
    made = evaluate.families(names)
    assert made.tolist() == ["ZNF", "ZNF", "HOX", "HOX", "SOX", "POU", "CTS", "CTS", "MAX",
                             "HLA", "C"]
    with pytest.raises(ValueError, match="gene_group"):
        evaluate.families(names, "pathway")


@pytest.mark.parametrize("former", [{"folds": 4}, {"repeats": 4}, {"test_share": .3}])
def test_former_names_of_parameters_work_and_warn(former):
    y = np.arange(40) % 2
    present = {"folds": "n_splits", "repeats": "n_repeats", "test_share": "test_size"}
    with pytest.warns(FutureWarning, match=f"is now {present[next(iter(former))]}="):
        old = evaluate.splits(y, **former)
    new = evaluate.splits(y, **{present[name]: value for name, value in former.items()})
    assert all((a == b).all() for one, two in zip(old, new, strict=True) for a, b in zip(one, two))


@pytest.mark.parametrize("former, present", [("each", evaluate.score_all),
                                             ("letters", evaluate.char_ngrams)])
def test_former_names_of_functions_work_and_warn(former, present):
    with pytest.warns(FutureWarning, match=f"evaluate.{former} is now {present.__name__}"):
        assert getattr(evaluate, former) is present
    assert not hasattr(evaluate, "never")
