"""What the list page reads besides names: the words of each text, and vectors to compute with."""

import json

import anndata as ad
import numpy as np

from genept_utils import paths
from genept_utils.embed import words as counted

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
    pool = (table["gene_type"] == PROTEIN_CODING) | (table["summary"] != "")
    rows = np.flatnonzero(pool).astype(np.uint16)
    codes = ad.read_h5ad(paths.EMBEDDINGS / "minilm.h5ad").X[rows]
    head = np.int32(len(rows)).tobytes() + rows.tobytes() + b"\0" * (2 * (len(rows) % 2))
    return head + np.ascontiguousarray(codes, np.int8).tobytes()


PARTS = {"words": word_lists, "vectors": list_vectors}
