"""Pages of the built book: first screen, search, filters, accessibility."""

import axe
import check_book
import pytest
from gene_pages import answered, ready

from genept_utils import paths

BOOK = paths.BUILD / "html"


def shown(page, selector):
    """Lower edge in px of the last element that a selector finds."""
    box = page.locator(selector).last.bounding_box()
    return box["y"] + box["height"]


@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844)])
def test_first_screen_holds_findings_and_ways(kept, width, height):
    page = kept("book/index.html", width, height=height)
    assert page.locator(".findings li").count() == 3
    assert page.locator(".findings .claim-number").count() >= 6
    assert shown(page, ".findings li") < shown(page, ".ways a") <= height


def test_phone_gets_the_tall_drawing(kept):
    source = "document.querySelector('figure picture img').currentSrc"
    assert kept("book/index.html", 390).evaluate(source).endswith("pipeline-tall.svg")
    assert kept("book/index.html", 1280).evaluate(source).endswith("pipeline.svg")


@pytest.mark.parametrize("query, gene", [("p53", "TP53"), ("FOXP3", "FOXP3"),
                                         ("MLL2", "KMT2D")])
def test_search_finds_genes_from_disk(opened, query, gene):
    page = opened(f"search.html?q={query}")
    page.wait_for_selector(f".gene-hits a:text-is('{gene}')")


def test_search_for_a_full_name_has_its_gene_first(opened, full_names):
    page = opened("search.html?q=insulin")
    page.wait_for_selector(".gene-hits a")
    assert page.locator(".gene-hits a").first.inner_text() == "INS"


@pytest.mark.parametrize("query, target", [
    ("permuted", "glossary.html"), ("Leiden", "04-gene"), ("licence", "cite.html"),
    ("license", "cite.html"), ("how to cite", "cite.html"), ("changes", "cite.html")])
def test_search_finds_terms_from_disk(opened, query, target):
    page = opened(f"search.html?q={query}")
    page.wait_for_selector(f"#search-results a[href*='{target}']")


def test_first_use_of_a_term_leads_to_the_glossary(opened):
    page = opened("notebooks/07-cell-types.html")
    links = page.locator("a.term")
    names = links.all_inner_texts()
    assert "ARI" in names and len(names) == len(set(names))
    links.first.click()
    page.wait_for_url("**/glossary.html#term-*")


@pytest.mark.parametrize("name", ["book/paper-index.html", "book/ledger.html"])
def test_table_is_filtered_sorted_and_fits(kept, name):
    page = kept(name)
    page.wait_for_selector("table.sortable[data-ready]")
    rows = page.locator("table.sortable").first.locator("tbody tr")
    every = rows.count()
    page.locator(".table-filter input").first.fill("dosage")
    assert 0 < rows.locator("visible=true").count() < every
    page.locator(".table-filter input").first.fill("")
    head = page.locator("table.sortable").first.locator("thead button", has_text="ours")
    head.click()
    numbers = page.evaluate("""() => { const table = document.querySelector('table.sortable');
      const at = [...table.tHead.rows[0].cells].findIndex((c) => c.textContent.includes('ours'));
      return [...table.tBodies[0].rows].map((r) => parseFloat(r.cells[at].textContent)); }""")
    numbers = [value for value in numbers if value == value]
    assert len(numbers) > 5 and numbers == sorted(numbers)
    fits = "[...document.querySelectorAll('.table-box')].every(b => b.scrollWidth <= b.clientWidth)"
    assert page.evaluate(fits)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_says_how_it_is_cited(opened, width):
    page = opened("notebooks/04-gene-programs.html", width)
    page.locator(".cite-page summary").click()
    text = page.inner_text(".cite-page")
    assert "Gene programs. In: The GenePT book, version" in text and "@misc{genept-book-04" in text
    assert "MIT licence" in page.inner_text(".page-stamp")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    page.locator(".page-stamp a", has_text="Version").click()
    page.wait_for_selector("h2:has-text('Changes')")


def test_icons_are_a_few_kilobytes_and_drawn(opened, html):
    assert sum(path.stat().st_size for path in html.glob("_static/vendor/fontawesome/**/*")
               if path.is_file()) < 30e3
    page = opened("notebooks/04-gene-programs.html")
    drawn = page.evaluate("""async () => { await document.fonts.ready;
      return [...document.fonts].filter((font) => font.family.includes('Awesome') &&
        font.status === 'loaded').map((font) => font.family.replaceAll('"', '')).sort(); }""")
    assert drawn == ["Font Awesome 6 Brands", "Font Awesome 6 Free"]


def test_long_tables_wait_for_the_reader(kept):
    page = kept("book/ledger.html")
    page.wait_for_selector("table.sortable[data-ready]")
    assert page.evaluate("document.querySelectorAll('*').length") < 9000
    box = page.locator(".table-filter").nth(2)  # all cell-level numbers
    table = page.locator("table.sortable").nth(2)
    total = int(box.locator("output").inner_text().split()[0].replace(",", ""))
    assert total > 2000 and table.locator("tbody tr").count() == 60
    page.locator(".table-more button").nth(1).click()
    assert table.locator("tbody tr").count() == 260
    box.locator("input").fill("kang macro")
    found = int(box.locator("output").inner_text().split()[0].replace(",", ""))
    assert 60 < found < total and table.locator("tbody tr").count() == 60
    assert all("kang" in text.lower() for text in table.locator("tbody tr").all_inner_texts())
    box.locator("input").fill("")
    table.locator("thead button", has_text="ours").click()
    shown = page.evaluate("""() => [...document.querySelectorAll('table.sortable')[2].tBodies[0].rows]
      .map((row) => parseFloat(row.cells[3].textContent))""")
    assert shown == sorted(shown) and len(shown) == 60


def test_book_is_under_40_megabytes(html):
    assert sum(path.stat().st_size for path in html.rglob("*") if path.is_file()) < 40e6


def test_wide_tables_and_figures_are_reached_by_keyboard(opened):
    page = opened("notebooks/05-chromatin-and-dosage.html", 390)
    page.wait_for_selector("[data-scrolls]", state="attached")
    lost = page.evaluate("""() => [...document.querySelectorAll('.table-box, .image-box')]
      .filter((box) => box.scrollWidth > box.clientWidth + 1)
      .filter((box) => box.tabIndex !== 0 || !box.ariaLabel).length""")
    assert lost == 0 and page.locator(".table-box.more").count() > 0


def test_the_line_below_a_figure_goes_when_all_was_seen(opened):
    page = opened("notebooks/02-gene-functions.html", 280)
    page.locator(".image-box.more").first.evaluate("box => box.scrollTo(9999, 0)")
    page.wait_for_selector(".scroll-hint.done", state="attached")
    wide = opened("notebooks/02-gene-functions.html", 1280)
    wide.wait_for_load_state("load")
    assert wide.evaluate("""() => [...document.querySelectorAll('.image-box')].every((box) =>
      box.nextElementSibling.checkVisibility() === box.scrollWidth > box.clientWidth + 1)""")


@pytest.mark.parametrize("name", ["book/reliability.html", "book/ledger.html", "book/index.html",
                                  "book/paper-index.html", "book/data.html", "book/reproduce.html"])
def test_tables_of_words_are_cards_on_a_phone(kept, name):
    page = kept(name, 390)
    page.wait_for_selector("table.cards[data-labelled]")
    cells = page.evaluate("""() => [...document.querySelectorAll('table.cards tbody td')]
      .filter((cell) => cell.checkVisibility()).slice(0, 400)
      .map((cell) => [cell.clientWidth - parseFloat(getComputedStyle(cell).paddingLeft),
        cell.cellIndex === 0 || getComputedStyle(cell, '::before').content.length > 3])""")
    assert cells and all(wide > 200 and named for wide, named in cells)
    assert page.evaluate("""() => [...document.querySelectorAll('.table-box:has(> .cards)')]
      .every((box) => box.scrollWidth <= box.clientWidth)""")


def test_words_that_mark_a_list_are_cards_on_a_phone(kept, source):
    source("genes/hgnc_complete_set.txt.gz", "genes/refseq_gene_summary.rds")  # the words
    page = ready(kept("book/ask.html", 390), ".gene-list-page")
    answered(page, "button.example")
    page.wait_for_selector("table.cards tbody tr")
    assert page.evaluate("""() => { const box = document.querySelector('.table-box:has(> .cards)');
      return box.scrollWidth <= box.clientWidth; }""")
    label = "getComputedStyle(document.querySelector('.cards td:last-child'), '::before').content"
    assert page.evaluate(label) == '"genes"'


def test_cards_are_filtered_and_sorted(kept):
    page = kept("book/paper-index.html", 390)
    page.wait_for_selector("table.sortable[data-labelled]")
    table = page.locator("table.sortable").first
    rows = table.locator("tbody tr")
    every = rows.count()
    page.locator(".table-filter input").first.fill("dosage")
    assert 0 < rows.count() < every
    table.locator("thead button", has_text="ours").click()
    assert page.locator("th[aria-sort]").count() == 1


def test_the_name_of_a_row_stays_while_its_numbers_are_scrolled(opened):
    page = opened("notebooks/10-disjoint-panels.html", 390)
    seen = page.locator(".table-box.more").first.evaluate("""async (box) => {
      box.scrollTo(90, 0);
      await new Promise(requestAnimationFrame);
      const name = box.querySelector('tbody tr > :first-child').getBoundingClientRect();
      return name.left - box.getBoundingClientRect().left; }""")
    assert abs(seen) < 1


@pytest.fixture(scope="session")
def served(html):
    server = check_book.serve(html)
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")
def reader(browser):
    """A tab for axe, which is fetched where it is not there."""
    try:
        axe.source()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    yield page
    page.close()


@pytest.mark.parametrize("name", check_book.pages_of(BOOK) if BOOK.is_dir() else ["no book"])
def test_accessibility_of_every_page(reader, served, name):
    """No serious or critical finding of axe; contrast is seen by the walk of check_book.py."""
    reader.goto(served + name)
    assert not axe.findings(reader)


def test_axe_finds_what_it_should(reader):
    reader.set_content("""<html lang='en'><title>t</title><main><h1>a</h1><img src='data:,'>
      <button></button><div style='overflow:auto;height:20px;width:80px'><p>a</p><p>b</p></div>""")
    found = {line.partition(":")[0] for line in axe.findings(reader)}
    assert found == {"image-alt", "button-name", "scrollable-region-focusable"}
