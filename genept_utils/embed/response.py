"""Read the answers of a server: vectors in order, chat text, and what it says instead."""

import json
import re

import numpy as np

from genept_utils.embed.server import BadAnswer, Refused, ServiceError, plain

_TAG = r"(?:think|thinking|thought|reasoning)"
_THOUGHT = rf"(?is)<({_TAG})>.*?</\1>"
_HALF = rf"(?is)^.*</{_TAG}>|<{_TAG}>.*$"


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
    return re.sub(_HALF, "", re.sub(_THOUGHT, "", text)).strip()


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
    text = content.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
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
    wrong, code = answer.get("error"), ""
    if not {"data", "choices"} & answer.keys():
        wrong = wrong or answer.get("detail") or answer.get("message") or answer.get("msg")
    if isinstance(wrong, dict):
        wrong, code = wrong.get("message", wrong), str(wrong.get("code", ""))
    if wrong:
        kind = BadAnswer if code == "429" or code.startswith("5") else Refused
        raise kind(f"the server said: {plain(wrong)}")
    return answer


def tokens_used(answer):
    usage = answer.get("usage")
    return (usage.get("total_tokens") if isinstance(usage, dict) else 0) or 0


def _numbers(embedding):
    """One row as (d,) float32."""
    row = np.asarray(embedding, dtype="<f4")
    if row.ndim == 2 and len(row) == 1:
        row = row[0]
    if row.ndim > 1:
        raise Refused(f"a vector per token came ({' x '.join(map(str, row.shape))} numbers for a "
                      "text); set the server's pooling to mean or cls")
    if not row.ndim or not row.size:
        raise ValueError("no numbers")
    return row
