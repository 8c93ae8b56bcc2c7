"""Rate-limited, retried and cached API requests."""

import concurrent.futures
import random
import sys
import threading
import time

import numpy as np

from genept_utils import optional
from genept_utils.embed import store
from genept_utils.embed.server import (
    BadAnswer,
    Broken,
    Refused,
    ServiceError,
    Slow,
    asked_to_wait,
    final,
    make_client,
    plain,
)

TRIES_OF_A_PART = 2  # of what was split off a request that failed
TRIES_OF_A_BAD_ONE = 4  # of a text whose vector was bad or late in an answer, others being good
KEPT = "what had come is kept, and the same call later asks only for the rest."
PROBE = 16  # texts of the request that shows how fast the server reads
FEW = 64  # texts that are asked for without it
SHARE = 4  # a request, with those that wait beside it, takes this part of the time-out
DOWN = 3  # texts in a row that fail without any answer between them: the server is down


def ask_all(model, wanted, pack, send, report, concurrency=8, requests_per_minute=3000,
            tokens_per_minute=None, timeout=60, retries=8):
    """Answers (bytes) for all keys of ``wanted``: kept ones from disk, the others asked for.

    The shortest text goes first and alone: it shows whether the address, the key and the model
    are right. Some more show how fast the server is: a model on a laptop's processor reads a few
    texts a second, and requests of hundreds would run into the time-out. After them a text that
    the server refuses, or that breaks it, is found by halving the request; the others are asked
    for and kept all the same.

    Raises
    ------
    ServiceError
        The server cannot be used, or refused some of the texts.
    """
    report.update(sent=0, requests=0, retries=0, tokens=0)
    with store.opened() as table:
        found = _kept(table, wanted)
        if len(found) < len(wanted):
            store.check_writable(table)
            with store.alone(f"openai:{model}"), make_client(timeout) as client:
                found |= _kept(table, wanted.keys() - found)  # paid for in the meantime
                missing = [key for key in wanted if key not in found]
                if missing:
                    asking = _Asking(model, wanted, found, table, client, send, report, retries,
                                     timeout / SHARE)
                    asking.pace = 60 / requests_per_minute, 60 / (tokens_per_minute or np.inf)
                    asking.ask_for(missing, pack, concurrency)
                report["sent"] = len(missing)
    report["kept"] = len(wanted) - report["sent"]
    return found


def _kept(table, keys):
    """What is kept, without vectors of zeros, which an ill server gave."""
    return {key: value for key, value in store.read(table, keys).items() if value.strip(b"\0")}


class _Asking:
    """The requests of one call: what has come, what was refused, what the server takes.

    All threads go at one pace, and one pause holds all of them.
    """

    def __init__(self, model, wanted, found, table, client, send, report, retries,
                 seconds):
        self.model, self.wanted, self.found, self.table = model, wanted, found, table
        self.client, self.send, self.report, self.retries = client, send, report, retries
        self.refused, self.in_a_row = {}, 0
        self.next, self.closed, self.lock = 0.0, False, threading.Lock()
        self.known = {"dimension": len(next(iter(found.values()))) // 4} if found else {}
        self.size = store.key("most inputs", str(client.base_url), model)
        self.limit = int(store.read(table, [self.size]).get(self.size, sys.maxsize))
        self.most, self.seconds = self.limit, seconds

    def ask_for(self, missing, pack, concurrency):
        from tqdm import tqdm

        with tqdm(total=len(missing), disable=not sys.stderr.isatty(), unit="text") as self.bar:
            first = min(missing, key=lambda key: len(self.wanted[key]))
            (job, tokens), = pack([first])
            asked = f"asked was the text that begins {self.wanted[first][:60]!r}"
            try:
                self.keep(job, self.insist(job, tokens, self.retries + 1))
            except Broken as error:
                raise ServiceError(f"{error}; {asked}; {KEPT}") from None
            except Refused as error:
                raise ServiceError(
                    f"The server refused the first request: {error}; {asked}") from None
            jobs = pack([key for key in missing if key != first])
            if jobs and len(jobs[0][0]) > FEW:
                job, tokens = jobs[0]
                start, jobs[0] = time.monotonic(), (job[PROBE:], tokens)
                self.work(job[:PROBE], tokens * PROBE // len(job))
                each = (time.monotonic() - start) / PROBE
                self.most = min(self.most, max(1, int(self.seconds / each / concurrency)))
            self.in_parallel(jobs, concurrency)
        if self.refused:
            key, why = next(iter(self.refused.items()))
            raise ServiceError(
                f"The server refused {len(self.refused):,} of {len(self.wanted):,} texts, for "
                f"example the one that begins {self.wanted[key][:60]!r} ({why}); the others are "
                "kept. Where texts are too long for it, max_tokens=N (--max-tokens N) cuts them.")

    def in_parallel(self, jobs, concurrency):
        def guarded(*job):
            try:
                self.work(*job)
            except BaseException:
                self.closed = True  # at once, before another job begins
                raise

        with concurrent.futures.ThreadPoolExecutor(concurrency) as pool:
            running = [pool.submit(guarded, *job) for job in jobs]
            try:
                for done in concurrent.futures.as_completed(running):
                    if not isinstance(done.exception(), concurrent.futures.CancelledError):
                        done.result()
            finally:
                # requests on their way are paid for: they are waited for and kept, no other starts
                self.closed = True
                pool.shutdown(cancel_futures=True)

    def work(self, job, tokens, tries=None):
        while len(job) > (most := self.most):  # which other threads change meanwhile
            self.work(job[:most], part := tokens * most // len(job), tries)
            job, tokens = job[most:], tokens - part
        try:
            most_tries = min(self.retries + 1, tries or (3 if len(job) > 1 else 99))
            bad = self.keep(job, self.insist(job, tokens, most_tries))
            for key in bad:  # the others are kept: only these are asked for again
                self.work([key], tokens // len(job), TRIES_OF_A_BAD_ONE)
        except Refused as error:
            if len(job) == 1:
                self.refuse(job[0], error)
                return
            half, before = len(job) // 2, len(self.refused)
            if slow := isinstance(error, Slow):
                self.most = min(self.most, half)
            for part in (job[:half], job[half:]):
                self.work(part, tokens // 2, TRIES_OF_A_BAD_ONE if slow else TRIES_OF_A_PART)
            if len(self.refused) == before and not isinstance(error, Broken):  # it was the size
                self.most = self.limit = min(self.limit, half)
                store.write(self.table, {self.size: str(self.limit).encode()})

    def insist(self, job, tokens, tries):
        """One request, asked again where that may help."""
        openai = optional.need("openai")
        again = (openai.RateLimitError, openai.APIConnectionError, openai.ConflictError,
                 openai.InternalServerError, BadAnswer)
        for attempt in range(tries):
            self.enter(tokens)
            with self.lock:
                self.report["requests"] += 1
            start = time.monotonic()
            try:
                answer = self.send(self.client, job, self.known)
                with self.lock:
                    if len(job) == self.most and 2 * (time.monotonic() - start) < self.seconds:
                        self.most = min(2 * self.most, self.limit)
                return answer
            except (openai.OpenAIError, BadAnswer) as error:
                if fatal := final(error, self.model, answered=len(self.found) > 0):
                    raise fatal from None
                if not isinstance(error, again):
                    raise Refused(plain(error)) from None
                if isinstance(error, openai.APITimeoutError) and len(job) > 1:
                    raise Slow(plain(error)) from None  # the same again would take as long
                why, wait = plain(error), asked_to_wait(getattr(error, "response", None))
                if isinstance(error, openai.RateLimitError):
                    with self.lock:
                        self.next = max(self.next, time.monotonic() + (wait or 1))
            with self.lock:
                self.report["retries"] += 1
            if attempt + 1 < tries:
                _sleep(wait or min(30, .25 * 2 ** attempt) * random.uniform(.5, 1), self)
        raise Broken(f"The server failed {tries} times in a row ({why})")

    def enter(self, tokens):
        """Wait for one's turn at the pace of the rate limits."""
        with self.lock:
            start = max(time.monotonic(), self.next)
            self.next = start + max(self.pace[0], self.pace[1] * tokens)
        while not self.closed and (left := start - time.monotonic()) > 0:
            time.sleep(min(left, .5))
        if self.closed:
            raise concurrent.futures.CancelledError

    def keep(self, job, answer):
        """Write what came; the keys whose value is None, which is no answer."""
        values, used = answer
        good = {key: value for key, value in zip(job, values) if value is not None}
        store.write(self.table, good)
        self.found.update(good)
        with self.lock:
            self.report["tokens"] += used
            self.in_a_row = 0
            self.bar.update(len(good))
        return [key for key in job if key not in good]

    def refuse(self, key, error):
        with self.lock:
            self.refused[key] = str(error)
            self.in_a_row += isinstance(error, Broken)
            if self.in_a_row >= DOWN:
                raise ServiceError(f"{error}; {KEPT}")


def _sleep(seconds, asking):
    end = time.monotonic() + seconds
    while not asking.closed and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, .5))
