"""Gene programs: communities of genes with similar vectors."""

import numpy as np
import pandas as pd
from scipy import stats

from genept_utils import optional


def gene_programs(vectors, threshold=0.9, resolution=20, min_genes=10, seed=0):
    """Communities of genes with similar vectors (Fig. 2g of Chen & Zou 2024).

    Genes are joined where the cosine of their vectors exceeds ``threshold``; Leiden communities
    (RB configuration model) of ``min_genes`` or more are programs.

    Returns
    -------
    tuple
        (n_genes,) int program of each gene, largest first, -1 for none; and the share of gene
        pairs that are joined.
    """
    igraph, leidenalg = optional.need("igraph"), optional.need("leidenalg")

    edges = np.argwhere(np.triu(_cosines(vectors) > threshold, 1))
    n = len(vectors)
    found = leidenalg.find_partition(igraph.Graph(n=n, edges=edges),
                                     leidenalg.RBConfigurationVertexPartition,
                                     resolution_parameter=resolution, seed=seed)
    program = np.asarray(found.membership)  # leidenalg numbers communities by size
    sizes = np.bincount(program)
    return np.where(sizes[program] >= min_genes, program, -1), len(edges) / (n * (n - 1) / 2)


def pair_cosines(vectors):
    """(n * (n - 1) / 2,) cosines of all pairs of vectors (n, d)."""
    return _cosines(vectors)[np.triu(np.ones((len(vectors), len(vectors)), dtype=bool), 1)]


def _cosines(vectors):
    rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return rows @ rows.T


def cosine_threshold(vectors, density):
    """The cosine that a share ``density`` of all pairs of vectors exceeds."""
    cosines = pair_cosines(vectors)
    kept = max(round(density * len(cosines)), 1)
    return float(np.partition(cosines, -kept)[-kept])


def program_sets(vectors, symbols, density, cosines=(0.9, 0.7), only_density=(), resolution=20,
                 min_genes=10, seed=0):
    """Programs of several models at fixed cosines and at one share of joined pairs.

    Parameters
    ----------
    vectors : dict of str to numpy.ndarray
        Method -> (n_genes, d).
    symbols : sequence of str
        (n_genes,).
    density : float
        Share of all pairs that each method joins at "matched density".
    cosines : sequence of float
        Thresholds tried beside it.
    only_density : sequence of str
        Methods that are not tried at fixed cosines.
    resolution, min_genes, seed
        As in :func:`gene_programs`.

    Returns
    -------
    programs : pandas.DataFrame
        (n_genes, n_sets) program of each gene, -1 for none; columns (method, split).
    graphs : pandas.DataFrame
        One row per set: ``method``, ``split``, ``cosine`` above which genes are joined,
        ``% of pairs joined``, number of ``programs``, and of ``genes`` in them.
    """
    programs, graphs = {}, []
    for method, found in vectors.items():
        cuts = {} if method in only_density else {
            f"cosine {str(cut).lstrip('0')}": cut for cut in cosines}
        for split, cut in {**cuts, "matched density": cosine_threshold(found, density)}.items():
            program, joined = gene_programs(found, cut, resolution, min_genes, seed)
            programs[method, split] = program
            graphs.append({"method": method, "split": split, "cosine": cut,
                           "% of pairs joined": 100 * joined, "programs": program.max() + 1,
                           "genes": int((program >= 0).sum())})
    return pd.DataFrame(programs, index=symbols), pd.DataFrame(graphs)


def family_recovery(programs, families):
    """Of each family of genes, the program that holds most of it; of several the smallest.

    Parameters
    ----------
    programs : dict or pandas.DataFrame
        Name or tuple of names -> (n_genes,) int program of each gene, -1 for none.
    families : dict of str to array-like
        Name -> (n_genes,) bool.

    Returns
    -------
    pandas.DataFrame
        One row per family and entry of ``programs`` (index, of as many levels as its names have):
        ``found`` of ``genes`` in ``program``, which has ``size``; ``value``, their share, with
        the Wilson interval ``low`` to ``high``; and ``p``, hypergeometric and not corrected for
        taking the best program.
    """
    rows = {}
    for family, member in families.items():
        member = np.asarray(member, dtype=bool)
        genes = int(member.sum())
        for name, program in programs.items():
            program = np.asarray(program)
            sizes = np.bincount(program[program >= 0], minlength=1)
            inside = np.bincount(program[member & (program >= 0)], minlength=len(sizes))
            best = int(np.lexsort((sizes, -inside))[0])
            found = int(inside[best])
            size = int(sizes[best]) if found else 0
            low, high = stats.binomtest(found, genes).proportion_ci(method="wilson")
            key = (family, *name) if isinstance(name, tuple) else (family, name)
            rows[key] = {"found": found, "genes": genes, "program": best,
                         "size": size, "value": found / genes, "low": low, "high": high,
                         "p": stats.hypergeom.sf(found - 1, len(program), genes, size)}
    return pd.DataFrame.from_dict(rows, orient="index")
