"""The file of kept answers: damaged, read-only, or under a clock that jumps."""

import datetime
import email.utils
import sqlite3
import types

import pytest
from fault_server import MODEL, assert_right, written

from genept_utils.embed import api, client, store


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


@pytest.mark.parametrize("hours, most", [(-3, 0), (0, 1), (5, 120)])
def test_a_clock_that_jumps_makes_no_endless_wait(hours, most):
    """The server names a date; the clock here is hours behind or ahead of it."""
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    answer = types.SimpleNamespace(headers={"retry-after": email.utils.format_datetime(then)})
    assert 0 <= client._asked_to_wait(answer) <= most
