"""The command line as a reader uses it: from a folder of their own, many commands a process."""

import json
import os
import subprocess
import sys

import pytest

from genept_utils import paths

SEVERAL = """
import contextlib, io, json, sys
{before}
from genept_utils.cli import main
said = []
for words in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as end:
            code = end.code
    said.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(said))
"""


@pytest.fixture
def command(tmp_path):
    """One command in a process of its own; gives the finished process."""
    def run(*words, folder=tmp_path, **environment):
        return subprocess.run([sys.executable, "-m", "genept_utils", *words], cwd=folder,
                              env=_environment(environment), capture_output=True, text=True)
    return run


@pytest.fixture
def commands(tmp_path):
    """Several commands, one after the other in one process in a folder that is not the checkout;
    gives (exit code, what was printed, what was printed as error) of each."""
    def run(*each, before="", folder=tmp_path, **environment):
        done = subprocess.run(
            [sys.executable, "-c", SEVERAL.format(before=before), json.dumps(each)], cwd=folder,
            env=_environment(environment), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])
    return run


def _environment(changes):
    made = {**os.environ, "PYTHONPATH": str(paths.ROOT), **changes}
    return {name: value for name, value in made.items() if value is not None}
