"""Vectors through the Batch API: half the price, within a day."""

import collections
import contextlib
import json
import time

from genept_utils import optional
from genept_utils.embed import cost, store
from genept_utils.embed.api import prepared, stacked
from genept_utils.embed.client import packed
from genept_utils.embed.server import (BadAnswer, Refused, ServiceError, final, make_client,
                                       plain, read_vectors)

MOST = 50_000  # texts a batch
WAITING = 3_000_000  # tokens a batch; an account lets only so many wait
RUNS = ("validating", "in_progress", "finalizing", "cancelling")
URL = "/v1/embeddings"


def batch_vectors(texts, model, dimensions=None, report=None, max_tokens=cost.MAX_TOKENS, poll=30,
                  timeout=60, waiting=WAITING):
    """One vector per text through the Batch API, kept like those of :func:`api.vectors`.

    The call submits what is not kept, waits, and collects. It may be stopped at any point: the
    same call later finds its batches on the server (by their metadata) and goes on waiting.

    Parameters
    ----------
    texts, model, dimensions, report, max_tokens
        As in :func:`api.vectors`; ``report`` gets ``batches`` in place of ``requests``.
    poll, timeout : float
        Seconds between two looks at a batch, and for one request.
    waiting : int
        Tokens of one batch. The next one is sent when it is done, so that no more wait at once.

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
        found, errors = store.read(table, wanted), collections.Counter()

        def collect():
            for batch in _finished(client, table, model, poll):
                for file in filter(None, (batch.output_file_id, batch.error_file_id)):
                    came = _vectors(client.files.content(file).text, report, errors)
                    store.write(table, came)
                    found.update(came)
                store.write(table, {store.key("batch", batch.id): b"collected"})
                if batch.status == "failed":
                    why = [str(one.message) for one in batch.errors and batch.errors.data or ()]
                    raise ServiceError(f"The batch was refused: {'; '.join(why)[:200]}. Where too "
                                       "many tokens wait, waiting=N sends fewer at once.")

        try:
            if len(found) < len(wanted):
                store.check_writable(table)
                collect()  # batches under way since a call that was stopped
            for _ in range(2):  # what failed in the first goes into a second
                missing = [key for key in wanted if key not in found]
                report["sent"] = report["sent"] or len(missing)
                tokens = dict(zip(missing, cost.count_tokens(wanted[key] for key in missing)[0]))
                for part in packed(missing, tokens, MOST, waiting):
                    _send(client, body, {key: wanted[key] for key in part})
                    report["batches"] += 1
                    collect()
        except optional.need("openai").OpenAIError as error:
            raise final(error, model, answered=False) or ServiceError(
                f"The server failed: {plain(error)}") from None
    if lost := len(wanted) - len(found):
        why = errors.most_common(1)
        raise ServiceError(f"{lost:,} of {len(wanted):,} texts failed in two batches"
                           + (f", most often because: {why[0][0]}" if why else "")
                           + "; the others are kept")
    report["kept"] = len(wanted) - report["sent"]
    return stacked(keys, found)


def _send(client, body, texts):
    """Submit a batch of texts."""
    lines = [json.dumps({"custom_id": key.hex(), "method": "POST", "url": URL,
                         "body": {**body, "input": text}}) for key, text in texts.items()]
    file = client.files.create(file=("texts.jsonl", "\n".join(lines).encode()), purpose="batch")
    client.batches.create(input_file_id=file.id, endpoint=URL, completion_window="24h",
                          metadata={"genept_utils": body["model"]})


def _finished(client, table, model, poll):
    """This model's batches that were not collected yet, each as soon as it has ended."""
    for batch in client.batches.list(limit=100):
        known = store.read(table, [store.key("batch", batch.id)])
        if (batch.metadata or {}).get("genept_utils") != model or known:
            continue
        batch = client.batches.retrieve(batch.id)
        while batch.status in RUNS:
            time.sleep(poll)
            batch = client.batches.retrieve(batch.id)
        yield batch


def _vectors(content, report, errors):
    """Vectors of a batch's output by key; the reasons of the lines that failed are counted."""
    came = {}
    for line in map(json.loads, filter(str.strip, content.splitlines())):
        answer = line.get("response") or {}
        if error := line.get("error") or (answer.get("body") or {}).get("error"):
            errors[plain(error.get("message", error) if isinstance(error, dict) else error)] += 1
            continue
        with contextlib.suppress(BadAnswer, Refused, LookupError):
            (vector,), used = read_vectors(json.dumps(answer["body"]).encode(), 1, {})
            report["tokens"] += used
            if vector:
                came[bytes.fromhex(line["custom_id"])] = vector
    return came
