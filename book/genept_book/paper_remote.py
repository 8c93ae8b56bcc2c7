"""A file at an address, read as if it lay here: by byte ranges, in bounded memory."""

import collections
import contextlib
import io
import re
import shutil
import tempfile
import time
import zipfile

import requests

from genept_utils import compression, sources

BLOCK = 1 << 17  # bytes; a cache of KEPT of them is all that is held
KEPT, AHEAD = 256, 1 << 23  # AHEAD: most that is fetched at once where reading runs on
PIECE = 1 << 16  # bytes; what came of a piece before a transfer broke off is lost
TRIES, WAIT, TIMEOUT = 4, 2, (10, 60)  # WAIT: seconds more after each failure
CUT = (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError,
       requests.exceptions.Timeout)


class NoRanges(OSError):
    """The server gives a file only whole; ``size`` in bytes, None where it does not say."""

    def __init__(self, size):
        super().__init__("the server gives this file only whole")
        self.size = size


class Remote(io.RawIOBase):
    """A readable, seekable file over HTTP ranges.

    A cut transfer is taken up where it broke, ``TRIES`` times; a file that changes between two
    requests is refused. ``most`` bounds the bytes that are read in all.

    Raises
    ------
    NoRanges
        The server does not know ranges.
    OSError
        It cannot be reached, refuses, or sends less or other than it said.
    """

    def __init__(self, url, most=None, progress=lambda n: None):
        self.url, self.most, self.progress = url, most, progress
        self.session, self.blocks = requests.Session(), collections.OrderedDict()
        self.session.verify = sources.trusted()
        self.taken = self.position = self.next = self.ahead = 0
        self.size = self.mark = None
        self._fill(0, 1)

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

    def readinto(self, buffer):
        stop = min(self.position + len(buffer), self.size)
        if stop <= self.position:
            return 0
        first, last = self.position // BLOCK, (stop - 1) // BLOCK + 1
        held = {n: self.blocks[n] for n in range(first, last) if n in self.blocks}
        missing = [n for n in range(first, last) if n not in held]
        if missing:
            held |= self._fill(missing[0], missing[-1] + 1)
        content = b"".join(held[n] for n in range(first, last))
        start = self.position - first * BLOCK
        made = content[start:start + stop - self.position]
        buffer[:len(made)] = made
        self.position = stop
        return len(made)

    def _fill(self, first, last):
        """Fetch blocks; more of them each time where reading runs on."""
        self.ahead = min(2 * max(self.ahead, BLOCK), AHEAD) if first == self.next else 0
        last = max(last, first + self.ahead // BLOCK)
        if self.size is not None:
            last = min(last, -(-self.size // BLOCK))
        if self.most and self.taken + (last - first) * BLOCK > self.most:
            raise OSError(f"more than {self.most / 2**20:,.0f} MiB of it would be read; ask for "
                          "fewer cells")
        content = self._get(first * BLOCK, last * BLOCK)
        new = {first + n: content[n * BLOCK:(n + 1) * BLOCK]
               for n in range(-(-len(content) // BLOCK))}
        self.blocks.update(new)
        while len(self.blocks) > KEPT:
            self.blocks.popitem(last=False)
        self.next = last
        return new

    def _get(self, start, stop):
        got = bytearray()

        def rest():
            while self.size is None or start + len(got) < min(stop, self.size):
                headers = {"Range": f"bytes={start + len(got)}-{stop - 1}",
                           "Accept-Encoding": "identity"}
                with self.session.get(self.url, headers=headers, stream=True,
                                      timeout=TIMEOUT) as answer:
                    self._check(answer, start + len(got))
                    for piece in answer.iter_content(PIECE):
                        got.extend(piece)
                        self.taken += len(piece)
                        self.progress(len(piece))
                if not self.size:
                    raise OSError("the server sent an empty file")

        tried(rest)
        return bytes(got)

    def _check(self, answer, start):
        """What is answered is the part that was asked for, of the file that it was before."""
        if answer.status_code == 200 and self.size is None:
            size = answer.headers.get("Content-Length")
            raise NoRanges(int(size) if size else None)
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", ""))
        if answer.status_code != 206 or not span:
            raise OSError(f"the server answered {answer.status_code}")
        mark = answer.headers.get("Last-Modified", answer.headers.get("ETag")), int(span[2])
        if int(span[1]) != start or mark != (self.mark or mark):
            raise OSError("the file changed while it was read; try again")
        self.mark, self.size = mark, mark[1]


def tried(attempt):
    """What an attempt gives; where the transfer breaks off there are ``TRIES`` of them."""
    for n in range(1, TRIES + 1):
        try:
            return attempt()
        except CUT as error:
            if n == TRIES:
                raise OSError(cut(error)) from error
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
                    raise OSError(f"the server answered {answer.status_code}")
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
