"""What a server can do to a download: the right file or none, and one sentence that says why."""

import builtins
import errno
import hashlib
import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from downloads import CONTENT, KEY, leftovers

from genept_utils import paths, sources

PAGE = b"<!DOCTYPE html>\n<html><title>Sign in</title></html>"


def sends(content, status=200, length=None, **headers):
    """A handler that answers with this."""
    def answer(handler):
        handler.send_response(status)
        if length is not False:
            handler.send_header("Content-Length", str(length or len(content)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)
        handler.wfile.flush()
        handler.close_connection = True
    return answer


def stalls(handler):
    sends(CONTENT[:200], length=len(CONTENT))(handler)
    time.sleep(3)


def silent(handler):
    time.sleep(3)


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(500):
            handler.wfile.write(bytes(1 << 16))
    except OSError:  # the reader has gone
        handler.close_connection = True


flipped = bytearray(CONTENT)
flipped[700] ^= 1
FAULTS = {  # what the server does -> what is said
    "truncated": (sends(CONTENT[:700], length=len(CONTENT)), "IncompleteRead|Connection broken"),
    "truncated, no length": (sends(CONTENT[:700], length=False), "sent 700 of 1,450 bytes"),
    "one bit": (sends(bytes(flipped)), "another SHA-256"),
    "empty": (sends(b"", length=0), "sent 0 of 1,450 bytes"),
    "a page": (sends(PAGE), "a web page, not the file"),
    "a long page": (sends(b"\n" + PAGE + bytes(5000)), "a web page, not the file"),
    "longer": (sends(CONTENT + b"x"), "longer than the registered 1,450 bytes"),
    "endless": (endless, "longer than the registered"),
    "redirect to nowhere": (sends(b"", 302, Location="/nowhere.txt"), "404"),
    "redirect to itself": (sends(b"", 302, Location="/small.txt"), "redirects"),
    "redirect to a page": (sends(b"", 302, Location="/page"), "a web page, not the file"),
    **{f"{status}": (sends(b"no", status), f"{status}") for status in (403, 404, 410, 429, 500,
                                                                       503)},
    "stalls": (stalls, "the server sent nothing for 0.5 seconds"),
    "never answers": (silent, "the server sent nothing for 0.5 seconds"),
}


def test_a_server_that_is_busy_for_a_moment_is_asked_again(registered):
    """Whatever it says of how long to wait."""
    def busy(handler):
        first = len(registered[2]) < 3
        sends(b"" if first else CONTENT, 503 if first else 200, **{"Retry-After": "86400"})(handler)

    registered[1]["/small.txt"] = busy
    assert sources.fetch(KEY).read_bytes() == CONTENT
    assert registered[2] == 3 * ["/small.txt"]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_leaves_a_file_and_the_next_run_recovers(registered, monkeypatch, fault):
    monkeypatch.setattr(sources, "READ_TIMEOUT", .5)
    answer, said = FAULTS[fault]
    registered[1].update({"/small.txt": answer, "/page": PAGE})
    with pytest.raises(sources.SourceError) as caught:
        sources.fetch(KEY)
    line, = [line for line in str(caught.value).splitlines() if "tried http" in line]
    assert re.search(said, line), line
    assert str(caught.value).count("What to do:") == 1
    assert leftovers() == []
    registered[1]["/small.txt"] = CONTENT
    sources._unreachable.clear()  # as a new run begins
    assert sources.fetch(KEY).read_bytes() == CONTENT


def test_a_redirect_to_the_right_file_is_followed(registered):
    registered[1].update({"/small.txt": sends(b"", 302, Location="/moved.txt"),
                          "/moved.txt": CONTENT})
    assert sources.fetch(KEY).read_bytes() == CONTENT
    assert registered[2] == ["/small.txt", "/moved.txt"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT], ids=["disk", "quota"])
@pytest.mark.parametrize("where", ["open", "write", "close", "replace"])
def test_a_full_disk_has_its_own_remedy_and_leaves_nothing(registered, monkeypatch, where, code):
    def full(*given, **named):
        raise OSError(code, os.strerror(code))

    class Full:
        """A file whose writes, or whose last flush, find no space."""

        def __init__(self, file):
            self.file, self.flush = file, file.flush

        def write(self, content):
            self.file.write(content[:100])
            if where == "write":
                full()

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()
            if where == "close" and error[0] is None:
                full()

    real = builtins.open

    def opens(path, mode="r", *given, **named):
        if "w" not in mode or ".part" not in str(path) or where not in ("open", "write", "close"):
            return real(path, mode, *given, **named)
        return full() if where == "open" else Full(real(path, mode, *given, **named))

    with monkeypatch.context() as patched:
        if where == "replace":
            patched.setattr(sources.os, "replace", full)
        patched.setattr(builtins, "open", opens)
        with pytest.raises(sources.SourceError, match=os.strerror(code)) as caught:
            sources.fetch(KEY)
    assert re.search(r"What to do: free .* MB on the disk of .*GENEPT_CACHE", str(caught.value))
    assert leftovers() == []
    assert sources.fetch(KEY).read_bytes() == CONTENT


CHILD = """
import sys
import pandas as pd
from genept_utils import sources
table = pd.read_json(sys.argv[1]).set_index("key")
sources.registry = lambda: table
print(sources.sha256(sources.fetch(sys.argv[2], False)))
"""


def child(table, folder):
    """A process of its own that fetches the file."""
    file = folder / "registry.json"
    table.reset_index().to_json(file, orient="records")
    return subprocess.Popen([sys.executable, "-c", CHILD, str(file), KEY], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def slowly(content, parts=10, pause=.02):
    """A handler that sends a file in parts."""
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        step = -(-len(content) // parts)
        try:
            for start in range(0, len(content), step):
                handler.wfile.write(content[start:start + step])
                handler.wfile.flush()
                time.sleep(pause)
        except OSError:  # the reader was killed
            handler.close_connection = True
    return answer


def test_two_processes_at_once_both_have_the_file(registered, tmp_path):
    table, files, _ = registered
    files["/small.txt"] = slowly(CONTENT, pause=.1)
    both = [child(table, tmp_path) for _ in range(2)]
    assert {one.communicate(timeout=60)[0].strip() for one in both} == {table.sha256[KEY]}
    assert leftovers() == [paths.cache() / KEY]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked to be killed quickly")
def test_20_kills_lose_nothing_and_leave_nothing(registered):
    """A download of some 0.2 s is killed at 20 moments; then it is fetched."""
    table, files, requests = registered
    files["/small.txt"] = slowly(CONTENT)
    import requests as _requests  # noqa: F401  (imported once, before the processes are forked)

    forked, killed = multiprocessing.get_context("fork"), 0
    for number in range(20):
        process = forked.Process(target=sources.fetch, args=(KEY, False))
        process.start()
        time.sleep(.02 + .008 * number)
        process.kill()
        process.join()
        killed += process.exitcode == -9
        found = leftovers()
        whole = [path for path in found if path.name == Path(KEY).name]
        assert all(path.read_bytes() == CONTENT for path in whole)
        assert len(found) <= 2  # one part of the last killed process at most, and the file
        for path in whole:
            path.unlink()
    assert killed >= 10 and len(requests) >= 10
    files["/small.txt"] = CONTENT
    assert sources.fetch(KEY).read_bytes() == CONTENT
    assert leftovers() == [paths.cache() / KEY]


def test_the_part_of_a_living_process_is_left_alone(tmp_path):
    path, going, seen = tmp_path / "a.txt", threading.Event(), threading.Event()

    def slow():
        with sources.replacing(path) as part:
            part.write_text("first")
            seen.set()
            going.wait(10)

    writer = threading.Thread(target=slow)
    writer.start()
    seen.wait(10)
    with sources.replacing(path) as part:
        part.write_text("second")
    going.set()
    writer.join()
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]


def test_the_part_of_another_machine_is_left_for_a_day(tmp_path):
    path, other = tmp_path / "a.txt", tmp_path / ".a.txt.00000000.1.abcdefgh.part.txt"
    other.write_text("half")
    with sources.replacing(path) as part:
        part.write_text("whole")
    assert other.exists()
    os.utime(other, (0, 0))
    with sources.replacing(path) as part:
        part.write_text("whole")
    assert list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------- files made from others

def _hash_of(path):
    return path.with_name(f"{path.name}.sha256")


@pytest.mark.parametrize("damage", [
    lambda path: path.write_bytes(path.read_bytes()[:-5]),
    lambda path: path.write_bytes(path.read_bytes().replace(b"CD4", b"CD8")),
    lambda path: path.write_bytes(b""), lambda path: path.unlink(),
    lambda path: _hash_of(path).unlink(),
    lambda path: _hash_of(path).write_text("half"),
    lambda path: _hash_of(path).write_bytes(b"\xff\xfe"),
], ids=["cut", "other bytes", "empty", "gone", "no hash", "half a hash", "no text"])
def test_a_damaged_derived_file_is_made_again(tmp_path, damage):
    made = []

    def write(part):
        part.write_bytes(CONTENT)
        made.append(part)

    for _ in range(2):
        path = sources.derived(tmp_path / "made.csv", write)
        assert path.read_bytes() == CONTENT
    assert len(made) == 1
    damage(path)
    assert sources.derived(tmp_path / "made.csv", write) == path
    assert len(made) == 2
    assert hashlib.sha256(CONTENT).hexdigest() == sources.sha256(path)


@pytest.mark.parametrize("place", ["sources.py", "cells/normalise.py", "embed/words.py"])
def test_a_derived_file_is_made_again_by_other_code(tmp_path, monkeypatch, place):
    monkeypatch.setattr(sources.paths, "PACKAGE", tmp_path)
    code, found = tmp_path / place, []
    code.parent.mkdir(exist_ok=True)
    for text in ("one = 1", "one = 2", "one = 1"):
        code.write_text(text)
        sources._code.cache_clear()
        found.append(sources.derived(tmp_path / "made.csv",
                                     lambda part: part.write_text(code.read_text())))
    sources._code.cache_clear()
    assert found[0] == found[2] and found[1].read_text() == "one = 2"
    assert found[0].read_text() == "one = 1"
