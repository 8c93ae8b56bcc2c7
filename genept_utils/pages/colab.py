"""The first cell of every page: on Colab it fetches the book and installs its module."""

import re

import nbformat

from genept_utils import paths, sources

CELL = '''# On Colab: fetch the book and install its module. Elsewhere this cell does nothing.
import importlib.util
import os
import sys

if "google.colab" in sys.modules:
    book = "/content/genept-book"
    if not os.path.isdir(book):
        address = "{address}"
        get_ipython().system(f"git clone -q --depth 1 {{address}} {{book}}")
    if importlib.util.find_spec("genept_utils") is None:
        get_ipython().run_line_magic("pip", f"install -q '{{book}}[book]'")
    os.chdir(f"{{book}}/notebooks")'''


def address():
    """The repository's address, which stands in ``_config.yml`` and nowhere else."""
    text = (paths.ROOT / "_config.yml").read_text(encoding="utf-8")
    return re.search(r"^\s+url: (\S+)", text, re.MULTILINE)[1]


def cell():
    """Source of the cell for the present address."""
    return CELL.format(address=address())


def put(files):
    """Write the cell into notebooks (paths); those whose cell was another are returned."""
    changed = []
    for path in files:
        notebook = nbformat.read(path, as_version=4)
        own = next(one for one in notebook.cells if "google.colab" in one.source)
        if own.source != cell():
            own.source = cell()
            changed.append(path)
            with sources.replacing(path) as part:
                nbformat.write(notebook, part)
    return changed
