"""A support vector machine on a kernel that is known: one start, then C by C from the last one.

The same optimum as libsvm's C-SVC (and scikit-learn's ``SVC(kernel="precomputed")``): the pair of
rows of each step by the second order rule of Fan, Chen and Lin (2005, JMLR 6:1889), stopped where
the largest violation is below ``TOLERANCE``. A larger C starts from the optimum of the smaller
one. A step is four passes over a row of the kernel that the compiler turns
into vector instructions, which is where the time is saved.
"""

import numpy as np
import scipy.sparse as sp

from genept_utils.optional import compiled

C_VALUES = (0.1, 1.0, 10.0, 100.0, 1000.0)
TOLERANCE = 1e-3  # libsvm's and scikit-learn's default
MAX_STEPS = 10_000_000
ROWS = 512  # of a block of products, which fits into the processor's cache
CHECKED = 8  # steps between two looks at the largest violation
_SIGN = np.int32(0x7FFFFFFF)


class Products:
    """Dot products of rows, the first of which are its columns, and machines on them: linear for
    counts, where the product of two rows is what they share, else radial, ``gamma="scale"``."""

    def __init__(self, dots, size, total, width, linear, ends=None):
        self.dots, self.size, self.total = dots, size, total
        self.width, self.linear, self.ends = width, linear, ends

    @classmethod
    def of(cls, X, dots=None):
        """Of all rows of X (n, d) with each other."""
        linear = sp.issparse(X)
        dots = products(X) if dots is None else dots
        return cls(dots, dots.diagonal(), np.asarray(X.sum(axis=1)).ravel(), X.shape[1], linear)

    def of_pairs(self, ends):
        """Of sums of two rows (m, 2) with each other. They are summed where they are asked for:
        all of ten thousand pairs would take half a gigabyte."""
        a, b = ends.T
        size = (self.dots[a, a] + self.dots[b, a]) + (self.dots[a, b] + self.dots[b, b])
        return Products(self.dots, size, self.total[ends].sum(axis=1), self.width, self.linear,
                        np.ascontiguousarray(ends))

    def some(self, rows, columns):
        """The products of some rows with others, (n, m) float32."""
        if self.ends is None:
            return chosen(self.dots, rows, columns)
        made = np.empty((len(rows), len(columns)), np.float32)
        _choose_pairs(self.dots, self.ends[rows], self.ends[columns], made)
        return made

    def best_C(self, rows, label, inner, values=C_VALUES):
        """The C with the best mean ROC-AUC over (train, test) masks; the smallest of equal ones."""
        areas = np.full((len(inner), len(values)), np.nan)
        for number, (train, test) in enumerate(inner):
            for place, scores in enumerate(self.over_C(rows, label, train, test, values)):
                areas[number, place:] = area(label[test], scores)  # a larger C may be the same
        mean = areas.mean(axis=0)
        return 1.0 if np.isnan(mean).all() else values[int(np.nanargmax(mean))]

    def over_C(self, rows, label, train, test, values):
        """Decision values of the test rows for each C; none where training has one class only, fewer
        where larger ones are the same. Equal rows of one label are one row that counts more."""
        once, copies = np.unique(2 * rows[train] + label[train], return_counts=True)
        seen, label = once // 2, once % 2
        asked, places = np.unique(rows[test], return_inverse=True)  # equal rows tie
        if label.min() == label.max():
            return []
        scale = None
        if not self.linear:
            mean = self.total[rows[train]].mean() / self.width
            scale = 1 / (self.width * (self.size[rows[train]].mean() / self.width - mean**2))
        found = [signed.astype(np.float32) for signed in
                 optima(self._kernel(seen, seen, scale), label, values, copies)]
        kernel = self._kernel(asked, seen, scale)  # after the other one: both take half a gigabyte
        return [(kernel @ signed)[places] for signed in found]

    def _kernel(self, rows, columns, scale):
        """Linear, or with a ``scale`` ``exp(-scale * distance**2)``, (n, m) float32."""
        made = self.some(rows, columns)
        if scale is None:
            return made
        _distances(self.size[rows].astype(np.float32), self.size[columns].astype(np.float32),
                   np.float32(-scale), made)
        return np.exp(made, out=made)


def products(X, known=None, changed=None):
    """(n, n) dot products of rows; of ``known`` ones only the rows ``changed`` are made anew."""
    if known is None and not sp.issparse(X):
        return X @ X.T  # of one array: BLAS computes half of it
    made = np.empty((X.shape[0],) * 2, dtype=X.dtype) if known is None else known.copy()
    rows = np.arange(len(made)) if known is None else np.asarray(changed)
    if sp.issparse(X):
        X, back = X.tocsr(), X.T.tocsr()
        _sparse_products(rows, X.indptr, X.indices, X.data, back.indptr, back.indices, back.data,
                         made)
    else:
        for start in range(0, len(rows), ROWS):
            made[rows[start:start + ROWS]] = X[rows[start:start + ROWS]] @ X.T
    if known is not None:
        made[:, rows] = made[rows].T
    return made


def chosen(table, rows, columns):
    """Some rows and columns (numbers) of a table, float32: numpy takes five times as long."""
    made = np.empty((len(rows), len(columns)), np.float32)
    _choose(table, rows, columns, made)
    return made


def area(label, scores):
    """ROC-AUC, NaN with one class: as scikit-learn's, without its checks of every call."""
    inside = np.asarray(label) == 1
    if inside.all() or not inside.any():
        return np.nan
    order = np.argsort(scores)
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)) + 1
    starts = np.append(0, ends[:-1])  # equal scores share the mean of their ranks
    ranks = np.repeat((starts + 1 + ends) / 2, ends - starts)
    n = inside.sum()
    return (ranks[inside[order]].mean() - (n + 1) / 2) / (len(inside) - n)


def optima(kernel, label, values, copies=None):
    """Dual coefficients for growing C, the classes balanced.

    Parameters
    ----------
    kernel : numpy.ndarray
        (n, n) float32, C-contiguous, of the training rows.
    label : numpy.ndarray
        (n,) 0 or 1, both present.
    values : sequence of float
        Values of C, smallest first.
    copies : numpy.ndarray, optional
        (n,) how many equal rows of one label each row stands for.

    Yields
    ------
    numpy.ndarray
        (n,) float64 signed coefficients: the decision values of new rows are their kernel to the
        training rows times these, but for a constant. Where no coefficient is held back by C,
        a larger C has the same optimum, and the sequence ends.
    """
    label = np.asarray(label)
    copies = np.ones(len(label)) if copies is None else copies
    y = np.where(label == 1, 1.0, -1.0)
    weight = copies * (copies.sum() / (2 * np.bincount(label, copies)))[label]
    # with a small C nearly all are at the bound, which the balanced classes allow as a start
    alpha, last = weight * (values[0] < 1), 1.0
    violation = y - kernel @ (alpha * y).astype(kernel.dtype)
    for C in values:
        held = alpha >= last * weight
        if held.mean() > .5:  # then most grow with C; else few change at all
            alpha, violation = alpha * (C / last), (violation - y) * (C / last) + y
            alpha[held] = (C * weight)[held]  # at the bound itself, whatever the rounding
        _solve(kernel, y, C * weight, alpha, violation, TOLERANCE, MAX_STEPS)
        yield alpha * y
        last = C
        if (alpha < C * weight * (1 - 1e-6)).all():
            return


@compiled
def _sparse_products(rows, starts, columns, values, back_starts, back_columns, back_values, out):
    """Products nearly all of which are not zero: scipy's own are sparse and sorted first."""
    for k in range(len(rows)):
        line = out[rows[k]]
        line[:] = 0
        for p in range(starts[rows[k]], starts[rows[k] + 1]):
            word, value = columns[p], values[p]
            for q in range(back_starts[word], back_starts[word + 1]):
                line[back_columns[q]] += value * back_values[q]


@compiled
def _argmax(bits):
    """Where a float32 is largest, from its bits: whole numbers are compared many at a time."""
    best = np.int32(-2147483648)
    for t in range(len(bits)):
        best = max(best, bits[t] ^ ((bits[t] >> np.int32(31)) & _SIGN))
    best = best ^ ((best >> np.int32(31)) & _SIGN)
    t = 0
    while bits[t] != best:
        t += 1
    return t


@compiled
def _choose(table, rows, columns, out):
    for i in range(len(rows)):
        line, into = table[rows[i]], out[i]
        for j in range(len(columns)):
            into[j] = line[columns[j]]


@compiled
def _choose_pairs(table, rows, columns, out):
    half = np.empty(table.shape[1], table.dtype)
    for i in range(len(rows)):
        for t in range(len(half)):
            half[t] = table[rows[i, 0], t] + table[rows[i, 1], t]
        for j in range(len(columns)):
            out[i, j] = half[columns[j, 0]] + half[columns[j, 1]]


@compiled
def _distances(left, right, scale, out):
    for i in range(len(left)):
        line = out[i]
        for j in range(len(right)):
            d = left[i] + right[j] - np.float32(2) * line[j]
            line[j] = scale * (d if d > np.float32(0) else np.float32(0))


@compiled
def _plus(v, sign, barred, out):
    for t in range(len(v)):
        out[t] = np.float32(sign * v[t]) + barred[t]


@compiled
def _gain(v, barred, diagonal, row, best, own, out):
    """What the objective gains by a step with each row, 0 where none is allowed."""
    for t in range(len(v)):
        d = np.float32(best - v[t]) + barred[t]
        d = d if d > np.float32(0) else np.float32(0)
        curve = own + diagonal[t] - np.float32(2) * row[t]
        out[t] = d * d / (curve if curve > np.float32(1e-12) else np.float32(1e-12))


@compiled
def _move(v, step, a, b):
    for t in range(len(v)):
        v[t] -= step * (a[t] - b[t])


@compiled
def _allow(t, y, alpha, bound, up, low):
    """Whether the coefficient of a row can grow (0, else minus infinity), and shrink."""
    grows = alpha[t] < bound[t] if y[t] > 0 else alpha[t] > 0
    shrinks = alpha[t] > 0 if y[t] > 0 else alpha[t] < bound[t]
    up[t] = np.float32(0) if grows else np.float32(-np.inf)
    low[t] = np.float32(0) if shrinks else np.float32(-np.inf)


@compiled
def _solve(kernel, y, bound, alpha, v, tolerance, most):
    """Optimum of the dual; ``alpha`` and ``v`` (minus label times gradient) are overwritten."""
    n = len(y)
    up, low = np.empty(n, np.float32), np.empty(n, np.float32)
    diagonal, work = np.empty(n, np.float32), np.empty(n, np.float32)
    bits = work.view(np.int32)
    for t in range(n):
        diagonal[t] = kernel[t, t]
        _allow(t, y, alpha, bound, up, low)
    for step in range(most):
        _plus(v, 1.0, up, work)
        i = _argmax(bits)
        most_up = work[i]
        if step % CHECKED == 0:
            _plus(v, -1.0, low, work)
            if most_up + work[_argmax(bits)] < tolerance:
                break
        a = kernel[i]
        _gain(v, low, diagonal, a, v[i], diagonal[i], work)
        j = _argmax(bits)
        if work[j] == 0:
            break
        b = kernel[j]
        size = (v[i] - v[j]) / max(diagonal[i] + diagonal[j] - 2.0 * a[j], 1e-12)
        grow = bound[i] - alpha[i] if y[i] > 0 else alpha[i]
        shrink = alpha[j] if y[j] > 0 else bound[j] - alpha[j]
        size = min(size, grow, shrink)
        # a bound is met exactly, so that the row leaves the choice
        alpha[i] = (bound[i] if y[i] > 0 else 0.0) if size == grow else alpha[i] + y[i] * size
        alpha[j] = (0.0 if y[j] > 0 else bound[j]) if size == shrink else alpha[j] - y[j] * size
        _allow(i, y, alpha, bound, up, low)
        _allow(j, y, alpha, bound, up, low)
        _move(v, size, a, b)
