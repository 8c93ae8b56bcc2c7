"""Read the answers of a server: vectors in order, chat text, and what it says instead."""

import base64
import json
import re

import numpy as np

from genept_utils.embed.server import BadAnswer, Refused, ServiceError, plain

SPREAD = 5  # of the numbers of a vector, in powers of two; see _spread
_TAG = r"(?:think|thinking|thought|reasoning)"
_THOUGHT = re.compile(rf"<({_TAG})>.*?</\1>", re.DOTALL | re.IGNORECASE)
_ENDED = re.compile(rf"^.*</{_TAG}>", re.DOTALL | re.IGNORECASE)
_BEGUN = re.compile(rf"<{_TAG}>.*$", re.DOTALL | re.IGNORECASE)


def said(message):
    """The text of a chat message, whose content may be a list of parts."""
    content = message["content"]
    if isinstance(content, list):
        parts = [part if isinstance(part, str) else part.get("text") for part in content
                 if isinstance(part, str) or part.get("type", "text") in ("text", "output_text")]
        content = "".join(part for part in parts if part)
    return spoken(content or "")


def spoken(text):
    """Strip the ``<think>...</think>`` block of a chat model's answer.

    Where a template has opened the thought, only its end stands in the answer; a thought that
    never ends leaves nothing.
    """
    text = _THOUGHT.sub("", text)
    text = _ENDED.sub("", text)
    return _BEGUN.sub("", text).strip()


def read_vectors(content, n, known):
    """(n, d) float32 in the order of the inputs, and the tokens used, from the body of an
    answer; ``known`` carries dimension and name of the model from request to request.

    Where no row has an index its position counts, if there are as many rows as texts.
    """
    answer = parsed(content)
    try:
        rows = answer["data"]
        if len(rows) != n:
            raise BadAnswer(f"{len(rows)} vectors came for {n} texts")
        found = [_numbers(rows[row]["embedding"]) for row in _order(rows)]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadAnswer("the answer is not complete") from error
    dimension = known.setdefault("dimension", len(found[0]))
    if any(len(row) != dimension for row in found):
        raise BadAnswer(f"vectors of another length than {dimension}, the length before, came")
    name = answer.get("model")
    if name and known.setdefault("model", name) != name:
        raise BadAnswer(f"the server answered as {name!r} and before as {known['model']!r}")
    return np.stack(found), tokens_used(answer)


def _order(rows):
    """Row numbers in the order of the texts. A server that gives every row the same index, or
    leaves some out where the others are in order, means the order in which they stand."""
    places = [row.get("index") for row in rows]
    given = {place for place in places if place is not None}
    in_order = all(place in (None, i) for i, place in enumerate(places))
    if in_order or len(given) == 1:
        return range(len(rows))
    if sorted(places) != list(range(len(rows))):
        raise BadAnswer("the order of the vectors is not told")
    return sorted(range(len(rows)), key=places.__getitem__)


def parsed(content):
    """The body of an answer with status 200 as a dict; what else a server may say is refused."""
    text = content if isinstance(content, str) else content.decode("utf-8", "replace")
    text = text.lstrip("\ufeff \r\n\t")
    if text[:1] == "<":
        raise ServiceError("The server answered with a web page: OPENAI_BASE_URL must be the "
                           "address of its /v1.")
    try:
        answer = json.loads(text)
    except ValueError as error:
        if text and text[0] not in "{[":  # words, and no answer that was cut short
            raise Refused(f"the server said: {plain(text)}") from None
        raise BadAnswer("the answer is not complete") from error
    if not isinstance(answer, dict):
        raise BadAnswer("the answer is not complete")
    if not {"data", "choices", "error"} & answer.keys():
        answer["error"] = answer.get("message") or answer.get("msg")
    wrong = answer.get("error") or ("detail" in answer and "data" not in answer
                                    and answer["detail"])
    if wrong:
        said = wrong.get("message", wrong) if isinstance(wrong, dict) else wrong
        code = str(wrong.get("code", "")) if isinstance(wrong, dict) else ""
        kind = BadAnswer if code == "429" or code.startswith("5") else Refused
        raise kind(f"the server said: {plain(said)}")
    return answer


def tokens_used(answer):
    usage = answer.get("usage")
    return (usage.get("total_tokens") if isinstance(usage, dict) else 0) or 0


def _numbers(embedding):
    """One row as (d,) float32, from numbers or from base64."""
    if embedding is None or not len(embedding):
        raise ValueError("no numbers")
    if isinstance(embedding, str):
        return _decoded(base64.b64decode(embedding, validate=True))
    row = np.asarray(embedding, dtype="<f4")
    if row.ndim == 2 and len(row) == 1:
        row = row[0]
    if row.ndim != 1:
        raise Refused(f"a vector per token came ({' x '.join(map(str, row.shape))} numbers for a "
                      "text); set the server's pooling to mean or cls")
    return row


def _decoded(content):
    """Numbers from bytes. OpenAI sends float32; some servers send the floats of their model, half
    or double. Read with a wrong width, numbers spread over many powers of two."""
    low = np.frombuffer(content[:len(content) // 8 * 8], "<u4")[::2]
    if len(low) >= 4 and low.any() and not (low & 0x1FFFFFFF).any():  # float32 written as double
        return np.frombuffer(content, "<f8").astype("<f4")
    kinds = [kind for kind in ("<f4", "<f2", "<f8") if len(content) % np.dtype(kind).itemsize == 0]
    spreads = {kind: _spread(content, kind) for kind in kinds}
    if spreads.get("<f4", np.inf) > SPREAD:
        spreads |= {kind: np.inf for kind in kinds if spreads[kind] < .01}  # one number throughout
        return np.frombuffer(content, min(kinds, key=spreads.get)).astype("<f4")
    return np.frombuffer(content, "<f4")


def _spread(content, kind):
    """Powers of two over which numbers spread: 1.6 for normal ones, 9 and more where the width is
    wrong."""
    with np.errstate(invalid="ignore"):
        row = np.frombuffer(content, kind).astype(float)
    if not np.isfinite(row).all():
        return np.inf
    return np.log2(np.abs(row[row != 0])).std() if row.any() else 0
