"""The sentence of a cell, its genes' names in descending order of expression; and GenePT-s, the
sentence's text embedding."""

import numpy as np

from genept_utils import embed, genes
from genept_utils.cells.names import matched_genes, only_genes, species_of
from genept_utils.cells.normalise import normalised
from genept_utils.datasets.matrix import select_matrix

PREFIX = "A cell with genes ranked by expression: "
BLOCK = 500_000  # non-zeros that are sorted at a time
CUT = "\x1e"  # the record separator of ASCII, between two cells while they are one text


def cell_sentences(adata, n_genes=1000, prefix=PREFIX, names=None, layer=None, raw=False,
                   values=None, species=None):
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
        (n_genes,) names to write; by default those of :func:`sentence_names`.
    layer, raw, values, species
        As in :func:`genept_utils.cells.genept_w`.

    Returns
    -------
    numpy.ndarray
        (n_cells,) str.
    """
    adata = select_matrix(adata, layer, raw, values)
    part = only_genes(adata)
    X = normalised(part).X.tocsr()
    if names is None:
        names = sentence_names(part, species)
    elif part is not adata:
        names = np.asarray(names, dtype=object)[(genes.kinds(adata.var) == "").to_numpy()]
    names = np.asarray(names, dtype=object).astype(str)
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


def sentence_names(adata, species=None):
    """Gene names as a sentence writes them.

    The approved symbol of an Ensembl, Entrez or HGNC identifier; with a ``species``, the symbol
    of the human ortholog; else the name as given. Where most names are as another tool writes
    them ("GRCh38_TP53"), those become symbols as well; the few "-1" that made names unique stay.
    """
    matched = matched_genes(adata, species).table
    types = ["ensembl", "entrez", "hgnc", "ortholog", "co-ortholog"]
    if (matched["match_type"] == "rewritten").mean() > 0.5 or species_of(adata, species):
        types.append("rewritten")
    named = matched["name"].where(~matched["match_type"].isin(types), matched["symbol"])
    return named.to_numpy(object)


def genept_s(adata, model="wordllama", n_genes=1000, prefix=PREFIX, key="X_genept_s",
             layer=None, raw=False, values=None, species=None):
    """GenePT-s: a cell is the text embedding of its sentence.

    Parameters
    ----------
    model : str
        A text model as :func:`genept_utils.embed.embed` takes it. ``"wordllama"`` averages
        static word vectors, so the order of the genes decides only which of them are named.
    n_genes, prefix
        See :func:`cell_sentences`.
    layer, raw, values, species
        As in :func:`genept_utils.cells.genept_w`.

    Returns
    -------
    anndata.AnnData
        ``adata`` itself, with (n_cells, d) float32 of unit length in ``obsm[key]``.
    """
    sentences = cell_sentences(adata, n_genes, prefix, None, layer, raw, values, species)
    adata.obsm[key] = embed.embed(sentences, model)
    adata.uns.setdefault("genept", {})[key] = {"embedding": model, "n_genes": int(n_genes),
                                               "prefix": prefix,
                                               "species": genes.species_name(species_of(adata, species))}
    return adata
