"""The file of kept answers: damaged, read-only, or under a clock that jumps."""

import datetime
import email.utils
import itertools
import sqlite3
import time
import types

import pytest
from fault_server import MODEL, assert_right, written

from genept_utils.embed import api, client, server, store


@pytest.mark.parametrize("damage", ["text", "head", "middle"])
def test_a_damaged_file_is_named_kept_and_nothing_is_paid(serve, tmp_path, damage):
    stats, file = serve(dimension=8), tmp_path / "cache" / "answers.sqlite"
    api.vectors(written(400), MODEL)
    before = stats()["requests"]
    content = bytearray(file.read_bytes())
    if damage == "text":
        content = bytearray(b"this is no data base" * 500)
    elif damage == "head":
        content[:100] = bytes(100)
    else:
        content[4096:-4096] = b"\xff" * (len(content) - 8192)
    file.write_bytes(content)
    with pytest.raises(OSError, match="answers.sqlite is damaged .*move it away"):
        api.vectors(written(500), MODEL)
    assert stats()["requests"] == before and file.read_bytes() == bytes(content)


def test_where_nothing_can_be_kept_nothing_is_asked(serve, tmp_path, monkeypatch):
    stats, real = serve(dimension=8), sqlite3.connect
    api.vectors(["one"], MODEL)
    before = stats()["requests"]

    def read_only(path, **options):
        if str(path).endswith("answers.sqlite"):
            return real(f"file:{path}?mode=ro", uri=True, **options)
        return real(path, **options)

    monkeypatch.setattr(store.sqlite3, "connect", read_only)
    assert_right(api.vectors(["one"], MODEL), ["one"])  # what is kept can still be read
    with pytest.raises(OSError, match="cannot be written .*GENEPT_CACHE"):
        api.vectors(["one", "two"], MODEL)
    assert stats()["requests"] == before


def test_a_full_disk_is_said_and_what_had_come_is_kept(serve, monkeypatch):
    stats, real, texts = serve(dimension=1536), sqlite3.connect, written(300)

    def small(path, **options):
        table = real(path, **options)
        if str(path).endswith("answers.sqlite"):
            table.execute("PRAGMA max_page_count = 200")  # what SQLite meets on a full disk
        return table

    with monkeypatch.context() as patched:
        patched.setattr(store.sqlite3, "connect", small)
        with pytest.raises(OSError, match="takes no more .*full.*free some space"):
            api.vectors(texts, MODEL, inputs=10, concurrency=2)
    billed, report = stats()["billed"], {}
    assert 50 < billed < 200
    assert_right(api.vectors(texts, MODEL, report=report), texts)
    assert report["kept"] >= billed - 2 * 10 and stats()["twice"] <= 2 * 10


@pytest.mark.parametrize("hours, most", [(-3, 0), (0, 1), (5, 120)])
def test_a_clock_that_jumps_makes_no_endless_wait(hours, most):
    """The server names a date; the clock here is hours behind or ahead of it."""
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    answer = types.SimpleNamespace(headers={"retry-after": email.utils.format_datetime(then)})
    assert 0 <= server.asked_to_wait(answer) <= most


def test_a_clock_set_back_holds_no_request(serve, monkeypatch):
    """The time of day falls by three hours whenever it is looked at."""
    serve(dimension=8)
    now, slept = itertools.count(time.time(), -3 * 3600), []

    def sleep(seconds):
        slept.append(seconds)
        assert sum(slept) < 60
        time.sleep(min(seconds, .01))

    monkeypatch.setattr(client, "time", types.SimpleNamespace(
        monotonic=time.monotonic, time=lambda: next(now), sleep=sleep))
    texts = written(30)
    assert_right(api.vectors(texts, MODEL, inputs=5), texts)
