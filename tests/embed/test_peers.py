"""Vectors of other models: what is read belongs to the genes it is said to belong to."""

import h5py
import numpy as np
import pytest

from genept_utils import embed, genes, sources
from genept_utils.embed import peers

FAMILIES = ["OR", "ZNF", "RPL", "KRT", "COL", "HLA-", "PCDH", "CYP", "TAS2R", "PSM", "NDUF", "COX",
            "KIR"]
# Genes of one cell type or pathway whose names are no neighbours in the alphabet.
PARTNERS = [("CD19", "MS4A1"), ("CD79A", "MS4A1"), ("CD3E", "LCK"), ("GZMA", "PRF1"),
            ("ALB", "TTR"), ("APOA1", "FGB"), ("MYH6", "TNNT2"), ("GCG", "TTR"), ("CDK1", "TOP2A"),
            ("MCM2", "PCNA"), ("C1QA", "TYROBP"), ("FCER1G", "TYROBP"), ("AHSP", "HBB"),
            ("COL1A1", "SPARC"), ("ACTA2", "TAGLN"), ("GFAP", "S100B"), ("MOG", "PLP1"),
            ("CDH5", "TIE1"), ("PECAM1", "VWF"), ("BUB1", "KIF11"), ("CCNB1", "PLK1")]


@pytest.fixture(scope="module")
def gene2vec():
    try:
        return embed.read_embedding("gene2vec")
    except sources.SourceError as error:
        pytest.skip(str(error).splitlines()[0])


def nearness(vectors, names):
    """(cosines of PARTNERS, mean cosine within each family less that with all genes)."""
    vectors = embed.unit(vectors)
    pairs = [vectors[names.get_loc(a)] @ vectors[names.get_loc(b)] for a, b in PARTNERS]
    families = []
    for family in FAMILIES:
        of = vectors[names.str.startswith(family)]
        sums = of.sum(axis=0)
        families.append((sums @ sums - len(of)) / (len(of) * (len(of) - 1))
                        - (vectors.sum(axis=0) @ sums) / len(vectors) / len(of))
    return np.array(pairs), np.array(families)


def test_gene2vec_is_what_it_says(gene2vec):
    assert gene2vec.shape == (16_906, 200) and gene2vec.X.dtype == np.float32
    assert gene2vec.obs_names.is_unique and (gene2vec.obs["symbol"] != "").mean() > .97
    card = gene2vec.uns["genept"]
    assert card["model"] == "gene2vec" and "gene2vec_16906.npy SHA-256" in card["sources"][0]


@pytest.mark.parametrize("shift", [1, -1, 8_000])
def test_gene2vec_names_and_vectors_align(gene2vec, shift):
    """One line too many in either file would leave families near, but not these pairs."""
    names = gene2vec.obs_names
    pairs, families = nearness(gene2vec.X, names)
    wrong_pairs, wrong_families = nearness(np.roll(gene2vec.X, shift, axis=0), names)
    assert pairs.mean() > wrong_pairs.mean() + .2 and (pairs > wrong_pairs).mean() > .7
    null, null_families = nearness(embed.permuted(gene2vec, seed=abs(shift)).X, names)
    assert (families > .1).all() and (np.abs(null_families) < .05).mean() > .8
    assert pairs.mean() > null.mean() + .2


def test_gene2vec_files_of_different_length(tmp_path, monkeypatch, source):
    source(genes.HGNC)
    files = dict(zip(peers.GENE2VEC, (tmp_path / "v.npy", tmp_path / "n.h5ad")))
    np.save(files[peers.GENE2VEC[0]], np.eye(3))
    with h5py.File(files[peers.GENE2VEC[1]], "w") as file:
        file["var/_index"] = ["TP53", "TP63"]
    monkeypatch.setattr(sources, "fetch", lambda key, progress=None: files[key])
    with pytest.raises(ValueError, match="3 vectors for 2 names"):
        peers.gene2vec()
