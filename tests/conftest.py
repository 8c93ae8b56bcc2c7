"""Fixtures: commands of the real command line, a project of the test's own, a file server, and a
skip where a public file cannot be had."""

import collections
import functools
import gc
import http.server
import json
import multiprocessing
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from genept_book import start

start.quickly()  # before anything imports nbformat

import nbformat  # noqa: E402

from genept_utils import embed, paths, sources  # noqa: E402
from genept_book import pace, run  # noqa: E402

# Without byte code every process of the tests compiles the module anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _read_once(read):
    """Copies of the shipped vectors in place of reading them a hundred times."""
    kept = functools.cache(lambda place: read("minilm"))

    @functools.wraps(read)
    def call(name=embed.SHIPPED, seed=0):
        if name != "minilm":
            return read(name, seed)
        return kept(paths.EMBEDDINGS).copy()
    return call


embed.read_embedding = _read_once(embed.read_embedding)


@pytest.fixture
def source():
    """Fetch a registered file, or skip the test with the reason."""
    def fetch(*keys):
        try:
            found = [sources.fetch(key) for key in keys]
        except sources.SourceError as error:
            pytest.skip(str(error).splitlines()[0])
        return found if len(found) > 1 else found[0]
    return fetch


@pytest.fixture
def results_folder(tmp_path, monkeypatch):
    """An empty results folder in place of the committed one."""
    monkeypatch.setenv("GENEPT_RESULTS", str(tmp_path))
    assert paths.results() == tmp_path
    return tmp_path


@pytest.fixture
def file_server():
    """A server on 127.0.0.1 with files as a dict of path -> bytes, or a function that answers
    the request by itself; yields (address, files, requests)."""
    files, requests = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            content = files.get(self.path)
            if callable(content):
                content(self)
            elif content is None:
                self.send_error(404)
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[.02], daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", files, requests
    server.shutdown()
    server.server_close()


# Imports and the table of names take most of a command's time: where the process itself is not
# the subject they are made once, and each list of commands runs in a fork.
FORKS = """
import functools, gc, json, os, sys, traceback
from genept_book import start
start.quickly()
import genept_utils.cells.out_of_core, genept_utils.cli, genept_utils.datasets, genept_utils.embed
import genept_utils.evaluate, genept_book.run
from genept_utils import embed, sources
from genept_utils.genes import rewritten

read, shipped = embed.read_embedding, embed.read_embedding()
embed.read_embedding = lambda name="minilm", seed=0: (
    shipped.copy() if name == "minilm" else read(name, seed))

def forget():  # what was read from places that the environment names
    for name, module in list(sys.modules.items()):
        if name.startswith("genept_"):
            for value in list(vars(module).values()):
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()

try:
    rewritten._known("human")
except sources.SourceError:
    forget()
sources._unreachable.clear()  # a fork asks for itself
gc.freeze()  # a fork copies no page of what stays
places = {name: value for name, value in os.environ.items() if name.startswith("GENEPT_")}
for line in sys.stdin:
    code, folder, said, environment = json.loads(line)
    child = os.fork()
    if not child:
        status = 1
        try:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            if places != {name: value for name, value in environment.items()
                          if name.startswith("GENEPT_")}:
                forget()
            for number in (1, 2):
                os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
            exec(code, {"__name__": "__main__"})
            sys.stdout.flush()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

SEVERAL = """
import contextlib, io, json, sys
{before}
from genept_utils.cli import main
said = []
for words in json.loads({words!r}):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as end:
            code = end.code
    said.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(said))
"""


@pytest.fixture(scope="session")
def forks(tmp_path_factory):
    """A function that executes code in a folder, in a fork of one process that has the modules
    and the names, and gives its exit code and what it said; a process of its own where the
    system has no forks."""
    folder = tmp_path_factory.mktemp("forks")
    if not hasattr(os, "fork"):
        def alone(code, place, **changes):
            done = subprocess.run([sys.executable, "-c", code], cwd=place, text=True,
                                  env=_environment(changes), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            return done.returncode, done.stdout
        yield alone
        return
    with subprocess.Popen([sys.executable, "-c", FORKS], stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE, cwd=folder, env=_environment({})) as process:
        def run(code, place, **changes):
            said = folder / "said"
            said.unlink(missing_ok=True)
            print(json.dumps([code, str(place), str(said), _environment(changes)]),
                  file=process.stdin, flush=True)
            return int(process.stdout.readline()), said.read_text(encoding="utf-8")
        yield run


@pytest.fixture
def command(tmp_path):
    """One command in a process of its own; gives the finished process."""
    def run(*words, folder=tmp_path, **environment):
        return subprocess.run([sys.executable, "-m", "genept_utils", *words], cwd=folder,
                              env=_environment(environment), capture_output=True, text=True)
    return run


@pytest.fixture
def commands(tmp_path, forks):
    """Several commands, one after the other in one process in a folder that is not the checkout,
    after some code; gives (exit code, what was printed, what was printed as error) of each."""
    def run(*each, before="", folder=tmp_path, **environment):
        code = SEVERAL.format(before=before, words=json.dumps(each))
        status, said = forks(code, folder, **environment)
        assert status == 0, said
        return json.loads(said.splitlines()[-1])
    return run


def _environment(changes):
    made = {**os.environ, "PYTHONPATH": str(paths.ROOT), **changes}
    return {name: value for name, value in made.items()
            if value is not None and name != "PYTEST_CURRENT_TEST"}


PARAMETERS = 'seed: int = 0  # seed\nname: str = "a"  # a word\nshare: float = 0.5  # a share'


class _Start:
    @property
    def quickly(self):
        """Sets the environment of a worker, whose mother was begun with another."""
        return functools.partial(exec, "import os\nos.environ.clear()\n"
                                 f"os.environ.update({dict(os.environ)!r})")


@pytest.fixture(scope="session")
def workers():
    """What the runner makes its workers with: forks of one process that has papermill, where it
    spawns each and each imports for seconds; processes of their own all the same."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing, start
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["papermill", "genept_book.execute", "genept_book.run"])
    return SimpleNamespace(active_children=multiprocessing.active_children,
                           get_context=lambda method: context), _Start()


@pytest.fixture
def at_hand(monkeypatch, workers):
    """The runner, called in this process, has its workers at hand and does not time the machine."""
    for module, made in zip(("multiprocessing", "start"), workers):
        monkeypatch.setattr(run, module, made)
    monkeypatch.setattr(pace, "unit", lambda: .05)


@pytest.fixture
def project(tmp_path, monkeypatch, at_hand):
    """A project of one notebook that writes one result; returns a function that (re)writes it."""
    for name in ("notebooks", "data/results"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(paths, "BUILD", tmp_path / "_build")
    data = tmp_path / "data"
    for name in ("sources.csv", "wheels.csv", "published.csv"):
        (data / name).write_bytes((paths.DATA / name).read_bytes())
    monkeypatch.setattr(paths, "DATA", data)

    def write(*code, parameters=PARAMETERS, stem="02-small", **meta):
        notebook = nbformat.v4.new_notebook(metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
            "genept": {"sources": [], **meta}})
        cell = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
        notebook.cells = [cell, *map(nbformat.v4.new_code_cell, code)]
        path = tmp_path / "notebooks" / f"{stem}.ipynb"
        nbformat.write(notebook, path)
        return path

    return write


# Files with tests of many seconds. They begin first: a long one at the end keeps one of two workers
# while the other has nothing left.
SLOW = ("test_own_data", "test_runner", "test_numbers", "test_wheel", "test_cluster", "test_api",
        "test_coverage", "test_grid", "test_run", "test_species", "test_scale", "test_open_sets")


def pytest_collection_modifyitems(items):
    """In xdist each of two workers begins with a half: the slow files are shared out to both."""
    halves = [[], []]
    for number, name in enumerate(SLOW):
        halves[number % 2] += [item for item in items if item.path.stem == name]
    slow = {item.nodeid for half in halves for item in half}
    rest = [item for item in items if item.nodeid not in slow]
    middle = max(0, len(items) // 2 - len(halves[0]))
    items[:] = [*halves[0], *rest[:middle], *halves[1], *rest[middle:]]


def pytest_collection_finish():
    """What the modules and the tests are made of stays: no collection of garbage looks through it
    again. The module asks for one after each set of cells, which would take half a second here."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter):
    """One closing line on what this machine could not test, by reason."""
    skipped = terminalreporter.stats.get("skipped", [])
    why = collections.Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if why:
        said = "; ".join(f"{n} x {reason}" for reason, n in why.most_common())
        terminalreporter.write_line(f"NOT TESTED HERE, {len(skipped)} tests: {said}")
