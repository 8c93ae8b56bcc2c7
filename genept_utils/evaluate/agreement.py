"""Whether two embeddings agree on which genes are near each other."""

import numpy as np
from scipy import stats


def shared_neighbours(a, b):
    """Share of the neighbours that two embeddings have in common.

    Parameters
    ----------
    a, b : numpy.ndarray
        (n, k) keys of the nearest genes of the same n genes.

    Returns
    -------
    numpy.ndarray
        (n,) between 0 and 1.
    """
    return np.array([len(set(x) & set(y)) / len(x) for x, y in zip(a, b)])


def agreement(a, b, k=10, draws=1000, seed=0):
    """How far two embeddings of the same genes agree on who is near whom.

    Parameters
    ----------
    a, b : numpy.ndarray
        (n, d) and (n, e) vectors of the same n genes.
    k : int
        Neighbours that are compared.

    Returns
    -------
    dict of str to tuple of float
        ``rank_correlation`` (Spearman, of the cosines of all pairs of genes) and
        ``shared_neighbours`` (mean share of the ``k`` nearest): value, low, high, a 95 % interval
        of a bootstrap over genes. A gene that is drawn twice is no pair with itself.
    """
    cosines = []
    for vectors in (a, b):
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        cosines.append(unit @ unit.T)
    near = []
    for table in cosines:
        table = table.copy()
        np.fill_diagonal(table, -np.inf)
        near.append(np.argsort(-table, axis=1, kind="stable")[:, :k])
    common = shared_neighbours(*near)

    def correlation(genes):
        i, j = np.triu_indices(len(genes), 1)
        i, j = genes[i], genes[j]
        i, j = i[i != j], j[i != j]
        return stats.spearmanr(cosines[0][i, j], cosines[1][i, j]).statistic

    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(a), (draws, len(a)))
    made = {}
    for name, statistic in (("rank_correlation", correlation),
                            ("shared_neighbours", lambda genes: common[genes].mean())):
        low, high = np.quantile([statistic(genes) for genes in drawn], [.025, .975])
        made[name] = (float(statistic(np.arange(len(a)))), float(low), float(high))
    return made
