"""Vectors and answers from an OpenAI-compatible server: fast, in order, and paid for once.

The server is OpenAI's, or the one in ``OPENAI_BASE_URL``; the key is read from
``OPENAI_API_KEY`` and stands nowhere else. Requests run on threads, so that all of this works
inside a notebook. An answer is kept on disk the moment its request returns
(:mod:`genept_utils.store`), under the hash of model and text: two servers that give one name to
different models need different caches (``GENEPT_CACHE``).
"""

import base64
import concurrent.futures
import contextlib
import datetime
import email.utils
import json
import os
import random
import sys
import threading
import time
import warnings

import numpy as np

from genept_utils import cost, store

MAX_INPUTS = 2048  # inputs a request, OpenAI's limit
MAX_REQUEST_TOKENS = 300_000  # tokens a request
BATCH_INPUTS = 50_000  # inputs a batch of the Batch API
WITHOUT = ("Without a key: the shipped embedding (read_embedding()), wordllama, tfidf and "
           "st:MODEL.")


class ServiceError(OSError):
    """The server cannot or will not answer; one sentence says why and what to do."""


class _BadAnswer(Exception):
    """An answer that is refused: cut short, a wrong count, NaN, another dimension."""


class _TooLarge(Exception):
    """The server refused the request as such; a smaller one may pass."""


# ---------------------------------------------------------------- vectors and answers

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
    texts, report, keys = _prepared(texts, model, dimensions, max_tokens, report)
    wanted = dict(zip(keys, texts))
    wanted.pop(None, None)
    options = {} if dimensions is None else {"dimensions": dimensions}

    def send(client, job, known):
        raw = client.embeddings.with_raw_response.create(
            input=[wanted[key] for key in job], model=model, encoding_format="base64", **options)
        found, used = _read_vectors(raw.content, len(job), known)
        return [row.tobytes() for row in found], used

    found = _ask_all(model, wanted, lambda missing: _packed(missing, wanted, inputs), send,
                     report, **limits)
    return _stacked(keys, found)


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
            raise _BadAnswer("the answer is not complete") from error
        if not said:
            raise _BadAnswer("the answer is empty")
        return [said.encode()], (answer.get("usage") or {}).get("total_tokens", 0)

    found = _ask_all(model, wanted, lambda missing: [([key], 0) for key in missing], send, report,
                     **limits)
    return [found[key].decode() for key in keys]


def batch_vectors(texts, model, dimensions=None, report=None, max_tokens=cost.MAX_TOKENS, poll=30,
                  timeout=60):
    """One vector per text through the Batch API: half the price, within 24 hours.

    The call submits what is not kept, waits, and collects. It may be stopped at any point: the
    same call later finds its batches on the server (by their metadata) and goes on waiting.

    Parameters
    ----------
    texts, model, dimensions, report, max_tokens
        As in :func:`vectors`; ``report`` gets ``batches`` in place of ``requests``.
    poll : float
        Seconds between two looks at a batch.
    timeout : float
        Seconds for one request.

    Returns
    -------
    numpy.ndarray
        (n, d) float32.

    Raises
    ------
    ServiceError
        As in :func:`vectors`, or texts failed in two batches.
    """
    texts, report, keys = _prepared(texts, model, dimensions, max_tokens, report)
    wanted = {key: text for key, text in zip(keys, texts) if key}
    report.update(batches=0, sent=0)
    with store.opened() as table, store.alone(f"openai:{model}"):
        found = store.read(table, wanted)
        tries = 0
        while missing := [key for key in wanted if key not in found]:
            if tries == 2:
                raise ServiceError(f"{len(missing):,} of {len(wanted):,} texts failed in two "
                                   "batches; the others are kept")
            client = _client(timeout)
            if not _collect(client, table, found, model, poll, report):  # batches under way
                for start in range(0, len(missing), BATCH_INPUTS):
                    _submit(client, model, dimensions, missing[start:start + BATCH_INPUTS],
                            wanted, report)
                _collect(client, table, found, model, poll, report)
                tries += 1
            found |= store.read(table, wanted)
    report["kept"] = len(wanted) - report["sent"]
    return _stacked(keys, {key: found[key] for key in wanted})


def _prepared(texts, model, dimensions, max_tokens, report):
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


def _stacked(keys, found):
    width = {len(value) for value in found.values()}
    if len(width) > 1:
        raise ServiceError("vectors of different length are kept for this model ("
                           + ", ".join(str(w // 4) for w in sorted(width))
                           + " numbers); give the model another name or empty the cache")
    width = width.pop() if width else 0
    joined = b"".join(found[key] if key else bytes(width) for key in keys)
    return np.frombuffer(joined, dtype="<f4").reshape(len(keys), width // 4)


def _packed(keys, texts, inputs):
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


def _read_vectors(content, n, known):
    """(n, d) float32 in the order of the inputs, and the tokens used, from the body of an
    answer; ``known`` carries the dimension from request to request."""
    try:
        answer = json.loads(content)
        rows = sorted(answer["data"], key=lambda row: row["index"])
        if [row["index"] for row in rows] != list(range(n)):
            raise _BadAnswer(f"{len(rows)} vectors came for {n} texts")
        found = [_numbers(row["embedding"]) for row in rows]
    except (ValueError, LookupError, TypeError) as error:
        raise _BadAnswer("the answer is not complete") from error
    dimension = known.setdefault("dimension", len(found[0]))
    if any(len(row) != dimension for row in found):
        raise _BadAnswer(f"vectors of another length than {dimension}, the length before, came")
    found = np.stack(found)
    if not np.isfinite(found).all():
        raise _BadAnswer("a vector with NaN or infinite numbers came")
    return found, (answer.get("usage") or {}).get("total_tokens", 0)


def _numbers(embedding):
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4")
    return np.asarray(embedding, dtype="<f4")


# ---------------------------------------------------------------- batches

def _submit(client, model, dimensions, keys, texts, report):
    body = {"model": model} if dimensions is None else {"model": model, "dimensions": dimensions}
    lines = [json.dumps({"custom_id": key.hex(), "method": "POST", "url": "/v1/embeddings",
                         "body": {**body, "input": texts[key]}}) for key in keys]
    with _said_plainly(model):
        file = client.files.create(file=("texts.jsonl", "\n".join(lines).encode()),
                                   purpose="batch")
        client.batches.create(input_file_id=file.id, endpoint="/v1/embeddings",
                              completion_window="24h", metadata={"genept_utils": model})
    report["batches"] += 1
    report["sent"] += len(keys)


def _collect(client, table, found, model, poll, report):
    """Wait for this model's batches and keep what they bring; whether there was anything new."""
    before = len(found)
    with _said_plainly(model):
        ours = [batch.id for batch in client.batches.list(limit=100)
                if (batch.metadata or {}).get("genept_utils") == model]
        for name in ours:
            if store.read(table, [store.key("batch", name)]):
                continue
            batch = client.batches.retrieve(name)
            while batch.status in ("validating", "in_progress", "finalizing", "cancelling"):
                time.sleep(poll)
                batch = client.batches.retrieve(name)
            if batch.output_file_id:
                lines = client.files.content(batch.output_file_id).text.splitlines()
                came = dict(filter(None, (_batch_line(line, report) for line in lines)))
                store.write(table, came)
                found.update(came)
            store.write(table, {store.key("batch", name): b"collected"})
            if batch.status == "failed":
                why = "; ".join(str(one.message) for one in (batch.errors and batch.errors.data)
                                or [])
                raise ServiceError(f"The batch was refused: {why[:200] or 'no reason given'}")
    return len(found) > before


def _batch_line(line, report):
    """(key, vector) of one line of a batch's output; None where that request failed."""
    one = json.loads(line)
    answer = one.get("response") or {}
    if one.get("error") or answer.get("status_code") != 200:
        return None
    try:
        row, used = _read_vectors(json.dumps(answer["body"]), 1, {})
    except _BadAnswer:
        return None
    report["tokens"] += used
    return bytes.fromhex(one["custom_id"]), row[0].tobytes()


@contextlib.contextmanager
def _said_plainly(model):
    """Turn what the server refuses into the one sentence of :class:`ServiceError`."""
    import openai

    try:
        yield
    except openai.OpenAIError as error:
        raise _final(error, model) or ServiceError(f"The server failed: {_plain(error)}") from None


def _final(error, model):
    """The ServiceError for what no second try can mend; None for the rest."""
    import openai

    if isinstance(error, openai.AuthenticationError):
        return ServiceError(f"The server refused the key in OPENAI_API_KEY. {WITHOUT}")
    if isinstance(error, openai.PermissionDeniedError):
        return ServiceError(f"The key in OPENAI_API_KEY may not use {model}. {WITHOUT}")
    if isinstance(error, openai.NotFoundError):
        return ServiceError(f"The server knows no model {model!r}, or OPENAI_BASE_URL is not the "
                            "address of its /v1.")
    if isinstance(error, openai.RateLimitError) and error.code == "insufficient_quota":
        return ServiceError(f"The account of OPENAI_API_KEY has no quota left. {WITHOUT}")
    return None


# ---------------------------------------------------------------- requests

class _Gate:
    """Lets requests through at the pace of the rate limits; one pause holds all threads."""

    def __init__(self, requests_per_minute, tokens_per_minute):
        self.request = 60 / requests_per_minute
        self.token = 60 / tokens_per_minute if tokens_per_minute else 0
        self.next, self.closed, self.lock = 0.0, False, threading.Lock()

    def enter(self, tokens):
        with self.lock:
            start = max(time.monotonic(), self.next)
            self.next = start + max(self.request, self.token * tokens)
        while not self.closed and (left := start - time.monotonic()) > 0:
            time.sleep(min(left, .5))

    def pause(self, seconds):
        with self.lock:
            self.next = max(self.next, time.monotonic() + seconds)


def _ask_all(model, wanted, pack, send, report, concurrency=8, requests_per_minute=3000,
             tokens_per_minute=None, timeout=60, retries=8):
    """Answers (bytes) for all keys of ``wanted``: kept ones from disk, the others asked for."""
    from tqdm import tqdm

    report["sent"] = 0
    with store.opened() as table:
        found = store.read(table, wanted)
        if len(found) < len(wanted):
            client = _client(timeout)
            with store.alone(f"openai:{model}"):
                found |= store.read(table, wanted.keys() - found)  # paid for in the meantime
                missing = [key for key in wanted if key not in found]
                gate = _Gate(requests_per_minute, tokens_per_minute)
                known = {"dimension": len(next(iter(found.values()))) // 4} if found else {}
                bar = tqdm(total=len(missing), disable=not sys.stderr.isatty(), unit="text")

                def work(job, tokens):
                    try:
                        values, used = _insist(
                            lambda: send(client, job, known), gate, tokens, model, retries, report)
                    except _TooLarge as error:
                        if len(job) == 1:
                            raise ServiceError(f"the server refused the text that begins "
                                               f"{wanted[job[0]][:60]!r}: {error}") from None
                        half = len(job) // 2
                        work(job[:half], tokens // 2)
                        work(job[half:], tokens // 2)
                        return
                    store.write(table, dict(zip(job, values)))
                    found.update(zip(job, values))
                    with gate.lock:
                        report["tokens"] += used
                        bar.update(len(job))

                _in_parallel(work, pack(missing), concurrency, gate)
                bar.close()
                client.close()
                report["sent"] = len(missing)
    report["kept"] = len(wanted) - report["sent"]
    return found


def _in_parallel(work, jobs, concurrency, gate):
    def guarded(*job):
        try:
            work(*job)
        except BaseException:
            gate.closed = True
            raise

    with concurrent.futures.ThreadPoolExecutor(concurrency) as pool:
        running = [pool.submit(guarded, *job) for job in jobs]
        try:
            concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_EXCEPTION)
        finally:
            # requests on their way are paid for: they are waited for and kept, no other starts
            gate.closed = True
            pool.shutdown(cancel_futures=True)
    errors = [done.exception() for done in running if not done.cancelled() and done.exception()]
    errors.sort(key=lambda error: isinstance(error, concurrent.futures.CancelledError))
    if errors:
        raise errors[0]


def _insist(send, gate, tokens, model, retries, report):
    """One request, asked again where that may help."""
    import openai

    for attempt in range(retries + 1):
        gate.enter(tokens)
        if gate.closed:
            raise concurrent.futures.CancelledError
        with gate.lock:
            report["requests"] += 1
        try:
            return send()
        except (openai.OpenAIError, _BadAnswer) as error:
            if final := _final(error, model):
                raise final from None
            again = (openai.RateLimitError, openai.APIConnectionError, openai.ConflictError,
                     openai.InternalServerError, _BadAnswer)
            if not isinstance(error, again):
                raise _TooLarge(_plain(error)) from None
            why, wait = _plain(error), _asked_to_wait(getattr(error, "response", None))
            if isinstance(error, openai.RateLimitError):
                gate.pause(wait or 1)
        with gate.lock:
            report["retries"] += 1
        if attempt < retries:
            _sleep(wait or min(30, .25 * 2 ** attempt) * random.uniform(.5, 1), gate)
    raise ServiceError(f"The server failed {retries + 1} times in a row ({why}); what had come "
                       "is kept, and the same call later asks only for the rest.")


def _sleep(seconds, gate):
    end = time.monotonic() + seconds
    while not gate.closed and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, .5))


def _asked_to_wait(response, longest=120):
    """Seconds from the Retry-After header (a number or a date); None where it is absent."""
    value = response.headers.get("retry-after") if response is not None else None
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            then = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (then - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    return min(max(seconds, 0), longest)


def _plain(error):
    """What the server said, short and without the key."""
    said = " ".join(str(error).split())[:200]
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    return said.replace(key, "...") if key else said


def _client(timeout):
    import openai

    key = os.environ.get("OPENAI_API_KEY", "").strip()
    address = os.environ.get("OPENAI_BASE_URL")
    if not (key.isascii() and key.isprintable()):
        raise ServiceError("OPENAI_API_KEY holds characters that no key has. " + WITHOUT)
    if not key and not address:
        raise ServiceError("There is no key in OPENAI_API_KEY, and no OPENAI_BASE_URL of a server "
                           "that needs none. " + WITHOUT)
    return openai.OpenAI(api_key=key or "none", max_retries=0, timeout=timeout)
