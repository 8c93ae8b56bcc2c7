"""Whose gene is each column of an AnnData: columns of var, other species, features beside genes."""

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import genept_utils as gp
from genept_utils import cells, embed, genes, paths
from genept_utils.genes import orthologs

HUMAN = ["TP53", "CD3E", "CD4", "MS4A1", "NKG7", "CD8A", "LYZ", "GNLY", "IL7R", "CST3", "CD14",
         "FCGR3A"]
MOUSE = ["Trp53", "Cd3e", "Cd4", "Ms4a1", "Nkg7", "Cd8a", "Lyz2"]
SHUFFLED = np.random.default_rng(1).permutation(90)

pytestmark = pytest.mark.skipif(not (paths.EMBEDDINGS / "minilm.h5ad").is_file(),
                                reason="the shipped embedding, which knows the names, is not here")


@pytest.fixture(scope="module")
def embedding():
    return embed.read_embedding()


def made(names, **columns):
    X = np.random.default_rng(0).poisson(3, (30, len(names))).astype(np.float32)
    return ad.AnnData(sp.csr_matrix(X), var=pd.DataFrame(columns, index=list(map(str, names))))


def vectors(adata, embedding, **options):
    return gp.genept_w(adata, embedding, **options).obsm["X_genept_w"]


@pytest.mark.parametrize("rows", [range(12), range(5, 17), SHUFFLED[SHUFFLED < 12]])
@pytest.mark.parametrize("column, values", [
    ("features", HUMAN), ("feature_name", pd.Categorical(HUMAN)), ("gene_symbols", HUMAN)])
def test_vectors_of_names_in_a_column_beside_row_numbers(embedding, rows, column, values):
    adata = made(rows, n_cells=np.arange(12), **{column: values})
    assert np.array_equal(vectors(adata, embedding), vectors(made(HUMAN), embedding))
    assert column in adata.uns["genept"]["X_genept_w"]["names"]


@pytest.mark.parametrize("rows", [range(12), range(5, 45), SHUFFLED])
def test_row_numbers_without_names_are_refused(embedding, rows):
    with pytest.raises(ValueError, match="row numbers, not genes .*no column beside them"):
        vectors(made(rows, n_cells=np.arange(len(rows))), embedding)
    with pytest.raises(ValueError, match="row numbers, not genes"):
        cells.cell_sentences(made(rows))


@pytest.mark.parametrize("species", ["mouse", 10090])
def test_mouse_cells_get_the_vectors_of_human_orthologs(source, embedding, species):
    source(genes.HGNC, orthologs.HOMOLOGENE)
    adata = made(MOUSE)
    expected = vectors(made(HUMAN[:7]), embedding)
    assert np.array_equal(vectors(adata, embedding, species=species), expected)
    assert adata.uns["genept"]["X_genept_w"]["species"] == "mouse"
    declared = made(MOUSE)
    declared.uns["genept_data"] = {"species": species}  # as datasets.load keeps it
    assert np.array_equal(vectors(declared, embedding), expected)
    rows, matched = gp.align(embedding, MOUSE, species=species)
    assert list(embedding.obs_names[rows]) == HUMAN[:7] and matched.species == "mouse"


def test_sentences_of_mouse_cells_speak_of_human_genes(source):
    source(genes.HGNC, orthologs.HOMOLOGENE)
    spoken = cells.cell_sentences(made(MOUSE), species="mouse")
    human = cells.cell_sentences(made(HUMAN[:7]))
    assert [set(one.split()) for one in spoken] == [set(one.split()) for one in human]
    adata = cells.genept_s(made(MOUSE), species="mouse")
    assert adata.uns["genept"]["X_genept_s"]["species"] == "mouse"


def test_mouse_cells_without_a_species_are_said(source, embedding):
    source(genes.HGNC, orthologs.HOMOLOGENE)
    with pytest.warns(UserWarning, match="look like mouse genes"):
        adata = made(MOUSE)
        vectors(adata, embedding)
    assert adata.uns["genept"]["X_genept_w"]["species"] == "human"
    with pytest.warns(UserWarning, match="look like mouse genes"):
        cells.cell_sentences(made(MOUSE))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vectors(made(HUMAN), embedding)


def test_antibodies_beside_genes_change_nothing(embedding):
    plain = made(HUMAN)
    both = ad.AnnData(sp.hstack([plain.X, plain.X[:, :3] * 40]).tocsr(), var=pd.DataFrame(
        {"feature_types": ["Gene Expression"] * 12 + ["Antibody Capture"] * 3},
        index=[*HUMAN, "CD8A", "CD4_TotalSeqB", "CD14"]))
    for call in (lambda adata: vectors(adata, embedding), cells.cell_sentences):
        with pytest.warns(UserWarning, match=r"3 of 15 features .* \(Antibody Capture 3\)"):
            found = call(both)
        assert np.array_equal(found, call(plain))
    with pytest.warns(UserWarning, match="3 of 15 features"):
        _, has, coverage = cells.gene_vectors(both, embedding)
    assert has.tolist() == [True] * 12 + [False] * 3
    assert coverage["genes"] == coverage["count_fraction"] == 1
    named = cells.cell_sentences(plain, names=[f"n{i}" for i in range(12)])
    with pytest.warns(UserWarning, match="3 of 15"):
        assert np.array_equal(cells.cell_sentences(both, names=[f"n{i}" for i in range(15)]), named)


def test_names_of_other_tools_get_vectors_and_are_spoken(embedding):
    expected, spoken = vectors(made(HUMAN), embedding), cells.cell_sentences(made(HUMAN))
    for change in ("GRCh38_{}", "{}.1"):
        adata = made([change.format(name) for name in HUMAN])
        assert np.array_equal(vectors(adata, embedding), expected)
        assert [set(one.split()) for one in cells.cell_sentences(adata)] == [
            set(one.split()) for one in spoken]
