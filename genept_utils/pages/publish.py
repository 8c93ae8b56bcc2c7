"""Run the notebooks strictly, stamp what they were made from, and tell stale pages.

papermill executes; this module refuses unknown or ill-typed parameters before anything runs,
keeps what a failed notebook printed, and never replaces committed outputs by poorer ones.
"""

import ast
import concurrent.futures
import contextlib
import datetime
import hashlib
import importlib.metadata
import itertools
import json
import multiprocessing
import os
import platform
import shutil
import threading
import time
from pathlib import Path

import nbformat
import pandas as pd

from genept_utils import ledger, paths, sources

FOLDER = paths.BUILD / "run"
STAMPED = ("anndata", "scanpy", "scikit-learn", "numpy", "scipy", "pandas", "umap-learn",
           "wordllama")
NOT_HASHED = ("run", "__main__", "__init__", "cli_text")  # they execute notebooks or name things
TYPES = {"int": int, "float": float, "bool": bool, "str": str, "list": list}


# ---------------------------------------------------------------- parameters

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


# ---------------------------------------------------------------- provenance

def code_hash(notebook):
    """SHA-256 of a notebook's code cells (nbformat.NotebookNode), outputs left out."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\0".join(cells).encode()).hexdigest()


def module_hash():
    """SHA-256 of what ``genept_utils`` does: its syntax trees without docstrings and comments."""
    digest = hashlib.sha256()
    for path in sorted(paths.PACKAGE.glob("*.py")):
        if path.stem not in NOT_HASHED:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)):
                    if ast.get_docstring(node, clean=False) is not None:
                        node.body = node.body[1:]
            digest.update(f"{path.stem}\0{ast.dump(tree)}\0".encode())
    return digest.hexdigest()


def input_hash(notebook):
    """SHA-256 of a notebook's inputs: its registered sources, the files named under
    ``metadata.genept.inputs`` (patterns below the project root), the shipped embedding and the
    published numbers."""
    digest = hashlib.sha256()
    meta = notebook.metadata.get("genept", {})
    table = sources.registry()
    for key in sorted(meta.get("sources", [])):
        digest.update(f"{key}={table.sha256[key]}\0".encode())
    files = {*paths.EMBEDDINGS.glob("*.h5ad"), paths.DATA / "published.csv"}
    for pattern in meta.get("inputs", []):
        files.update(paths.ROOT.glob(pattern))
    for path in sorted(files):
        digest.update(f"{path.name}={sources.sha256(path)}\0".encode())
    return digest.hexdigest()


def stamp(notebook, values):
    """What a run was made from, as it goes to ``metadata.genept.run``."""
    return {
        "date": datetime.date.today().isoformat(),
        "code_sha256": code_hash(notebook),
        "module_sha256": module_hash(),
        "inputs_sha256": input_hash(notebook),
        "parameters": values,
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in STAMPED},
    }


def check(names=()):
    """What is stale or unfinished in the committed notebooks.

    Returns
    -------
    list of str
        One line per fault; empty when every page shows what the present code and inputs give.
    """
    faults, module = [], module_hash()
    for path in notebooks(names):
        notebook = nbformat.read(path, as_version=4)
        made = notebook.metadata.get("genept", {}).get("run")
        code = [cell for cell in notebook.cells
                if cell.cell_type == "code" and cell.source.strip()]
        if made is None:
            faults.append(f"{path.stem}: never run; `python -m genept_utils run {path.stem} "
                          "--write`")
            continue
        for what, field, now in (("its code", "code_sha256", code_hash(notebook)),
                                 ("genept_utils", "module_sha256", module),
                                 ("an input", "inputs_sha256", input_hash(notebook))):
            if made[field] != now:
                faults.append(f"{path.stem}: {what} has changed since the run of {made['date']}")
        counts = [cell.execution_count for cell in code]
        if counts != list(range(1, len(counts) + 1)):
            faults.append(f"{path.stem}: its cells were not run once each, in order")
        if any(output.output_type == "error" for cell in code for output in cell.outputs):
            faults.append(f"{path.stem}: it shows an error")
    return faults


# ---------------------------------------------------------------- execution

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


def run(names=(), assignments=(), grid=(), write=False, jobs=None, out=None, report=print):
    """Execute notebooks with checked parameters.

    Parameters
    ----------
    names : sequence of str
        Notebook stems or their beginnings (``"06"``); all by default.
    assignments : sequence of str
        ``NAME=VALUE`` for every chosen notebook.
    grid : sequence of str
        ``NAME=VALUE,VALUE``: every combination is run, each into a folder of its own.
    write : bool
        Put outputs and results of complete default runs into ``notebooks/`` and
        ``data/results/``.
    jobs : int, optional
        Notebooks side by side, each with its share of the cores; by default one per core,
        at most 2.
    out : path, optional
        Folder of executed notebooks and results; by default ``_build/run``, or
        ``_build/param`` where a parameter is set.

    Returns
    -------
    list of dict
        Per run ``notebook``, ``status`` ("executed", "partial" where an optional source is
        missing, "kept" where a required one is, "failed"), ``missing``, ``run_date``,
        ``minutes``, ``peak_mb``, ``path``, ``error``.

    Raises
    ------
    ValueError
        Unknown notebook, unknown, misspelt or ill-typed parameter: before anything runs.
    """
    if write and (assignments or grid):
        raise ValueError("committed notebooks carry default parameters: --write takes none")
    folder = Path(out) if out else FOLDER if not (assignments or grid) else paths.BUILD / "param"
    folder = folder.resolve()
    jobs = jobs or max(1, min(2, os.cpu_count() or 1))
    planned = [task for path in notebooks(names)
               for task in _plan(path, assignments, grid, folder)]
    _seed_results(planned)
    entries = []
    for path in dict.fromkeys(task["source"] for task in planned):
        missing = _fetch(path, report)
        for task in planned:
            if task["source"] == path:
                task["missing"] = missing
    for task in [task for task in planned if task["missing"]["required"]]:
        entries.append(_entry(task, "kept", _committed_date(task["source"])))
    waiting = [task for task in planned if not task["missing"]["required"]]
    for wave in (False, True):  # pages that read other pages' results come last
        chosen = [task for task in waiting if task["second"] == wave]
        entries += _execute_all(chosen, jobs, report)
    if folder == FOLDER:
        _write_summary(entries)
    if write:
        _publish(entries)
    return sorted(entries, key=lambda entry: entry["path"])


def _plan(path, assignments, grid, folder):
    notebook = nbformat.read(path, as_version=4)
    known = parameters(notebook)
    base = typed(assignments, known)
    axes = []
    for axis in grid:
        name, _, values = axis.partition("=")
        axes.append([typed([f"{name}={value}"], known) for value in values.split(",")])
    for combination in itertools.product(*axes):
        values = {**base, **{k: v for part in combination for k, v in part.items()}}
        slug = ",".join(f"{k}={v}" for part in combination for k, v in part.items())
        place = folder / slug.replace("/", "-") if slug else folder
        yield {"source": path, "values": values, "place": place,
               "stamp": stamp(notebook, values),
               "second": any(pattern.startswith("data/results/") for pattern in
                             notebook.metadata.get("genept", {}).get("inputs", []))}


def _seed_results(planned):
    """A run folder starts from the committed results, so that a page that reads all of them
    finds those of pages that could not be run."""
    for place in {task["place"] for task in planned}:
        target = place / "results"
        target.mkdir(parents=True, exist_ok=True)
        for file in (paths.DATA / "results").glob("[0-9]*.json"):
            there = target / file.name
            if not there.exists() or there.stat().st_mtime < file.stat().st_mtime:
                shutil.copy(file, target)


def _fetch(path, report):
    """Fetch a notebook's sources here, once, before anything runs side by side."""
    meta = nbformat.read(path, as_version=4).metadata.get("genept", {})
    wanted = meta.get("sources", [])
    required = set(meta.get("required", wanted))
    missing = {"required": [], "optional": []}
    for key in wanted:
        try:
            sources.fetch(key)
        except sources.SourceError:
            missing["required" if key in required else "optional"].append(key)
    absent = missing["required"] + missing["optional"]
    if absent:
        report(f"  {path.stem}: {len(absent)} of {len(wanted)} sources could not be had")
    return missing


def _execute_all(tasks, jobs, report):
    if not tasks:
        return []
    known = {name: row["minutes"] for name, row in _recorded_runs()[1].items()}
    tasks = sorted(tasks, key=lambda task: -known.get(task["source"].stem, 1.0))
    threads = max(1, (os.cpu_count() or 1) // min(jobs, len(tasks)))
    entries = []
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context,
                                                max_tasks_per_child=1) as pool:
        for task in tasks:
            about = known.get(task["source"].stem)
            report(f"  {task['source'].stem}: planned"
                   + (f", about {about:.1f} min" if about else ""))
        futures = {pool.submit(_execute, task, threads): task for task in tasks}
        for future in concurrent.futures.as_completed(futures):
            entry = future.result()
            report(f"  {entry['notebook']}: {entry['status']} in {entry['minutes']:.1f} min, "
                   f"peak {entry['peak_mb']} MB")
            entries.append(entry)
    return entries


def _execute(task, threads):
    """One notebook in a kernel of its own; runs in a worker process."""
    import papermill

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                 "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)
    # a partial run's results stand apart: pages that read all results find the complete ones
    kind = "results_in_part" if task["missing"]["optional"] else "results"
    os.environ["GENEPT_RESULTS"] = str(task["place"] / kind)
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"  # tqdm, without widgets
    stem = task["source"].stem
    target = task["place"] / "notebooks" / f"{stem}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".running.ipynb")
    error, start = "", time.monotonic()
    with _peak_memory() as peak:
        try:
            papermill.execute_notebook(task["source"], part, task["values"], progress_bar=False,
                                       cwd=paths.NOTEBOOKS, kernel_name="python3", language="python",
                                       extra_arguments=["--IPKernelApp.log_level=40"])
        except papermill.PapermillExecutionError as failure:
            error = f"cell {failure.exec_count}: {failure.ename}: {failure.evalue}"
    notebook = _tidy(nbformat.read(part, as_version=4))
    notebook.metadata["genept"]["run"] = task["stamp"]
    part.unlink()
    status = "failed" if error else "partial" if task["missing"]["optional"] else "executed"
    kept = target.with_suffix(".failed.ipynb")
    kept.unlink(missing_ok=True)
    with sources.replacing(kept if error else target) as path:
        nbformat.write(notebook, path)
    return _entry(task, status, datetime.date.today().isoformat(), error=error,
                  minutes=round((time.monotonic() - start) / 60, 2), peak_mb=peak["mb"],
                  path=str(kept if error else target))


def _entry(task, status, date, error="", minutes=0.0, peak_mb=0, path=None):
    return {"notebook": task["source"].stem, "status": status, "run_date": date,
            "missing": task["missing"]["required"] + task["missing"]["optional"],
            "minutes": minutes, "peak_mb": peak_mb, "path": path or str(task["source"]),
            "error": error, "values": task["values"]}


@contextlib.contextmanager
def _peak_memory():
    """Largest resident memory of the kernel (a child of this process) and its children, in MB,
    sampled ten times a second."""
    import psutil

    peak, done, me = {"mb": 0}, threading.Event(), psutil.Process()

    def watch():
        while not done.wait(0.1):
            total = 0
            for child in me.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    total += child.memory_info().rss
            peak["mb"] = max(peak["mb"], round(total / 1e6))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def _tidy(notebook):
    """The executed notebook without time stamps and machine facts."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata.setdefault("genept", {})
    for cell in notebook.cells:
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
        if not cell.metadata.get("tags", [1]):
            cell.metadata.pop("tags")
    return notebook


def _committed_date(path):
    made = nbformat.read(path, as_version=4).metadata.get("genept", {}).get("run", {})
    return made.get("date", "never")


def _recorded_runs():
    """``data/results/runs.json`` and what it holds: minutes and peak memory by notebook."""
    file = paths.DATA / "results" / "runs.json"
    return file, json.loads(file.read_text()) if file.is_file() else {}


def _write_summary(entries):
    file = FOLDER / "summary.json"
    before = json.loads(file.read_text()) if file.is_file() else []
    fresh = {entry["notebook"] for entry in entries}
    rows = [row for row in before if row["notebook"] not in fresh] + entries
    rows = [{key: value for key, value in row.items() if key not in ("path", "values")}
            for row in rows]
    with sources.replacing(file) as part:
        part.write_text(json.dumps(sorted(rows, key=lambda row: row["notebook"]), indent=1))


def _publish(entries):
    """Complete runs become the committed outputs."""
    file, runs = _recorded_runs()
    complete = [entry for entry in entries if entry["status"] == "executed"]
    for entry in complete:
        result = Path(entry["path"]).parent.parent / "results" / f"{entry['notebook']}.json"
        if result.is_file():
            shutil.copy(result, paths.DATA / "results")
        runs[entry["notebook"]] = {"minutes": entry["minutes"], "peak_mb": entry["peak_mb"]}
    for entry in complete:  # once all results lie there: some pages have them as inputs
        notebook = nbformat.read(entry["path"], as_version=4)
        notebook.metadata["genept"]["run"]["inputs_sha256"] = input_hash(notebook)
        with sources.replacing(paths.NOTEBOOKS / f"{entry['notebook']}.ipynb") as part:
            nbformat.write(notebook, part)
    with sources.replacing(file) as part:
        part.write_text(json.dumps(dict(sorted(runs.items())), indent=1) + "\n")


def changed_results():
    """Rows of the last run that differ from the committed results by more than the tolerance;
    see :func:`genept_utils.ledger.compare`."""
    executed = [row["notebook"] for row in json.loads((FOLDER / "summary.json").read_text())
                if row["status"] == "executed"]
    fresh, committed = (ledger.results(folder=where)
                        for where in (FOLDER / "results", paths.DATA / "results"))
    return ledger.compare(fresh[fresh["notebook"].isin(executed)], committed)


def summary_table(entries):
    """The run as text: one line per notebook with status, minutes and peak memory."""
    table = pd.DataFrame(entries)[["notebook", "status", "minutes", "peak_mb", "missing"]]
    table["missing"] = [len(keys) for keys in table["missing"]]
    return table.rename(columns={"peak_mb": "peak MB",
                                 "missing": "missing sources"}).to_string(index=False)
