"""Vectors through the Batch API: half the price, within a day."""

import collections
import json
import re
import time

import numpy as np

from genept_utils.embed import cost, store
from genept_utils.embed.api import prepared, read_vectors, stacked
from genept_utils.embed.server import (
    BadAnswer,
    Refused,
    ServiceError,
    make_client,
    plain,
    said_plainly,
)

BATCH_INPUTS = 50_000  # inputs a batch of the Batch API


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
    texts, report, keys = prepared(texts, model, dimensions, max_tokens, report)
    wanted = {key: text for key, text in zip(keys, texts) if key}
    report.update(batches=0, sent=0)
    with store.opened() as table, store.alone(f"openai:{model}"):
        found = store.read(table, wanted)
        waiting = _Waiting(make_client(timeout), table, found, model, poll, report)
        if len(found) < len(wanted):
            store.check_writable(table)
            waiting.collect()  # batches under way since an earlier call
        for _ in range(2):
            missing = [key for key in wanted if key not in found]
            while missing:
                part, missing = waiting.fitting(missing, wanted)
                waiting.submit(part, wanted, dimensions)
                refused = waiting.collect()
                missing = [key for key in refused if key not in found] + missing
    lost = [key for key in wanted if key not in found]
    if lost:
        why = waiting.errors.most_common(1)
        raise ServiceError(f"{len(lost):,} of {len(wanted):,} texts failed in two batches"
                           + (f", most often because: {why[0][0]}" if why else "")
                           + "; the others are kept")
    report["kept"] = len(wanted) - report["sent"]
    return stacked(keys, found)


class _Waiting:
    """Batches of one model on the server, and how much it lets wait at once."""

    def __init__(self, client, table, found, model, poll, report):
        self.client, self.table, self.found = client, table, found
        self.model, self.poll, self.report = model, poll, report
        self.limit, self.errors, self.sent = None, collections.Counter(), {}

    def fitting(self, keys, texts):
        """The keys of the next batch, within the server's limit of waiting tokens, and the rest."""
        if self.limit is None:
            return keys[:BATCH_INPUTS], keys[BATCH_INPUTS:]
        counts, _ = cost.count_tokens(texts[key] for key in keys)
        fit = max(1, int(np.searchsorted(np.cumsum(counts), self.limit, side="right")))
        fit = min(fit, BATCH_INPUTS)
        return keys[:fit], keys[fit:]

    def submit(self, keys, texts, dimensions):
        body = {"model": self.model, **({"dimensions": dimensions} if dimensions else {})}
        lines = [json.dumps({"custom_id": key.hex(), "method": "POST", "url": "/v1/embeddings",
                             "body": {**body, "input": texts[key]}}) for key in keys]
        with said_plainly(self.model):
            file = self.client.files.create(file=("texts.jsonl", "\n".join(lines).encode()),
                                            purpose="batch")
            made = self.client.batches.create(
                input_file_id=file.id, endpoint="/v1/embeddings", completion_window="24h",
                metadata={"genept_utils": self.model})
        self.sent[made.id] = (keys, int(cost.count_tokens(texts[key] for key in keys)[0].sum()))
        self.report["batches"] += 1
        self.report["sent"] += len(keys)

    def collect(self):
        """Wait for this model's batches and keep what they bring; the keys of batches that were
        refused because too much waits already."""
        again = []
        with said_plainly(self.model):
            ours = [batch.id for batch in self.client.batches.list(limit=100)
                    if (batch.metadata or {}).get("genept_utils") == self.model]
            for name in ours:
                if store.read(self.table, [store.key("batch", name)]):
                    continue
                batch = self.client.batches.retrieve(name)
                while batch.status in ("validating", "in_progress", "finalizing", "cancelling"):
                    time.sleep(self.poll)
                    batch = self.client.batches.retrieve(name)
                for file in filter(None, (batch.output_file_id, batch.error_file_id)):
                    self.keep(self.client.files.content(file).text)
                store.write(self.table, {store.key("batch", name): b"collected"})
                if batch.status == "failed":
                    again += self.refused(name, batch)
        return again

    def keep(self, content):
        lines = [json.loads(line) for line in content.splitlines() if line.strip()]
        came = dict(filter(None, (_batch_line(line, self.report) for line in lines)))
        self.errors.update(filter(None, map(_batch_error, lines)))
        store.write(self.table, came)
        self.found.update(came)

    def refused(self, name, batch):
        """The keys of a refused batch where the limit of waiting tokens was the reason."""
        errors = (batch.errors and batch.errors.data) or []
        why = "; ".join(str(one.message) for one in errors)[:200] or "no reason given"
        keys, tokens = self.sent.get(name, ([], 0))
        if not any("token" in f"{one.code} {one.message}".lower()
                   and "limit" in f"{one.code} {one.message}".lower() for one in errors):
            raise ServiceError(f"The batch was refused: {why}")
        stated = re.search(r"limit:?\D{0,40}?([\d,]{3,})", why, re.IGNORECASE)
        limit = int(stated[1].replace(",", "")) if stated else tokens // 2
        self.limit = min(limit, tokens // 2, self.limit or limit)
        if keys and (len(keys) == 1 or not self.limit):
            raise ServiceError(f"The batch was refused: {why}")
        self.report["sent"] -= len(keys)
        return keys


def _batch_error(line):
    """What the server said of one request that failed; None for one that did not."""
    answer = line.get("response") or {}
    error = line.get("error") or (answer.get("status_code", 200) != 200
                                  and (answer.get("body") or {}).get("error"))
    if not error:
        return None
    return plain(error.get("message", error) if isinstance(error, dict) else error)


def _batch_line(line, report):
    """(key, vector) of one line of a batch's output; None where that request failed."""
    answer = line.get("response") or {}
    if line.get("error") or answer.get("status_code") != 200:
        return None
    try:
        row, used = read_vectors(json.dumps(answer["body"]), 1, {})
    except (BadAnswer, Refused):
        return None
    report["tokens"] += used
    return bytes.fromhex(line["custom_id"]), row[0].tobytes()
