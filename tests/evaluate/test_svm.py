"""Support vector machines on a known kernel: libsvm's optimum, for each C, whatever came before."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC

from genept_utils.evaluate import svm

VALUES = (0.1, 1.0, 10.0, 100.0, 1000.0)


def rows(kind):
    rng = np.random.default_rng(3)
    label = (rng.random(260) < .2).astype(int)
    X = rng.standard_normal((260, 300 if kind == "linear" else 12)) + label[:, None] * .5
    if kind == "told apart":
        X[:, 0] += 6 * label
    if kind == "twins":  # rows that are equal, of either class
        X[100:150] = X[:50]
    K = rbf_kernel(X) if kind != "linear" else X @ X.T
    return K.astype(np.float32), label


@pytest.mark.parametrize("tolerance, close", [(1e-6, 1e-3), (svm.TOLERANCE, .02)])
@pytest.mark.parametrize("kind", ["noise", "told apart", "twins", "linear"])
def test_decision_values_are_libsvms(monkeypatch, kind, tolerance, close):
    monkeypatch.setattr(svm, "TOLERANCE", tolerance)
    K, label = rows(kind)
    train, test = np.arange(200), np.arange(200, 260)
    known = np.ascontiguousarray(K[np.ix_(train, train)])
    found = list(svm.optima(known, label[train], VALUES))
    assert kind != "told apart" or len(found) < len(VALUES), "a larger C would be the same"
    for C, signed in zip(VALUES, found + [found[-1]] * len(VALUES)):
        there = SVC(C=C, kernel="precomputed", class_weight="balanced", tol=tolerance).fit(
            known.astype(float), label[train])
        wanted = there.decision_function(K[np.ix_(test, train)].astype(float))
        values = K[np.ix_(test, train)] @ signed
        off = (values - values.mean()) - (wanted - wanted.mean())
        assert np.abs(off).max() < close * max(wanted.std(), 1)


def test_the_constraints_hold():
    K, label = rows("noise")
    share = len(label) / (2 * np.bincount(label))[label]
    for C, signed in zip(VALUES, svm.optima(K, label, VALUES)):
        alpha = signed * np.where(label == 1, 1, -1)
        assert alpha.min() >= 0 and (alpha <= C * share).all()
        assert abs(signed.sum()) < 1e-9 * C * len(label)


def test_the_largest_of_signed_numbers():
    for values in ([-3, -1, -2], [-np.inf, -5, -np.inf], [0, -0.0, 2, 7, 7], [-1, 0, -0.0]):
        values = np.array(values, dtype=np.float32)
        assert values[svm._argmax(values.view(np.int32))] == values.max()
