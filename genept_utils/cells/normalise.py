"""Counts or logarithms, told by the values; and the published normalisation.

Metadata may be stale, so the values are inspected first; what a file declares decides only what
they leave open.
"""

import dataclasses
import warnings

import numpy as np
import scipy.sparse as sp

from genept_utils.datasets.matrix import advice, declared, declared_scale, select_matrix

TARGET = 10_000  # counts a cell is scaled to
LOG_CEILING = 20  # log2(1 + a million) is 19.93: no logarithm of scaled counts is larger
STRETCH = 500  # cells that are scaled at a time
SAMPLED = 200  # cells of a block whose totals are compared
NAMED = {"raw": "counts", "log": "logarithms"}
SAME = 1e-3  # relative difference up to which totals are the same


@dataclasses.dataclass(frozen=True)
class MatrixSummary:
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
    gene_totals : numpy.ndarray
        (n_genes,) float64 sums over the cells.
    """

    bad: int = 0
    lowest: float = 0.0
    highest: float = 0.0
    whole: bool = True
    totals: tuple = ((np.inf, 0.0),) * 3
    cells: int = 0
    gene_totals: np.ndarray | float = 0.0

    def __add__(self, other):
        totals = tuple((min(a[0], b[0]), max(a[1], b[1]))
                       for a, b in zip(self.totals, other.totals))
        return MatrixSummary(self.bad + other.bad, min(self.lowest, other.lowest),
                    max(self.highest, other.highest), self.whole and other.whole, totals,
                    self.cells + other.cells, self.gene_totals + other.gene_totals)


def summarise(X):
    """What a block of rows holds.

    Parameters
    ----------
    X : array or sparse matrix
        (n_cells, n_genes), whole or a block of its rows.

    Returns
    -------
    MatrixSummary
    """
    values = X.data if sp.issparse(X) else np.asarray(X)
    totals = np.asarray(X.sum(axis=0, dtype=np.float64)).ravel()
    bad, (lowest, highest) = 0, _range(values)
    if not np.isfinite([lowest, highest]).all():  # NaN where one is
        finite = np.isfinite(values)
        bad, values = int((~finite).sum()), values[finite]
        lowest, highest = _range(values)
    whole = values.dtype.kind in "iub" or bool((values == np.rint(values)).all())
    summary = MatrixSummary(bad, lowest, highest, whole, gene_totals=totals)
    if bad or whole or lowest < 0 or highest > LOG_CEILING:
        return summary  # the totals decide nothing then
    rows = np.unique(np.linspace(0, X.shape[0] - 1, SAMPLED).astype(int))
    part = sp.csr_matrix(X[rows], dtype=np.float64)
    totals = []
    for turned in (part.data, np.expm1(part.data), np.exp2(part.data) - 1):
        each = np.asarray(sp.csr_matrix((turned, part.indices, part.indptr),
                                        part.shape).sum(axis=1)).ravel()
        each = each[each > 0]
        totals.append((float(each.min()), float(each.max())) if each.size else (np.inf, 0.0))
    return dataclasses.replace(summary, totals=tuple(totals), cells=int(each.size))


def _range(values):
    """The smallest and the largest of values and 0."""
    return float(values.min(initial=0)), float(values.max(initial=0))


def infer_scale(seen, declared=None, sure=False):
    """Whether values are ``"raw"`` counts or ``"log"``-normalised: the one rule of the project.

    Whole numbers, values above :data:`LOG_CEILING`, and cells whose values have the same total
    are counts (or counts scaled); cells whose exp(x) - 1 or 2**x - 1 have the same total are
    logarithms. That beats any mark. What is left are fractions below the ceiling: there the mark
    decides, and without one they are taken for logarithms.

    Parameters
    ----------
    seen : MatrixSummary
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
    if scale and declared in NAMED and declared != scale:
        return scale, (f"the values are marked as {NAMED[declared]}, but {because}; they are "
                       f"used as {NAMED[scale]}")
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


def scale_of(adata):
    """Whether the values of ``adata.X`` are ``"raw"`` counts or ``"log"``-normalised.

    The rule is :func:`infer_scale`; metadata are ``uns["genept_data"]["values"]`` and scanpy's
    ``uns["log1p"]``.

    Raises
    ------
    ValueError
        There is no X, values are NaN, infinite or negative, or there is no value above zero.
    """
    return _judged(adata)[0]


def judge(adata, summary=None, metadata=None):
    """As :func:`scale_of`, from the summary of a matrix and what
    :func:`genept_utils.datasets.matrix.declared_scale` gives; warn if unsure."""
    scale, word = _judged(adata, summary, metadata)
    if word:
        warnings.warn(word, stacklevel=3)
    return scale


def _judged(adata, summary=None, metadata=None):
    try:
        return infer_scale(summary or summarise(select_matrix(adata).X),
                           *metadata or declared_scale(adata))
    except ValueError as error:
        if "negative" in str(error) or "all zeros" in str(error):
            raise ValueError(f"{error}; {advice(adata)}") from None
        raise


def normalise(adata, target=TARGET, layer=None, raw=False, values=None):
    """Counts scaled to ``target`` a cell, then log(1 + x): as published, and as in scanpy.

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes) counts in ``.X``, dense or sparse, in memory or backed. Log-normalised
        values are left as they are; where nothing declares them, a warning says so.
    target : float
        Counts that each cell is scaled to.
    layer, raw, values
        As in :func:`chosen`.

    Returns
    -------
    anndata.AnnData
        A copy with float32 CSR ``.X`` and the ``.obsm`` of ``adata``; a cell without counts
        stays all zero.

    Raises
    ------
    ValueError
        NaN, infinite or negative values, or no counts at all.

    Warns
    -----
    UserWarning
        A mark was overridden by the values, or the values leave open what they are.
    """
    source = select_matrix(adata, layer, raw, values)
    scale = judge(source)
    X = sp.csr_matrix(source.X, dtype=np.float32, copy=True)
    X.eliminate_zeros()
    if scale == "raw":
        scale_and_log(X, target)
    made = type(adata)(X, obs=source.obs.copy(), var=source.var.copy(), obsm=dict(adata.obsm))
    made.uns["genept_data"] = {**declared(source), "values": "log", "sure": False}
    made.uns["log1p"] = {}
    return made


def scale_and_log(X, target=TARGET):
    """Counts (n_cells, n_genes) float32 CSR to log(1 + scaled), in place and in float64, a
    stretch of cells at a time so that no second matrix is held."""
    total = np.asarray(X.sum(axis=1, dtype=np.float64)).ravel()
    factor = np.divide(target, total, out=np.zeros_like(total), where=total > 0)
    for start in range(0, X.shape[0], STRETCH):
        rows = X.indptr[start:start + STRETCH + 1]
        part = X.data[rows[0]:rows[-1]]
        part[:] = np.log1p(part * np.repeat(factor[start:start + STRETCH], np.diff(rows)))


def normalised(adata):
    """``adata`` itself where its ``.X`` is sparse and known to be logged, else a normalised
    copy."""
    source = select_matrix(adata)
    if sp.issparse(source.X) and declared_scale(source)[0] == "log" and scale_of(source) == "log":
        return source
    return normalise(source)


def log_block(X, scale, seen=None, declared=(None, False), first=None):
    """A block of cells as log-normalised float32 CSR; the block itself stays as it is.

    Parameters
    ----------
    X : array or sparse matrix
        (n, n_genes) values.
    scale : {"raw", "log"}
        What the whole matrix holds.
    seen : MatrixSummary, optional
        What was seen of the matrix when ``scale`` was inferred. Where that was only a part
        of it,
        the block must agree.
    declared : tuple
        As :func:`declared_scale` gives it.
    first : int, optional
        Number of the first cell, for the message.

    Raises
    ------
    ValueError
        The block holds NaN, infinite or negative values, or values by which the whole matrix
        would be judged otherwise.
    """
    if seen is not None:
        here = seen + summarise(X)
        where = "" if first is None else f"cells {first:,} to {first + X.shape[0]:,}: "
        try:
            found, _ = infer_scale(here, *declared)
        except ValueError as error:
            raise ValueError(f"{where}{error}") from None
        if found != scale:
            raise ValueError(f"{where}these values are {NAMED[found]}, but those that were looked "
                             f"at before are {NAMED[scale]}; say which with values=")
    X = sp.csr_matrix(X, dtype=np.float32, copy=True)
    X.eliminate_zeros()
    if scale == "raw":
        scale_and_log(X)
    return X
