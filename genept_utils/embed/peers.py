"""Gene vectors of other models, from the files that their authors released."""

import h5py
import numpy as np

from genept_utils import genes, sources
from genept_utils.embed.vectors import as_embedding

GENE2VEC = ("vectors/gene2vec_16906.npy", "vectors/gene2vec_16906_names.h5ad")


def gene2vec():
    """The published vectors of Gene2vec (Du et al. 2019), learnt from co-expression.

    The vectors and the names of their genes lie in two files that scBERT ships: an array
    without names, and the genes of its demo data. That row i of the one belongs to name i of the
    other is stated nowhere; chapter 06 and the tests check it on gene families.

    Returns
    -------
    anndata.AnnData
        (16906, 200) float32, of no common length, as published; indexed by the names as
        released, with a column ``symbol``.

    Raises
    ------
    ValueError
        The two files are not of the same length.
    genept_utils.sources.SourceError
        One of them cannot be had.
    """
    table, named = map(sources.fetch, GENE2VEC)
    vectors = np.load(table, allow_pickle=False)
    with h5py.File(named) as file:
        keys = file["var/_index"].asstr()[:]
    if len(keys) != len(vectors):
        raise ValueError(f"{table.name}: {len(vectors):,} vectors for {len(keys):,} names")
    return as_embedding(vectors, genes.identified(keys), model="gene2vec", text="none",
                        sources=[f"{key} SHA-256 {sources.registry().sha256[key]}"
                                 for key in GENE2VEC])
