"""Where things lie.

In a checkout (or an editable install) everything sits beside the package; in a plain install
the wheel carries the registry, the shipped embedding, the notebooks and their recorded results
under ``genept_utils/_data``, and what a run makes goes below the working folder.
"""

import contextlib
import errno
import os
import re
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = (PACKAGE.parent / "data" / "sources.csv").is_file()
ROOT = PACKAGE.parent if CHECKOUT else PACKAGE / "_data"
DATA = ROOT / "data" if CHECKOUT else ROOT
EMBEDDINGS = DATA / "embeddings"
SHIPPED = "minilm"  # the book's own of them; other models lie beside it, by file name
NOTEBOOKS = ROOT / "notebooks"
BOOK = ROOT / "book" if CHECKOUT else PACKAGE.parent  # holds the package genept_book
_NOT_HERE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOENT}
BUILD = ROOT / "_build" if CHECKOUT else Path.cwd() / "genept_build"
NAMED = ("GENEPT_CACHE", "GENEPT_MIRROR", "GENEPT_RESULTS")  # environment variables of folders


def cache():
    """Folder for downloads and computed vectors: ``$GENEPT_CACHE``, or ``data/cache``."""
    named = _named("GENEPT_CACHE")
    if named:
        return named
    if CHECKOUT:
        return DATA / "cache"
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "genept_utils"


def mirror():
    """Folder with copies of the public files, ``$GENEPT_MIRROR``; None where it is not set."""
    return _named("GENEPT_MIRROR")


def copies(name):
    """A file's copies in the cache and in the mirror, in this order."""
    folders = filter(None, (cache(), mirror()))
    return [path for folder in folders if (path := folder / name).is_file()]


def paper():
    """Folder for a reader's copies of the paper's files, ``data/paper``; git does not see it."""
    return DATA / "paper"


def results():
    """Folder that recorded results are read from: ``$GENEPT_RESULTS``, or ``data/results``."""
    return _named("GENEPT_RESULTS") or DATA / "results"


def own_results():
    """Folder that :func:`genept_utils.ledger.record` writes to: ``$GENEPT_RESULTS``, which the
    runner sets, or ``_build/own/results``: a page run by hand, with whatever parameters, never
    replaces the committed results."""
    return _named("GENEPT_RESULTS") or BUILD / "own" / "results"


def split_table(path, table=None):
    """A file, and the table in it that ``FILE/TABLE`` or ``table`` names; None for no table."""
    path = Path(path)
    if table is None and not path.exists() and path.parent.is_file():
        return path.parent, path.name
    return path, table


def split_words(value):
    """What stands before the path that a value ends in, and the path: ("permuted:", "F.csv") of
    "permuted:F.csv". A letter alone is a drive of Windows: ("", "C:\\data\\F.csv")."""
    return re.fullmatch(r"((?:\w[\w-]+:)*)(.*)", value, re.DOTALL).groups()


def _named(variable):
    value = os.environ.get(variable, "").strip()
    return Path(value).expanduser().absolute() if value else None


def resolve_env():
    """Make the folders that the environment names absolute, before another process with another
    working folder reads them.

    Raises
    ------
    FileNotFoundError
        ``GENEPT_MIRROR`` names a folder that is not there.
    """
    for variable in NAMED:
        if folder := _named(variable):
            os.environ[variable] = str(folder)
    if mirror() and not mirror().is_dir():
        raise FileNotFoundError(f"GENEPT_MIRROR names {mirror()}, and there is no such folder; "
                                "unset it to do without a mirror")


@contextlib.contextmanager
def writing(folder):
    """Raise PermissionError where nothing can be written to a folder; other errors pass.

    Raises
    ------
    PermissionError
        It is read-only, forbidden, or not below a folder.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
        own = cache() in (folder, *folder.parents)
        raise PermissionError(
            f"nothing can be written to {folder} ({os.strerror(error.errno)}); name another folder"
            + (" with GENEPT_CACHE" if own else ", or change its permissions")) from error


def check_writable(folder):
    """Raise as :func:`writing` where a folder, made if need be, would take no file; before
    anything is computed for it. Nothing is made here."""
    folder = Path(folder).absolute()
    with writing(folder):
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        tempfile.TemporaryFile(dir=nearest).close()


@contextlib.contextmanager
def locked(path, busy=None, waiting=None):
    """Hold a lock file; the lock is the operating system's and ends with the process.

    Raises
    ------
    ValueError
        Another process holds it and a sentence ``busy`` is given; without one it is waited for,
        and ``waiting`` is printed once.
    """
    import filelock

    path = Path(path)
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path, mode=0o666)
        try:
            held = lock.acquire(timeout=0)
        except filelock.Timeout:
            if busy:
                raise ValueError(busy) from None
            if waiting:
                print(waiting, file=sys.stderr)
            held = lock.acquire()
    with held:
        yield
