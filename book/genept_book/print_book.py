"""The whole book as one PDF, printed by Chromium from the built pages: ``make pdf``."""

import re
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import urljoin

from bs4 import BeautifulSoup

from genept_utils import paths
from genept_utils.atomic import save
from genept_book.templates import render

# Formulas are set before the page is printed, and what is folded is open.
READY = """async () => { if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
  for (const one of document.querySelectorAll("details"))
    one.open = !one.classList.contains("hide"); }"""


def pages(root):
    """Names of the pages in the order of the contents, the first page first."""
    first = "book/index.html"
    names = [urljoin(first, link["href"])
             for link in _read(root / first).select(".bd-links a.reference.internal")]
    return list(dict.fromkeys([first, *(name for name in names if (root / name).is_file())]))


def one_page(root, names):
    """The articles of some pages as one document, beside which links lead."""
    root = root.resolve()
    read = {name: _read(root / name) for name in names}
    sheets = [urljoin((root / names[0]).as_uri(), link["href"].partition("?")[0])
              for link in read[names[0]].select('link[href*=".css"]')]
    return render("print.html.j2", sheets=sheets, parts={
        _anchor(name): _part(root, name, read) for name in names},
        maths=(root / "_static" / "mathjax" / "tex-chtml.js").as_uri())


def _read(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def _part(root, name, read):
    """The article of a page: ids bear its name, links lead to other parts or to the file."""
    article = read[name].select_one("article.bd-article")
    for script in article(["script", "noscript"]):
        script.decompose()
    for tag in article(True):
        if "id" in tag.attrs:
            tag["id"] = f"{_anchor(name)}--{tag['id']}"
        for link in {"href", "src", "srcset"} & set(tag.attrs):
            address = urljoin(name, tag[link])
            target, _, part = address.partition("#")
            if link == "href" and target in read:
                tag[link] = f"#{_anchor(target)}" + (f"--{part}" if part else "")
            else:
                tag[link] = urljoin(f"{root.as_uri()}/", address)
    return article.decode_contents()


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
