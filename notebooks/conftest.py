"""nbval on the notebooks: recorded results stay untouched, missing sources skip with a reason.

Every cell runs, with few draws and folds: the values are the strict run's business, and the cells
whose outputs are compared here do not depend on these parameters. Where `make run` has just executed
the same code with the same inputs, what follows the last compared cell is not executed once more.
"""

import functools
import os
import shutil
import tempfile

import nbformat
import pytest

from genept_utils import paths, sources
from genept_book import notebooks, stamp

FEW = {
    "01": {"queries": 200},
    "02": {"n_splits": 1, "map_genes": 100, "max_rows": 8000},
    "04": {"shuffles": 5},
    "05": {"repeats": 1, "grouped_repeats": 1},
    "06": {"max_terms": 10},
    "07": {"seeds": 2, "draws": 1},
    "08": {"seeds": 2, "draws": 1},
    "09": {"draws": 2, "nulls": 2, "permutations": 10},
    "10": {"draws": 2, "tries": 1, "sizes": [50, 200, 1000]},
    "11": {"repeats": 1},
    "13": {"sizes": [500, 1000], "repeats": 1},
}

_top = tempfile.mkdtemp(prefix="genept-results-")
WHOLE, OF_FEW = (os.path.join(_top, name) for name in ("whole", "of few"))
for _place in (WHOLE, OF_FEW):  # a page that reads all results finds the committed ones
    shutil.copytree(paths.DATA / "results", _place)
os.environ["GENEPT_RESULTS"] = WHOLE


def pytest_unconfigure():
    shutil.rmtree(_top, ignore_errors=True)


@functools.cache
def _read(path):
    return nbformat.read(path, as_version=4)


@functools.cache
def _missing(path):
    found = []
    for key in _read(path).metadata.get("genept", {}).get("sources", []):
        try:
            sources.fetch(key)
        except sources.SourceError:
            found.append(key)
    return found


@functools.cache
def _executed(path):
    return stamp.executed(path)


def pytest_collection_modifyitems(items):
    last = {item.path: number for number, item in enumerate(items)
            if "nbval-check-output" in getattr(item, "cell", {}).get("metadata", {}).get("tags", [])}
    for number, item in enumerate(items):
        if item.path.suffix == ".ipynb" and number > last.get(item.path, -1) and (
                date := _executed(item.path)):
            item.add_marker(pytest.mark.skip(reason=f"{item.path.stem}: the run of {date} executed "
                                                    "the same code, inputs and packages"))
        if item.path.suffix == ".ipynb" and _missing(item.path):
            reason = f"{item.path.stem}: {', '.join(_missing(item.path))} could not be had"
            item.add_marker(pytest.mark.skip(reason=reason))
        elif "parameters" in getattr(item, "cell", {}).get("metadata", {}).get("tags", []):
            item.cell.source += _few(item.path)


def _few(path):
    """Lines that set a notebook's parameters anew, and where its results then go."""
    few, known = FEW.get(path.stem[:2], {}), notebooks.parameters(_read(path))
    if unknown := set(few) - set(known):
        raise pytest.UsageError(f"{path.stem} has no parameters {', '.join(sorted(unknown))}")
    if not few:
        return ""
    return (f'\nimport os\nos.environ["GENEPT_RESULTS"] = {OF_FEW!r}'
            + "".join(f"\n{name} = {value!r}" for name, value in few.items()))
