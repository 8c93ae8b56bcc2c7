"""What is written about a gene: the texts that go into an embedding model."""

import json
import re

import pandas as pd

from genept_utils import genes, sources
from genept_utils.genes import HGNC, REFSEQ, gene_table, hgnc

GENE_INFO = "genes/Homo_sapiens.gene_info.gz"
GENEPT_V2 = "genes/NCBI_summary_of_genes.json"
GO_PROCESSES = "gene_sets/zhong_go_bp_2020.gmt"
TEXT_SOURCES = {"name": (HGNC,), "summary": (HGNC, REFSEQ), "section": (HGNC, REFSEQ, GENE_INFO),
                "chat": (HGNC,), "genept-v2": (GENEPT_V2,), "go": (HGNC, GO_PROCESSES)}
TEXTS = tuple(TEXT_SOURCES)
CHAT_MODEL = "gpt-3.5-turbo"  # the published one; another: texts("chat:MODEL")
PROMPT = "Tell me about gene {symbol}"  # as published
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_PROVIDED = re.compile(r"\[?\b(?:provided|supplied) by [^\]\[]*\]\.?")
_DATE = re.compile(
    r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? (?:\d{1,2}, )?\d{4}\b"
)
_YEAR = re.compile(r" \d{4}\b")  # how a date ends


def clean(text):
    """The text without links, provider notes ("[provided by RefSeq, Jul 2008]") and dates, as
    the paper states, and with single blanks."""
    if "://" in text or "www." in text:  # what few texts have is looked for only there
        text = _LINK.sub(" ", text)
    if "provided by " in text or "supplied by " in text:
        text = _PROVIDED.sub(" ", text)
    if _YEAR.search(text):
        text = _DATE.sub(" ", text)
    return " ".join(text.split())


def text_sources(kind):
    """Keys of the registered files that a text is made from."""
    base = kind.partition(":")[0]
    if base not in TEXT_SOURCES:
        raise ValueError(f"text {kind!r} is not one of {', '.join(TEXTS)}")
    return TEXT_SOURCES[base]


def texts(kind="summary", symbols=None):
    """One text per gene, as it goes into the embedding model.

    The first four are the inputs that the paper compares.

    Parameters
    ----------
    kind : str
        ``"name"``: "SYMBOL full name."; ``"summary"``: the same followed by the RefSeq summary;
        ``"section"``: the summary section as NCBI lays it out, which also names the aliases and
        the gene type; ``"chat"`` or ``"chat:MODEL"``: the answer of a chat model to "Tell me
        about gene SYMBOL" (see :func:`genept_utils.api.answers`; costs money, kept in the
        cache); ``"genept-v2"``: the text that the authors released, as they released it;
        ``"go"``: "SYMBOL full name. Involved in A, B and C." with the biological processes
        that GO gave the gene in 2020, as NCBI writes of genes that have no RefSeq summary.
    symbols : sequence of str, optional
        Only these genes, in this order.

    Returns
    -------
    pandas.Series
        (43882,) texts indexed by approved symbol; for ``"genept-v2"`` by the authors' own keys.

    Raises
    ------
    ValueError
        No such text.
    KeyError
        One of ``symbols`` has no text.
    genept_utils.sources.SourceError
        A file that the text is made from cannot be had.
    """
    text_sources(kind)
    if kind == "genept-v2":
        released = json.loads(sources.fetch(GENEPT_V2).read_text(encoding="utf-8"))
        made = pd.Series(released, dtype=object).astype(str).rename(kind)
        return made if symbols is None else made.loc[list(symbols)]
    table = gene_table() if REFSEQ in text_sources(kind) else hgnc()
    table = table if symbols is None else table.loc[list(symbols)]
    head = table.index.astype(str) + " " + table["name"] + "."
    if kind == "name":
        made = head
    elif kind == "summary":
        made = head + " " + table["summary"]
    elif kind == "section":
        made = _section(table)
    elif kind == "go":
        made = head + _involved(table["entrez_id"])
    else:
        from genept_utils.embed import api

        prompts = [PROMPT.format(symbol=symbol) for symbol in table.index]
        made = pd.Series(api.answers(prompts, kind.partition(":")[2] or CHAT_MODEL), table.index)
    return made.map(clean).rename(kind)


def _section(table):
    """NCBI's summary section: its gene type and synonyms, HGNC's locus type and other names."""
    info = pd.read_csv(sources.fetch(GENE_INFO), sep="\t", dtype=str, keep_default_na=False,
                       usecols=["GeneID", "Synonyms", "type_of_gene"]).set_index("GeneID")
    info = info.reindex(table["entrez_id"]).fillna("").replace("-", "").set_axis(table.index)
    kinds = info["type_of_gene"].str.replace("unknown", "")
    kinds = kinds.where(kinds == "", kinds + ", ") + table["gene_type"]
    every = info["Synonyms"] + "|" + table["alias_symbol"] + "|" + table["prev_symbol"]
    also = [", ".join(dict.fromkeys(name for name in names.split("|") if name)) for names in every]
    also = pd.Series(also, table.index)
    return ("Official symbol " + table.index + ". Official full name " + table["name"]
            + ". Gene type " + kinds + "."
            + (" Also known as " + also + ".").where(also != "", "")
            + (" Summary: " + table["summary"]).where(table["summary"] != "", ""))


def _involved(entrez):
    """" Involved in A, B and C.", or "" where GO knew of no process, by gene."""
    each = genes.sets(GO_PROCESSES).drop_duplicates(["name", "entrez_id"])
    found = each.groupby("entrez_id")["name"].agg(sorted)
    listed = found.map(lambda names: " and ".join(filter(None, [", ".join(names[:-1]),
                                                                names[-1]])))
    return (" Involved in " + entrez.map(listed) + ".").fillna("")
