"""What the commands of the book do: ``run``, ``score``, ``check``, ``map`` and ``address``."""

import os
import sys
from pathlib import Path

from genept_utils import optional, paths


def run_notebooks(options):
    """Run notebooks, print the summary table, return 1 on any failure."""
    optional.need("papermill", "nbformat", "jinja2", "psutil", "scanpy")
    from genept_book import publish, run

    assignments = [word for word in options.words if "=" in word]
    names = [word for word in options.words if "=" not in word]
    if options.parameters:
        return _list_parameters(names)
    if any(grid.endswith((".yml", ".yaml")) for grid in options.grid):
        if len(options.grid) > 1 or options.words or options.write or options.strict:
            raise ValueError("a grid file says what is run: leave out names, PARAMETER=VALUE, "
                             "further --grid, --write and --strict")
        optional.need("distributed", "dask")
        from genept_book import grid

        entries = grid.run_grid(options.grid[0], options.out, options.jobs, options.scheduler)
    elif options.scheduler:
        raise ValueError("--scheduler goes with a grid file: --grid FILE.yml")
    else:
        entries = run.run(names, assignments, options.grid, options.write, options.jobs,
                          options.out, timeout=options.timeout, memory=options.memory)
    print(f"\n{publish.summary_table(entries)}\n")
    by = {status: [entry for entry in entries if entry["status"] == status]
          for status in ("executed", "partial", "kept", "failed")}
    if made := [Path(entry["path"]).parents[1] for entry in by["executed"] + by["partial"]]:
        print(f"executed notebooks and their results are in {os.path.commonpath(made)}")
    for entry in by["failed"]:
        print(f"{entry['notebook']} failed in {entry['error']}\n  what it printed is kept in "
              f"{entry['path']}", file=sys.stderr)
    for status, said in {"kept": "keeps its committed outputs",
                         "partial": "was run without"}.items():
        for entry in by[status]:
            keys = entry["missing"]
            more = f" and {len(keys) - 2} more" if len(keys) > 2 else ""
            print(f"{entry['notebook']} {said}: {', '.join(keys[:2])}{more}")
    if incomplete := by["kept"] + by["partial"]:
        print("`python -m genept_utils data --fetch KEY` says why a source could not be had.")
    moved = ()
    if options.strict and not (assignments or options.grid or options.out):
        moved = publish.changed_results()
        if len(moved):
            print(f"results that differ from the committed ones:\n{moved.to_string()}",
                  file=sys.stderr)
    return int(bool(by["failed"]) or options.strict and bool(incomplete or len(moved)))


def _list_parameters(names):
    from genept_book import notebooks

    for path in notebooks.notebooks(names):
        print(path.stem)
        for name, (kind, value, said) in notebooks.parameters(notebooks.read(path)).items():
            print(f"  {name}: {kind} = {value!r}" + (f"  # {said}" if said else ""))
    return 0


def score(options):
    """Score gene vectors, write HTML and JSON, and say where they are."""
    optional.need("nbformat", "jinja2", "scanpy")
    import re

    from genept_book import score as scoring, score_page

    if options.out:  # refused before anything is computed
        paths.check_writable(Path(options.out).expanduser().absolute().parent)
    tasks = options.tasks.split(",") if options.tasks else None
    scores, differences = scoring.score(
        options.vectors, tasks, options.name, options.jobs or min(2, os.cpu_count() or 1))
    plain = re.sub(r"[^\w.-]+", "-", scores.attrs["name"])
    out = Path(options.out or f"{plain}-gene-tasks").expanduser()
    for path in score_page.write(scores, differences, out):
        print(path)


def check(options):
    """Print stale pages, numbers that are nowhere or comparisons that do not hold; 1 if any."""
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


def gene_map(options):
    """Compute the places of the gene map again and write ``data/gene-map.csv.gz``."""
    from genept_book.notebooks import need_clone
    from genept_utils.chapters import gene_functions
    from genept_utils.embed import read_embedding

    need_clone("the map is made in a clone of the book")
    print("== UMAP of the shipped vectors (some minutes on one core)")
    table = gene_functions.map_places(read_embedding(), options.seed)
    gene_functions.write_map(table, paths.EMBEDDINGS / "minilm.h5ad")
    print(f"{gene_functions.PLACES}: {len(table):,} genes")


def address(options):
    """Print the address of ``_config.yml``, or write another one into all that is made from it."""
    from genept_book import address as repository
    from genept_book.notebooks import need_clone

    need_clone("the address stands in a clone of the book")
    for path in repository.move(options.url) if options.url else ():
        print(path.relative_to(paths.ROOT))
    print(repository.address())
