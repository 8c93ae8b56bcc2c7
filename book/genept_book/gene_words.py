"""What the list page reads besides names: the words of each text, and vectors to compute with."""

import anndata as ad
import numpy as np

from genept_utils import genes, paths
from genept_utils.embed import find
from genept_utils.embed import words as counted
from genept_utils.embed.vectors import unit
from genept_book.gene_names import as_json

LISTS = 1000  # random lists of each size
SIZES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000)
MIN_GENES = 5  # as marking_words tests by default


def word_lists(table, note):
    """Which described genes have which word, for every word that is tested.

    A line of JSON (words, how many genes each has, rows of the described genes), then for each
    word in turn the steps from one of its genes to the next, uint16.
    """
    rows = np.flatnonzero(table["summary"] != "")
    if not len(rows):
        return as_json({"words": [], "rows": []}) + b"\n"
    written = counted.described().loc[table.index[rows]]
    _, vocabulary, found = counted._counted(tuple(written.index), tuple(written))
    tested = np.asarray(found.sum(axis=0))[0] >= MIN_GENES
    found = found.tocsc()[:, tested]
    found.sort_indices()
    steps, first = np.diff(found.indices, prepend=0), found.indptr[:-1]
    steps[first] = found.indices[first]
    return as_json({"words": vocabulary[tested], "sizes": np.diff(found.indptr),
                    "rows": rows}) + b"\n" + steps.astype("<u2").tobytes()


def list_vectors(table, note):
    """The shipped numbers of genes with a protein or a summary: int32 n, n rows (uint16, padded
    to four bytes), (n, d) int8."""
    rows, codes = pool(table)
    head = np.int32(len(rows)).tobytes() + rows.tobytes() + b"\0" * (2 * (len(rows) % 2))
    return head + np.ascontiguousarray(codes, np.int8).tobytes()


def pool(table):
    """Rows (n,) uint16 and numbers (n, d) int8 of the genes with a protein or a summary."""
    used = (table["gene_type"] == genes.PROTEIN_CODING) | (table["summary"] != "")
    rows = np.flatnonzero(used).astype(np.uint16)
    return rows, ad.read_h5ad(paths.EMBEDDINGS / "minilm.h5ad").X[rows]


def list_null(table, note):
    """What random lists of genes look like, as JSON: the mean of all vectors, the spread of each
    gene (x 10^5), and for lists of some sizes the limit that ``level`` of them stay below.

    A list is held against the largest of the sizes that it reaches; a limit falls with the size.
    """
    vectors = unit(pool(table)[1])
    mean, vectors = find.middle(vectors), find.centred(vectors)
    sizes = find.spread(vectors)
    limits = [[size, round(float(np.quantile(find.largest_scores(vectors, sizes, size, LISTS),
                                             find.LEVEL)), 4)] for size in SIZES]
    return as_json({"mean": mean.astype(float).round(7), "spread": np.rint(sizes * 1e5).astype(int),
                    "limits": limits, "lists": LISTS, "level": find.LEVEL})


PARTS = {"null": list_null, "words": word_lists, "vectors": list_vectors}
