"""Answers as other servers give them: read right, or refused in one sentence, never kept wrong."""

import json
import time

import numpy as np
import pytest
from fault_server import vector

from genept_utils import embed
from genept_utils.embed import api, client, server

D = 24


@pytest.fixture
def odd(file_server, monkeypatch, tmp_path):
    """A server that answers a request's texts by a function of the body; gives its requests."""
    address, files, _ = file_server
    monkeypatch.setenv("GENEPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-this-test")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{address}/v1")
    monkeypatch.setattr(client, "FIRST_WAIT", 0)
    seen = []

    def begin(answer, path="/v1/embeddings"):
        def post(handler):
            body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
            seen.append({**body, "headers": dict(handler.headers), "path": handler.path})
            status, content = answer(body)
            content = json.dumps(content).encode()
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)
        files[path] = post
        return seen
    return begin


def texts_of(body):
    return [body["input"]] if isinstance(body["input"], str) else body["input"]


def rows(body, change=lambda i, row: row):
    return 200, {"data": [change(i, {"index": i, "embedding": vector(text, D).tolist()})
                          for i, text in enumerate(texts_of(body))]}


TEXTS = [f"text {i} of a gene" for i in range(40)]
RIGHT = np.stack([vector(text, D) for text in TEXTS])


@pytest.mark.parametrize("change", [
    lambda i, row: {**row, "index": 0},
    lambda i, row: {key: row[key] for key in row if key != "index" or i != 3},
    lambda i, row: {"embedding": row["embedding"]},
    lambda i, row: {**row, "embedding": [row["embedding"]]},
], ids=["index 0 for all", "one without index", "no index", "each in a list"])
def test_rows_in_the_order_of_the_texts(odd, change):
    seen = odd(lambda body: rows(body, change))
    assert np.array_equal(api.vectors(TEXTS, "m"), RIGHT)
    assert [len(texts_of(body)) for body in seen] == [1, 10, 20, 9]  # the shortest goes alone


def test_zero_vectors_are_no_answers(odd):
    ill = set(TEXTS[1::2])
    odd(lambda body: rows(body, lambda i, row: {**row, "embedding": [0.0] * D}
                          if texts_of(body)[i] in ill else row))
    with pytest.raises(api.ServiceError, match="zeros"):
        api.vectors(TEXTS, "m", retries=1)
    seen = odd(rows)
    before = len(seen)
    assert np.array_equal(api.vectors(TEXTS, "m"), RIGHT)
    asked = [text for body in seen[before:] for text in texts_of(body)]
    assert sorted(asked) == sorted(ill)  # what was good is not asked again


def test_the_text_of_a_bad_vector_is_named(odd):
    bad = TEXTS[17]
    odd(lambda body: rows(body, lambda i, row: {**row, "embedding": [float("nan")] * D}
                          if texts_of(body)[i] == bad else row))
    with pytest.raises(api.ServiceError, match=f"{bad}.*NaN"):
        api.vectors(TEXTS, "m", retries=1)
    with pytest.raises(api.ServiceError, match=f"{bad}.*NaN"):
        api.vectors([bad], "m", retries=1)


def test_zero_vectors_kept_before_are_asked_for_again(odd):
    from genept_utils.embed import store

    with store.opened() as table:
        store.write(table, {store.vector_key("m", None, text): bytes(4 * D) for text in TEXTS})
    odd(rows)
    assert np.array_equal(api.vectors(TEXTS, "m"), RIGHT)


def test_a_vector_per_token_is_refused(odd):
    odd(lambda body: rows(body, lambda i, row: {**row, "embedding": [row["embedding"]] * 3}))
    with pytest.raises(api.ServiceError, match=r"per token.*3 x 24.*pooling"):
        api.vectors(TEXTS, "m")


def test_nothing_is_asked_that_a_server_may_not_know(odd):
    seen = odd(rows)
    assert np.array_equal(api.vectors(TEXTS, "m"), RIGHT)
    assert {key for body in seen for key in body} == {"model", "input", "headers", "path"}


def test_one_text_a_request(odd):
    def narrow(body):
        if not isinstance(body["input"], str):
            return 422, {"detail": "input should be a valid string"}
        return rows(body)
    seen = odd(narrow)
    assert np.array_equal(api.vectors(TEXTS, "m"), RIGHT)
    assert sum(isinstance(body["input"], str) for body in seen) == len(TEXTS)
    assert len(seen) <= len(TEXTS) + 8  # found by halving the first request of several


def test_the_words_of_a_server_are_shown(odd):
    said = "No models loaded. Please load a model in the developer page."
    odd(lambda body: (404, {"error": {"message": said}}))
    with pytest.raises(api.ServiceError, match="No models loaded"):
        api.vectors(TEXTS, "m")
    odd(lambda body: (400, {"error": said}))
    with pytest.raises(api.ServiceError, match="refused 1 of 1 texts.*No models loaded"):
        api.vectors(TEXTS, "m")


def test_a_version_in_the_address_goes_with_every_request(odd, file_server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", f"{file_server[0]}/openai/v1?api-version=2024-10-21")
    seen = odd(rows, "/openai/v1/embeddings?api-version=2024-10-21")
    assert np.array_equal(api.vectors(TEXTS, "m"), RIGHT)
    assert {body["headers"]["api-key"] for body in seen} == {"a-key-of-this-test"}


def test_a_refusal_of_a_chat_model_is_shown(odd):
    odd(lambda body: (200, {"choices": [{"finish_reason": "stop", "message": {
        "content": None, "refusal": "I cannot speak of this gene"}}]}), "/v1/chat/completions")
    with pytest.raises(api.ServiceError, match="cannot speak of this gene"):
        api.answers(["What is TP53?"], "m", retries=1)


@pytest.mark.parametrize("drip", [True, False], ids=["drips", "is too long"])
def test_an_answer_without_end(odd, file_server, monkeypatch, drip):
    def post(handler):
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(100):
                handler.wfile.write(b" " * (1 if drip else 1 << 16))
                handler.wfile.flush()
                time.sleep(.1 if drip else 0)
        except OSError:
            pass
    file_server[1]["/v1/embeddings"] = post
    odd(rows, "/v1/other")
    monkeypatch.setattr(server, "MAX_BODY", 1 << 20)
    with pytest.raises(api.ServiceError, match="does not end|longer than 1 MB"):
        api.vectors(["a text"], "m", timeout=.3)


def test_read_embedding_asks_before_it_spends(odd, source):
    source("genes/hgnc_complete_set.txt.gz")
    seen = odd(rows)
    with pytest.raises(ValueError, match="--yes"):
        embed.read_embedding("openai:m/name")
    assert not seen
