"""The walk through the book must see each fault that it looks for."""

import base64
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
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
CODE = '<details class="hide"><summary>Show code</summary><pre>1 + 1</pre></details>'

PAGES = {
    "one": f'<h1 id="top">One</h1>{CODE}<a href="#top">up</a> <a href="two.html#here">on</a>',
    "two": '<h1 id="here">Two</h1>',
    "headings": "<h1>a</h1><h1>b</h1>",
    "images": f'<h1>a</h1><img src="gone.png" alt="a plot"><img src="{PIXEL}">'
              '<img src="dot.gif" alt="_images/dot.gif">',
    "scripts": "<h1>a</h1><script>console.error('oh no')</script><script>missing()</script>"
               '<script src="https://example.org/x.js"></script>',
    "width": '<h1>a</h1><div style="width: 600px">wide</div>',
    "figures": f'<h1>a</h1><div class="cell_output"><img src="{PIXEL}" width="900" alt="small" '
               f'style="width: 300px"><img src="{PIXEL}" width="700" alt="wide"></div>',
    "links": '<h1>a</h1><a href="nowhere.html">x</a><a href="two.html#gone">y</a>',
    "colours": '<h1>a</h1><p style="color: #999; background: #fff">pale</p>'
               '<p style="color: #333">dim</p><div style="opacity: .3"><b>faint</b></div>',
    "use": f"<h1>a</h1>{CODE}<div class='math'>\\[x\\]</div>"
           "<script>document.querySelector('summary').onclick = (e) => e.preventDefault()</script>"
           "<table class='sortable'><thead><tr><th>x</th></tr></thead></table>",
    "heavy": "<h1>a</h1><link rel='stylesheet' href='heavy.css'><p>x</p>" + 9000 * "<i></i>",
}
FAULTS = [
    ("headings", "2 visible h1"),
    ("images", "broken image gone.png"),
    ("images", "request failed (404) gone.png"),
    ("images", "image without alt text"),
    ("images", "image without alt text dot.gif"),
    ("scripts", "console error: oh no"),
    ("scripts", "script error: missing is not defined"),
    ("scripts", "request to another host https://example.org/x.js"),
    ("width", "overflow: 6"),
    ("figures", "letters of 3.7 px in "),
    ("figures", " scrolls (390 px light, 390 px dark)"),
    ("links", "broken link nowhere.html"),
    ("links", "missing anchor two.html#gone"),
    ("colours", '"pale"'),
    ("colours", '"faint" in <b class="">'),
    ("colours", '"dim" in <p class=""> (1280 px dark, 390 px dark)'),
    ("use", "formulas are not rendered"),
    ("use", "code does not open from the keyboard"),
    ("use", "table is not made sortable"),
    ("heavy", "first paint waits for 900000 bytes"),
    ("heavy", "elements, over 9000"),
]


def test_faults_are_reported_and_sound_pages_pass(tmp_path):
    root = tmp_path
    (root / "dot.gif").write_bytes(base64.b64decode(PIXEL.partition(",")[2]))
    (root / "heavy.css").write_text(" " * 900_000)
    for name, body in PAGES.items():
        (root / f"{name}.html").write_text(PAGE.format(body=body), encoding="utf-8")
    found = check_book.check(root, report=lambda line: None)
    assert found["one.html"] == found["two.html"] == []
    for name, fault in FAULTS:
        assert any(fault in text for text in found[f"{name}.html"]), (fault, found[f"{name}.html"])


def test_pages_follow_the_contents(tmp_path):
    forward = '<meta http-equiv="Refresh" content="0; url=book/start.html">'
    (tmp_path / "book").mkdir()
    (tmp_path / "index.html").write_text(forward)
    nav = '<nav class="bd-links"><a href="b.html">b</a><a href="../a.html#x">a</a></nav>'
    (tmp_path / "book" / "start.html").write_text(nav)
    assert check_book.pages_of(tmp_path) == ["book/start.html", "book/b.html", "a.html"]
