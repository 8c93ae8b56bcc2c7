"""The benchmark of whole pages: its sums, and that work of children is counted."""

import importlib.util
import subprocess
import sys

import pytest

from genept_utils import paths

spec = importlib.util.spec_from_file_location("book_benchmark",
                                              paths.ROOT / "benchmarks" / "book.py")
book = importlib.util.module_from_spec(spec)
spec.loader.exec_module(book)


def test_ratios_are_of_the_least_of_each_page_and_sums_keep_new_pages_apart():
    said = book.table({"02": ([(30, 900), (40, 800)], [(60, 1000), (50, 1100)]),
                       "06": ([(20, 500)], [(50, 400)]),
                       "11": ([(25, 300)], [])})
    assert [line.split() for line in said[1:4]] == [
        ["02", "30.0", "50.0", "0.60", "800", "1000", "0.80"],
        ["06", "20.0", "50.0", "0.40", "500", "400", "1.25"],
        ["11", "25.0", "-", "-", "300", "-", "-"]]
    assert said[4] == ("0.50 of the earlier processor time for the same pages, "
                       "0.75 with those that are new")


WORK = "import time\nwhile time.process_time() < .5: pass\nx = bytearray(100_000_000)"


@pytest.mark.parametrize("code", [
    WORK, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WORK!r}])"])
def test_time_and_memory_are_those_of_the_command_and_its_children(code):
    seconds, memory = book.measured([sys.executable, "-c", code])
    assert seconds >= .5 and memory >= 100


def test_a_page_that_fails_is_no_measurement():
    with pytest.raises(subprocess.CalledProcessError):
        book.measured([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_page_is_set_beside_the_one_that_had_its_subject():
    """Scale was 12 and the synthesis 11 before chapter 11 came between."""
    assert [book.EARLIER.get(n, n) for n in ("02", "11", "12", "13", "14")] == [
        "02", None, "11", "12", None]


def test_each_book_makes_its_own_vectors(monkeypatch, tmp_path):
    """In a common cache the second book would find what the first had made."""
    monkeypatch.setenv("GENEPT_CACHE", str(tmp_path / "common"))
    monkeypatch.setattr(book, "measured", lambda command, env, **options: env["GENEPT_CACHE"])
    for name in ("new", "old"):
        (tmp_path / name / "notebooks").mkdir(parents=True)
        (tmp_path / name / "notebooks" / "02-x.ipynb").touch()
        assert book.page(tmp_path / name, "02") == str(tmp_path / name / "cache")
