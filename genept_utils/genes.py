"""The gene table and the text of a gene.

Names are HGNC's, summaries RefSeq's. Nothing here embeds.
"""

import functools
import re

import pandas as pd

from genept_utils import paths, sources

HGNC = "genes/hgnc_complete_set.txt.gz"
REFSEQ = "genes/refseq_gene_summary.rds"
TEXT_SOURCES = (HGNC, REFSEQ)
TEXTS = ("name", "summary", "section")

_LINK = re.compile(r"(?:https?://|www\.)\S+")
_PROVIDED = re.compile(r"\[?\b(?:provided|supplied) by [^\]\[]*\]\.?")
_DATE = re.compile(
    r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? (?:\d{1,2}, )?\d{4}\b"
)


def clean(text):
    """The text without links, provider notes ("[provided by RefSeq, Jul 2008]") and dates, as
    the paper states, and with single blanks."""
    for pattern in (_LINK, _PROVIDED, _DATE):
        text = pattern.sub(" ", text)
    return " ".join(text.split())


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
    hgnc = pd.read_csv(sources.fetch(HGNC), sep="\t", dtype=str, keep_default_na=False)
    hgnc = hgnc.rename(columns={"locus_type": "gene_type", "ensembl_gene_id": "ensembl_id"})
    table = hgnc.set_index("symbol")[
        ["name", "hgnc_id", "ensembl_id", "entrez_id", "gene_type", "locus_group",
         "alias_symbol", "prev_symbol", "gene_group"]
    ]
    return table.assign(summary=table["entrez_id"].map(_summaries()).fillna(""))


def _summaries():
    """RefSeq summary by Entrez id; parsing the R file takes 10 s, so the human part is kept."""
    path = sources.fetch(REFSEQ)
    kept = paths.cache() / "derived" / f"refseq_human_{sources.sha256(path)[:16]}.parquet"
    if not kept.is_file():
        import rdata

        table = rdata.read_rds(path)
        table = table[table["Taxon_ID"] == 9606].drop_duplicates("Gene_ID")
        human = pd.DataFrame({"entrez_id": table["Gene_ID"].astype(str),
                              "summary": table["Gene_summary"].astype(str)})
        with sources.replacing(kept) as part:
            human.to_parquet(part)
    return pd.read_parquet(kept).set_index("entrez_id")["summary"]


def texts(kind="summary"):
    """One text per gene, as it goes into the embedding model.

    Parameters
    ----------
    kind : {"name", "summary", "section"}
        ``"name"``: "SYMBOL full name."; ``"summary"``: the same followed by the RefSeq summary;
        ``"section"``: the summary section as NCBI lays it out, which also names the aliases and
        the gene type.

    Returns
    -------
    pandas.Series
        (43882,) texts indexed by approved symbol.
    """
    table = gene_table()
    head = table.index.astype(str) + " " + table["name"] + "."
    if kind == "name":
        made = head
    elif kind == "summary":
        made = head + " " + table["summary"]
    elif kind == "section":
        also = (table["alias_symbol"] + "|" + table["prev_symbol"]).str.strip("|")
        made = ("Official symbol " + table.index + ". Official full name " + table["name"]
                + ". Gene type " + table["gene_type"] + ". Also known as "
                + also.str.replace("|", ", ").replace("", "nothing else")
                + ". Summary " + table["summary"])
    else:
        raise ValueError(f"text {kind!r} is not one of {', '.join(TEXTS)}")
    return made.map(clean).rename(kind)
