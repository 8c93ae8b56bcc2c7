"""The house: imports run downwards, no circle, every file one subject."""

import ast

import pytest

from genept_utils import paths

# Floors from the ground; a room imports rooms of lower floors and files of its own room.
FLOORS = {"paths": 0, "sources": 0, "pickles": 0, "optional": 0, "compression": 0, "untrusted": 0,
          "genes": 1, "embed": 2, "datasets": 2, "cells": 3, "evaluate": 4, "chapters": 5,
          "pages": 5, "cli": 6, "__main__": 7}
BESIDE = {"pages": {"paths", "sources", "optional"}}  # the side room knows the ground floor only
FILES = sorted(paths.PACKAGE.rglob("*.py"))
ROOMS = [path for path in FILES if path != paths.PACKAGE / "__init__.py"]


def _parts(path):
    return path.relative_to(paths.PACKAGE).with_suffix("").parts


def _imports(path):
    """(room, file or name) of every import of the package in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("genept_utils"):
            base = node.module.split(".")[1:]
            for name in node.names:
                parts = [*base, name.name]
                yield parts[0], parts[1] if len(parts) > 1 else ""
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.startswith("genept_utils."):
                    parts = [*name.name.split(".")[1:], ""]
                    yield parts[0], parts[1]


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: "/".join(_parts(path)))
def test_imports_run_downwards(path):
    room = _parts(path)[0]
    for other, _ in _imports(path):
        if other == room:
            continue
        if room == "pages" and path.stem == "imports" and other not in FLOORS:
            continue
        assert other in FLOORS, f"{room} imports {other}, which is no room"
        allowed = (other in BESIDE[room] if room in BESIDE
                   else FLOORS[other] < FLOORS[room]) or (FLOORS[room] == 0 == FLOORS[other])
        assert allowed, f"{'/'.join(_parts(path))} imports {other}: an arrow that runs upwards"


def test_no_circle_among_files():
    """Depth-first over imports at the top of files; a file met again on its own path fails."""
    from genept_utils.pages import imports

    graph = {path: {found for found in imports.imported(
        ast.parse(path.read_text(encoding="utf-8"))) if found != path} for path in FILES}
    for path in graph:  # a file stands on its room, whose __init__ only gathers names
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


CODE = [path for folder in ("genept_utils", "book/_ext", "tests", "benchmarks")
        for path in sorted((paths.ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", [p for p in CODE if "tests" not in p.parts],
                         ids=lambda path: path.relative_to(paths.ROOT).as_posix())
def test_no_file_over_300_lines(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 300, f"{lines} lines are two subjects: split the file"
