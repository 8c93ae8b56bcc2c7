"""The wheel holds what the chapters read, and finds it where it is installed."""

import fcntl
import json
import os
import subprocess
import sys
import zipfile

import pytest

from genept_utils import paths
from genept_book import claims, ledger

OWN = {"cache", "paper"}  # of the reader, below data/
SHIPPED = sorted(path.name for path in paths.DATA.iterdir()
                 if path.name not in OWN and path.name[0] != ".")
COUNTS = """
import json
from genept_utils import claims, ledger, paths
from genept_book import notebooks
print(json.dumps([paths.CHECKOUT, len(claims.listed()), len(ledger.results()),
                  *[len(ledger.results(name, paths.DATA / "offline")) for name in NAMES],
                  len(notebooks.notebooks())]))
"""
OFFLINE = sorted(file.stem for file in (paths.DATA / "offline").glob("*.json"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout, built once though the tests may run in several processes."""
    top = tmp_path_factory.getbasetemp()
    folder = (top.parent if os.environ.get("PYTEST_XDIST_WORKER") else top) / "built"
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return next(folder.glob("*.whl"), None) or _built(folder)


def _built(folder):
    done = subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder,
                           paths.ROOT], capture_output=True, text=True)
    if done.returncode and "hatchling" in done.stderr:
        pytest.skip("hatchling, which builds the wheel, could not be had")
    assert done.returncode == 0, done.stderr
    wheel, = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """Folder into which it is unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def installed(site, tmp_path):
    """Python with the installed module, in an empty folder; gives the finished process."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("GENEPT_RESULTS", "PYTHONPATH")}
    environment |= {"PYTHONPATH": str(site), "GENEPT_CACHE": str(tmp_path / "cache")}

    def run(*words):
        return subprocess.run([sys.executable, *words], cwd=tmp_path, env=environment,
                              capture_output=True, text=True, timeout=600)
    return run


# As if the wheel had not brought a file or folder of its data: each case in a fork of one process
# that has imported the commands and read nothing.
LACKS = """
import json, os, pathlib, sys
from genept_book import start
start.quickly()
import genept_utils.cli, genept_book.notebooks, genept_book.prose, genept_book.run
data = pathlib.Path(genept_utils.cli.__file__).parents[1] / "_data"
for name, words in json.loads(sys.argv[1]):
    (data / name).rename(data.parent / "aside")
    child = os.fork()
    if not child:
        status = 1
        try:
            for number, file in ((1, "out"), (2, "err")):
                os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            status = genept_utils.cli.main(words)
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    (data.parent / "aside").rename(data / name)
    print(json.dumps([status, *(pathlib.Path(file).read_text() for file in ("out", "err"))]))
"""


def files(top):
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts}


@pytest.mark.parametrize("name", SHIPPED)
def test_what_lies_in_data_is_in_the_wheel(site, name):
    here, there = paths.DATA / name, site / "genept_utils" / "_data" / name
    assert there.exists(), f"the wheel has no {name}; pyproject.toml says what it takes"
    if here.is_file():
        assert there.read_bytes() == here.read_bytes()
    else:
        assert files(there) == files(here) and files(here)


def test_the_notebooks_are_in_the_wheel_and_nothing_of_a_reader(site):
    data = site / "genept_utils" / "_data"
    assert files(data / "notebooks") == files(paths.NOTEBOOKS)
    assert not OWN & {path.name for path in data.iterdir()}


def test_an_installed_module_finds_all_of_it(installed):
    done = installed("-c", COUNTS.replace("NAMES", repr(OFFLINE)))
    assert done.returncode == 0, done.stderr
    recorded = paths.DATA / "results"
    assert json.loads(done.stdout) == [
        False, len(claims.listed()), len(ledger.results(folder=recorded)),
        *[len(ledger.results(name, paths.DATA / "offline")) for name in OFFLINE],
        len(list(paths.NOTEBOOKS.glob("[0-9]*.ipynb")))]


def test_an_installed_chapter_runs_to_its_end(installed, tmp_path):
    """Chapter 12 reads claims and results; the page that it makes says where it lies."""
    done = installed("-m", "genept_utils", "run", "12")
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    place = tmp_path / "genept_build" / "run"
    assert f"executed notebooks and their results are in {place}\n" in done.stdout
    page = (place / "notebooks" / "12-what-the-text-adds.ipynb").read_text(encoding="utf-8")
    claim = claims.listed()["claim"].iloc[0]
    assert page.count(claim) >= (paths.NOTEBOOKS / "12-what-the-text-adds.ipynb").read_text(
        encoding="utf-8").count(claim) > 0


LACKING = [
    ("claims.csv", ["run", "12"], "reads data/claims.csv, and"),
    ("results", ["run", "12"], "reads data/results/[0-9]*.json, and"),
    ("results", ["run", "13", "repeats=1"], "reads data/results/13-scale.json, and"),
    ("offline", ["run", "06"], "reads data/offline/06-"),
    ("offline", ["run"], "reads data/offline/06-"),
    ("notebooks", ["run", "06"], "there are no notebooks in"),
    ("notebooks", ["run"], "there are no notebooks in"),
    ("notebooks", ["check", "--prose"], "there are no notebooks in")]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
def test_what_a_wheel_lacks_is_said_before_anything_runs(installed):
    done = installed("-c", LACKS, json.dumps([case[:2] for case in LACKING]))
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(LACKING)
    for (name, words, said), (status, out, err) in zip(LACKING, found):
        assert status == 2 and said in err, (name, words, out, err)
        assert err.endswith("run this in a clone of the book, or install the package whole\n")
        assert err.count("\n") == 1 and "to run" not in out


CLONE = {
    "check": "pages are checked in a clone of the book",
    "run 12 --write": "--write puts outputs into a clone of the book",
    "address": "the address stands in a clone of the book",
    "address https://github.com/a/b": "the address stands in a clone of the book",
    "map": "the map is made in a clone of the book",
    "paper": "python -m genept_utils paper FOLDER",
    "paper --check": "python -m genept_utils paper FOLDER"}
ALL = """
import sys
from genept_utils.cli import main
for words in sys.argv[1:]:
    print(main(words.split()), file=sys.stderr)
"""


def test_what_needs_a_clone_says_so_and_writes_nothing(site, installed):
    before = files(site / "genept_utils" / "_data")
    done = installed("-c", ALL, *CLONE)
    lines = done.stderr.splitlines()
    assert done.returncode == 0 and len(lines) == 2 * len(CLONE), done.stderr
    for words, line, code in zip(CLONE, lines[::2], lines[1::2]):
        assert code == "2" and CLONE[words] in line, words
    assert files(site / "genept_utils" / "_data") == before


def test_numbers_of_installed_pages_are_checked(installed):
    done = installed("-m", "genept_utils", "check", "--prose", "12")
    assert (done.returncode, done.stdout) == (0, "every number in prose is found\n"), done.stderr
