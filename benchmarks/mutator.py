"""One changed place in the code of a file: what a mutant is."""

import ast
import copy
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COSTS = {"stacklevel", "assume_finite", "skip_parameter_validation"}  # change no result
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
                with_what = "".join(map(ast.unparse, getattr(function, "decorator_list", ())))
                compiled = "jit" in with_what or "_compiled" in with_what
                if isinstance(function, ast.FunctionDef) and not compiled:
                    first = ast.get_docstring(function) is not None
                    function.body[first:] = map(self.visit, function.body[first:])
        return node

    def visit_Raise(self, node):
        return node

    visit_JoinedStr = visit_arguments = visit_Raise

    def visit_keyword(self, node):
        return node if node.arg in COSTS else self.generic_visit(node)

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
        if ast.unparse(node.func) in ("warnings.warn", "threadpool_limits"):
            return node
        self.generic_visit(node)
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in SWAPS and self.hit(node):
            setattr(node.func, "attr" if hasattr(node.func, "attr") else "id", SWAPS[name])
        return node


def places(path):
    """How many places of a file can be changed."""
    counter = Mutator()
    counter.visit(ast.parse(path.read_text()))
    return counter.count


def shown(path, at):
    """The lines of the statement of a place, and what it becomes."""
    tree = ast.parse(path.read_text())
    mutator = Mutator(at)
    changed = mutator.visit(copy.deepcopy(tree))
    before, after = ast.unparse(tree).splitlines(), ast.unparse(changed).splitlines()
    old, new = next((pair for pair in zip(before, after) if pair[0] != pair[1]), ("", ""))
    first = len(os.path.commonprefix([old, new]))
    said = " -> ".join(line[max(first - 25, 0):first + 25].strip() for line in (old, new))
    return statement(tree, mutator.line), f"{path.relative_to(ROOT)}:{mutator.line}: {said}"


def statement(tree, line):
    """The lines of the innermost statement around a line: one of them is seen when it runs."""
    around = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)
              and node.lineno <= line <= node.end_lineno]
    inner = min(around, key=lambda node: node.end_lineno - node.lineno)
    return range(inner.lineno, inner.end_lineno + 1)
