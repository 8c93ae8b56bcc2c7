"""Effects of perturbed genes and pairs of them, as the registry's notes state their sizes."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import datasets, genes


def test_effects_of_overexpressed_genes(source):
    source(*datasets.PERTURBATIONS["lincs"], "genes/hgnc_complete_set.txt.gz")
    made = datasets.perturbation_effects()
    assert made.attrs == {"lines": 40_642, "own": 128, "perturbed": 2_088}
    assert made.index.is_unique and made.index.is_monotonic_increasing and len(made) == 941
    assert ((made != 0).sum(axis=1) >= 5).all() and made.loc["TP53"].abs().max() > 4
    own = genes.hgnc()["entrez_id"].reindex(made.index).astype(int)
    itself = [made.at[gene, entrez] for gene, entrez in own.items() if entrez in made]
    assert len(itself) > 300 and not any(itself), "the effect of a gene on itself"
    assert len(datasets.perturbation_effects(least=20)) < 300
    with pytest.raises(ValueError, match="smaller `least`"):
        datasets.perturbation_effects(least=2000)


def test_genetic_interactions_are_symmetric_without_a_gene_with_itself(source):
    source(*datasets.PERTURBATIONS["norman"], "genes/hgnc_complete_set.txt.gz")
    scores, fitness = datasets.genetic_interactions()
    assert scores.shape == (112, 112) and scores.index.is_unique
    assert scores.equals(scores.T) and np.isnan(np.diag(scores)).all()
    assert scores.isna().sum().sum() == 112 and list(fitness.index) == list(scores.index)
    assert {"MIDEAS", "MAP3K21"} <= set(scores.index), "ELMSAN1 and KIAA1804 have newer symbols"


def test_doubles(source):
    source(*datasets.PERTURBATIONS["norman"], "genes/hgnc_complete_set.txt.gz")
    made = datasets.double_perturbations()
    assert len(made) == 125 and made["additive"].between(-1, 1).all()
    assert made.iloc[0][["a", "b"]].tolist() == ["AHR", "FEV"]


def test_a_file_with_the_row_names_of_a_screen(tmp_path, source):
    source("genes/hgnc_complete_set.txt.gz")
    named = ["TP53", "MYC", "KLF1", "GATA1", "SPI1", "JUN", "EGR1", "CBL", "AHR", "FEV", "IRF1"]
    X = np.arange(1., 133).reshape(12, 11).astype(np.float32)
    X[3, 4] = np.nan
    rows = [f"{n}_{gene}_P1P2_ENSG{n}" for n, gene in enumerate(named)] + ["11_TP53_P2_ENSG0"]
    ad.AnnData(X, pd.DataFrame(index=rows), pd.DataFrame(index=named)).write_h5ad(
        path := tmp_path / "screen.h5ad")
    made = datasets.perturbation_effects(str(path))
    assert sorted(named) == list(made.index)
    assert made.at["MYC", "TP53"] == X[1, 0] and made.at["MYC", "MYC"] == 0
    assert made.at["TP53", "MYC"] == (X[0, 1] + X[11, 1]) / 2, "two rows of one gene"
    assert made.at["GATA1", "SPI1"] == 0 and made.attrs["own"] == 12
