"""The texts of genes: what they hold, and that they are what they were."""

import hashlib
import json

import pytest

from genept_utils import embed, sources
from genept_utils.embed.texts import text_sources


@pytest.mark.parametrize("text, cleaned", [
    ("It binds DNA. [provided by RefSeq, Jul 2008].", "It binds DNA."),
    ("It binds DNA [supplied by OMIM, Mar 2008].", "It binds DNA"),
    ("See https://www.ncbi.nlm.nih.gov/gene/7157 for more", "See for more"),
    ("See www.ensembl.org now", "See now"),
    ("Known since Jan 1999, and Dec. 2001 too", "Known since , and too"),
    ("Curated Sep 12, 2009 by hand", "Curated by hand"),
    ("two\n lines \t and   blanks ", "two lines and blanks"),
    ("MARCH1, SEPT9 and May 4 are no dates", "MARCH1, SEPT9 and May 4 are no dates"),
    ("", ""),
])
def test_clean(text, cleaned):
    assert embed.clean(text) == cleaned
    assert embed.clean(cleaned) == cleaned


# A text that changes makes the shipped vectors stale: for "summary"
# compute data/embeddings/minilm.h5ad again.
@pytest.mark.parametrize("kind, digest", [
    ("name", "30a1dc6892ef3cda"), ("summary", "82f0f41b6f03e902"),
    ("section", "5982331caec0b99f"),
])
def test_texts_are_what_they_were(source, kind, digest):
    source(*text_sources(kind))
    made = embed.texts(kind)
    assert len(made) == 43_882 and made.index.is_unique
    assert hashlib.sha256("\0".join(made).encode()).hexdigest()[:16] == digest


def test_what_a_text_holds(source):
    source(*text_sources("section"))
    assert embed.texts("name", ["TP53"]).item() == "TP53 tumor protein p53."
    assert embed.texts("summary", ["TP53"]).item().startswith(
        "TP53 tumor protein p53. This gene encodes a tumor suppressor")
    section = embed.texts("section", ["TP53", "LINC01409"])
    for part in ("Official symbol TP53.", "Gene type protein-coding", "LFS1", "Summary: This gene"):
        assert part in section["TP53"]
    assert section["LINC01409"].endswith("Gene type ncRNA, RNA, long non-coding.")


def test_go_processes_as_a_text(source):
    source(*text_sources("go"))
    made = embed.texts("go", ["A2ML1", "TP63", "LINC01409"])
    assert made["A2ML1"] == ("A2ML1 alpha-2-macroglobulin like 1. Involved in negative regulation "
                             "of peptidase activity.")
    assert made["LINC01409"] == embed.texts("name", ["LINC01409"]).item()
    assert " and " in made["TP63"] and ", " in made["TP63"]
    assert not made.str.contains(r"\(\d+\)").any()  # the number of genes of a process


def test_no_text_keeps_a_link_or_a_provider_note(source):
    source(*text_sources("section"))
    for kind in ("summary", "section"):
        made = embed.texts(kind)
        assert not made.str.contains(r"https?://|provided by RefSeq|supplied by OMIM").any()
        assert (made.str.strip() == made).all() and (made != "").all()


def test_an_unknown_text_and_an_unknown_gene(source):
    source(*text_sources("name"))
    with pytest.raises(ValueError, match="'sumary' is not one of name, summary"):
        embed.texts("sumary")
    with pytest.raises(KeyError, match="no such gene"):
        embed.texts("name", ["no such gene"])


def test_the_authors_own_text_is_read_as_released(tmp_path, monkeypatch):
    released = {"TP53": "Tumour  protein", "OLD1": "An [odd] one", "NA": "kept"}
    path = tmp_path / "NCBI_summary_of_genes.json"
    path.write_text(json.dumps(released))
    monkeypatch.setattr(sources, "fetch", lambda key, progress=None: path)
    assert embed.texts("genept-v2").to_dict() == released
