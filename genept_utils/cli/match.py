"""The command ``match`` of ``python -m genept_utils``."""

import contextlib
import gzip
from pathlib import Path

from genept_utils import genes, paths, sources
from genept_utils.cli.options import add_command, add_reading, writable

FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last ones are wide
SHOWN = 20  # ambiguous or missing names that are printed
_HDF5 = b"\x89HDF\r\n\x1a\n"


def register(commands):
    """Add the command to the subparsers of the command line."""
    add = add_command(commands, "match", match, "find the genes of a list of names").add_argument
    add("file", metavar="FILE", help="cells such as .h5ad, or a text or table file, also packed")
    add_reading(add, values=False)
    add("--table", "--genome", metavar="NAME", help="modality, table or genome of a file")
    add("--out", metavar="FILE.csv", help="write one row per name")


def match(options):
    """Look up names (symbols, previous symbols, aliases, Ensembl, Entrez, HGNC ids) and say which
    are ambiguous and which are missing."""
    genes.species_name(options.species)  # a wrong one is said before a large file is read
    out = writable(options.out) if options.out else None
    report = _report(Path(options.file).expanduser(), options)
    if out:  # before anything is printed: a console may not show all names
        with sources.replacing(out) as part:
            report.table.map(_as_text).to_csv(part, index=False)
    print(report)
    for title, names in (
            ("Ambiguous", [f"{name} ({candidates.replace('|', ', ')})" for name, candidates in
                           report.ambiguous.itertuples(index=False)]),
            ("No ortholog", report.unpaired), ("Missing", report.missing)):
        if names:
            more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
            print(f"{title}: {', '.join(names[:SHOWN])}{more}")
    if out:
        print(f"one row per name is in {out}")
    return 0


def _report(path, options):
    path, table = paths.split_table(path, options.table)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if path.is_dir() or _is_hdf5(path) or ".mtx" in path.suffixes:
        from genept_utils.datasets.formats import read_cells  # with anndata it takes a second

        adata = read_cells(path, options.layer, options.raw, table=table)
        return genes.of_cells(adata, species=options.species)
    return genes.of_file(path, options.species)


def _as_text(cell):
    """A cell that a spreadsheet shows and does not compute: ``=``, ``+``, ``-``, ``@`` at its
    beginning make a formula there, so an apostrophe goes before them."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip()[:1] in FORMULA else cell


def _is_hdf5(path):
    with contextlib.suppress(OSError, EOFError):  # a broken one is named where it is read
        with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
            return file.read(len(_HDF5)) == _HDF5
