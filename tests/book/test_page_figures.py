"""Figures of chapters on other pages are the committed ones."""

import re

import pytest

from genept_book import page_figures
from genept_utils import paths

USED = [(path, name) for path in sorted(paths.BOOK.glob("*.md"))
        for name in re.findall(r"\{page-figure\} (\S+)", path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path, name", USED, ids=lambda one: getattr(one, "stem", one))
def test_a_figure_that_a_page_shows_is_there(path, name):
    chapter, = paths.NOTEBOOKS.glob(f"{name.split('-')[1]}-*.ipynb")
    shown, picture = page_figures.figure(chapter, name)
    assert shown["figure"]["caption"] and shown["image"]["alt"] and picture[1:4] == b"PNG"


def test_a_figure_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no picture of fig-07-none"):
        page_figures.figure(next(paths.NOTEBOOKS.glob("07-*.ipynb")), "fig-07-none")
