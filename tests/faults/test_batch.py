"""The Batch API against a local server that fails in the usual ways."""

import json

import pytest
from fault_server import MODEL, assert_right, written

from genept_utils.embed import api, batch


def test_the_batch_api(serve):
    stats = serve(dimension=8, polls=2)
    texts, report = written(300), {}
    assert_right(batch.batch_vectors(texts, MODEL, report=report, poll=.01), texts)
    assert report["batches"] == 1 and stats()["batches"] == 1 and stats()["billed"] == 300
    batch.batch_vectors(texts, MODEL, poll=.01)
    assert_right(api.vectors(texts, MODEL), texts)  # kept under the same hash
    assert stats()["billed"] == 300


def test_a_stopped_batch_is_found_again(serve, monkeypatch):
    stats = serve(dimension=8, polls=3)
    texts = written(50)

    def stop(seconds):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(batch.time, "sleep", stop)
        with pytest.raises(KeyboardInterrupt):
            batch.batch_vectors(texts, MODEL)
    assert stats()["batches"] == 1
    assert_right(batch.batch_vectors(texts, MODEL, poll=.01), texts)
    assert stats()["batches"] == 1 and stats()["twice"] == 0


def test_texts_that_fail_in_a_batch_go_into_a_second(serve):
    stats = serve(dimension=8, polls=0, faults=["500"], every=10)
    texts = written(100)
    assert_right(batch.batch_vectors(texts, MODEL, poll=.01), texts)
    assert stats()["batches"] == 2 and stats()["billed"] == 100


def test_a_refused_batch_says_why(serve):
    stats = serve(refuse_batches=True)
    with pytest.raises(api.ServiceError, match="batch was refused: Enqueued token limit"):
        batch.batch_vectors(["a"], MODEL, poll=.01)
    assert stats()["batches"] == 1


def test_a_batch_with_a_wrong_key(serve):
    serve(key="another")
    with pytest.raises(api.ServiceError, match="refused the key"):
        batch.batch_vectors(["a"], MODEL)


def test_more_tokens_than_may_wait_are_sent_part_by_part(serve):
    stats = serve(dimension=8, polls=1, enqueued=1500)
    texts, report = written(100), {}  # 6,100 words
    made = batch.batch_vectors(texts, MODEL, report=report, poll=.01, waiting=1500)
    assert_right(made, texts)
    assert stats()["billed"] == 100 and stats()["twice"] == 0 and report["sent"] == 100
    assert 5 <= stats()["batches"] <= 12


def test_one_text_above_the_limit_says_so(serve):
    serve(dimension=8, polls=0, enqueued=5)
    with pytest.raises(api.ServiceError, match="refused: Enqueued token limit reached"):
        batch.batch_vectors(["one two three four five six seven"], MODEL, poll=.01)


def test_the_commonest_reason_of_failed_lines_is_said(serve):
    stats = serve(dimension=8, polls=0, error_file=True)
    texts = written(30)
    with pytest.raises(api.ServiceError, match="texts failed in two batches, most often because: "
                                               "the input is not allowed; the others are kept"):
        batch.batch_vectors(texts, MODEL, poll=.01)
    assert stats()["billed"] >= 20 and stats()["twice"] == 0


def test_zeros_in_the_output_of_a_batch_are_no_vector(serve):
    serve()
    lines = [json.dumps({"custom_id": f"0{i}", "response": {
        "status_code": 200, "body": {"data": [{"index": 0, "embedding": numbers}]}}})
        for i, numbers in enumerate([[0, 0], [1, 2]])]
    assert list(batch._vectors("\n".join(lines), {"tokens": 0}, {})) == [b"\1"]
