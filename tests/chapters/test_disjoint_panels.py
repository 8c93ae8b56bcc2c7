"""Chapter 10: which sets gene vectors are learnt from, panel sizes, and rows of differences."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import embed, paths
from genept_utils.chapters import disjoint_panels as panels

needs_vectors = pytest.mark.skipif(not (paths.EMBEDDINGS / "minilm.h5ad").is_file(),
                                   reason="the shipped embedding is not here")


@needs_vectors
def test_panel_sizes_that_do_not_fit_and_a_half_with_one_type():
    rng = np.random.default_rng(0)
    vectors = {"text": embed.read_embedding("minilm")}
    counts = sp.csr_matrix(np.log1p(rng.poisson(.5, (60, 300))), dtype=np.float32)
    small = ad.AnnData(counts, obs=pd.DataFrame({"cell_type": ["a"] * 59 + ["b"]},
                                                index=[f"c{i}" for i in range(60)]),
                       var=pd.DataFrame(index=vectors["text"].obs_names[::60][:300]),
                       uns={"log1p": {}})
    said = []
    assert not len(panels.by_panel_size(small, vectors, [200], report=said.append))
    assert "300 genes are fewer than three panels of 200" in said[0]
    made = panels.by_panel_size(small, vectors, [50, 200], among=200, n_resamples=4)
    assert set(made["size"]) == {50} and made["accuracy"].between(0, 1).all()
    assert set(made["task"]) == {"panels of 50 from variable genes"}


@pytest.mark.parametrize("names, expected", [
    (["kang"], ("pbmc_facs", "mixology_5cl")), (["pbmc_facs"], ("kang", "mixology_5cl")),
    (["mixology_5cl"], (panels.THREE_LINES, "pbmc_facs")),
    (["pbmc3k", "pbmc_facs"], ("kang", "mixology_5cl")), (["own"], ("pbmc_facs", "mixology_5cl"))])
def test_no_set_learns_its_gene_vectors_from_itself(names, expected):
    assert panels.references(names) == expected


def test_differences_within_sets_and_over_them():
    rng = np.random.default_rng(0)
    runs = pd.DataFrame([
        {"task": "t", "split": split, "dataset": dataset, "draw": draw, "method": method,
         "accuracy": base + gain + noise, "majority": .3}
        for split in ("disjoint panels", "same panel") for dataset, base in (("x", .5), ("y", .7))
        for draw, noise in enumerate(rng.normal(0, .05, 8))
        for method, gain in (("a", .1 if split == "disjoint panels" else 0), ("b", 0))])
    gaps = panels.differences(runs, [("a", "b"), ("a", "absent")])
    assert set(gaps["dataset"]) == {"x", "y", "2 sets"} and set(gaps["metric"]) == {"accuracy"}
    assert np.allclose(gaps.loc[gaps["split"] == "disjoint panels", "value"], .1)
    assert gaps.set_index(["split", "dataset"])["n"]["same panel"].to_dict() == {
        "x": 8, "y": 8, "2 sets": 2}
    text = panels.shown(gaps)
    assert text.loc[("a", "b"), "x"].tolist() == ["+0.10"] * 3
    table = panels.table(runs)
    mine = runs.query("method == 'b' and dataset == 'x' and split == 'disjoint panels'")
    assert list(table.index) == ["a", "b", "largest type"]
    assert table.loc["b", "x"] == pytest.approx(mine["accuracy"].mean(), abs=.006)


def test_the_studies_of_a_set_are_its_lineages_and_conditions():
    obs = pd.DataFrame({"cell_type": ["B", "NK cells", "CD4 T", "nobody"] * 30,
                        "condition": ["control"] * 60 + ["stimulated"] * 60})
    adata = ad.AnnData(np.ones((120, 5), np.float32), obs=obs.set_index(obs.index.astype(str)))
    made = panels.studies("kang", adata, 50, 0)
    assert set(made) == {"kang", "kang control", "kang stimulated"}
    assert {tuple(sorted(set(part.obs["cell_type"]))) for part in made.values()} == {
        ("B", "CD4 T", "NK")}
    assert set(made["kang control"].obs["condition"]) == {"control"}
    assert made["kang"].n_obs <= 52 and panels.studies("immune", adata, 50, 0) == {}


def test_differences_have_their_interval_over_the_sets_and_else_a_star():
    gaps = pd.DataFrame({"dataset": ["a -> b", "c", "3 sets"], "value": [.2, -.1, .05],
                         "low": [.1, -.3, -.02], "high": [.3, .1, .12]}).assign(
        split="disjoint panels", method="text", against="permuted")
    made = panels.shown(gaps)
    assert made.to_numpy().tolist() == [["+0.20*", "-0.10", "+0.05", "-0.02", "+0.12"]]
    assert made.columns[0] == ("a to b", "value")
    alone = panels.shown(gaps.replace("3 sets", "2 sets"))  # says too little: the sets say it
    assert alone.to_numpy().tolist() == [["+0.20", "+0.10", "+0.30", "-0.10", "-0.30", "+0.10"]]
    turned = panels.shown(gaps, ["dataset"], ["method", "against"])
    assert turned["text", "permuted"].loc["c"].tolist()[0] == "-0.10"


@pytest.mark.parametrize("columns, label, said", [
    ({"annotation": ["a", "b"]}, "celltype", "no column celltype"),
    ({}, "", "no column cell_type, so no method is scored on it; its columns are none"),
    ({"celltype": ["a", "b"]}, "celltype", ""), ({"cell_type": ["a", "b"]}, "celltype", "")])
def test_a_second_file_without_types_is_named(columns, label, said, tmp_path, capsys):
    ad.AnnData(sp.csr_matrix([[1., 0, 2], [0, 3, 1]], dtype=np.float32),
               obs=pd.DataFrame(columns, index=["c1", "c2"]),
               var=pd.DataFrame(index=["CD3D", "CD19", "NKG7"])).write_h5ad(tmp_path / "b.h5ad")
    assert ("cell_type" in panels.second(tmp_path / "b.h5ad", label).obs) == (not said)
    assert said in capsys.readouterr().out if said else not capsys.readouterr().out
