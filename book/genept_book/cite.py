"""How the book and each page of it are cited, and the footer that says so."""

import functools
import re
import subprocess
from html import escape

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from genept_utils import paths


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
    book = citation()
    authors = "; ".join(" ".join(filter(None, (one.get("name"), one.get("family-names"),
                                               one.get("given-names"))))
                        for one in book["authors"])
    year, version = str(book["date-released"])[:4], book["version"]
    url = book["repository-code"] + (f"/blob/main/{source}" if source else "")
    state = f"version {version}" + (f", commit {commit()}" if commit() else "")
    name = "-".join(["genept-book", *re.sub(r"\.\w+$", "", source).split("/")[1:]])
    text = f"{authors} ({year}). " + (f"{title}. In: {book['title']}, {state}." if title else
                                      f"{book['title']}, {state}.") + f" {url}"
    bibtex = "\n".join([
        f"@misc{{{name},", f"  title = {{{{{title or book['title']}}}}},",
        f"  author = {{{{{authors}}}}},", f"  year = {{{year}}},",
        f"  howpublished = {{{book['title']}, {state}}},", f"  url = {{{url}}}", "}"])
    return text, bibtex


def paper_entry():
    """Text and BibTeX of the paper that the book re-runs."""
    paper = citation()["preferred-citation"]
    people = [(one["family-names"], one["given-names"]) for one in paper["authors"]]
    text = (", ".join(f"{family}, {given}" for family, given in people) + f" ({paper['year']}). "
            f"{paper['title']}. {paper['journal']}. https://doi.org/{paper['doi']}")
    bibtex = "\n".join([
        "@article{chen2024genept,", f"  title = {{{paper['title']}}},",
        f"  author = {{{' and '.join(f'{family}, {given}' for family, given in people)}}},",
        f"  journal = {{{paper['journal']}}},", f"  year = {{{paper['year']}}},",
        f"  doi = {{{paper['doi']}}}", "}"])
    return text, bibtex


def cite_page(app, pagename, templatename, context, doctree):
    """Set the footer of a page: version, commit, licence, changes, and how the page is cited."""
    cite = context["pathto"]("book/cite").removesuffix("#")  # "#" on that page itself
    source = context.get("sourcename") and f"{pagename}{context.get('page_source_suffix', '')}"
    title = re.sub(r"<[^>]+>", "", context.get("title") or "").strip()
    book = citation()
    text, bibtex = entry(title if source else "", source or "")
    stamp = " · ".join(filter(None, (
        f'<a href="{cite}#changes">Version {book["version"]}</a>',
        f"commit {commit()}" if commit() else "",
        f'<a href="{cite}#licence">{escape(book["license"])} licence</a>')))
    context["theme_extra_footer"] = (
        '<details class="cite-page"><summary>Cite this page</summary>'
        f"<p>{escape(text, quote=False)}</p><pre tabindex=\"0\" aria-label=\"BibTeX of this page\">"
        f"{escape(bibtex, quote=False)}</pre></details>"
        f'<p class="page-stamp">{stamp}</p>')


class CiteBook(SphinxDirective):
    """The entries of the paper and the book."""

    def run(self):
        made = []
        for text, bibtex in (paper_entry(), entry()):
            made += [nodes.paragraph("", text), nodes.literal_block(bibtex, bibtex, language="bibtex")]
        return made
