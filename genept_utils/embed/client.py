"""Requests to a server: at the pace of its limits, asked again where that helps, paid for once."""

import concurrent.futures
import contextlib
import datetime
import email.utils
import os
import random
import sys
import threading
import time

from genept_utils import extras
from genept_utils.embed import store

WITHOUT = ("Without a key: the shipped embedding (read_embedding()), wordllama, tfidf and "
           "st:MODEL.")


class ServiceError(OSError):
    """The server cannot or will not answer; one sentence says why and what to do."""


class BadAnswer(Exception):
    """An answer that is refused: cut short, a wrong count, NaN, another dimension."""


class TooLarge(Exception):
    """The server refused the request as such; a smaller one may pass."""


@contextlib.contextmanager
def said_plainly(model):
    """Turn what the server refuses into the one sentence of :class:`ServiceError`."""
    openai = extras.need("openai")

    try:
        yield
    except openai.OpenAIError as error:
        raise final(error, model) or ServiceError(f"The server failed: {plain(error)}") from None


def final(error, model):
    """The ServiceError for what no second try can mend; None for the rest."""
    openai = extras.need("openai")

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


def ask_all(model, wanted, pack, send, report, concurrency=8, requests_per_minute=3000,
             tokens_per_minute=None, timeout=60, retries=8):
    """Answers (bytes) for all keys of ``wanted``: kept ones from disk, the others asked for."""
    from tqdm import tqdm

    report["sent"] = 0
    with store.opened() as table:
        found = store.read(table, wanted)
        if len(found) < len(wanted):
            client = make_client(timeout)
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
                    except TooLarge as error:
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
    openai = extras.need("openai")

    for attempt in range(retries + 1):
        gate.enter(tokens)
        if gate.closed:
            raise concurrent.futures.CancelledError
        with gate.lock:
            report["requests"] += 1
        try:
            return send()
        except (openai.OpenAIError, BadAnswer) as error:
            if refused := final(error, model):
                raise refused from None
            again = (openai.RateLimitError, openai.APIConnectionError, openai.ConflictError,
                     openai.InternalServerError, BadAnswer)
            if not isinstance(error, again):
                raise TooLarge(plain(error)) from None
            why, wait = plain(error), _asked_to_wait(getattr(error, "response", None))
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


def plain(error):
    """What the server said, short and without the key."""
    said = " ".join(str(error).split())[:200]
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    return said.replace(key, "...") if key else said


def make_client(timeout):
    openai = extras.need("openai")

    key = os.environ.get("OPENAI_API_KEY", "").strip()
    address = os.environ.get("OPENAI_BASE_URL")
    if not (key.isascii() and key.isprintable()):
        raise ServiceError("OPENAI_API_KEY holds characters that no key has. " + WITHOUT)
    if not key and not address:
        raise ServiceError("There is no key in OPENAI_API_KEY, and no OPENAI_BASE_URL of a server "
                           "that needs none. " + WITHOUT)
    return openai.OpenAI(api_key=key or "none", max_retries=0, timeout=timeout)
