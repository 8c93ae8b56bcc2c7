"""The runner under faults: nothing half is read as whole, committed outputs stay as they are."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from genept_utils import paths
from genept_utils.__main__ import main
from genept_book import execute, run, stamp

RESULT = ('from genept_utils import ledger\n'
          'ledger.record("02-small", [dict(item="i", task="t", dataset="d", method="m",\n'
          '                                metric="accuracy", value=seed + 0.5)]);')
SECRET = "sv-9a8b7c6d5e4f3a2b1c"
LONG = "correct horse battery staple " * 3


def everything_under(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("code", [
    f"print('the key is {SECRET}')", f"raise ValueError('refused: {SECRET}')",
    "from genept_utils import ledger\nimport os\nledger.record('02-small', [dict(item='i', "
    "task='t', dataset='d', method='m', metric='x', value=1.0, note=os.environ['MY_API_KEY'])]);",
])
def test_a_secret_that_is_shown_is_never_kept(project, monkeypatch, code):
    monkeypatch.setenv("MY_API_KEY", SECRET)
    project(code.replace(SECRET, "' + __import__('os').environ['MY_API_KEY'] + '"))
    entry, = run.run(report=lambda line: None)
    assert entry["status"] == "failed" and "nothing of this run is kept" in entry["error"]
    assert SECRET not in entry["error"] and "sk-" not in entry["error"]
    kept = everything_under(paths.BUILD)
    assert SECRET.encode() not in kept and b"sk-a1B2" not in kept


@pytest.mark.parametrize("shown, said", [
    (repr(SECRET), "value of MY_API_KEY"), ('a\\b"c-d-e', "value of MY_PASSWORD"),
    ('"a\\\\b\\"c-d-e"', "value of MY_PASSWORD"), ("sk-" + "a1B2" * 8, "form of a key"),
    ("hf_" + "a1B2" * 8, "form of a key"), ("ghp_" + "a1B2" * 8, "form of a key"),
    (base64.b64encode(f"ab {SECRET} cd".encode()).decode(), "value of MY_API_KEY"),
    (base64.b64encode(f"a {SECRET}".encode()).decode(), "value of MY_API_KEY"),
    (base64.b64encode(SECRET.encode()).decode(), "value of MY_API_KEY"),
    ("a%5Cb%22c-d-e", "value of MY_PASSWORD"),
    ("a\\b&quot;c-d-e", "value of MY_PASSWORD"), ("| 0 | " + LONG[:47] + "...", "SITE_PASSPHRASE"),
    ("postgres://me:open-sesame-9@db", "DATABASE_URL"), ("open%2Dsesame-9", "DATABASE_URL"),
    ("open\\\\nsesame", ""), ("two\\nlines of a\\nkey", "value of MY_TOKEN"),
    ("http://127.0.0.1:3128", ""), ("AKIA" + "A1B2" * 4, "form of a key"),
    ("github_pat_" + "a1B2" * 8, "form of a key"), ("-----BEGIN RSA PRIVATE KEY-----", "of a key"),
    ("task-a1B2", ""), ("skin", "")])
def test_a_secret_is_seen_in_every_form(tmp_path, monkeypatch, shown, said):
    monkeypatch.setenv("MY_API_KEY", SECRET)
    monkeypatch.setenv("SITE_PASSPHRASE", LONG)
    monkeypatch.setenv("DATABASE_URL", "postgres://me:open-sesame-9@db.example/one")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:3128")
    monkeypatch.setenv("MY_TOKEN", "two\nlines of a\nkey")
    monkeypatch.setenv("MY_PASSWORD", 'a\\b"c-d-e')  # written into JSON it looks otherwise
    file = tmp_path / "page.ipynb"
    file.write_text(f"text {shown} text")
    assert execute._shown_secret(tmp_path / "none", file).endswith(said)
    assert file.exists() == (not said)


def test_a_cell_that_hangs_is_stopped(project, capsys):
    project("import time", "time.sleep(600)")
    start = time.monotonic()
    assert main(["run", "--timeout", ".02"]) == 1
    assert time.monotonic() - start < 60
    assert "a cell took more than 0.02 minutes" in capsys.readouterr().err


def test_a_notebook_that_takes_too_much_memory_is_stopped(project, capsys):
    project("import time", "blocks = []", "for _ in range(200):\n    blocks.append(bytearray(10_000_"
            "000))\n    time.sleep(.02)", "time.sleep(600)")
    assert main(["run", "--memory", "600"]) == 1
    assert "it took more than 600 MB of memory" in capsys.readouterr().err


def wait_for(there):
    """Wait for at most a minute until something is true."""
    end = time.monotonic() + 60
    while not there() and time.monotonic() < end:
        time.sleep(.05)


def begun():
    return list(paths.BUILD.rglob("*.running.ipynb"))


def until(file):
    """Code of a cell that waits until a file is there, or half a minute."""
    return ("import os, time\nend = time.monotonic() + 30\n"
            f"while not os.path.exists({str(file)!r}) and time.monotonic() < end:\n"
            "    time.sleep(.05)")


def test_what_changes_while_it_runs_is_not_stamped(project, tmp_path):
    project(until(tmp_path / "changed"))

    def change():
        wait_for(begun)
        project(until(tmp_path / "changed"), "1 + 1")
        (tmp_path / "changed").touch()

    changer = threading.Thread(target=change)
    changer.start()
    entry, = run.run(report=lambda line: None)
    changer.join()
    assert entry["status"] == "failed" and "while it ran" in entry["error"]


RUN = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
from genept_utils import paths
paths.ROOT, top = Path(sys.argv[1]), Path(sys.argv[1])
paths.NOTEBOOKS, paths.BUILD, paths.DATA = top / "notebooks", top / "_build", top / "data"
if __name__ == "__main__":
    from genept_book import start
    start.quickly()
    from genept_book import run
    print(run.run(write=True, report=lambda line: None)[0]["status"])
"""


def running(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(RUN)
    return subprocess.Popen(
        [sys.executable, script, tmp_path], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent)})


def test_two_runs_at_once(project, tmp_path):
    project(until(tmp_path / "refused"), RESULT)
    first = running(tmp_path)
    wait_for(begun)
    with pytest.raises(ValueError, match="another run is under way in .*--out"):
        run.run(report=lambda line: None)
    (tmp_path / "refused").touch()
    assert first.communicate()[0].strip() == "executed"
    assert run.run(report=lambda line: None)[0]["status"] == "executed"


def test_nothing_runs_on_when_the_runner_is_killed(project, tmp_path):
    project("import time; time.sleep(600)")
    runner = running(tmp_path)
    me = psutil.Process(runner.pid)
    wait_for(begun)
    children = me.children(recursive=True)
    assert len(children) >= 2
    runner.kill()
    runner.wait()
    gone, alive = psutil.wait_procs(children, timeout=20)
    for process in alive:
        process.kill()
    runner.communicate()
    assert not alive


MOMENTS = [("locked", signal.SIGKILL), ("recorded", signal.SIGKILL), ("recorded", signal.SIGINT),
           ("recorded", "alone"), ("begun", signal.SIGKILL)]


def test_a_killed_run_leaves_what_was_and_can_be_repeated(project, tmp_path, monkeypatch):
    """Killed at one moment after the other, each time in what the last one left."""
    other = RESULT.replace("seed + 0.5", "seed + 0.5 + ('PAUSE' in os.environ)")
    path = project("import os, time", other, "if 'PAUSE' in os.environ:\n"
                   "    open(os.environ['PAUSE'], 'w').close()\n    time.sleep(60)")
    assert run.run(write=True, report=lambda line: None)[0]["status"] == "executed"
    committed, result = path.read_bytes(), paths.DATA / "results" / "02-small.json"
    before, lock, mark = result.read_bytes(), paths.BUILD / "run" / ".lock", tmp_path / "recorded"
    for moment, how in MOMENTS:
        lock.unlink()
        mark.unlink(missing_ok=True)
        for left in begun():  # of the run before
            left.unlink()
        with monkeypatch.context() as paused:
            paused.setenv("PAUSE", str(mark))
            killed = running(tmp_path)
        wait_for({"locked": lock.is_file, "begun": begun, "recorded": mark.is_file}[moment])
        assert killed.poll() is None, killed.communicate()
        children = psutil.Process(killed.pid).children(recursive=True)
        if how == "alone":  # an interrupt that no worker notices
            os.kill(killed.pid, signal.SIGINT)
        else:
            os.killpg(killed.pid, how)
        killed.communicate(timeout=30)  # less than the cell would take
        assert not psutil.wait_procs(children, timeout=20)[1]  # nothing of it runs on
        assert path.read_bytes() == committed and result.read_bytes() == before
        for file in paths.BUILD.rglob("results/[0-9]*.json"):
            json.loads(file.read_text())
    assert run.run(report=lambda line: None)[0]["status"] == "executed"
    assert stamp.check() == []
    assert not list(paths.BUILD.rglob("*.running.ipynb"))
