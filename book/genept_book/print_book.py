"""The whole book as one PDF, printed by Chromium from the built pages: ``make pdf``."""

import html
import re
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from genept_utils import paths
from genept_utils.atomic import save
from genept_book.templates import render

_ARTICLE = re.compile(r'<article class="bd-article"[^>]*>(.*?)</article>', re.DOTALL)
_CONTENTS = re.compile(r'<a class="reference internal" href="([^"#]+\.html)">')
# Formulas are set before the page is printed, and what is folded is open.
READY = """async () => { if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
  for (const one of document.querySelectorAll("details"))
    one.open = !one.classList.contains("hide"); }"""


def pages(root):
    """Names of the pages in the order of the contents, the first page first."""
    first = "book/index.html"
    links = _CONTENTS.findall((root / first).read_text(encoding="utf-8").partition(
        'class="bd-links')[2].partition("</nav>")[0])
    names = [urljoin(first, link) for link in links]
    return list(dict.fromkeys([first, *(name for name in names if (root / name).is_file())]))


def one_page(root, names):
    """The articles of some pages as one document, beside which links lead."""
    root = root.resolve()
    head = (root / names[0]).read_text(encoding="utf-8")
    sheets = re.findall(r'<link [^>]*href="([^"]+\.css)[^"]*"[^>]*>', head)
    return render("print.html.j2", parts={_anchor(name): _part(root, name, names)
                                          for name in names},
                  sheets=[urljoin((root / names[0]).as_uri(), one) for one in sheets],
                  maths=(root / "_static" / "mathjax" / "tex-chtml.js").as_uri())


def _part(root, name, names):
    """The article of a page: ids bear its name, links lead to other parts or to the file."""
    text = _ARTICLE.search((root / name).read_text(encoding="utf-8"))[1]

    def lead(match):
        address = html.unescape(match[2])
        whole = urlsplit(urljoin((root / name).as_uri(), address))
        target = whole.path.removeprefix(urlsplit(root.as_uri()).path + "/")
        if match[1] == "href" and whole.scheme == "file" and target in names:
            address = f"#{_anchor(target)}" + (f"--{whole.fragment}" if whole.fragment else "")
        elif not urlsplit(address).scheme:
            address = whole.geturl()
        return f'{match[1]}="{html.escape(address)}"'

    text = re.sub(r'\b(href|src|srcset)="([^"]*)"', lead, text)
    text = re.sub(r'(?<=\s)id="([^"]*)"', rf'id="{_anchor(name)}--\1"', text)
    return re.sub(r"<(script|noscript)\b.*?</\1>", "", text, flags=re.DOTALL)


def _anchor(name):
    return re.sub(r"\W+", "-", name.removesuffix(".html"))


def main():
    """Print the built book into a file."""
    from playwright.sync_api import sync_playwright

    root, start = paths.BUILD / "html", time.perf_counter()
    if not (root / "book" / "index.html").is_file():
        sys.exit("the book is not built: make render")
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else paths.BUILD / "genept-book.pdf"
    names, document = pages(root), root / "_print.html"
    save(document, one_page(root, names))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[
                "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"])
            page = browser.new_page()
            page.set_default_timeout(300_000)
            page.goto(document.resolve().as_uri(), wait_until="load")
            page.evaluate(READY)
            page.pdf(path=path, format="A4", outline=True, tagged=True, display_header_footer=True,
                     header_template="<span></span>", margin=dict.fromkeys(
                         ("top", "bottom", "left", "right"), "17mm"),
                     footer_template='<div style="font-size:8px;width:100%;text-align:center">'
                     '<span class="pageNumber"></span></div>')
            browser.close()
    finally:
        document.unlink()
    print(f"{path}: {len(names)} pages of the book, {path.stat().st_size / 1e6:.1f} MB, "
          f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
