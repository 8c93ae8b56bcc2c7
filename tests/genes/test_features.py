"""Features that are no genes are left out, and genes are not, whatever the columns are called."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import genept_utils as gp
from genept_utils import genes

SYMBOLS = ["TP53", "CD3E", "LYZ"]


@pytest.fixture(autouse=True)
def hgnc(source):
    source(genes.HGNC)


def set_of(column, kinds, names=None, own="Gene Expression"):
    """Three genes and one feature each of the kinds given."""
    names = names or [f"CD{i + 4}" for i in range(len(kinds))]
    var = pd.DataFrame({column: [own] * 3 + list(kinds)}, index=[*SYMBOLS, *names])
    return ad.AnnData(np.ones((2, len(var)), dtype=np.float32), var=var)


XENIUM = ["Negative Control Probe", "Negative Control Codeword", "Unassigned Codeword",
          "Blank Codeword", "Deprecated Codeword", "Genomic Control"]


@pytest.mark.parametrize("column, kinds", [
    ("feature_types", ["Antibody Capture", "CRISPR Guide Capture", "Multiplexing Capture",
                       "Antigen Capture", "Custom", "Peaks", "VDJ-T", "VDJ_B", "protein"]),
    ("feature_types", XENIUM), ("feature_type", XENIUM), ("codeword_category", XENIUM),
    ("anything", ["Antibody Capture", "Custom"]), ("modality", ["ADT", "protein", "atac"]),
    ("feature_biotype", ["spike-in", "ERCC"]), ("gene_biotype", ["spike_in", "spike-ins"]),
    ("CodeClass", ["Negative", "Positive", "SystemControl", "FalseCode"]),
    ("probe_type", ["control", "blank", "unassigned"]), ("kind", ["Hashtags", "Antibodies"]),
])
def test_kinds_of_features_are_left_out(column, kinds):
    with pytest.warns(UserWarning, match=f"{len(kinds)} of {len(kinds) + 3} features are no genes"):
        found = genes.match(set_of(column, kinds))
    assert list(found.symbols) == [*SYMBOLS, *[""] * len(kinds)] and found.share == 1
    assert found.count_fraction == 1


@pytest.mark.parametrize("column, kinds", [
    ("panel", ["Custom", "gene", "custom"]), ("stringdb::node type", ["protein"]),
    ("type", ["protein", "disease"]), ("gene_type", ["protein_coding", "antisense", "misc_RNA"]),
    ("class", ["control", "negative", "custom"]), ("notes", ["VDJ", "antibody", "peak"]),
    ("CodeClass", ["Endogenous", "Housekeeping"]), ("feature_biotype", ["gene"]),
    ("codeword_category", ["predesigned_gene", "custom_gene"]), ("target_type", [np.nan, ""]),
])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.filterwarnings("error")
def test_words_in_other_columns_are_no_kinds(column, kinds, whole):
    adata = set_of(column, kinds, own="gene")
    if whole:  # the same word for all of them
        adata.var[column] = kinds[0]
    found = genes.match(adata)
    assert found.share == 1 and not found.notes


@pytest.mark.parametrize("names, said", [
    (["ERCC-00002", "ERCC-00171", "SIRV1", "SIRV603"], "spike-in 4"),
    (["NegControlProbe_00042", "NegControlCodeword_0500", "UnassignedCodeword_0001",
      "DeprecatedCodeword_0001", "BlankCodeword_0012", "Intergenic_Region_1", "BLANK_0001",
      "antisense_PROKR2"], "control 8"),  # Xenium, in any case of letters
    (["Blank-1", "Blank-12"], "control 2"),  # MERSCOPE
    (["NegPrb1", "Negative1", "SystemControl12", "FalseCode1"], "control 4"),  # CosMx
    (["NegProbe-WTX", "NegProbe-CTP01"], "control 2"),  # GeoMx
    (["CD3_TotalSeqB", "CD4-TotalSeqC", "HTO_A", "Hashtag1"], "antibody 4"),
])
def test_controls_are_told_by_their_names(names, said):
    adata = set_of("n", [""] * len(names), names)
    with pytest.warns(UserWarning, match=rf"are no genes and are left out \({said}\)"):
        found = genes.match(adata)
    assert found.share == 1 and found.counts["not a gene"] == len(names)


def test_no_gene_has_the_name_of_a_control():
    table = genes.hgnc()
    names = pd.concat([table.index.to_series(), *(table[column].str.split("|").explode() for column
                                                  in ("alias_symbol", "prev_symbol"))])
    assert (genes.kinds(pd.DataFrame(index=names)) == "").all()


def test_controls_enter_neither_the_counts_nor_the_vectors():
    embedding = gp.read_embedding()
    with_controls = set_of("feature_types", XENIUM)
    with_controls.X = np.arange(1, 19, dtype=np.float32).reshape(2, 9)
    alone = with_controls[:, :3].copy()
    with pytest.warns(UserWarning, match="6 of 9 features"):
        gp.genept_w(with_controls, embedding)
    gp.genept_w(alone, embedding)
    assert np.allclose(with_controls.obsm["X_genept_w"], alone.obsm["X_genept_w"], atol=1e-6)
    card = with_controls.uns["genept"]["X_genept_w"]
    assert card["coverage_genes"] == card["coverage_mass"] == 1


@pytest.mark.parametrize("marks", [[True, False, True], ["True", "False", "True"], [1, 0, 1]])
def test_genes_that_cellxgene_set_to_zero_are_said(marks):
    adata = set_of("x", [])
    adata.var["feature_is_filtered"] = pd.Series(marks, adata.var_names).astype("category")
    adata.X[:, [0, 2]] = 0
    with pytest.warns(UserWarning, match="2 of 3 genes are marked feature_is_filtered.*raw=True"):
        genes.match(adata)
    adata.X[:] = 1  # the counts of raw under the table of X
    assert not genes.of_cells(adata).notes
