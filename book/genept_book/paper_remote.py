"""A file at an address, read as if it lay here: by byte ranges, which are kept until it is done."""

import contextlib
import io
import json
import re
import shutil
import struct
import tempfile
import time
import zipfile
import zlib

import requests

from genept_utils import compression, sources

BLOCK = 1 << 17  # bytes; what came of one before a transfer broke off is lost
AHEAD, PIECE = 1 << 23, 1 << 16  # AHEAD: most that is fetched at once where reading runs on
TRIES, WAIT, TIMEOUT = 4, 2, (10, 60)  # WAIT: seconds more after each failure
BROKEN = (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError,
          requests.exceptions.Timeout)


class NoRanges(OSError):
    """The server gives a file only whole; ``size`` in bytes, None where it does not say."""

    def __init__(self, size):
        super().__init__("the server gives this file only whole")
        self.size = size


class Cut(OSError):
    """The server could not be reached, or broke off: what came is worth keeping."""


class Blocks:
    """Blocks of one file in the order in which they came, with a checksum each.

    Parameters
    ----------
    path : pathlib.Path or None
        What an earlier process kept there is taken up, up to the first block that is not whole;
        None keeps them in a temporary file.
    """

    HEAD, MARK = struct.Struct("<qII"), -1  # number, length and checksum; MARK: what file it is

    def __init__(self, path=None):
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(path, "a+b", buffering=0) if path else tempfile.TemporaryFile(buffering=0)
        self.at, self.mark, end = {}, None, self.file.seek(0)
        while len(head := self.file.read(self.HEAD.size)) == self.HEAD.size:
            n, length, checksum = self.HEAD.unpack(head)
            start, content = self.file.tell(), self.file.read(length)
            if zlib.crc32(content) != checksum:
                break
            self._hold(n, start, content)
            end = start + length
        self.file.truncate(end)

    def _hold(self, n, start, content):
        self.at[n] = start, len(content)
        if n == self.MARK:
            self.mark = json.loads(content)

    def put(self, n, content):
        start = self.file.seek(0, 2) + self.HEAD.size
        self.file.write(self.HEAD.pack(n, len(content), zlib.crc32(content)) + content)
        self._hold(n, start, content)

    def get(self, n, start, stop):
        """Bytes ``start`` to ``stop`` of a block."""
        at, length = self.at[n]
        self.file.seek(at + start)
        return self.file.read(min(stop, length) - start)

    def begin(self, mark):
        """Forget what is not of this file, or of one that nothing tells from another."""
        if self.mark != mark or mark[0] is None:
            self.file.truncate(0)
            self.at = {}
            self.put(self.MARK, json.dumps(mark).encode())

    def __contains__(self, n):
        return n in self.at

    def held(self):
        """Bytes of the file that are here."""
        return sum(length for n, (_, length) in self.at.items() if n != self.MARK)


class Remote(io.RawIOBase):
    """A readable, seekable file over HTTP ranges.

    A cut transfer is taken up where it broke, ``TRIES`` times, and by the next process that
    names the same ``kept``; a file that changes between two requests is refused. ``most`` bounds
    the bytes that are read in all.

    Raises
    ------
    NoRanges
        The server does not know ranges.
    Cut
        It cannot be reached, refuses or breaks off.
    OSError
        It sends less or other than it said.
    """

    def __init__(self, url, kept=None, most=None, progress=lambda n: None):
        self.url, self.kept, self.most, self.progress = url, kept, most, progress
        self.session, self.blocks = requests.Session(), Blocks(kept)
        self.session.verify = sources.trusted()
        self.taken = self.position = self.next = self.ahead = self.held = 0
        self.size = self.mark = self.cut = None
        try:
            self._get(0, 1)  # also where it is here already: is it the same file?
        except BaseException:
            self.drop() if self.blocks.held() == 0 else self.close()
            raise

    def readable(self):
        return True

    seekable = readable

    def tell(self):
        return self.position

    def seek(self, offset, whence=0):
        self.position = offset + (0, self.position, self.size)[whence]
        return self.position

    def close(self):
        self.session.close()
        self.blocks.file.close()
        super().close()

    def drop(self):
        """Close it, and keep nothing of it."""
        self.close()
        if self.kept:
            self.kept.unlink(missing_ok=True)

    def readinto(self, buffer):
        start, stop = self.position, min(self.position + len(buffer), self.size)
        if stop <= start:
            return 0
        first, last = start // BLOCK, (stop - 1) // BLOCK + 1
        missing = [n for n in range(first, last) if n not in self.blocks]
        if missing:
            self._fill(missing[0], missing[-1] + 1)
        made = b"".join(self.blocks.get(n, max(start - n * BLOCK, 0), min(stop - n * BLOCK, BLOCK))
                        for n in range(first, last))
        buffer[:len(made)] = made
        self.position = stop
        return len(made)

    def _fill(self, first, last):
        """Fetch blocks that are not here; more of them each time where reading runs on."""
        self.ahead = min(2 * max(self.ahead, BLOCK), AHEAD) if first == self.next else 0
        last = min(max(last, first + self.ahead // BLOCK), -(-self.size // BLOCK))
        if self.most and self.taken + (last - first) * BLOCK > self.most:
            raise OSError(f"more than {self.most / 2**20:,.0f} MiB of it would be read; ask for "
                          "fewer cells")
        while first < last:
            stop = next((n for n in range(first, last) if n in self.blocks), last)
            if first < stop:
                self._get(first, stop)
            first = max(stop, first + 1)
        self.next = last

    def _get(self, first, last):
        """Fetch these blocks; each is kept as soon as it is whole."""
        def rest():
            nonlocal first
            while first * BLOCK < min(last * BLOCK, self.size or BLOCK):
                began, got = first, bytearray()
                headers = {"Range": f"bytes={first * BLOCK}-{last * BLOCK - 1}",
                           "Accept-Encoding": "identity"}
                with self.session.get(self.url, headers=headers, stream=True,
                                      timeout=TIMEOUT) as answer:
                    self._check(answer, first * BLOCK)
                    for piece in answer.iter_content(PIECE):
                        got += piece
                        self.taken += len(piece)
                        self.progress(len(piece))
                        while len(got) >= BLOCK or got and first * BLOCK + len(got) == self.size:
                            if first not in self.blocks:
                                self.blocks.put(first, bytes(got[:BLOCK]))
                            del got[:BLOCK]
                            first += 1
                if first == began:  # a server may send less than it is asked for, not nothing
                    raise requests.exceptions.ChunkedEncodingError

        try:
            tried(rest)
        except Cut as error:
            self.cut = error
            raise

    def _check(self, answer, start):
        """What is answered is the part that was asked for, of the file that it was before."""
        if answer.status_code == 200 and self.size is None:
            size = answer.headers.get("Content-Length")
            raise NoRanges(int(size) if size else None)
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", ""))
        if answer.status_code != 206 or not span:
            raise Cut(f"the server answered {answer.status_code}")
        mark = [answer.headers.get("Last-Modified", answer.headers.get("ETag")), int(span[2])]
        if int(span[1]) != start or mark != (self.mark or mark):
            raise OSError("the file changed while it was read; try again")
        if not self.mark:
            self.blocks.begin(mark)
            self.held = self.blocks.held()
        self.mark, self.size = mark, mark[1]
        if not self.size:
            raise OSError("the server sent an empty file")


def tried(attempt):
    """What an attempt gives; where the transfer breaks off there are ``TRIES`` of them."""
    for n in range(1, TRIES + 1):
        try:
            return attempt()
        except BROKEN as error:
            if n == TRIES:
                raise Cut(cut(error)) from error
            time.sleep(WAIT * n)


def cut(error):
    """Why a transfer failed, in words."""
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "IncompleteRead" in str(
            error):
        return f"the transfer broke off {TRIES} times"
    return "the server could not be reached, or sent nothing"


def whole(url, folder, most=None, progress=lambda n: None):
    """A temporary file with what is at an address that knows no ranges; begun anew where it
    breaks off."""
    def attempt():
        with contextlib.ExitStack() as stack:
            made = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            with requests.get(url, stream=True, timeout=TIMEOUT,
                              verify=sources.trusted()) as answer:
                if answer.status_code != 200:
                    raise Cut(f"the server answered {answer.status_code}")
                for piece in answer.iter_content(PIECE):
                    if most and made.tell() + len(piece) > most:
                        raise OSError(f"it is longer than {most / 1e9:.1f} GB, which the server "
                                      "did not say; allow it with --yes")
                    made.write(piece)
                    progress(len(piece))
            stack.pop_all()  # the file stays open
            return made

    return tried(attempt)


def entry(archive, name):
    """The one member of a zip whose path ends so."""
    found = [one for one in archive.infolist() if one.filename.endswith(name)
             and not one.filename.startswith("__MACOSX")]
    if len(found) != 1:
        raise OSError(f"the zip holds {len(found) or 'no'} {name}")
    if found[0].file_size > compression.LARGEST * found[0].compress_size + compression.SPARE:
        raise OSError(f"{name} would unpack to more than {compression.LARGEST} times its size")
    return found[0]


@contextlib.contextmanager
def member(file, chain, folder):
    """An open file, or what ``a.zip!b.h5ad`` names in it: a zip in a zip goes through a
    temporary file in ``folder``."""
    with contextlib.ExitStack() as stack:
        try:
            for depth, name in enumerate(filter(None, chain.split("!"))):
                if depth:
                    inner = stack.enter_context(tempfile.TemporaryFile(dir=folder))
                    copy(file, inner, folder)
                    file = inner
                file.seek(0)
                archive = stack.enter_context(zipfile.ZipFile(file))
                file = stack.enter_context(archive.open(entry(archive, name)))
        except zipfile.BadZipFile as error:
            file.seek(0)
            why = compression.instead(file.read(512)) or "is no zip, or is broken"
            raise OSError(f"what the server sent {why}") from error
        yield file


def copy(source, target, folder):
    """All of an open file, as long as the disk of ``folder`` has room."""
    while piece := source.read(1 << 20):
        if shutil.disk_usage(folder).free < 2 * len(piece):
            raise OSError(f"the disk of {folder} is full")
        target.write(piece)
