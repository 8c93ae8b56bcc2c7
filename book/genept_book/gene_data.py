"""What the gene map and the list page read: scripts with data, written when the book is built.

A page opened from disk may not fetch files, so each part is a script that hands over one string
(gzip, base64). RefSeq's summaries and HGNC's names come from the sources of the book; where they
cannot be had, the pages are built without them and say so.
"""

import base64
import gzip
import hashlib
import inspect
import json
from pathlib import Path

import anndata as ad
import numpy as np

from genept_utils import genes, paths, sources
from genept_utils.embed import gene_map, lists, words
from genept_utils.embed.texts import clean
from genept_utils.embed.vectors import unit
from genept_utils.genes.table import named_genes

from genept_book import gene_names, gene_words

SHIPPED = paths.EMBEDDINGS / "minilm.h5ad"
K = 10  # neighbours of a gene
BEGINNING = 300  # letters of a summary that the map shows
# HGNC's locus types as the map colours them, in the order of the book's palette.
CLASSES = {
    "protein-coding": ["gene with protein product"],
    "pseudogene": ["pseudogene", "immunoglobulin pseudogene", "T cell receptor pseudogene"],
    "long non-coding RNA": ["RNA, long non-coding"],
    "microRNA": ["RNA, micro"],
    "transfer RNA": ["RNA, transfer"],
    "small nucleolar RNA": ["RNA, small nucleolar"],
    "other": [],
    "immune receptor": ["immunoglobulin gene", "T cell receptor gene"],
}


def write_gene_data(app, exception):
    """Write ``genes/data-*.js`` beside the pages; a handler of ``build-finished``."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir, "genes")
    folder.mkdir(exist_ok=True)
    table, note = described()
    shared = [note, sources.sha256(SHIPPED), sources.sha256(gene_map.PLACES),
              *(sources.registry().sha256[key] for key in (genes.HGNC, genes.REFSEQ))]
    for name, make in PARTS.items():
        code = [Path(inspect.getfile(make)), *CODE.get(name, ())]
        made_from = hashlib.sha256("\0".join(
            [*shared, *(path.read_text(encoding="utf-8") for path in code)]).encode())
        kept = paths.cache() / "derived" / f"book-{name}-{made_from.hexdigest()[:16]}.js"

        def write(part, name=name, make=make):
            packed = base64.b64encode(gzip.compress(make(table, note), 9, mtime=0)).decode()
            part.write_text(f'genept.take("{name}", "{packed}");\n', encoding="ascii")

        sources.derived(kept, write)
        (folder / f"data-{name}.js").write_bytes(kept.read_bytes())


def described():
    """All genes of the shipped vectors with what is known of them, and what could not be had.

    Returns
    -------
    pandas.DataFrame
        (43882, 10) in the order of the vectors: the columns of
        :func:`genept_utils.genes.gene_table`, "" where nothing is known.
    str
        A sentence for the reader; "" where all sources were there.
    """
    try:
        table, note = genes.gene_table(), ""
    except sources.SourceError:
        table, source = named_genes()
        table = table.assign(summary="")
        note = f"This copy was built without RefSeq's summaries; names are from {source}."
    keys = ad.read_h5ad(SHIPPED, backed="r").obs_names
    columns = ["name", "hgnc_id", "ensembl_id", "entrez_id", "gene_type", "alias_symbol",
               "prev_symbol", "gene_group", "summary"]
    return table.reindex(index=keys, columns=columns).fillna("").astype(str), note


def gene_columns(table, note):
    """Names, identifiers, classes, groups and places, as JSON."""
    place = gene_map.read().loc[table.index]
    classes = {kind: i for i, kinds in enumerate(CLASSES.values()) for kind in kinds}
    other = list(CLASSES).index("other")
    groups = table["gene_group"].str.split("|")
    names = sorted({name for some in groups for name in some} - {""})
    number = {name: i for i, name in enumerate(names)}
    return as_json({
        "note": note, "classes": list(CLASSES), "groups": names,
        "symbol": table.index, "name": table["name"],
        "class": [classes.get(kind, other) for kind in table["gene_type"]],
        "type": table["gene_type"],
        "group": [[number[name] for name in some if name] for some in groups],
        "entrez": table["entrez_id"], "ensembl": table["ensembl_id"], "hgnc": table["hgnc_id"],
        "alias": table["alias_symbol"], "previous": table["prev_symbol"],
        "x": place["x"].tolist(), "y": place["y"].tolist(),
        "labels": group_labels(groups, place), "rules": gene_names.name_rules(table.index),
    })


def group_labels(groups, place, least=70, apart=500):
    """Names for islands of the map: groups of genes of which most lie in one spot.

    Returns a list of [name, x, y], largest group first, no two nearer than ``apart``.
    """
    members = groups.explode()
    members = members[members != ""]
    found = []
    for name, size in members.value_counts().items():
        if size < least:
            break
        here = place.loc[members.index[members == name]]
        middle = here.median()
        spread = (here - middle).abs().median().max()
        near = any(abs(middle.x - x) < 2.2 * apart and abs(middle.y - y) < apart
                   for _, x, y in found)
        if spread < 150 and not near:
            found.append([name, int(middle.x), int(middle.y)])
    return found


def beginnings(table, note):
    """The first letters of each summary, each once, and which gene has which, as JSON."""
    texts = [clean(text) for text in table["summary"]]
    cut = [text if len(text) <= BEGINNING else text[:BEGINNING].rsplit(" ", 1)[0] + " …"
           for text in texts]
    once = {text: i for i, text in enumerate(dict.fromkeys(filter(None, cut)))}
    return as_json({"texts": list(once), "index": [once.get(text, -1) for text in cut]})


def neighbours(table, note):
    """Ten nearest genes of every gene: (n, 10) uint16 rows, then (n, 10) uint16 cosines x 10^4.

    The ten largest of a row lie in the ten blocks with the largest maxima, so that only those
    blocks are sorted. Rows as :func:`genept_utils.embed.nearest` finds them.
    """
    vectors = unit(codes())
    n, width = len(vectors), 64
    padded = np.zeros((-(-n // width) * width, vectors.shape[1]), np.float32)
    padded[:n] = vectors
    rows, cosines = np.empty((n, K), np.uint16), np.empty((n, K), np.uint16)
    for start in range(0, n, 1024):
        some = np.arange(start, min(start + 1024, n))
        score = vectors[some] @ padded.T
        score[:, n:] = -2
        score[some - start, some] = -2
        blocks = score.reshape(len(some), -1, width)
        best = np.sort(np.argpartition(-blocks.max(axis=2), K, axis=1)[:, :K], axis=1)
        found = np.take_along_axis(blocks, best[:, :, None], axis=1).reshape(len(some), -1)
        order = np.argsort(-found, axis=1, kind="stable")[:, :K]
        at = np.take_along_axis(best, order // width, axis=1) * width + order % width
        rows[some] = at
        value = np.take_along_axis(found, order, axis=1)
        cosines[some] = np.rint(np.clip(value, 0, 1) * 1e4)
    return rows.tobytes() + cosines.tobytes()


def codes():
    """(n_genes, d) int8: the shipped numbers; the scale of a gene does not change a cosine."""
    return ad.read_h5ad(SHIPPED).X


def as_json(columns):
    plain = {name: values if isinstance(values, dict) else list(values)
             for name, values in columns.items() if name != "note"}
    return json.dumps({"note": columns.get("note", ""), **plain}, ensure_ascii=False,
                      separators=(",", ":")).encode()


# Code that a part is made by, beside its own file.
CODE = {"genes": [Path(gene_names.__file__), *sorted(Path(genes.__file__).parent.glob("*.py"))],
        "words": [Path(words.__file__)], "null": [Path(lists.__file__)]}
PARTS = {"genes": gene_columns, "texts": beginnings, "neighbours": neighbours,
         **gene_words.PARTS}
