"""The commands ``run`` and ``check``."""

import os
import sys
from pathlib import Path

from genept_utils import optional
from genept_utils.cli.numbers import at_least


def register(commands):
    """Add both commands to the subparsers of the command line."""
    _add_run(commands)
    _add_check(commands)


def _add_run(commands):
    parser = commands.add_parser("run", help="execute notebooks strictly", description=(
        "Execute notebooks with checked parameters. NAME is a notebook or its number, "
        "PARAMETER=VALUE sets a parameter: `run 07 dataset=cells.h5ad label=cell_type`."))
    parser.add_argument("words", nargs="*", metavar="NAME | PARAMETER=VALUE")
    parser.add_argument("--grid", action="append", default=[],
                        metavar="PARAMETER=VALUE,VALUE | FILE.yml",
                        help="run every combination; may be given more than once. Of a file with "
                        "`notebooks` and `parameters` only what is not there yet")
    parser.add_argument("--scheduler", metavar="ADDRESS",
                        help="run the jobs of a grid file on this Dask scheduler")
    parser.add_argument("--write", action="store_true",
                        help="put the outputs of complete default runs into notebooks/ and "
                        "data/results/")
    parser.add_argument("--strict", action="store_true",
                        help="fail also where a source is missing or a result has moved")
    parser.add_argument("--jobs", type=at_least(1),
                        help="notebooks side by side (default: up to 2)")
    parser.add_argument("--out", help="folder of the executed notebooks and their results")
    parser.add_argument("--timeout", type=at_least(0.001, float), metavar="MINUTES",
                        help="minutes that one cell may take (default: no limit)")
    parser.add_argument("--memory", type=at_least(1, float), metavar="MB",
                        help="memory that one notebook may take (default: no limit)")
    parser.add_argument("--parameters", action="store_true",
                        help="only list the parameters of the notebooks")
    parser.set_defaults(function=run_notebooks)


def run_notebooks(options):
    """Run notebooks, print the summary table, return 1 on any failure."""
    optional.need("papermill", "nbformat", "psutil", "scanpy")
    from genept_book import publish, run

    assignments = [word for word in options.words if "=" in word]
    names = [word for word in options.words if "=" not in word]
    if options.parameters:
        return _list_parameters(names)
    if any(grid.endswith((".yml", ".yaml")) for grid in options.grid):
        return _run_grid_file(options)
    if options.scheduler:
        raise ValueError("--scheduler goes with a grid file: --grid FILE.yml")
    entries = run.run(names, assignments, options.grid, options.write, options.jobs, options.out,
                      timeout=options.timeout, memory=options.memory)
    print(f"\n{publish.summary_table(entries)}\n")
    made = [Path(entry["path"]).parents[1] for entry in entries
            if entry["status"] in ("executed", "partial")]
    if made:
        print(f"executed notebooks and their results are in {os.path.commonpath(made)}")
    bad = [entry for entry in entries if entry["status"] == "failed"]
    for entry in bad:
        print(f"{entry['notebook']} failed in {entry['error']}\n  what it printed is kept in "
              f"{entry['path']}", file=sys.stderr)
    incomplete = [entry for entry in entries if entry["status"] in ("kept", "partial")]
    for entry in incomplete:
        shown = {"kept": "keeps its committed outputs", "partial": "was run without"}
        print(f"{entry['notebook']} {shown[entry['status']]}: {_listed(entry['missing'])}")
    if incomplete:
        print("`python -m genept_utils data --fetch KEY` says why a source could not be had.")
    moved = 0
    if options.strict and not (assignments or options.grid or options.out):
        table = publish.changed_results()
        moved = len(table)
        if moved:
            print(f"results that differ from the committed ones:\n{table.to_string()}",
                  file=sys.stderr)
    return int(bool(bad) or (options.strict and bool(incomplete or moved)))


def _run_grid_file(options):
    optional.need("distributed", "dask")
    from genept_book import grid

    if len(options.grid) > 1 or options.words or options.write or options.strict:
        raise ValueError("a grid file says what is run: leave out names, PARAMETER=VALUE, further "
                         "--grid, --write and --strict")
    table = grid.run_grid(options.grid[0], options.out, options.jobs, options.scheduler)
    shown = table.drop(columns=["error", "folder"]).rename(
        columns={"again": "run now", "peak_mb": "peak MB"})
    print(f"\n{shown.to_string(index=False)}\n")
    bad = table[table["status"] == "failed"]
    for row in bad.itertuples():
        print(f"{row.notebook} failed in {row.error}\n  see {row.folder}", file=sys.stderr)
    return int(len(bad) > 0)


def _listed(keys, shown=2):
    more = f" and {len(keys) - shown} more" if len(keys) > shown else ""
    return ", ".join(keys[:shown]) + more


def _list_parameters(names):
    import nbformat

    from genept_book import notebooks

    for path in notebooks.notebooks(names):
        print(path.stem)
        for name, (kind, value, said) in notebooks.parameters(
                nbformat.read(path, as_version=4)).items():
            print(f"  {name}: {kind} = {value!r}" + (f"  # {said}" if said else ""))
    return 0


def _add_check(commands):
    parser = commands.add_parser("check", help="fail where a page is stale", description=(
        "Compare each committed notebook's stamp with the present code, module and inputs."))
    parser.add_argument("names", nargs="*", metavar="NAME")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--prose", action="store_true", help=(
        "instead name the numbers in the text of pages that their outputs, results, settings and "
        "the published numbers do not hold"))
    other.add_argument("--claims", action="store_true", help=(
        "instead name the sentences whose verdict is not the recorded one, and those that "
        "compare and are bound to no claim"))
    parser.set_defaults(function=check)


def check(options):
    """Print stale pages, numbers that are nowhere or comparisons that do not hold; return 1 if there
    are any."""
    optional.need("nbformat")
    from genept_book import bindings, prose, stamp

    if options.claims:
        good = "every sentence that compares says what was recorded"
        faults = [f"{row.page}: {row.fault}: {row.sentence}"
                  for row in bindings.check().itertuples()
                  if not options.names or row.page.startswith(tuple(options.names))]
    elif options.prose:
        good = "every number in prose is found"
        faults = [f"{row.page}: {row.number} is in no output and no result: {row.sentence}"
                  for row in prose.check(options.names).itertuples()]
    else:
        good, faults = "every page is fresh", stamp.check(options.names)
    print("\n".join(faults) if faults else good)
    return int(bool(faults))
