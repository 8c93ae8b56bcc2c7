"""The page *Ask* reads text and names as the module does: one table of cases for both."""

import sys

import pytest
from gene_pages import answered, ask, ready

import genept_utils as gp
from genept_utils import genes, paths

sys.path.insert(0, str(paths.ROOT / "tests" / "genes"))
from test_pasted import PASTED  # noqa: E402

NAMES = """CD3D cd3d PD1 MLL2 SEPT6 HLA.A HLA_DRB1 NKX2.1 MT.CO1 TNFα IL-1β IFN-γ HLA-DRβ1 β-catenin
 NF-κB Ki67 ki67 Ki-67 p53 baz bar BAZ was set cat CD8 Trp53 Cd8a mt-Nd1 H2-K1 H2afz NOTAGENE OCT3
 ENSG00000141510 ENSG00000141510.18 ensg00000141510 ENSMUSG00000059552 HGNC:11998 7157 12 LOC7157
 GeneID:7157 1-Mar Sep-2 2006-09-02 12-Dec 3-Foo TP53_ENSG00000141510 TP53_ENSG00000012048 TP53|7157
 TP53|672 HGNC:11998|TP53 GRCh38_TP53-1 hg19_HLA-A gene-TP53 gene-7 TP53-1 TP53...12 C4B.2 C4B-7
 GTF2H2C.5 DDR1///MIR4640 CD4;CD8A T NAN IGHV1-2 RP11-34P13.99 TP53_ αα nan""".split()
CODES = {"positions": [f"V{i}" for i in range(1, 15)] + ["TP53"],
         "components": [f"PC_{i}" for i in range(1, 30)] + ["TP53-1"],
         "family": [f"ZNF{i}" for i in range(2, 30)]}
ASK = """async (names) => { const genes = await genept.genes();
  return genept.names.match(genes, names).map(({how, row, candidates}) => [how,
    row < 0 ? "" : genes.symbol[row], candidates.map((one) => genes.symbol[one]).sort()]); }"""
PASTE = """async (texts) => { const genes = await genept.genes(); return texts.map((text) => {
  const {names, numbers, gaps} = genept.paste(genes, text); return [names, numbers, gaps]; }); }"""


def the_page(kept, width=1280):
    return ready(kept("book/ask.html", width), ".gene-list-page")


@pytest.mark.parametrize("names", [NAMES, *CODES.values()], ids=["names", *CODES])
@pytest.mark.filterwarnings("ignore:.*names")
def test_names_are_found_as_by_the_module(kept, source, names):
    source(genes.HGNC)
    table = genes.look_up(names).table
    wanted = [[how, symbol, sorted(filter(None, candidates.split("|")))] for how, symbol, candidates
              in table[["match_type", "symbol", "candidates"]].itertuples(index=False)]
    found = the_page(kept).evaluate(ASK, names)
    assert {name: one for name, one in zip(names, found)} == dict(zip(names, wanted))
    assert all(symbol == "" for symbol in found[-1:] if names is NAMES and symbol == "NAN")


def test_text_is_read_as_by_the_module(kept, source):
    source(genes.HGNC)
    found = the_page(kept).evaluate(PASTE, [text for text, *_ in PASTED])
    for (text, *wanted), one in zip(PASTED, found, strict=True):
        assert one == [part.split() for part in wanted], text


def test_mouse_names_are_said_and_taken_where_the_reader_wants(kept, source):
    source("genes/homologene2.rda", genes.HGNC)
    page = the_page(kept, 390)
    text = ask(page, "Trp53 Cd4 12 NA")
    assert "1 name is that of a mouse gene: Trp53 (human TP53)" in text
    assert "Left out: 1 number and 1 mark of no value (12, NA)" in text
    answered(page, "button.orthologs")
    assert page.input_value("textarea") == "TP53 Cd4"
    assert gp.match(["Trp53"], species="mouse").symbols == ["TP53"]


def test_where_nothing_stands_out_the_page_says_so(kept, source):
    source(genes.HGNC, genes.REFSEQ)
    page = the_page(kept)
    text = ask(page, "ACTB GAPDH UBC B2M TP53 EGFR MYC")
    assert "No gene stands out. In 95 of 100 random lists of 6 genes" in text
    assert "Genes nearer than to random lists" not in text
    assert page.evaluate("document.querySelector('.list-answer').nearest.above") == 0
