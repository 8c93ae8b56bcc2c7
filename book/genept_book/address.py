"""The repository's address: it stands in ``_config.yml``, and all else is made from it."""

import re

from genept_utils import paths, sources

CONFIG = "_config.yml"
_IN_CONFIG = re.compile(r"(?m)^(repository:\n(?:  .*\n)*?  url: )(\S+)$")
_ADDRESS = re.compile(r"https://github\.com/[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_TEXT = (CONFIG, "*.md", "*.cff", "*.toml", "book/*.md", "notebooks/*.ipynb",
         ".binder/*")


def address(root=paths.ROOT):
    """The address that ``_config.yml`` names, such as https://github.com/OWNER/NAME."""
    return _IN_CONFIG.search((root / CONFIG).read_text(encoding="utf-8"))[2]


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
    folder = '"/content/{}\\"'.format  # of the clone, in the cell that fetches the book on Colab
    for path in sorted({path for pattern in _TEXT for path in root.glob(pattern)}):
        before = path.read_text(encoding="utf-8")
        text = re.sub(re.escape(old) + r"(?![\w.-]*\w)", url, before)
        text = text.replace(*(folder(one.rsplit("/", 1)[1]) for one in (old, url)))
        if text != before:
            sources.save(path, text)
            changed.append(path)
    return changed
