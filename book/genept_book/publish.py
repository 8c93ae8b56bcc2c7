"""What a run leaves: its summary, its results beside the committed ones, committed outputs."""

import json
import shutil
from pathlib import Path

import nbformat
import pandas as pd

from genept_utils import paths, sources
from genept_book import ledger
from genept_book.notebooks import read
from genept_book.stamp import input_hash, results_hash


def folder():
    """Folder of the last run of all notebooks: what the book is rendered from."""
    return paths.BUILD / "run"


def recorded_runs():
    """``data/results/runs.json`` and what it holds: minutes and peak memory by notebook,
    and the seconds of :func:`genept_book.pace.unit` on the machine that took them."""
    file = paths.DATA / "results" / "runs.json"
    return file, json.loads(file.read_text()) if file.is_file() else {}


def write_summary(entries):
    file = folder() / "summary.json"
    before = json.loads(file.read_text()) if file.is_file() else []
    rows = {row["notebook"]: {key: value for key, value in row.items()
                              if key not in ("path", "values")} for row in [*before, *entries]}
    sources.save(file, json.dumps([rows[name] for name in sorted(rows)], indent=1))


def publish(entries):
    """Complete runs become the committed outputs."""
    file, runs = recorded_runs()
    complete = [entry for entry in entries if entry["status"] == "executed"]
    for entry in complete:
        result = Path(entry["path"]).parent.parent / "results" / f"{entry['notebook']}.json"
        if result.is_file():
            with sources.replacing(paths.DATA / "results" / result.name) as part:
                shutil.copyfile(result, part)
        runs[entry["notebook"]] = {key: entry[key] for key in ("minutes", "peak_mb", "unit_s")}
    for entry in complete:  # once all results lie there: some pages have them as inputs
        notebook = read(entry["path"])
        notebook.metadata["genept"]["run"] |= {"inputs_sha256": input_hash(notebook),
                                               "results_sha256": results_hash(entry["notebook"])}
        with sources.replacing(paths.NOTEBOOKS / f"{entry['notebook']}.ipynb") as part:
            nbformat.write(notebook, part)
    sources.save(file, json.dumps(dict(sorted(runs.items())), indent=1) + "\n")


def changed_results():
    """Rows of the last run, scores and differences, that differ from the committed ones by more
    than the tolerance; see :func:`genept_utils.ledger.compare`."""
    executed = [row["notebook"] for row in json.loads((folder() / "summary.json").read_text())
                if row["status"] == "executed"]
    fresh, committed = (
        pd.concat([ledger.results(folder=where), ledger.differences(folder=where)])
        for where in (folder() / "results", paths.DATA / "results"))
    return ledger.compare(fresh[fresh["notebook"].isin(executed)], committed)


def summary_table(entries):
    """The run as text: one line per notebook with status, minutes and peak memory, and in a grid
    the parameters in which the lines differ."""
    values = pd.DataFrame([{name: str(value) for name, value in entry["values"].items()}
                           for entry in entries]).fillna("")
    table = pd.DataFrame(entries)[["notebook", "status", "minutes", "peak_mb", "missing"]]
    for at, name in enumerate([name for name in values if values[name].nunique() > 1], 1):
        table.insert(at, name, values[name])
    table["missing"] = table["missing"].map(len)
    return table.rename(columns={"peak_mb": "peak MB",
                                 "missing": "missing sources"}).to_string(index=False)
