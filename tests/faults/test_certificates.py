"""A proxy that opens encrypted connections: its certificate is named, and trusted where asked."""

import http.server
import os
import shutil
import ssl
import subprocess
import sys
import threading

import pytest
from downloads import CONTENT, KEY, leftovers

from genept_utils import embed, sources
from genept_utils.embed import server

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes certificates")


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with an authority of its own (ca.pem), and what it signed for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("authority")
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=A proxy", "-days", "2",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n")
    openssl(folder, "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "cert.pem", "-days", "2", "-extfile", "names")
    return folder


@pytest.fixture
def secure(authority, monkeypatch):
    """Address of a server with that certificate; nothing in the environment trusts it."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *words):
            pass

    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_certificate_is_named_and_trusted_where_asked(registered, secure, authority, monkeypatch):
    registered[0].loc[KEY, "url"] = f"{secure}/small.txt"
    with pytest.raises(sources.SourceError) as refused:
        sources.fetch(KEY)
    said = str(refused.value)
    assert "the certificate that came for 127.0.0.1" in said and "could not be reached" not in said
    assert "What to do: set SSL_CERT_FILE" in said and leftovers() == []
    sources._unreachable.clear()  # as a new run begins
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    assert sources.fetch(KEY).read_bytes() == CONTENT


STORE = """
import sys
import requests
from genept_utils import sources
sys.platform = "darwin"
verify = sources.trusted()
print(verify, requests.get(sys.argv[1], verify=verify).text)
"""


@pytest.mark.parametrize("trusts", [True, False])
def test_the_store_of_a_system_without_such_a_file(secure, authority, trusts):
    """Here OpenSSL's own places stand for it."""
    environment = {**os.environ, **({"SSL_CERT_FILE": str(authority / "ca.pem")} if trusts else {})}
    done = subprocess.run([sys.executable, "-c", STORE, secure], capture_output=True, text=True,
                          env=environment)
    if trusts:
        assert done.stdout == f"True {CONTENT.decode()}\n", done.stderr
    else:
        assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


def test_a_package_behind_a_proxy(wheel, monkeypatch):
    """What pip says of a certificate is said, and it is given the authority."""
    given = []

    def pip(command, **options):
        given.append(options["env"].get("PIP_CERT"))
        return subprocess.CompletedProcess(command, 1, "", "WARNING: SSLError(CERTIFICATE_VERIFY_"
                                           "FAILED)\nERROR: No matching distribution found")

    monkeypatch.setattr(sources.subprocess, "run", pip)
    monkeypatch.setenv("SSL_CERT_FILE", "authority.pem")
    with pytest.raises(sources.SourceError, match="certificate that came for the package index"):
        sources.fetch(KEY)
    assert given == ["authority.pem"]


def test_pip_names_a_certificate_by_these_words(secure, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--retries", "1", "--no-deps",
         "--isolated", "-i", f"{secure}/simple", "--dest", tmp_path, "small==1.0"],
        capture_output=True, text=True)
    assert done.returncode and "CERTIFICATE_VERIFY_FAILED" in done.stderr, done.stderr


def test_a_server_of_vectors_behind_a_proxy(serve, secure, authority, monkeypatch):
    serve()
    monkeypatch.setenv("OPENAI_BASE_URL", f"{secure}/v1")
    with pytest.raises(server.ServiceError, match="the certificate that came for 127.0.0.1 is"):
        embed.embed(["a text"], "openai:m", retries=0)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    with pytest.raises(server.ServiceError, match="failed|knows no model"):  # it was reached
        embed.embed(["a text"], "openai:m", retries=0)
