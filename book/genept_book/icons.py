"""The icons that the pages use, and no others: the theme brings 1.5 MB of them a page."""

import base64
import io
import re
import shutil
from pathlib import Path

FAMILIES = {"fa-solid-900": ("Font Awesome 6 Free", 900), "fa-brands-400": ("Font Awesome 6 Brands", 400)}
_CLASSES = re.compile(r"""class=["']([^"']*\bfa[srb]?[ -][^"']*)["']""")
_PRIVATE = re.compile("[\ue000-\uf8ff]")


def subset_icons(app, exception):
    """Replace the icon script by fonts with the icons that occur, in the style sheet itself, so
    that a page opened from disk shows them, too; a handler of ``build-finished``."""
    if exception or app.builder.format != "html":
        return
    root = Path(app.outdir)
    sheets = list(root.glob("_static/vendor/fontawesome/*/css/all.min.css"))
    pages = {page: page.read_text(encoding="utf-8") for page in root.rglob("*.html")}
    if not sheets or not (sheets[0].parent.parent / "js").is_dir():
        return
    scripts = [path.read_text(encoding="utf-8") for path in root.glob("_static/scripts/*.js")]
    classes = used_classes([*pages.values(), *scripts])
    styles = "".join(path.read_text(encoding="utf-8") for path in root.glob("_static/styles/*.css"))
    sheet, folder = sheets[0], sheets[0].parent.parent
    sheet.write_text(small_sheet(sheet.read_text(encoding="utf-8"), classes, styles,
                                 folder / "webfonts"), encoding="utf-8")
    for name in ("js", "webfonts"):
        shutil.rmtree(folder / name)
    for page, text in pages.items():
        fewer = re.sub(r'<script src="[^"]*vendor/fontawesome/[^"]*">\s*</script>\n?', "", text)
        fewer = re.sub(r'<link rel="preload" as="font"[^>]*>\n?', "", fewer)
        if fewer != text:
            page.write_text(fewer, encoding="utf-8")


def used_classes(texts):
    """The class names of icons in pages and scripts."""
    found = {name for text in texts for names in _CLASSES.findall(text) for name in names.split()}
    found |= {name for text in texts for name in re.findall(r"\bfa-[a-z-]+", text)
              if "<html" not in text[:500]}
    return {name for name in found if re.fullmatch(r"fa[srb]?|fa-[a-z0-9-]+", name)}


def small_sheet(css, classes, styles, fonts):
    """The rules of a style sheet that apply to some classes, and the fonts with their icons and
    those that other ``styles`` name."""
    licence = css[:css.index("*/") + 2]
    rules = [rule for rule in re.findall(r"([^{}]+)\{([^{}]*)\}", css[len(licence):])
             if not rule[0].startswith("@") and classes & set(
                 re.findall(r"\.(fa[a-z0-9-]*)", rule[0]))]
    signs = set(_PRIVATE.findall(styles)) | set(map(_sign, re.findall(
        r'content:"\\(f[0-9a-f]{3}|e[0-9a-f]{3})"', "".join(body for _, body in rules) + styles)))
    kept = [f"{names}{{{body}}}" for names, body in rules]
    for name, (family, weight) in FAMILIES.items():
        data = base64.b64encode(subset(fonts / f"{name}.ttf", signs)).decode()
        kept.append(f'@font-face{{font-family:"{family}";font-style:normal;font-weight:{weight};'
                    f'font-display:block;src:url(data:font/woff;base64,{data}) format("woff")}}')
    kept.append(':root{--fa-font-solid:normal 900 1em/1 "Font Awesome 6 Free";'
                '--fa-font-brands:normal 400 1em/1 "Font Awesome 6 Brands"}')
    return licence + "".join(kept)


def _sign(code):
    return chr(int(code, 16))


def subset(path, signs):
    """A font with some characters alone, as bytes of WOFF."""
    from fontTools import subset as fonttools
    from fontTools.ttLib import TTFont

    options = fonttools.Options(flavor="woff", layout_features=[], hinting=False, glyph_names=False,
                                notdef_outline=True, ignore_missing_unicodes=True)
    with TTFont(path) as font:
        tool = fonttools.Subsetter(options)
        tool.populate(text="".join(sorted(signs)))
        tool.subset(font)
        font.flavor, out = "woff", io.BytesIO()
        font.save(out)
    return out.getvalue()
