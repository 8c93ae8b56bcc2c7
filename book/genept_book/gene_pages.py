"""The pages that a reader can ask: their frames, which scripts beside them bring to life."""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from genept_utils import paths
from genept_book.plots import PALETTE


class GenePage(SphinxDirective):
    """``NAME.html`` beside this file, and the scripts of ``book/_extra/genes`` that fill it."""

    scripts = ()

    def run(self):
        for name in self.scripts:
            self.env.note_dependency(str(paths.ROOT / "book" / "_extra" / "genes" / name))
        up = "../" * self.env.docname.count("/")
        tags = "".join(f'<script defer src="{up}genes/{name}"></script>' for name in self.scripts)
        style = f'<link rel="stylesheet" href="{up}genes/genes.css">'
        colours = "".join(f"--class-{i}:{colour};" for i, colour in enumerate(PALETTE))
        frame = Path(__file__).with_name(f"{self.name}.html")
        self.env.note_dependency(str(frame))
        return [nodes.raw("", f"{style}<style>:root{{{colours}}}</style>\n"
                          f"{frame.read_text(encoding='utf-8')}{tags}", format="html")]


class GeneMap(GenePage):
    """All genes that have a vector, placed by UMAP, with search and neighbours."""

    scripts = ("genes.js", "names.js", "box.js", "dots.js", "card.js", "map.js")


class GeneList(GenePage):
    """A box for a list of genes, and what the texts and vectors say about it."""

    scripts = ("genes.js", "names.js", "paste.js", "list.js", "ask.js")
