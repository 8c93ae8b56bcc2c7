"""The sentence of a cell: its genes' names in descending order of expression."""

import numpy as np

from genept_utils import genes
from genept_utils.cells.names import gene_names
from genept_utils.cells.normalise import chosen, normalised

PREFIX = "A cell with genes ranked by expression: "


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
    place = np.argsort(np.argsort(names, kind="stable"), kind="stable")
    made = []
    for start, end in zip(X.indptr[:-1], X.indptr[1:]):
        genes_of, values = X.indices[start:end], X.data[start:end]
        genes_of, values = genes_of[values > 0], values[values > 0]
        order = np.lexsort((place[genes_of], -values))[:n_genes]
        made.append(prefix + " ".join(names[genes_of[order]]))
    return np.array(made, dtype=object)


def spoken_names(adata):
    """Gene names as a sentence writes them: a symbol for an identifier, else the name given."""
    matched = genes.match(gene_names(adata)).table
    identifier = matched["how"].isin(["ensembl", "entrez", "hgnc"])
    return matched["name"].where(~identifier, matched["symbol"]).to_numpy(object)
