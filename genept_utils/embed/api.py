"""Vectors and answers of an OpenAI-compatible server, each kept on disk and paid for once.

The address is ``$OPENAI_BASE_URL`` (OpenAI's own by default), the key ``$OPENAI_API_KEY``.
"""

import base64
import json
import re
import warnings

import numpy as np

from genept_utils import extras
from genept_utils.embed import cost, store
from genept_utils.embed.client import BadAnswer, Refused, ServiceError, ask_all, plain

MAX_INPUTS = 2048  # inputs a request, OpenAI's limit
MAX_REQUEST_TOKENS = 300_000  # tokens a request
FAILURES_AT_BASE64 = 2  # in a row, before numbers are asked for
BROKEN = (500, 501, 502)  # a server that is only busy says 503 or 504
_TAG = r"(?:think|thinking|thought|reasoning)"
_THOUGHT = re.compile(rf"<({_TAG})>.*?</\1>", re.DOTALL | re.IGNORECASE)
_ENDED = re.compile(rf"^.*</{_TAG}>", re.DOTALL | re.IGNORECASE)
_BEGUN = re.compile(rf"<{_TAG}>.*$", re.DOTALL | re.IGNORECASE)


def vectors(texts, model, dimensions=None, report=None, max_tokens=cost.MAX_TOKENS,
            inputs=cost.INPUTS, **limits):
    """One vector per text from ``/v1/embeddings``.

    Parameters
    ----------
    texts : sequence of str
        (n,) texts. Equal texts are sent once; an empty one is not sent and gets zeros, as in the
        authors' code.
    model : str
        The server's name of the model.
    dimensions : int, optional
        Shorter vectors, for models that can.
    report : dict, optional
        Filled with ``texts``, ``sent``, ``kept`` (taken from disk), ``empty``, ``truncated``
        (longer than ``max_tokens``, cut at a token boundary), ``requests``, ``retries`` and
        ``tokens`` (as the server counted them).
    max_tokens, inputs : int
        Longest input, and inputs a request.
    **limits
        ``concurrency`` (8), ``requests_per_minute`` (3000), ``tokens_per_minute`` (None),
        ``timeout`` (60 seconds), ``retries`` (8).

    Returns
    -------
    numpy.ndarray
        (n, d) float32, as the server gave them.

    Raises
    ------
    ServiceError
        No key, a refused key, no quota, an unknown model, or a server that fails for good. All
        vectors that had come are kept.
    """
    texts, report, keys = prepared(texts, model, dimensions, max_tokens, report)
    wanted = dict(zip(keys, texts))
    wanted.pop(None, None)

    def send(client, job, known):
        content, form = _asked(client, [wanted[key] for key in job], model, dimensions, known)
        found, used = read_vectors(content, len(job), known)
        known["form"] = form
        if dimensions is not None and found.shape[1] != dimensions:
            raise ServiceError(f"The server ignores dimensions={dimensions}: {model} gave "
                               f"{found.shape[1]} numbers. Leave dimensions out.")
        return [row.tobytes() for row in found], used

    found = ask_all(model, wanted, lambda missing: packed(missing, wanted, inputs), send,
                    report, **limits)
    return stacked(keys, found)


def _asked(client, texts, model, dimensions, known):
    """The body of an answer and the form it was asked in. Base64 is a third of the size of
    numbers; a server that refuses it, or fails at it without a word, is asked for numbers.

    ``known`` holds the form of what was read before ("form before"). A server of which nothing
    was read may fail at base64 each time: of its tries the one after two failures is for numbers.
    """
    openai = extras.need("openai")
    options = {} if dimensions is None else {"dimensions": dimensions}
    form, unread = known.get("form before", "base64"), "form before" not in known
    if unread and known.get("failed") == FAILURES_AT_BASE64:
        form = "float"
    create = client.embeddings.with_raw_response.create
    try:
        content = create(input=texts, model=model, encoding_format=form, **options).content
    except openai.APIStatusError as error:
        said = f"{plain(error)} {error.response.text[:1000]}".lower()
        if dimensions is not None and error.status_code < 500 and (
                "dimension" in said or "matryoshka" in said):
            raise ServiceError(f"The server takes no dimensions={dimensions} for {model}: "
                               f"{plain(error)}. Leave dimensions out.") from None
        if unread and error.status_code in BROKEN:
            known["failed"] = known.get("failed", 0) + 1
        doubtful = error.status_code in (400, 415, 422) or "base64" in said or "encoding" in said
        if "form" in known or form == "float" or not doubtful or (
                error.status_code in (401, 403, 404, 405, 429)):
            raise
        form = "float"
        content = create(input=texts, model=model, encoding_format=form, **options).content
    return content, form


def answers(prompts, model, report=None, **limits):
    """One answer per prompt from ``/v1/chat/completions``, kept like the vectors.

    Parameters
    ----------
    prompts : sequence of str
        (n,) prompts, each sent alone as the user's message, as in the authors' code.
    model : str
        The server's name of the model.
    report, **limits
        As in :func:`vectors`.

    Returns
    -------
    list of str
        (n,) answers.
    """
    report = {} if report is None else report
    keys = [store.key("chat", model, prompt) for prompt in prompts]
    wanted = dict(zip(keys, prompts))
    report.update(texts=len(keys), requests=0, retries=0, tokens=0)

    def send(client, job, known):
        raw = client.chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": wanted[job[0]]}])
        answer = _parsed(raw.content)
        try:
            choice = answer["choices"][0]
            said = _said(choice["message"])
        except (LookupError, TypeError, AttributeError) as error:
            raise BadAnswer("the answer is not complete") from error
        why = choice.get("finish_reason")
        if why in ("length", "content_filter"):
            raise Refused(f"the answer was cut (finish_reason {why!r})")
        if not said:
            raise BadAnswer("the answer is empty")
        return [said.encode()], _used(answer)

    found = ask_all(model, wanted, lambda missing: [([key], 0) for key in missing], send, report,
                    **limits)
    return [spoken(found[key].decode()) for key in keys]


def _said(message):
    """The text of a chat message, whose content may be a list of parts."""
    content = message["content"]
    if isinstance(content, list):
        parts = [part if isinstance(part, str) else part.get("text") for part in content
                 if isinstance(part, str) or part.get("type", "text") in ("text", "output_text")]
        content = "".join(part for part in parts if part)
    return spoken(content or "")


def spoken(text):
    """What a chat model says without what it thinks first: ``<think>...</think>`` is taken away.

    Where a template has opened the thought, only its end stands in the answer; a thought that
    never ends leaves nothing.
    """
    text = _THOUGHT.sub("", text)
    text = _ENDED.sub("", text)
    return _BEGUN.sub("", text).strip()


def prepared(texts, model, dimensions, max_tokens, report):
    """Texts that fit, the report begun, and one key per text (None for an empty text)."""
    texts = [str(text).strip() for text in texts]
    short = [cost.shorten(text, max_tokens) for text in texts]
    cut = sum(a != b for a, b in zip(texts, short))
    if cut:
        warnings.warn(f"{cut:,} of {len(texts):,} texts are longer than {max_tokens:,} tokens; "
                      "their ends are left out", stacklevel=3)
    report = {} if report is None else report
    report.update(texts=len(texts), empty=short.count(""), truncated=cut, requests=0, retries=0,
                  tokens=0)
    return short, report, [store.vector_key(model, dimensions, text) if text else None
                           for text in short]


def stacked(keys, found):
    width = {len(value) for value in found.values()}
    if len(width) > 1:
        raise ServiceError("vectors of different length are kept for this model ("
                           + ", ".join(str(w // 4) for w in sorted(width))
                           + " numbers); give the model another name or empty the cache")
    width = width.pop() if width else 0
    joined = b"".join(found[key] if key else bytes(width) for key in keys)
    return np.frombuffer(joined, dtype="<f4").reshape(len(keys), width // 4)


def packed(keys, texts, inputs):
    """Lists of keys that fit one request each, with their tokens."""
    counts, exact = cost.count_tokens(texts[key] for key in keys)
    if not exact:
        counts = np.array([len(texts[key].encode()) / cost.BYTES_PER_TOKEN_LEAST for key in keys])
    jobs, job, tokens = [], [], 0
    for key, count in zip(keys, counts):
        if job and (len(job) == min(inputs, MAX_INPUTS) or tokens + count > MAX_REQUEST_TOKENS):
            jobs.append((job, tokens))
            job, tokens = [], 0
        job.append(key)
        tokens += int(count)
    return [*jobs, (job, tokens)] if job else jobs


def read_vectors(content, n, known):
    """(n, d) float32 in the order of the inputs, and the tokens used, from the body of an
    answer; ``known`` carries dimension and name of the model from request to request.

    Where no row has an index its position counts, if there are as many rows as texts.
    """
    answer = _parsed(content)
    try:
        rows = answer["data"]
        places = [row.get("index") for row in rows]
        if len(rows) == n and all(place is None for place in places):
            places = list(range(n))
        if sorted(places) != list(range(n)):
            raise BadAnswer(f"{len(rows)} vectors came for {n} texts, or their order is not told")
        found = [_numbers(row["embedding"]) for _, row in
                 sorted(zip(places, rows), key=lambda pair: pair[0])]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadAnswer("the answer is not complete") from error
    dimension = known.setdefault("dimension", len(found[0]))
    if any(len(row) != dimension for row in found):
        raise BadAnswer(f"vectors of another length than {dimension}, the length before, came")
    found = np.stack(found)
    if not np.isfinite(found).all():
        raise BadAnswer("a vector with NaN or infinite numbers came")
    name = answer.get("model")
    if name and known.setdefault("model", name) != name:
        raise BadAnswer(f"the server answered as {name!r} and before as {known['model']!r}")
    return found, _used(answer)


def _parsed(content):
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


def _used(answer):
    usage = answer.get("usage")
    return (usage.get("total_tokens") if isinstance(usage, dict) else 0) or 0


def _numbers(embedding):
    if embedding is None or not len(embedding):
        raise ValueError("no numbers")
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4")
    return np.asarray(embedding, dtype="<f4")
