"""Names in files, by the command line from a folder that is not the checkout."""

import bz2
import codecs
import gzip

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import genes
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


@pytest.fixture
def match(commands):
    """(code, output, errors) of the command, from the test's folder."""
    return lambda *words: commands(["match", *words])[0]


def features(ids):
    """10x's features.tsv: id, symbol, kind."""
    rows = [f"{ids[symbol]}\t{symbol}\tGene Expression" for symbol in SYMBOLS]
    rows += ["CD3_TotalSeqB\tCD3\tAntibody Capture", "CD4_TotalSeqB\tCD4\tAntibody Capture"]
    return "\n".join(rows) + "\n"


def test_features_of_10x(ids, tmp_path, match):
    (tmp_path / "features.tsv.gz").write_bytes(gzip.compress(features(ids).encode()))
    code, said, _ = match("features.tsv.gz", "--out", "found.csv")
    assert code == 0 and "12 of 12 names have a gene (ensembl 12, not a gene 2)" in said
    assert "2 of 14 features are no genes and are left out (Antibody Capture 2)" in said
    table = pd.read_csv(tmp_path / "found.csv", keep_default_na=False)
    assert list(table["symbol"]) == [*SYMBOLS, "", ""]


def test_row_numbers_in_a_file(ids, tmp_path, match):
    (tmp_path / "rows.txt").write_text("gene\n" + "\n".join(map(str, range(5, 900))))
    code, said, error = match("rows.txt")
    assert code == 2 and not said and error.count("\n") == 1
    assert error.startswith("error: the names in gene are row numbers, not genes (5, 6, 7, ...)")


def test_a_mouse_list(source, tmp_path, match):
    source(genes.HGNC, orthologs.HOMOLOGENE)
    (tmp_path / "mouse.txt").write_bytes("Trp53\r\nCd4\r\nLyz2\r\nCcl2\r\n".encode("utf-16"))
    code, said, _ = match("mouse.txt", "--species", "mouse")
    assert code == 0 and "ortholog 2, co-ortholog 1, ambiguous 1" in said
    assert "Ambiguous: Ccl2 (CCL13, CCL2)" in said


def test_names_in_a_column_of_an_h5ad(ids, tmp_path, match):
    var = pd.DataFrame({"features": pd.Categorical(SYMBOLS)}, index=[str(i) for i in range(5, 17)])
    counts = np.arange(24, dtype=np.float32).reshape(2, 12)
    ad.AnnData(counts, var=var).write_h5ad(tmp_path / "cells.h5ad")
    code, said, _ = match("cells.h5ad")
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
    assert list(found.symbols) == ["TP53", "", "LYZ", "", ""] and found.count_fraction == .75
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


EIGHT = ["TP53", "CD3E", "CD4", "GATA1", "SOX2", "PAX5", "LYZ", "CD14"]
TABLES = {  # what is in a file -> the names that are read of it
    "a.gmt": ("A\tna\tTP53\tCD3E\tCD4\nB\tna\tGATA1\tSOX2\tPAX5\tLYZ\tCD14\n", EIGHT),
    "one.gmt": ("A\tna\t" + "\t".join(EIGHT), EIGHT),
    "enrichr.gmt": ("A\t\tTP53,1.0\tCD3E,0.5\tCD4\t\nB\t\tGATA1\tSOX2\tPAX5\tLYZ\tCD14\t\n", EIGHT),
    "a.gmx": ("A\tB\nna\tna\nTP53\tSOX2\nCD3E\tPAX5\nCD4\tLYZ\nGATA1\tCD14\n", EIGHT),
    "pairs.csv": ("ligand,receptor\nTP53,SOX2\nCD3E,PAX5\nCD4,LYZ\nGATA1,CD14\n", EIGHT),
    "edges.tsv": ("#node1\tnode2\tscore\nTP53\tSOX2\t.9\nCD3E\tPAX5\t.8\nCD4\tLYZ\t.7\n"
                  "GATA1\tCD14\t.5\n", EIGHT),
    "markers.csv": (",0,1\n0,TP53,SOX2\n1,CD3E,PAX5\n2,CD4,LYZ\n3,GATA1,CD14\n", EIGHT),
    "blanks.txt": (" ".join(EIGHT), EIGHT),
    "pairs.txt": ("TP53 SOX2\nCD3E PAX5\nCD4 LYZ\nGATA1  CD14\n", EIGHT),
    "cells.csv": ("term,genes\na,TP53;CD3E\nb,CD4/GATA1\nc,SOX2 /// PAX5\nd,LYZ|CD14\n", EIGHT),
    "terms.csv": ("ID,Ratio,geneID\nGO:1,12/200,TP53/CD3E/CD4/GATA1\nGO:2,4/90,SOX2/PAX5/LYZ/CD14\n",
                  EIGHT),
    "quote.tsv": ("symbol\tdescription\n" + "".join(
        f"{name}\t{chr(34) if name == 'CD4' else ''}made up\n" for name in EIGHT), EIGHT),
    "inches.tsv": ("symbol\tdescription\n" + "".join(
        f"{name}\t5{chr(34)} long\n" for name in EIGHT), EIGHT),
    "lines.csv": ("symbol,description\n" + "".join(
        f'{name},"two\nlines"\n' for name in EIGHT), EIGHT),
    "a.gaf": ("!gaf-version: 2.2\n!\n" + "".join(
        f"UniProtKB\tP0463{i}\t{name}\tenables\tGO:0003677\tPMID:1\tIDA\t\tF\tprotein {name}\t"
        f"x{i}|{name}\tprotein\ttaxon:9606\t20200101\tUniProt\t\t\n"
        for i, name in enumerate(EIGHT)), EIGHT),
    "nodes.csv": ("SUID,shared name,display name,canonical name,node type,score\n" + "".join(
        f"7{i},9606.ENSP0000026{i:04},{name},P0463{i},protein,.{i}\n"
        for i, name in enumerate(EIGHT)), EIGHT),
    "string.txt": ("#string_protein_id\tpreferred_name\tprotein_size\tannotation\n" + "".join(
        f"9606.ENSP0000026{i:04}\t{name}\t{300 + i}\tacts on p53; binds\n"
        for i, name in enumerate(EIGHT)), EIGHT),
    "index.csv": (",cluster,gene,p\n" + "".join(
        f"{i},{i % 3},{name},.0{i}\n" for i, name in enumerate(EIGHT)), EIGHT),
    "ranks.txt": ("".join(f"{i}. {name}\n" for i, name in enumerate(EIGHT, 1)), EIGHT),
    "numbers.tsv": ("id\tgene\n" + "".join(
        f"{i}.0\t{name}\n" for i, name in enumerate(EIGHT)), EIGHT),
    "often.csv": ("id,gene\n" + "".join(
        f"{500 * i + 7},{name}\n" for i, name in enumerate(5 * EIGHT)), 5 * EIGHT),
    "regulators.csv": ("TF,target,importance\n" + "".join(  # TF is a gene, too
        f"{a},{b},{i}.5\n" for i, (a, b) in enumerate(zip(EIGHT[:4], EIGHT[4:]))), EIGHT),
    "edges.sif": ("".join(f"{a}\tpp\t{b}\n" for a, b in zip(EIGHT[:4], EIGHT[4:])), EIGHT),
    "next-line.tsv": ("symbol\tdescription\n" + "".join(
        f"{name}\tacts on \u0085 EGFR\n" for name in EIGHT), EIGHT),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_that_holds_a_gene_is_read(ids, tmp_path, name):
    text, names = TABLES[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = genes.of_file(tmp_path / name)
    assert sorted(found.symbols) == sorted(names) and found.share == 1


def test_the_encoding_of_windows(ids, tmp_path):
    (tmp_path / "a.tsv").write_bytes("symbol\tnote\nTP53\t\x85 \x96\nCD4\tx\n".encode("latin-1"))
    assert list(genes.of_file(tmp_path / "a.tsv").symbols) == ["TP53", "CD4"]
    assert list(read_table(tmp_path / "a.tsv")["note"]) == ["\u2026 \u2013", "x"]


def test_where_each_name_of_a_set_stood(ids, tmp_path):
    (tmp_path / "a.gmt").write_text(TABLES["a.gmt"][0])
    found = genes.of_file(tmp_path / "a.gmt")
    assert list(found.table["place"]) == ["A"] * 3 + ["B"] * 5 and "stand in 2 sets" in str(found)
    (tmp_path / "p.csv").write_text(TABLES["pairs.csv"][0])
    found = genes.of_file(tmp_path / "p.csv")
    assert "the columns 'ligand', 'receptor'" in str(found)
    assert list(found.table["place"]) == ["ligand"] * 4 + ["receptor"] * 4


def test_other_columns_of_the_same_genes_are_not_read_twice(ids, tmp_path):
    rows = "".join(f"{ids[name]}\t{name}\t{name.lower()}\n" for name in EIGHT)
    (tmp_path / "same.tsv").write_text(rows)
    assert len(genes.of_file(tmp_path / "same.tsv").table) == 8


def test_text_that_unpacks_to_more_than_names_do_is_refused(tmp_path):
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"TP53\n" * 43_000_000, 9))
    with pytest.raises(ValueError, match="bomb.csv.gz unpacks to more than"):
        read_table(tmp_path / "bomb.csv.gz")


def test_a_console_that_cannot_show_a_name_loses_nothing(ids, tmp_path, command):
    (tmp_path / "greek.txt").write_text("TP53\n\u03b2-nonsense\nCD3E\n", encoding="utf-8")
    done = command("match", "greek.txt", "--out", "greek.csv", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0 and "Missing: ?-nonsense" in done.stdout
    assert list(pd.read_csv(tmp_path / "greek.csv")["name"]) == ["TP53", "\u03b2-nonsense", "CD3E"]
