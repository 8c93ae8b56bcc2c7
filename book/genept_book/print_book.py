"""The whole book as one PDF, printed by Chromium from the built pages: ``make pdf``."""

import html
import re
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from genept_utils import paths
from genept_utils.atomic import replacing

# What is of no use on paper, and pages that are nothing without their scripts.
HIDE = """.headerlink, .copybtn, .table-filter, .table-more, .scroll-hint, .prev-next-footer,
  .gene-search, .map-frame, .map-legend, .map-table, .gene-list-page, .toggle-button { display: none !important }
  .printed { break-before: page } .printed:first-of-type { break-before: auto }
  .table-box, .image-box, pre, .highlight { overflow: visible !important; max-height: none !important }
  .wide { width: auto !important; margin: 0 !important }
  pre { white-space: pre-wrap !important } table { font-size: 8pt; break-inside: auto }
  tr, figure, .cell_output img { break-inside: avoid } body { background: #fff }
  img, svg { max-width: 100%; height: auto } main { max-width: none; padding: 0 }"""
_ARTICLE = re.compile(r'<article class="bd-article"[^>]*>(.*?)</article>', re.DOTALL)
_CONTENTS = re.compile(r'<a class="reference internal" href="([^"#]+\.html)">')


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
    parts = [_part(root, name, set(names)) for name in names]
    head = (root / names[0]).read_text(encoding="utf-8")
    sheets = re.findall(r'<link [^>]*href="([^"]+\.css)[^"]*"[^>]*>', head)
    base = (root / names[0]).as_uri()
    styles = "".join(f'<link rel="stylesheet" href="{urljoin(base, one)}">' for one in sheets)
    maths = (root / "_static" / "mathjax" / "tex-chtml.js").as_uri()
    return (f'<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
            f"<title>The GenePT book</title>{styles}<style>{HIDE}</style>"
            '<script>window.MathJax = {options: {enableMenu: false, processHtmlClass: "math"}}</script>'
            f'<script defer src="{maths}"></script></head>'
            f'<body><main class="bd-article">{"".join(parts)}</main></body></html>')


def _part(root, name, names):
    """The article of a page: ids bear its name, links lead to other parts or to the file."""
    text = _ARTICLE.search((root / name).read_text(encoding="utf-8"))[1]
    base, own = (root / name).as_uri(), _anchor(name)

    def lead(match):
        kind, address = match[1], html.unescape(match[2])
        whole = urlsplit(urljoin(base, address))
        target = whole.path.removeprefix(urlsplit(root.as_uri()).path + "/")
        if kind == "href" and whole.scheme == "file" and target in names:
            address = f"#{_anchor(target)}" + (f"--{whole.fragment}" if whole.fragment else "")
        elif not urlsplit(address).scheme:
            address = urljoin(base, address)
        return f'{kind}="{html.escape(address)}"'

    text = re.sub(r'\b(href|src|srcset)="([^"]*)"', lead, text)
    text = re.sub(r'(?<=\s)id="([^"]*)"', lambda match: f'id="{own}--{match[1]}"', text)
    text = re.sub(r"<script\b.*?</script>|<noscript\b.*?</noscript>", "", text, flags=re.DOTALL)
    return f'<section class="printed" id="{own}">{text}</section>'


def _anchor(name):
    return re.sub(r"\W+", "-", name.removesuffix(".html"))


def write_pdf(root, path):
    """Print the built book below ``root`` to ``path``; (n_pages of the book, seconds)."""
    from playwright.sync_api import sync_playwright

    start, names = time.perf_counter(), pages(root)
    document = root / "_print.html"
    with replacing(document) as part:
        part.write_text(one_page(root, names), encoding="utf-8")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[
                "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"])
            page = browser.new_page()
            page.set_default_timeout(300_000)
            page.goto(document.resolve().as_uri(), wait_until="load")
            page.evaluate("""async () => { if (window.MathJax && MathJax.startup)
              await MathJax.startup.promise;
              for (const one of document.querySelectorAll("details")) one.open =
                !one.classList.contains("hide"); }""")
            page.pdf(path=path, format="A4", outline=True, tagged=True, display_header_footer=True,
                     header_template="<span></span>", margin=dict.fromkeys(
                         ("top", "bottom", "left", "right"), "17mm"),
                     footer_template='<div style="font-size:8px;width:100%;text-align:center">'
                     '<span class="pageNumber"></span></div>')
            browser.close()
    finally:
        document.unlink()
    return len(names), time.perf_counter() - start


def main():
    root = paths.BUILD / "html"
    if not (root / "book" / "index.html").is_file():
        sys.exit("the book is not built: make render")
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else paths.BUILD / "genept-book.pdf"
    count, seconds = write_pdf(root, path)
    print(f"{path}: {count} pages of the book, {path.stat().st_size / 1e6:.1f} MB, "
          f"{seconds:.0f} s")


if __name__ == "__main__":
    main()
