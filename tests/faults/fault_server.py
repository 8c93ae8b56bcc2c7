"""A small OpenAI-compatible server on 127.0.0.1 that can fail in all the ways a real one does.

``python tests/faults/fault_server.py '{"latency": 0.05}'`` prints its port and serves until it is
killed; ``POST /begin`` with other options begins it anew. Vectors are a function of the text
(:func:`vector`), so that every answer can be checked. ``GET /stats`` tells how many requests came and what was billed: a text is billed when a complete
answer that holds its vector was sent.
"""

import collections
import hashlib
import http.server
import json
import sys
import threading
import time

import numpy as np

KEY = "sk-this-is-a-secret"
MODEL = "text-embedding-ada-002"
OPTIONS = {
    "latency": 0.0,  # seconds before each answer
    "a_text": 0.0,  # seconds a text, one after another, as a model on one processor
    "per_minute": 0,  # requests a minute, 0 for no limit
    "dimension": 64,
    "most_inputs": 2048,
    "faults": [],  # one of each in turn, on every `every`-th request
    "every": 10,
    "always": "",  # this fault on every request
    "dies_after": 0,  # requests, after which all are answered with 500
    "first": [],  # faults of the first requests
    "retry_after": "0.2",  # seconds to wait, as a 429 states them
    "polls": 2,  # how often a batch is said to be in progress
    "refuse_batches": False,
    "enqueued": 0,  # words that may wait in batches, 0 for no limit
    "error_file": False,  # failed lines of a batch go into its error file
    "index": "",  # "missing", "null" or "zero" in the rows of an answer
    "usage": "given",  # "null" (inside) or "none"
    "most_words": 0,  # longest text, 0 for no limit
    "too_long": 400,  # status for a longer one
    "body": "",  # a key of SAID: said with status 200
    "dimensions": "taken",  # a key of REFUSALS or "ignored"
    "names": [],  # names of the model that answers carry, in turn
    "chat": "",  # "think", "open", "ended", "length", "parts", "refusal"
    "key": "",  # the only key that is let in
}
PAGE = b"<!doctype html><title>a page</title>"
SAID = {"html": PAGE, "marked html": b"\xef\xbb\xbf\n" + PAGE, "words": b"no such engine here",
        "error": {"error": {"message": "no such engine here", "code": 400}},
        "message": {"object": "error", "message": "no such engine here", "code": 40301},
        "msg": {"success": False, "msg": "no such engine here"}}
REFUSALS = {"refused": (400, {"error": {"message": "does not support dimensions", "code": 400}}),
            "detail": (422, {"detail": [{"loc": ["body", "dimensions"], "msg": "extra field"}]}),
            "matryoshka": (400, {"object": "error", "message": "no matryoshka representation"})}


def vector(text, dimension):
    """(dimension,) float32 of unit norm, a function of the text."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    draw = np.random.default_rng(seed).standard_normal(dimension, dtype=np.float32)
    return draw / np.linalg.norm(draw)


def written(n, words=60):
    """n different texts as long as a gene's text is on average or longer."""
    return [f"GENE{i} " + " ".join(f"word{(i * 7 + j) % 5000}" for j in range(words))
            for i in range(n)]


def assert_right(vectors, texts, every=1):
    for i in range(0, len(texts), every):
        assert np.array_equal(vectors[i], vector(texts[i], vectors.shape[1])), i


def listed(texts, dimension):
    """The rows of an answer."""
    return [{"object": "embedding", "index": index, "embedding": vector(text, dimension).tolist()}
            for index, text in enumerate(texts)]


class State:
    def __init__(self, options):
        self.options = {**OPTIONS, **options}
        self.too_many = 0  # requests with more inputs than it takes
        self.lock, self.reading = threading.Lock(), threading.Lock()
        self.times = collections.deque()
        self.requests = self.faulty = 0
        self.billed = collections.Counter()
        self.seen = collections.Counter()
        self.files, self.batches = {}, {}
        self.log = []  # of each request for vectors: when it came, texts, fault

    def admitted(self):
        """Whether the rate limit lets one more request through."""
        limit, now = self.options["per_minute"], time.monotonic()
        with self.lock:
            while self.times and now - self.times[0] > 60:
                self.times.popleft()
            if limit and len(self.times) >= limit:
                return False
            self.times.append(now)
            return True

    def fault(self):
        """The fault of this request, "" for none."""
        with self.lock:
            self.requests += 1
            if self.options["dies_after"] and self.requests > self.options["dies_after"]:
                return "500"
            if self.requests <= len(self.options["first"]):
                fault = self.options["first"][self.requests - 1]
            elif self.options["always"]:
                fault = self.options["always"]
            elif self.options["faults"] and self.requests % self.options["every"] == 0:
                fault = self.options["faults"][self.faulty % len(self.options["faults"])]
                self.faulty += 1
            else:
                return ""
            self.seen[fault] += 1
            return fault

    def bill(self, texts):
        with self.lock:
            self.billed.update(texts)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = None

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, headers=(), cut=None):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) if cut is None else cut))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content if cut is None else content[:cut])

    def refuse(self, status, code, headers=()):
        said = f"refused: {code}; your request was {self.headers.get('Authorization')}"
        self.answer(status, {"error": {"message": said, "code": code, "type": code}}, headers)

    def do_GET(self):
        state = self.state = Handler.state
        path = self.path.split("?")[0]
        if path == "/stats":
            billed = state.billed
            self.answer(200, {"requests": state.requests, "faults": state.seen,
                              "billed": sum(billed.values()), "texts": len(billed),
                              "twice": sum(n > 1 for n in billed.values()),
                              "too_many": state.too_many, "log": state.log,
                              "batches": len(state.batches)})
        elif path == "/v1/batches":
            self.answer(200, {"object": "list", "data": list(state.batches.values()),
                              "has_more": False})
        elif path.startswith("/v1/batches/"):
            self.answer(200, self.progress(path.rsplit("/", 1)[1]))
        elif path.endswith("/content"):
            self.answer(200, state.files[path.split("/")[3]])
        else:
            self.refuse(404, "not_found")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/begin":  # a request that is still on its way keeps the state before
            Handler.state = State(json.loads(body))
            return self.answer(200, {})
        state = self.state = Handler.state
        if state.options["key"] and state.options["key"] not in self.headers["Authorization"]:
            return self.refuse(401, "invalid_api_key")
        if self.path == "/v1/files":
            name = f"file-{len(state.files)}"
            start = body.index(b'{"custom_id"')
            state.files[name] = body[start:body.rindex(b"}") + 1]
            return self.answer(200, {"id": name, "object": "file", "bytes": 0, "created_at": 0,
                                     "filename": "in.jsonl", "purpose": "batch"})
        if self.path == "/v1/batches":
            return self.begin_batch(json.loads(body))
        asked, fault = json.loads(body), state.fault()
        state.log.append((time.monotonic(), len(asked.get("input", ())), fault))
        time.sleep(state.options["latency"])
        if not state.admitted():
            return self.refuse(429, "rate_limit_exceeded", [("Retry-After", "1")])
        if fault == "429":
            return self.refuse(429, "rate_limit_exceeded", [
                ("Retry-After", state.options["retry_after"])])
        if fault == "429 date":
            then = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 1))
            return self.refuse(429, "rate_limit_exceeded", [("Retry-After", then)])
        if fault == "quota":
            return self.refuse(429, "insufficient_quota")
        if fault in ("401", "403", "404", "500", "502", "503"):
            return self.refuse(int(fault), "failed")
        if fault == "drop":
            self.close_connection = True
            return self.connection.close()
        if fault == "hang":
            time.sleep(5)
        if self.path == "/v1/chat/completions":
            return self.chat(asked, fault)
        if state.options["a_text"]:
            with state.reading:
                time.sleep(state.options["a_text"] * len(asked["input"]))
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        if len(texts) > state.options["most_inputs"]:
            state.too_many += 1
            return self.refuse(413, "too many inputs")
        if state.options["body"]:
            return self.answer(200, SAID[state.options["body"]])
        if "dimensions" in asked and state.options["dimensions"] in REFUSALS:
            return self.answer(*REFUSALS[state.options["dimensions"]])
        longest = state.options["most_words"]
        if longest and any(len(text.split()) > longest for text in texts):
            return self.refuse(state.options["too_long"], f"inputs have at most {longest} words")
        self.send_vectors(asked, texts, fault)

    def chat(self, asked, fault):
        prompt, how = asked["messages"][0]["content"], self.state.options["chat"]
        said = f"An answer to: {prompt}"
        content = {"think": f"<think>\nWhat is\n{prompt}?</think>\n\n{said}",
                   "ended": f"What is it?\n</think>\n{said}", "open": "<think>What is",
                   "parts": [{"type": "reasoning", "text": "What?"},
                             {"type": "text", "text": said[:9]},
                             {"type": "text", "text": said[9:]}]}.get(how, said)
        cut = how == "length" and "CD24" in prompt
        body = {"choices": [{"index": 0, "finish_reason": "length" if cut else "stop",
                             "message": {"role": "assistant", "content": content}}],
                "usage": {"total_tokens": 7}}
        if fault == "truncated":
            return self.answer(200, json.dumps(body).encode()[:-20])
        self.answer(200, body)
        self.state.bill([prompt])

    def send_vectors(self, asked, texts, fault):
        state = self.state
        ignored = state.options["dimensions"] == "ignored"
        dimension = (None if ignored else asked.get("dimensions")) or state.options["dimension"]
        sent = dimension // 2 if fault == "dimension" else dimension
        rows = listed(texts, sent)
        if fault == "shuffled":
            np.random.default_rng(0).shuffle(rows)
        if fault == "short":
            rows = rows[:-1]
        if fault == "nan":
            rows[0]["embedding"] = [float("nan")] * dimension
        for row in rows if state.options["index"] else ():
            row["index"] = {"null": None, "zero": 0}.get(state.options["index"])
            if state.options["index"] == "missing":
                del row["index"]
        names = state.options["names"] or [asked["model"]]
        body = {"object": "list", "data": rows, "model": names[state.requests % len(names)],
                "usage": {"total_tokens": sum(len(text.split()) for text in texts)}}
        if state.options["usage"] != "given":
            body["usage"] = {"total_tokens": None} if state.options["usage"] == "null" else None
        content = json.dumps(body).encode()
        if fault == "truncated":
            return self.answer(200, content[:len(content) // 2])
        self.answer(200, content)
        if fault in ("", "shuffled", "hang"):
            state.bill(texts)
        elif fault == "nan":  # the other vectors of this answer are good, and kept
            state.bill(texts[1:])


    def begin_batch(self, asked):
        state = self.state
        name = f"batch-{len(state.batches)}"
        state.batches[name] = {
            "id": name, "object": "batch", "endpoint": asked["endpoint"], "status": "in_progress",
            "input_file_id": asked["input_file_id"], "completion_window": "24h", "created_at": 0,
            "metadata": asked.get("metadata"), "polls": 0}
        self.answer(200, state.batches[name])

    def progress(self, name):
        state, batch = self.state, self.state.batches[name]
        batch["polls"] += 1
        if batch["polls"] <= state.options["polls"] or batch["status"] == "completed":
            return batch
        if state.options["refuse_batches"]:
            batch.update(status="failed", errors={"object": "list", "data": [
                {"code": "token_limit", "message": "Enqueued token limit reached"}]})
            return batch
        lines = state.files[batch["input_file_id"]].decode().splitlines()
        words = sum(len(json.loads(line)["body"]["input"].split()) for line in lines)
        if state.options["enqueued"] and words > state.options["enqueued"]:
            batch.update(status="failed", errors={"object": "list", "data": [
                {"code": "token_limit_exceeded", "message": "Enqueued token limit reached for "
                 f"model in organization org-7. Limit: {state.options['enqueued']:,} enqueued "
                 "tokens. Please try again once some in_progress batches have been completed."}]})
            return batch
        out, failed = [], []
        for number, line in enumerate(lines):
            one = json.loads(line)
            text = one["body"]["input"]
            if state.options["faults"] and number % state.options["every"] == 0 and \
                    name == "batch-0":
                out.append({"custom_id": one["custom_id"], "error": {"message": "failed"}})
                continue
            if state.options["error_file"] and number % 3 == 0:
                failed.append({"custom_id": one["custom_id"], "error": None, "response": {
                    "status_code": 400, "body": {"error": {
                        "message": "the input is not allowed", "code": "bad"}}}})
                continue
            rows = listed([text], state.options["dimension"])
            out.append({"custom_id": one["custom_id"], "error": None, "response": {
                "status_code": 200, "body": {"data": rows, "usage": {"total_tokens": 1}}}})
            state.bill([text])
        name = f"file-{len(state.files)}"
        state.files[name] = "\n".join(json.dumps(line) for line in reversed(out)).encode()
        batch.update(status="completed", output_file_id=name)
        if failed:
            batch["error_file_id"] = f"file-{len(state.files)}"
            state.files[batch["error_file_id"]] = "\n".join(map(json.dumps, failed)).encode()
        return batch


def serve(options):
    Handler.state = State(options)
    http.server.ThreadingHTTPServer.request_queue_size = 128
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {})
