"""Where things lie.

In a checkout (or an editable install) everything sits beside the package; in a plain install
the wheel carries the registry and the shipped embedding under ``genept_utils/_data``.
"""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
CHECKOUT = (ROOT / "data" / "sources.csv").is_file()
DATA = ROOT / "data" if CHECKOUT else PACKAGE / "_data"
EMBEDDINGS = DATA / "embeddings"
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "_build"


def cache():
    """Folder for downloads and computed vectors: ``$GENEPT_CACHE``, or ``data/cache``."""
    named = os.environ.get("GENEPT_CACHE")
    if named:
        return Path(named).expanduser()
    if CHECKOUT:
        return DATA / "cache"
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "genept_utils"


def mirror():
    """Folder with copies of the public files, ``$GENEPT_MIRROR``; None where it is not set."""
    named = os.environ.get("GENEPT_MIRROR")
    return Path(named).expanduser() if named else None


def results():
    """Folder that :func:`genept_utils.ledger.record` writes to: ``$GENEPT_RESULTS``, or
    ``data/results``."""
    named = os.environ.get("GENEPT_RESULTS")
    return Path(named) if named else DATA / "results"
