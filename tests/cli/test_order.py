"""Words and options in any order mean the same; what is not known is said, not passed over."""

import json
import os
import subprocess
import sys

from genept_utils import paths

SEEN = """
import genept_utils  # a clone puts its own book package first
from genept_book import run
def seen(names, assignments, grid, write, jobs, out, **others):
    print(json.dumps([names, assignments, out]))
    sys.exit()
run.run = seen
"""


def test_words_after_an_option_are_words(commands):
    orders = ["07 dataset=kang seed=2 --out X", "07 --out X dataset=kang seed=2",
              "--out X 07 dataset=kang seed=2", "07 dataset=kang --out X seed=2",
              "--jobs 1 07 dataset=kang --out=X seed=2", "07 --jobs 1 dataset=kang --out X seed=2"]
    for words, (_, out, err) in zip(orders, commands(
            *(["run", *words.split()] for words in orders), before=SEEN)):
        assert json.loads(out or "0") == [["07"], ["dataset=kang", "seed=2"], "X"], (words, err)


def test_what_is_not_known_is_said(commands):
    wrong = [("run", "07", "--bogus", "seed=1"), ("run", "07", "--out", "X", "-x"),
             ("data", "genes"), ("match", "list.txt", "other.txt"), ("check", "--strict"),
             ("cells", "a.h5ad", "b.h5ad", "--out", "c.zarr"), ("paper", ".", "--chek")]
    for words, (code, out, err) in zip(wrong, commands(*wrong)):
        assert code == 2 and not out
        last = err.splitlines()[-1]
        assert f"{words[0]} does not know " in last and f"{words[0]} --help" in last


def test_names_on_both_sides_of_an_option_and_a_parameter_after_one(commands, tmp_path):
    pages, wrong, prose = commands(["run", "02", "--parameters", "03"],
                                   ["run", "07", "--out", "X", "sede=1"],
                                   ["check", "02", "--prose", "none"])
    assert sum(line.startswith(("02-", "03-")) for line in pages[1].splitlines()) == 2
    assert wrong[0] == 2 and "did you mean 'seed'" in wrong[2]
    assert not (tmp_path / "X").exists()
    assert prose[0] == 2 and "no notebook is called 'none'" in prose[2]


def test_numbers_out_of_their_range_are_said(commands):
    embed = ["embed", "--model", "spelling", "--out", "x.h5ad"]
    wrong = [[*embed, "--dimensions", "0"], [*embed, "--requests-per-minute", "0"],
             [*embed, "--max-tokens", "-5"], [*embed, "--price", "nan"], [*embed, "--price", "-1"],
             ["cost", "--model", "spelling", "--tokens-per-minute", "0"],
             ["cells", "a.h5ad", "--out", "b.zarr", "--block", "0"],
             ["cells", "a.h5ad", "--out", "b.zarr", "--workers", "0"],
             ["run", "02", "--jobs", "0"], ["run", "02", "--timeout", "0"],
             ["run", "02", "--memory", "inf"], ["map", "--seed", "-1"]]
    for words, (code, out, err) in zip(wrong, commands(*wrong)):
        assert code == 2 and not out, words
        assert f"argument {words[-2]}: {words[-1]!r} is not a" in err.splitlines()[-1], words


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    words = [sys.executable, "-u", "-m", "genept_utils", "run", "--parameters"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "PYTHONPATH": str(paths.ROOT)}) as done:
        done.stdout.close()  # before the first line comes
        assert done.stderr.read() == b"" and done.wait() == 141


def test_what_is_not_installed_is_said_before_any_file_is_read(commands):
    wrong = [["cells", "a.h5ad", "--out", "b.zarr", "--workers", "2"],
             ["cells", "a.h5ad", "--out", "b.zarr", "--scheduler", "tcp://127.0.0.1:9"],
             ["run", "--grid", "a.yml"]]
    for words, (code, out, err) in zip(wrong, commands(
            *wrong, before="sys.modules['distributed'] = None")):
        assert code == 2 and not out, words
        assert err.startswith("error: distributed is not installed; `pip install"), (words, err)
