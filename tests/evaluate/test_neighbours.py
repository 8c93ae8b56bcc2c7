"""Votes of neighbours and scores of labels, worked by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from genept_utils.chapters import cell_types
from genept_utils.evaluate.classify import label_scores

LINE = np.arange(6.)[:, None]  # six training cells on a line


@pytest.mark.parametrize("y, k, at, found", [
    ("aabbbb", 1, [0, 1.4, 1.6, 9], "aabb"), ("abbbbb", 3, [0], "b"),
    ("bbaaab", 2, [1.4], "a"),  # one vote each: the label that sorts first
    ("ccbbaa", 6, [0], "a"), ("aabbbb", 60, [0], "b"), ("bbbbaa", 10, [9], "b"),
])
def test_votes_by_hand(y, k, at, found):
    made = cell_types.knn_predict(LINE, list(y), np.array(at)[:, None], k)
    assert made.tolist() == list(found)


def test_representations_vote_together():
    """The second one alone says b twice; together a has three votes of four."""
    other = np.array([0., 5, 1, 2, 3, 4])[:, None]
    y, asked = list("aabbbb"), np.zeros((1, 1))
    assert cell_types.knn_predict([LINE, other], y, [asked, asked], 2).tolist() == ["a"]
    assert cell_types.knn_predict([other, other], y, [asked, asked], 3).tolist() == ["b"]
    wide = np.hstack([LINE, LINE])  # dimensions may differ, and so may the numbers of cells
    assert cell_types.knn_predict([LINE, wide], y, [asked, np.zeros((1, 2))], 2).tolist() == ["a"]


@pytest.mark.parametrize("true, said", [
    ("aabbcc", "aabbcc"), ("aabbcc", "abbcca"), ("aaab", "bbbb"), ("aaab", "aaaz"),
    ("aabb", "zzzz"), ("abc", "aac"), ("a", "a"), ("aaaabbc", "abzabcc")])
def test_scores_are_scikit_learns(true, said):
    true, said = list(true), list(said)
    known = precision_recall_fscore_support(true, said, labels=sorted(set(true)), average="macro",
                                            zero_division=0)
    made = label_scores(true, said)
    assert made["accuracy"] == np.mean(np.array(true) == said)
    assert [made[f"{name}_macro"] for name in ("precision", "recall", "f1")] == pytest.approx(
        known[:3])
