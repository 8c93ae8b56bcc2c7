"""Words of a text, words that mark a list of genes, and genes near a list."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import genept_utils as gp
from genept_utils.embed.words import STOP_WORDS, words


@pytest.mark.parametrize("text, expected", [
    ("The T-cell receptor's CD3-zeta chain (CD247).", {"t-cell", "receptor", "cd3-zeta", "chain",
                                                       "cd247"}),
    ("alpha- and beta-chains; 12-lipoxygenase, 2012, p53 in IL2", {"alpha", "beta-chains", "p53",
                                                                   "12-lipoxygenase", "il2"}),
    ("This gene encodes a member of the family of DNA-binding proteins.", {"family",
                                                                           "dna-binding"}),
    ("kinase Kinase KINASE", {"kinase"}), ("", set()), ("of -- a 7 -x", set())])
def test_words_of_a_text(text, expected):
    assert words(text) == expected


def test_stop_words_are_words_that_could_be_found():
    for word in STOP_WORDS:
        assert word == word.lower() and not word.endswith("-")


SYMBOLS = ["CTSB", "CTSD", "CTSL", "CD3E", "CD4", "CD8A", "LYZ", "MS4A1", "NKG7", "GNLY"]
WRITTEN = pd.Series(["lysosomal protease alone"] * 3 + ["receptor surface"] * 3
                    + ["lysozyme surface"] * 2 + ["protease granule granule"] * 2, SYMBOLS)


def test_marking_words_are_fishers_test_with_false_discovery_rates():
    found = gp.marking_words(["CTSB", "CTSD", "LYZ", "CTSD"], WRITTEN, min_genes=2)
    assert found.attrs == {"list": 3, "all": 10, "tested": 7, "left_out": []}
    table = found.set_index("word")
    assert table.loc["lysosomal", ["in_list", "in_all"]].tolist() == [2, 3]
    assert table.loc["protease", ["in_list", "in_all"]].tolist() == [2, 5]
    assert table.loc["lysosomal", "fold"] == pytest.approx((2 / 3) / (3 / 10))
    for word, row in table.iterrows():
        k, K = row["in_list"], row["in_all"]
        p = stats.fisher_exact([[k, 3 - k], [K - k, 7 - K + k]], alternative="greater").pvalue
        assert row["p"] == pytest.approx(p), word
    p = np.sort(np.append(table["p"], [1.0, 1.0]))  # receptor and granule, not in the list
    q = [min(p[j] * 7 / (j + 1) for j in range(i, 7)) for i in range(7)]
    assert found["q"].tolist() == pytest.approx(q[:5])
    assert found["p"].is_monotonic_increasing and "granule" not in table.index


def test_rare_words_are_not_tested():
    assert set(gp.marking_words(["LYZ"], WRITTEN, min_genes=3)["word"]) == {"surface"}
    assert set(gp.marking_words(["LYZ"], WRITTEN, min_genes=2)["word"]) == {"surface", "lysozyme"}


def test_a_name_without_a_text_is_said():
    found = gp.marking_words(["ctsb", "P2RY12", "no gene"], WRITTEN, min_genes=1)
    assert found.attrs["left_out"] == ["P2RY12", "no gene"] and found.attrs["list"] == 1
    with pytest.raises(ValueError, match="none of the 2 genes"):
        gp.marking_words(["P2RY12", "no gene"], WRITTEN)


def test_cathepsins_are_marked_by_what_they_are(source):
    source("genes/hgnc_complete_set.txt.gz", "genes/refseq_gene_summary.rds")
    found = gp.marking_words(["CTSB", "CTSD", "CTSL", "CTSS", "CTSK", "CTSZ", "CTSH"])
    assert found["word"][0] == "cathepsin" and found["q"][0] < 1e-10
    assert {"lysosomal", "cysteine"} <= set(found["word"][:4])
    assert found.attrs["all"] == 15086


@pytest.fixture(scope="module")
def plane():
    angles = np.radians([0, 10, 20, 90, 100, 180])
    made = ad.AnnData(np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32))
    made.obs_names = list("abcdef")
    made.X[2] *= 7  # length does not count
    return made


def test_nearest_to_each_name(plane):
    keys, cosines = gp.nearest(plane, ["a", "d"], 2)
    assert keys.tolist() == [["b", "c"], ["e", "c"]]
    np.testing.assert_allclose(cosines[0], np.cos(np.radians([10, 20])), atol=1e-6)
    assert gp.nearest(plane, ["a"], 99, among=["a", "d", "e"])[0].tolist() == [["d", "e"]]
