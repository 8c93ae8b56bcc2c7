"""The house: imports run downwards, no circle, every file one subject."""

import ast

import pytest

from genept_utils import paths

# Layers from the ground; a subpackage imports those of lower layers and files of its own.
LAYERS = {"paths": 0, "atomic": 0, "memory": 0, "renamed": 0, "sources": 0, "pickles": 0,
          "optional": 0, "compression": 0, "untrusted": 0, "genes": 1, "embed": 2, "datasets": 2, "cells": 3, "evaluate": 4,
          "chapters": 5, "genept_book": 6, "cli": 7, "__main__": 8}
# They show genes or read cells; the rest of the book knows the ground only.
ABOVE = {"gene_data", "gene_names", "gene_words", "paper_make", "paper_run", "commands", "score",
         "score_cells", "score_tasks"}
BOOK = paths.BOOK / "genept_book"
FILES = sorted([*paths.PACKAGE.rglob("*.py"), *BOOK.rglob("*.py")])
CHECKED = [path for path in FILES if path != paths.PACKAGE / "__init__.py"]


def _place(path):
    """The subpackage, or file at the ground, that a file belongs to."""
    return (BOOK.name if path.is_relative_to(BOOK)
            else path.relative_to(paths.PACKAGE).with_suffix("").parts[0])


def _imports(path):
    """Subpackage, or file at the ground, of every import of ours in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name.name}" for name in node.names]
        else:
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        for first, *rest in (name.split(".") for name in names):
            if first == BOOK.name:
                yield first
            elif first == "genept_utils" and rest:
                yield rest[0]


@pytest.mark.parametrize("path", CHECKED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_imports_run_downwards(path):
    place = _place(path)
    top = LAYERS[place]
    if place == BOOK.name and path.stem not in ABOVE:
        top = 1
    for other in _imports(path):
        if other == place:
            continue
        assert other in LAYERS, f"{place} imports {other}, which is no subpackage"
        assert LAYERS[other] < top or LAYERS[other] == 0 == top, (
            f"{place}/{path.stem} imports {other}: an arrow that runs upwards")


def test_no_circle_among_files():
    """Depth-first over imports at the top of files; a file met again on its own path fails."""
    from genept_book import imports

    graph = {path: imports.imported(path.read_text(encoding="utf-8")) - {path} for path in FILES}
    for path in graph:  # a file stands on its folder, whose __init__ only gathers names
        graph[path] = {other for other in graph[path] if other != path.parent / "__init__.py"}
    done = set()

    def visit(path, above):
        assert path not in above, f"a circle: {[str(p) for p in above]} -> {path}"
        if path not in done:
            for other in sorted(graph[path]):
                visit(other, [*above, path])
            done.add(path)

    for path in FILES:
        visit(path, [])


CODE = [path for folder in ("genept_utils", "book", "tests", "benchmarks")
        for path in sorted((paths.ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", [p for p in CODE if "tests" not in p.parts],
                         ids=lambda path: path.relative_to(paths.ROOT).as_posix())
def test_no_file_over_300_lines(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 300, f"{lines} lines are two subjects: split the file"
