"""The icons that the pages use, and no others: the theme brings 1.5 MB of them a page."""

import base64
import io
import re
import shutil
from pathlib import Path

from fontTools import subset as fonttools

from genept_book.templates import render

_PRIVATE = re.compile("[\ue000-\uf8ff]")
FACES = {"fa-solid-900": {"family": "Font Awesome 6 Free", "weight": 900, "kind": "solid"},
         "fa-brands-400": {"family": "Font Awesome 6 Brands", "weight": 400, "kind": "brands"}}


def subset_icons(app):
    """Replace the icon script by fonts with the icons that occur; last of all, when pages are
    there."""
    root = Path(app.outdir)
    sheet = next(root.glob("_static/vendor/fontawesome/*/css/all.min.css"), None)
    if sheet is None or not (sheet.parents[1] / "js").is_dir():
        return
    pages = {page: page.read_text(encoding="utf-8") for page in root.rglob("*.html")}
    scripts, styles = ([path.read_text(encoding="utf-8") for path in root.glob(f"_static/{kind}")]
                       for kind in ("scripts/*.js", "styles/*.css"))
    sheet.write_text(small_sheet(sheet.read_text(encoding="utf-8"),
                                 used_classes([*pages.values(), *scripts]), "".join(styles),
                                 sheet.parents[1] / "webfonts"), encoding="utf-8")
    for name in ("js", "webfonts"):
        shutil.rmtree(sheet.parents[1] / name)
    for page, text in pages.items():
        page.write_text(re.sub(r'<script src="[^"]*vendor/fontawesome/[^"]*">\s*</script>\n?'
                               r'|<link rel="preload" as="font"[^>]*>\n?', "", text),
                        encoding="utf-8")


def used_classes(texts):
    """The class names of icons in pages and scripts, and some words that look like one."""
    return {"fa", "fas", "far", "fab", *re.findall(r"\bfa-[a-z0-9-]+", " ".join(texts))}


def small_sheet(css, classes, styles, fonts):
    """The rules of a style sheet that apply to some classes, and the fonts with their icons and
    those that other ``styles`` name."""
    licence = css[:css.index("*/") + 2]
    rules = [f"{names}{{{body}}}" for names, body in
             re.findall(r"([^{}]+)\{([^{}]*)\}", css[len(licence):])
             if not names.startswith("@") and classes & {*re.findall(r"\.(fa[a-z0-9-]*)", names)}]
    codes = re.findall(r'content:"\\(f[0-9a-f]{3}|e[0-9a-f]{3})"', "".join(rules) + styles)
    signs = {*_PRIVATE.findall(styles), *(chr(int(code, 16)) for code in codes)}
    return render("icons.css.j2", licence=licence, rules=rules, faces=[
        (face, base64.b64encode(subset(fonts / f"{name}.ttf", signs)).decode())
        for name, face in FACES.items()])


def subset(path, signs):
    """A font with some characters alone, as bytes of WOFF."""
    options = fonttools.Options(flavor="woff", layout_features=[], hinting=False, glyph_names=False,
                                notdef_outline=True, ignore_missing_unicodes=True)
    font, out = fonttools.load_font(path, options), io.BytesIO()
    tool = fonttools.Subsetter(options)
    tool.populate(text="".join(sorted(signs)))
    tool.subset(font)
    fonttools.save_font(font, out, options)
    return out.getvalue()
