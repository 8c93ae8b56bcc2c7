"""The book's pages against those of an earlier commit: processor time and peak memory a page.

    python benchmarks/book.py --pages 02,06

Each page runs in a process of its own with one thread, the two books in turn, from copies of
both commits in an empty folder, with the packages of this environment. Each book has a cache of
its own, empty at first: in a common one the first would make what the second finds. A ratio of
two runs on one machine holds on others; seconds do not. Processor time is counted, not the
clock, so that other work on the machine disturbs less; a page is good to some 10 % all the same.
"""

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

BOOK = Path(__file__).resolve().parent.parent
SINCE = "b637da1"  # the last commit of the book that had twelve pages
EARLIER = {"11": None, "12": "11", "13": "12", "14": None}  # page -> its number in SINCE


def copy_of(commit, folder):
    """The tracked files of a commit in ``folder``."""
    packed = subprocess.run(["git", "-C", BOOK, "archive", commit], check=True,
                            stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def measured(command, **options):
    """Processor seconds of a command and of all that it waited for, and the most memory of one of
    its processes in MB; a command that fails is a CalledProcessError."""
    process = subprocess.Popen(command, **options)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kB elsewhere
    return used.ru_utime + used.ru_stime, used.ru_maxrss / unit


def page(book, number):
    """:func:`measured` of one page of the book in a folder."""
    source = next((book / "notebooks").glob(f"{number}-*.ipynb"))
    results = book / "data" / "results"
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                         "NUMBA_NUM_THREADS"), "1")
    return measured(
        [sys.executable, "-m", "papermill", source, book / "out.ipynb", "-k", "python3",
         "--no-progress-bar", "--cwd", book / "notebooks"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **one, "PYTHONPATH": f"{book}{os.pathsep}{book / 'book'}",
             "PYTHONHASHSEED": "0", "GENEPT_RESULTS": str(results),
             "GENEPT_CACHE": str(book / "cache"), "NUMBA_CACHE_DIR": str(book / "numba")})


def table(runs):
    """Lines of pages, least processor time and memory of each, and ratios; then their sums.

    Parameters
    ----------
    runs : dict of str to (list, list)
        Page -> (seconds, MB) of each run of this commit, and of the earlier one (empty where
        the page had no twin).
    """
    now = {number: [min(part) for part in zip(*new)] for number, (new, _) in runs.items()}
    then = {number: [min(part) for part in zip(*old)] for number, (_, old) in runs.items() if old}
    lines = ["page  seconds  earlier  ratio    MB  earlier  ratio"]
    for number, (seconds, memory) in now.items():
        line = f"{number:>4} {seconds:8.1f}"
        if number in then:
            s, m = then[number]
            line += f" {s:8.1f} {seconds / s:6.2f} {memory:5.0f} {m:8.0f} {memory / m:6.2f}"
        else:
            line += f" {'-':>8} {'-':>6} {memory:5.0f} {'-':>8} {'-':>6}"
        lines.append(line)
    before = sum(s for s, _ in then.values())
    if before:
        twins = sum(now[number][0] for number in then)
        lines += [f"{twins / before:.2f} of the earlier processor time for the same pages, "
                  f"{sum(s for s, _ in now.values()) / before:.2f} with those that are new"]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", help="numbers of today's pages, 02,06; all by default")
    parser.add_argument("--since", default=SINCE, help=f"the earlier commit ({SINCE})")
    parser.add_argument("--now", default="HEAD", help="this commit (HEAD)")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each page (1)")
    options = parser.parse_args()
    all_pages = sorted(path.name[:2] for path in (BOOK / "notebooks").glob("*.ipynb"))
    chosen = options.pages.split(",") if options.pages else all_pages
    with tempfile.TemporaryDirectory() as folder:
        new = copy_of(options.now, Path(folder) / "new")
        old = copy_of(options.since, Path(folder) / "old")
        runs = {}
        for number in chosen:
            twin = EARLIER.get(number, number)
            mine, theirs = runs.setdefault(number, ([], []))
            for _ in range(options.rounds):
                mine.append(page(new, number))
                if twin:
                    theirs.append(page(old, twin))
            print(time.strftime("%H:%M"), number, mine, theirs, file=sys.stderr, flush=True)
    print("\n".join(table(runs)))


if __name__ == "__main__":
    main()
