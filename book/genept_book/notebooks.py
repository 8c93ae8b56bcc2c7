"""The notebooks of the book and their typed parameters."""

import ast
import functools
import re
from pathlib import Path
from typing import NamedTuple

from genept_utils import paths

FILES = {".h5ad", ".h5mu", ".h5", ".zarr", ".loom", ".mtx", ".csv", ".tsv", ".txt", ".vec",
         ".parquet", ".npz", ".pickle", ".pkl", ".json", ".gz", ".bz2", ".xz", ".yml", ".rds",
         ".pt", ".safetensors"}
WHOLE = "run this in a clone of the book, or install the package whole"
TYPES = {"int": int, "float": float, "bool": bool, "str": str, "list": list}


class Parameter(NamedTuple):
    """One line of a page's parameters: type name, default, and the comment behind it."""

    kind: str
    default: object
    help: str = ""


def read(path):
    """The notebook of a file (nbformat.NotebookNode)."""
    import nbformat

    return nbformat.read(path, as_version=4)


def about(notebook):
    """What the book keeps in a notebook's metadata: its sources, inputs and last run."""
    return notebook.metadata.get("genept", {})


def code_cells(notebook):
    """The cells of a notebook with code, but for the one that fetches the book on Colab and does
    nothing elsewhere."""
    return [cell for cell in notebook.cells
            if cell.cell_type == "code" and "google.colab" not in cell.source]


def texts(notebook):
    """(kind, text) of a notebook in its order: "markdown", and "caption" and "alt" of figures."""
    for cell in notebook.cells:
        shown = cell.metadata.get("mystnb", {})
        for kind, text in (("markdown", cell.source if cell.cell_type == "markdown" else ""),
                           ("caption", shown.get("figure", {}).get("caption", "")),
                           ("alt", shown.get("image", {}).get("alt", ""))):
            if text:
                yield kind, text


def parameters(notebook):
    """The typed parameters of a notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    dict of str to Parameter
        Type name (``int``, ``float``, ``bool``, ``str``, ``list``), default and comment by name.

    Raises
    ------
    ValueError
        There is not exactly one cell tagged ``parameters``, or a line in it is not
        ``name: type = constant``.
    """
    cells = [cell for cell in code_cells(notebook) if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise ValueError(f"{len(cells)} code cells are tagged `parameters`; one is needed")
    found, lines = {}, cells[0].source.splitlines()
    for line in ast.parse(cells[0].source).body:
        if not isinstance(line, ast.AnnAssign) or ast.unparse(line.annotation) not in TYPES:
            raise ValueError(f"parameter line `{ast.unparse(line)}` is not `name: type = value` "
                             f"with a type among {', '.join(TYPES)}")
        comment = lines[line.end_lineno - 1][line.end_col_offset:].strip(" #")
        found[line.target.id] = Parameter(ast.unparse(line.annotation),
                                          ast.literal_eval(line.value), comment)
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
        An unknown name (the nearest known one is suggested), a value of another type, or a number
        that cannot be: below 0, 0 where the page counts something, a share that is not within
        0 and 1.
    FileNotFoundError
        A value names a file that is not there (:func:`located`).
    """
    import difflib

    values = {}
    for assignment in assignments:
        name, _, written = assignment.partition("=")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise ValueError(f"unknown parameter {name!r}{hint} Known: {', '.join(known)}")
        kind, default, *said = known[name]
        value = written if kind == "str" else _literal(name, kind, written)
        _possible(name, value, default, *said)
        values[name] = ([located(name, one) for one in value] if kind == "list"
                        else located(name, value))
    return values


def located(name, value, top=None):
    """A parameter's value; where it names a file, the file's full path.

    A notebook runs in its own folder, so a path is taken from the folder of the caller. A value
    names a file if it begins like a path (``~``, ``.``, ``/``, ``C:\\``) or ends like a file; a
    word before a colon (``permuted:F.csv``, ``st:./folder``) stays.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    if not isinstance(value, str):
        return value
    words, rest = paths.split_words(value)
    inner = Path(rest).parent.suffix.lower() in FILES  # FILE/TABLE
    if not (re.match(r"~|\.{0,2}[/\\]|\.{1,2}$|[A-Za-z]:[/\\]", rest) or inner
            or Path(rest).suffix.lower() in FILES):
        return value
    path = (Path(top or Path.cwd()) / Path(rest).expanduser()).resolve()
    if not paths.split_table(path)[0].exists():
        raise FileNotFoundError(f"parameter {name!r}: there is no file {path}")
    return f"{words}{path}"


def _literal(name, kind, written):
    try:
        value = ast.literal_eval({"true": "True", "false": "False"}.get(written, written))
    except (ValueError, SyntaxError):
        value = written.split(",") if kind == "list" else written
    if kind == "float" and type(value) is int:
        value = float(value)
    if kind == "list" and not isinstance(value, (bool, str)):  # sizes=100: a list of one
        value = list(value) if isinstance(value, (list, tuple, set)) else [value]
    if type(value) is not TYPES[kind]:
        raise ValueError(f"parameter {name!r} is {kind}; {written!r} is not")
    return value


def _possible(name, value, default, said=""):
    """Refuse numbers with which a page would fail late, or say nothing."""
    counts = isinstance(default, int) and default > 0 and "0 " not in said
    least, share = int(counts or isinstance(default, list)), "share" in f"{name} {said}"
    for number in value if isinstance(value, list) else [value]:
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            continue
        if not number >= least:  # nan is not, either
            raise ValueError(f"parameter {name!r} is {number}; it must be {least} or more")
        if share and isinstance(default, float) and not 0 < number < 1:
            raise ValueError(f"parameter {name!r} is {number}; it is a share, between 0 and 1")


def need_clone(what):
    """Raise ValueError, ``what`` and why not, where the module is installed and not cloned."""
    if not paths.CHECKOUT:
        raise ValueError(f"{what}; this is an installed package")


def inputs(notebook):
    """The recorded files that a notebook reads, by pattern.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Its ``metadata.genept.inputs`` are patterns that begin with ``data/``.

    Returns
    -------
    dict of str to list of pathlib.Path
    """
    return {pattern: sorted(paths.DATA.glob(pattern.removeprefix("data/")))
            for pattern in about(notebook).get("inputs", [])}


def check_inputs(path, notebook):
    """Raise FileNotFoundError where a recorded file that a notebook reads is not there."""
    for pattern, files in inputs(notebook).items():
        if not files:
            raise FileNotFoundError(f"{path.stem} reads {pattern}, and {paths.DATA} holds nothing "
                                    f"of it; {WHOLE}")


def notebooks(names=()):
    """Paths of the notebooks whose stem starts with one of the names; all without names.

    Raises
    ------
    FileNotFoundError
        There are none at all.
    ValueError
        None begins with a name.
    """
    files = sorted(paths.NOTEBOOKS.glob("[0-9]*.ipynb"))
    if not files:
        raise FileNotFoundError(f"there are no notebooks in {paths.NOTEBOOKS}; {WHOLE}")
    chosen = {name: [path for path in files if path.stem.startswith(Path(name).stem)]
              for name in names}
    for name, found in chosen.items():
        if not found:
            raise ValueError(f"no notebook is called {name!r}; there are "
                             f"{', '.join(path.stem for path in files)}")
    return sorted({path for found in chosen.values() for path in found}) if chosen else files


@functools.cache
def numbered(number):
    """A chapter's page by its number, such as "05"."""
    return read(*notebooks([number]))


def definitions(number, *names, **given):
    """Functions and constants of a chapter's page by name, so that what stands in a cell is
    written once.

    Parameters
    ----------
    number : str
        Of the chapter, such as "05".
    *names : str
        What is wanted; imports and parameters of the page come with it.
    **given
        Values that its functions shall find under these names.

    Returns
    -------
    dict
        Name -> value.

    Raises
    ------
    KeyError
        The page defines no such name.
    """
    kept, space = [], {}
    for cell in code_cells(numbered(number)):
        asked = "parameters" in cell.metadata.get("tags", [])
        kept += [node for node in ast.parse(cell.source).body if asked or isinstance(
            node, (ast.Import, ast.ImportFrom)) or set(names) & {
                getattr(one, "id", getattr(one, "name", None))
                for one in [node, *getattr(node, "targets", ())]}]
    exec(compile(ast.Module(kept, []), f"chapter {number}", "exec"), space)
    if missing := sorted(set(names) - set(space)):
        raise KeyError(f"chapter {number} has no {', '.join(missing)}")
    space.update(given)  # into what the functions see, not into a copy
    return space
