"""All approved human genes: HGNC's names and identifiers, RefSeq's summaries."""

import functools
import lzma

import numpy as np
import pandas as pd

from genept_utils import memory, paths, pickles, sources

HGNC = "genes/hgnc_complete_set.txt.gz"
REFSEQ = "genes/refseq_gene_summary.rds"
ENSEMBL = "genes/ensembl100_annotables.pkl.xz"
IDENTIFIERS = ["ensembl_id", "entrez_id", "gene_type"]
PROTEIN_CODING = "gene with protein product"  # as HGNC calls the type


@functools.cache
def gene_table():
    """All approved human genes with identifiers and RefSeq summary.

    Returns
    -------
    pandas.DataFrame
        (43882, 10), indexed by approved symbol: ``name``, ``hgnc_id``, ``ensembl_id``,
        ``entrez_id``, ``gene_type`` (HGNC locus type), ``locus_group``, ``alias_symbol`` and
        ``prev_symbol`` ("|"-separated), ``gene_group``, ``summary`` ("" where RefSeq has none).
        All strings; no value is ever read as missing.

    Raises
    ------
    genept_utils.sources.SourceError
        HGNC's or RefSeq's file cannot be had.
    """
    return hgnc().assign(summary=lambda hgnc: hgnc["entrez_id"].map(_summaries()).fillna(""))


@functools.cache
def hgnc():
    columns = ["symbol", "name", "hgnc_id", "ensembl_gene_id", "entrez_id", "locus_type",
               "locus_group", "alias_symbol", "prev_symbol", "gene_group"]
    hgnc = pd.read_csv(sources.fetch(HGNC), sep="\t", dtype=str, keep_default_na=False,
                       usecols=columns)[columns]
    return hgnc.rename(columns={"locus_type": "gene_type",
                                "ensembl_gene_id": "ensembl_id"}).set_index("symbol")


def union(keys):
    """The keys of all genes that several "|"-separated ones name, each once."""
    return "|".join(sorted({gene for key in keys for gene in key.split("|")} - {""}))


def sets(key):
    """A registered ``.gmt`` file, one row per set and gene: ``set``, ``name`` (without the number
    of genes that some files put behind it) and ``entrez_id``."""
    lines = sources.fetch(key).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t", 2) for line in lines]
    made = pd.DataFrame(rows, columns=["set", "name", "entrez_id"])
    made["name"] = made["name"].str.replace(r" \(\d+\)$", "", regex=True)
    made["entrez_id"] = made["entrez_id"].str.split("\t")
    return made.explode("entrez_id", ignore_index=True).drop_duplicates()


def _summaries():
    """RefSeq summary by Entrez id."""
    return kept_table(REFSEQ, "refseq_human", _human).set_index("entrez_id")["summary"]


def kept_table(key, name, make):
    """A table of strings that is made of a registered file; what takes seconds is kept."""
    path = sources.fetch(key)
    kept = paths.cache() / "derived" / f"{name}_{sources.sha256(path)[:16]}.csv"
    kept = sources.derived(kept, lambda part: make(path).to_csv(part, index=False))
    return pd.read_csv(kept, dtype=str, keep_default_na=False)


def r_columns(path, *names):
    """Columns of the data frame in a file of R, as parsed vectors: rdata's own conversion of all
    rows of RefSeq to a frame takes 2 GB, the vectors half a GB."""
    import rdata

    with memory.uncollected():
        frame = rdata.parser.parse_file(path).object
    frame = frame.value[0] if path.suffix == ".rda" else frame
    given = rdata.conversion.convert(frame.attributes)["names"]
    columns = dict(zip(given, frame.value))
    return [columns[name].value for name in names]


def _human(path):
    """Entrez ids and summaries of the human rows."""
    taxon, entrez, texts = r_columns(path, "Taxon_ID", "Gene_ID", "Gene_summary")
    rows = np.flatnonzero((np.ma.filled(taxon, -1) == 9606) & ~np.ma.getmaskarray(entrez))
    made = pd.DataFrame({"entrez_id": np.ma.getdata(entrez)[rows].astype(str),
                         "summary": [texts[row].value.decode() for row in rows]})
    return made.drop_duplicates("entrez_id")


@functools.cache
def named_genes():
    """Genes with identifiers and other names: HGNC's file, or what stands in for it."""
    try:
        return hgnc(), "HGNC's complete set"
    except sources.SourceError as error:
        shipped = paths.EMBEDDINGS / "minilm.h5ad"
        if not shipped.is_file():
            raise
        reason = str(error).splitlines()[0]
    import h5py
    from anndata.io import read_elem

    with h5py.File(shipped) as file:
        genes = read_elem(file["obs"]).astype(str).replace({"entrez_id": {"0": ""}})
    genes = genes.assign(hgnc_id="")
    source = f"the shipped embedding ({reason})"
    try:
        other = kept_table(ENSEMBL, "ensembl100", _ensembl100).set_index("symbol")
        other = other.reindex(genes.index).fillna("")
        return genes.join(other), source + ", other names from Ensembl 100"
    except sources.SourceError:
        return genes.assign(prev_symbol="", alias_symbol=""), source + ", no other names"


def annotables(path):
    """The table in a registered pickle of Ensembl 100."""
    with lzma.open(path) as file:
        return pickles.load(file, pickles.FRAMES)


def _ensembl100(path):
    """Previous symbols and aliases as Ensembl 100 had them, beside the approved symbol."""
    table = annotables(path)
    table = table[table["Status"] == "Approved"].drop_duplicates("Approved symbol")
    table = table[["Approved symbol", "Previous symbols", "Alias symbols"]]
    table.columns = ["symbol", "prev_symbol", "alias_symbol"]
    return table.fillna("").apply(lambda column: column.str.replace(", ", "|"))
