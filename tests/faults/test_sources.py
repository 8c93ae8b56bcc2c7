"""Downloads: what comes is what is registered, and a fault leaves nothing behind."""

import pytest
from downloads import CONTENT, KEY, leftovers

from genept_utils import paths, sources


def test_a_file_is_downloaded_once(registered):
    _, _, requests = registered
    assert sources.fetch(KEY).read_bytes() == CONTENT
    assert sources.fetch(KEY) == paths.cache() / KEY
    assert requests == ["/small.txt"]


def test_the_mirror_comes_before_the_network(registered, tmp_path, monkeypatch):
    monkeypatch.setenv("GENEPT_MIRROR", str(tmp_path / "mirror"))
    copy = tmp_path / "mirror" / KEY
    copy.parent.mkdir(parents=True)
    copy.write_bytes(CONTENT)
    assert sources.fetch(KEY) == copy
    assert registered[2] == []


def test_a_wrong_copy_in_the_mirror_is_passed_over(registered, tmp_path, monkeypatch):
    monkeypatch.setenv("GENEPT_MIRROR", str(tmp_path / "mirror"))
    copy = tmp_path / "mirror" / KEY
    copy.parent.mkdir(parents=True)
    copy.write_bytes(CONTENT + b"x")
    assert sources.fetch(KEY) == paths.cache() / KEY


def test_a_damaged_cache_is_fetched_again(registered):
    sources.fetch(KEY).write_bytes(b"damaged by a full disk")
    assert sources.fetch(KEY).read_bytes() == CONTENT


def test_another_content_is_refused_and_removed(registered):
    registered[1]["/small.txt"] = CONTENT.replace(b"CD4", b"CD8")
    with pytest.raises(sources.SourceError, match="another SHA-256"):
        sources.fetch(KEY)
    assert leftovers() == []


def test_a_broken_connection_leaves_nothing(registered):
    def half(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[: len(CONTENT) // 2])
        handler.wfile.flush()
        handler.connection.close()

    registered[1]["/small.txt"] = half
    with pytest.raises(sources.SourceError, match="could not be had"):
        sources.fetch(KEY)
    assert leftovers() == []


def test_the_error_names_key_attempts_and_remedy(registered):
    registered[1].clear()
    with pytest.raises(sources.SourceError) as caught:
        sources.fetch(KEY)
    message = str(caught.value)
    for part in (KEY, "A small file", "cache: not at", "GENEPT_MIRROR is not set", "404",
                 "What to do", registered[0].sha256[KEY]):
        assert part in message


def test_an_unreachable_server_is_asked_once(registered):
    table = registered[0]
    table.loc[KEY, "url"] = "http://127.0.0.1:9/small.txt"
    with pytest.raises(sources.SourceError, match="could not be reached"):
        sources.fetch(KEY)
    with pytest.raises(sources.SourceError, match="not asked again"):
        sources.fetch(KEY)


def test_offline_asks_nobody(registered, monkeypatch):
    monkeypatch.setenv("GENEPT_OFFLINE", "1")
    with pytest.raises(sources.SourceError, match="GENEPT_OFFLINE is set"):
        sources.fetch(KEY)
    assert registered[2] == []


def test_an_unknown_key_says_where_keys_are_listed(registered):
    with pytest.raises(KeyError, match="genept_utils data"):
        sources.fetch("genes/misspelt.txt")


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        with sources.replacing(path) as part:
            part.write_text("half of the n")
            raise KeyboardInterrupt
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_every_registered_source_is_complete():
    table = sources.registry()
    assert table.index.is_unique and len(table) >= 46
    assert table["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert ((table["url"] != "") != (table["wheel"] != "")).all()
    assert (table[["licence", "citation"]] != "").all(axis=None)
