"""The sentence of a cell, its genes' names in descending order of expression; and GenePT-s, the
sentence's text embedding."""

import itertools

import numpy as np

from genept_utils import embed, genes
from genept_utils.cells.names import matched_genes, species_of
from genept_utils.cells.normalise import normalised
from genept_utils.datasets.matrix import select_matrix

PREFIX = "A cell with genes ranked by expression: "


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
    part = genes.only_genes(adata)
    X = normalised(part).X.tocsr()
    if names is None:
        names = sentence_names(part, species)
    elif part is not adata:
        names = np.asarray(names, dtype=object)[(genes.kinds(adata.var) == "").to_numpy()]
    names = np.asarray(names, dtype=object).astype(str)
    order = np.argsort(names, kind="stable")
    place = np.empty(len(names), dtype=np.uint64)  # of each name in the alphabet
    place[order] = np.arange(len(names), dtype=np.uint64)
    spoken, made = names[order].astype(object), np.full(X.shape[0], prefix, dtype=object)
    for cell, (start, end) in enumerate(itertools.pairwise(X.indptr)):
        expressed = X.data[start:end].astype(np.float32, copy=False)
        # one number orders a gene: the bits of its value, turned round, and below them its place
        falling = (~expressed.view(np.uint32)).astype(np.uint64) << np.uint64(32)
        keys = np.sort((falling | place[X.indices[start:end]])[expressed > 0])
        chosen = keys[:max(n_genes, 0)]
        made[cell] += " ".join(spoken[chosen.astype(np.uint32)].tolist())
    return made


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
