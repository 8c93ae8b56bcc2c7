"""Texts that a chat model writes: what it thinks is not what it says, and a cut answer is none."""

import pytest

from genept_utils import embed, genes
from genept_utils.embed import api, store

ASKED = ["TP53", "ALPP", "CD24", "CD4"]


def test_chat_answers_are_asked_once(serve, source):
    source(genes.HGNC)
    stats = serve(faults=["429", "500", "truncated"], every=4)
    texts = embed.texts("chat", ["TP53", "ALPP", "CD24", "CD4"])
    assert texts["ALPP"] == "An answer to: Tell me about gene ALPP"
    assert embed.texts("chat", ["CD24", "TP53"])["TP53"] == texts["TP53"]
    assert stats()["billed"] == 4 and stats()["twice"] == 0
    embed.texts("chat:another-model", ["TP53"])
    assert stats()["billed"] == 5


@pytest.mark.parametrize("how", ["think", "ended", "parts"])
def test_only_what_is_said_becomes_the_text(serve, source, how):
    source(genes.HGNC)
    serve(chat=how)
    texts = embed.texts("chat", ASKED)
    assert texts.to_dict() == {s: f"An answer to: Tell me about gene {s}" for s in ASKED}


def test_a_thought_kept_by_an_earlier_version_is_taken_away(serve, source):
    source(genes.HGNC)
    stats = serve()
    key = store.key("chat", "m", "Tell me about gene CD4")
    with store.opened() as table:
        store.write(table, {key: b"<think>\nIs it\n?</think>\nA co-receptor."})
    assert embed.texts("chat:m", ["CD4"]).item() == "A co-receptor."
    assert stats()["requests"] == 0


@pytest.mark.parametrize("text, said", [
    ("<think>a</think>b", "b"), ("<THINKING>a\nb</THINKING>\n c ", "c"), ("a</think> b", "b"),
    ("<think>never ends", ""), ("b <think>x</think> c", "b  c"), ("p < q and q > p", "p < q and q > p"),
])
def test_spoken(text, said):
    assert api.spoken(text) == said


def test_a_cut_answer_is_not_kept_and_costs_no_other(serve, source):
    source(genes.HGNC)
    stats = serve(chat="length")
    with pytest.raises(api.ServiceError, match="refused 1 of 4 texts.*CD24.*'length'.*had come is kept"):
        embed.texts("chat", ASKED)
    with pytest.raises(api.ServiceError, match="CD24"):
        embed.texts("chat", ASKED)
    assert embed.texts("chat", ["TP53", "ALPP", "CD4"])["CD4"].startswith("An answer")
    assert stats()["texts"] == 4 and stats()["billed"] == 5  # the cut one was asked twice


def test_an_endless_thought_is_no_answer(serve):
    serve(chat="open")
    with pytest.raises(api.ServiceError, match="the answer is empty"):
        api.answers(["a"], "m", retries=1)
