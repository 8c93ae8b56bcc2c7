"""What was computed or paid for once: a table of hash -> bytes on disk.

One SQLite file under the cache folder. Every write is a transaction, so that a killed process
leaves whole rows or none, and several processes may read and write at once. The rollback journal
is used and not the write-ahead log, which does not work on network file systems.
"""

import contextlib
import hashlib
import re
import sqlite3
import threading

from genept_utils import paths

PATIENCE = 60  # seconds that one statement waits for another process
FAULTS = (  # what SQLite says, and what to do; a file that was paid for is never thrown away here
    ("read-?only", "cannot be written",
     "name another folder with GENEPT_CACHE, or change its permissions"),
    ("full", "takes no more",
     "free some space on its disk: the same call then asks only for what is not kept"),
    ("malformed|not a database", "is damaged",
     "move it away to begin anew, and `sqlite3 FILE .recover` saves what it still holds"),
    ("", "cannot be used", "name another folder with GENEPT_CACHE"))
_lock = threading.Lock()


def key(*parts):
    """SHA-256 (32 bytes) of a sequence of strings."""
    return hashlib.sha256("\0".join(parts).encode()).digest()


def vector_key(model, dimensions, text):
    """Key of the vector that a server's model gives to a text."""
    return key("embedding", model, str(dimensions or ""), text)


@contextlib.contextmanager
def opened():
    """The table, for :func:`read` and :func:`write` from any thread."""
    path = paths.cache() / "answers.sqlite"
    if not path.is_file():
        paths.check_writable(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
    table = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False)
    try:
        with table:
            table.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value BLOB)")
        yield table
    except sqlite3.DatabaseError as error:
        what, remedy = next((what, remedy) for words, what, remedy in FAULTS
                            if re.search(words, str(error)))
        raise OSError(f"{path} {what} ({error}); {remedy}") from None
    finally:
        table.close()


def check_writable(table):
    """Raise before anything is paid for where an answer could not be kept."""
    with _lock, table:  # a read-only file only refuses a statement that writes
        table.execute("DELETE FROM kept WHERE key = ?", (b"",))


def read(table, keys):
    """Dict of key -> bytes for those of ``keys`` that are kept."""
    keys, found = list(keys), {}
    with _lock:
        for start in range(0, len(keys), 500):
            some = keys[start:start + 500]
            marks = ",".join("?" * len(some))
            found.update(table.execute(f"SELECT key, value FROM kept WHERE key IN ({marks})",
                                       some))
    return found


def write(table, found):
    """Keep a dict of key -> bytes; it is on disk when this returns."""
    with _lock, table:
        table.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", found.items())


def alone(name, tell=True):
    """Wait until no other process holds ``name``, so that nothing is paid for or made twice."""
    return paths.locked(paths.cache() / "locks" / f"{key(name).hex()[:16]}.lock",
                        waiting=tell and f"another process is asking {name}; waiting for it")
