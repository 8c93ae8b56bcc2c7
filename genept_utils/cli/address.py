"""The command ``address``."""

from genept_utils import paths


def register(commands):
    parser = commands.add_parser("address", help="the repository's address, or another one")
    parser.add_argument("url", nargs="?", help="write this one everywhere, for a fork")
    parser.set_defaults(function=address)


def address(options):
    """Print the address of ``_config.yml``, or write another one into all that is made from it."""
    from genept_book import address as pages
    from genept_book.notebooks import need_clone

    need_clone("the address stands in a clone of the book")
    if options.url:
        for path in pages.move(options.url):
            print(path.relative_to(paths.ROOT))
    print(pages.address())
    return 0
