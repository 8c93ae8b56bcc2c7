"""What other OpenAI-compatible servers do differently: right, or one sentence."""

import re
import socket

import numpy as np
import pytest
from fault_server import MODEL, assert_right, written

from genept_utils import __main__
from genept_utils.embed import api, client


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_server_without_base64_is_asked_for_numbers(serve, status):
    stats, texts = serve(no_base64=status, dimension=16), written(300)
    vectors = api.vectors(texts, MODEL, inputs=50)
    assert np.allclose(vectors[7], [*map(float, vectors[7])])
    assert_right(vectors, texts)
    assert stats()["requests"] == 8  # the first of all twice, then 6 of 50


@pytest.mark.parametrize("status, body", [
    (500, ""), (500, "{}"), (500, "Internal Server Error"), (502, "<html>bad gateway</html>"),
    (500, '{"error": {"message": "list index out of range", "code": 500}}')])
def test_a_server_that_fails_at_base64_without_a_word_is_asked_for_numbers(serve, status, body):
    stats, texts = serve(no_base64=status, bare=body, dimension=16), written(300)
    assert_right(api.vectors(texts, MODEL, inputs=50), texts)
    seen = stats()
    assert seen["forms"] == ["base64", "base64", *["float"] * 7]
    assert seen["billed"] == 300 and seen["twice"] == 0
    more = written(400)[300:]  # the server is remembered, of another model of it nothing is known
    assert_right(api.vectors(more, MODEL, inputs=50), more)
    api.vectors(more[:1], "other-model")
    assert stats()["forms"][9:] == [*["float"] * 3, "base64", "base64", "float"]


@pytest.mark.parametrize("first, forms", [
    (["500"], ["base64"] * 3), (["500"] * 3, ["base64", "base64", "float", "base64", "base64"]),
    (["500"] * 5, ["base64", "base64", "float", *["base64"] * 4]), (["503"] * 4, ["base64"] * 6),
    (["502", "429", "drop", "500", "500"], [*["base64"] * 4, "float", "base64", "base64"])])
def test_a_server_that_fails_at_first_is_asked_for_numbers_once(serve, monkeypatch, first, forms):
    monkeypatch.setattr(client, "_sleep", lambda *given: None)
    stats, texts = serve(first=first, dimension=16), written(10)
    assert_right(api.vectors(texts, MODEL), texts)
    assert stats()["forms"] == forms and stats()["billed"] == 10 and stats()["twice"] == 0


def test_a_server_that_always_fails_is_asked_as_often_as_before(serve, monkeypatch):
    monkeypatch.setattr(client, "_sleep", lambda *given: None)
    stats, report = serve(always="500"), {}
    with pytest.raises(api.ServiceError, match="failed 9 times in a row"):
        api.vectors(written(10), MODEL, report=report)
    assert stats()["forms"] == ["base64", "base64", "float", *["base64"] * 6]
    assert report["requests"] == 9


def test_a_server_that_has_answered_in_base64_is_asked_for_nothing_else(serve, monkeypatch):
    """What was read once is known: later in the same call, and in another call."""
    monkeypatch.setattr(client, "_sleep", lambda *given: None)
    stats = serve(dimension=16, faults=["500", "500", ""], every=1, first=[""])
    texts = written(40)
    assert_right(api.vectors(texts[:20], MODEL, inputs=5, concurrency=1), texts[:20])
    assert len(stats()["forms"]) > 10 and set(stats()["forms"]) == {"base64"}
    stats = serve(dimension=16, first=["500"] * 6)
    assert_right(api.vectors(texts[20:], MODEL), texts[20:])
    assert stats()["forms"] == ["base64"] * 8


@pytest.mark.parametrize("before, after", [(0, 400), (0, 422), (400, 0)])
def test_a_server_that_takes_another_place_is_asked_as_it_can_be(serve, before, after):
    """What is remembered of an address stands in the way of no other server there."""
    texts = written(20)
    for status, some in ((before, texts[:10]), (after, texts[10:])):
        serve(no_base64=status, dimension=16)
        assert_right(api.vectors(some, MODEL), some)


@pytest.mark.parametrize("options", [
    {"index": "missing"}, {"index": "null"}, {"usage": "null"}, {"usage": "none"},
    {"index": "null", "usage": "null", "floats": True}, {"index": "zero"},
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


def test_the_size_of_request_that_was_taken_is_remembered(serve):
    stats, texts = serve(dimension=16, most_inputs=32), written(2000)
    assert_right(api.vectors(texts[:1000], MODEL, inputs=256, concurrency=1), texts[:1000])
    first = stats()["requests"]
    assert first < 60  # 33 of 32 and some that were too large
    assert_right(api.vectors(texts[1000:], MODEL, inputs=256), texts[1000:])
    assert stats()["requests"] - first == 1 + 3 * 256 // 32 + -(-231 // 32)  # the first alone


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
