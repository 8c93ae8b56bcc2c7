"""The Makefile says what it means: no mirror, a wrong Python, the list of targets; what it, the
gate and the pages name is there."""

import os
import re
import subprocess

import pytest

from genept_utils import paths

PROBE = ("include {makefile}\nouter:\n\t@$(MAKE) --no-print-directory -f $(firstword "
         "$(MAKEFILE_LIST)) inner\ninner:\n\t@echo \"mirror=[$$GENEPT_MIRROR]\"\n")


def make(folder, *words, **environment):
    env = {key: value for key, value in os.environ.items()
           if not key.startswith(("GENEPT", "MAKE"))}
    return subprocess.run(["make", *words], cwd=folder, env={**env, **environment}, text=True,
                          capture_output=True)


@pytest.mark.parametrize("environment, expected", [
    ({}, "{top}/shared/data"), ({"GENEPT_MIRROR": ""}, ""), ({"GENEPT_MIRROR": " "}, ""),
    ({"GENEPT_MIRROR": "/elsewhere"}, "/elsewhere"), ({"GENEPT_MIRROR": "near"}, "{here}/near"),
    ({"GENEPT_MIRROR": "a mirror"}, "{here}/a mirror"),
    ({"GENEPT_MIRROR": "/my files/ä"}, "/my files/ä"),
])
def test_the_mirror_of_a_sub_make_is_that_of_the_caller(tmp_path, environment, expected):
    (tmp_path / "shared" / "data").mkdir(parents=True)
    here = tmp_path / "book"
    here.mkdir()
    (here / "Probe").write_text(PROBE.format(makefile=paths.ROOT / "Makefile"))
    done = make(here, "-f", "Probe", "outer", **environment)
    assert f"mirror=[{expected.format(top=tmp_path, here=here)}]" in done.stdout


def test_a_book_in_a_folder_with_a_space_is_rendered_from_its_own_run(tmp_path):
    here = tmp_path / "my book"
    (here / "_build" / "run" / "results").mkdir(parents=True)
    builder = here / ".venv" / "bin" / "jupyter-book"
    builder.parent.mkdir(parents=True)
    builder.write_text('#!/bin/sh\necho "from=[$GENEPT_RESULTS]"\n')
    builder.chmod(0o755)
    (here / "Makefile").write_text((paths.ROOT / "Makefile").read_text(encoding="utf-8"))
    for name in ("requirements.lock", "pyproject.toml", ".venv/.installed"):
        (here / name).touch()
    done = make(here, "render")
    assert f"from=[{here}/_build/run/results]" in done.stdout and not done.stderr


def test_another_python_is_said_before_pip_starts(tmp_path):
    done = make(paths.ROOT, "install", "PYTHON=false", f"VENV={tmp_path}/env")
    assert done.returncode and "Python 3.11, 3.12 or 3.13 is needed" in done.stdout
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize("code, rendered", [(0, True), (1, True), (2, False)])
def test_what_ran_on_the_papers_files_is_rendered_where_one_failed(tmp_path, code, rendered):
    """A stand-in for python ends as `genept_utils paper` does; make itself is not called again."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
    python.chmod(0o755)
    (tmp_path / ".installed").touch()
    done = make(paths.ROOT, "paper", f"VENV={tmp_path}", "MAKE=echo", "PAPER=seeds=2 draws=1")
    assert "-m genept_utils paper seeds=2 draws=1\n" in done.stdout
    assert ("render" in done.stdout, bool(done.returncode)) == (rendered, code > 0)


def test_help_lists_every_target():
    done = make(paths.ROOT, "help")
    text = (paths.ROOT / "Makefile").read_text(encoding="utf-8")
    targets = next(line for line in text.splitlines() if line.startswith(".PHONY"))
    for target in targets.split(":")[1].split():
        assert f"make {target}" in done.stdout, f"{target} has no line of help"


# ---------------------------------------------------------------- what the commands name

GATES = [paths.ROOT / "Makefile", paths.ROOT / ".ci" / "run",
         *sorted((paths.ROOT / ".github" / "workflows").glob("*.yml"))]
PAGES = [paths.ROOT / "README.md", paths.ROOT / "CONTRIBUTING.md",
         *sorted((paths.ROOT / "book").glob("*.md"))]


def named_files(text):
    """Files and folders of tests and scripts that a text names."""
    text = text.replace("\\\n", " ")
    found = set(re.findall(r"(?<![\w./-])(?:(?:tests|benchmarks|\.ci)/[\w./-]*\w"
                           r"|data/\w+\.csv)", text))
    for folder, names in re.findall(r"cd (\w+) && for \w+ in ([\w. ]+);", text):
        found |= {f"{folder}/{name}" for name in names.split()}
    for given in re.findall(r"-m pytest ([^-`\n]*)", text):
        found |= set(given.split())
    return found


def unmatched_words(text):
    """Words of each -k that are in the name of no test of the paths before it."""
    for places, words in re.findall(r"-m pytest ([^-\n]*)[^\n]*? -k ['\"]?(\w[\w ]*)",
                                    text.replace("\\\n", " ")):
        names = [f"{file.name}::{name}" for place in places.split()
                 for file in test_files(paths.ROOT / place)
                 for name in re.findall(r"(?m)^\s*def (test_\w+)", file.read_text("utf-8"))]
        for word in words.split():
            if word not in ("and", "or", "not") and not any(word in name for name in names):
                yield word


def test_files(path):
    return [path] if path.is_file() else sorted(path.rglob("test_*.py"))


test_files.__test__ = False  # no test, though it is called like one


@pytest.mark.parametrize("path", [*GATES, *PAGES],
                         ids=lambda path: path.relative_to(paths.ROOT).as_posix())
def test_every_file_that_is_named_is_there(path):
    missing = [name for name in named_files(path.read_text(encoding="utf-8"))
               if not (paths.ROOT / name).exists()]
    assert not missing, f"{path.name} names what is not there: {missing}"


def test_the_minutes_of_a_command_are_the_same_wherever_they_stand():
    text = {name: (paths.ROOT / name).read_text(encoding="utf-8")
            for name in ("Makefile", "README.md", "CONTRIBUTING.md")}
    run, tests = re.findall(r"\((\d+ to \d+) minutes on two cores", text["Makefile"])
    said = f"{run} minutes each" if run == tests else f"{run} and {tests} minutes"
    assert said in text["README.md"]
    assert f"`make test` takes {tests} minutes" in text["CONTRIBUTING.md"]


def test_every_choice_of_tests_finds_one():
    for path in GATES:
        assert not list(unmatched_words(path.read_text(encoding="utf-8")))


def test_every_target_that_is_called_is_there():
    text = (paths.ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z]+):", text))
    for path in GATES:
        commands = re.sub(r"(?m)^#.*", "", path.read_text(encoding="utf-8"))
        called = set(re.findall(r"(?:\bmake|\$\(MAKE\)) (?:--[\w-]+ )*([a-z]+)\b", commands))
        assert called <= targets, f"{path.name} calls {called - targets}"


@pytest.mark.parametrize("text, missing", [
    ("\t@$(BIN)/python -m pytest tests/embed/test_gone.py -q -k 200", "tests/embed/test_gone.py"),
    ("\t@$(BIN)/python -m pytest gone -n 2 -q", "gone"),
    ("python tests/gone.py x", "tests/gone.py"),
    ("  - run: bash .ci/gone", ".ci/gone"), ("hashFiles('data/gone.csv')", "data/gone.csv"),
    ("@cd benchmarks && for each in call.py \\\n  gone.py; do", "benchmarks/gone.py")])
def test_the_check_finds_what_is_not_there(text, missing):
    assert [name for name in named_files(text) if not (paths.ROOT / name).exists()] == [missing]


@pytest.mark.parametrize("text, words", [
    ("python -m pytest tests/embed -q -k 200_genes", []),
    ("python -m pytest tests/embed -q -k 300_genes", ["300_genes"]),
    ("python -m pytest tests/embed/test_words.py -q -k 200_genes", ["200_genes"]),
    ("python -m pytest tests/embed -n 2 \\\n  -k '200_genes and not gone'", ["gone"])])
def test_the_check_finds_a_choice_of_nothing(text, words):
    assert list(unmatched_words(text)) == words
