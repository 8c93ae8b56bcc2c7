"""Support vector machines on a known kernel: libsvm's optimum, for each C, whatever came before."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import roc_auc_score
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


# ------------------------------------------------------------------ products, areas, the choice of C

@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("digits", [0, 3])
def test_area_is_scikit_learns(seed, digits):
    rng = np.random.default_rng(seed)
    label, scores = rng.permutation(np.arange(31) % 3 == 0), rng.standard_normal(31).round(digits)
    assert svm.area(label.astype(int), scores) == pytest.approx(roc_auc_score(label, scores))
    assert np.isnan(svm.area([1, 1], [0, 1])) and np.isnan(svm.area([0, 0], [0, 1]))


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix, sp.csc_matrix])
def test_products_of_some_rows_made_anew(monkeypatch, form):
    monkeypatch.setattr(svm, "ROWS", 4)  # several blocks
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (23, 6)).astype(np.float32)
    before, changed = X.copy(), [2, 3, 7, 8, 9, 21]
    before[changed] = 1
    np.testing.assert_array_equal(svm.products(form(X)), X @ X.T)
    known = svm.products(form(before))
    kept = known.copy()
    np.testing.assert_array_equal(svm.products(form(X), known, changed), X @ X.T)
    np.testing.assert_array_equal(known, kept)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_sums_of_two_rows_have_the_products_of_their_sums(form):
    rng = np.random.default_rng(0)
    X, ends = rng.standard_normal((12, 5)).astype(np.float32), rng.integers(0, 12, (31, 2))
    pairs = X[ends].sum(axis=1)
    made = svm.Products.of(form(X)).of_pairs(ends)
    some, others = rng.permutation(31)[:9], rng.integers(0, 31, 20)
    np.testing.assert_allclose(made.some(some, others), pairs[some] @ pairs[others].T, atol=1e-4)
    np.testing.assert_allclose(svm.Products.of(form(X)).some(some % 12, others % 12),
                               X[some % 12] @ X[others % 12].T, atol=1e-4)
    np.testing.assert_allclose(made.size, (pairs**2).sum(axis=1), atol=1e-4)
    np.testing.assert_allclose(made.total, pairs.sum(axis=1), atol=1e-4)
    assert made.width == 5 and made.linear is (form is sp.csr_matrix)


@pytest.mark.parametrize("kind", ["radial", "linear", "pairs", "twice"])
def test_decisions_over_C_are_scikit_learns(monkeypatch, kind):
    """gamma="scale" of the training rows alone, equal rows counted as often as they stand."""
    monkeypatch.setattr(svm, "TOLERANCE", 1e-6)
    rng = np.random.default_rng(1)
    n, label = 90, np.arange(90) % 3 // 2
    X = 2 + rng.standard_normal((n, 7)) + .7 * label[:, None]
    X[60:] *= 3  # test rows are not in the scale
    if kind == "linear":
        X = np.maximum(X.round(), 0)
    X = X.astype(np.float32)
    known = svm.Products.of(sp.csr_matrix(X) if kind == "linear" else X)
    rows = np.arange(n)
    if kind == "twice":  # the same rows again and again, in training and in the test
        rows = np.append(rng.integers(0, 25, 60), rng.integers(0, 90, 30))
        label = label[rows]
    if kind == "pairs":
        ends = rng.integers(0, n, (n, 2))
        known, X = known.of_pairs(ends), X[ends].sum(axis=1)
    train, test = np.arange(n) < 60, np.arange(n) >= 60
    values = (.1, 1., 10.)
    made = known.over_C(rows, label, train, test, values)
    assert len(made) == 3 and all(len(one) == 30 for one in made)
    for C, found in zip(values, made):
        there = SVC(C=C, kernel="linear" if kind == "linear" else "rbf", class_weight="balanced",
                    tol=1e-6).fit(X[rows[train]], label[train])
        wanted = there.decision_function(X[rows[test]])
        np.testing.assert_allclose(found - found.mean(), wanted - wanted.mean(), atol=.02)
    assert known.over_C(rows, np.zeros(n, int), train, test, values) == []
    assert known.over_C(rows, np.ones(n, int), train, test, values) == []


def test_the_smallest_of_the_best_C_is_taken(monkeypatch):
    """Areas by C and split: 0.1 -> .5, 1 -> .75, 10 -> .75; then one split stops early."""
    label = np.array([0, 0, 1, 1])
    scores = {.75: np.array([0, 2, 1, 3.]), .5: np.zeros(4), 1.: np.arange(4.), 0.: -np.arange(4.)}
    known = svm.Products(None, None, None, 1, True)

    def chosen(*areas, values=(.1, 1., 10.)):
        given = iter(areas)
        monkeypatch.setattr(known, "over_C", lambda *_: [scores[one] for one in next(given)])
        part = np.ones(4, bool)
        return known.best_C(np.arange(4), label, [(part, part)] * len(areas), values)

    assert chosen((.5, .75, .75)) == 1
    assert chosen((.5, .75, .75), (.5, .5, .75)) == 10
    assert chosen((.5,), (.5, .75, .5)) == 1  # the first split has .5 for each C
    assert chosen((1.,), (0., .5, .5)) == 1
    assert chosen((.75, .5), (.5, .5, .75)) == .1
    assert chosen((), ()) == 1.0 and chosen((), (.5, 1., .5)) == 1.0


@pytest.mark.parametrize("values", [(.1, 1, 10.), (1., 2), (5., 50), (.01, 100.)])
def test_the_start_does_not_move_the_optimum(monkeypatch, values):
    """Whatever C comes first, and with rows that stand for several."""
    monkeypatch.setattr(svm, "TOLERANCE", 1e-6)
    K, label = rows("noise")
    some, copies = np.arange(120), 1 + np.arange(120) % 3
    whole = np.repeat(some, copies)
    found = list(svm.optima(np.ascontiguousarray(K[:120, :120]), label[:120], values, copies))
    for C, signed in zip(values, found + [found[-1]] * len(values)):
        there = SVC(C=C, kernel="precomputed", class_weight="balanced", tol=1e-6).fit(
            K[np.ix_(whole, whole)].astype(float), label[whole])
        wanted = there.decision_function(K[np.ix_(np.arange(120, 260), whole)].astype(float))
        made = K[120:, :120] @ signed
        assert np.abs(made - made.mean() - wanted + wanted.mean()).max() < 5e-3 * max(wanted.std(), 1)


def test_few_steps_are_enough(monkeypatch):
    """The start, and the growth of the coefficients at the bound, spare most of the steps."""
    K, label = rows("noise")
    monkeypatch.setattr(svm, "MAX_STEPS", 0)
    share = len(label) / (2 * np.bincount(label))[label] * np.where(label == 1, 1, -1)
    for signed, C in zip(svm.optima(K, label, (.1, .2)), (.1, .2), strict=True):
        np.testing.assert_allclose(signed, C * share)
    none, = svm.optima(K, label, (1., 2.))
    assert not none.any()
