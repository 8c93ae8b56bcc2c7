"""GO processes by symbol, from Entrez ids."""

from genept_utils import datasets


def test_known_annotations(source):
    source("gene_sets/zhong_go_bp_2020.gmt", "genes/hgnc_complete_set.txt.gz")
    made = datasets.go_processes()
    assert "GO:0006281" in made["BRCA1"]  # DNA repair
    assert "GO:0006281" not in made["INS"] and "GO:0042593" in made["INS"]  # glucose homeostasis
    assert made.index.is_unique and 15_000 < len(made) < 20_000
    assert all(len(set(each)) == len(each) for each in made.head(200))
