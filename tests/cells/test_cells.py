"""GenePT-w, GenePT-s, normalisation and the scores of cells, against slow and obvious versions."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from genept_utils import cells, datasets, embed, evaluate, paths
from genept_utils.chapters import cell_types, phenotypes
from genept_utils.chapters.batch_and_context import integration

SYMBOLS = ["TP53", "GAPDH", "CD3E", "MS4A1", "LYZ", "NKG7", "CD8A", "PPBP"]

pytestmark = pytest.mark.skipif(not (paths.EMBEDDINGS / "minilm.h5ad").is_file(),
                                reason="the shipped embedding, which knows the names, is not here")


@pytest.fixture
def counts():
    """(40, 8) counts over well-known genes, cell 0 without any."""
    X = np.random.default_rng(1).poisson(2, (40, 8)).astype(np.float32)
    X[0] = 0
    return ad.AnnData(sp.csr_matrix(X), var=pd.DataFrame(index=SYMBOLS))


@pytest.fixture
def vectors():
    """(8, 5) vectors for the same genes and two others, in another order."""
    names = [*SYMBOLS[::-1], "ACTB", "INS"]
    drawn = np.random.default_rng(2).standard_normal((10, 5))
    return embed.as_embedding(drawn, pd.DataFrame(index=names), model="drawn", text="none")


@pytest.fixture(scope="module")
def pbmc3k():
    try:
        return datasets.load("pbmc3k")
    except OSError as error:
        pytest.skip(str(error).splitlines()[0])


def reference(adata, vectors):
    """GenePT-w in float64, cell by cell."""
    made, of = [], dict(zip(vectors.obs_names, np.asarray(vectors.X, dtype=np.float64)))
    for row in adata.X.toarray().astype(np.float64):
        weights = np.log1p(row * 10_000 / row.sum()) if row.sum() else row
        mean = sum(w * of[symbol] for w, symbol in zip(weights, adata.var_names) if symbol in of)
        length = np.sqrt((mean**2).sum()) if np.any(mean) else 1.0
        made.append(mean / length * np.ones(vectors.n_vars))
    return np.array(made)


# ---------------------------------------------------------------- normalisation

@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_matrix, np.asarray, "integers"])
def test_normalise_is_log1p_of_ten_thousand(counts, form):
    X = counts.X.toarray()
    counts.X = X.astype(int) if form == "integers" else form(X)
    made = cells.normalise(counts).X.toarray()
    expected = np.log1p(X[1:] / X[1:].sum(axis=1, keepdims=True) * 10_000)
    assert np.allclose(made[1:], expected, rtol=1e-6)
    assert not made[0].any()
    assert np.array_equal(counts.X.toarray() if sp.issparse(counts.X) else counts.X, X)


@pytest.mark.parametrize("bad, word", [(np.nan, "NaN"), (np.inf, "infinite"), (-1, "negative")])
@pytest.mark.parametrize("dense", [True, False])
def test_values_that_are_no_counts_are_refused(counts, vectors, bad, word, dense):
    X = counts.X.toarray()
    X[3, 2] = bad
    counts.X = X if dense else sp.csr_matrix(X)
    for call in (cells.normalise, lambda a: cells.genept_w(a, vectors), cells.cell_sentences):
        with pytest.raises(ValueError, match=word):
            call(counts)


def test_all_zeros_are_refused(counts):
    counts.X = sp.csr_matrix(counts.shape, dtype=np.float32)
    with pytest.raises(ValueError, match="all zeros"):
        cells.normalise(counts)


def test_logged_data_are_used_as_they_are_with_a_word(counts, vectors):
    logged = cells.normalise(counts)
    undeclared = ad.AnnData(logged.X.copy(), var=counts.var.copy())
    with pytest.warns(UserWarning, match="log-normalised"):
        again = cells.normalise(undeclared)
    assert np.array_equal(again.X.toarray(), logged.X.toarray())
    assert np.array_equal(cells.normalise(logged).X.toarray(), logged.X.toarray())
    with pytest.warns(UserWarning, match="log-normalised"):
        cells.genept_w(undeclared, vectors)
    cells.genept_w(counts, vectors)
    assert np.array_equal(undeclared.obsm["X_genept_w"], counts.obsm["X_genept_w"])


def test_corrected_counts_with_fractions_are_counts(counts):
    counts.X = counts.X * 7.5
    assert cells.scale_of(counts) == "raw"


# ---------------------------------------------------------------- GenePT-w

def test_genept_w_equals_a_float64_reference(counts, vectors):
    cells.genept_w(counts, vectors)
    found = counts.obsm["X_genept_w"]
    assert found.dtype == np.float32
    assert np.abs(found - reference(counts, vectors)).max() < 1e-5
    about = counts.uns["genept"]["X_genept_w"]
    assert about["coverage_genes"] == about["coverage_mass"] == 1
    assert about["cells_without_a_vector"] == 1
    assert about["vectors_sha256"] == vectors.uns["genept"]["vectors_sha256"]


def test_genept_w_equals_the_reference_on_real_cells(pbmc3k):
    part = pbmc3k[:20].copy()
    embedding = embed.read_embedding()
    known = part[:, part.var_names.isin(embedding.obs_names)].copy()
    own = np.random.default_rng(0).permutation(known.n_vars)[:400]
    known = known[:, own].copy()
    cells.genept_w(known, embedding)
    small = embedding[known.var_names].to_memory()
    assert np.abs(known.obsm["X_genept_w"] - reference(known, small)).max() < 1e-5


def test_genept_w_does_not_depend_on_the_order_of_genes_or_on_the_scale(counts, vectors):
    cells.genept_w(counts, vectors)
    turned = counts[:, ::-1].copy()
    turned.X = turned.X.toarray()
    cells.genept_w(turned, vectors)
    assert np.allclose(turned.obsm["X_genept_w"], counts.obsm["X_genept_w"], atol=1e-6)


def test_ensembl_ids_and_symbols_in_a_column_are_found(counts, vectors):
    cells.genept_w(counts, vectors)
    ids = embed.read_embedding().obs.loc[SYMBOLS, "ensembl_id"].astype(str).to_numpy()
    by_id = ad.AnnData(counts.X.copy(), var=pd.DataFrame(index=ids))
    column = ad.AnnData(counts.X.copy(), var=pd.DataFrame({"n": 1, "gene_symbols": SYMBOLS},
                                                          index=list("abcdefgh")))
    for other in (by_id, column):
        cells.genept_w(other, vectors)
        assert np.allclose(other.obsm["X_genept_w"], counts.obsm["X_genept_w"], atol=1e-6)


def test_names_that_match_nothing_or_little(counts, vectors):
    counts.var_names = [f"probe_{i}" for i in range(8)]
    with pytest.raises(ValueError, match="none of the 8 gene names.*probe_0"):
        cells.genept_w(counts, vectors)
    counts.var_names = ["TP53", *[f"probe_{i}" for i in range(7)]]
    with pytest.warns(UserWarning, match=r"only 1\d\.\d% of the counts"):
        cells.genept_w(counts, vectors)


def test_an_embedding_is_an_anndata(counts):
    with pytest.raises(TypeError, match="read_embedding"):
        cells.genept_w(counts, "minilm")


@pytest.mark.parametrize("base", [None, 2])
@pytest.mark.parametrize("n", [1, 200, 2000])
def test_variable_genes_are_those_of_scanpy(pbmc3k, n, base):
    import scanpy as sc

    part = cells.normalise(pbmc3k[:300])
    part = part[:, np.asarray(part.X.sum(axis=0)).ravel() > 0].copy()
    part.X /= np.float32(np.log(base or np.e))
    part.uns["log1p"] = {"base": base}
    wanted = sc.pp.highly_variable_genes(part, n_top_genes=n, inplace=False)
    assert np.array_equal(cells.highly_variable(part, n), wanted["highly_variable"])


def test_none_of_cells_that_are_all_alike_is_variable(pbmc3k):
    same = pbmc3k[[7] * 5].copy()
    with pytest.raises(ValueError, match="no gene varies between the 5 cells"):
        cells.highly_variable(same, 10)


def test_options_hvg_and_whitened(pbmc3k):
    part = cells.normalise(pbmc3k[:300])
    embedding = embed.read_embedding()
    mask = cells.highly_variable(part, 500)
    assert mask.sum() == 500
    cells.genept_w(part, embedding, hvg=500)
    alone = part[:, mask].copy()
    cells.genept_w(alone, embedding)
    assert np.allclose(part.obsm["X_genept_w"], alone.obsm["X_genept_w"], atol=1e-5)
    cells.genept_w(part, embedding, hvg=500, whitened=True, key="white")
    vectors, has, _ = cells.gene_vectors(part, embedding)
    used = mask & has
    X = part.X[:, used].toarray().astype(np.float64)
    expected = embed.unit((X - X.mean(axis=0)) @ cells.whiten(vectors[used]))
    assert np.abs(part.obsm["white"] - expected).max() < 1e-4


def test_whitening_evens_out_directions():
    drawn = np.random.default_rng(0).standard_normal((2000, 6)) * [30, 10, 3, 1, 1, 1] + 5
    values = np.linalg.eigvalsh(np.cov(cells.whiten(drawn), rowvar=False))
    before = np.linalg.eigvalsh(np.cov(drawn, rowvar=False))
    assert values[-1] / values[0] < 0.15 * before[-1] / before[0]


@pytest.mark.parametrize("value", [0, 2.5])
def test_vectors_without_directions_are_not_whitened(value):
    with pytest.raises(ValueError, match="vectors of all 5 genes are the same"):
        cells.whiten(np.full((5, 3), value, dtype=np.float32))


def test_pca_is_that_of_the_centred_matrix(pbmc3k):
    part = cells.normalise(pbmc3k[:200])
    cells.pca(part, 5, hvg=300)
    X = part.X[:, cells.highly_variable(part, 300)].toarray()
    X = X - X.mean(axis=0)
    assert np.allclose(part.obsm["X_pca"].var(axis=0) * 200,
                       np.linalg.svd(X, compute_uv=False)[:5]**2, rtol=1e-3)


# ---------------------------------------------------------------- GenePT-s

@pytest.fixture(scope="module")
def sorted_names(pbmc3k):
    """200 logged cells and, by another way than the module's, the names of each in order."""
    part = cells.normalise(pbmc3k[:200])
    names, order = part.var_names.tolist(), []
    for i in range(part.n_obs):
        row = part.X[i].toarray()[0].tolist()  # every gene, as plain numbers
        order.append([name for _, name in sorted(
            (-value, name) for value, name in zip(row, names) if value > 0)])
    return part, order


@pytest.mark.parametrize("n_genes", [10, 1000])
def test_sentences_equal_a_slow_reference(sorted_names, n_genes):
    part, order = sorted_names
    expected = [cells.PREFIX + " ".join(names[:n_genes]) for names in order]
    assert list(cells.cell_sentences(part, n_genes)) == expected


def test_sentences_do_not_depend_on_column_order(pbmc3k):
    part = pbmc3k[:50].copy()
    mixed = part[:, np.random.default_rng(0).permutation(part.n_vars)].copy()
    assert list(cells.cell_sentences(part)) == list(cells.cell_sentences(mixed))


def test_sentences_write_symbols_for_identifiers():
    ids = embed.read_embedding().obs.loc[["LYZ", "CD3E"], "ensembl_id"].astype(str).to_numpy()
    adata = ad.AnnData(sp.csr_matrix(np.array([[2., 1.], [0., 0.]], dtype=np.float32)),
                       var=pd.DataFrame(index=ids))
    assert list(cells.cell_sentences(adata)) == [cells.PREFIX + "LYZ CD3E", cells.PREFIX]


def test_wordllama_word_by_word_equals_its_own_embed(pbmc3k):
    import importlib.util
    from pathlib import Path

    from wordllama import WordLlama

    folder = Path(importlib.util.find_spec("wordllama").origin).parent
    own = WordLlama.load(cache_dir=folder, disable_download=True)
    sentences = [*cells.cell_sentences(pbmc3k[:8]), "TP53 tumor protein p53. It, e.g., binds DNA"]
    expected = embed.unit(own.embed(sentences, batch_size=1))
    assert np.abs(embed.embed(sentences) - expected).max() < 1e-5
    assert not embed.embed(["", "  "]).any()


def test_genept_s_writes_what_it_used(pbmc3k):
    part = pbmc3k[:5].copy()
    cells.genept_s(part, n_genes=50)
    assert part.obsm["X_genept_s"].shape == (5, 256)
    assert part.uns["genept"]["X_genept_s"]["n_genes"] == 50


# ---------------------------------------------------------------- scores

def test_knn_equals_scikit_learns_classifier():
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 4)), rng.choice(list("abc"), 300)
    expected = KNeighborsClassifier(10, algorithm="brute").fit(X[:200], y[:200]).predict(X[200:])
    assert np.array_equal(cell_types.knn_predict(X[:200], y[:200], X[200:]), expected)


def test_an_ensemble_of_the_same_representation_changes_nothing():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 4)), rng.choice(list("abc"), 200)
    one = cell_types.knn_predict(X[:150], y[:150], X[150:])
    three = cell_types.knn_predict([X[:150]] * 3, y[:150], [X[150:]] * 3)
    assert np.array_equal(one, three)


def test_clustering_finds_what_is_apart_and_chance_is_zero():
    rng = np.random.default_rng(0)
    y = np.repeat(list("abc"), 60)
    X = np.eye(3)[pd.factorize(y)[0]] * 10 + rng.standard_normal((180, 3)) * 0.1
    found = evaluate.clustering(X, {"type": y, "lane": rng.permutation(y)}, seeds=5)
    assert found.query("label == 'type'")["ari"].max() == 1
    assert abs(found.query("label == 'lane'")["ari"].mean()) < 0.05
    assert phenotypes.asw(X, y) > 0.9


def test_held_out_groups_are_each_tested_once():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((120, 3)), rng.choice(np.array(["a", "b"], object), 120)
    lane = np.repeat([1, 2, 3], 40)
    y[lane == 3] = np.where(rng.random(40) < 0.2, "only here", y[lane == 3])
    found = cell_types.cell_typing(X, y, groups=lane)
    assert list(found["held_out"]) == ["1", "2", "3"]
    assert found["n_test"].tolist() == [40, 40, int((y[lane == 3] != "only here").sum())]


def test_subsample_keeps_shares_and_rare_labels():
    labels = np.repeat(["a", "b", "c"], [900, 95, 5])
    rows = evaluate.subsample(labels, 200)
    counts = pd.Series(labels[rows]).value_counts().to_dict()
    assert counts == {"a": 180, "b": 19, "c": 5}
    assert np.array_equal(evaluate.subsample(labels, 1000), np.arange(1000))


def test_integration_tells_mixed_from_separate_batches():
    rng = np.random.default_rng(0)
    y, lane = np.repeat(["a", "b"], 200), np.tile([0, 1], 200)
    X = np.column_stack([(y == "a") * 20.0, rng.standard_normal((400, 2))]).astype(float)
    mixed = integration(X, lane, y)
    apart = integration(X + 8 * lane[:, None] * [0, 1, 0], lane, y)
    assert mixed["asw_batch"] > apart["asw_batch"] + 0.3
    assert mixed["ilisi"] > 0.8 > 0.2 > apart["ilisi"]
    assert mixed["clisi"] > 0.99


def test_a_patients_condition_by_leaving_patients_out():
    rng = np.random.default_rng(0)
    donor = np.repeat(np.arange(16), 10)
    condition = np.where(donor % 2, "yes", "no")
    noise = rng.standard_normal((160, 30))
    told = noise + (condition == "yes")[:, None] * (np.arange(30) < 15)
    found, donors = phenotypes.leave_one_donor_out(told, donor, condition, permutations=40)
    found = found.set_index("metric").loc["roc_auc"]
    assert len(donors) == 16 and found["value"] > 0.95 and found["note"].endswith("0.02")
    chance, _ = phenotypes.leave_one_donor_out(noise, donor, condition, permutations=20)
    assert float(chance["note"][1][-4:]) > 0.05
    with pytest.raises(ValueError, match="two are needed"):
        phenotypes.leave_one_donor_out(noise, donor, donor)
