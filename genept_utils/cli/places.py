"""The command ``map``."""

from genept_utils import paths
from genept_utils.cli.numbers import at_least


def register(commands):
    parser = commands.add_parser("map", help="place all genes of the shipped vectors by UMAP")
    parser.add_argument("--seed", type=at_least(0), default=0, help="seed of the layout")
    parser.set_defaults(function=place)


def place(options):
    """Compute the places of the gene map again and write ``data/gene-map.csv.gz``."""
    from genept_utils.embed import places, read_embedding
    from genept_book.notebooks import need_clone

    need_clone("the map is made in a clone of the book")
    print("== UMAP of the shipped vectors (some minutes on one core)")
    table = places.place(read_embedding(), options.seed)
    places.write_places(table, paths.EMBEDDINGS / "minilm.h5ad")
    print(f"{places.PLACES}: {len(table):,} genes")
    return 0
