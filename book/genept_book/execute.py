"""Run a notebook with time and memory limits; discard it if it leaks a secret."""

import contextlib
import datetime
import os
import sys
import threading
import time
from pathlib import Path

import nbformat

from genept_utils import paths, sources
from genept_book import own_data, secret
from genept_book.notebooks import read
from genept_book.stamp import stamp

_one = threading.Lock()
# glibc then gives large arrays back to the system; by itself it soon keeps those up to 32 MB
MEMORY = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), "8000000")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def execute(task, threads):
    """Execute the notebook of a task; runs in a worker process, one notebook at a time: the
    environment, which says where results go, belongs to all its threads.

    Parameters
    ----------
    task : dict
        ``source``, ``values``, ``place``, ``stamp``, ``missing``, and ``timeout`` (minutes a
        cell) and ``memory`` (MB) or None.
    threads : int
        Threads of the numerical libraries.

    Returns
    -------
    dict
        See :func:`genept_book.run.run`. A run that fails, hangs, takes too much memory,
        shows a secret or whose code changed meanwhile is "failed", with the reason in ``error``.
    """
    with _one:
        return _execute(task, threads)


def _execute(task, threads):
    # a partial run's results stand apart: pages that read all results find the complete ones
    results = task["place"] / ("results_in_part" if task["missing"]["optional"] else "results")
    os.environ |= {**dict.fromkeys(THREADS, str(threads)), **MEMORY,
                   "GENEPT_RESULTS": str(results),
                   "PYTHONHASHSEED": "0",
                   "PYTHONWARNINGS": "ignore:IProgress not found"}  # tqdm, without widgets
    stem, start = task["source"].stem, time.monotonic()
    target = task["place"] / "notebooks" / f"{stem}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    part, kept = target.with_suffix(".running.ipynb"), target.with_suffix(".failed.ipynb")
    kept.unlink(missing_ok=True)
    error, peak = _run(task, part)
    error = error or _changed(task)
    if shown := _shown_secret(part, results / f"{stem}.json"):
        error = f"{shown}; nothing of this run is kept"
    written = kept if error else target
    if part.is_file() and not shown:
        notebook = _tidy(read(part))
        own = own_data.changed(notebook, task["values"])
        if own and not error:
            own_data.retell(notebook, own, stem, results)
        notebook.metadata["genept"]["run"] = task["stamp"]
        with sources.replacing(written) as path:
            nbformat.write(notebook, path)
    part.unlink(missing_ok=True)
    status = "failed" if error else "partial" if task["missing"]["optional"] else "executed"
    return entry_of(task, status, datetime.date.today().isoformat(), error=error,
                    minutes=round((time.monotonic() - start) / 60, 2), peak_mb=peak,
                    path=str(written))


def _run(task, part):
    """Execute into ``part``: what went wrong, "" for nothing, and the peak memory in MB."""
    import papermill

    error, timeout, most = "", task.get("timeout"), task.get("memory")
    with _watched_memory(most) as memory:
        try:
            papermill.execute_notebook(
                task["source"], part, task["values"], progress_bar=False, cwd=paths.NOTEBOOKS,
                kernel_name="python3", language="python",
                execution_timeout=round(timeout * 60) if timeout else None,
                # a kernel that is told to end may call that an error
                extra_arguments=["--IPKernelApp.log_level=50"])
        except papermill.PapermillExecutionError as failure:
            error = f"cell {failure.exec_count}: {failure.ename}: {failure.evalue}"
        except Exception as failure:  # a dead kernel, a cell that took too long, a full disk
            error = f"{type(failure).__name__}: {' '.join(str(failure).split())[:300]}"
            if type(failure).__name__ == "CellTimeoutError":
                error = f"a cell took more than {timeout:g} minutes"
    if memory["over"]:
        error = f"it took more than {most:g} MB of memory"
    return error, memory["peak"]


def entry_of(task, status, date, error="", minutes=0.0, peak_mb=0, path=None):
    """What is reported of a task; see :func:`genept_book.run.run`."""
    return {"notebook": task["source"].stem, "status": status, "run_date": date,
            "missing": task["missing"]["required"] + task["missing"]["optional"],
            "minutes": minutes, "peak_mb": peak_mb, "path": path or str(task["source"]),
            "error": error, "values": task["values"]}


def _changed(task):
    """Why the stamp no longer fits what ran, "" where it does."""
    if not task["source"].is_file():
        return "the notebook was taken away while it ran"
    now = stamp(read(task["source"]), task["values"])
    for what, field in (("the notebook", "code_sha256"), ("genept_utils", "module_sha256")):
        if now[field] != task["stamp"][field]:
            return f"{what} was changed while it ran; run it again"
    return ""


def _shown_secret(*files):
    """Which secret the files show; one that shows a secret is removed."""
    for file in filter(Path.is_file, files):
        if said := secret.shown(file.read_text(encoding="utf-8")):
            file.unlink()
            return said
    return ""


@contextlib.contextmanager
def _watched_memory(limit=None):
    """Largest resident memory of the kernel (a child of this process) and its children, in MB,
    sampled ten times a second; above ``limit`` they are stopped, and they end with the runner or
    with the Dask client that wanted them."""
    import psutil

    memory, done, me = {"peak": 0, "over": False}, threading.Event(), psutil.Process()
    runner, given_up = os.getppid(), _given_up()

    def watch():
        while not done.wait(0.1):
            total, children = 0, me.children(recursive=True)
            for child in children:
                with contextlib.suppress(psutil.Error):
                    total += child.memory_info().rss / 1e6
            memory["peak"] = max(memory["peak"], round(total))
            memory["over"] |= bool(limit and total > limit)
            for child in children if memory["over"] or given_up() else ():
                with contextlib.suppress(psutil.Error):
                    child.kill()
            if os.getppid() != runner:
                os._exit(1)  # the kernel ends with its parent

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield memory
    finally:
        done.set()
        watcher.join()


def _given_up():
    """A function that tells whether the client of this Dask task has gone; elsewhere it has
    not."""
    try:
        worker = sys.modules["distributed"].get_worker()
        key = worker.get_current_task()
    except (KeyError, ValueError):
        return lambda: False
    tasks = worker.state.tasks
    return lambda: key not in tasks or tasks[key].state in ("cancelled", "released", "forgotten")


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
