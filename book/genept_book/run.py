"""Run the notebooks strictly.

papermill executes; this module refuses unknown or ill-typed parameters before anything runs,
keeps what a failed notebook printed, and never replaces committed outputs by poorer ones.
"""

import concurrent.futures
import functools
import itertools
import multiprocessing
import os
import shutil
from pathlib import Path

from genept_utils import paths, sources
from genept_book import pace, start
from genept_book.execute import entry_of, execute
from genept_book.notebooks import (about, check_inputs, need_clone, notebooks, parameters, read,
                                   typed)
from genept_book.publish import folder, publish, recorded_runs, write_summary
from genept_book.stamp import stamp


def run(names=(), assignments=(), grid=(), write=False, jobs=None, out=None, report=print,
        timeout=None, memory=None):
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
    timeout : float, optional
        Minutes that one cell may take.
    memory : float, optional
        Megabytes that one notebook may take.

    Returns
    -------
    list of dict
        Per run ``notebook``, ``status`` ("executed", "partial" where an optional source is
        missing, "kept" where a required one is, "failed"), ``missing``, ``run_date``,
        ``minutes``, ``peak_mb``, ``path``, ``error``; where it was executed, ``unit_s``.

    Raises
    ------
    ValueError
        Unknown notebook, unknown, misspelt or ill-typed parameter, another run that is under
        way in the same folder, or ``write`` without a clone: before anything runs.
    FileNotFoundError
        A recorded file that a notebook reads is not there.
    """
    if write and (assignments or grid):
        raise ValueError("committed notebooks carry default parameters: --write takes none")
    if write:
        need_clone("--write puts outputs into a clone of the book")
    default = paths.BUILD / "param" if assignments or grid else folder()
    place = Path(out or default).expanduser().resolve()
    paths.check_writable(place)
    planned = [task | {"timeout": timeout, "memory": memory} for path in notebooks(names)
               for task in tasks_of(path, assignments, grid, place)]
    with paths.locked(place / ".lock", f"another run is under way in {place}; wait for it, or "
                      "give --out another folder"):
        ready, kept = prepared(planned, report)
        entries, jobs = [entry for entry, _ in kept], jobs or max(1, min(2, os.cpu_count() or 1))
        here = pace.unit() if ready else None
        for wave in (False, True):  # pages that read other pages' results come last
            entries += _execute_all([task for task in ready if task["second"] == wave], jobs,
                                    here, report)
        if place == folder().resolve():
            write_summary(entries)
        if write:
            publish(entries)
    return sorted(entries, key=lambda entry: entry["path"])


def tasks_of(path, assignments, grid, top):
    """The tasks of one notebook, a folder each: every combination of the ``grid``."""
    notebook = read(path)
    check_inputs(path, notebook)
    known, meta = parameters(notebook), about(notebook)
    axes = [[typed([f"{name}={value}"], known) for value in values.split(",")]
            for name, _, values in (axis.partition("=") for axis in grid)]
    for combination in itertools.product(*axes):
        varied = {name: value for part in combination for name, value in part.items()}
        values = asked_for({**typed(assignments, known), **varied}, known)
        slug = ",".join(f"{name}={value}" for name, value in varied.items())
        yield {"source": path, "values": values, "place": top / slug.replace("/", "-"),
               "stamp": stamp(notebook, values), "meta": meta,
               "second": any(pattern.startswith("data/results/")
                             for pattern in meta.get("inputs", []))}


def asked_for(values, known):
    """The parameters of a run; with cells of the reader's own the book's cohort of patients, which
    was not asked for, is left out."""
    return {"patients": "", **values} if _own(values) and "patients" in known else values


def _own(values):
    return os.path.isabs(str(values.get("dataset", "")))


def prepared(planned, report):
    """Sources fetched once, and folders with the committed results, so that a page that reads all
    of them finds those of pages that could not be run: the tasks that can run, and entry
    and task of those that keep their outputs."""
    had = functools.cache(_had)
    for task in planned:
        wanted = [key for key in task["meta"].get("sources", [])
                  # with cells of the reader's own the open sets are not needed
                  if not (_own(task["values"]) and key.startswith("cells/"))]
        required = set(task["meta"].get("required", wanted))
        task["missing"] = {"required": [], "optional": []}
        for key in wanted:
            if not had(key):
                task["missing"]["required" if key in required else "optional"].append(key)
        if absent := sum(map(len, task["missing"].values())):
            report(f"  {task['source'].stem}: {absent} of {len(wanted)} sources could not be had")
    for target in {task["place"] / "results" for task in planned}:
        target.mkdir(parents=True, exist_ok=True)
        for file in (paths.DATA / "results").glob("[0-9]*.json"):
            there = target / file.name
            if not there.exists() or there.stat().st_mtime < file.stat().st_mtime:
                with sources.replacing(there) as part:  # a half file would be taken for newer
                    shutil.copyfile(file, part)
    kept = [(entry_of(task, "kept", task["meta"].get("run", {}).get("date", "never")), task)
            for task in planned if task["missing"]["required"]]
    return [task for task in planned if not task["missing"]["required"]], kept


def _had(key):
    try:
        return bool(sources.fetch(key))
    except sources.SourceError:
        return False


def _execute_all(tasks, jobs, here, report):
    """Entries of the tasks, the long ones first. How long they take is told from the recorded times
    and ``here``, the pace of this machine, then from the pages that have run."""
    if not tasks:
        return []
    runs = pace.expected(recorded_runs()[1], here)
    known = {task["source"]: runs.get(task["source"].stem, 1.) for task in tasks}
    tasks = sorted(tasks, key=lambda task: -known[task["source"]])
    # with fewer pages than jobs too: the digits of a page do not depend on its company
    threads = max(1, (os.cpu_count() or 1) // jobs)
    entries, others, waiting = [], set(multiprocessing.active_children()), list(tasks)
    taken = expected = 0  # minutes of the pages that have run
    with concurrent.futures.ProcessPoolExecutor(
            jobs, multiprocessing.get_context("spawn"), start.quickly,
            max_tasks_per_child=1) as pool:
        whole = left([known[task["source"]] for task in tasks], jobs)
        report(f"  {len(tasks)} to run, about {whole:.0f} min here: "
               + ", ".join(path.stem for path in known))
        try:
            for entry, task in done_in(pool, tasks, threads):
                waiting.remove(task)
                entries.append(entry | {"unit_s": round(here, 4)})
                expected += known[task["source"]]
                taken += entry["minutes"]
                slower = taken / max(expected, 1e-9)
                more = left([slower * known[one["source"]] for one in waiting], jobs)
                report(f"  {entry['notebook']}: {entry['status']} in {entry['minutes']:.1f} min, "
                       f"peak {entry['peak_mb']} MB"
                       + (f"; about {more:.0f} min left" if waiting else ""))
        except KeyboardInterrupt:
            # a worker may not heed it, and leaving the pool would wait; a kernel ends with its worker
            for worker in set(multiprocessing.active_children()) - others:
                worker.kill()
            raise
    return entries


def done_in(pool, tasks, threads):
    """(entry, task) as tasks are done in a pool; one whose worker died is an entry, too."""
    futures = {pool.submit(execute, task, threads): task for task in tasks}
    for future in concurrent.futures.as_completed(futures):
        task, error = futures[future], future.exception()
        yield (entry_of(task, "failed", "", error=repr(error)) if error else future.result()), task


def left(minutes, jobs):
    """Minutes until pages of these ``minutes`` have run, ``jobs`` of them side by side."""
    return max(sum(minutes) / jobs, max(minutes, default=0.0))
