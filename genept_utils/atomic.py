"""Files that are whole or not there: written beside their place, which they take in the end."""

import contextlib
import functools
import glob
import hashlib
import os
import secrets
import socket
import time
from pathlib import Path

from genept_utils import paths

OLD = 24 * 3600  # seconds after which a temporary file of an unknown process is nobody's


@contextlib.contextmanager
def replacing(path):
    """A temporary path beside ``path`` that takes its place when the block ends well.

    A reader never sees half a file, and a failed or killed writer leaves the old one. What a
    killed writer leaves beside it is removed by the next one.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{_host()}.{os.getpid()}.{secrets.token_hex(4)}"
                          f".part{path.suffix}")
    with paths.writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.part*"):
            _remove_if_nobodys(left)
        part.touch(exist_ok=False)  # and not by mkstemp, which ignores the umask
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def save(path, text):
    """Write a text as UTF-8 into a file that is whole or not there."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


@functools.cache
def _host():
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _remove_if_nobodys(part):
    """Remove a temporary file whose process is gone; of another machine, after a day."""
    with contextlib.suppress(OSError, ValueError):
        host, process = part.name.rsplit(".part", 1)[0].split(".")[-3:-1]
        if host == _host() and os.name == "posix":  # elsewhere os.kill would end the process
            try:
                os.kill(int(process), 0)
            except ProcessLookupError:
                part.unlink()
        elif time.time() - part.stat().st_mtime > OLD:
            part.unlink()
