"""Tables of vectors that end each line with a comma, write decimals with one, or are packed twice."""

import gzip

import numpy as np
import pytest

import genept_utils as gp

SYMBOLS = ["TP53", "CD4", "LYZ", "MS4A1"]
VECTORS = np.array([[.5, -1.25, 3], [2, .125, -4], [1, 2, 3.5], [-.5, .25, 1]], dtype=np.float32)


def lines(separator=",", end="", decimal=".", head=True, head_end=None):
    rows = [[name, *(str(value).replace(".", decimal) for value in row)]
            for name, row in zip(SYMBOLS, VECTORS)]
    text = [separator.join(row) + end for row in rows]
    return "\n".join(([separator.join(["gene", "a", "b", "c"]) + (end if head_end is None else
                                                                 head_end)] if head else []) + text)


@pytest.mark.parametrize("name, text", [
    ("a.csv", lines(end=",")), ("a.csv", lines(end=",", head_end="")),
    ("a.csv", lines(end=",", head=False)), ("a.csv", lines(";", ";", ",")),
    ("a.tsv", lines("\t", "\t")), ("a.tsv", lines("\t", decimal=",")),
    ("a.tsv", lines("\t", decimal=",", head=False)), ("a.tsv", lines("\t", "\t", ",", False)),
    ("a.csv", lines(";", decimal=",")), ("a.csv", lines(end=",").replace("\n", "\r\n")),
    ("a.csv", lines().replace("TP53", "b'TP53'").replace("CD4", "b'CD4'"))])
@pytest.mark.filterwarnings("error")
def test_every_gene_and_every_number_is_read(tmp_path, name, text):
    (tmp_path / name).write_bytes(text.encode())
    found = gp.read_embedding(tmp_path / name)
    named = found.obs["symbol"] if "symbol" in found.obs else found.obs_names
    assert list(named) == SYMBOLS and np.array_equal(np.asarray(found.X), VECTORS)


def test_one_empty_number_is_still_refused(tmp_path):
    (tmp_path / "a.csv").write_text(lines(end=",").replace("3.5,", ","))
    with pytest.raises(ValueError, match="1 of 4 genes \\('LYZ'\\) has a value that is not a number"):
        gp.read_embedding(tmp_path / "a.csv")


def test_what_is_packed_twice_is_said(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(gzip.compress(lines().encode())))
    with pytest.raises(ValueError, match="a.csv.gz is packed twice; unpack it once"):
        gp.read_embedding(tmp_path / "a.csv.gz")
