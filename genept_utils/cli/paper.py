"""The command ``paper``: the chapters on the paper's own cells, done by ``genept_book``."""


def register(commands):
    """Add the command to the subparsers of the command line."""
    parser = commands.add_parser("paper", help="run the chapters on the paper's own cells",
                                 description=(
        "Fetch the data sets of the paper that are not in data/paper yet, check each file against "
        "what is known of it, run the chapters that stand for the paper's tables on it, and keep "
        "the results for the ledger. With a FOLDER, its files are taken and nothing is fetched "
        "but what --only names. A column under another name is given as `aorta.label=COLUMN`; "
        "PARAMETER=VALUE goes to the chapters. A fetch that was stopped goes on."))
    parser.add_argument("words", nargs="*", metavar="FOLDER | SET.ROLE=COLUMN | PARAMETER=VALUE")
    parser.add_argument("--only", metavar="SET,SET", help="these sets, such as pancreas,ms")
    parser.add_argument("--check", nargs="*", metavar="WORD",
                        help="run nothing: check the files, after fetching those that --only names")
    parser.add_argument("--yes", action="store_true", help="fetch more than 1 GB without asking")
    parser.add_argument("--cells", type=int, default=20_000, metavar="N",
                        help="cells of a set that is read in part, lupus and artery (20000)")
    parser.set_defaults(function=_paper)


def _paper(options):
    from genept_book import paper_run

    return paper_run.paper(options)
