"""The gene map and the list page, from disk: what they answer is what the module answers."""

import re

import numpy as np
import pytest
from gene_pages import ask, choose, ready

import genept_utils as gp
from genept_utils import embed

LISTS = {
    "lysosome": "CTSA CTSB CTSD CTSL LAMP1 LAMP2 GBA1 HEXA HEXB NPC1",
    "old names": "CD3D, CD3E\nCD4;CD8A LCK ZAP70 PD1 MLL2 SEPT6 NOTAGENE MALAT1 ENSG00000141510",
    "one family": " ".join(f"OR2T{n}" for n in (1, 2, 3, 4, 5, 6, 8)),
}
WORDS = """() => document.querySelector(".list-answer").words.words.map(
  (row) => [row.word, row.in_list, row.in_all, row.p, row.q])"""
NEAREST = """async () => { const genes = await genept.genes();
  const {found, limit, size} = document.querySelector(".list-answer").nearest;
  return [found.map(({row, cosine, score}) => [genes.symbol[row], cosine, score]), limit, size]; }"""
POOL = """async () => { const genes = await genept.genes();
  return [...(await genept.vectorTable).rows].map((row) => genes.symbol[row]); }"""


@pytest.fixture(scope="module")
def shipped():
    return gp.read_embedding()


def card(page, symbol):
    page.wait_for_selector(f".gene-card h2:text-is('{symbol}')")
    return page.evaluate("""() => [...document.querySelectorAll('.gene-card tbody tr')]
      .map((row) => [...row.cells].map((cell) => cell.innerText.trim()))""")


def test_search_by_typing_shows_the_neighbours_of_the_module(kept, shipped, source):
    source("genes/hgnc_complete_set.txt.gz")  # the names that the page is searched for
    page = ready(kept("book/gene-map.html"), ".gene-map")
    for typed, symbol in (("FOXP3", "FOXP3"), ("p53", "TP53"), ("ENSG00000156738", "MS4A1"),
                          ("cathepsin b", "CTSB")):
        choose(page, typed)
        shown = card(page, symbol)
        names, cosines = embed.nearest(shipped, [symbol])
        assert [row[0] for row in shown] == list(names[0])
        assert np.allclose([float(row[2]) for row in shown], cosines[0], atol=6e-4)
    assert page.url.endswith("#CTSB")
    page.fill("#gene-input", "no such gene")
    assert "No gene has this name" in page.inner_text("#gene-list")


def test_arrows_choose_among_the_genes_found(kept):
    page = ready(kept("book/gene-map.html"), ".gene-map")
    page.fill("#gene-input", "CTS")
    second = page.locator("#gene-list li b").nth(1).inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#gene-input", "aria-activedescendant") == "gene-list-1"
    page.keyboard.press("Enter")
    card(page, second)


def test_map_by_keyboard_and_as_a_table(opened):
    page = ready(opened("book/gene-map.html"), ".gene-map")
    page.focus(".map-canvas")
    for key in "+++":
        page.keyboard.press(key)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_selector(".gene-card h2")
    page.focus(".map-table summary")
    page.keyboard.press("Enter")
    page.wait_for_selector(".map-rows tr")
    assert 0 < page.locator(".map-rows tr").count() <= 100
    symbol = page.locator(".map-rows button").nth(1).inner_text()
    page.locator(".map-rows button").nth(1).click()
    card(page, symbol)


def test_map_by_touch(opened):
    page = ready(opened("book/gene-map.html#MS4A1", width=390, height=844), ".gene-map")
    card(page, "MS4A1")
    page.locator("#gene-input").tap()
    page.fill("#gene-input", "nkg7")
    page.locator("#gene-list li").first.tap()
    card(page, "NKG7")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    box = page.locator(".map-canvas").bounding_box()
    page.locator(".map-canvas").tap(position={"x": box["width"] / 2, "y": box["height"] / 2})
    card(page, "NKG7")  # the chosen gene lies in the middle


@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844)])
def test_card_opens_where_it_is_seen(kept, width, height):
    page = ready(kept("book/gene-map.html", width, height=height), ".gene-map")
    choose(page, "CTSL")
    card(page, "CTSL")
    box = page.locator(".gene-card h2").bounding_box()
    assert 0 < box["y"] < height - box["height"]


def test_address_without_a_gene_says_so(opened):
    page = ready(opened("book/gene-map.html#50%"), ".gene-map")
    for name, said in (("50%", "No gene is called 50%."), ("NOSUCH", "No gene is called NOSUCH."),
                       ("1-Mar", "1-Mar stands for several genes: MARCHF1, MTARC1.")):
        page.evaluate("(name) => { location.hash = name; }", name)
        page.wait_for_function("(n) => document.querySelector('#gene-input').value === n", arg=name)
        assert page.inner_text(".map-state") == said
        assert page.locator(".gene-card").is_hidden()
    page.evaluate("location.hash = 'HLA.A'")
    card(page, "HLA-A")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_map_is_drawn_fast_and_in_many_colours(kept, scheme):
    page = ready(kept("book/gene-map.html", scheme=scheme), ".gene-map")
    milliseconds = page.evaluate("""async () => {
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      const canvas = document.querySelector('.map-canvas'), times = [];
      for (let i = 0; i < 12; i++) {
        canvas.dispatchEvent(new WheelEvent('wheel', {deltaY: i % 2 ? 40 : -40, clientX: 600,
          clientY: 500, cancelable: true}));
        const start = performance.now();
        await frame();
        await frame();
        times.push(performance.now() - start);
      }
      return Math.min(...times) / 2; }""")
    assert milliseconds < 50, f"{1000 / milliseconds:.0f} frames a second"
    colours = page.evaluate("""() => { const c = document.querySelector('.map-canvas');
      const d = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height)
        .data.buffer); return new Set(d.filter((v) => v >>> 24 === 255)).size; }""")
    assert colours > 6


@pytest.mark.parametrize("name", LISTS)
def test_list_is_answered_as_by_the_module(kept, shipped, source, name):
    source("genes/refseq_gene_summary.rds", "genes/hgnc_complete_set.txt.gz")
    page = ready(kept("book/ask.html"), ".gene-list-page")
    ask(page, LISTS[name])
    given = LISTS[name].replace(",", " ").replace(";", " ").split()
    matched = gp.match(given)
    wanted = gp.marking_words(given)
    found = page.evaluate(WORDS)
    assert [row[:3] for row in found] == wanted[["word", "in_list", "in_all"]].values.tolist()
    assert np.allclose([row[3] for row in found], wanted["p"], rtol=1e-8)
    assert np.allclose([row[4] for row in found], wanted["q"], rtol=1e-8)
    pool = page.evaluate(POOL)
    own = [symbol for symbol in dict.fromkeys(matched.symbols) if symbol in set(pool)]
    wanted = gp.nearest_to_list(shipped, own, 15, among=pool)
    near, limit, size = page.evaluate(NEAREST)
    assert [row[0] for row in near] == list(wanted.index)
    assert np.allclose([row[1] for row in near], wanted["cosine"], atol=1e-5)
    assert np.allclose([row[2] for row in near], wanted["score"], atol=1e-3)
    if size == len(own):  # the page has limits for some sizes
        assert limit == pytest.approx(wanted.attrs["limit"], abs=1e-4)
    shown = page.inner_text(".list-answer").partition("Other genes near the list")[2]
    shown = set(re.findall(r"[\w-]+", shown))
    assert all((gene in shown) == (score > limit) for gene, score in wanted["score"].items())
    vectors = embed.unit(shipped[own].X)
    close = (vectors @ vectors.T)[np.triu_indices(len(own), 1)].mean()
    assert f"is {close:.3f}." in page.inner_text(".list-close")
    text = page.inner_text(".list-answer")
    for row in matched.table.itertuples():
        if row.match_type == "missing":
            assert row.name in page.inner_text(".list-missing")
        elif row.match_type == "ambiguous":
            assert all(one in text for one in row.candidates.split("|"))
        else:
            assert row.match_type == "approved" or row.symbol in text


def test_data_of_the_map_stay_small(html):
    size = {path.name: path.stat().st_size for path in (html / "genes").iterdir()}
    lists = size.pop("data-vectors.js") + size.pop("data-words.js")
    assert sum(size.values()) < 6e6 and lists < 12e6
