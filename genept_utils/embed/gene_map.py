"""UMAP coordinates of the gene map (cached)."""

import gzip
import re

import numpy as np
import pandas as pd

from genept_utils import paths, sources

PLACES = paths.DATA / "gene-map.csv.gz"
# UMAP leaves one dense heap with small islands far out: a distance r from the middle of the map
# becomes r ** _SPREAD, so that the heap can be read and the islands keep their direction.
_SPREAD = 0.6
_HEAD = re.compile(r"# (\S+) SHA-256 ([0-9a-f]{64})")


def place(embedding, seed=0):
    """Two coordinates for each gene, by UMAP on the cosine of the vectors.

    Parameters
    ----------
    embedding : anndata.AnnData
        (n_genes, d).
    seed : int
        Seed of the layout; the same seed gives another layout with another version of UMAP.

    Returns
    -------
    pandas.DataFrame
        (n_genes, 2) int, ``x`` and ``y`` from 0 to 9999, indexed by the keys of the embedding.
        The middle is stretched and the rim pressed together; neither axis has a unit.

    Raises
    ------
    ValueError
        Fewer than 16 vectors, or one that is all zero, NaN or infinite.
    """
    import umap

    if embedding.n_obs < 16:
        raise ValueError(f"{embedding.n_obs} vectors make no map; 16 or more are needed")
    if not np.isfinite(embedding.X).all() or not embedding.X.any(axis=1).all():
        raise ValueError("a vector is all zero or holds NaN or infinite numbers, and has no place "
                         "on a map by angles; leave its gene out")
    layout = umap.UMAP(n_neighbors=15, min_dist=0.1, metric="cosine", random_state=seed,
                       n_jobs=1).fit_transform(np.asarray(embedding.X))
    around = layout - np.median(layout, axis=0)
    far = np.hypot(*around.T)[:, None] + 1e-9
    scaled = around / far * (far / far.max()) ** _SPREAD
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    scaled = (scaled - (low + high) / 2) / ((high - low).max() / 2)
    return pd.DataFrame(np.rint((scaled + 1) / 2 * 9999).astype(int), columns=["x", "y"],
                        index=embedding.obs_names.rename("symbol"))


def write(table, embedding_file, path=PLACES):
    """Keep the coordinates with the SHA-256 of the embedding that they belong to."""
    head = f"# {embedding_file.name} SHA-256 {sources.sha256(embedding_file)}\n"
    with sources.replacing(path) as part:
        # no time of writing, so that the same coordinates give the same file
        with open(part, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
            file.write((head + table.to_csv(lineterminator="\n")).encode())


def read(path=PLACES):
    """The kept coordinates.

    Returns
    -------
    pandas.DataFrame
        (43882, 2) ``x`` and ``y``, indexed by approved symbol.

    Raises
    ------
    ValueError
        They were computed from another embedding than the one that lies in
        ``data/embeddings``; ``python -m genept_utils map`` computes them again.
    """
    with gzip.open(path, "rt", encoding="utf-8") as file:
        name, sha = _HEAD.match(file.readline()).groups()
        table = pd.read_csv(file, index_col="symbol", keep_default_na=False)
    if sources.sha256(paths.EMBEDDINGS / name) != sha:
        raise ValueError(f"{path.name} was computed from another {name}: "
                         "`python -m genept_utils map` computes it again")
    return table
