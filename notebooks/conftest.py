"""nbval on the notebooks: recorded results stay untouched, missing sources skip with a reason."""

import functools
import os
import shutil
import tempfile

import nbformat
import pytest

from genept_utils import paths, sources

_scratch = tempfile.mkdtemp(prefix="genept-results-")
for _file in (paths.DATA / "results").glob("*.json"):
    shutil.copy(_file, _scratch)
os.environ["GENEPT_RESULTS"] = _scratch


def pytest_unconfigure():
    shutil.rmtree(_scratch, ignore_errors=True)


@functools.cache
def _missing(path):
    found = []
    for key in nbformat.read(path, as_version=4).metadata.get("genept", {}).get("sources", []):
        try:
            sources.fetch(key)
        except sources.SourceError:
            found.append(key)
    return found


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.suffix == ".ipynb" and _missing(item.path):
            reason = f"{item.path.stem}: {', '.join(_missing(item.path))} could not be had"
            item.add_marker(pytest.mark.skip(reason=reason))
