"""The command ``data``."""

import sys

from genept_utils import paths, sources
from genept_utils.cli.options import add_command


def register(commands):
    parser = add_command(commands, "data", data, "list the registered files, or fetch them")
    parser.add_argument("--fetch", metavar="KEY", nargs="+",
                        help="beginnings of keys; `all` for all but the text models, `models/`")


def data(options):
    """List every source with size, licence and whether it is here, or fetch some."""
    table = sources.registry()
    wanted = options.fetch or []
    chosen = [key for key in table.index if any(key.startswith(word) for word in wanted)
              or wanted == ["all"] and not key.startswith("models/")]
    if wanted and not chosen:
        raise ValueError(f"no source begins with {' or '.join(map(repr, wanted))}: see `data`")
    failed = []
    for key in chosen:
        try:
            print(f"{key}: {sources.fetch(key, progress=True)}")
        except sources.SourceError as error:
            failed.append(key)
            print(f"{error}\n", file=sys.stderr)
    if wanted:
        print(f"{len(chosen) - len(failed)} of {len(chosen)} sources are here")
        return bool(failed)
    for key, row in table.iterrows():
        here = sources.local(key)
        where = "-" if here is None else "cache" if paths.cache() in here.parents else "mirror"
        print(f"{key:52} {row.bytes / 1e6:6.2f} MB  {where:7} {row.wheel or 'network':22} "
              f"{row.licence}")
    print(f"{len(table)} sources, {table['bytes'].sum() / 1e6:.0f} MB; "
          "`python -m genept_utils data --fetch all` fetches what is not here")
    return 0
