"""A server that fails in all the ways a real one does, for the tests of one folder."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from downloads import registered, wheel  # noqa: F401  (fixtures)
from fault_server import KEY

from genept_utils import sources
from genept_utils.embed import client, cost

FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def token_folder():
    """Folder of tiktoken's table, None where it cannot be had."""
    try:
        return sources.fetch(cost.TOKEN_TABLE, False).parent
    except sources.SourceError:
        return None


@pytest.fixture(scope="session")
def server():
    """Address of one server for all tests; each begins it anew."""
    process = subprocess.Popen([sys.executable, FOLDER / "fault_server.py"], text=True,
                               stdout=subprocess.PIPE)
    yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    process.kill()
    process.wait()


@pytest.fixture
def serve(tmp_path, monkeypatch, token_folder, server):
    """Begin the server anew with options; the cache is empty, the environment points to it, and a
    second try comes at once."""
    monkeypatch.setattr(client, "FIRST_WAIT", .01)
    monkeypatch.setenv("GENEPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    if token_folder is None:
        monkeypatch.setattr(cost, "token_table", lambda: None)
    else:
        monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(token_folder))

    def begin(**options):
        urllib.request.urlopen(f"{server}/begin", json.dumps(options).encode()).close()
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server}/v1")
        return lambda: json.load(urllib.request.urlopen(f"{server}/stats"))

    return begin
