"""Effects of perturbed genes and pairs of them, as the registry's notes state their sizes."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import genes, paths, sources
from genept_utils.chapters import perturbations


def test_effects_of_overexpressed_genes(source):
    source(perturbations.LINCS, "genes/hgnc_complete_set.txt.gz")
    made = perturbations.perturbation_effects()
    assert made.attrs == {"lines": 40_642, "own": 128, "perturbed": 2_088}
    assert made.index.is_unique and made.index.is_monotonic_increasing and len(made) == 941
    assert ((made != 0).sum(axis=1) >= 5).all() and made.loc["TP53"].abs().max() > 4
    own = genes.hgnc()["entrez_id"].reindex(made.index).astype(int)
    itself = [made.at[gene, entrez] for gene, entrez in own.items() if entrez in made]
    assert len(itself) > 300 and not any(itself), "the effect of a gene on itself"
    assert len(perturbations.perturbation_effects(least=20)) < 300
    with pytest.raises(ValueError, match="smaller `least`"):
        perturbations.perturbation_effects(least=2000)


def test_genetic_interactions_are_symmetric_without_a_gene_with_itself(source):
    source(*perturbations.NORMAN, "genes/hgnc_complete_set.txt.gz")
    scores, fitness = perturbations.genetic_interactions()
    assert scores.shape == (112, 112) and scores.index.is_unique
    assert scores.equals(scores.T) and np.isnan(np.diag(scores)).all()
    assert scores.isna().sum().sum() == 112 and list(fitness.index) == list(scores.index)
    assert {"MIDEAS", "MAP3K21"} <= set(scores.index), "ELMSAN1 and KIAA1804 have newer symbols"


def test_doubles(source):
    source(*perturbations.NORMAN, "genes/hgnc_complete_set.txt.gz")
    made = perturbations.double_perturbations()
    assert len(made) == 125 and made["additive"].between(-1, 1).all()
    assert made.iloc[0][["a", "b"]].tolist() == ["AHR", "FEV"]


NAMED = ["TP53", "MYC", "KLF1", "GATA1", "SPI1", "JUN", "EGR1", "CBL", "AHR", "FEV", "IRF1"]


def screen(path, rows=None, var=None):
    """A drawn file of the form of Replogle's: genes by Ensembl identifier, symbols beside them."""
    known = genes.hgnc()["ensembl_id"][NAMED]
    X = np.arange(1., 133).reshape(12, 11).astype(np.float32) - 50
    X[0, 0] = np.inf
    rows = rows or [f"{n}_{gene}_P1P2_{known[gene]}" for n, gene in enumerate(NAMED)] + [
        "11_non-targeting_non-targeting_non-targeting"]
    var = pd.DataFrame({"gene_name": NAMED, "mean": 1.}, index=known) if var is None else var
    ad.AnnData(X, pd.DataFrame({"num_cells_filtered": 9.}, index=rows), var).write_h5ad(path)
    return path


@pytest.mark.parametrize("index", ["ensembl", "number"])
def test_the_screen_is_read_by_name_from_its_address(index, file_server, tmp_path, monkeypatch,
                                                     source):
    source("genes/hgnc_complete_set.txt.gz")
    numbered = pd.DataFrame({"gene_name": NAMED}, index=[f"f{n}" for n in range(11)])
    path = screen(tmp_path / "x.h5ad", var=numbered if index == "number" else None)
    address, files, asked = file_server
    files["/35780870"] = path.read_bytes()
    row = sources.registry().loc[perturbations.REPLOGLE].copy()
    assert row["bytes"] == 79_766_954 and row["url"].endswith(".figshare.com/files/35780870")
    row[["url", "sha256", "bytes"]] = (
        address + "/35780870", sources.sha256(path), path.stat().st_size)
    real = sources._row
    monkeypatch.setattr(sources, "_row", lambda key: row if key == "drawn/screen" else real(key))
    monkeypatch.setattr(perturbations, "REPLOGLE", "drawn/screen")
    monkeypatch.delenv("GENEPT_OFFLINE", raising=False)
    (paths.cache() / "drawn/screen").unlink(missing_ok=True)
    made = perturbations.perturbation_effects("replogle_k562")
    assert asked == ["/35780870"] and sorted(NAMED) == list(made.index) and made.shape == (11, 11)
    assert made.loc["MYC"].tolist() == [-38, 0, *range(-36, -27)], "the effect on itself is 0"
    assert made.attrs == {"lines": 12, "own": 11, "perturbed": 11}
    (paths.cache() / "drawn/screen").unlink()


@pytest.mark.parametrize("wrong, said", [
    ({"rows": [f"cell {n}" for n in range(12)]}, "no row is named after a gene, or NUMBER_GENE"),
    ({"var": pd.DataFrame(index=[f"peak {n}" for n in range(11)])}, "no column is named after a")])
def test_a_file_of_another_form_is_refused(wrong, said, tmp_path, source):
    source("genes/hgnc_complete_set.txt.gz")
    with pytest.raises(ValueError, match=f"x.h5ad is no table of perturbations by genes: {said}"):
        perturbations.perturbation_effects(screen(tmp_path / "x.h5ad", **wrong))


def test_a_file_with_the_row_names_of_a_screen(tmp_path, source):
    source("genes/hgnc_complete_set.txt.gz")
    X = np.arange(1., 133).reshape(12, 11).astype(np.float32)
    X[3, 4] = np.nan
    rows = [f"{n}_{gene}_P1P2_ENSG{n}" for n, gene in enumerate(NAMED)] + ["11_TP53_P2_ENSG0"]
    ad.AnnData(X, pd.DataFrame(index=rows), pd.DataFrame(index=NAMED)).write_h5ad(
        path := tmp_path / "screen.h5ad")
    made = perturbations.perturbation_effects(str(path))
    assert sorted(NAMED) == list(made.index)
    assert made.at["MYC", "TP53"] == X[1, 0] and made.at["MYC", "MYC"] == 0
    assert made.at["TP53", "MYC"] == (X[0, 1] + X[11, 1]) / 2, "two rows of one gene"
    assert made.at["GATA1", "SPI1"] == 0 and made.attrs["own"] == 12
