"""Accessibility of what opens: cards, lists, folded parts, dialogs, menus, answers of a search."""

import axe
import check_book
import pytest
from gene_pages import answered, choose, ready


def list_of_genes(page):
    ready(page, ".gene-map")
    page.fill("#gene-input", "CTS")
    page.wait_for_selector("#gene-list li")


def card_and_table_of_the_map(page):
    ready(page, ".gene-map")
    choose(page, "CTSB")
    page.wait_for_selector(".gene-card h2")
    page.locator(".map-table summary").click()
    page.wait_for_selector(".map-rows tr")
    everything_folded(page)


def no_such_gene(page):
    page.wait_for_selector(".map-state:text('No gene is called')")


def answer_to_a_list(page):
    ready(page, ".gene-list-page")
    answered(page, "button.example")
    page.wait_for_selector(".list-answer tbody tr")
    everything_folded(page)


def everything_folded(page):
    """Code, exercises, *Cite this page*."""
    page.evaluate("document.querySelectorAll('details').forEach((part) => part.open = true)")


def search_box(page):
    page.keyboard.press("Control+k")
    page.wait_for_selector(".search-button__wrapper.show input")


def contents(page):
    shown = [button for button in page.locator(".primary-toggle, .sidebar-toggle").all()
             if button.is_visible()]
    shown[0].click()


def menus(page):
    for button in page.locator(".article-header-buttons .dropdown-toggle").all():
        button.click()


def hits(page):
    page.wait_for_selector("#search-results a, .gene-hits a")


def words_that_were_searched(page):
    page.locator("#search-results a[href*='paper-index']").first.click()
    page.wait_for_selector("article span.highlighted")


CHAPTER = "notebooks/04-gene-programs.html"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name, open_", [
    ("book/gene-map.html", list_of_genes), ("book/gene-map.html", card_and_table_of_the_map),
    ("book/gene-map.html#NOSUCH", no_such_gene), ("book/ask.html", answer_to_a_list),
    (CHAPTER, everything_folded), (CHAPTER, search_box), (CHAPTER, contents), (CHAPTER, menus),
    ("search.html?q=INS", hits), ("search.html?q=permuted", hits),
    ("search.html?q=permuted", words_that_were_searched),
    ("book/paper-index.html", everything_folded)])
def test_what_opens_is_accessible(opened, name, open_, width):
    """No finding of axe at all, and contrast in both schemes."""
    try:
        axe.source()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    page = opened(name, width, height=900)
    open_(page)
    page.mouse.move(0, 890)  # no tooltip of what was pressed
    page.wait_for_selector(".tooltip", state="detached")
    found = axe.findings(page, axe.EVERY) + page.evaluate(check_book.CONTRAST)
    page.emulate_media(color_scheme="dark")
    assert not found and not page.evaluate(check_book.CONTRAST)
