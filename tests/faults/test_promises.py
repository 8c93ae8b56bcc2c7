"""What each public function that takes an AnnData does with each awkward input: tables of
promises.

What is listed for a function is the sentence that it says; with every other input it gives a
finite result.
"""

import importlib
import inspect
import re
import tempfile
import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import genept_utils as gp
from genept_utils import cells, datasets, embed, evaluate, genes
from genept_utils.chapters import cell_types, disjoint_panels, phenotypes
from genept_utils.chapters.batch_and_context import integration

GENES = ["TP53", "CD4", "LYZ", "MS4A1", "NKG7", "GNLY", "CD3E", "CD14"]


def made(n=40, names=GENES, change=None, dense=False):
    counts = np.random.default_rng(0).poisson(2, (n, len(names))).astype(np.float32)
    if change:
        change(counts)
    adata = ad.AnnData(counts if dense else sp.csr_matrix(counts))
    adata.var_names = list(names)
    adata.obs["cell_type"] = np.where(np.arange(n) % 2, "a", "b")
    return adata


def put(value, row=3):
    def change(counts):
        counts[row, 2 if np.isscalar(row) else slice(None)] = value
    return change


ZEROS, REFUSED, WITHOUT = "no cells or no genes", "NaN or infinite", "has no X"
INPUTS = {
    "good": made(), "no cells": made(0), "no genes": made(names=[]), "one cell": made(1),
    "one gene": made(names=["TP53"]), "no overlap": made(names=[f"zzz{i}x" for i in range(8)]),
    "duplicate names": made(names=["TP53", "TP53", *GENES[2:]]),
    "NaN": made(change=put(np.nan), dense=True), "infinity": made(change=put(np.inf), dense=True),
    "negative": made(change=put(-1)), "all zero": made(change=put(0, slice(None))),
    "a zero cell": made(change=put(0, [0])), "no X": ad.AnnData(obs=made().obs, var=made().var),
}
VALUES = {"no cells": ZEROS, "no genes": ZEROS, "all zero": ZEROS, "NaN": REFUSED,
          "infinity": REFUSED, "negative": "negative values", "no X": WITHOUT}
NO_GENE = {"no overlap": "gene names has a vector"}
ONE = {"one cell": "two cells and two genes", "one gene": "two cells and two genes"}
PANELS = {**VALUES, "one cell": "label is no comparison", "one gene": "panels .* need",
          "no overlap": "panels .* need"}
SHARED = {**VALUES, "one gene": "have a vector in each", "no overlap": "have a vector in each"}
LEARNT = {**VALUES, "no overlap": "components need", "one cell": "components need",
          "one gene": "components need"}
FUNCTIONS = {  # name -> (function, what is refused; all else is right)
    "normalise": (lambda a: cells.normalise(a).X.toarray(), VALUES),
    "highly_variable": (lambda a: cells.highly_variable(a, 4),
                        {**VALUES, "one cell": "no gene varies"}),
    "pca": (lambda a: cells.pca(a, 3).obsm["X_pca"], {**VALUES, **ONE}),
    "genept_w": (lambda a: gp.genept_w(a, EMBEDDING).obsm["X_genept_w"], {**VALUES, **NO_GENE}),
    "genept_w hvg": (lambda a: gp.genept_w(a, EMBEDDING, hvg=4).obsm["X_genept_w"],
                     {**VALUES, **NO_GENE, "one cell": "no gene varies"}),
    "genept_w whitened": (lambda a: gp.genept_w(a, EMBEDDING, whitened=True).obsm["X_genept_w"],
                          {**VALUES, **NO_GENE, "one gene": "needs two genes"}),
    "cell_sentences": (cells.cell_sentences, VALUES),
    "genept_s": (lambda a: gp.genept_s(a).obsm["X_genept_s"], VALUES),
    "gene_vectors": (lambda a: cells.gene_vectors(a, EMBEDDING)[0],
                     {"no X": WITHOUT, "no genes": "gene names has a vector", **NO_GENE}),
    "match": (lambda a: genes.match(a).symbols, {}),
    "align": (lambda a: embed.align(EMBEDDING, a)[0], {}),
    "of_cells": (lambda a: genes.of_cells(a).symbols, {}),
    "totals_of": (lambda a: np.zeros(a.n_vars) if (totals := genes.totals_of(a)) is None
                  else totals, {}),  # None without counts: genes are matched all the same
    "sentence_names": (cells.sentence_names, {}),
    "matched_genes": (lambda a: cells.matched_genes(a).symbols, {}),
    "by_symbol": (lambda a: cells.by_symbol(a).var_names, {}),
    "only_genes": (lambda a: cells.only_genes(a).var_names, {}),
    "select_matrix": (lambda a: np.array(cells.select_matrix(a).shape), {"no X": WITHOUT}),
    "declared_scale": (lambda a: np.array(cells.declared_scale(a)), {}),
    "scale_of": (lambda a: np.array([cells.scale_of(a)]), VALUES),
    "complete": (lambda a: datasets.complete(a, "cell_type", report=str).obs_names,
                 {"no cells": "no cell has a value"}),
    "enough": (lambda a: np.array([datasets.enough(a, 2, cell_type=2)]),
               {"no cells": "has 0 cells", "one cell": "has 1 cells"}),
    "settle_batch": (lambda a: np.array([datasets.settle_batch(a, True, report=str)]), {}),
    "lineages": (lambda a: disjoint_panels.lineages(a).obs_names, {}),
    "across_panels": (lambda a: evaluate.across_panels(a, {"m": EMBEDDING}, n_resamples=1)["accuracy"],
                      PANELS),
    "coexpression": (lambda a: gp.coexpression(a, n=2).X, LEARNT),
    "transfer_labels train": (lambda a: chances(a, made()), {
        **VALUES, **NO_GENE, "no cells": "no training cell", "one cell": "no comparison"}),
    "transfer_labels test": (lambda a: chances(made(), a), {**VALUES, **NO_GENE}),
    "write_predictions": (lambda a: predicted(a), {**VALUES, **NO_GENE}),
    "always_training": (lambda a: evaluate.always_training(a).obs_names,
                        {"no cells": "no cells", "one cell": "no comparison"}),
    "on_same_genes": (lambda a: evaluate.on_same_genes(a, {"m": EMBEDDING})[0].X.toarray(), SHARED),
    "ways": (lambda a: np.concatenate([X.ravel() for _, X in evaluate.ways(
        a, {"m": np.eye(a.n_vars, 3, dtype=np.float32)}, n_resamples=1)]), {**VALUES, **ONE, "no cells": "two cells", "no genes": "two genes"}),
    "written": (lambda a: np.concatenate([X.ravel() for _, X in evaluate.written(
        a, {"m": EMBEDDING}, n_resamples=1)]), {**SHARED, "one cell": "two cells and two genes"}),
    "panel_predictions": (lambda a: (found := evaluate.panel_predictions(
        a, {"m": EMBEDDING}, n_resamples=1))["true"] == found["found"], PANELS),
}
EVERY = embed.read_embedding()
# a thousand of its genes: what is seen here does not depend on the others
EMBEDDING = EVERY[np.union1d(EVERY.obs_names.get_indexer(GENES),
                             np.arange(0, EVERY.n_obs, 40))].copy()


def chances(train, test):
    return evaluate.transfer_labels(train, test, EMBEDDING)["probability"].dropna().to_numpy(float)


def predicted(adata):
    """The probabilities that a file of predictions holds."""
    found = evaluate.transfer_labels(made(), adata, EMBEDDING)
    with tempfile.TemporaryDirectory() as folder:
        source, out = f"{folder}/cells.h5ad", f"{folder}/out.h5ad"
        adata.write_h5ad(source)
        evaluate.write_predictions(source, found, out)
        return ad.read_h5ad(out).obs["genept_probability"].dropna().to_numpy(float)


@pytest.mark.parametrize("given", INPUTS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_cells(function, given):
    call, refused = FUNCTIONS[function]
    adata = INPUTS[given].copy()
    before = None if adata.X is None else adata.X.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if refused.get(given):
            with pytest.raises(ValueError, match=refused[given]) as caught:
                call(adata)
            assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
        else:
            found = call(adata)
            if found.dtype.kind == "f":
                assert np.isfinite(found).all()
    if before is not None:  # nothing is changed on the way
        same = (adata.X != before)
        assert not (same.nnz if sp.issparse(same) else
                    (same & ~(np.isnan(adata.X) & np.isnan(before))).any())


# ---------------------------------------------------------------- gene vectors

def vectors(n=8, names=GENES, change=None):
    made = np.random.default_rng(0).standard_normal((n, 4)).astype(np.float32)
    if change:
        change(made)
    return ad.AnnData(made, obs=pd.DataFrame(index=names[:n]),
                      uns={"genept": {"model": "m", "text": "t"}})


VECTORS = {
    "good": vectors(), "no genes": vectors(0), "one gene": vectors(1),
    "NaN": vectors(change=put(np.nan)), "infinity": vectors(change=put(-np.inf)),
    "a zero vector": vectors(change=put(0, [3])), "all zero": vectors(change=put(0, slice(None))),
    "duplicate names": vectors(names=["TP53", "TP53", *GENES[2:]]),
    "no overlap": vectors(names=[f"zzz{i}x" for i in range(8)]),
    "no X": ad.AnnData(obs=pd.DataFrame(index=GENES)),
}
UNSOUND = {**dict.fromkeys(("no genes", "no X"), "no X or no genes"), "NaN": REFUSED,
           "infinity": REFUSED, "duplicate names": "stands twice"}
OF_VECTORS = {
    "align": (lambda e, path: embed.align(e, GENES)[0], UNSOUND),
    "nearest": (lambda e, path: embed.nearest(e, ["TP53"], 2)[1],
                {**UNSOUND, "no overlap": "is no key"}),
    "nearest_to_list": (lambda e, path: embed.nearest_to_list(e, ["TP53"], 2)["score"].to_numpy(),
                        {**UNSOUND, "no overlap": "is no key", "one gene": "more genes"}),
    "permuted": (lambda e, path: embed.permuted(e).X, UNSOUND),
    "random_like": (lambda e, path: embed.random_like(e).X, UNSOUND),
    "relabelled": (lambda e, path: disjoint_panels.relabelled(e).X, UNSOUND),
    "gene_input": (lambda e, path: evaluate.gene_input(e, GENES), UNSOUND),
    "gene_vectors": (lambda e, path: cells.gene_vectors(made(), e)[0],
                     {**UNSOUND, **NO_GENE, "all zero": "names has a vector"}),
    "genept_w": (lambda e, path: gp.genept_w(made(), e).obsm["X_genept_w"],
                 {**UNSOUND, **NO_GENE, "all zero": "names has a vector"}),
    "panel_predictions": (lambda e, path: np.zeros(len(evaluate.panel_predictions(
        made(), {"m": e}, n_resamples=1))), {**UNSOUND, "one gene": "need", "no overlap": "need"}),
    "on_shared_genes": (lambda e, path: disjoint_panels.on_shared_genes({"m": e})["m"].X, UNSOUND),
    "write_embedding": (lambda e, path: embed.write_embedding(e, path) or embed.read_embedding(
        path).X, UNSOUND),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given", VECTORS)
@pytest.mark.parametrize("function", OF_VECTORS)
def test_gene_vectors(function, given, tmp_path):
    call, refused = OF_VECTORS[function]
    if given in refused:
        with pytest.raises((ValueError, KeyError), match=refused[given]) as caught:
            call(VECTORS[given].copy(), tmp_path / "e.h5ad")
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
        assert not list(tmp_path.iterdir())
    else:
        assert np.isfinite(call(VECTORS[given].copy(), tmp_path / "e.h5ad")).all()


def takes(function):
    """Whether one of a function's parameters is an AnnData, by its name or its docstring."""
    said = (inspect.getdoc(function) or "").partition("Parameters\n")[2].partition("Returns\n")[0]
    typed = re.findall(r"^(\w[\w, ]*) : (?!dict).*AnnData", said, re.MULTILINE)
    named = {name for names in typed for name in names.split(", ")} | {"adata", "embedding"}
    return named & set(inspect.signature(function).parameters)


def test_every_public_function_that_takes_an_anndata_is_in_a_table():
    found = set()
    for place in ("", ".cells", ".datasets", ".embed", ".evaluate", ".genes"):
        package = importlib.import_module(f"genept_utils{place}")
        for name in getattr(package, "__all__", vars(package)):
            function = getattr(package, name)
            if inspect.isfunction(function) and takes(function):
                found.add(name)
    assert len(found) > 30
    assert found <= {name.split()[0] for name in [*FUNCTIONS, *OF_VECTORS]}


def test_awkward_cells_do_not_move_the_others():
    """A zero cell is a row of zeros and says so; the other rows are what they are without it."""
    whole, rest = INPUTS["a zero cell"].copy(), INPUTS["a zero cell"][1:].copy()
    for adata in (whole, rest):
        gp.genept_w(adata, EMBEDDING)
    assert not whole.obsm["X_genept_w"][0].any()
    assert whole.uns["genept"]["X_genept_w"]["cells_without_a_vector"] == 1
    np.testing.assert_allclose(whole.obsm["X_genept_w"][1:], rest.obsm["X_genept_w"], atol=1e-6)
    one = made(1)
    gp.genept_w(one, EMBEDDING)
    assert np.linalg.norm(one.obsm["X_genept_w"]) == pytest.approx(1, abs=1e-5)


def test_duplicate_names_add_up():
    values = np.random.default_rng(1).random((40, 8)).astype(np.float32)
    twice, once = ad.AnnData(values), ad.AnnData(
        np.column_stack([values[:, :2].sum(axis=1), values[:, 2:]]))
    twice.var_names, once.var_names = ["TP53", "TP53", *GENES[2:]], ["TP53", *GENES[2:]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for adata in (twice, once):
            gp.genept_w(adata, EMBEDDING, values="log")
    np.testing.assert_allclose(twice.obsm["X_genept_w"], once.obsm["X_genept_w"], atol=1e-5)


# ---------------------------------------------------------------- scores

ROWS = np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32)
TYPES = np.array(list("abc"))[np.arange(60) % 3]
DONORS = np.array([f"d{i}" for i in np.arange(60) % 6])
BAD = ROWS.copy()
BAD[3, 3] = np.nan
FEW, OWN, NONE, LENGTHS = "no comparison", "label of its own", "no cells", "rows of vectors"
SCORED = {
    "one member": (ROWS, np.where(np.arange(60) == 0, "lonely", TYPES)),
    "constant": (np.ones_like(ROWS), TYPES), "one label": (ROWS, np.full(60, "a")),
    "more clusters than cells": (ROWS, np.arange(60).astype(str)),
    "empty": (ROWS[:0], TYPES[:0]), "NaN": (BAD, TYPES), "lengths": (ROWS, TYPES[:50]),
}
ALWAYS = {"empty": NONE, "NaN": REFUSED, "lengths": LENGTHS}
GROUPS = {**ALWAYS, "one label": FEW, "more clusters than cells": OWN}
SCORES = {
    "clustering": (lambda X, y: evaluate.clustering(X, y, seeds=2)["ari"], GROUPS),
    "asw": (phenotypes.asw, GROUPS),
    "cell_typing": (lambda X, y: cell_types.cell_typing(X, y, n_splits=3)["f1_macro"], GROUPS),
    "held-out groups": (lambda X, y: cell_types.cell_typing(X, y, groups=DONORS[:len(y)])[
        "f1_macro"], GROUPS),
    "integration": (lambda X, y: list(integration(X, DONORS[:len(X)], y).values()),
                    GROUPS),
    "knn_predict": (lambda X, y: (cell_types.knn_predict(X, y, ROWS) != "").astype(float), ALWAYS),
    "cross_validate": (lambda X, y: evaluate.cv_scores(
        X, y, n_splits=3, n_repeats=1, scoring="accuracy")["accuracy"].fillna(0),
        {**ALWAYS, "more clusters than cells": "n_splits=3 cannot be greater"}),
    "finetune": (lambda X, y: phenotypes.fit(X, y, max_iter=3).predict_proba(X), GROUPS),
    "donors": (lambda X, y: phenotypes.leave_one_donor_out(
        X, DONORS[:len(y)], y, permutations=3)[0]["value"],
        {**ALWAYS, "one label": "have 1 conditions", "constant": "have 3 conditions",
         **dict.fromkeys(("one member", "more clusters than cells"), "has cells of .* cond")}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given", SCORED)
@pytest.mark.parametrize("function", SCORES)
def test_scores(function, given):
    call, refused = SCORES[function]
    X, y = SCORED[given]
    if given in refused:
        with pytest.raises(ValueError, match=refused[given]):
            call(X, y)
    else:
        assert np.isfinite(np.asarray(call(X, y), dtype=float)).all()


def test_one_batch_is_marked_and_not_scored():
    found = integration(ROWS, np.full(60, "b"), TYPES)
    assert np.isnan(found["asw_batch"]) and np.isnan(found["ilisi"])
    assert np.isfinite(found["clisi"])
