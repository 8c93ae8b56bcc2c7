"""The commands of the book: ``run``, ``score``, ``check``, ``map``, ``address`` and ``paper``, done
by ``genept_book``."""

import importlib

from genept_utils.cli.options import add_command, at_least


def register(commands):
    """Add the commands to the subparsers of the command line."""
    for add in (_run, _paper, _score, _check):
        add(commands)
    add_command(commands, "map", _command("gene_map"),
                "place all genes of the shipped vectors by UMAP").add_argument(
        "--seed", type=at_least(0), default=0, help="seed of the layout")
    add_command(commands, "address", _command("address"),
                "the repository's address, or another one").add_argument(
        "url", nargs="?", help="write this one everywhere, for a fork")


def _score(commands):
    """Score gene vectors on the gene-level tasks of the book, beside its fixed controls and, on gene
    sets, 38 published embeddings, and write a page and a table. What is done is kept in the cache: a
    stopped command goes on. Controls are scored once; later vectors of the same genes take minutes.
    """
    add = add_command(commands, "score", _command("score"),
                      "score gene vectors on the book's gene tasks", _score.__doc__).add_argument
    add("vectors", metavar="VECTORS", help="a file of vectors, or a name such as minilm")
    add("--tasks", metavar="TASK,TASK", help="these alone; a wrong one lists them")
    add("--jobs", type=at_least(1), help="tasks side by side (default: up to 2)")
    add("--name", help="what to call the vectors (default: the file's name)")
    add("--out", metavar="STEM", help="of STEM.html and STEM.json (default: NAME-gene-tasks here)")


def _check(commands):
    """Compare each committed notebook's stamp with the present code, module and inputs."""
    parser = add_command(commands, "check", _command("check"), "fail where a page is stale",
                         _check.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--prose", action="store_true",
                       help="instead name the numbers in the text that stand nowhere else")
    other.add_argument("--claims", action="store_true",
                       help="instead name the sentences that compare without their claim's verdict")


def _command(name, file="commands"):
    """A function of a file of ``genept_book``, imported when it is called."""
    return lambda options: getattr(importlib.import_module(f"genept_book.{file}"), name)(options)


def _run(commands):
    """Execute notebooks with checked parameters. NAME is a notebook or its number, PARAMETER=VALUE
    sets a parameter: `run 07 dataset=cells.h5ad label=cell_type`."""
    add = add_command(commands, "run", _command("run_notebooks"), "execute notebooks strictly",
                      _run.__doc__).add_argument
    add("words", nargs="*", metavar="NAME | PARAMETER=VALUE")
    add("--grid", action="append", default=[], metavar="PARAMETER=VALUE,VALUE | FILE.yml",
        help="run every combination (of a file, what is not there yet); may be given again")
    add("--scheduler", metavar="ADDRESS", help="run the jobs of a grid file on this Dask scheduler")
    add("--write", action="store_true", help="commit the outputs and results of default runs")
    add("--strict", action="store_true", help="fail where a source is missing or a result moved")
    add("--jobs", type=at_least(1), help="notebooks side by side (default: up to 2)")
    add("--out", help="folder of the executed notebooks and their results")
    add("--timeout", type=at_least(0.001, float), metavar="MINUTES", help="limit of one cell")
    add("--memory", type=at_least(1, float), metavar="MB", help="limit of one notebook")
    add("--parameters", action="store_true", help="only list the parameters of the notebooks")


def _paper(commands):
    """Fetch the data sets of the paper that are not in data/paper yet, check each file against what
    is known of it, run the chapters that stand for the paper's tables on it, and keep the results
    for the ledger. With a FOLDER, its files are taken and nothing is fetched but what --only names.
    A column under another name is given as `aorta.label=COLUMN`; PARAMETER=VALUE goes to the
    chapters. A fetch that was stopped goes on."""
    add = add_command(commands, "paper", _command("paper", "paper_run"),
                      "run the chapters on the paper's own cells", _paper.__doc__).add_argument
    add("words", nargs="*", metavar="FOLDER | SET.ROLE=COLUMN | PARAMETER=VALUE")
    add("--only", metavar="SET,SET", help="these sets, such as pancreas,ms")
    add("--check", nargs="*", metavar="WORD", help="only check the files (and fetch --only's)")
    add("--yes", action="store_true", help="fetch more than 1 GB without asking")
    add("--cells", type=int, default=20_000, metavar="N", help="cells read of lupus and artery")
