"""Walk through the rendered book in a browser and report what a reader would stumble over.

Usage: python tests/browser/check_book.py _build/html [--screenshots DIR] [--pages NAME ...]

Every page is opened at 1280 px and made as narrow as 390, in the light and the dark scheme.
Checked are: one visible h1; images that load and have alt text; script errors; requests that
fail or go to another host; what has to be read before the first paint; overflow; figures that
are whole and legible on a phone; links and anchors within the book; formulas; contrast of text
(WCAG AA); code and tables that open and sort from the keyboard.
"""

import argparse
import concurrent.futures
import functools
import http.server
import multiprocessing
import os
import shutil
import sys
import threading
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

WIDTHS = (1280, 390)
# What a page may read and lay out before it is painted: bytes of style sheets and scripts that
# block it, and elements. With these a page of the book is painted in half a second from disk.
MOST_BYTES, MOST_ELEMENTS = 850_000, 9_000
SCHEMES = ("light", "dark")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # no page may reach another host: the request is still seen and reported
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

# What a page shows, asked in the page itself: a list of faults.
LOOK = """async ([width, bytes, elements]) => {
  const faults = [];
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);  // the width was another
  const seen = (e) => e.checkVisibility({checkVisibilityCSS: true, checkOpacity: true});
  const headings = [...document.querySelectorAll('h1')].filter(seen);
  if (headings.length !== 1) faults.push(`${headings.length} visible h1, should be 1`);
  const images = [...document.images].filter(seen);
  await Promise.all(images.map((i) => { i.loading = 'eager'; return i.decode().catch(() => 0); }));
  for (const image of images) {
    const name = image.getAttribute('src').split('/').pop();
    if (!image.naturalWidth) faults.push(`broken image ${name}`);
    const brand = image.closest('.navbar-brand, button, a.btn');
    // where there is none, Sphinx puts the file's address
    if ((!image.alt.trim() || image.alt.endsWith(name)) && !(brand && brand.textContent.trim()))
      faults.push(`image without alt text ${name}`);
  }
  if (document.querySelector('article .math')) {
    if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
    if (!document.querySelector('mjx-container')) faults.push('formulas are not rendered');
    for (const e of document.querySelectorAll('mjx-merror')) faults.push(`bad formula ${e.title}`);
  }
  const blocking = performance.getEntriesByType('resource')
    .filter((r) => r.renderBlockingStatus === 'blocking')
    .reduce((sum, r) => sum + r.decodedBodySize, 0);
  if (blocking > bytes) faults.push(`first paint waits for ${blocking} bytes`);
  const laid = document.querySelectorAll('*').length;
  if (laid > elements) faults.push(`${laid} elements, over ${elements}`);
  // on a phone no figure scrolls, and letters of 8 points, 100 px to the inch, have 7 px
  for (const image of width < 600 ? images.filter((i) => i.closest('.cell_output')) : []) {
    const name = image.getAttribute('src').split('/').pop(), style = getComputedStyle(image);
    const box = image.closest('.image-box') || image;
    const wide = image.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const letters = wide / image.getAttribute('width') * 8 / 72 * 100;
    if (letters <= 7) faults.push(`letters of ${letters.toFixed(1)} px in ${name}`);
    if (box.scrollWidth > box.clientWidth + 1 || image.getBoundingClientRect().right > width + 1)
      faults.push(`figure ${name} scrolls`);
  }
  const root = document.scrollingElement;
  if (root.scrollWidth > width) {
    const held = (e) => e && (getComputedStyle(e).overflowX !== 'visible' || held(e.parentElement));
    const wide = [...document.querySelectorAll('main *')].find((e) =>
      e.getBoundingClientRect().right > width + 1 && seen(e) && !held(e.parentElement));
    faults.push(`overflow: ${root.scrollWidth} px wide` +
      (wide ? `, first at <${wide.tagName.toLowerCase()} class="${wide.className}">` : ''));
  }
  return faults;
}"""

# Contrast of every piece of text against the first opaque background behind it.
CONTRAST = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => {
    const [r, g, b] = c.map((v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const over = (top, below) => {
    const a = top[3] === undefined ? 1 : top[3];
    return below.map((v, i) => a * top[i] + (1 - a) * v);
  };
  const known = new Map();  // by element: what lies behind its text, null for a picture; opacity
  const behind = (e) => {
    if (!e) return [[255, 255, 255], 1];
    if (!known.has(e)) {
      const style = getComputedStyle(e), colour = parse(style.backgroundColor);
      const [below, opacity] = behind(e.parentElement);
      known.set(e, [style.backgroundImage !== 'none' ? null : colour[3] === undefined ? colour :
        below && over(colour, below), opacity * style.opacity]);
    }
    return known.get(e);
  };
  const faults = new Map();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const done = new Set();
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (done.has(e) || !walk.currentNode.data.trim()) continue;
    done.add(e);
    if (/^(SCRIPT|STYLE|NOSCRIPT)$/.test(e.tagName) || e.closest('mjx-container, svg')) continue;
    if (!e.checkVisibility({checkVisibilityCSS: true, checkOpacity: true})) continue;
    if (e.closest('.headerlink, .copybtn')) continue;
    const [below, opacity] = behind(e), style = getComputedStyle(e);
    if (!below) continue;
    const [r, g, b, a = 1] = parse(style.color);
    const [x, y] = [light(over([r, g, b, a * opacity], below)), light(below)];
    const ratio = (Math.max(x, y) + .05) / (Math.min(x, y) + .05);
    const size = parseFloat(style.fontSize), bold = style.fontWeight >= 700;
    const least = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    if (ratio < least - .005)
      faults.set(`${e.tagName}.${e.className}`,
        `contrast ${ratio.toFixed(2)} under ${least}:` +
        ` "${walk.currentNode.data.trim().slice(0, 30)}" in` +
        ` <${e.tagName.toLowerCase()} class="${e.className}">`);
  }
  return [...faults.values()];
}"""

SORTED = """() => {
  const table = document.querySelector('table.sortable[data-ready]');
  return table ? !!table.querySelector('[aria-sort]') : null;
}"""


class Links(HTMLParser):
    """The anchors of a page, its links, and its links to other pages of the contents."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.contents, self.nav = set(), [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.update(attributes[key] for key in ("id", "name") if attributes.get(key))
        if tag == "nav":
            self.nav += "bd-links" in attributes.get("class", "")
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
            if self.nav:
                self.contents.append(attributes["href"])
        if tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            self.links.append(attributes["content"].partition("url=")[2].strip())
            self.contents.append(self.links[-1])

    def handle_endtag(self, tag):
        if tag == "nav":
            self.nav = 0


@functools.lru_cache(maxsize=None)
def links_of(path):
    return Links(path.read_text(encoding="utf-8"))


def resolve(root, page, link):
    """File and anchor that a link of a page leads to; None for another host."""
    parts = urlsplit(urljoin(f"http://book/{page}", link))
    if parts.netloc != "book" or parts.scheme != "http":
        return None
    path = root / unquote(parts.path).lstrip("/")
    return (path / "index.html" if path.is_dir() else path), unquote(parts.fragment)


def pages_of(root):
    """The pages in the order of the contents; every page where there are no contents."""
    start = "index.html"
    for _ in range(2):  # index.html may only forward to the first page
        found = links_of(root / start).contents if (root / start).is_file() else []
        targets = [resolve(root, start, link) for link in found]
        names = [target[0].relative_to(root).as_posix() for target in targets if target]
        if len(names) != 1:
            break
        start = names[0]
    if not found:
        names = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*.html"))]
    else:
        names = [start, *names]
        names += [name for name in ("search.html",) if (root / name).is_file()]
    return list(dict.fromkeys(names))


def broken_links(root, page):
    """Links within the book that lead nowhere."""
    faults = []
    for link in dict.fromkeys(links_of(root / page).links):
        target = resolve(root, page, link)
        if target is None:
            continue
        path, anchor = target
        if not path.is_file():
            faults.append(f"broken link {link}")
        elif anchor and path.suffix == ".html" and anchor not in links_of(path).ids:
            faults.append(f"missing anchor {link}")
    return faults


def use_keyboard(page):
    """Open the first closed code cell and sort the first table without a mouse."""
    faults = []
    toggle = page.locator("article details.hide > summary").first
    if toggle.count():
        toggle.focus()
        page.keyboard.press("Enter")
        if not page.evaluate("document.querySelector('article details.hide').open"):
            faults.append("code does not open from the keyboard")
        page.keyboard.press("Enter")
    button = page.locator("table.sortable thead button").first
    if button.count():
        button.focus()
        page.keyboard.press("Enter")
        if page.evaluate(SORTED) is False:
            faults.append("table does not sort from the keyboard")
    elif page.locator("table.sortable").count():
        faults.append("table is not made sortable")
    return faults


def serve(root):
    """Serve a folder on a free port of this machine; returns the server."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(root))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def check(root, names=None, screenshots=None, report=print):
    """Faults by page name.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the rendered book.
    names : sequence of str, optional
        The pages; by default those of :func:`pages_of`.
    screenshots : pathlib.Path, optional
        Folder for one picture of every page, width and scheme.
    report : callable
        Called with one line per page.

    Returns
    -------
    dict of str to list of str
        Page name to its faults, an empty list where there are none.
    """
    from playwright.sync_api import sync_playwright

    root = Path(root).resolve()
    names = pages_of(root) if names is None else names
    server = serve(root)
    base = f"http://127.0.0.1:{server.server_port}/"
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        context = browser.new_context(reduced_motion="reduce")  # what pages share is read once
        for name in names:
            start, faults = time.perf_counter(), {}

            def note(fault):
                faults.setdefault(fault, [])

            page = context.new_page()
            listen(page, base, note)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                if width == WIDTHS[0]:
                    page.goto(base + name, wait_until="load")
                for scheme in SCHEMES:
                    page.emulate_media(color_scheme=scheme)
                    seen = page.evaluate(LOOK, [width, MOST_BYTES, MOST_ELEMENTS]) + page.evaluate(CONTRAST)
                    for fault in seen:
                        faults.setdefault(fault, []).append(f"{width} px {scheme}")
                    if screenshots:
                        screenshots.mkdir(parents=True, exist_ok=True)
                        stem = name.removesuffix(".html").replace("/", "-")
                        page.screenshot(path=screenshots / f"{stem}-{width}-{scheme}.png",
                                        full_page=True)
                if width == WIDTHS[0]:
                    for fault in use_keyboard(page):
                        note(fault)
            page.close()
            for fault in broken_links(root, name):
                note(fault)
            everywhere = len(WIDTHS) * len(SCHEMES)
            found[name] = [
                f"{fault} ({', '.join(where)})" if 0 < len(where) < everywhere else fault
                for fault, where in faults.items()
            ]
            report("\n       ".join([  # as one piece: another process writes beside this one
                f"{'ok  ' if not faults else 'FAIL'} {name} ({time.perf_counter() - start:.1f} s)",
                *found[name]]))
        browser.close()
    server.shutdown()
    return found


def check_side_by_side(root, names, screenshots=None, jobs=None):
    """Faults by page name, from as many browsers as there are cores, two at most."""
    jobs = jobs or min(2, os.cpu_count() or 1, len(names))
    one = functools.partial(check, root, screenshots=screenshots)
    spawned = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=spawned) as pool:
        parts = pool.map(one, [names[number::jobs] for number in range(jobs)])
        return {name: faults for part in parts for name, faults in part.items()}


def listen(page, base, note):
    """Note script errors, failed requests, and requests to another host."""

    def asked(request):
        if urlsplit(request.url).scheme in ("http", "https", "ws", "wss"):
            if not request.url.startswith(base):
                note(f"request to another host {request.url}")

    def answered(response):
        if response.status >= 400:
            note(f"request failed ({response.status}) {response.url.removeprefix(base)}")

    def failed(request):
        if request.url.startswith(base):
            note(f"request failed {request.url.removeprefix(base)}")

    def said(message):
        # failed requests are noted above, with their address
        if message.type == "error" and "Failed to load resource" not in message.text:
            note(f"console error: {message.text}")

    page.on("request", asked)
    page.on("response", answered)
    page.on("requestfailed", failed)
    page.on("console", said)
    page.on("pageerror", lambda error: note(f"script error: {error}"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the rendered book, _build/html")
    parser.add_argument("--screenshots", type=Path, metavar="DIR", help="write pictures there")
    parser.add_argument("--pages", nargs="+", metavar="NAME",
                        help="only pages with this in the name")
    options = parser.parse_args()
    if not (options.folder / "index.html").is_file():
        parser.error(f"{options.folder} holds no index.html: build the book first (make render)")
    if not shutil.which("chromium"):
        parser.error("chromium is not installed: apt-get install chromium")
    start = time.perf_counter()
    names = [name for name in pages_of(options.folder)
             if not options.pages or any(part in name for part in options.pages)]
    found = check_side_by_side(options.folder, names, options.screenshots) if names else {}
    bad = sum(bool(faults) for faults in found.values())
    print(f"{len(found) - bad} passed, {bad} failed in {time.perf_counter() - start:.0f} s")
    sys.exit(bool(bad or not found))


if __name__ == "__main__":
    main()
