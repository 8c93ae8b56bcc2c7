"""How many broken lines the unit tests see: mutants of evaluate/, cells/ and genes/match.

    python benchmarks/mutants.py --sample 100 --seed 0

One place in the code is changed at a time (a comparison, a sign, a number, a condition, ``min``
for ``max``), and the tests that name a function of its file run until one fails. Functions are
changed in a fork of one warm process, so that a mutant costs only its tests. A mutant that
survives is either a gap in the tests or changes nothing that anybody can see; which of them is
for a reader to say, so each is printed. Not part of ``make test``: it takes about 25 minutes.
"""

import argparse
import ast
import copy
import importlib
import inspect
import os
import random
import re
import resource
import signal
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("genept_utils/evaluate/*.py", "genept_utils/cells/*.py", "genept_utils/genes/match.py")
NOT_MEANT = {"__init__", "simd"}  # simd makes machine code, once a process
MOST = 3
LONGEST = 300  # seconds of processor time
WAIT = 10  # times as many by the clock
SLOW = {"test_coverage": ("intervals", "roc", "compare")}  # simulations
SWAPS = {"min": "max", "any": "all", "minimum": "maximum", "argmin": "argmax", "mean": "sum",
         "ones": "zeros", "vstack": "hstack", "argsort": "sort", "intersection": "union"}
SWAPS |= {new: old for old, new in SWAPS.items()}
OPERATORS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
             ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot,
             ast.IsNot: ast.Is, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div,
             ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
             ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.MatMult: ast.MatMult}


class Mutator(ast.NodeTransformer):
    """Change the place with number ``at`` within functions; words of messages are left alone."""

    def __init__(self, at=-1):
        self.at, self.count, self.line = at, 0, None

    def hit(self, node):
        self.count += 1
        if self.count - 1 == self.at:
            self.line = node.lineno
        return self.count - 1 == self.at

    def visit_Module(self, node):
        for part in node.body:
            for function in part.body if isinstance(part, ast.ClassDef) else [part]:
                # compiled functions do not take other code
                compiled = "jit" in "".join(map(ast.unparse, getattr(function, "decorator_list", ())))
                if isinstance(function, ast.FunctionDef) and not compiled:
                    first = ast.get_docstring(function) is not None
                    function.body[first:] = map(self.visit, function.body[first:])
        return node

    def visit_Raise(self, node):
        return node

    visit_JoinedStr = visit_arguments = visit_Raise

    def visit_If(self, node):
        self.generic_visit(node)
        if self.hit(node.test):
            node.test = ast.UnaryOp(ast.Not(), node.test)
        return node

    def visit_Compare(self, node):
        self.generic_visit(node)
        if self.hit(node):
            node.ops[0] = OPERATORS[type(node.ops[0])]()
        return node

    def operator(self, node):
        self.generic_visit(node)
        if OPERATORS.get(type(node.op), type(node.op)) is not type(node.op) and self.hit(node):
            node.op = OPERATORS[type(node.op)]()
        return node

    visit_BinOp = visit_BoolOp = visit_AugAssign = operator

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        return node.operand if isinstance(node.op, (ast.Not, ast.Invert)) and self.hit(node) else node

    def visit_Constant(self, node):
        if isinstance(node.value, (bool, int, float)) and self.hit(node):
            value = node.value
            return ast.Constant(not value if isinstance(value, bool) else
                                value + 1 if isinstance(value, int) else 2 * value or 1.0)
        return node

    def visit_Call(self, node):
        if ast.unparse(node.func) == "warnings.warn":
            return node
        self.generic_visit(node)
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in SWAPS and self.hit(node):
            setattr(node.func, "attr" if hasattr(node.func, "attr") else "id", SWAPS[name])
        return node


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


def fitting(path):
    """The test files beside a source file that name its functions most often, MOST of them."""
    names = re.findall(r"(?m)^def (\w+)", path.read_text())
    tests = sorted((ROOT / "tests" / path.parent.name).glob("test_*.py"))
    word = re.compile(rf"\b(?:{path.stem}|{'|'.join(names)})\b")
    named = {str(test): len(word.findall(test.read_text())) for test in tests
             if test.stem not in SLOW or path.stem in SLOW[test.stem]}
    return sorted(filter(named.get, named), key=named.get, reverse=True)[:MOST] or list(named)


def tested(path, tests, at=None, limit=600):
    """("passed" | "failed" | "no end", seconds) of the tests in a fork, with place ``at`` broken.

    Seconds and their limit are of processor time, so that other work on the machine breaks nothing.
    """
    child = os.fork()
    if not child:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + limit) + 1,) * 2)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1), os.dup2(quiet, 2)
        if at is not None:
            broken(path, Mutator(at).visit(ast.parse(path.read_text())))
        import pytest

        os._exit(int(pytest.main(["-x", "-q", "-p", "no:xdist", "-p", "no:faulthandler", *tests])))
    waits = threading.Timer(WAIT * limit, os.killpg, (child, signal.SIGKILL))
    waits.start()
    _, status, used = os.wait4(child, 0)
    waits.cancel()
    code = os.waitstatus_to_exitcode(status)
    result = {0: "passed", -signal.SIGXCPU: "no end", -signal.SIGKILL: "no end"}.get(code, "failed")
    return result, used.ru_utime + used.ru_stime


def places(path):
    """How many places of a file can be changed."""
    counter = Mutator()
    counter.visit(ast.parse(path.read_text()))
    return counter.count


def shown(path, at):
    """The line of a place, and what it becomes."""
    tree = ast.parse(path.read_text())
    mutator = Mutator(at)
    changed = mutator.visit(copy.deepcopy(tree))
    before, after = ast.unparse(tree).splitlines(), ast.unparse(changed).splitlines()
    old, new = next((pair for pair in zip(before, after) if pair[0] != pair[1]), ("", ""))
    first = len(os.path.commonprefix([old, new]))
    said = " -> ".join(line[max(first - 25, 0):first + 25].strip() for line in (old, new))
    return f"{path.relative_to(ROOT)}:{mutator.line}: {said}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, default=100, help="mutants")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=25, help="no mutant begins after these")
    parser.add_argument("--only", default="", help="part of the names of the files")
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "book")]
    every = [(path, at) for pattern in SOURCES for path in sorted(ROOT.glob(pattern))
             if path.stem not in NOT_MEANT and options.only in str(path)
             for at in range(places(path))]
    chosen = random.Random(options.seed).sample(every, min(options.sample, len(every)))
    from genept_utils import embed, genes

    for path in {path for path, _ in every}:
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    import scanpy, sklearn.cluster, sklearn.linear_model, sklearn.neighbors, umap  # noqa: E401, F401

    genes.look_up(["TP53", "x_1"]), embed.read_embedding()
    killed, alive, begun, whole = 0, [], time.monotonic(), {}
    left_out = set()
    for number, (path, at) in enumerate(chosen, 1):
        if path in left_out:
            continue
        if time.monotonic() - begun > 60 * options.minutes:
            break
        tests = fitting(path)
        result, seconds = tested(path, tests, at, 3 * whole.get(path, LONGEST / 3))
        if result == "passed":
            whole[path] = max(whole.get(path, 0), seconds)
        elif path not in whole:  # do they pass unchanged?
            unchanged, whole[path] = tested(path, tests)
            if unchanged != "passed":
                left_out.add(path)
        if path in left_out:
            continue
        killed += result != "passed"
        if result == "passed":
            alive.append(shown(path, at))
        print(f"{number:4} {result:7} {seconds:5.1f} s  {shown(path, at)}", flush=True)
    total = killed + len(alive)
    print(f"\n{killed} of {total} mutants were seen ({killed / max(total, 1):.0%}), drawn from "
          f"{len(every):,} places with seed {options.seed}, in "
          f"{(time.monotonic() - begun) / 60:.0f} minutes; not seen:", *alive, sep="\n  ")
    for path in left_out:
        print(f"not counted, its tests fail unchanged here: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
