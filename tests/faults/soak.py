"""The soak: many texts under faults and many kills, counted; ``make soak`` writes the figures.

20,000 texts are embedded by a server of which every tenth request fails, in all its ways in turn,
and processes that write and that download are killed at random moments. What comes out is
compared with what is right, and ``data/results/reliability.json`` holds the counts, together with
the number of cases of each test that the page on reliability names.

``python tests/faults/soak.py --cases`` only counts the cases again.
"""

import argparse
import collections
import datetime
import hashlib
import http.server
import json
import multiprocessing
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import fault_server
import numpy as np
import pandas as pd

from genept_utils import paths, sources

FOLDER = Path(__file__).parent
OUT = paths.DATA / "results" / "reliability.json"
FAULTS = ["429", "500", "drop", "truncated", "shuffled", "short", "503", "nan", "dimension"]
forked = multiprocessing.get_context("fork")


def texts_under_faults(n):
    """Embed ``n`` texts while every tenth request fails; every vector is compared."""
    from genept_utils.embed import api

    server = subprocess.Popen(
        [sys.executable, FOLDER / "fault_server.py", json.dumps(
            {"faults": FAULTS, "every": 10, "dimension": 1536})],
        text=True, stdout=subprocess.PIPE)
    try:
        address = f"http://127.0.0.1:{int(server.stdout.readline())}"
        os.environ |= {"OPENAI_BASE_URL": f"{address}/v1", "OPENAI_API_KEY": fault_server.KEY}
        texts, report = fault_server.written(n), {}
        vectors = api.vectors(texts, fault_server.MODEL, report=report, inputs=20,
                              requests_per_minute=60_000)
        stats = json.load(urllib.request.urlopen(f"{address}/stats"))
    finally:
        server.kill()
        server.wait()
    wrong = sum(not np.array_equal(row, fault_server.vector(text, len(row)))
                for row, text in zip(vectors, texts))
    return {"texts": n, "requests": stats["requests"], "faults": sum(stats["faults"].values()),
            "kinds_of_faults": len(stats["faults"]), "vectors_wrong": wrong,
            "texts_billed": stats["billed"], "texts_billed_twice": stats["twice"]}


def content(number, size=1 << 20):
    """A file that tells of itself whether it is whole: its number, filling, its SHA-256."""
    body = f"{number:09d}".encode() + bytes([number % 251]) * size
    return body + hashlib.sha256(body).hexdigest().encode()


def is_whole(found):
    return hashlib.sha256(found[:-64]).hexdigest().encode() == found[-64:]


def _write_on(path, number):
    while True:
        number += 1
        with sources.replacing(path) as part, open(part, "wb") as file:
            made = content(number)
            for start in range(0, len(made), 1 << 16):
                file.write(made[start:start + (1 << 16)])


def killed_writers(kills, folder, random):
    """A file is written anew over and over by processes that are killed."""
    path, number, lost, wrong, most = folder / "kept.bin", 0, 0, 0, 0
    path.write_bytes(content(0))
    for _ in range(kills):
        writer = forked.Process(target=_write_on, args=(path, number))
        writer.start()
        time.sleep(random.uniform(.005, .08))
        writer.kill()
        writer.join()
        found = path.read_bytes() if path.exists() else b""
        lost += not found or found[:9].isdigit() and int(found[:9]) < number
        wrong += bool(found) and not is_whole(found)
        number = int(found[:9]) if found[:9].isdigit() else number
        most = max(most, len(list(folder.iterdir())) - 1)
    return {"kills": kills, "files_lost": lost, "files_wrong": wrong,
            "files_written": number, "most_files_left_behind": most}


class Slow(http.server.BaseHTTPRequestHandler):
    """Sends the file in parts, for some 0.1 s."""

    def do_GET(self):
        made = content(7)
        self.send_response(200)
        self.send_header("Content-Length", str(len(made)))
        self.end_headers()
        try:
            for start in range(0, len(made), len(made) // 10 + 1):
                self.wfile.write(made[start:start + len(made) // 10 + 1])
                time.sleep(.01)
        except OSError:  # the reader was killed
            self.close_connection = True

    def log_message(self, *arguments):
        pass


def _serve(pipe):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    pipe.send(server.server_port)
    server.serve_forever()


def killed_downloads(kills, folder, random):
    """A file is downloaded by processes that are killed; then one is let through."""
    import requests  # noqa: F401  (imported once, before the processes are forked)

    here, there = forked.Pipe()
    server = forked.Process(target=_serve, args=(there,), daemon=True)
    server.start()
    right = content(7)
    table = pd.DataFrame([{
        "key": "soak.bin", "url": f"http://127.0.0.1:{here.recv()}/soak.bin",
        "sha256": hashlib.sha256(right).hexdigest(), "bytes": len(right), "citation": "soak",
        "wheel": ""}]).set_index("key")
    registry, sources.registry = sources.registry, lambda: table
    os.environ["GENEPT_CACHE"] = str(folder)
    path, wrong, whole, most = folder / "soak.bin", 0, 0, 0
    try:
        for _ in range(kills):
            reader = forked.Process(target=sources.fetch, args=("soak.bin", False))
            reader.start()
            time.sleep(random.uniform(.01, .25))
            reader.kill()
            reader.join()
            most = max(most, len([p for p in folder.iterdir() if p.name != "soak.bin"]))
            if path.exists():
                whole += 1
                wrong += path.read_bytes() != right
                path.unlink()
        lost = sources.fetch("soak.bin", False).read_bytes() != right
    finally:
        sources.registry = registry
        server.kill()
    return {"kills": kills, "files_lost": int(lost), "files_wrong": wrong,
            "ended_before_the_kill": whole, "most_files_left_behind": most}


def named():
    """(file, test) of every test that the page names."""
    page = (paths.ROOT / "book" / "reliability.md").read_text(encoding="utf-8")
    file, found = "", []
    for place, name in re.findall(r"(tests/[\w/]+\.py)?::(test_\w+)", page):
        file = place or file
        found.append((file, name))
    return found


def cases():
    """Cases of every test in the files that the page names, as pytest collects them:
    {file: {name: number}}."""
    found = collections.defaultdict(collections.Counter)
    files = sorted({file for file, _ in named()})
    listed = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", *files],
                            cwd=paths.ROOT, text=True, capture_output=True, check=True).stdout
    for line in listed.splitlines():
        if "::" in line:
            file, name = line.split("::", 1)
            found[file][name.split("[")[0]] += 1
    return {file: dict(sorted(names.items())) for file, names in sorted(found.items())}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=200, help="of writers and downloads together")
    parser.add_argument("--cases", action="store_true", help="only count the cases again")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if options.cases:
        said = json.loads(options.out.read_text())
    else:
        random = np.random.default_rng(0)
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            os.environ["GENEPT_CACHE"] = str(folder)
            os.environ.pop("GENEPT_MIRROR", None)
            for name in ("writers", "downloads"):
                (folder / name).mkdir()
            start = time.perf_counter()
            writers = killed_writers(options.kills // 2, folder / "writers", random)
            downloads = killed_downloads(options.kills - options.kills // 2,
                                         folder / "downloads", random)
            os.environ["GENEPT_CACHE"] = str(folder)
            texts = texts_under_faults(options.texts)
        said = {"date": datetime.date.today().isoformat(), "python": platform.python_version(),
                "seconds": round(time.perf_counter() - start), "texts": texts,
                "writers": writers, "downloads": downloads}
    said["cases"] = cases()
    with sources.replacing(options.out) as part:
        part.write_text(json.dumps(said, indent=1) + "\n")
    for name in ("texts", "writers", "downloads"):
        print(name, said[name])
    bad = (said["texts"]["vectors_wrong"] + said["texts"]["texts_billed_twice"]
           + sum(said[name][count] for name in ("writers", "downloads")
                 for count in ("files_lost", "files_wrong")))
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
