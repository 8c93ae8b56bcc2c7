"""Run the notebooks strictly.

papermill executes; this module refuses unknown or ill-typed parameters before anything runs,
keeps what a failed notebook printed, and never replaces committed outputs by poorer ones.
"""

import concurrent.futures
import contextlib
import datetime
import itertools
import multiprocessing
import os
import shutil
import threading
import time
from pathlib import Path

import nbformat

from genept_utils import paths, sources
from genept_utils.pages.notebooks import notebooks, parameters, typed
from genept_utils.pages.publish import folder, publish, recorded_runs, write_summary
from genept_utils.pages.stamp import stamp


def run(names=(), assignments=(), grid=(), write=False, jobs=None, out=None, report=print):
    """Execute notebooks with checked parameters.

    Parameters
    ----------
    names : sequence of str
        Notebook stems or their beginnings (``"07"``); all by default.
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
    default = paths.BUILD / "param" if assignments or grid else folder()
    place = Path(out or default).resolve()
    jobs = jobs or max(1, min(2, os.cpu_count() or 1))
    planned = [task for path in notebooks(names)
               for task in _plan(path, assignments, grid, place)]
    _seed_results(planned)
    entries = []
    for path in dict.fromkeys(task["source"] for task in planned):
        tasks = [task for task in planned if task["source"] == path]
        own = all(os.path.isabs(str(task["values"].get("dataset", ""))) for task in tasks)
        missing = _fetch(path, report, own)
        for task in tasks:
            task["missing"] = missing
    for task in [task for task in planned if task["missing"]["required"]]:
        entries.append(_entry(task, "kept", _committed_date(task["source"])))
    waiting = [task for task in planned if not task["missing"]["required"]]
    for wave in (False, True):  # pages that read other pages' results come last
        chosen = [task for task in waiting if task["second"] == wave]
        entries += _execute_all(chosen, jobs, report)
    if place == folder().resolve():
        write_summary(entries)
    if write:
        publish(entries)
    return sorted(entries, key=lambda entry: entry["path"])


def _plan(path, assignments, grid, top):
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
        place = top / slug.replace("/", "-") if slug else top
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


def _fetch(path, report, own=False):
    """Fetch a notebook's sources here, once, before anything runs side by side; with a reader's
    ``own`` cells the open sets are not needed."""
    meta = nbformat.read(path, as_version=4).metadata.get("genept", {})
    wanted = [key for key in meta.get("sources", []) if not (own and key.startswith("cells/"))]
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
    known = {name: row["minutes"] for name, row in recorded_runs()[1].items()}
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
