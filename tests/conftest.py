"""Fixtures: a registry of the test's own, and a skip where a public file cannot be had."""

import http.server
import threading

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

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", files, requests
    server.shutdown()
    server.server_close()
