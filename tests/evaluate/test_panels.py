"""Cell typing across gene panels: which genes, which cells, and what is trained on what."""

from functools import partial

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import cells, embed, evaluate, paths
from genept_utils.chapters import disjoint_panels
from genept_utils.evaluate import gene_spaces
from genept_utils.evaluate.gene_spaces import GeneSpaces

pytestmark = pytest.mark.skipif(not (paths.EMBEDDINGS / "minilm.h5ad").is_file(),
                                reason="the shipped embedding, which knows the names, is not here")


@pytest.fixture
def two_groups():
    """(400, 200) logged cells of two types; vectors that say which type a gene belongs to."""
    rng = np.random.default_rng(0)
    names = list(embed.read_embedding().obs_names[:200])
    y, kind = np.repeat(["a", "b"], 200), np.arange(200) % 2
    X = rng.poisson(np.where((y == "b")[:, None] == kind, 3, 1)).astype(np.float32)
    adata = ad.AnnData(sp.csr_matrix(X), obs=pd.DataFrame({"cell_type": y}).set_axis(
        [f"c{i}" for i in range(400)]), var=pd.DataFrame(index=names))
    vectors = np.column_stack([kind, 0.2 * rng.standard_normal((200, 6))])
    return cells.normalise(adata), made(vectors, names)


def made(vectors, names, symbols=None):
    obs = pd.DataFrame(index=names) if symbols is None else pd.DataFrame({"symbol": symbols},
                                                                         index=names)
    return embed.as_embedding(vectors, obs, model="told", text="none")


def test_panels_share_no_gene_and_no_family():
    symbols = [f"{family}{i}" for family in ("AAA", "BBB", "CCC", "DDD") for i in range(25)]
    a, b = evaluate.panels([*symbols, *symbols, ""], seed=3)
    assert len(a) == len(b) == 50 and not set(a) & set(b)
    assert np.array_equal(a, evaluate.panels(symbols[::-1], seed=3)[0])
    kin = [symbol[:3] for symbol in symbols]
    a, b = evaluate.panels(symbols, families=kin, seed=3)
    assert len(a) == len(b) == 50 and not {s[:3] for s in a} & {s[:3] for s in b}
    assert [len(panel) for panel in evaluate.panels(symbols, 10, kin, seed=1)] == [10, 10]
    with pytest.raises(ValueError, match="two panels of 60 genes need 120; there are 100"):
        evaluate.panels(symbols, 60)


def test_vectors_that_tell_the_type_cross_disjoint_panels_and_a_permuted_map_does_not(two_groups):
    adata, told = two_groups
    null = partial(disjoint_panels.relabelled, told)
    runs = evaluate.across_panels(adata, {"told": told, "null": null}, n_resamples=6)
    means = runs.groupby(["method", "split"])["accuracy"].mean()
    assert means["told", "disjoint panels"] > 0.7
    assert means["told", "same panel"] > 0.7
    assert 0.3 < means["null", "disjoint panels"] < 0.65
    assert set(runs["n_test"]) == {200}


def test_two_studies_are_compared_on_the_types_they_share(two_groups):
    adata, told = two_groups
    other = adata[:, ::-1].copy()
    other.obs["cell_type"] = np.where(np.arange(400) < 50, "only here",
                                      other.obs["cell_type"].astype(object))
    runs = evaluate.across_panels(adata, {"told": told}, other, n_resamples=2)
    assert set(runs["n_test"]) == {350}
    fixed = evaluate.across_panels(adata, {"told": told}, other, n_resamples=1,
                                   given=set(adata.var_names[:80]))
    assert set(fixed["genes"]) == {120}
    with pytest.raises(ValueError, match="0 of 200 genes with a vector lie on the given panel"):
        evaluate.across_panels(adata, {"told": told}, other, given={"none"})


SHARED = slice(20, 150)  # the genes that the second embedding has


def lacking(told):
    """The vectors of some genes, then one of another gene that is like no other."""
    vectors = np.vstack([told.X[SHARED], np.full((1, told.n_vars), 50.0)])
    return made(vectors, [*told.obs_names[SHARED], "ZZZ9"])


def as_released(told):
    """The same under keys of others, which stand for approved symbols."""
    few = lacking(told)
    return made(few.X, [f"key{i}" for i in range(few.n_obs)], few.obs_names.to_numpy())


@pytest.mark.parametrize("less", [lacking, as_released])
def test_all_methods_see_the_genes_that_all_have(two_groups, less):
    adata, told = two_groups
    both = evaluate.across_panels(adata, {"all": told, "less": less(told)}, n_resamples=3)
    alone = evaluate.across_panels(adata, {"all": told[SHARED].copy()}, n_resamples=3)
    score = both.set_index(["method", "draw", "split"])["accuracy"]
    assert set(both["pool"]) == {130} and not score["all"].isna().any()
    assert score["all"].equals(score["less"])
    assert score["all"].equals(alone.set_index(["draw", "split"])["accuracy"])
    assert list(evaluate.shared_genes({"all": told, "less": less(told)}, adata)) == sorted(
        told.obs_names[SHARED])


def test_embeddings_without_a_common_gene_are_refused(two_groups):
    adata, told = two_groups
    strange = made(np.eye(3), ["ZZZ1", "ZZZ2", "ZZZ3"])
    with pytest.raises(ValueError, match="no gene has a vector in all .* all has 200, new has 3"):
        evaluate.across_panels(adata, {"all": told, "new": strange})
    with pytest.raises(ValueError, match="null: 1 of 200 genes .* no vector in a later draw"):
        evaluate.across_panels(adata, {"null": lambda draw: told[draw:].copy()}, n_resamples=2)
    shared = disjoint_panels.on_shared_genes({"all": told, "less": lacking(told)[::-1].copy()})
    assert np.array_equal(shared["all"].X, shared["less"].X)
    joined = disjoint_panels.side_by_side(shared["all"], shared["less"])
    assert joined.shape == (130, 14) and np.allclose(np.linalg.norm(joined.X[:, :7], axis=1), 1)
    with pytest.raises(ValueError, match="different genes"):
        disjoint_panels.side_by_side(told, told[::-1])


@pytest.mark.parametrize("how", ["plain", "centred", "whitened"])
def test_cells_are_written_as_with_prepared_gene_vectors(two_groups, how):
    adata, told = two_groups
    prepared = {"plain": lambda V: V, "centred": lambda V: V - V.mean(axis=0),
                "whitened": cells.whiten}[how](told.X)
    genes = sorted(told.obs_names[:90])
    columns = told.obs_names.get_indexer(genes)
    direct = embed.unit(adata.X[:, columns] @ prepared[columns])
    direct = (direct - direct.mean(axis=0)) / direct.std(axis=0)
    spaces = GeneSpaces({"other": told[:100].copy(), "told": told,
                         "null": partial(disjoint_panels.relabelled, told)}, genes)
    part = adata[:, genes[:50]], adata[:, [*genes[50:], told.obs_names[150]]]  # one not asked for
    sums = sum(spaces.sums(each.X.tocsr(), each.var_names) for each in part)
    assert np.allclose(spaces.write(sums, "told", how), direct, atol=2e-3)
    if how == "whitened":  # the two share one matrix, and the vectors of one
        mean, root = gene_spaces._whitening(told.X)
        assert root is gene_spaces._whitening(spaces._places["null"][0])[1]
        assert not np.allclose(spaces.write(sums, "null", how), direct, atol=.1)
    with pytest.raises(ValueError, match="'spun' is not one of plain, centred, whitened"):
        spaces.write(sums, "told", "spun")


def test_settings_are_scored_one_by_one_or_given_by_method(two_groups):
    adata, told = two_groups
    every = evaluate.across_panels(adata, {"told": told}, n_resamples=2, C=(1e-6, .01),
                                   how=("plain", "whitened"), same=False)
    assert len(every) == 8 and set(every["split"]) == {"disjoint panels"}
    given = evaluate.across_panels(adata, {"told": told}, n_resamples=2, same=False,
                                   settings={"told": (.01, "whitened")})
    same = every.query("C == .01 and how == 'whitened'").reset_index(drop=True)
    pd.testing.assert_frame_equal(given, same)


def test_what_settings_are_chosen_on_is_never_tested(two_groups):
    adata, told = two_groups
    kept = evaluate.always_training(adata, seed=4)
    assert kept.n_obs == 160
    named = adata.copy()
    named.obs["cell_type"] = np.where(named.obs_names.isin(kept.obs_names), "kept", "free")
    named.obs["cell_type"] += np.char.mod("%d", np.arange(400) // 100)
    found = evaluate.panel_predictions(named, {"told": told}, n_resamples=3, seed=4)
    assert found["true"].str.startswith("free").all() and len(found) == 600
    assert found["found"].str.startswith("kept").any()
    assert found.groupby("draw")["true"].apply(lambda true: tuple(true)).nunique() == 3


def test_scores_are_those_of_scikit_learn(two_groups):
    from sklearn.metrics import f1_score

    adata, told = two_groups
    adata.obs["cell_type"] = np.where(np.arange(400) % 50 == 0, "rare",
                                      adata.obs["cell_type"].astype(object))
    runs = evaluate.across_panels(adata, {"told": told}, n_resamples=1, same=False).iloc[0]
    found = evaluate.panel_predictions(adata, {"told": told}, n_resamples=1)
    true, said = found["true"], found["found"]
    assert runs["accuracy"] == pytest.approx((true == said).mean())
    assert runs["majority"] == pytest.approx(true.value_counts(normalize=True).max())
    assert runs["f1_macro"] == pytest.approx(f1_score(true, said, labels=true.unique(),
                                                      average="macro"))
