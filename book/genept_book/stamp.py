"""What a page was made from, and which pages are stale."""

import ast
import datetime
import functools
import hashlib
import importlib.metadata
import platform
from pathlib import Path

from genept_utils import paths, sources
from genept_book import imports, methods
from genept_book.notebooks import about, code_cells, inputs, need_clone, notebooks, read

STYLE = Path(__file__).with_name("genept.mplstyle")  # of :func:`genept_book.plots.use_style`
STAMPED = ("anndata", "scanpy", "scikit-learn", "numpy", "scipy", "pandas", "umap-learn",
           "wordllama")


def code_hash(notebook):
    """SHA-256 of a notebook's code cells (nbformat.NotebookNode), outputs left out."""
    return hashlib.sha256("\0".join(_code(notebook)).encode()).hexdigest()


def module_hash(notebook):
    """SHA-256 of what the files that a notebook imports do, directly or not.

    Hashed are syntax trees without docstrings and comments. An import inside a function does
    not count: what is only asked for on demand (a server, a file of another model) leaves the
    pages that do not ask for it fresh.
    """
    digest = hashlib.sha256()
    for path in imports.reached("\n".join(_code(notebook))):
        digest.update(f"{_named(path)}\0{_done_by(path.read_text(encoding='utf-8'))}\0".encode())
    return digest.hexdigest()


def _named(path):
    """A file of ours below the folder of its package, wherever that lies."""
    inside = path.is_relative_to(paths.PACKAGE)
    return path.relative_to(paths.PACKAGE if inside else paths.BOOK).as_posix()


@functools.lru_cache(maxsize=None)
def _done_by(text):
    """The syntax tree of a file as text, without docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)):
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
    return ast.dump(tree)


def _code(notebook):
    return [cell.source for cell in code_cells(notebook)]


def input_hash(notebook):
    """SHA-256 of a notebook's inputs: its registered sources, the files named under
    ``metadata.genept.inputs`` (patterns below the project root), the shipped embeddings that it
    reads, the published numbers, what methods read and how figures look."""
    table, code = sources.registry(), "\n".join(_code(notebook))
    made_from = [(key, table.sha256[key]) for key in
                 sorted(about(notebook).get("sources", []))]
    files = {path for path in paths.EMBEDDINGS.glob("*.h5ad")
             if path.stem == paths.SHIPPED or f'"{path.stem}"' in code}
    files = files.union({paths.DATA / "published.csv", methods.FILE, STYLE},
                        *inputs(notebook).values())
    made_from += [(path.name, sources.sha256(path)) for path in sorted(files)]
    text = "".join(f"{name}={sha}\0" for name, sha in made_from)
    return hashlib.sha256(text.encode()).hexdigest()


def results_hash(stem):
    """SHA-256 of a page's committed results, ``""`` where it records none."""
    file = paths.DATA / "results" / f"{stem}.json"
    return sources.sha256(file) if file.is_file() else ""


def stamp(notebook, values):
    """What a run was made from, as it goes to ``metadata.genept.run``."""
    return {
        "date": datetime.date.today().isoformat(),
        "code_sha256": code_hash(notebook),
        "module_sha256": module_hash(notebook),
        "inputs_sha256": input_hash(notebook),
        "parameters": values,
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in STAMPED},
    }


def executed(path):
    """The date of the last run below ``_build/run`` if it executed the notebook as it would be
    executed now: the same code, module, inputs, parameters and packages; else ``""``."""
    made = paths.BUILD / "run" / "notebooks" / path.name
    done = about(read(made)).get("run", {}) if made.is_file() else {}
    same = all(done.get(name) == value for name, value in stamp(read(path), {}).items()
               if name != "date")
    return done.get("date", "") if same else ""


def check(names=()):
    """What is stale or unfinished in the committed notebooks.

    Returns
    -------
    list of str
        One line per fault; empty when every page shows what the present code and inputs give.
    """
    need_clone("pages are checked in a clone of the book")
    faults = []
    for path in notebooks(names):
        notebook = read(path)
        made = about(notebook).get("run")
        if made is None:
            faults.append(f"{path.stem}: never run; `python -m genept_utils run {path.stem} "
                          "--write`")
            continue
        code = [cell for cell in notebook.cells
                if cell.cell_type == "code" and cell.source.strip()]
        since = f"has changed since the run of {made['date']}"
        counts = [cell.execution_count for cell in code]
        faults += [f"{path.stem}: {said}" for said, wrong in {
            f"its code {since}": made["code_sha256"] != code_hash(notebook),
            f"genept_utils {since}": made["module_sha256"] != module_hash(notebook),
            f"an input {since}": made["inputs_sha256"] != input_hash(notebook),
            f"data/results/{path.stem}.json is not of the run of {made['date']}":
                made.get("results_sha256") != results_hash(path.stem),
            "its cells were not run once each, in order":
                counts != list(range(1, len(counts) + 1)),
            "it shows an error": any(output.output_type == "error" for cell in code
                                     for output in cell.outputs)}.items() if wrong]
    return faults
