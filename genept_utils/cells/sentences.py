"""The sentence of a cell: its genes' names in descending order of expression."""

import numpy as np

from genept_utils import genes
from genept_utils.cells.names import gene_names
from genept_utils.cells.normalise import chosen, normalised

PREFIX = "A cell with genes ranked by expression: "
BLOCK = 2_000_000  # non-zeros that are sorted at a time
CUT = "\x1e"  # the record separator of ASCII, between two cells while they are one text


def cell_sentences(adata, n_genes=1000, prefix=PREFIX, names=None, layer=None, raw=False,
                   values=None):
    """One sentence per cell: its genes' names in descending order of normalised expression.

    Genes without counts are left out. Equal values are ordered by name, so that the sentence
    does not depend on the order of the columns (the authors' code leaves it to the sort).

    Parameters
    ----------
    adata : anndata.AnnData
        (n_cells, n_genes) counts or log-normalised values.
    n_genes : int
        At most so many names.
    prefix : str
        What the sentence begins with; the authors' words by default.
    names : sequence of str, optional
        (n_genes,) names to write; by default the approved symbol of an Ensembl, Entrez or HGNC
        identifier and otherwise the name as given.
    layer, raw, values
        As in :func:`genept_utils.cells.genept_w`.

    Returns
    -------
    numpy.ndarray
        (n_cells,) str.
    """
    adata = chosen(adata, layer, raw, values)
    X = normalised(adata).X.tocsr()
    names = np.asarray(spoken_names(adata) if names is None else names, dtype=object).astype(str)
    order = np.argsort(names, kind="stable")
    place = np.empty(len(names), dtype=np.uint64)
    place[order] = np.arange(len(names), dtype=np.uint64)
    spoken, made = names[order].astype(object), np.full(X.shape[0], prefix, dtype=object)
    for rows in _blocks(X.indptr, len(names)):
        chosen_places, counts = _ranked(X[rows], place, n_genes)
        words, first = spoken[chosen_places], np.cumsum(counts) - counts
        first = first[counts > 0]
        words[first] = CUT + prefix + words[first]
        made[np.flatnonzero(counts) + rows.start] = (
            " ".join(words.tolist())[len(CUT):].split(" " + CUT))
    return made


def _blocks(indptr, n_genes):
    """Slices of cells with up to :data:`BLOCK` non-zeros, and no more cells than fit into the
    key of :func:`_ranked`."""
    most = 1 << (32 - _bits(n_genes))
    start, n = 0, len(indptr) - 1
    while start < n:
        end = int(np.searchsorted(indptr, indptr[start] + BLOCK, side="right")) - 1
        end = min(max(end, start + 1), start + most, n)
        yield slice(start, end)
        start = end


def _bits(n_genes):
    return max(n_genes - 1, 1).bit_length()


def _ranked(X, place, n_genes):
    """Places of the expressed genes, cell after cell and in each by falling value, then place:
    (n_chosen,) and how many there are in each cell (n_cells,).

    One sort of whole numbers does it: the cell in the uppermost bits, then the value, whose
    32 bits are ordered as the positive number itself and are turned round, then the place.
    """
    bits = _bits(len(place))
    row = np.repeat(np.arange(X.shape[0], dtype=np.uint64), np.diff(X.indptr))
    falling = ~X.data.astype(np.float32, copy=False).view(np.uint32)
    key = row << np.uint64(32 + bits) | falling.astype(np.uint64) << np.uint64(bits)
    key = (key | place[X.indices])[X.data > 0]
    key.sort()
    row = (key >> np.uint64(32 + bits)).astype(np.intp)
    counts = np.bincount(row, minlength=X.shape[0])
    rank = np.arange(len(key)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = rank < n_genes
    return ((key[kept] & np.uint64((1 << bits) - 1)).astype(np.intp),
            np.minimum(counts, max(n_genes, 0)))


def spoken_names(adata):
    """Gene names as a sentence writes them: a symbol for an identifier, else the name given."""
    matched = genes.match(gene_names(adata)).table
    identifier = matched["how"].isin(["ensembl", "entrez", "hgnc"])
    return matched["name"].where(~identifier, matched["symbol"]).to_numpy(object)
