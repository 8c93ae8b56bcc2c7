"""The built book, opened from disk in one browser."""

import base64
import gzip
import json
import shutil
import sys
from pathlib import Path

import pytest

from genept_utils import paths

sys.path.insert(0, str(Path(__file__).parent))
HTML = paths.BUILD / "html"


@pytest.fixture(scope="session")
def html():
    """Folder of the built book."""
    if not (HTML / "book" / "gene-map.html").is_file():
        pytest.skip("the book is not built: make render")
    return HTML


@pytest.fixture(scope="session")
def full_names(html):
    """Skips what needs the genes' full names: a book that was built without HGNC has none."""
    packed = (html / "genes" / "data-genes.js").read_text(encoding="ascii").split('"')[3]
    if not any(json.loads(gzip.decompress(base64.b64decode(packed)))["name"]):
        pytest.skip("the book was built without the full names of HGNC")


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not shutil.which("chromium"):
        pytest.skip("chromium is not installed")
    from check_book import FLAGS

    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def tabs(html, browser):
    """Function: the tab of a name, on a desk or touched, made once for all tests; and what the
    tabs met since a test began: script and console errors, requests to a host."""
    made, faults = {}, []

    def tab(name, touched):
        if touched not in made:
            made[touched] = browser.new_context(has_touch=touched, reduced_motion="reduce"), {}
        context, named = made[touched]
        if name not in named:
            page = named[name] = context.new_page()
            page.set_default_timeout(60_000)
            page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
            page.on("request", lambda asked: faults.append(f"asked {asked.url}")
                    if not asked.url.startswith(("file:", "data:", "blob:")) else None)
            page.on("console", lambda said: faults.append(f"console error: {said.text}")
                    if said.type == "error" else None)
        return named[name]

    yield tab, faults
    for context, _ in made.values():
        context.close()


def _shown(page, width, height, scheme):
    page.bring_to_front()  # a tab behind others draws once a second
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    return page


@pytest.fixture
def opened(html, tabs):
    """Function: a page opened anew from disk; any fault fails the test."""
    tab, faults = tabs
    faults.clear()
    used = set()

    def open_(name, width=1280, scheme="light", height=800):
        page = _shown(tab("", width < 600), width, height, scheme)
        if page in used:
            page.goto("about:blank")  # another anchor alone would not open it anew
        used.add(page)
        page.goto(f"file://{html}/{name}")
        return page

    yield open_
    for page in used:
        page.evaluate("localStorage.clear()")
        page.goto("about:blank")
    assert not faults


@pytest.fixture
def kept(html, tabs):
    """Function: a page that stays open for the tests after this one, which therefore bring about
    by themselves what they look at; any fault fails the test."""
    tab, faults = tabs
    faults.clear()

    def open_(name, width=1280, scheme="light", height=800):
        page = _shown(tab(name, width < 600), width, height, scheme)
        if page.url == "about:blank":
            page.goto(f"file://{html}/{name}")
        page.evaluate("scrollTo(0, 0)")
        return page

    yield open_
    assert not faults
