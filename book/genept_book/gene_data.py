"""What the gene map and the list page read: scripts with data, written when the book is built.

A page opened from disk may not fetch files, so each part is a script that hands over one string
(gzip, base64). RefSeq's summaries and HGNC's names come from the sources of the book; where they
cannot be had, the pages are built without them and say so.
"""

import base64
import gzip
import hashlib
import inspect
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.neighbors import NearestNeighbors

from genept_utils import genes, paths, sources
from genept_utils.chapters import gene_functions
from genept_utils.embed.texts import clean
from genept_utils.embed.vectors import unit
from genept_utils.genes.table import named_genes
from genept_book import gene_names, gene_words
from genept_book.gene_names import as_json

SHIPPED = paths.EMBEDDINGS / "minilm.h5ad"
K = 10  # neighbours of a gene
COLUMNS = {"name": "name", "type": "gene_type", "entrez": "entrez_id", "ensembl": "ensembl_id",
           "hgnc": "hgnc_id", "alias": "alias_symbol", "previous": "prev_symbol"}
BEGINNING = 300  # letters of a summary that the map shows
# HGNC's locus types as the map colours them, in the order of the book's palette.
CLASSES = {
    "protein-coding": [genes.PROTEIN_CODING],
    "pseudogene": ["pseudogene", "immunoglobulin pseudogene", "T cell receptor pseudogene"],
    "long non-coding RNA": ["RNA, long non-coding"],
    "microRNA": ["RNA, micro"],
    "transfer RNA": ["RNA, transfer"],
    "small nucleolar RNA": ["RNA, small nucleolar"],
    "other": [],
    "immune receptor": ["immunoglobulin gene", "T cell receptor gene"],
}


def write_gene_data(app):
    """Write ``genes/data-*.js`` beside the pages."""
    folder, (table, note) = Path(app.outdir, "genes"), described()
    folder.mkdir(exist_ok=True)
    shared = [note, sources.sha256(SHIPPED), sources.sha256(gene_functions.PLACES),
              *(sources.registry().sha256[key] for key in (genes.HGNC, genes.REFSEQ))]
    for name, make in PARTS.items():
        # by what it is made here; of the module's own code `derived` takes care
        code = [Path(file).read_text(encoding="utf-8")
                for file in (inspect.getfile(make), gene_names.__file__)]
        made_from = hashlib.sha256("\0".join([*shared, *code]).encode()).hexdigest()[:16]

        def write(part, name=name, make=make):
            packed = base64.b64encode(gzip.compress(make(table, note), 9, mtime=0)).decode()
            part.write_text(f'genept.take("{name}", "{packed}");\n', encoding="ascii")

        kept = sources.derived(paths.cache() / "derived" / f"book-{name}-{made_from}.js", write)
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
    columns = [*COLUMNS.values(), "gene_group", "summary"]
    return table.reindex(index=keys, columns=columns).fillna("").astype(str), note


def gene_columns(table, note):
    """Names, identifiers, classes, groups and places, as JSON."""
    place = gene_functions.read_map().loc[table.index]
    classes = {kind: i for i, kinds in enumerate(CLASSES.values()) for kind in kinds}
    groups = table["gene_group"].str.split("|").explode()
    codes, names = pd.factorize(groups[groups != ""], sort=True)
    members = pd.Series(codes, groups.index[groups != ""]).groupby(level=0).agg(list)
    return as_json({
        "note": note, "classes": [*CLASSES], "groups": names, "symbol": table.index,
        "class": table["gene_type"].map(classes).fillna([*CLASSES].index("other")).astype(int),
        "group": [members.get(gene, []) for gene in table.index],
        **{written: table[column] for written, column in COLUMNS.items()},
        "x": place["x"], "y": place["y"],
        "labels": group_labels(groups[groups != ""], place),
        "rules": gene_names.name_rules(table.index)})


def group_labels(members, place, least=70, apart=500):
    """Names for islands of the map: groups of genes of which most lie in one spot.

    Returns a list of [name, x, y], largest group first, no two nearer than ``apart``.
    """
    found, sizes = [], members.value_counts()
    for name in sizes.index[sizes >= least]:
        here = place.loc[members.index[members == name]]
        middle = here.median()
        near = any(abs(middle.x - x) < 2.2 * apart and abs(middle.y - y) < apart
                   for _, x, y in found)
        if (here - middle).abs().median().max() < 150 and not near:
            found.append([name, int(middle.x), int(middle.y)])
    return found


def beginnings(table, note):
    """The first letters of each summary, each once, and which gene has which, as JSON."""
    texts = [clean(text) for text in table["summary"]]
    cut = [text if len(text) <= BEGINNING else text[:BEGINNING].rsplit(" ", 1)[0] + " …"
           for text in texts]
    once = {text: i for i, text in enumerate(dict.fromkeys(filter(None, cut)))}
    return as_json({"texts": [*once], "index": [once.get(text, -1) for text in cut]})


def neighbours(table, note):
    """Ten nearest genes of every gene: (n, 10) uint16 rows, then (n, 10) uint16 cosines x 10^4."""
    index = NearestNeighbors(n_neighbors=K, metric="cosine", algorithm="brute")
    with config_context(working_memory=64):  # MB of distances at a time
        distances, rows = index.fit(unit(ad.read_h5ad(SHIPPED).X)).kneighbors()
    cosines = np.rint(1e4 * np.clip(1 - distances, 0, 1))
    return rows.astype(np.uint16).tobytes() + cosines.astype(np.uint16).tobytes()


PARTS = {"genes": gene_columns, "texts": beginnings, "neighbours": neighbours,
         **gene_words.PARTS}
