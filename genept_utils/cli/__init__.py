"""Command line: ``python -m genept_utils COMMAND``; ``--help`` lists the commands."""

import argparse
import os
import sys

from genept_utils import paths
from genept_utils.cli import book, cells, data, match, text
from genept_utils.cli.options import as_options
from genept_book import start


def main(arguments=None):
    """Parse the command line, run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):  # what a console cannot show is replaced
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(prog="python -m genept_utils", description=(
        "Fetch the book's data, run its notebooks, embed gene texts and cells."))
    commands = parser.add_subparsers(dest="command", required=True)
    for module in (data, book, text, match, cells):
        module.register(commands)
    options, left = parser.parse_known_args(arguments)
    _take(left, options, parser)
    start.quickly()
    try:
        paths.resolve_env()
        code = options.function(options) or 0
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, KeyError, OSError, ImportError) as error:
        said = str(error.args[0] if isinstance(error, KeyError) else error)
        print(f"error: {as_options(said) if hasattr(options, 'layer') else said}", file=sys.stderr)
        return 2


def _take(left, options, parser):
    """Words of a command that takes any number of them, also those after an option, which
    argparse leaves over."""
    free = next((name for name in ("words", "names") if hasattr(options, name)), None)
    strange = [word for word in left if free is None or word.startswith("-")]
    if strange:
        parser.error(f"{options.command} does not know {' '.join(strange)}; "
                     f"`python -m genept_utils {options.command} --help` lists what it takes")
    if left:
        setattr(options, free, [*getattr(options, free), *left])
