"""How many broken lines the unit tests see: mutants of evaluate/, cells/ and genes/match.

    python benchmarks/mutants.py --sample 100 --seed 0

One place in the code is changed at a time (a comparison, a sign, a number, a condition, ``min``
for ``max``). Each mutant is a fork of one warm process that has collected the unit tests; there
the tests that run the changed line go one after the other, quick files first, until one fails.
Which tests run which lines is noted before, and kept in ``_build`` until the test file changes
(lines are counted within their function, so that other changes of the code do not matter).
Beyond :data:`MOST` seconds of tests a mutant counts as survived.

A mutant that survives is either a gap in the tests or changes nothing that anybody can see; which
of them is for a reader to say, so each is printed. Left alone are messages, the place that a
warning points at, what only spares scikit-learn its checks or its threads
(``mutator.COSTS``), defaults of parameters, constants of modules (block sizes and tolerances have
a name there) and compiled functions, which do not take other code. Not part of ``make test``: a
hundred mutants take 3 minutes, after some 10 in which the tests are looked at for the first time.
"""

import argparse
import ast
import collections
import hashlib
import importlib
import inspect
import os
import pickle
import random
import resource
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from mutator import Mutator, places, shown

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("genept_utils/evaluate/*.py", "genept_utils/cells/*.py", "genept_utils/genes/match.py")
TESTS = ("tests/evaluate", "tests/cells", "tests/genes")
NOT_MEANT = {"__init__", "simd"}  # simd makes machine code, once a process
MOST = 30  # seconds of tests a mutant
SLOWER = 5  # times as long as ever a test may take, and ten seconds more
WAIT = 10  # times as many seconds by the clock
MEMORY = 8 << 30  # bytes that a mutant may ask for


def functions(module):
    """The functions and methods of a module by qualified name, without what wraps them."""
    for thing in vars(module).values():
        for one in (vars(thing).values() if inspect.isclass(thing) else [thing]):
            wrapped = inspect.unwrap(getattr(one, "__func__", one)) if callable(one) else None
            if inspect.isfunction(wrapped) and wrapped.__module__ == module.__name__:
                yield wrapped.__qualname__, wrapped


def broken(path, tree):
    """Put the code of a changed tree into the functions of the module that is loaded."""
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    space = type(module)(module.__name__)
    space.__dict__.update(__file__=str(path), __package__=module.__package__)
    exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), space.__dict__)
    new = dict(functions(space))
    for name, function in functions(module):
        function.__code__ = new[name].__code__


def forked(work, limit):
    """(exit code, seconds) of work in a fork, quiet, with a limit of processor time, so that other
    work on the machine breaks nothing."""
    child = os.fork()
    if not child:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + limit) + 1,) * 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY,) * 2)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1), os.dup2(quiet, 2)
        code = 3
        try:
            code = work()
        finally:
            os._exit(code)
    waits = threading.Timer(WAIT * limit, os.killpg, (child, signal.SIGKILL))
    waits.start()
    _, status, used = os.wait4(child, 0)
    waits.cancel()
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime


def fails(session, tests):
    """Whether one of these tests (seconds, item) fails; none after it is run."""
    for (seconds, item), (_, following) in zip(tests, [*tests[1:], (0, None)]):
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        most = int(time.process_time() + SLOWER * seconds) + 10
        resource.setrlimit(resource.RLIMIT_CPU, (min(most, hard), hard))
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return 1
    return 0


def places_of(path):
    """line -> (file, function, line in the function), whatever stands before the function."""
    made, name = {}, str(path.relative_to(ROOT))
    for part in ast.parse(path.read_text()).body:
        for one in part.body if isinstance(part, ast.ClassDef) else [part]:
            if isinstance(one, ast.FunctionDef):
                label = one.name if one is part else f"{part.name}.{one.name}"
                made |= {line: (name, label, line - one.lineno)
                         for line in range(one.lineno, one.end_lineno + 1)}
    return made


def lines_of(session, items, files, kept):
    """Per test of one file that passes: seconds, and the places that it runs; to a file."""
    known, seen = {str(path): places_of(path) for path in files}, set()

    def trace(frame, event, _):
        if frame.f_code.co_filename not in known:
            return None
        seen.add(known[frame.f_code.co_filename].get(frame.f_lineno))
        return trace

    told, shared = {}, set()
    threading.settrace(trace)
    for item, following in zip(items, [*items[1:], None]):
        seen.clear()
        begun, failed = time.process_time(), session.testsfailed
        ready = item.setup

        def setup():
            ready()
            shared.update(seen)  # a fixture of the whole file serves the tests that follow too

        item.setup = setup
        sys.settrace(trace)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        sys.settrace(None)
        if session.testsfailed == failed:
            told[item.nodeid] = time.process_time() - begun, (seen | shared) - {None}
    kept.write_bytes(pickle.dumps(told))
    return 0


def mapped(session, files):
    """place -> [(seconds, test)], and the tests that fail unchanged, which do not count."""
    by_file = collections.defaultdict(list)
    for item in session.items:
        by_file[item.path].append(item)
    found, failing = collections.defaultdict(list), []
    (ROOT / "_build").mkdir(exist_ok=True)
    for path, items in by_file.items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        kept = ROOT / "_build" / f"mutants-{path.parent.name}-{path.stem}-{digest}.pickle"
        if not kept.is_file():
            forked(lambda: lines_of(session, items, files, kept), 900)
        told = pickle.loads(kept.read_bytes()) if kept.is_file() else {}
        failing += [item.nodeid for item in items if item.nodeid not in told]
        for item in items:
            seconds, run = told.get(item.nodeid, (0, ()))
            for place in run:
                found[place].append((seconds, item))
    return found, failing


def chosen_tests(found, path, lines):
    """The tests (seconds, item) that run one of these lines of a file, the quicker files first,
    in :data:`MOST` seconds."""
    known = places_of(path)
    tests = {item.nodeid: (seconds, item) for line in lines
             for seconds, item in found.get(known.get(line), ())}.values()
    whole = collections.Counter()
    for seconds, item in tests:
        whole[item.path] += seconds
    made, total = [], 0
    for seconds, item in sorted(tests, key=lambda one: (whole[one[1].path], str(one[1].path),
                                                        one[0])):
        total += seconds
        if total < MOST or not made:
            made.append((seconds, item))
    return made


class Mutants:
    """In place of pytest's loop over the tests: the loop over the mutants."""

    def __init__(self, options, files, chosen, every):
        self.options, self.files, self.chosen, self.every = options, files, chosen, every

    def pytest_runtestloop(self, session):
        begun = time.monotonic()
        found, failing = mapped(session, self.files)
        print(f"{len(session.items)} tests in {(time.monotonic() - begun) / 60:.1f} minutes; not "
              "counted, for they fail unchanged here:", *failing or ["none"], sep="\n  ", flush=True)
        killed, alive, begun = 0, [], time.monotonic()
        for number, (path, at) in enumerate(self.chosen, 1):
            if time.monotonic() - begun > 60 * self.options.minutes:
                break
            lines, said = shown(path, at)
            tests = chosen_tests(found, path, lines)

            def work():
                try:
                    broken(path, Mutator(at).visit(ast.parse(path.read_text())))
                except Exception:
                    return 4
                return fails(session, tests)

            code, seconds = forked(work, 3 * MOST) if tests else (0, 0)
            result = {0: "passed", 1: "failed", 4: "no code", -signal.SIGXCPU: "no end",
                      -signal.SIGKILL: "no end"}.get(code, "crashed")
            killed += code not in (0, 4)
            alive += [] if code else [said]
            print(f"{number:4} {result:7} {seconds:5.1f} s {len(tests):4} tests  {said}", flush=True)
        total = killed + len(alive)
        print(f"\n{killed} of {total} mutants were seen ({killed / max(total, 1):.0%}), drawn from "
              f"{len(self.every):,} places with seed {self.options.seed}, in "
              f"{(time.monotonic() - begun) / 60:.0f} minutes; not seen:", *alive, sep="\n  ")
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, default=100, help="mutants")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=25, help="no mutant begins after these")
    parser.add_argument("--only", default="", help="part of the names of the files")
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "book")]
    files = [path for pattern in SOURCES for path in sorted(ROOT.glob(pattern))
             if path.stem not in NOT_MEANT]
    every = [(path, at) for path in files if options.only in str(path) for at in range(places(path))]
    chosen = random.Random(options.seed).sample(every, min(options.sample, len(every)))
    from genept_utils import embed, genes

    for path in files:
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    import scanpy, sklearn.cluster, sklearn.linear_model, sklearn.neighbors, umap  # noqa: E401, F401

    genes.look_up(["TP53", "x_1"]), embed.read_embedding()
    return pytest.main(["-q", "-s", "-p", "no:xdist", "-p", "no:faulthandler", *TESTS],
                       plugins=[Mutants(options, files, chosen, every)])


if __name__ == "__main__":
    sys.exit(main())
