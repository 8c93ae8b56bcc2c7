"""What a matrix of expression holds: counts or logarithms, judged by its values.

A mark in a file says what somebody once meant, and stays behind when the values change. So the
values are asked first; the mark decides only what they leave open.
"""

import dataclasses

import numpy as np
import scipy.sparse as sp

LOG_CEILING = 20  # log2(1 + a million) is 19.93: no logarithm of scaled counts is larger
SAMPLED = 200  # cells of a block whose totals are compared
SAME = 1e-3  # relative difference up to which totals are the same


@dataclasses.dataclass(frozen=True)
class Seen:
    """What the blocks of a matrix that were looked at hold; ``+`` puts two together.

    Attributes
    ----------
    bad : int
        Values that are NaN or infinite.
    lowest, highest : float
        Of the finite values; an implicit zero of a sparse matrix counts as 0.
    whole : bool
        All finite values are whole numbers.
    totals : tuple of (float, float)
        Smallest and largest total of a cell, among those sampled that are not empty: of the
        values themselves, of exp(x) - 1 and of 2**x - 1.
    cells : int
        Cells sampled for ``totals``.
    """

    bad: int = 0
    lowest: float = 0.0
    highest: float = 0.0
    whole: bool = True
    totals: tuple = ((np.inf, 0.0),) * 3
    cells: int = 0

    def __add__(self, other):
        totals = tuple((min(a[0], b[0]), max(a[1], b[1]))
                       for a, b in zip(self.totals, other.totals))
        return Seen(self.bad + other.bad, min(self.lowest, other.lowest),
                    max(self.highest, other.highest), self.whole and other.whole, totals,
                    self.cells + other.cells)


def look(X):
    """What a block of rows holds.

    Parameters
    ----------
    X : array or sparse matrix
        (n_cells, n_genes), whole or a block of its rows.

    Returns
    -------
    Seen
    """
    values = X.data if sp.issparse(X) else np.asarray(X)
    if not values.size:
        return Seen()
    finite = np.isfinite(values)
    bad = int(values.size - finite.sum())
    if bad:
        values = values[finite]
    if not values.size:
        return Seen(bad)
    lowest, highest = float(values.min()), float(values.max())
    whole = values.dtype.kind in "iub" or bool((values == np.rint(values)).all())
    seen = Seen(bad, min(lowest, 0.0), max(highest, 0.0), whole)
    if bad or whole or lowest < 0 or highest > LOG_CEILING:
        return seen  # the totals decide nothing then
    rows = np.unique(np.linspace(0, X.shape[0] - 1, SAMPLED).astype(int))
    part = sp.csr_matrix(X[rows], dtype=np.float64)
    totals = []
    for turned in (part.data, np.expm1(part.data), np.exp2(part.data) - 1):
        each = np.asarray(sp.csr_matrix((turned, part.indices, part.indptr),
                                        part.shape).sum(axis=1)).ravel()
        each = each[each > 0]
        totals.append((float(each.min()), float(each.max())) if each.size else (np.inf, 0.0))
    return dataclasses.replace(seen, totals=tuple(totals), cells=int(each.size))


def judged(seen, declared=None, sure=False):
    """Whether values are ``"raw"`` counts or ``"log"``-normalised: the one rule of the project.

    Whole numbers, values above :data:`LOG_CEILING`, and cells whose values have the same total
    are counts (or counts scaled); cells whose exp(x) - 1 or 2**x - 1 have the same total are
    logarithms. That beats any mark. What is left are fractions below the ceiling: there the mark
    decides, and without one they are taken for logarithms.

    Parameters
    ----------
    seen : Seen
        Of the whole matrix, or of blocks put together with ``+``.
    declared : {"raw", "log"}, optional
        What a mark says.
    sure : bool
        The mark was given by the reader for these very values (``values=``), so that only values
        that contradict it are worth a word.

    Returns
    -------
    scale : {"raw", "log"}
    word : str or None
        A sentence for the reader where the mark was overridden or the values leave it open.

    Raises
    ------
    ValueError
        Values are NaN, infinite or negative, or there is no value above zero.
    """
    if seen.bad:
        raise ValueError(f"the expression matrix holds {seen.bad:,} values that are NaN or "
                         "infinite; remove those cells or genes, or set the values to 0")
    if seen.lowest < 0:
        raise ValueError("the expression matrix holds negative values, so it is neither counts "
                         "nor log-normalised counts (scaled data?)")
    if seen.highest <= 0:
        raise ValueError("the expression matrix is all zeros, or has no cells or no genes")
    scale, because = _shown(seen)
    named = {"raw": "counts", "log": "logarithms"}
    if scale and declared in named and declared != scale:
        return scale, (f"the values are marked as {named[declared]}, but {because}; they are "
                       f"used as {named[scale]}")
    if scale == "raw" or declared == "log":
        return scale or "log", None
    if declared == "raw":
        return scale or "raw", None if sure else (
            f"the values are marked as counts, but they are fractions below {LOG_CEILING}, as "
            'logarithms are; they are used as counts, and values="log" says otherwise')
    return "log", (f"the values are fractions below {LOG_CEILING}, so they look log-normalised "
                   'and are used as they are; values="raw" says that they are counts')


def _shown(seen):
    """What the values themselves show, and by what; (None, "") where they leave it open."""
    if seen.whole:
        return "raw", "they are whole numbers"
    if seen.highest > LOG_CEILING:
        return "raw", f"they reach {seen.highest:,.4g}, which no logarithm of scaled counts does"
    same = [seen.cells > 2 and high - low < SAME * high for low, high in seen.totals]
    if same[0] and not any(same[1:]):
        return "raw", "they have the same total in every cell"
    if any(same[1:]) and not same[0]:
        turned = "exp(x)" if same[1] else "2**x"
        return "log", f"{turned} - 1 has the same total in every cell"
    return None, ""
