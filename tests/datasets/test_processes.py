"""GO processes by symbol, from Entrez ids."""

from genept_utils import datasets


def test_known_annotations(source):
    source("gene_sets/zhong_go_bp_2020.gmt", "genes/hgnc_complete_set.txt.gz")
    made = datasets.go_processes()
    damage, apoptosis = "GO:0007095", "GO:0006915"  # DNA damage checkpoint, apoptotic process
    assert damage in made["BRCA1"] and damage not in made["INS"]
    assert apoptosis in made["MDM2"] and "CTSB" not in made.index
    assert made.index.is_unique and len(made) == 10_484
    assert all(len(set(each)) == len(each) for each in made.head(200))
