"""GenePT-s: the text embedding of a cell's sentence."""

from genept_utils import embed
from genept_utils.cells.names import species_of
from genept_utils.cells.sentences import PREFIX, cell_sentences
from genept_utils.genes import species_name


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
                                               "species": species_name(species_of(adata, species))}
    return adata
