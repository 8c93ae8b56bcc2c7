"""How the book and each page of it are cited, and the footer that says so."""

import functools
import re
import subprocess

import yaml
from markupsafe import Markup

from genept_utils import paths
from genept_book.templates import render


@functools.cache
def commit():
    """The short hash of the commit that the book is built from; "" where git does not know."""
    git = ["git", "-C", str(paths.ROOT), "log", "-1", "--format=%h"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


@functools.cache
def citation():
    """``CITATION.cff`` as a dict."""
    return yaml.safe_load((paths.ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def entry(title="", source=""):
    """Text and BibTeX of the book, or of a page by its title and source file."""
    book, names = citation(), ("name", "family-names", "given-names")
    authors = "; ".join(" ".join(one[name] for name in names if name in one)
                        for one in book["authors"])
    values = {
        "book": book, "title": title, "authors": authors, "year": str(book["date-released"])[:4],
        "state": f"{book['title']}, version {book['version']}"
                 + (f", commit {commit()}" if commit() else ""),
        "url": book["repository-code"] + (f"/blob/main/{source}" if source else ""),
        "key": "-".join(["genept-book", *re.sub(r"\.\w+$", "", source).split("/")[1:]])}
    return render("citation.txt.j2", **values), render("bibtex.txt.j2", **values)


def cite_page(app, pagename, templatename, context, doctree):
    """Set the footer of a page: version, commit, licence, changes, and how the page is cited."""
    source = context.get("sourcename") and f"{pagename}{context.get('page_source_suffix', '')}"
    title = Markup(context.get("title") or "").striptags() if source else ""
    text, bibtex = entry(title, source or "")
    context["theme_extra_footer"] = render(
        "footer.html.j2", text=text, bibtex=bibtex, book=citation(), commit=commit(),
        cite=context["pathto"]("book/cite").removesuffix("#"))  # "#" on that page itself
