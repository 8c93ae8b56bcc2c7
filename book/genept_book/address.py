"""The repository's address: it stands in ``_config.yml``, and all else is made from it."""

import re

import nbformat

from genept_utils import paths, sources

CONFIG = "_config.yml"
_IN_CONFIG = re.compile(r"(?m)^(repository:\n(?:  .*\n)*?  url: )(\S+)$")
_ADDRESS = re.compile(r"https://github\.com/[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_TEXT = ("*.md", "*.cff", "*.toml", "book/*.md", "binder/*", ".binder/*")
COLAB = '''\
# On Colab: fetch the book and install its module. Elsewhere: nothing.
import importlib.util
import os
import sys

if "google.colab" in sys.modules:
    book = "/content/{name}"
    if not os.path.isdir(book):
        address = "{url}"
        get_ipython().system(f"git clone -q --depth 1 {{address}} {{book}}")
    if importlib.util.find_spec("genept_utils") is None:
        get_ipython().run_line_magic("pip", f"install -q '{{book}}[book]'")
    os.chdir(f"{{book}}/notebooks")'''


def address(root=paths.ROOT):
    """The address that ``_config.yml`` names, such as https://github.com/OWNER/NAME."""
    return _IN_CONFIG.search((root / CONFIG).read_text(encoding="utf-8"))[2]


def colab_cell(url):
    """The cell that makes a chapter run on Colab. The extra ``book`` adds what Colab lacks
    and pins nothing, so that the NumPy that is already loaded stays."""
    return COLAB.format(url=url, name=url.rsplit("/", 1)[1])


def colab_cells(notebook):
    """The cells of a notebook that fetch the book on Colab."""
    return [cell for cell in notebook.cells
            if cell.cell_type == "code" and "google.colab" in cell.source]


def move(url, root=paths.ROOT):
    """Write another address everywhere.

    Parameters
    ----------
    url : str
        https://github.com/OWNER/NAME.

    Returns
    -------
    list of pathlib.Path
        The files that changed.

    Raises
    ------
    ValueError
        It is no address of a repository on GitHub.
    """
    url = url.removesuffix("/").removesuffix(".git")
    if not _ADDRESS.fullmatch(url):
        raise ValueError(f"{url!r} is no address such as https://github.com/OWNER/NAME")
    old, changed = address(root), []

    def write(path, text):
        if text != path.read_text(encoding="utf-8"):
            with sources.replacing(path) as part:
                part.write_text(text, encoding="utf-8")
            changed.append(path)

    for path in sorted({path for pattern in _TEXT for path in root.glob(pattern)}):
        write(path, re.sub(re.escape(old) + r"(?![\w.-]*\w)", url,
                           path.read_text(encoding="utf-8")))
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        for cell in colab_cells(notebook):
            cell.source = colab_cell(url)
        write(path, nbformat.writes(notebook) + "\n")
    config = (root / CONFIG).read_text(encoding="utf-8")
    write(root / CONFIG, _IN_CONFIG.sub(rf"\g<1>{url}", config))
    return changed
