"""What the list page reads besides names: the words of each text, and vectors to compute with."""

import json

import anndata as ad
import numpy as np

from genept_utils import paths
from genept_utils.embed import lists
from genept_utils.embed import words as counted
from genept_utils.embed.vectors import unit

LISTS = 1000  # random lists of each size
SIZES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000)
MIN_GENES = 5  # as marking_words tests by default
PROTEIN_CODING = "gene with protein product"


def word_lists(table, note):
    """Which described genes have which word, for every word that is tested.

    A line of JSON (words; rows of the described genes), then for each word in turn the number of
    its genes and the steps from one to the next, seven bits a byte.
    """
    summaries = (table["summary"] != "").to_numpy()
    rows = np.flatnonzero(summaries)
    if not len(rows):
        return json.dumps({"words": [], "rows": []}).encode() + b"\n"
    found = {}
    for number, text in enumerate(counted.described().loc[table.index[rows]]):
        for word in counted.words(text):
            found.setdefault(word, []).append(number)
    tested = sorted(word for word, genes in found.items() if len(genes) >= MIN_GENES)
    numbers = []
    for word in tested:
        numbers += [len(found[word]), *np.diff(found[word], prepend=0)]
    head = {"words": tested, "rows": rows.tolist()}
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + seven_bits(numbers)


def seven_bits(numbers):
    """Numbers from 0 as bytes of seven bits, lowest first; the eighth says that more follow."""
    out = bytearray()
    for number in map(int, numbers):
        while number > 127:
            out.append(number & 127 | 128)
            number >>= 7
        out.append(number)
    return bytes(out)


def list_vectors(table, note):
    """The shipped numbers of genes with a protein or a summary: int32 n, n rows (uint16, padded
    to four bytes), (n, d) int8."""
    rows, codes = pool(table)
    head = np.int32(len(rows)).tobytes() + rows.tobytes() + b"\0" * (2 * (len(rows) % 2))
    return head + np.ascontiguousarray(codes, np.int8).tobytes()


def pool(table):
    """Rows (n,) uint16 and numbers (n, d) int8 of the genes with a protein or a summary."""
    used = (table["gene_type"] == PROTEIN_CODING) | (table["summary"] != "")
    rows = np.flatnonzero(used).astype(np.uint16)
    return rows, ad.read_h5ad(paths.EMBEDDINGS / "minilm.h5ad").X[rows]


def list_null(table, note):
    """What random lists of genes look like, as JSON: the mean of all vectors, the spread of each
    gene (x 10^5), and for lists of some sizes the limit that ``level`` of them stay below.

    A list is held against the largest of the sizes that it reaches; a limit falls with the size.
    """
    vectors = unit(pool(table)[1])
    mean, vectors = lists.middle(vectors), lists.centred(vectors)
    sizes = lists.spread(vectors)
    limits = [[size, round(float(np.quantile(lists.largest_scores(vectors, sizes, size, LISTS),
                                             lists.LEVEL)), 4)] for size in SIZES]
    return json.dumps({
        "mean": [round(float(value), 7) for value in mean],
        "spread": np.rint(sizes * 1e5).astype(int).tolist(), "limits": limits, "lists": LISTS,
        "level": lists.LEVEL}, separators=(",", ":")).encode()


PARTS = {"null": list_null, "words": word_lists, "vectors": list_vectors}
