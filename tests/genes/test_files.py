"""Names in files, by the real command line from a folder that is not the checkout."""

import bz2
import codecs
import gzip
import os
import subprocess
import sys

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import genes, paths
from genept_utils.cli import main
from genept_utils.genes import orthologs
from genept_utils.genes.files import read_table

SYMBOLS = ["TP53", "GAPDH", "CD3E", "MS4A1", "LYZ", "NKG7", "CD8A", "PPBP", "CD4", "ACTB", "GNLY",
           "IL7R"]
TABLE = "gene;n\nTP53;1,5\nBRCA1;2,5\nzzz;3\n"
# Without the time of day, which would give a test another name in each process that collects it.
PACKED = gzip.compress(TABLE.encode(), mtime=0)
HALF = gzip.compress(TABLE.encode() * 99, mtime=0)[:-9]


@pytest.fixture
def ids(source):
    source(genes.HGNC)
    return genes.hgnc()["ensembl_id"]


def command(folder, *words):
    """(code, output, errors) of the real command line."""
    env = {**os.environ, "PYTHONPATH": str(paths.ROOT)}
    done = subprocess.run([sys.executable, "-m", "genept_utils", "match", *words], cwd=folder,
                          env=env, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def features(ids):
    """10x's features.tsv: id, symbol, kind."""
    rows = [f"{ids[symbol]}\t{symbol}\tGene Expression" for symbol in SYMBOLS]
    rows += ["CD3_TotalSeqB\tCD3\tAntibody Capture", "CD4_TotalSeqB\tCD4\tAntibody Capture"]
    return "\n".join(rows) + "\n"


def test_features_of_10x(ids, tmp_path):
    (tmp_path / "features.tsv.gz").write_bytes(gzip.compress(features(ids).encode()))
    code, said, _ = command(tmp_path, "features.tsv.gz", "--out", "found.csv")
    assert code == 0 and "12 of 12 names have a gene (ensembl 12, not a gene 2)" in said
    assert "2 of 14 features are no genes and are left out (Antibody Capture 2)" in said
    table = pd.read_csv(tmp_path / "found.csv", keep_default_na=False)
    assert list(table["symbol"]) == [*SYMBOLS, "", ""]


def test_row_numbers_in_a_file(ids, tmp_path):
    (tmp_path / "rows.txt").write_text("gene\n" + "\n".join(map(str, range(5, 900))))
    code, said, error = command(tmp_path, "rows.txt")
    assert code == 2 and not said and error.count("\n") == 1
    assert error.startswith("error: the names in gene are row numbers, not genes (5, 6, 7, ...)")


def test_a_mouse_list(source, tmp_path):
    source(genes.HGNC, orthologs.HOMOLOGENE)
    (tmp_path / "mouse.txt").write_bytes("Trp53\r\nCd4\r\nLyz2\r\nCcl2\r\n".encode("utf-16"))
    code, said, _ = command(tmp_path, "mouse.txt", "--species", "mouse")
    assert code == 0 and "ortholog 2, co-ortholog 1, ambiguous 1" in said
    assert "Ambiguous: Ccl2 (CCL13, CCL2)" in said


def test_names_in_a_column_of_an_h5ad(ids, tmp_path):
    var = pd.DataFrame({"features": pd.Categorical(SYMBOLS)}, index=[str(i) for i in range(5, 17)])
    counts = np.arange(24, dtype=np.float32).reshape(2, 12)
    ad.AnnData(counts, var=var).write_h5ad(tmp_path / "cells.h5ad")
    code, said, _ = command(tmp_path, "cells.h5ad")
    assert code == 0 and "12 of 12 names have a gene (approved 12)" in said
    assert "The names stand in the column 'features'.\nThey carry 100.0% of the counts." in said


@pytest.mark.parametrize("content", [
    TABLE.encode(), codecs.BOM_UTF8 + TABLE.encode(), TABLE.encode("utf-16"),
    TABLE.encode("utf-16-le"), TABLE.encode("utf-16-be"), codecs.BOM_UTF16_BE +
    TABLE.encode("utf-16-be"), TABLE.replace("\n", "\r\n").encode(), PACKED,
    bz2.compress(TABLE.encode("utf-16")), TABLE.replace(";", "\t").encode(),
    TABLE.replace(",", ".").replace(";", ",").encode(),
    TABLE.replace("zzz", "zzzé").encode("latin-1"),
    '"x";"n"\n"TP53";1\n"BRCA1";2\n"zzz";3\n'.encode(),
    '"n"\t"m"\n"TP53"\t1\t4\n"BRCA1"\t2\t5\n"zzz"\t3\t6\n'.encode(), b"TP53, BRCA1, zzz",
    b";gene\n0;TP53\n1;BRCA1\n2;zzz\n", b"5,TP53\n6,BRCA1\n7,zzz\n", b"TP53\n\nBRCA1\n \nzzz",
])
def test_files_in_the_ways_they_are_written(ids, tmp_path, capsys, content):
    (tmp_path / "names.csv").write_bytes(content)
    assert main(["match", str(tmp_path / "names.csv")]) == 0
    said = capsys.readouterr().out
    assert "2 of 3 names have a gene (approved 2, missing 1)" in said and "Missing: zzz" in said


@pytest.mark.parametrize("content, word", [
    (b"", "holds no names"), (b"\n \n", "holds no names"), (b"PK\x03\x04" + b"x" * 40, "workbook"),
    (b"\x1f\x8b\x08broken", "cannot be unpacked"), (HALF, "cannot be unpacked"),
    (b"TP53\x00\x01\x02" + b"x" * 40, "not text"), (b"PAR1" + b"\0" * 9, "parquet"),
])
def test_what_is_no_list_of_names_is_refused_in_one_sentence(tmp_path, capsys, content, word):
    (tmp_path / "names.txt").write_bytes(content)
    assert main(["match", str(tmp_path / "names.txt")]) == 2
    said = capsys.readouterr()
    assert word in said.err and said.err.count("\n") == 1 and not said.out


@pytest.mark.parametrize("kinds", [
    ["Gene Expression"] * 3 + ["Antibody Capture", "CRISPR Guide Capture"],
    ["gene"] * 3 + ["ADT", "HTO"], ["Gene Expression"] * 3 + ["Peaks", "Custom"],
])
@pytest.mark.parametrize("column", ["feature_types", "kind"])
def test_features_that_are_no_genes_are_left_out_of_names_and_counts(ids, kinds, column):
    var = pd.DataFrame({column: pd.Categorical(kinds)}, index=["TP53", "zzz", "LYZ", "CD4", "CD8A"])
    adata = ad.AnnData(np.array([[1, 1, 2, 50, 50]], dtype=np.float32), var=var)
    with pytest.warns(UserWarning, match="2 of 5 features are no genes and are left out"):
        found = genes.match(adata)
    assert list(found.symbols) == ["TP53", "", "LYZ", "", ""] and found.mass == .75
    assert found.missing == ["zzz"] and "2 of 3 names" in str(found)


def test_biotypes_are_no_kinds_of_features(ids):
    var = pd.DataFrame({"feature_type": ["protein_coding", "lncRNA"], "genome": "GRCh38"},
                       index=["TP53", "MALAT1"])
    found = genes.match(ad.AnnData(np.ones((1, 2), dtype=np.float32), var=var))
    assert list(found.symbols) == ["TP53", "MALAT1"] and not found.notes


def test_nothing_but_antibodies_is_refused(ids):
    var = pd.DataFrame({"feature_types": ["Antibody Capture"] * 2}, index=["CD4", "CD8A"])
    with pytest.raises(ValueError, match="none of the 2 features is a gene: Antibody Capture"):
        genes.match(ad.AnnData(np.ones((1, 2), dtype=np.float32), var=var))


def test_a_head_line_is_told_from_a_gene(tmp_path):
    for content, head in (("gene\nTP53\n", "gene"), ("TP53\nBRCA1\n", "column 1"),
                          ("Gene Symbol,n\nTP53,1\n", "Gene Symbol")):
        (tmp_path / "a.csv").write_text(content)
        assert read_table(tmp_path / "a.csv").columns[0] == head
