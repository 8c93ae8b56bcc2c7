"""The page on reliability: its tests are there, and its figures are those of a soak."""

import ast
import collections
import json

import pytest
import soak

from genept_utils import paths

KEPT = json.loads(soak.OUT.read_text())


def test_the_page_names_tests():
    assert len(soak.named()) > 40


@pytest.mark.parametrize("file", sorted({file for file, _ in soak.named()}))
def test_every_test_that_the_page_names_is_there_and_counted(file):
    tree = ast.parse((paths.ROOT / file).read_text(encoding="utf-8"))
    there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name in (name for where, name in soak.named() if where == file):
        assert name in there, f"{file} has no {name}"
        assert KEPT["cases"][file][name] >= 1, "python tests/faults/soak.py --cases"


def test_the_counted_cases_are_those_of_today(request):
    """Of the files that this run collected whole."""
    asked = request.config.option
    if asked.keyword or asked.markexpr or asked.deselect or getattr(asked, "lf", False) or any(
            "::" in word for word in request.config.args):
        pytest.skip("a part of the tests was chosen")
    now = collections.Counter((item.path.relative_to(paths.ROOT).as_posix(), item.originalname)
                              for item in request.session.items)
    files = {file for file, _ in now}
    for file, name in soak.named():
        assert file not in files or KEPT["cases"][file][name] == now[file, name], (
            f"{name}: python tests/faults/soak.py --cases")


def test_the_kept_soak_is_whole_and_found_nothing_wrong():
    texts, kills = KEPT["texts"], [KEPT["writers"], KEPT["downloads"]]
    assert texts["texts"] == texts["texts_billed"] == 20_000
    assert texts["faults"] >= texts["requests"] / 12 and texts["kinds_of_faults"] == len(
        soak.FAULTS)
    assert texts["vectors_wrong"] == texts["texts_billed_twice"] == 0
    assert sum(one["kills"] for one in kills) == 200
    assert all(one["files_lost"] == one["files_wrong"] == 0 for one in kills)
    assert all(one["most_files_left_behind"] <= 1 for one in kills)


def test_a_small_soak_counts_what_it_says(tmp_path, monkeypatch):
    """The writers alone, with the guard and without it: the soak sees what is lost."""
    import numpy as np

    random = np.random.default_rng(0)
    (tmp_path / "a").mkdir()
    said = soak.killed_writers(5, tmp_path / "a", random)
    assert said["files_lost"] == said["files_wrong"] == 0 and said["kills"] == 5

    def in_place(path, number):
        with open(path, "wb") as file:
            while True:
                file.write(b"half")
                file.flush()

    monkeypatch.setattr(soak, "_write_on", in_place)
    (tmp_path / "b").mkdir()
    assert soak.killed_writers(5, tmp_path / "b", random)["files_wrong"] >= 1
