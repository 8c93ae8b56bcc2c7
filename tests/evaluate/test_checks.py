"""What is refused before anything is scored, and what is not."""

import numpy as np
import pytest
import scipy.sparse as sp

from genept_utils.evaluate.checks import checked


def table(value, form=np.asarray):
    made = np.ones((4, 2))
    made[3, 1] = value
    return form(made)


@pytest.mark.parametrize("X, labels, least, said", [
    (np.ones((0, 2)), [], 1, "no cells"), (None, [], 1, "no cells"),
    (table(1), "abc", 1, "4 rows of vectors and 3 labels"),
    (table(1), "abcde", 1, "4 rows of vectors and 5 labels"),
    *[(table(value, form), "aabb", 1, "NaN or infinite") for value in (np.nan, np.inf, -np.inf)
      for form in (np.asarray, sp.csr_matrix, sp.csc_array)],
    (None, "aaaa", 2, "1 label is no comparison; 2 or more"),
    (None, "aabb", 3, "2 label is no comparison; 3 or more"),
    (None, "abcd", 2, "each of the 4 rows has a label of its own"),
    (None, "ab", 2, "each of the 2 rows"),
])
def test_refused(X, labels, least, said):
    with pytest.raises(ValueError, match=said):
        checked(X, list(labels), least)


@pytest.mark.parametrize("X, labels, least", [
    (table(1), "abcd", 1), (table(1), "aaaa", 1), (table(1), "aaab", 2), (None, "aabb", 2),
    (None, "aabbc", 3), (np.array(["TP53", "CD4"]), "ab", 1), (np.ones((2, 2), int), "ab", 1),
    (np.array(["TP53", None], dtype=object), "ab", 1), (sp.csr_matrix((4, 2)), "abcd", 1),
    (None, "a", 1)])
def test_taken(X, labels, least):
    assert checked(X, list(labels), least).tolist() == list(labels)
