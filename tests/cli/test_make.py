"""The Makefile says what it means: no mirror, a wrong Python, the list of targets."""

import os
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
])
def test_the_mirror_of_a_sub_make_is_that_of_the_caller(tmp_path, environment, expected):
    (tmp_path / "shared" / "data").mkdir(parents=True)
    here = tmp_path / "book"
    here.mkdir()
    (here / "Probe").write_text(PROBE.format(makefile=paths.ROOT / "Makefile"))
    done = make(here, "-f", "Probe", "outer", **environment)
    assert f"mirror=[{expected.format(top=tmp_path, here=here)}]" in done.stdout


def test_another_python_is_said_before_pip_starts(tmp_path):
    done = make(paths.ROOT, "install", "PYTHON=false", f"VENV={tmp_path}/env")
    assert done.returncode and "Python 3.11, 3.12 or 3.13 is needed" in done.stdout
    assert not (tmp_path / "env").exists()


def test_help_lists_every_target():
    done = make(paths.ROOT, "help")
    text = (paths.ROOT / "Makefile").read_text(encoding="utf-8")
    targets = next(line for line in text.splitlines() if line.startswith(".PHONY"))
    for target in targets.split(":")[1].split():
        assert f"make {target}" in done.stdout, f"{target} has no line of help"
