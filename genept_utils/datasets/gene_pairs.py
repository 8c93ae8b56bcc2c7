"""Pairs of genes as tidy frames: the labelled GGI list and three protein networks."""

import numpy as np
import pandas as pd

from genept_utils import genes, sources

PAIR_SETS = {
    "ggi": [f"interactions/ggi_{split}_{part}.txt" for split in ("train", "valid", "test")
            for part in ("text", "label")],
    "HuRI": ["interactions/HuRI.tsv"],
    "Lit-BM": ["interactions/lit_bm_17.tsv"],
    "tissue-specific": [f"interactions/ohmnet_brain/{part}.edgelist" for part in (
        "cerebellum", "frontal_lobe", "medulla_oblongata", "midbrain", "occipital_lobe",
        "parietal_lobe", "pons", "substantia_nigra", "temporal_lobe")],
}


def gene_pairs(name):
    """Pairs of genes: the labelled GGI list with its given split, or a protein network.

    Parameters
    ----------
    name : {"ggi", "HuRI", "Lit-BM", "tissue-specific"}
        The last one is the union of nine brain regions (OhmNet).

    Returns
    -------
    pandas.DataFrame
        ``a``, ``b`` (approved symbols) and for ``"ggi"`` also ``label`` (0/1) and ``split``
        ("train", "valid", "test"). Networks hold reported pairs only, each once with a < b.
        ``.attrs["loss"]`` counts ``lines``, ``unmatched`` (an end has no gene, or several),
        ``self_pairs``, ``repeated`` and ``pairs`` kept.
    """
    if name not in PAIR_SETS:
        raise ValueError(f"pair set {name!r} is not one of {', '.join(PAIR_SETS)}")
    if name == "ggi":
        parts = [_ggi(split) for split in ("train", "valid", "test")]
    else:
        parts = [pd.read_csv(sources.fetch(key), sep="\t", dtype=str, usecols=[0, 1],
                             header=0 if name == "Lit-BM" else None, names=["a", "b"])
                 for key in PAIR_SETS[name]]
    table = pd.concat(parts, ignore_index=True)
    # look_up: "NA", an end of 209 published pairs, is read as the gene of that former name
    ends = genes.look_up(table[["a", "b"]].to_numpy().ravel()).symbols.reshape(-1, 2)
    table["a"], table["b"] = ends[:, 0], ends[:, 1]
    loss = {"lines": len(table)}
    table = table[(ends != "").all(axis=1)]
    loss["unmatched"] = loss["lines"] - len(table)
    before, table = len(table), table[table["a"] != table["b"]]
    loss["self_pairs"] = before - len(table)
    before = len(table)
    if name != "ggi":  # the list of Du et al. is used line by line, as it was published
        table = pd.DataFrame(np.sort(table[["a", "b"]].to_numpy(), axis=1), columns=["a", "b"])
        table = table.drop_duplicates()
    loss |= {"repeated": before - len(table), "pairs": len(table)}
    table = table.reset_index(drop=True)
    table.attrs["loss"] = loss
    return table


def _ggi(split):
    """A gene of this list is literally called NA, so nothing is read as missing."""
    pairs = pd.read_csv(sources.fetch(f"interactions/ggi_{split}_text.txt"), sep=r"\s+",
                        header=None, names=["a", "b"], dtype=str, keep_default_na=False)
    label = np.loadtxt(sources.fetch(f"interactions/ggi_{split}_label.txt"), dtype=int)
    return pairs.assign(label=label, split=split)
