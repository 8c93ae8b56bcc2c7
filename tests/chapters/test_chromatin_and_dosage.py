"""Features of one scale, and areas that compare genes of one stratum."""

import numpy as np
import pytest

from genept_utils import embed
from genept_utils.chapters import chromatin_and_dosage as chapter
from genept_utils.evaluate import auc_influence


@pytest.mark.parametrize("source", ["minilm", "letters"])
def test_rows_have_a_mean_square_length_of_one(source):
    X = chapter.features(source, embed.read_embedding().obs_names[:30])
    square = X.multiply(X) if source == "letters" else X**2
    assert square.sum() / 30 == pytest.approx(1) and X.dtype == np.float32


def test_areas_of_some_rows_and_within_strata():
    y, stratum = np.array([1, 0, 1, 0, 1, 0]), np.array([0, 0, 1, 1, 1, 0])
    scores, rows = np.array([3., 1., 2., 2., 5., 9.]), np.arange(5)
    assert chapter.auc(y, scores, rows) == pytest.approx(5.5 / 6)
    assert chapter.auc(y, scores, np.arange(6), stratum) == pytest.approx(
        auc_influence(y, scores, stratum)[0])
    assert chapter.auc(y, scores * 1e-9 + [0, 0, 1e-15, 0, 0, 0], rows) == pytest.approx(5.5 / 6)
    assert np.isnan(chapter.auc(y, scores, [0, 2]))
