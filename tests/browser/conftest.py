"""The built book, opened from disk in one browser."""

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
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not shutil.which("chromium"):
        pytest.skip("chromium is not installed")
    from check_book import FLAGS

    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def opened(html, browser):
    """Function: a page from disk; any script or console error or request to a host fails the test."""
    contexts, faults = [], []

    def open_(name, width=1280, scheme="light", height=800):
        context = browser.new_context(viewport={"width": width, "height": height},
                                      color_scheme=scheme, has_touch=width < 600,
                                      reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
        page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:", "blob:"))
                else faults.append(f"asked {asked.url}"))
        page.on("console", lambda said: faults.append(f"console error: {said.text}")
                if said.type == "error" else None)
        page.goto(f"file://{html}/{name}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not faults
