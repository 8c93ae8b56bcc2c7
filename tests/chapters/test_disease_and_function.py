"""Words of a term deleted from texts: which, how many, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from sklearn.metrics import roc_auc_score

from genept_utils.chapters import disease_and_function as chapter
from genept_utils.chapters.disease_and_function import beginnings


@pytest.fixture
def words():
    return chapter.WordTable([
        "A1 causes retinitis pigmentosa, and Retinal decay.", "A2 binds DNA in muscle.",
        "A3 is found in muscles and in the retina", "A4 is a kinase"])


def masked_by(words, name, rows=(0, 1, 2, 3)):
    positions = words.positions(np.array(rows), words.of(name))
    return words.without(positions)


@pytest.mark.parametrize("name, left", [
    ("retinal disease", {0: "A1 causes pigmentosa, and decay.", 2: "A3 is found in muscles and in "
                         "the"}),
    ("muscle of the DNA", {1: "A2 binds in", 2: "A3 is found in and in the retina"}),
    ("the of in", {}),
])
def test_words_are_deleted_with_their_forms(words, name, left):
    assert masked_by(words, name).to_dict() == left


def test_only_the_rows_that_were_asked_for_change(words):
    assert list(masked_by(words, "retinal disease", [1, 2]).index) == [2]


def test_beginnings():
    starts, whole = beginnings("autosomal dominant nonsyndromic deafness")
    assert {"deaf", "hearing", "domin"} <= starts and "autoso" in starts and not whole
    assert beginnings("B cell deficiency")[1] == {"b", "bs", "cell", "cells"}


@pytest.fixture
def sets():
    rows = list(range(8))
    label = {"T1": [1, 1, 0, 0, 0, 0, 0, 0], "T2": [0, 0, 0, 0, 1, 1, 0, 0],
             "T3": [1, 0, 0, 0, 0, 0, 1, 0]}
    names = {"T1": "cataract", "T2": "anemia", "T3": "kinase"}
    return pd.concat([pd.DataFrame({"term": t, "name": names[t], "row": rows, "label": values,
                                    "fold": [0, 1, 2, 3] * 2}) for t, values in label.items()])


TEXTS = ["g0 cataract cataract", "g1 lens kinase", "g2 anemia", "g3 anemia anemia", "g4 anaemia x",
         "g5 cataracts", "g6 kinase", "g7 none"]


def test_as_many_words_of_another_term(sets):
    words = chapter.WordTable(TEXTS)
    found = {term: (own, other, about) for term, own, other, about in
             chapter.masked(words, sets)}
    own, other, about = found["T1"]
    assert own.to_dict() == {0: "g0", 1: "g1 kinase", 5: "g5"} and about["deleted"] == 4
    assert about["other"] == "anemia", "T3 shares a gene with T1"
    lost = sum(len(TEXTS[row].split()) - len(text.split()) for row, text in other.items())
    assert lost == about["deleted"] and about["told"] == 1
    assert not any("cataract" in TEXTS[row] for row in other.index)
    again = list(chapter.masked(words, sets))
    assert all(a[2].equals(b[2]) for a, b in zip(again, chapter.masked(words, sets)))


def test_a_term_that_shares_genes_with_all_others_is_left_out(sets):
    sets.loc[(sets["term"] == "T3") & (sets["row"] == 4), "label"] = 1
    assert "T3" not in [term for term, *_ in chapter.masked(chapter.WordTable(TEXTS), sets)]


def test_terms_that_cannot_be_compared_are_refused(sets):
    with pytest.raises(ValueError, match="none of the 1 terms has another one.*more terms"):
        list(chapter.masked(chapter.WordTable(TEXTS), sets[sets["term"] == "T1"]))


def test_scores_fall_when_the_answer_is_the_text():
    rng = np.random.default_rng(0)
    label = np.tile([1, 0, 0, 0], 40)
    filler = [" ".join(rng.choice([f"w{i}" for i in range(60)], 12)) for _ in label]
    texts = [f"{text} cataract" if is_in else f"{text} anemia" for text, is_in in
             zip(filler, label)]
    table = pd.DataFrame({"term": "T1", "name": "cataract", "row": range(160), "label": label,
                          "fold": np.repeat([0, 1, 2, 3], 40)})
    other = table.assign(term="T2", name="anemia", label=np.roll(label, 1))
    both = pd.concat([table, other])
    changes = list(chapter.masked(chapter.WordTable(texts), both))[:1]
    table = both.assign(gene=both["row"].astype(str))
    found = chapter.masked_scores(texts, table, changes, "words", {"T1": 1.0})
    found = {method: roc_auc_score(part["label"], part["score"])
             for method, part in found.groupby("method")}
    assert found["untouched"] == 1 and found["term words deleted"] < found["untouched"]
    assert found["other words deleted"] > .99, "the word of the term still stands there"
