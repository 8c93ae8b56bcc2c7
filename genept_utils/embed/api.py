"""Vectors and answers of an OpenAI-compatible server, each kept on disk and paid for once.

The address is ``$OPENAI_BASE_URL`` (OpenAI's own by default), the key ``$OPENAI_API_KEY``.
"""

import base64
import json
import warnings

import numpy as np

from genept_utils.embed import cost, store
from genept_utils.embed.client import BadAnswer, ServiceError, ask_all

MAX_INPUTS = 2048  # inputs a request, OpenAI's limit
MAX_REQUEST_TOKENS = 300_000  # tokens a request


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
    options = {} if dimensions is None else {"dimensions": dimensions}

    def send(client, job, known):
        raw = client.embeddings.with_raw_response.create(
            input=[wanted[key] for key in job], model=model, encoding_format="base64", **options)
        found, used = read_vectors(raw.content, len(job), known)
        return [row.tobytes() for row in found], used

    found = ask_all(model, wanted, lambda missing: packed(missing, wanted, inputs), send,
                     report, **limits)
    return stacked(keys, found)


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
        try:
            answer = json.loads(raw.content)
            said = answer["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError) as error:
            raise BadAnswer("the answer is not complete") from error
        if not said:
            raise BadAnswer("the answer is empty")
        return [said.encode()], (answer.get("usage") or {}).get("total_tokens", 0)

    found = ask_all(model, wanted, lambda missing: [([key], 0) for key in missing], send, report,
                     **limits)
    return [found[key].decode() for key in keys]


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
    answer; ``known`` carries the dimension from request to request."""
    try:
        answer = json.loads(content)
        rows = sorted(answer["data"], key=lambda row: row["index"])
        if [row["index"] for row in rows] != list(range(n)):
            raise BadAnswer(f"{len(rows)} vectors came for {n} texts")
        found = [_numbers(row["embedding"]) for row in rows]
    except (ValueError, LookupError, TypeError) as error:
        raise BadAnswer("the answer is not complete") from error
    dimension = known.setdefault("dimension", len(found[0]))
    if any(len(row) != dimension for row in found):
        raise BadAnswer(f"vectors of another length than {dimension}, the length before, came")
    found = np.stack(found)
    if not np.isfinite(found).all():
        raise BadAnswer("a vector with NaN or infinite numbers came")
    return found, (answer.get("usage") or {}).get("total_tokens", 0)


def _numbers(embedding):
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4")
    return np.asarray(embedding, dtype="<f4")
