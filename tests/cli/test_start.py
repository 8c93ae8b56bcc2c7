"""A command starts in a fraction of a second, and so does each process of a run."""

import subprocess
import sys

import pytest

LARGE = ["anndata", "scanpy", "sklearn", "numba", "torch", "umap", "matplotlib"]


def loaded(code):
    """Names of the modules that a process of its own has loaded after some code."""
    done = subprocess.run([sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
                          capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("code", [
    "from genept_utils import cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass",
    "from genept_utils import cli\ncli.main(['run', '--parameters', '13'])"])
def test_nothing_large_is_loaded_before_it_is_used(code):
    found = loaded(code)
    assert not found & {*LARGE, "rfc3987_syntax.syntax_helpers"}
    assert "--help" in code or "nbformat" in found


def test_a_process_of_a_run_starts_quickly_and_checks_notebooks_all_the_same():
    """jsonschema without its grammar of addresses still refuses what is no notebook."""
    found = loaded("from genept_book import start\nstart.quickly()\n"
                   "from genept_book import execute\nimport nbformat, papermill\n"
                   "page = nbformat.v4.new_notebook()\nnbformat.validate(page)\n"
                   "page['cells'] = [{'cell_type': 'poem'}]\n"
                   "try:\n    nbformat.validate(page)\nexcept nbformat.ValidationError:\n"
                   "    pass\nelse:\n    raise SystemExit('it passed')")
    assert not found & {*LARGE, "rfc3987_syntax.syntax_helpers"}
