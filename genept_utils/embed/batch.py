"""Vectors through the Batch API: half the price, within a day."""

import json
import time

from genept_utils.embed import cost, store
from genept_utils.embed.api import prepared, read_vectors, stacked
from genept_utils.embed.client import BadAnswer, ServiceError, said_plainly, make_client

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
        tries = 0
        while missing := [key for key in wanted if key not in found]:
            if tries == 2:
                raise ServiceError(f"{len(missing):,} of {len(wanted):,} texts failed in two "
                                   "batches; the others are kept")
            client = make_client(timeout)
            if not _collect(client, table, found, model, poll, report):  # batches under way
                for start in range(0, len(missing), BATCH_INPUTS):
                    _submit(client, model, dimensions, missing[start:start + BATCH_INPUTS],
                            wanted, report)
                _collect(client, table, found, model, poll, report)
                tries += 1
            found |= store.read(table, wanted)
    report["kept"] = len(wanted) - report["sent"]
    return stacked(keys, {key: found[key] for key in wanted})


def _submit(client, model, dimensions, keys, texts, report):
    body = {"model": model} if dimensions is None else {"model": model, "dimensions": dimensions}
    lines = [json.dumps({"custom_id": key.hex(), "method": "POST", "url": "/v1/embeddings",
                         "body": {**body, "input": texts[key]}}) for key in keys]
    with said_plainly(model):
        file = client.files.create(file=("texts.jsonl", "\n".join(lines).encode()),
                                   purpose="batch")
        client.batches.create(input_file_id=file.id, endpoint="/v1/embeddings",
                              completion_window="24h", metadata={"genept_utils": model})
    report["batches"] += 1
    report["sent"] += len(keys)


def _collect(client, table, found, model, poll, report):
    """Wait for this model's batches and keep what they bring; whether there was anything new."""
    before = len(found)
    with said_plainly(model):
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
        row, used = read_vectors(json.dumps(answer["body"]), 1, {})
    except BadAnswer:
        return None
    report["tokens"] += used
    return bytes.fromhex(one["custom_id"]), row[0].tobytes()
