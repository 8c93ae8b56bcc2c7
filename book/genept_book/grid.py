"""Notebooks x parameters as jobs on a Dask client, each in a folder named by its content.

A job is a notebook with one combination of values. Its folder carries the hash of the notebook's
code, of the modules it imports, of its inputs and of the values, so that a job whose folder holds
a finished run is not run again, and one of which anything changed is another job.
"""

import hashlib
import json
import os
from pathlib import Path

from genept_utils import optional, paths, sources
from genept_book import run
from genept_book.notebooks import notebooks

FIELDS = {"notebooks", "parameters"}


def read(path):
    """A grid file: which notebooks, and the values of their parameters.

    Parameters
    ----------
    path : path
        YAML with ``notebooks`` (a list of names or numbers) and ``parameters``: a list of values
        for each name that is varied, one value for what is the same in all jobs.

    Returns
    -------
    names : list of str
    axes : list of str
        ``NAME=VALUE,VALUE``, as :func:`genept_book.run.run` takes them.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no YAML, or has other fields.
    """
    import yaml

    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"there is no grid file {path}")
    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is no YAML: {error}") from None
    if not isinstance(held, dict) or set(held) - FIELDS or not held.get("notebooks"):
        raise ValueError(f"{path.name} must hold `notebooks`, a list, and `parameters`, names with "
                         "a list of values each; it holds "
                         f"{', '.join(map(str, held)) if isinstance(held, dict) else held!r}")
    # 07 without quotes is the number 7 in YAML
    names = [f"{name:02d}" if isinstance(name, int) else str(name)
             for name in _list(held["notebooks"])]
    axes = {name: _list(values) for name, values in (held.get("parameters") or {}).items()}
    for name, values in axes.items():
        if not values or any("," in str(value) for value in values):
            raise ValueError(f"{path.name}: {name} needs at least one value, and none with a comma")
    return names, [f"{name}={','.join(map(str, values))}" for name, values in axes.items()]


def _list(values):
    return values if isinstance(values, list) else [values]


def run_grid(path, out=None, jobs=None, scheduler=None, report=print):
    """Run the jobs of a grid file that have not been run yet.

    Parameters
    ----------
    path : path
        As :func:`read` takes it.
    out : path, optional
        Folder of the jobs' folders; by default ``_build/grid``.
    jobs : int, optional
        Workers on this machine; by default one per core, at most 2.
    scheduler : str, optional
        Address of a Dask scheduler whose workers see this folder and the cache under the same
        paths.
    report : callable
        Takes a line of progress.

    Returns
    -------
    list of dict
        Per job what :func:`genept_book.run.run` gives, and ``again``: False where an earlier run
        was taken.

    Raises
    ------
    ValueError
        A wrong grid file, an unknown notebook or parameter: before anything runs.
    """
    names, axes = read(path)
    top = Path(out or paths.BUILD / "grid").expanduser().resolve()
    paths.check_writable(top)
    tasks = [dict(task, place=top / key(task)) for source in notebooks(names)
             for task in run.tasks_of(source, (), axes, top)]
    found = {task["place"]: finished(task["place"]) for task in tasks}
    waiting = [task for task in tasks if not found[task["place"]]]
    report(f"{len(tasks)} jobs, {len(tasks) - len(waiting)} of them finished before")
    ready, kept = run.prepared(waiting, report)
    made = {task["place"]: entry for entry, task in kept}
    for entry, task in _on_client(ready, jobs, scheduler):
        made[task["place"]] = entry
        if entry["status"] in ("executed", "partial"):
            sources.save(task["place"] / "entry.json", json.dumps(entry))
        said = ", ".join(f"{name}={value}" for name, value in task["values"].items())
        report(f"  {entry['notebook']} {said}: {entry['status']} in {entry['minutes']:.1f} min "
               f"({len(made)} of {len(waiting)})")
    return [(found[task["place"]] or made[task["place"]]) | {"again": task["place"] in made}
            for task in tasks]


def key(task):
    """Name of a job's folder: its notebook and 16 digits of the hash of all it is made from."""
    named = {name: Path(paths.split_words(value)[1]).expanduser()  # coexpression:FILE names one, too
             for name, value in task["values"].items() if isinstance(value, str)}
    text = json.dumps([
        task["source"].stem,
        {name: value for name, value in task["stamp"].items() if name.endswith("_sha256")},
        task["values"],
        {name: sources.sha256(path) for name, path in named.items() if path.is_file()}],
        sort_keys=True)
    return f"{task['source'].stem}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def finished(place):
    """What is noted of a finished job; None where there is none, or half a note."""
    try:
        entry = json.loads((place / "entry.json").read_text())
    except (OSError, ValueError):
        return None
    return entry if Path(entry["path"]).is_file() else None


def _on_client(tasks, jobs, scheduler):
    """(entry, task) as jobs are finished; what fails is an entry like any other."""
    if not tasks:
        return
    cores = os.cpu_count() or 1
    jobs = min(jobs or min(2, cores), len(tasks))
    with optional.dask_client(jobs, scheduler) as client:
        # a worker that dies with a job is not given a second one to die with
        pool = client.get_executor(pure=False, retries=0)
        yield from run.done_in(pool, tasks, max(1, cores // jobs))
