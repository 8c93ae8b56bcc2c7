"""The server that the environment names: its client, and its answers: vectors in order, chat text,
and what it says instead, in plain words."""

import contextlib
import email.utils
import json
import os
import re
import sys
import time
import urllib.parse

import numpy as np

from genept_utils import optional, sources

WITHOUT = "Without a key: the shipped embedding (read_embedding()), wordllama, tfidf and st:MODEL."
MAX_BODY = 200 << 20  # bytes of one answer: 2,048 inputs of 4,096 numbers as text
BODY_TIMEOUTS = 2  # time-outs that one answer may take as a whole


class ServiceError(OSError):
    """The server cannot or will not answer; one sentence says why and what to do."""


class BadAnswer(Exception):
    """An answer that is refused: cut short, a wrong count, another dimension."""


class BadVector(BadAnswer):
    """A vector of zeros, or with NaN; the server is up."""


class Refused(Exception):
    """The server refused the request as such; a smaller one, or another text, may pass."""


class Broken(Refused):
    """The server failed at the request each time it was asked."""


_ADDRESS = re.compile(r"https?://([^/@\s]*@)?(\[[0-9A-Fa-f:.]+\]|[^\[\]/:\s]+)(:\d+)?(/\S*)?$")
_TAG = r"(?:think|thinking|thought|reasoning)"
_THOUGHT = rf"(?is)<({_TAG})>.*?</\1>"
_HALF = rf"(?is)^.*</{_TAG}>|<{_TAG}>.*$"


def final(error, model, answered):
    """ServiceError for an error that another request would not mend, else None. Where the server
    has ``answered`` before, nobody at its address is taken for a fault that passes."""
    cause = error.__cause__
    if isinstance(cause, ServiceError):  # an answer without end
        return cause
    status = getattr(error, "status_code", 0)
    if status == 401:
        return ServiceError(f"The server refused the key in OPENAI_API_KEY. {WITHOUT}")
    if status == 403:
        return ServiceError(f"The key in OPENAI_API_KEY may not use {model}. {WITHOUT}")
    if status in (404, 405):
        return ServiceError(f"The server knows no model {model!r}, or OPENAI_BASE_URL is not the "
                            f"address of its /v1. It said: {plain(error)}")
    if status == 429 and error.code == "insufficient_quota":
        return ServiceError(f"The account of OPENAI_API_KEY has no quota left. {WITHOUT}")
    if not answered and "CERTIFICATE_VERIFY_FAILED" in str(cause):
        return ServiceError(f"{sources.UNTRUSTED.format(error.request.url.host)}; {sources.TRUST}.")
    # httpx's, whichever of its packages is in use
    if not answered and type(cause).__name__ == "ConnectError":
        return ServiceError(f"No server answers at {error.request.url} ({plain(cause)});"
                            " OPENAI_BASE_URL must be the address of its /v1.")
    return None


def asked_to_wait(response, longest=120):
    """Seconds from the Retry-After header (a number or a date); None where it is absent."""
    value = response.headers.get("retry-after", "") if response is not None else ""
    if date := email.utils.parsedate_tz(value):
        seconds = email.utils.mktime_tz(date) - time.time()
    elif re.fullmatch(r"\d+(\.\d+)?", value):
        seconds = float(value)
    else:
        return None
    return min(max(seconds, 0), longest)


def plain(error):
    """What the server said, short and without the key."""
    words = str(error)
    if re.fullmatch(r"Error code: \d+", words):  # the client found no message in the body
        words = f"{words}: {error.response.text[:1000]}"
    words, key = " ".join(words.split()), os.environ.get("OPENAI_API_KEY", "").strip()
    return (words.replace(key, "...") if key else words)[:200]  # a cut key would not be found


def make_client(timeout):
    """The client of the server that the environment names. What follows a "?" in the address
    goes with every request, and a server that asks for its version so (Azure) gets the key in
    its own header."""
    openai = optional.need("openai")
    key, address = (os.environ.get(name, "").strip()
                    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"))
    if not (key.isascii() and key.isprintable()):
        raise ServiceError("OPENAI_API_KEY holds characters that no key has. " + WITHOUT)
    if not key and not address:
        raise ServiceError("There is no key in OPENAI_API_KEY, and no OPENAI_BASE_URL of a server "
                           "that needs none. " + WITHOUT)
    if address and not _ADDRESS.match(address):
        raise ServiceError(f"OPENAI_BASE_URL is {address!r}; it must be an address such as "
                           "http://localhost:8080/v1")
    base, _, query = address.partition("?")
    query = dict(urllib.parse.parse_qsl(query))
    return openai.OpenAI(
        api_key=key or "none", max_retries=0, timeout=timeout, base_url=base or None,
        default_query=query or None,
        default_headers={"api-key": key} if "api-version" in query else None,
        http_client=openai.DefaultHttpxClient(
            timeout=timeout, event_hooks={"response": [lambda answer: _bound(answer, timeout)]}))


def _bound(answer, timeout):
    """Bound the body of an answer in time and size: a time-out of the client is one of each
    single read, which a server that drips bytes never reaches."""
    if not answer.request.url.path.endswith(("/embeddings", "/completions")):
        return  # files of the Batch API are large
    httpx = sys.modules[type(answer).__module__.partition(".")[0]]
    body, end = bytearray(), time.monotonic() + BODY_TIMEOUTS * timeout
    for chunk in answer.stream:
        body += chunk
        if len(body) > MAX_BODY:
            raise ServiceError(f"The server's answer is longer than {MAX_BODY >> 20} MB; give fewer "
                               "inputs a request (inputs=N)")
        if time.monotonic() > end:
            raise ServiceError("The server's answer does not end within "
                               f"{BODY_TIMEOUTS * timeout:g} seconds; see what is wrong with the "
                               "server, or give it more time (timeout=SECONDS)")
    answer.stream.close()
    answer.stream = httpx.ByteStream(bytes(body))


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
    """The vectors of an answer's body as bytes of float32 in the order of the inputs, None for one
    of zeros or with NaN, and the tokens used; ``known`` carries dimension and name of the model
    from request to request.

    Where no row has an index its position counts, if there are as many rows as texts.
    """
    answer = parsed(content)
    with complete():
        rows = answer["data"]
        if len(rows) != n:
            raise BadAnswer(f"{len(rows)} vectors came for {n} texts")
        found = [_numbers(rows[row]["embedding"]) for row in _order(rows)]
    dimension = known.setdefault("dimension", len(found[0]))
    if any(len(row) != dimension for row in found):
        raise BadAnswer(f"vectors of another length than {dimension}, the length before, came")
    name = answer.get("model")
    if name and known.setdefault("model", name) != name:
        raise BadAnswer(f"the server answered as {name!r} and before as {known['model']!r}")
    return [row.tobytes() if row.any() and np.isfinite(row).all() else None
            for row in found], tokens_used(answer)


def _order(rows):
    """Row numbers in the order of the texts. A server that gives every row the same index, or
    leaves some out where the others are in order, means the order in which they stand."""
    places = [row.get("index") for row in rows]
    in_order = all(place in (None, i) for i, place in enumerate(places))
    if in_order or len(set(places) - {None}) == 1:
        return range(len(rows))
    if sorted(places) != list(range(len(rows))):
        raise BadAnswer("the order of the vectors is not told")
    return sorted(range(len(rows)), key=places.__getitem__)


@contextlib.contextmanager
def complete():
    """Refuse an answer in which something is missing or is of another kind."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadAnswer("the answer is not complete") from error


def parsed(content):
    """The body of an answer with status 200 as a dict; what else a server may say is refused."""
    text = content.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    if text[:1] == "<":
        raise ServiceError("The server answered with a web page: OPENAI_BASE_URL must be the "
                           "address of its /v1.")
    if text and text[0] not in "{[":  # words, and no answer that was cut short
        raise Refused(f"the server said: {plain(text)}")
    with complete():
        answer = json.loads(text)
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
