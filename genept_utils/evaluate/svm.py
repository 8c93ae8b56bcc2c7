"""A support vector machine on a kernel that is known: one start, then C by C from the last one.

The same optimum as libsvm's C-SVC (and scikit-learn's ``SVC(kernel="precomputed")``): the pair of
rows of each step by the second order rule of Fan, Chen and Lin (2005, JMLR 6:1889), stopped where
the largest violation is below ``TOLERANCE``. A larger C starts from the optimum of the smaller
one, scaled by their ratio. A step is four passes over a row of the kernel that the compiler turns
into vector instructions, which is where the time is saved.
"""

import numba
import numpy as np

TOLERANCE = 1e-3  # libsvm's and scikit-learn's default
MAX_STEPS = 10_000_000
_SIGN = np.int32(0x7FFFFFFF)


def optima(kernel, label, values):
    """Dual coefficients for growing C, the classes balanced.

    Parameters
    ----------
    kernel : numpy.ndarray
        (n, n) float32, C-contiguous, of the training rows.
    label : numpy.ndarray
        (n,) 0 or 1, both present.
    values : sequence of float
        Values of C, smallest first.

    Yields
    ------
    numpy.ndarray
        (n,) float64 signed coefficients: the decision values of new rows are their kernel to the
        training rows times these, but for a constant. Where no coefficient is held back by C,
        a larger C has the same optimum, and the sequence ends.
    """
    y = np.where(label == 1, 1.0, -1.0)
    weight = len(y) / (2 * np.bincount(label))[label]
    alpha, violation, held, last = np.zeros(len(y)), y.copy(), y > 1, values[0]
    for C in values:
        alpha *= C / last
        alpha[held] = (C * weight)[held]  # at the bound itself, whatever the rounding
        violation = (violation - y) * (C / last) + y
        _solve(kernel, y, C * weight, alpha, violation, TOLERANCE, MAX_STEPS)
        yield alpha * y
        held, last = alpha >= C * weight, C
        if (alpha < C * weight * (1 - 1e-6)).all():
            return


def _compiled(**options):
    def decorate(function):
        try:
            return numba.njit(nogil=True, cache=True, error_model="numpy", **options)(function)
        except RuntimeError:  # no folder that numba could keep its work in
            return numba.njit(nogil=True, error_model="numpy", **options)(function)
    return decorate


@_compiled()
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


@_compiled()
def _plus(v, sign, barred, out):
    for t in range(len(v)):
        out[t] = np.float32(sign * v[t]) + barred[t]


@_compiled()
def _gain(v, barred, diagonal, row, best, own, out):
    """What the objective gains by a step with each row, 0 where none is allowed."""
    for t in range(len(v)):
        d = np.float32(best - v[t]) + barred[t]
        d = d if d > np.float32(0) else np.float32(0)
        curve = own + diagonal[t] - np.float32(2) * row[t]
        out[t] = d * d / (curve if curve > np.float32(1e-12) else np.float32(1e-12))


@_compiled()
def _move(v, step, a, b):
    for t in range(len(v)):
        v[t] -= step * (a[t] - b[t])


@_compiled()
def _allow(t, y, alpha, bound, up, low):
    """Whether the coefficient of a row can grow (0, else minus infinity), and shrink."""
    grows = alpha[t] < bound[t] if y[t] > 0 else alpha[t] > 0
    shrinks = alpha[t] > 0 if y[t] > 0 else alpha[t] < bound[t]
    up[t] = np.float32(0) if grows else np.float32(-np.inf)
    low[t] = np.float32(0) if shrinks else np.float32(-np.inf)


@_compiled()
def _solve(kernel, y, bound, alpha, v, tolerance, most):
    """Optimum of the dual; ``alpha`` and ``v`` (minus label times gradient) are overwritten."""
    n = len(y)
    up, low = np.empty(n, np.float32), np.empty(n, np.float32)
    diagonal, work = np.empty(n, np.float32), np.empty(n, np.float32)
    bits = work.view(np.int32)
    for t in range(n):
        diagonal[t] = kernel[t, t]
        _allow(t, y, alpha, bound, up, low)
    for _ in range(most):
        _plus(v, -1.0, low, work)
        worst = -work[_argmax(bits)]
        _plus(v, 1.0, up, work)
        i = _argmax(bits)
        if work[i] - worst < tolerance:
            break
        a = kernel[i]
        _gain(v, low, diagonal, a, v[i], diagonal[i], work)
        j = _argmax(bits)
        b = kernel[j]
        step = (v[i] - v[j]) / max(diagonal[i] + diagonal[j] - 2.0 * a[j], 1e-12)
        grow = bound[i] - alpha[i] if y[i] > 0 else alpha[i]
        shrink = alpha[j] if y[j] > 0 else bound[j] - alpha[j]
        step = min(step, grow, shrink)
        # a bound is met exactly, so that the row leaves the choice
        alpha[i] = (bound[i] if y[i] > 0 else 0.0) if step == grow else alpha[i] + y[i] * step
        alpha[j] = (0.0 if y[j] > 0 else bound[j]) if step == shrink else alpha[j] - y[j] * step
        _allow(i, y, alpha, bound, up, low)
        _allow(j, y, alpha, bound, up, low)
        _move(v, step, a, b)
