"""Names in pasted text; tests/browser/test_names.py holds the page to the same table."""

import pytest

from genept_utils import genes

PASTED = [  # text, names, numbers, gaps
    ('c("CD3D", "CD3E")', "CD3D CD3E", "", ""),
    ("['CD3D', 'CD3E']", "CD3D CD3E", "", ""),
    ('genes <- c("CD3D",\n"CD3E",\n"CD4")', "CD3D CD3E CD4", "", ""),
    ('{"genes": ["CD3D", "CD4"]}', "CD3D CD4", "", ""),
    ("“CD3D”, ‘CD3E’", "CD3D CD3E", "", ""),
    ('[1] "CD3D" "CD3E"\n[3] "CD4"', "CD3D CD3E CD4", "", ""),
    ("[1] CD3D CD3E", "CD3D CD3E", "1", ""),
    ("CTSB,CTSD\nLAMP1,LAMP2", "CTSB CTSD LAMP1 LAMP2", "", ""),
    ("• CD3D\r\n• CD3E.", "CD3D CD3E", "", ""),
    ("gene\nTP53\nEGFR", "TP53 EGFR", "", ""),
    ("gene\tlogFC\tp\nTP53\t1.2\t3e-5\nEGFR\t-2\t1", "TP53 EGFR", "", ""),
    ('"gene","p"\n"TP53",0.1\n"EGFR",0.2', "TP53 EGFR", "", ""),
    ("gene;cell type\nCD4;T cell\nMS4A1;B cell", "CD4 MS4A1", "", ""),
    ("1\tTP53\n2\tEGFR", "TP53 EGFR", "", ""),
    ("a b\tc d\ne f\tg h", "a b c d e f g h", "", ""),
    ("HALLMARK_X\thttp://x.org/y\tTP53\tEGFR\tKRAS", "TP53 EGFR KRAS", "", ""),
    ("A_SET\tsome words\tTP53\tEGFR\nB_SET\tna\tCD4\tCD8A\tLCK", "TP53 EGFR CD4 CD8A LCK", "", ""),
    ("1-Mar, Sep-2 2006-09-02 00:00:00", "1-Mar Sep-2 2006-09-02", "00:00:00", ""),
    ("NA TP53 #N/A NaN", "TP53", "", "NA #N/A NaN"),
    ("TP53 (7157) 12 1.5e-8 5%", "TP53", "7157 12 1.5e-8 5%", ""),
    ("TP53|7157", "TP53|7157", "", ""),
    ("7157 1956 672", "7157 1956 672", "", ""),
    ("7157, 1956, 672, TP53", "7157 1956 672 TP53", "", ""),
    ("12", "", "12", ""), ("12 15 18", "", "12 15 18", ""),
    ("7157 7158 7159", "", "7157 7158 7159", ""), ("7157 1956 999999999", "", "7157 1956 999999999", ""),
    ("-- ... ''", "", "", ""), ("", "", "", ""),
]


@pytest.mark.parametrize("text, names, numbers, gaps", PASTED)
def test_names_of_pasted_text(source, text, names, numbers, gaps):
    source(genes.HGNC)
    assert genes.pasted(text) == (names.split(), numbers.split(), gaps.split())
