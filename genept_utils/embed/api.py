"""Vectors and answers of an OpenAI-compatible server, each kept on disk and paid for once.

The address is ``$OPENAI_BASE_URL`` (OpenAI's own by default), the key ``$OPENAI_API_KEY``.
"""

import warnings

import numpy as np

from genept_utils import optional
from genept_utils.embed import cost, store
from genept_utils.embed.client import ask_all

from genept_utils.embed.response import parsed, read_vectors, said, spoken, tokens_used
from genept_utils.embed.server import BadAnswer, Refused, ServiceError, plain

MAX_INPUTS = 2048  # inputs a request, OpenAI's limit
MAX_REQUEST_TOKENS = 300_000  # tokens a request
FAILURES_AT_BASE64 = 2  # in a row, before numbers are asked for
# How vectors are asked for: in base64, as numbers, without a word on it, one text (a string and
# no list) a request.
FORMS = ("base64", "float", "bare", "one text")
BROKEN = (500, 501, 502)  # a server that is only busy says 503 or 504


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
        whole = np.isfinite(found).all(axis=1) & (found != 0).any(axis=1)
        if len(job) == 1 and not whole[0]:
            raise BadAnswer("a vector of zeros, or with NaN or infinite numbers, came")
        return [row.tobytes() if good else None for row, good in zip(found, whole)], used

    found = ask_all(model, wanted, lambda missing: packed(missing, wanted, inputs), send,
                    report, **limits)
    return stacked(keys, found)


def _asked(client, texts, model, dimensions, known):
    """The body of an answer and the form it was asked in; see :data:`FORMS`.

    Base64 is a third of the size of numbers. A server that refuses a form, or fails at base64
    without a word, is asked in the next one. ``known`` holds the form of what was read before
    ("form before"). A server of which nothing was read may fail at base64 each time: of its tries
    the one after two failures is for numbers.
    """
    form, unread = known.get("form before", FORMS[0]), "form before" not in known
    if unread and known.get("failed") == FAILURES_AT_BASE64:
        form = "float"
    while True:
        if form == "one text" and len(texts) > 1:
            raise Refused("it takes one text a request")
        try:
            return _post(client, texts, model, dimensions, form), form
        except optional.need("openai").APIStatusError as error:
            words = f"{plain(error)} {error.response.text[:1000]}".lower()
            if dimensions is not None and error.status_code < 500 and (
                    "dimension" in words or "matryoshka" in words):
                raise ServiceError(f"The server takes no dimensions={dimensions} for {model}: "
                                   f"{plain(error)}. Leave dimensions out.") from None
            if unread and error.status_code in BROKEN:
                known["failed"] = known.get("failed", 0) + 1
            another = _next_form(form, error.status_code, words)
            if "form" in known or another is None:
                raise
            form = another


def _post(client, texts, model, dimensions, form):
    """The bytes of one answer. Posted by hand, since the client always sends an
    ``encoding_format``, which some servers refuse."""
    body = {"model": model, "input": texts[0] if form == "one text" else texts}
    if form in ("base64", "float"):
        body["encoding_format"] = form
    if dimensions is not None:
        body["dimensions"] = dimensions
    return client.post("/embeddings", body=body, cast_to=bytes)


def _next_form(form, status, words):
    """The form to ask in after a refusal; None where the form is not what was refused."""
    if status in (401, 403, 404, 405, 429):
        return None
    doubtful = status in (400, 415, 422)
    if form == "base64" and (doubtful or "base64" in words or "encoding" in words):
        return "float"
    if form == "float" and doubtful and ("encoding" in words or "extra" in words):
        return "bare"
    one_text = "string" in words or "'str'" in words or "one input" in words
    if form != "one text" and doubtful and one_text and "too" not in words:
        return "one text"
    return None


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
        answer = parsed(raw.content)
        try:
            choice = answer["choices"][0]
            words = said(choice["message"])
        except (LookupError, TypeError, AttributeError) as error:
            raise BadAnswer("the answer is not complete") from error
        why = choice.get("finish_reason")
        if why in ("length", "content_filter"):
            raise Refused(f"the answer was cut (finish_reason {why!r})")
        if not words and choice["message"].get("refusal"):
            raise Refused(f"the model said: {plain(choice['message']['refusal'])}")
        if not words:
            raise BadAnswer("the answer is empty")
        return [words.encode()], tokens_used(answer)

    found = ask_all(model, wanted, lambda missing: [([key], 0) for key in missing], send, report,
                    **limits)
    return [spoken(found[key].decode()) for key in keys]


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
