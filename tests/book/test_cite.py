"""How pages are cited, which icons are kept, and the book as one document."""

import re

import pytest

pytest.importorskip("sphinx", reason="sphinx is not installed")

import genept_utils  # noqa: E402
from genept_utils import paths  # noqa: E402
from genept_book import cite, html_tables, icons, print_book  # noqa: E402


def test_entry_of_a_page_has_title_version_commit_and_address(monkeypatch):
    monkeypatch.setattr(cite, "commit", lambda: "abc1234")
    text, bibtex = cite.entry("Gene <programs> & more", "notebooks/04-gene-programs.ipynb")
    version, url = genept_utils.__version__, cite.citation()["repository-code"]
    assert text == (f"GenePT book contributors (2026). Gene <programs> & more. In: The GenePT book, "
                    f"version {version}, commit abc1234. "
                    f"{url}/blob/main/notebooks/04-gene-programs.ipynb")
    assert bibtex.startswith("@misc{genept-book-04-gene-programs,")
    assert "title = {{Gene <programs> & more}}" in bibtex and bibtex.count("{") == bibtex.count("}")
    assert cite.entry()[1].startswith("@misc{genept-book,")


def test_the_page_on_citing_has_the_entries_of_the_citation_file(monkeypatch):
    monkeypatch.setattr(cite, "commit", lambda: "")
    page = (paths.BOOK / "cite.md").read_text(encoding="utf-8")
    assert all(one in page for one in cite.entry())
    paper = cite.citation()["preferred-citation"]
    people = [f"{one['family-names']}, {one['given-names']}" for one in paper["authors"]]
    for name in ("title", "journal", "year", "doi"):
        assert f" {name} = {{{paper[name]}}}" in " ".join(page.split())  # a title may be wrapped
    assert f"author = {{{' and '.join(people)}}}" in page and page.count(paper["doi"]) == 2


def test_footer_is_escaped_and_links_licence_and_changes(monkeypatch):
    context = {"pathto": lambda name: f"../{name}.html", "sourcename": "x", "title": "<b>A</b> &lt; B",
               "page_source_suffix": ".md"}
    cite.cite_page(None, "book/a", "", context, None)
    made = context["theme_extra_footer"]
    assert "<b>" not in made and "book/a.md" in made
    assert '../book/cite.html#licence">MIT licence' in made and "#changes" in made


def test_only_used_icons_are_kept(tmp_path):
    css = ("/*! licence */.fa-lg{font-size:2em}.fas{font-weight:900}@font-face{font-family:x;src:y}"
           '.fa-sun:before,.fa-star:before{content:"\\f185"}.fa-moon:before{content:"\\f186"}'
           ".fa-spin{animation:x}")
    classes = icons.used_classes(["<html><i class='fas fa-sun'></i><p>alfa-moon, fabulous</p>",
                                  'x.classList.add("fa-lg")'])
    assert classes == {"fa", "fas", "far", "fab", "fa-sun", "fa-lg"}
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(icons, "subset", lambda path, signs: asked.append(signs) or b"font")
        made = icons.small_sheet(css, classes, ':root{--x:"\uf35d"}.a:after{content:"\\f107"}',
                                 tmp_path)
    assert asked == [{"\uf185", "\uf35d", "\uf107"}] * 2
    assert made.startswith("/*! licence */.fa-lg") and ".fa-sun" in made
    assert "fa-moon" not in made and "fa-spin" not in made and "src:y" not in made


@pytest.mark.parametrize("count, more", [(60, 0), (61, 1), (500, 440)])
def test_long_tables_lay_out_their_first_rows(count, more):
    import pandas as pd

    made = html_tables.html_table(pd.DataFrame({"n": range(count), "m": range(count)}))
    page, _, rest = made.partition("<noscript")
    assert page.count("<tr>") == 1 + count - more and rest.count("<tr>") == (more and more + 1)
    assert not more or f'data-rows="{more}"' in rest
    assert html_tables.html_table(pd.DataFrame({"n": range(count)}), plain=True).count(
        "<tr>") == count + 1


def test_pages_become_one_document_whose_links_lead_inside(tmp_path):
    def page(name, body):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text('<html><head><link rel="stylesheet" href="../_static/a.css?v=1"/></head>'
                        '<nav class="bd-links"><a class="reference internal" href="b.html">b</a>'
                        '<a class="reference internal" href="gone.html">c</a></nav>'
                        f'<article class="bd-article">{body}</article></html>')

    page("book/index.html", '<h1 id="top">A</h1><a href="b.html#x">b</a><a href="#top">up</a>'
         '<a href="c.html">c</a><a href="https://x.org/?a=1&amp;b=2">o</a><script>1</script>')
    page("book/b.html", '<h1 id="x">B</h1><img src="../_images/i.png"><noscript>n</noscript>')
    names = print_book.pages(tmp_path)
    assert names == ["book/index.html", "book/b.html"]
    made = print_book.one_page(tmp_path, names)
    assert re.findall(r'href="([^"]*)">', made.partition("<body>")[2]) == [
        "#book-b--x", "#book-index--top", (tmp_path / "book" / "c.html").as_uri(),
        "https://x.org/?a=1&amp;b=2"]
    assert 'id="book-b--x"' in made and f'src="{(tmp_path / "_images" / "i.png").as_uri()}"' in made
    assert 'processHtmlClass: "math"' in made  # pages keep MathJax from all but formulas
    assert "<script>1" not in made and "noscript" not in made
    assert f'href="{(tmp_path / "_static" / "a.css").as_uri()}"' in made
