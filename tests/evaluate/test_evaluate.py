"""evaluate: splits and classifiers against slow or known answers."""

import numpy as np
import pandas as pd
import pytest

from genept_utils import evaluate, genes

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


# ------------------------------------------------------------------ by another way

@pytest.mark.parametrize("options", [{}, {"groups": np.arange(60) // 5}, {"test_size": .25}])
def test_scores_are_those_of_each_split_by_itself(two_classes, options):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    X, y = two_classes[0][:60], two_classes[1][:60]
    made = evaluate.cv_scores(X, y, n_splits=3, n_repeats=2, seed=4, **options)
    parts = evaluate.splits(y, 3, 2, seed=4, **options)
    one = "test_size" in options
    assert made["repeat"].tolist() == ([0, 1] if one else [0, 0, 0, 1, 1, 1])
    assert made["fold"].tolist() == ([0, 0] if one else [0, 1, 2] * 2)
    assert made["n_test"].tolist() == [len(test) for _, test in parts]
    assert made["n_train"].tolist() == [len(train) for train, _ in parts]
    assert made["roc_auc"].tolist() == pytest.approx([roc_auc_score(
        y[test], LogisticRegression().fit(X[train], y[train]).decision_function(X[test]))
        for train, test in parts])


def test_repeats_shuffle_anew_and_groups_may_be_split_at_random():
    y, groups = np.arange(60) % 2, np.arange(60) // 5
    for options in ({}, {"groups": groups}, {"test_size": .2}, {"test_size": .25, "groups": groups}):
        parts = evaluate.splits(y, 3, 3, seed=1, **options)
        number = 3 if "test_size" in options else 9
        assert len(parts) == number
        assert len({tuple(test) for _, test in parts}) == number
        one = 3 if "test_size" in options else 1
        again = evaluate.splits(y, 3, 2, seed=2, **options)
        assert options.get("groups") is None or "test_size" in options or all(
            (a == b).all() for (a, _), (b, _) in zip(again[:3], parts[3:6]))
        for train, test in parts[::one]:
            assert sorted([*train, *test]) == list(range(60))
            if "groups" in options:
                assert not set(groups[train]) & set(groups[test])
    assert [len(test) for _, test in evaluate.splits(y, n_repeats=1, test_size=.25, groups=groups)
            ] == [15]


def test_a_fold_that_trains_on_one_class_has_no_score_and_the_others_do():
    y = (np.arange(40) >= 32).astype(int)  # all ones lie in the last group
    X = np.random.default_rng(0).standard_normal((40, 3))
    made = evaluate.cv_scores(X, y, n_repeats=1, groups=np.arange(40) // 8, scoring=[
        "accuracy", "roc_auc"])
    lacks = made["accuracy"].isna()
    assert lacks.sum() == 1 and made["roc_auc"].isna().all()
    assert made.loc[lacks, "n_test"].item() == 8 and made["accuracy"].max() <= 1


def test_classifiers_are_those_of_scikit_learn():
    made = {name: evaluate.classifier(name, 5) for name in ("lr", "rf", "lr scaled")}
    assert made["rf"].random_state == 5 and made["lr"].max_iter == 100
    assert made["lr scaled"][-1].max_iter == 2000 and evaluate.classifier(made["rf"]) is made["rf"]


@pytest.mark.parametrize("n, least, counts", [
    (99, 10, [89, 10]), (50, 10, [45, 10]), (20, 10, [18, 10]), (20, 1, [18, 2]),
    (20, 30, [30, 10]), (100, 10, [90, 10]), (5, 0, [4, 0])])
def test_the_share_of_each_label_in_a_sample(n, least, counts):
    labels = np.array(["a"] * 90 + ["b"] * 10)
    rows = evaluate.subsample(labels, n, 3, least)
    assert [(labels[rows] == name).sum() for name in "ab"] == counts
    assert (np.diff(rows) > 0).all() and len(set(rows)) == len(rows)
    assert n == 100 or not np.array_equal(rows, evaluate.subsample(labels, n, 4, least))


def test_bins_of_equal_values():
    assert evaluate.strata([1, 2, 3, 4], 2).tolist() == [0, 0, 1, 1]
    assert evaluate.strata([5, 5, 5, 5, 9], 4).tolist() == [0, 0, 0, 0, 0]
    assert evaluate.strata(range(40)).tolist() == list(np.repeat(range(20), 2))


def test_families_of_groups_of_genes(source):
    source(genes.HGNC, genes.REFSEQ)
    made = evaluate.families(["HOXA1", "ZNF683", "A1BG-AS1", "AB", "12"], "gene_group")
    assert made[0] == "HOXL subclass homeoboxes" and made[3:].tolist() == ["AB", "12"]
    assert "|" not in "".join(made)
    assert evaluate.families(["ABCD", "ABC", "AB-1", "7SK", "ABCDE12"]).tolist() == [
        "ABC", "ABC", "AB", "7SK", "ABCD"]
