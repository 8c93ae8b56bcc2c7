"""Which files of ours a piece of code imports, directly or not, without running it."""

import ast
import functools

import genept_utils
from genept_utils import paths

OURS = ("genept_utils", "genept_book")


def reached(code):
    """Files of both packages that ``code`` imports at its top level, and what those import.

    Parameters
    ----------
    code : str
        Python source, for example the code cells of a notebook; lines of IPython are skipped.

    Returns
    -------
    list of pathlib.Path
        Sorted; each exists.
    """
    lines = (line for line in code.splitlines() if not line.lstrip().startswith(("%", "!")))
    waiting, found = imported("\n".join(lines)), set()
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting |= imported(path.read_text(encoding="utf-8")) - found
    return sorted(found)


def imported(code):
    """Files of both packages that Python code imports at its top level: a set of paths.

    Of a subpackage (a folder whose ``__init__`` only gathers names) those files count whose names are
    used: ``evaluate.interval`` stands on ``evaluate/intervals.py`` and on nothing else there.
    """
    return set().union(*map(_files, _named(code)))


@functools.lru_cache(maxsize=None)
def _named(code):
    """What code names of ours, as tuples: ("genept_utils", "evaluate", "paired"), ..."""
    tree, found, modules = ast.parse(code), set(), {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            for name in node.names:
                parts = name.name.split(".")
                if parts[0] in OURS and (name.asname or len(parts) == 1):
                    modules[name.asname or parts[0]] = parts
                elif parts[0] in OURS:
                    found.add(tuple(parts))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            for name in node.names:
                parts = [*node.module.split("."), name.name]
                found.add(tuple(parts))
                modules[name.asname or name.name] = parts
    for node in ast.walk(tree):
        after = []
        while isinstance(node, ast.Attribute):
            after.insert(0, node.attr)
            node = node.value
        if after and isinstance(node, ast.Name) and node.id in modules:
            found.add((*modules[node.id], *after))
    return found


def _files(parts):
    """The file behind ``genept_utils.a.b``: an empty set for a subpackage as such."""
    name, *parts = parts
    if name == OURS[0] and parts and parts[0] in genept_utils._HOME:
        parts = [*genept_utils._HOME[parts[0]].split("."), parts[0]]
    elif name == OURS[0] and parts and parts[0] in genept_utils._MODULES:
        name, *parts = [*genept_utils._MODULES[parts[0]].split("."), *parts[1:]]
    folder = paths.PACKAGE if name == OURS[0] else paths.BOOK / name
    for part in parts:
        home = _gathered(folder).get(part, folder / f"{part}.py")
        if home.is_file():
            return {home}
        folder = folder / part
        if not (folder / "__init__.py").is_file():
            break
    return set()


def _gathered(folder):
    """Name -> its file, of the names that a subpackage's ``__init__`` gathers from files of its own."""
    if folder in (paths.PACKAGE, paths.BOOK / OURS[1]):
        return {}
    text = (folder / "__init__.py").read_text(encoding="utf-8")
    return {name: folder / f"{file}.py" for name, file in _gathered_in(text, folder.name).items()}


@functools.lru_cache(maxsize=None)
def _gathered_in(text, package):
    return {name.asname or name.name: node.module.split(".")[-1]
            for node in ast.parse(text).body if isinstance(node, ast.ImportFrom)
            and node.module.startswith(f"{OURS[0]}.{package}.") for name in node.names}
