"""The notebooks of the book and their typed parameters."""

import ast
from pathlib import Path

from genept_utils import paths

TYPES = {"int": int, "float": float, "bool": bool, "str": str, "list": list}


def parameters(notebook):
    """The typed parameters of a notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    dict of str -> (str, object)
        Type name (``int``, ``float``, ``bool``, ``str``, ``list``) and default by name.

    Raises
    ------
    ValueError
        There is not exactly one cell tagged ``parameters``, or a line in it is not
        ``name: type = constant``.
    """
    cells = [cell for cell in notebook.cells
             if "parameters" in cell.metadata.get("tags", []) and cell.cell_type == "code"]
    if len(cells) != 1:
        raise ValueError(f"{len(cells)} code cells are tagged `parameters`; one is needed")
    found = {}
    for line in ast.parse(cells[0].source).body:
        if not isinstance(line, ast.AnnAssign) or ast.unparse(line.annotation) not in TYPES:
            raise ValueError(f"parameter line `{ast.unparse(line)}` is not `name: type = value` "
                             f"with a type among {', '.join(TYPES)}")
        found[line.target.id] = (ast.unparse(line.annotation), ast.literal_eval(line.value))
    return found


def typed(assignments, known):
    """``NAME=VALUE`` strings as a dict of values of the declared types.

    Parameters
    ----------
    assignments : sequence of str
        For example ``["seed=3", "dataset=cells.h5ad"]``.
    known : dict
        As :func:`parameters` returns it.

    Raises
    ------
    ValueError
        An unknown name (the nearest known one is suggested) or a value of another type.
    """
    import difflib

    values = {}
    for assignment in assignments:
        name, _, written = assignment.partition("=")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"unknown parameter {name!r}{hint} Known: {', '.join(known)}")
        kind = known[name][0]
        values[name] = written if kind == "str" else _literal(name, kind, written)
    return values


def _literal(name, kind, written):
    try:
        value = ast.literal_eval({"true": "True", "false": "False"}.get(written, written))
    except (ValueError, SyntaxError):
        value = written.split(",") if kind == "list" else written
    if kind == "float" and type(value) is int:
        value = float(value)
    if kind == "list" and isinstance(value, (tuple, set)):
        value = list(value)
    if type(value) is not TYPES[kind]:
        raise ValueError(f"parameter {name!r} is {kind}; {written!r} is not")
    return value


def notebooks(names=()):
    """Paths of the notebooks whose stem starts with one of the names; all without names."""
    files = sorted(paths.NOTEBOOKS.glob("[0-9]*.ipynb"))
    if not names:
        return files
    chosen = [path for path in files
              if any(path.stem.startswith(Path(name).stem) for name in names)]
    for name in names:
        if not any(path.stem.startswith(Path(name).stem) for path in chosen):
            raise ValueError(f"no notebook is called {name!r}; there are "
                             f"{', '.join(path.stem for path in files)}")
    return chosen
