"""Vectors through the Batch API: half the price, within a day."""

import collections
import json
import re
import time

import numpy as np

from genept_utils import optional
from genept_utils.embed import cost, store
from genept_utils.embed.api import prepared, stacked
from genept_utils.embed.server import (BadAnswer, Refused, ServiceError, final, make_client,
                                       plain, read_vectors)

MOST = 50_000  # texts a batch
RUNS = ("validating", "in_progress", "finalizing", "cancelling")
URL = "/v1/embeddings"


def batch_vectors(texts, model, dimensions=None, report=None, max_tokens=cost.MAX_TOKENS, poll=30,
                  timeout=60):
    """One vector per text through the Batch API, kept like those of :func:`api.vectors`.

    The call submits what is not kept, waits, and collects. It may be stopped at any point: the
    same call later finds its batches on the server (by their metadata) and goes on waiting.

    Parameters
    ----------
    texts, model, dimensions, report, max_tokens
        As in :func:`api.vectors`; ``report`` gets ``batches`` in place of ``requests``.
    poll, timeout : float
        Seconds between two looks at a batch, and for one request.

    Returns
    -------
    numpy.ndarray
        (n, d) float32.

    Raises
    ------
    ServiceError
        As in :func:`api.vectors`, or texts failed in two batches.
    """
    keys, wanted, report = prepared(texts, model, dimensions, max_tokens, report)
    report.update(batches=0, sent=0, retries=0, tokens=0)
    body = {"model": model, **({"dimensions": dimensions} if dimensions else {})}
    with store.opened() as table, store.alone(f"openai:{model}"), make_client(timeout) as client:
        found = store.read(table, wanted)
        waiting = _Batches(client, table, found, body, poll, report)
        try:
            if len(found) < len(wanted):
                store.check_writable(table)
                waiting.collect()  # batches under way since a call that was stopped
                waiting.send(wanted)
                waiting.send(wanted)  # what failed in the first
        except optional.need("openai").OpenAIError as error:
            raise final(error, model, answered=False) or ServiceError(
                f"The server failed: {plain(error)}") from None
    if lost := len(wanted) - len(found):
        why = waiting.errors.most_common(1)
        raise ServiceError(f"{lost:,} of {len(wanted):,} texts failed in two batches"
                           + (f", most often because: {why[0][0]}" if why else "")
                           + "; the others are kept")
    report["kept"] = len(wanted) - report["sent"]
    return stacked(keys, found)


class _Batches:
    """Batches of one model on the server, and how many tokens it lets wait at once."""

    def __init__(self, client, table, found, body, poll, report):
        self.client, self.table, self.found, self.body = client, table, found, body
        self.poll, self.report, self.errors, self.sent = poll, report, collections.Counter(), {}
        self.limit = float("inf")

    def send(self, wanted):
        """Submit what is missing, part by part, and collect it."""
        missing = [key for key in wanted if key not in self.found]
        while missing:
            total = np.cumsum(cost.count_tokens(wanted[key] for key in missing)[0])
            fit = min(MOST, max(1, int((total <= self.limit).sum())))
            lines = [json.dumps({"custom_id": key.hex(), "method": "POST", "url": URL,
                                 "body": {**self.body, "input": wanted[key]}})
                     for key in missing[:fit]]
            file = self.client.files.create(file=("texts.jsonl", "\n".join(lines).encode()),
                                            purpose="batch")
            made = self.client.batches.create(
                input_file_id=file.id, endpoint=URL, completion_window="24h",
                metadata={"genept_utils": self.body["model"]})
            self.sent[made.id] = missing[:fit], int(total[fit - 1])
            self.report["batches"] += 1
            self.report["sent"] += fit
            missing = [key for key in self.collect() if key not in self.found] + missing[fit:]

    def collect(self):
        """Wait for this model's batches and keep what they bring; the keys of those that were
        refused because too much waits already."""
        again = []
        for batch in self.client.batches.list(limit=100):
            done = store.key("batch", batch.id)
            if (batch.metadata or {}).get("genept_utils") != self.body["model"] or store.read(
                    self.table, [done]):
                continue
            batch = self.client.batches.retrieve(batch.id)
            while batch.status in RUNS:
                time.sleep(self.poll)
                batch = self.client.batches.retrieve(batch.id)
            for file in filter(None, (batch.output_file_id, batch.error_file_id)):
                self.keep(self.client.files.content(file).text)
            store.write(self.table, {done: b"collected"})
            if batch.status == "failed":
                again += self.refused(batch)
        return again

    def keep(self, content):
        """Keep the vectors of a batch's output, and count the reasons of the lines that failed."""
        came = {}
        for line in map(json.loads, filter(str.strip, content.splitlines())):
            answer = line.get("response") or {}
            error = line.get("error") or (answer.get("body") or {}).get("error")
            if error:
                self.errors[plain(error.get("message", error) if isinstance(error, dict)
                                  else error)] += 1
                continue
            try:
                row, used = read_vectors(json.dumps(answer["body"]).encode(), 1, {})
            except (BadAnswer, Refused, LookupError):
                continue
            if np.isfinite(row).all() and row.any():
                came[bytes.fromhex(line["custom_id"])] = row.tobytes()
            self.report["tokens"] += used
        store.write(self.table, came)
        self.found.update(came)

    def refused(self, batch):
        """The keys of a refused batch where the limit of waiting tokens was the reason."""
        errors = (batch.errors and batch.errors.data) or []
        why = "; ".join(str(one.message) for one in errors)[:200] or "no reason given"
        keys, tokens = self.sent.get(batch.id, ([], 0))
        stated = re.search(r"limit:?\D{0,40}?([\d,]{3,})", why, re.IGNORECASE)
        said = " ".join(f"{one.code} {one.message}" for one in errors).lower()
        self.limit = min(int(stated[1].replace(",", "")) if stated else tokens, tokens // 2,
                         self.limit)
        if "token" not in said or "limit" not in said or keys and (len(keys) == 1 or not self.limit):
            raise ServiceError(f"The batch was refused: {why}")
        self.report["sent"] -= len(keys)
        return keys
