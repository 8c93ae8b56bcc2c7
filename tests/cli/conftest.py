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


# Imports and the table of names take most of a command's time: where the process itself is not
# the subject they are made once, and each list of commands runs in a fork.
FORKS = """
import json, os, sys, traceback
import genept_utils.cli, genept_utils.cells.out_of_core, genept_utils.embed
from genept_utils import sources
from genept_utils.genes import synonyms
try:
    synonyms.synonyms()
except sources.SourceError:
    pass
for line in sys.stdin:
    code, folder, said = json.loads(line)
    child = os.fork()
    if not child:
        status = 1
        try:
            os.chdir(folder)
            for number in (1, 2):
                os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
            exec(code, {"__name__": "__main__"})
            sys.stdout.flush()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="session")
def forks(tmp_path_factory):
    """A function that executes code in a fork of one process and gives its exit code and what it
    said; None where the system has no forks."""
    if not hasattr(os, "fork"):
        yield None
        return
    folder = tmp_path_factory.mktemp("forks")
    with subprocess.Popen([sys.executable, "-c", FORKS], stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE, cwd=folder, env=_environment({})) as process:
        def run(code, place):
            said = folder / "said"
            said.unlink(missing_ok=True)
            print(json.dumps([code, str(place), str(said)]), file=process.stdin, flush=True)
            return int(process.stdout.readline()), said.read_text(encoding="utf-8")
        run.environment = _environment({})
        yield run


@pytest.fixture
def command(tmp_path):
    """One command in a process of its own; gives the finished process."""
    def run(*words, folder=tmp_path, **environment):
        return subprocess.run([sys.executable, "-m", "genept_utils", *words], cwd=folder,
                              env=_environment(environment), capture_output=True, text=True)
    return run


@pytest.fixture
def commands(tmp_path, forks):
    """Several commands, one after the other in one process in a folder that is not the checkout;
    gives (exit code, what was printed, what was printed as error) of each."""
    def run(*each, before="", folder=tmp_path, **environment):
        if forks and not before and forks.environment == _environment(environment):
            code = SEVERAL.format(before="").replace("sys.argv[1]", repr(json.dumps(each)))
            status, said = forks(code, folder)
            assert status == 0, said
            return json.loads(said.splitlines()[-1])
        done = subprocess.run(
            [sys.executable, "-c", SEVERAL.format(before=before), json.dumps(each)], cwd=folder,
            env=_environment(environment), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])
    return run


def _environment(changes):
    made = {**os.environ, "PYTHONPATH": str(paths.ROOT), **changes}
    return {name: value for name, value in made.items()
            if value is not None and name != "PYTEST_CURRENT_TEST"}
