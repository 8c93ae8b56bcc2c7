"""The walk through the book must see each fault that it looks for."""

import importlib.util
import shutil
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")

source = Path(__file__).with_name("check_book.py")
spec = importlib.util.spec_from_file_location("check_book", source)
check_book = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_book)

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<style>body {{ background: #fff; color: #111 }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #eee }} }}
a {{ color: inherit }}</style>
<link rel="icon" href="data:,"><title>t</title>
<main><article>{body}</article></main></html>"""
PIXEL = ("data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
CODE = '<details class="hide"><summary>Show code</summary><pre>1 + 1</pre></details>'

SOUND = f'<h1 id="top">One</h1><p><a href="#top">up</a> <a href="two.html#here">on</a></p>{CODE}'
FAULTS = {
    "missing-image": ('<h1>a</h1><img src="gone.png" alt="a plot">', "broken image gone.png"),
    "no-alt": (f'<h1>a</h1><img src="{PIXEL}">', "image without alt text"),
    "alt-file": (f'<h1>a</h1><img src="{PIXEL}" alt="{PIXEL}">', "image without alt text"),
    "two-h1": ("<h1>a</h1><h1>b</h1>", "2 visible h1"),
    "overflow": ('<h1>a</h1><div style="width: 600px">wide</div>', "overflow"),
    "console": ("<h1>a</h1><script>console.error('oh no')</script>", "console error: oh no"),
    "script": ("<h1>a</h1><script>missing()</script>", "script error"),
    "host": ('<h1>a</h1><script src="https://example.org/x.js"></script>',
             "request to another host https://example.org/x.js"),
    "link": ('<h1>a</h1><a href="nowhere.html">x</a>', "broken link nowhere.html"),
    "anchor": ('<h1>a</h1><a href="two.html#gone">x</a>', "missing anchor two.html#gone"),
    "contrast": ('<h1>a</h1><p style="color: #999; background: #fff">pale</p>', "contrast"),
    "dark": ('<h1>a</h1><p style="color: #333">dim</p>', "1280 px dark, 390 px dark"),
    "math": ('<h1>a</h1><div class="math">\\[x\\]</div>', "formulas are not rendered"),
    "toggle": (f"<h1>a</h1>{CODE}<script>document.querySelector('summary').onclick = "
               "(e) => e.preventDefault()</script>", "code does not open from the keyboard"),
    "table": ('<h1>a</h1><table class="sortable"><thead><tr><th>x</th></tr></thead></table>',
              "table is not made sortable"),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Faults by page of a small book: two sound pages and one for every fault."""
    root = tmp_path_factory.mktemp("book")
    bodies = {"one": SOUND, "two": '<h1 id="here">Two</h1>'}
    bodies |= {name: body for name, (body, _) in FAULTS.items()}
    for name, body in bodies.items():
        (root / f"{name}.html").write_text(PAGE.format(body=body), encoding="utf-8")
    return check_book.check(root, report=lambda line: None)


def test_sound_pages_pass(found):
    assert found["one.html"] == found["two.html"] == []


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_reported(found, name):
    assert any(FAULTS[name][1] in fault for fault in found[f"{name}.html"]), found[f"{name}.html"]


def test_pages_follow_the_contents(tmp_path):
    forward = '<meta http-equiv="Refresh" content="0; url=book/start.html">'
    (tmp_path / "book").mkdir()
    (tmp_path / "index.html").write_text(forward)
    nav = '<nav class="bd-links"><a href="b.html">b</a><a href="../a.html#x">a</a></nav>'
    (tmp_path / "book" / "start.html").write_text(nav)
    assert check_book.pages_of(tmp_path) == ["book/start.html", "book/b.html", "a.html"]
