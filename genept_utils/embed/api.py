"""Vectors and answers of an OpenAI-compatible server, each kept on disk and paid for once.

The address is ``$OPENAI_BASE_URL`` (OpenAI's own by default), the key ``$OPENAI_API_KEY``.
"""

import re
import warnings

import numpy as np

from genept_utils import optional
from genept_utils.embed import cost, store
from genept_utils.embed.client import ask_all
from genept_utils.embed.server import (BadAnswer, BadVector, Refused, ServiceError, complete,
                                       parsed, plain, read_vectors, said, spoken, tokens_used)

MAX_INPUTS = 2048  # inputs a request, OpenAI's limit


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
    keys, wanted, report = prepared(texts, model, dimensions, max_tokens, report)

    def send(client, job, known):
        content = _post(client, [wanted[key] for key in job], model, dimensions, known)
        found, used = read_vectors(content, len(job), known)
        if dimensions not in (None, known["dimension"]):
            raise ServiceError(f"The server ignores dimensions={dimensions}: {model} gave "
                               f"{known['dimension']} numbers. Leave dimensions out.")
        if found == [None]:
            raise BadVector("a vector of zeros, or with NaN or infinite numbers, came")
        return found, used

    def sizes(missing):
        counts, exact = cost.count_tokens(wanted[key] for key in missing)
        return counts if exact else counts * cost.BYTES_PER_TOKEN / cost.BYTES_PER_TOKEN_LEAST

    found = ask_all(model, wanted, send, report, sizes, min(inputs, MAX_INPUTS), **limits)
    return stacked(keys, found)


def prepared(texts, model, dimensions, max_tokens, report):
    """One key per text, what is to be asked for by key, and the report begun."""
    texts = [str(text).strip() for text in texts]
    short = [cost.shorten(text, max_tokens) for text in texts]
    cut = sum(text != kept for text, kept in zip(texts, short))
    if cut:
        warnings.warn(f"{cut:,} of {len(texts):,} texts are longer than {max_tokens:,} tokens; "
                      "their ends are left out", stacklevel=3)
    report = {} if report is None else report
    report.update(texts=len(texts), empty=short.count(""), truncated=cut)
    keys = [store.vector_key(model, dimensions, text) for text in short]
    return keys, {key: text for key, text in zip(keys, short) if text}, report


def stacked(keys, found):
    """(n, d) float32 of what was found; zeros for an empty text."""
    widths = sorted({len(value) for value in found.values()}) or [0]
    if len(widths) > 1:
        raise ServiceError("vectors of different length are kept for this model ("
                           + ", ".join(str(width // 4) for width in widths)
                           + " numbers); give the model another name or empty the cache")
    joined = b"".join(found.get(key, bytes(widths[0])) for key in keys)
    return np.frombuffer(joined, dtype="<f4").reshape(len(keys), widths[0] // 4)


def _post(client, texts, model, dimensions, known):
    """The body of one answer. Posted by hand, since the client always asks for base64, which some
    servers refuse; where a list of one is refused for being no string, texts go one by one."""
    alone = known.get("one text")
    body = {"model": model, "input": texts[0] if alone and len(texts) == 1 else texts}
    if dimensions is not None:
        body["dimensions"] = dimensions
    try:
        return client.post("/embeddings", body=body, cast_to=bytes)
    except optional.need("openai").APIStatusError as error:
        words = f"{plain(error)} {error.response.text[:1000]}".lower()
        doubtful = error.status_code in (400, 415, 422)
        if dimensions is not None and error.status_code < 500 and re.search(
                "dimension|matryoshka", words):
            raise ServiceError(f"The server takes no dimensions={dimensions} for {model}: "
                               f"{plain(error)}. Leave dimensions out.") from None
        if alone or len(texts) > 1 or not doubtful or "too" in words or not re.search(
                "string|'str'|one input", words):
            raise
        known["one text"] = True
        return _post(client, texts, model, dimensions, known)


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
    keys = [store.key("chat", model, prompt) for prompt in prompts]
    wanted, report = dict(zip(keys, prompts)), {} if report is None else report
    report["texts"] = len(keys)

    def send(client, job, known):
        answer = parsed(client.post("/chat/completions", cast_to=bytes, body={
            "model": model, "messages": [{"role": "user", "content": wanted[job[0]]}]}))
        with complete():
            choice = answer["choices"][0]
            words, refusal = said(choice["message"]), choice["message"].get("refusal")
            why = choice.get("finish_reason")
        if why in ("length", "content_filter"):
            raise Refused(f"the answer was cut (finish_reason {why!r})")
        if not words:
            raise Refused(f"the model said: {plain(refusal)}") if refusal else BadAnswer(
                "the answer is empty")
        return [words.encode()], tokens_used(answer)

    found = ask_all(model, wanted, send, report, **limits)
    return [spoken(found[key].decode()) for key in keys]
