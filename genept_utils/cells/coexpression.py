"""Gene vectors from cells: genes that are expressed together lie together.

Principal components of the log-normalised cells, each gene scaled to unit variance; a gene's
vector is its loadings times the singular values. The matrix is passed a block of cells at a time,
so that cells in memory, in a file and in a Dask array go the same way.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import datasets, embed, genes, sources
from genept_utils.cells.components import Scaled, moments, plain
from genept_utils.cells.names import species_of, survey
from genept_utils.cells.normalise import judge
from genept_utils.datasets.files import stored
from genept_utils.datasets.formats import opened
from genept_utils.datasets.matrix import blocks, is_dask, read_whole, select_matrix
from genept_utils.embed.vectors import made_once

ROWS = 5000  # cells of a block: some copies of it, and no more, lie in memory


def coexpression(cells, n=100, seed=0, *, passes=10, min_cells=3, layer=None, raw=False,
                 values=None, species=None):
    """Gene vectors learnt from the expression of genes in the same cells.

    Counts are log-normalised as by :func:`genept_utils.cells.normalise`, each gene is scaled to
    mean 0 and standard deviation 1 over the cells and cut at 10, and the cells' principal
    components are taken. A gene's vector is its loadings on the components times their singular
    values, scaled to unit length: the cosine of two genes is near their correlation, as far as
    the components carry it. Gene vectors of this kind are older than language models; chapter 10
    sets text beside them.

    The components come from a block Krylov iteration (Musco & Musco 2015) on the matrix of genes
    x genes, which is never formed. With the defaults, on 3,774 and on 13,576 cells, the variance
    of each of the first 30 components is exact to four digits, and that of the last ones, which
    lie in the noise, to one per cent. Where there are no more than ``n * passes`` genes or cells
    all are exact. Cells in a file are passed in blocks, so that memory does not grow with
    their number; on synthetic counts, drawn for scale alone (18,000 genes, 1,000 in a cell),
    50,000 cells take 840 MB and 77 seconds of processor time, which grows with the cells.

    Parameters
    ----------
    cells : anndata.AnnData or str
        (n_cells, n_genes) counts or log-normalised values, in memory, backed by a file, or a Dask
        array. Or the path of a file of cells, which is read in blocks where it is an ``.h5ad``
        file or a zarr store, or the name of an open set (:data:`genept_utils.datasets.CELLS`);
        then the result is kept in the cache, by the SHA-256 of the file.
    n : int
        Components.
    seed : int
        Seed of the first block of the iteration.
    passes : int
        Passes over the cells, each with ``n`` vectors.
    min_cells : int
        Genes seen in fewer cells get no vector.
    layer, raw, values
        Where the values lie and what they are, as in :func:`genept_utils.cells.genept_w`.
    species : str or int, optional
        Whose genes these are; the vectors are those of their human orthologs.

    Returns
    -------
    anndata.AnnData
        (n_genes, n) float32, rows of unit length, indexed by approved symbol: the form of
        :func:`genept_utils.embed.read_embedding`, and usable wherever that is. Names without a
        symbol, and the second of two columns of one gene, are left out. ``.uns["genept"]``:
        model "coexpression", numbers of cells and genes, ``n_components``, ``seed``, and of a
        file its name and ``sha256``.

    Raises
    ------
    ValueError
        Values that are neither counts nor logarithms, or no more cells, or fewer genes that vary
        and have a symbol, than ``n``.
    FileNotFoundError
        There is no such file.
    """
    options = {"n": n, "seed": seed, "passes": passes, "min_cells": min_cells, "layer": layer,
               "raw": raw, "values": values, "species": species}
    if n < 1 or passes < 1:
        raise ValueError(f"n={n} components in passes={passes}; both must be 1 or more")
    if not hasattr(cells, "var_names"):
        return _kept(str(cells), options)
    source = select_matrix(cells, layer, raw, values, read=False)
    return _learnt(source.X, source, options)


def _kept(name, options):
    """The vectors of a file or an open set, from the cache where they were made before."""
    path = Path(name).expanduser()
    if name in datasets.CELLS:
        digests = [sources.registry().sha256[key] for key in datasets.sources_of(name)]
        about = {"path": name, "sources": digests}
    elif not path.exists():
        raise FileNotFoundError(f"there are no cells at {name}; give coexpression the path of a "
                                f"file of cells, or one of {', '.join(datasets.CELLS)}")
    elif path.is_dir():  # a store of many files has no hash of its own
        return _of_path(path, options, {"path": path.name})
    else:
        digests = [sources.sha256(path)]
        about = {"path": path.name, "sha256": digests[0]}
    return made_once("coexpression", [*digests, options],
                     lambda: _of_path(path, options, about))


def _of_path(path, options, about):
    where = {name: options[name] for name in ("layer", "raw", "values")}
    if path.suffix == ".h5ad" or path.is_dir() and path.suffix == ".zarr":
        with opened(path) as group:
            return _learnt(*stored(group, path.name, **where), options, about)
    known = str(path) in datasets.CELLS  # another kind of file is read whole
    adata = datasets.load(str(path), labelled=known, species=options["species"], **where)
    return _learnt(adata.X, adata, options, about)


def _learnt(X, source, options, about=None):
    """Vectors from a matrix that may lie elsewhere; its genes and marks are those of ``source``."""
    if not is_dask(X) and getattr(X, "format", "csr") == "csc":  # a cell's values are all over it
        X = X.tocsr() if sp.issparse(X) else read_whole(X)
    X, kept, var, summary = survey(X, source.var)
    kind = judge(source, summary)
    matched = genes.of_table(var.index, var, summary.gene_totals,
                             species_of(source, options["species"]))
    matched.warn()
    symbols = pd.Series(matched.symbols)

    def plain_blocks():
        return (plain(block) for block in blocks(X, kept, ROWS))

    mean, deviation, occurs = moments(plain_blocks(), kind)
    wanted = (symbols != "") & ~symbols.duplicated()
    used = wanted.to_numpy() & (deviation > 0) & (occurs >= options["min_cells"])
    n, n_cells = options["n"], X.shape[0]
    if n >= n_cells or n > used.sum():
        raise ValueError(
            f"{n} components need more than {n} cells and at least {n} genes that vary; there are "
            f"{n_cells:,} cells and {used.sum():,} of {len(symbols):,} genes that have a symbol, "
            f"vary and are seen in {options['min_cells']} cells: give more cells, names that are "
            "known, or a smaller n=")
    scaled = Scaled(plain_blocks, kind, used, mean, deviation)
    values, axes = scaled.leading(n, options["passes"], options["seed"])
    vectors = embed.unit(axes * np.sqrt(np.maximum(values, 0)))
    named = genes.identified(pd.Index(symbols[used], name="symbol"))
    told = {name: options[name] for name in ("seed", "passes", "min_cells")}
    return embed.as_embedding(
        vectors, named, model="coexpression", text="none", n_components=n, cells=n_cells,
        genes=len(named), values=kind, species=matched.species, **told, **about or {})
