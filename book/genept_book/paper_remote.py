"""A file at an address, read as if it lay here: by byte ranges, which are kept until it is done."""

import io
import json
import math
import re
import shutil
import time

import requests
import urllib3

from genept_utils import sources

BLOCK = 1 << 17  # bytes; what came of one before a transfer broke off is lost
AHEAD = 1 << 23  # bytes; most that is fetched at once where reading runs on
TRIES, WAIT, TIMEOUT = 4, 2, (10, 60)  # WAIT: seconds more after each failure
CUT = urllib3.exceptions.HTTPError  # while the content comes
SILENT = (requests.exceptions.ConnectionError, requests.exceptions.Timeout)  # before it does


class Remote(io.RawIOBase):
    """A readable, seekable file over HTTP ranges; of a server without them the whole is fetched.

    A cut transfer is taken up where it broke, ``TRIES`` times, and by the next process that names
    the same ``folder``, where blocks of the file lie; a file that changes between two requests is
    refused. ``most`` bounds the bytes that are read in all. ``cut`` is the error of a transfer
    that broke off: what came is worth keeping.

    Raises
    ------
    OSError
        The server cannot be reached, refuses, breaks off, or sends less or other than it said.
    """

    def __init__(self, url, folder, most=None, progress=lambda n: None):
        self.url, self.folder, self.most, self.progress = url, folder, most, progress
        self.session = requests.Session()
        self.session.verify = sources.trusted()
        self.taken = self.position = self.next = self.ahead = 0
        self.size = self.mark = self.cut = None
        self.whole = False  # the server knows no ranges
        self._fetch(0, 1)  # also where it is here already: is it the same file?

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
        if missing := self._missing(first, last):
            # more each time where reading runs on
            self.ahead = min(2 * max(self.ahead, BLOCK), AHEAD) if missing[0] == self.next else 0
            self.next = min(max(last, missing[0] + self.ahead // BLOCK), -(-self.size // BLOCK))
            self._fetch(missing[0], self.next)
        for n in range(first, last):
            with open(self.folder / str(n), "rb") as block:
                block.seek(max(self.position - n * BLOCK, 0))
                made = block.read(min(stop, (n + 1) * BLOCK) - self.position)
            buffer[self.position - start:self.position - start + len(made)] = made
            self.position += len(made)
        return stop - start

    def _missing(self, first, last):
        """Numbers of the blocks that are not here, or not whole."""
        def here(n):
            path = self.folder / str(n)
            return path.is_file() and path.stat().st_size == min(BLOCK, self.size - n * BLOCK)

        return [n for n in range(first, last) if self.size is None or not here(n)]

    def _fetch(self, first, last):
        """Fetch what of these blocks is missing; a connection that breaks is begun anew."""
        for n in range(TRIES):
            time.sleep(WAIT * n)
            try:
                while missing := self._missing(first, last):
                    run = [n for at, n in enumerate(missing) if n == missing[0] + at]
                    self._ask(run[0], run[-1] + 1)
                return
            except CUT:
                said = f"the transfer broke off {TRIES} times"
            except SILENT:
                said = "the server could not be reached, or sent nothing"
        self.cut = OSError(said)
        raise self.cut

    def _ask(self, first, last):
        """One request for blocks, each of which is kept as soon as it is whole."""
        headers = {"Range": f"bytes={first * BLOCK}-{last * BLOCK - 1}",
                   "Accept-Encoding": "identity"}
        with self.session.get(self.url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            given = answer.headers
            span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", given.get("Content-Range", ""))
            if answer.status_code == 200 and (self.whole or not self.mark):
                size = int(given.get("Content-Length", 0)) or None
                at, mark, opening = 0, [None, size], not self.mark and size
                self.whole, first, last = True, 0, 1 if opening else math.inf
            elif answer.status_code == 206 and span:
                at, mark = int(span[1]), [given.get("Last-Modified", given.get("ETag")),
                                          int(span[2])]
            else:
                self.cut = OSError(f"the server answered {answer.status_code}")
                raise self.cut
            if at != first * BLOCK or mark != (self.mark or mark):
                raise OSError("the file changed while it was read; try again")
            if not self.mark:
                self._begin(mark)
            n = first
            while n < last and (content := answer.raw.read(BLOCK)):
                (self.folder / str(n)).write_bytes(content)
                self.progress(len(content))
                self.taken += len(content)
                n += 1
                if self.most and self.taken > self.most:
                    raise OSError(f"more than {self.most / 1e6:,.0f} MB of it would be read; ask "
                                  "for fewer cells, or allow a file of unknown length with --yes")
            if self.size is None:
                self.size = (n - 1) * BLOCK + (self.folder / str(n - 1)).stat().st_size
            if self._missing(first, first + 1):  # it may send less than it is asked for, not nothing
                raise CUT

    def _begin(self, mark):
        """Take what an earlier process left of this file; of another one, or of one that nothing
        tells from another, it goes."""
        self.mark, self.size = mark, mark[1]
        note, written = self.folder / "mark", json.dumps(mark)
        if mark[0] is None or not note.is_file() or note.read_text("utf-8") != written:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            note.write_text(written, encoding="utf-8")
