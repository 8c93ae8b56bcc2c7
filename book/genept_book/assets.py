"""Files beside the pages: no other host is asked, images have their size, MathJax is copied."""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

from markupsafe import Markup
from PIL import Image
from sphinx.errors import ExtensionError

from genept_book.templates import render
from genept_book.wording import keep_together

WIDE = 420  # CSS pixels of a figure that a phone shows whole with letters still read
# What the tools write -> what a screen reader can use.
PLAINER = {
    # the label of a closed cell should be what is seen: "Show code"
    ' aria-label="Toggle hidden content"': "",
    # a list whose children are no list items, in a role that is given up
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    ' role="doc-biblioentry"': "",
    # a head without a word is no head
    '<th class="head"><p></p></th>': '<td class="head"></td>',
}
MATHJAX = ["tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions"]


def png_size(path):
    """Width and height of a PNG in CSS pixels, 100 to the inch; None for other files.

    A figure then has the size that its author gave it in inches, whatever its resolution.
    """
    if path.suffix.lower() != ".png":
        return None
    with Image.open(path) as image:
        dpi = image.info.get("dpi", (100, 100))[0]
        return tuple(round(side * 100 / dpi) for side in image.size)


def finish_page(app, pagename, templatename, context, doctree):
    """Give images their size, so that nothing moves while they load, and keep hosts out."""
    for kind in ("script_files", "css_files"):
        context[kind] = [asset for asset in context[kind]
                         if "//" not in str(getattr(asset, "filename", asset) or "")]
    stored = {value[1]: Path(app.srcdir, key) for key, value in app.env.images.items()}

    def sized(match):
        tag, up, name = match[0], match[1], match[2]
        size = png_size(stored[name]) if name in stored and "width=" not in tag else None
        if size:
            tag = tag.replace("<img ", f'<img width="{size[0]}" height="{size[1]}" ', 1)
        tall = name.replace(".svg", "-tall.svg")
        there = tall != name and Path(app.srcdir, "book", "_static", tall).is_file()
        return render("image.html.j2", tag=Markup(tag), tall=there and f"{up}_static/{tall}",
                      wide=size and size[0] > WIDE and size[0])

    if body := context.get("body"):
        for written, wanted in PLAINER.items():
            body = body.replace(written, wanted)
        pattern = r'<img [^>]*src="([^"]*)_images/([^"/]+)"[^>]*>'
        context["body"] = keep_together(re.sub(pattern, sized, body))


def make_static_folder(app):
    """Make ``_static`` first: the theme copies its logo there even after a build that failed,
    and where the folder is missing it leaves a file of that name which stops the next build."""
    Path(app.outdir, "_static").mkdir(parents=True, exist_ok=True)


def join_styles(app):
    """Put what the theme's style sheet imports into it: one request less before the first paint,
    and no address that a tool resolves against the page."""
    static = Path(app.outdir, "_static")
    theme, line = static / "styles" / "theme.css", '@import "../basic.css";'
    text = theme.read_text(encoding="utf-8")
    if line in text:
        basic = (static / "basic.css").read_text(encoding="utf-8")
        basic = re.sub(r"url\((?!data:)[\"']?(?!/)", r"\g<0>../", basic)
        theme.write_text(text.replace(line, basic), encoding="utf-8")


def copy_mathjax(app):
    """Copy the part of MathJax that the book uses (2.2 MB of 24) from its package."""
    if (spec := find_spec("sphinx-mathjax-offline")) is None:
        raise ExtensionError("MathJax is missing: pip install sphinx-mathjax-offline")
    package = Path(spec.origin).parent / "static" / "mathjax"
    for part in MATHJAX:
        target = Path(app.outdir, "_static", "mathjax", part)
        if (package / part).is_dir():
            shutil.copytree(package / part, target, dirs_exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(package / part, target)
