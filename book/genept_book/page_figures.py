"""A figure of a chapter on another page, from the chapter's committed output."""

import base64

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from genept_utils import paths
from genept_utils.atomic import replacing
from genept_book.bindings import COMMENT
from genept_book.notebooks import notebooks, read


class PageFigure(SphinxDirective):
    """``{page-figure} fig-07-knn`` shows that figure of chapter 7, with caption and a link."""

    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        path, = notebooks([name.split("-")[1]])
        self.env.note_dependency(str(path))
        shown, picture = figure(path, name)
        file = paths.BUILD / "figures" / f"{name}.png"
        with replacing(file) as part:
            part.write_bytes(picture)
        text, _ = self.state.inline_text(
            f"{COMMENT.sub('', shown['figure']['caption']).strip()} From "
            f"[chapter {int(path.stem[:2])}](../notebooks/{path.name}).", self.lineno)
        image = nodes.image(uri=f"/{file.relative_to(paths.ROOT).as_posix()}",
                            alt=shown["image"]["alt"])
        return [nodes.figure("", image, nodes.caption("", "", *text), ids=[f"shown-{name}"])]


def figure(path, name):
    """(metadata, PNG) of the figure that a notebook names so.

    Raises
    ------
    ValueError
        The notebook has no such figure, or it was not executed.
    """
    for cell in read(path).cells:
        shown = cell.metadata.get("mystnb", {})
        if shown.get("figure", {}).get("name") == name:
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return shown, base64.b64decode(output.data["image/png"])
    raise ValueError(f"{path.name} has no picture of {name}")
