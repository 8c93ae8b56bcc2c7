"""Fixtures: a registry of the test's own, and a skip where a public file cannot be had."""

import collections
import http.server
import threading

import nbformat
import pytest

from genept_utils import paths, sources


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


PARAMETERS = 'seed: int = 0  # seed\nname: str = "a"  # a word\nshare: float = 0.5  # a share'


@pytest.fixture
def project(tmp_path, monkeypatch):
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


def pytest_terminal_summary(terminalreporter):
    """One closing line on what this machine could not test, by reason."""
    skipped = terminalreporter.stats.get("skipped", [])
    why = collections.Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if why:
        said = "; ".join(f"{n} x {reason}" for reason, n in why.most_common())
        terminalreporter.write_line(f"NOT TESTED HERE, {len(skipped)} tests: {said}")
