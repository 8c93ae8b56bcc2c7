"""The pages that a reader can ask: their frames, which scripts beside them bring to life."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from genept_utils import paths
from genept_book.plots import PALETTE

MAP = """
<div class="gene-map">
<p class="map-note" role="note"></p>
<div class="gene-search">
<label for="gene-input">Find a gene</label>
<input id="gene-input" type="search" role="combobox" aria-expanded="false" autocomplete="off"
 spellcheck="false" aria-autocomplete="list" aria-controls="gene-list"
 placeholder="symbol, alias or name">
<ul id="gene-list" class="gene-list" role="listbox" aria-label="Genes found" hidden></ul>
<span class="map-buttons" role="group" aria-label="View">
<button type="button" class="map-in" aria-label="Zoom in">+</button>
<button type="button" class="map-out" aria-label="Zoom out">−</button>
<button type="button" class="map-whole">Whole map</button></span>
</div>
<div class="map-frame">
<canvas class="map-canvas" tabindex="0" role="application"
 aria-label="Map of genes. Arrow keys move it, plus and minus zoom, 0 shows all of it, Enter chooses
 the gene nearest to the middle. The same genes are in the table below the map."></canvas>
<div class="map-tip" aria-hidden="true" hidden></div>
</div>
<p class="map-state" role="status"></p>
<div class="map-legend" role="group" aria-label="Classes of genes shown"></div>
<section class="gene-card" aria-label="The chosen gene" hidden></section>
<details class="map-table"><summary>The genes in view as a table</summary>
<p class="map-count"></p>
<div class="table-box" tabindex="0" role="region" aria-label="Genes in view">
<table class="dataframe"><thead><tr><th scope="col">gene</th><th scope="col">name</th>
<th scope="col">class</th></tr></thead><tbody class="map-rows"></tbody></table></div></details>
<noscript><p>The map needs JavaScript.</p></noscript>
</div>
"""

LIST = """
<div class="gene-list-page">
<form>
<label for="gene-names">Gene names, parted by blanks, commas or lines</label>
<textarea id="gene-names" rows="5" spellcheck="false" autocomplete="off"
 placeholder="CTSB CTSD LAMP1 ..."></textarea>
<p class="list-buttons"><button type="submit" class="plain ask">Ask</button>
<span>or an example:</span>
<button type="button" class="plain example" data-genes="CTSA CTSB CTSD CTSL CTSZ LAMP1 LAMP2 GBA
 HEXA HEXB GLA NPC1 SMPD1 PSAP">lysosome</button>
<button type="button" class="plain example" data-genes="CD3D CD3E CD3G CD4 CD8A CD28 ICOS LCK ZAP70
 PD1 CTLA4 IL2RA FOXP3 SEPT6 MLL2 NOTAGENE">T cells, old names</button>
<button type="button" class="plain example" data-genes="SCN1A SCN2A KCNQ2 KCNQ3 CACNA1A GRIN2A GABRA1
 STXBP1 CDKL5 PCDH19 DEPDC5 SLC2A1">epilepsy</button></p>
</form>
<p class="map-state" role="status"></p>
<section class="list-answer" aria-label="Answer" hidden></section>
<noscript><p>This page needs JavaScript; <code>gp.marking_words</code> and <code>gp.nearest</code>
do the same in Python.</p></noscript>
</div>
"""


class GenePage(SphinxDirective):
    """A frame of HTML and the scripts of ``book/_extra/genes`` that fill it."""

    html, scripts = "", ()

    def run(self):
        for name in self.scripts:
            self.env.note_dependency(str(paths.ROOT / "book" / "_extra" / "genes" / name))
        up = "../" * self.env.docname.count("/")
        tags = "".join(f'<script defer src="{up}genes/{name}"></script>' for name in self.scripts)
        style = f'<link rel="stylesheet" href="{up}genes/genes.css">'
        return [nodes.raw("", f"{style}{self.colours()}{self.html}{tags}", format="html")]

    @staticmethod
    def colours():
        """The book's palette for the classes of genes."""
        rules = "".join(f"--class-{i}:{colour};" for i, colour in enumerate(PALETTE))
        return f"<style>:root{{{rules}}}</style>"


class GeneMap(GenePage):
    """All genes that have a vector, placed by UMAP, with search and neighbours."""

    html = MAP
    scripts = ("genes.js", "box.js", "dots.js", "card.js", "map.js")


class GeneList(GenePage):
    """A box for a list of genes, and what the texts and vectors say about it."""

    html = LIST
    scripts = ("genes.js", "list.js", "ask.js")
