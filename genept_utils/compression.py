"""Decompress files by their first bytes, with a size limit; a broken one is named."""

import bz2
import contextlib
import gzip
import lzma
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

ENDINGS = {".gz", ".bz2", ".xz", ".zip"}
ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tgz")
UNPACK = "unpack it and give the file that is in it"
LARGEST = 200  # times its packed size: what a file may unpack to, beside SPARE
SPARE = 64 << 20  # bytes
_MAGIC = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


class Refused(ValueError):
    """A file is not read as it stands; the message says why and what to do."""


def inner_name(path):
    """The name of a file without the ending of a packer: ``a.pkl`` for ``a.pkl.gz``."""
    path = Path(path)
    return path.stem if path.suffix.lower() in ENDINGS else path.name


def instead(head):
    """What stands in place of a file, by its first bytes, and what to do, as the rest of a
    sentence; "" where it is not one of those."""
    if head.startswith(b"version https://git-lfs"):
        return "is only a pointer of Git LFS; fetch the file itself with `git lfs pull`"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        return "holds a web page and not the file; download the file itself"
    return ""


@contextlib.contextmanager
def unpacked(path, most=None):
    """The path of what is in a packed file, for as long as the context is open.

    Parameters
    ----------
    path : path
        A file packed by gzip, bzip2 or xz, whatever its ending, a ``.zip`` with one file in it,
        or a plain file, whose own path is given back.
    most : int, optional
        Bytes that it may unpack to, beside the general bound.

    Raises
    ------
    ValueError
        The file is broken, holds several files, or unpacks to more than 200 times its size.
    """
    path = Path(path)
    with open(path, "rb") as file:
        head = file.read(6)
    opens = next((way for magic, way in _MAGIC.items() if head.startswith(magic)), None)
    if opens is None and path.suffix.lower() == ".zip" and head.startswith(b"PK"):
        opens = _only_member
    if opens is None:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / inner_name(path)
        try:
            with opens(path) as source, open(part, "wb") as target:
                _copy(source, target, path, most)
        except (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile) as error:
            raise Refused(f"{path.name} cannot be unpacked ({error}); it is broken or not "
                             "complete, so copy or download it again") from error
        with open(part, "rb") as file:
            if file.read(6).startswith(tuple(_MAGIC)):
                raise Refused(f"{path.name} is packed twice; unpack it once and give that file")
        yield part


def check_size(path, size):
    """Refuse what would unpack to more than a file of its size can mean."""
    if size > LARGEST * Path(path).stat().st_size + SPARE:
        raise Refused(f"{Path(path).name} unpacks to more than {LARGEST} times its size, which "
                         "no table of numbers does; it is not read")


def _copy(source, target, path, most=None):
    while chunk := source.read(1 << 20):
        check_size(path, target.tell() + len(chunk))
        if most and target.tell() + len(chunk) > most:
            raise Refused(f"{path.name} unpacks to more than {most / 1e6:,.0f} MB; give a part")
        if shutil.disk_usage(tempfile.gettempdir()).free < len(chunk):
            raise Refused(f"{path.name} needs more space than {tempfile.gettempdir()} has; "
                             "unpack it by hand, or name another folder with TMPDIR")
        target.write(chunk)


@contextlib.contextmanager
def _only_member(path):
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise Refused(f"{path.name} holds {len(names)} files; take the right one out of it")
        with archive.open(names[0]) as member:
            yield member
