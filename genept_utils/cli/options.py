"""Numbers and files on the command line, and what a sentence advises, as it is written there."""

import argparse
import contextlib
import math
import re
import shlex
from pathlib import Path

from genept_utils import paths

_OWN = r"(?<![(,] )(?<!\()"  # not within a line of code
_WORDS = [(r'layer="([^"]+)"', lambda found: f"--layer {shlex.quote(found[1])}"),
          (r"\braw=True", "--raw"), (r'values="(raw|log)"', r"--values \1"),
          (r"\bvalues=(?= |$)", "--values"), (r"\bspecies=(?= )", "--species")]


def as_options(said):
    """A sentence with ``layer="counts"``, ``raw=True``, ``values="raw"``, which are arguments in
    Python and of ``run``, as the options of the commands ``cells`` and ``match``."""
    for pattern, option in _WORDS:
        said = re.sub(_OWN + pattern, option, said)
    return said


def add_command(commands, name, function, summary, description=None):
    """Add a command that a function does, described by its docstring; its parser is given back."""
    parser = commands.add_parser(name, help=summary, description=description or function.__doc__)
    parser.set_defaults(function=function)
    return parser


def at_least(least, kind=int):
    """A type for argparse: a finite number of a kind, not below ``least``."""
    def read(written):
        with contextlib.suppress(ValueError):
            if least <= (value := kind(written)) < math.inf:
                return value
        what = "a whole number" if kind is int else "a number"
        raise argparse.ArgumentTypeError(f"{written!r} is not {what} of at least {least}")
    return read


def add_reading(add, values=True):
    """Add the options that say how a file of cells is read; :func:`reading` gives them."""
    add("--species", metavar="NAME", help="mouse, ..., or a taxon id: find the human orthologs")
    add("--layer", metavar="NAME", help="take the values from this layer")
    add("--raw", action="store_true", help="take values and genes from raw")
    if values:
        add("--values", choices=("raw", "log"), help="what the values are")


def reading(options):
    """The options of :func:`add_reading` as arguments by name."""
    return {name: getattr(options, name) for name in ("species", "layer", "raw", "values")}


def writable(out):
    """The path of a file that can be written; ValueError where it is a folder."""
    path = Path(out).expanduser()
    if path.is_dir():
        raise ValueError(f"--out {out} is a folder; name a file in it")
    paths.check_writable(path.parent)
    return path
