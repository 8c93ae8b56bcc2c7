"""Rate-limited, retried and cached API requests.

The openai client could retry by itself; what it cannot do is hold all threads by one pause and one
pace, halve a request that fails, and name the text that is to blame.
"""

import concurrent.futures
import random
import sys
import threading
import time

import numpy as np

from genept_utils import optional
from genept_utils.embed import store
from genept_utils.embed.server import (BadAnswer, BadVector, Broken, Refused, ServiceError,
                                       asked_to_wait, final, make_client, plain)

MAX_REQUEST_TOKENS = 300_000  # tokens a request
START = 10  # texts of the first requests; a server that is quick gets twice as many, and so on
QUICK = 8  # a request is quick that takes less than this part of the time-out
FEW_TRIES = 3  # of a request of several texts, and of its parts
FIRST_WAIT = .25  # seconds before a second try; then twice as long, and so on
DOWN = 3  # texts in a row that fail without any answer between them: the server is down
KEPT = "what had come is kept, and the same call later asks only for the rest."


def ask_all(model, wanted, send, report, sizes=lambda keys: [0] * len(keys), inputs=1,
            concurrency=8, requests_per_minute=3000, tokens_per_minute=None, timeout=60,
            retries=8):
    """Answers (bytes) for all keys of ``wanted``: kept ones from disk, the others asked for.

    The shortest text goes first and alone: it shows whether the address, the key and the model
    are right. Requests begin small, since a model on a laptop's processor reads a few texts a
    second. A text that the server refuses, or that breaks it, is found by halving the request;
    the others are asked for and kept all the same.

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
                    asking = _Asking(model, wanted, found, table, client, send, report, retries)
                    asking.quick = timeout / QUICK
                    asking.pace = 60 / requests_per_minute, 60 / (tokens_per_minute or np.inf)
                    asking.tokens = dict(zip(missing, sizes(missing)))
                    asking.ask_for(missing, inputs, concurrency)
                report["sent"] = len(missing)
    report["kept"] = len(wanted) - report["sent"]
    return found


def packed(keys, tokens, inputs, most=MAX_REQUEST_TOKENS):
    """Lists of keys that fit one request each: of so many inputs and tokens."""
    jobs, total = [], 0
    for key in keys:
        total += tokens[key]
        if not jobs or len(jobs[-1]) == inputs or total > most:
            jobs.append([])
            total = tokens[key]
        jobs[-1].append(key)
    return jobs


def _kept(table, keys):
    """What is kept, without vectors of zeros, which an ill server gave."""
    return {key: value for key, value in store.read(table, keys).items() if value.strip(b"\0")}


class _Asking:
    """The requests of one call: what has come, what was refused, what the server takes.

    All threads go at one pace, and one pause holds all of them.
    """

    def __init__(self, model, wanted, found, table, client, send, report, retries):
        self.model, self.wanted, self.found, self.table = model, wanted, found, table
        self.client, self.send, self.report, self.retries = client, send, report, retries
        self.known = {"dimension": len(next(iter(found.values()))) // 4} if found else {}
        self.most, self.limit, self.next = START, sys.maxsize, 0.0
        self.refused, self.in_a_row = {}, 0
        self.closed, self.lock = threading.Event(), threading.Lock()

    def ask_for(self, missing, inputs, concurrency):
        from tqdm import tqdm

        first = min(missing, key=lambda key: len(self.wanted[key]))
        others = [key for key in missing if key != first]
        with tqdm(total=len(missing), disable=not sys.stderr.isatty(), unit="text") as self.bar:
            self.work([first])
            if not self.refused:
                self.in_parallel(packed(others, self.tokens, inputs), concurrency)
        if self.refused:
            key, why = next(iter(self.refused.items()))
            asked = 1 if key == first else len(self.wanted)
            raise ServiceError(
                f"The server refused {len(self.refused):,} of {asked:,} texts, for example the "
                f"one that begins {self.wanted[key][:60]!r} ({why}); {KEPT} Where texts are too "
                "long for it, max_tokens=N (--max-tokens N) cuts them.")

    def in_parallel(self, jobs, concurrency):
        def guarded(job):
            try:
                self.work(job)
            except BaseException:
                self.closed.set()  # at once, before another job begins
                raise

        with concurrent.futures.ThreadPoolExecutor(concurrency) as pool:
            running = [pool.submit(guarded, job) for job in jobs]
            try:
                for done in concurrent.futures.as_completed(running):
                    if not isinstance(done.exception(), concurrent.futures.CancelledError):
                        done.result()
            finally:
                # requests on their way are paid for: they are waited for and kept, no other starts
                self.closed.set()
                pool.shutdown(cancel_futures=True)

    def work(self, job, part=False):
        """Ask for the texts of a job, or of part of one that failed, and keep what comes."""
        while len(job) > (most := self.most):  # which other threads change meanwhile
            self.work(job[:most], part)
            job = job[most:]
        tries = self.retries + 1 if len(job) == 1 and not part else min(self.retries + 1, FEW_TRIES)
        try:
            for key in self.keep(job, self.insist(job, tries)):
                self.work([key], part=True)  # the others are kept: only these are asked for again
        except Refused as error:
            if len(job) == 1:
                self.refuse(job[0], error)
                return
            half, before = len(job) // 2, len(self.refused)
            for some in (job[:half], job[half:]):
                self.work(some, part=True)
            if len(self.refused) == before and not isinstance(error, Broken):  # it was the size
                self.most = self.limit = min(self.limit, half)

    def insist(self, job, tries):
        """One request, asked again where that may help."""
        openai = optional.need("openai")
        again = (openai.RateLimitError, openai.APIConnectionError, openai.ConflictError,
                 openai.InternalServerError, BadAnswer)
        for attempt in range(tries):
            self.enter(sum(self.tokens[key] for key in job))
            start = time.monotonic()
            try:
                answer = self.send(self.client, job, self.known)
                with self.lock:
                    if len(job) == self.most and time.monotonic() - start < self.quick:
                        self.most = min(2 * self.most, self.limit)
                return answer
            except (openai.OpenAIError, BadAnswer) as error:
                if fatal := final(error, self.model, answered=len(self.found) > 0):
                    raise fatal from None
                if not isinstance(error, again):
                    raise Refused(plain(error)) from None
                if isinstance(error, openai.APITimeoutError) and len(job) > 1:
                    self.most = min(self.most, len(job) // 2)
                    raise Broken(plain(error)) from None  # the same again would take as long
                why, wait = plain(error), asked_to_wait(getattr(error, "response", None))
                kind = Refused if isinstance(error, BadVector) else Broken
                with self.lock:
                    self.report["retries"] += 1
                    if isinstance(error, openai.RateLimitError):
                        self.next = max(self.next, time.monotonic() + (wait or 1))
            if attempt + 1 < tries:
                self.closed.wait(wait or min(30, FIRST_WAIT * 2 ** attempt) * random.uniform(.5, 1))
        raise kind(f"The server failed {tries} times in a row ({why})")

    def enter(self, tokens):
        """Wait for one's turn at the pace of the rate limits."""
        with self.lock:
            start = max(time.monotonic(), self.next)
            self.next = start + max(self.pace[0], self.pace[1] * tokens)
        if self.closed.wait(start - time.monotonic()):
            raise concurrent.futures.CancelledError
        with self.lock:
            self.report["requests"] += 1

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
