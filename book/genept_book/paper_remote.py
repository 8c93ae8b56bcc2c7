"""A file at an address, read as if it lay here: by byte ranges, which are kept until it is done."""

import contextlib
import io
import json
import re
import shutil
import tempfile
import time
import zipfile

import requests

from genept_utils import compression, sources

BLOCK = 1 << 17  # bytes; what came of one before a transfer broke off is lost
AHEAD = 1 << 23  # bytes; most that is fetched at once where reading runs on
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


class Remote(io.RawIOBase):
    """A readable, seekable file over HTTP ranges.

    A cut transfer is taken up where it broke, ``TRIES`` times, and by the next process that names
    the same ``folder``, where blocks of the file lie; a file that changes between two requests is
    refused. ``most`` bounds the bytes that are read in all.

    Raises
    ------
    NoRanges
        The server does not know ranges.
    Cut
        It cannot be reached, refuses or breaks off.
    OSError
        It sends less or other than it said.
    """

    def __init__(self, url, folder, most=None, progress=lambda n: None):
        self.url, self.folder, self.most, self.progress = url, folder, most, progress
        self.session = requests.Session()
        self.session.verify = sources.trusted()
        self.taken = self.position = self.next = self.ahead = self.held = 0
        self.size = self.mark = self.cut = None
        self._get(0, 1)  # also where it is here already: is it the same file?

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
        super().close()

    def drop(self):
        """Close it, and keep nothing of it."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def readinto(self, buffer):
        start, stop = self.position, min(self.position + len(buffer), self.size)
        if stop <= start:
            return 0
        first, last = start // BLOCK, (stop - 1) // BLOCK + 1
        if missing := [n for n in range(first, last) if not self._has(n)]:
            self._fill(missing[0], missing[-1] + 1)
        for n in range(first, last):
            with open(self.folder / str(n), "rb") as block:
                block.seek(max(self.position - n * BLOCK, 0))
                made = block.read(min(stop, (n + 1) * BLOCK) - self.position)
            buffer[self.position - start:self.position - start + len(made)] = made
            self.position += len(made)
        return stop - start

    def _has(self, n):
        """Whether a block is here and whole."""
        path = self.folder / str(n)
        return path.is_file() and path.stat().st_size == min(BLOCK, self.size - n * BLOCK)

    def _fill(self, first, last):
        """Fetch blocks that are not here; more of them each time where reading runs on."""
        self.ahead = min(2 * max(self.ahead, BLOCK), AHEAD) if first == self.next else 0
        last = min(max(last, first + self.ahead // BLOCK), -(-self.size // BLOCK))
        if self.most and self.taken + (last - first) * BLOCK > self.most:
            raise OSError(f"more than {self.most / 2**20:,.0f} MiB of it would be read; ask for "
                          "fewer cells")
        while first < last:
            stop = next((n for n in range(first, last) if self._has(n)), last)
            if first < stop:
                self._get(first, stop)
            first = max(stop, first + 1)
        self.next = last

    def _get(self, first, last):
        """Fetch these blocks; each is kept as soon as it is whole."""
        def rest():
            nonlocal first
            while first * BLOCK < min(last * BLOCK, self.size or BLOCK):
                began, headers = first, {"Range": f"bytes={first * BLOCK}-{last * BLOCK - 1}",
                                         "Accept-Encoding": "identity"}
                with self.session.get(self.url, headers=headers, stream=True,
                                      timeout=TIMEOUT) as answer:
                    self._check(answer, first * BLOCK)
                    for content in answer.iter_content(BLOCK):
                        (self.folder / str(first)).write_bytes(content)
                        self.taken += len(content)
                        self.progress(len(content))
                        if not self._has(first):
                            break
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
            self.mark, self.size = mark, mark[1]
            self._begin(self.folder / "mark")

    def _begin(self, note):
        """Count what an earlier process left of this file; of another one, or of one that nothing
        tells from another, it goes."""
        written = json.dumps(self.mark)
        if self.mark[0] is None or not note.is_file() or note.read_text("utf-8") != written:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            note.write_text(written, encoding="utf-8")
        self.held = sum(path.stat().st_size for path in self.folder.glob("[0-9]*"))


def tried(attempt):
    """What ``attempt`` returns: a connection that breaks or stays silent is begun anew."""
    for n in range(1, TRIES + 1):
        try:
            return attempt()
        except BROKEN as error:
            if n == TRIES:
                cut = "IncompleteRead" in str(error) or isinstance(
                    error, requests.exceptions.ChunkedEncodingError)
                raise Cut(f"the transfer broke off {TRIES} times" if cut else "the server could "
                          "not be reached, or sent nothing") from error
            time.sleep(WAIT * n)


def whole(url, folder, most=None, progress=lambda n: None):
    """A temporary file with what is at an address that knows no ranges; begun anew where it
    breaks off."""
    def attempt():
        made = tempfile.TemporaryFile(dir=folder)
        with requests.get(url, stream=True, timeout=TIMEOUT, verify=sources.trusted()) as answer:
            if answer.status_code != 200:
                raise Cut(f"the server answered {answer.status_code}")
            for piece in answer.iter_content(BLOCK):
                made.write(piece)
                progress(len(piece))
                if most and made.tell() > most:
                    raise OSError(f"it is longer than {most / 1e9:.1f} GB, which the server did "
                                  "not say; allow it with --yes")
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
                    shutil.copyfileobj(file, inner)
                    file = inner
                file.seek(0)
                archive = stack.enter_context(zipfile.ZipFile(file))
                file = stack.enter_context(archive.open(entry(archive, name)))
        except zipfile.BadZipFile as error:
            file.seek(0)
            why = compression.instead(file.read(512)) or "is no zip, or is broken"
            raise OSError(f"what the server sent {why}") from error
        yield file
