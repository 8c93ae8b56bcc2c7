"""What other OpenAI-compatible servers do differently: right, or one sentence."""

import re
import socket

import pytest
from fault_server import MODEL, assert_right, written

from genept_utils import __main__
from genept_utils.embed import api, client


def test_a_server_that_always_fails_is_asked_as_often_as_before(serve, monkeypatch):
    monkeypatch.setattr(client, "FIRST_WAIT", 0)
    stats, report = serve(always="500"), {}
    with pytest.raises(api.ServiceError, match="failed 9 times in a row"):
        api.vectors(written(10), MODEL, report=report)
    assert report["requests"] == stats()["requests"] == 9


@pytest.mark.parametrize("options", [
    {"index": "missing"}, {"index": "null"}, {"usage": "null"}, {"usage": "none"},
    {"index": "null", "usage": "null"}, {"index": "zero"},
])
def test_answers_that_leave_something_out(serve, options):
    serve(dimension=16, **options)
    texts = written(12)
    assert_right(api.vectors(texts, MODEL, inputs=5), texts)


def test_fewer_vectors_than_texts_are_refused(serve):
    serve(dimension=16, index="missing", always="short")
    with pytest.raises(api.ServiceError, match="vectors came for"):
        api.vectors(written(3), MODEL, retries=0)


@pytest.mark.parametrize("status", [400, 413, 500])
def test_one_text_that_is_too_long_fails_no_other(serve, status):
    stats = serve(dimension=16, most_words=100, too_long=status)
    texts, long = written(200), ["LONG1 " + "word " * 150, "LONG2 " + "word " * 200]
    mixed = [*texts[:50], long[0], *texts[50:], long[1]]
    with pytest.raises(api.ServiceError, match=r"refused 2 of 202 texts.*LONG.*--max-tokens"):
        api.vectors(mixed, MODEL, inputs=64, retries=1)
    report = {}
    assert_right(api.vectors(texts, MODEL, report=report), texts)
    assert report["sent"] == 0 and stats()["billed"] == 200 and stats()["twice"] == 0
    with pytest.warns(UserWarning, match="2 of 202 texts are longer than 99 tokens"):
        assert api.vectors(mixed, MODEL, max_tokens=99).shape == (202, 16)


def test_the_size_of_request_that_was_taken_is_kept_to(serve):
    stats, texts = serve(dimension=16, most_inputs=32), written(1000)
    assert_right(api.vectors(texts, MODEL, inputs=256, concurrency=1), texts)
    assert stats()["requests"] < 60 and stats()["too_many"] < 8  # 33 of 32 and some too large


@pytest.mark.parametrize("body, said", [
    ("html", "answered with a web page: OPENAI_BASE_URL must be the address of its /v1"),
    ("error", "the server said: no such engine here"),
    ("marked html", "answered with a web page"), ("words", "the server said: no such engine here"),
    ("message", "the server said: no such engine here"),
    ("msg", "the server said: no such engine here"),
])
def test_what_is_said_with_status_200_is_told_once(serve, body, said):
    stats = serve(body=body)
    with pytest.raises(api.ServiceError, match=said) as caught:
        api.vectors(written(600), MODEL)
    assert str(caught.value).count("no such engine") <= 1 and stats()["requests"] == 1


def test_a_wrong_address_is_said_at_once(serve, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve()
    for address in (f"http://127.0.0.1:{port}/v1", "http://no-such-host.invalid/v1"):
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        report = {}
        with pytest.raises(api.ServiceError, match="No server answers at http://.*OPENAI_BASE_URL"):
            api.vectors(["a", "b"], MODEL, report=report)
        assert report["requests"] == 1


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:8000/v1", "localhost", "http:///v1",
                                     "http://[::1/v1", "http://a b/v1", "http://x:port/v1"])
def test_what_is_no_address_is_said_without_asking(serve, monkeypatch, address):
    serve()
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    report = {}
    with pytest.raises(api.ServiceError, match=re.escape(f"OPENAI_BASE_URL is '{address}'; it must be an")):
        api.vectors(["a", "b"], MODEL, report=report)
    assert not report.get("requests")


@pytest.mark.parametrize("how, said", [
    ("refused", "takes no dimensions=8 for text-embedding-ada-002.*Leave dimensions out"),
    ("detail", "takes no dimensions=8 for text-embedding-ada-002.*Leave dimensions out"),
    ("matryoshka", "takes no dimensions=8 for text-embedding-ada-002.*Leave dimensions out"),
    ("ignored", "ignores dimensions=8: text-embedding-ada-002 gave 16 numbers"),
])
def test_dimensions_that_a_server_does_not_take(serve, how, said):
    stats = serve(dimension=16, dimensions=how)
    with pytest.raises(api.ServiceError, match=said):
        api.vectors(written(600), MODEL, dimensions=8)
    assert stats()["requests"] <= 2
    assert api.vectors(["a"], MODEL).shape == (1, 16)


def test_a_server_that_changes_its_model_midway_is_refused(serve):
    serve(dimension=16, names=["a-model", "another-model"])
    with pytest.raises(api.ServiceError, match="answered as '.*' and before as '"):
        api.vectors(written(40), MODEL, inputs=5, retries=0, concurrency=1)


def test_the_command_says_it_in_one_line(serve, tmp_path, monkeypatch, capsys):
    """`embed` on a server whose texts are short: the advice that is printed works."""
    import pandas as pd

    from genept_utils import embed

    texts = pd.Series(["a tumour gene " + "word " * 80, "another", "a third"],
                      ["TP53", "TP63", "CD4"])
    for module in (embed, embed.registry):
        monkeypatch.setattr(module, "texts", lambda kind, symbols=None: texts)
    serve(dimension=8, most_words=50)
    command = ["embed", "--model", f"openai:{MODEL}", "--yes", "--out", str(tmp_path / "m.h5ad")]
    assert __main__.main(command) == 2
    assert "--max-tokens N" in capsys.readouterr().err
    with pytest.warns(UserWarning, match="1 of 3 texts are longer"):
        assert __main__.main([*command, "--max-tokens", "45"]) == 0
    assert embed.read_embedding(tmp_path / "m.h5ad").shape == (3, 8)
