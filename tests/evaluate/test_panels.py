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
    X = adata[:, genes].X.tocsr()
    part = [X.multiply(np.arange(90) % 2 == side).tocsr() for side in (0, 1)]
    sums, null = (sum(spaces.sums(each, method) for each in part) for method in ("told", "null"))
    assert np.allclose(spaces.write(sums, "told", how), direct, atol=2e-3)
    if how == "whitened":  # the two share one matrix, and the vectors of one
        mean, root = gene_spaces._whitening(told.X)
        assert root is gene_spaces._whitening(spaces._places["null"][0])[1]
        assert not np.allclose(spaces.write(null, "null", how), direct, atol=.1)
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


# ------------------------------------------------------------------ draws, worked by hand

def test_panels_are_halves_of_a_permutation():
    symbols = [f"G{i:02}" for i in range(11)]
    mixed = np.random.default_rng(5).permutation(np.array(symbols, dtype=object))
    for size, ends in ((None, (5, 10)), (3, (3, 6)), (5, (5, 10)), (1, (1, 2))):
        a, b = evaluate.panels(symbols, size, seed=5)
        assert a.tolist() == sorted(mixed[:ends[0]]) and b.tolist() == sorted(mixed[ends[0]:ends[1]])
    assert [len(panel) for panel in evaluate.panels(["A", "B"])] == [1, 1]
    for few, said in ((["A", "A", ""], "two panels of 1 genes need 2; there are 1"),
                      ([], "there are 0")):
        with pytest.raises(ValueError, match=said):
            evaluate.panels(few)


@pytest.mark.parametrize("seed", range(3))
def test_a_family_goes_to_the_panel_that_has_fewer_genes(seed):
    symbols = [f"{family}{i}" for family, n in zip("ABCDEFG", (9, 1, 2, 5, 3, 1, 4))
               for i in range(n)]
    kin = [symbol[0] for symbol in symbols]
    rng, sides = np.random.default_rng(seed), ([], [])
    for family in rng.permutation(7):
        members = [symbol for symbol in symbols if symbol[0] == "ABCDEFG"[family]]
        (sides[0] if len(sides[0]) <= len(sides[1]) else sides[1]).extend(members)
    made = evaluate.panels([*symbols, symbols[0]], families=[*kin, "other"], seed=seed)
    assert [panel.tolist() for panel in made] == [sorted(side) for side in sides]
    some = evaluate.panels(symbols, 4, kin, seed)
    again = evaluate.panels(symbols[::-1], 4, kin[::-1], seed)
    for few, other, side in zip(some, again, sides):
        assert len(few) == 4 and set(few) <= set(side) and few.tolist() == sorted(few)
        assert few.tolist() == other.tolist()


def test_shared_genes_of_a_control_and_of_two_sets(two_groups):
    adata, told = two_groups
    drawn = []

    def control(number):
        drawn.append(number)
        return told[10:60].copy()

    found = evaluate.shared_genes({"a": told[:50].copy(), "b": control}, adata[:, :20], adata[:, 30:])
    assert drawn == [0] and list(found) == sorted([*told.obs_names[10:20], *told.obs_names[30:50]])


def test_two_fifths_of_a_sample_train_in_every_draw(two_groups):
    adata, told = two_groups
    kept = evaluate.always_training(adata, 100, 3)
    rows = evaluate.subsample(adata.obs["cell_type"], 100, 3)
    own = np.sort(np.random.default_rng(3).permutation(100)[:40])
    assert kept.obs_names.tolist() == adata.obs_names[rows[own]].tolist()
    runs = evaluate.across_panels(adata, {"told": told}, n_resamples=1, seed=3, max_cells=100)
    assert runs["n_test"].tolist() == [50, 50] and runs["draw"].tolist() == [3, 3]
    with pytest.raises(ValueError, match="1 label is no comparison"):
        evaluate.always_training(adata[:200])


def by_hand(near, far, told, a, b, y, C):
    """Accuracy on a panel of other genes, from dense vectors and scikit-learn's regression."""
    from sklearn.linear_model import LogisticRegression

    def written(adata, panel):
        V = np.asarray(told[panel].X, float)
        X = embed.unit(adata[:, panel].X.toarray().astype(float) @ V)
        return (X - X.mean(axis=0)) / X.std(axis=0)

    model = LogisticRegression(C=C, max_iter=9000, tol=1e-6).fit(written(near, a), y(near))
    return (model.predict(written(far, b)) == y(far)).mean()


@pytest.mark.parametrize("types", [2, 3])
def test_a_draw_by_hand(two_groups, types):
    """Both panels, both halves of the cells, one regression."""
    adata, told = two_groups
    if types == 3:
        adata.obs["cell_type"] = np.where(np.arange(400) % 3 == 0, "c", adata.obs["cell_type"])
    runs = evaluate.across_panels(adata, {"told": told}, n_resamples=2, seed=1, C=.05)
    for draw, part in runs.groupby("draw"):
        a, b = evaluate.panels(told.obs_names, seed=draw)
        kept, rest = np.split(np.random.default_rng(1).permutation(400), [160])
        rest = np.random.default_rng(draw).permutation(rest)
        near, far = np.sort([*kept, *rest[:40]]), np.sort(rest[40:])
        for split, panel in (("disjoint panels", b), ("same panel", a)):
            known = by_hand(adata[near], adata[far], told, a, panel,
                            lambda part: part.obs["cell_type"].to_numpy(str), .05)
            row = part[part["split"] == split].iloc[0]
            assert row["accuracy"] == pytest.approx(known, abs=.011)
            assert (row["genes"], row["pool"], row["n_test"]) == (100, 200, 200)


def test_two_columns_of_a_gene_and_cells_of_one_type(two_groups):
    """The first column of a gene counts; names that are no symbols are matched before."""
    adata, told = two_groups
    alone = evaluate.across_panels(adata, {"told": told}, n_resamples=2)
    twice = ad.concat([adata, adata[:, ::-1]], axis=1, index_unique=None, merge="same")
    twice.var_names = [*adata.var_names, *adata.var_names[::-1]]
    twice.X = sp.csr_matrix(twice.X)
    twice.X[:, 200:] = twice.X[:, 200:].multiply(3).tocsr()
    pd.testing.assert_frame_equal(
        evaluate.across_panels(twice, {"told": told}, n_resamples=2), alone)
    named = adata.copy()
    ids = embed.read_embedding().obs.loc[adata.var_names, "ensembl_id"].astype(str).to_numpy()
    named.var_names = np.where(ids == "", adata.var_names, ids)
    pd.testing.assert_frame_equal(
        evaluate.across_panels(named, {"told": told}, n_resamples=2), alone)


def test_training_cells_of_one_type_give_that_type():
    from genept_utils.evaluate.panels import _fits

    X = np.random.default_rng(0).standard_normal((6, 2))
    for labels in ("aaaaaa", "ababab", "abcabc"):
        for C, model in _fits(X, np.array(list(labels)), [1, 10]):
            assert set(model.predict(X)) <= set(labels)


@pytest.mark.parametrize("kind", ["symbol", "gene_group"])
def test_families_on_one_side_of_a_draw(two_groups, source, kind):
    if kind == "gene_group":
        source("genes/hgnc_complete_set.txt.gz")
    adata, told = two_groups
    kin = evaluate.families(np.sort(told.obs_names), kind)
    runs = evaluate.across_panels(adata, {"told": told}, n_resamples=2, families=kind, same=False)
    for draw, genes in zip(runs["draw"], runs["genes"]):
        assert genes == len(evaluate.panels(np.sort(told.obs_names), families=kin, seed=draw)[0])


def test_panels_among_some_genes_and_of_a_given_panel(two_groups):
    adata, told = two_groups
    some = told.obs_names[:50]
    runs = evaluate.across_panels(adata, {"told": told}, n_resamples=2, among=some, size=20)
    assert set(runs["pool"]) == {50} and set(runs["genes"]) == {20}
    fixed = evaluate.across_panels(adata, {"told": told}, n_resamples=2, among=some,
                                   given=set(some[:20]))
    assert set(fixed["genes"]) == {30}
    for given, n in ((set(some), 50), (set(), 0)):
        with pytest.raises(ValueError, match=f"{n} of 50 genes with a vector lie on the given"):
            evaluate.across_panels(adata, {"told": told}, among=some, given=given)


# ------------------------------------------------------------------ gene spaces

def test_columns_are_standardised_and_constant_ones_are_zero():
    X = np.array([[1., 5, 2], [3, 5, 2], [5, 5, 2.00001]])
    made = gene_spaces.standardise(X)
    np.testing.assert_allclose(made[:, 0], [-1.2247449, 0, 1.2247449], rtol=1e-5)
    assert not made[:, 1].any() and np.abs(made[:, 2]).max() < 10 and made.dtype == np.float32


def test_vectors_stay_in_the_order_of_their_genes(two_groups):
    _, told = two_groups
    other = told[::-1].copy()
    more = made(np.ones((3, 2)), ["ZZZ1", told.obs_names[3], told.obs_names[1]])
    shared, rows = gene_spaces.shared_rows({"a": told, "b": other, "c": more})
    assert shared.tolist() == sorted(told.obs_names[[1, 3]])
    for name, embedding in (("a", told), ("b", other), ("c", more)):
        assert embedding.obs_names[rows[name]].tolist() == shared.tolist()
    with pytest.raises(ValueError, match="no gene has a vector in all"):
        gene_spaces.shared_rows({})


def test_sums_are_products_and_controls_are_drawn(two_groups):
    adata, told = two_groups
    drawn = {}

    def control(number):
        drawn[number] = made(np.full((200, 2), number + 1.), told.obs_names[::-1])
        return drawn[number]

    spaces = GeneSpaces({"told": told, "null": control}, told.obs_names[:150], seed=2)
    assert list(drawn) == [2] and spaces.methods == ["told", "null"] and len(spaces.genes) == 150
    X = adata[:, spaces.genes].X.tocsr()
    sums, null = (spaces.sums(X, method) for method in ("told", "null"))
    assert sums.shape == (400, 7 + 1) and sums.dtype == np.float32
    dense, V = X.toarray(), told[spaces.genes].X
    np.testing.assert_allclose(sums[:, -1], dense.sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(sums[:, :7], dense @ V, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(null[:, 0], 3 * sums[:, -1], rtol=1e-5)
    spaces.draw("null", 4)
    np.testing.assert_allclose(spaces.sums(X, "null")[:, 1], 5 * sums[:, -1], rtol=1e-5)


def test_a_whitening_is_forgotten_with_its_vectors():
    import gc

    X = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)
    mean, root = gene_spaces._whitening(X)
    np.testing.assert_allclose((X - mean) @ root, cells.whiten(X), atol=1e-5)
    assert gene_spaces._whitening(X)[1] is root and root.dtype == np.float32
    key = id(X)
    del X
    gc.collect()
    assert key not in gene_spaces._WHITENED
