"""The gene table, names to genes, and the text of a gene.

Names are HGNC's, summaries RefSeq's. Nothing here embeds.
"""

import dataclasses
import functools
import json
import lzma
import re

import numpy as np
import pandas as pd

from genept_utils import paths, pickles, sources

HGNC = "genes/hgnc_complete_set.txt.gz"
REFSEQ = "genes/refseq_gene_summary.rds"
ENSEMBL = "genes/ensembl100_annotables.pkl.xz"
GENE_INFO = "genes/Homo_sapiens.gene_info.gz"
GENEPT_V2 = "genes/NCBI_summary_of_genes.json"
TEXT_SOURCES = {"name": (HGNC,), "summary": (HGNC, REFSEQ), "section": (HGNC, REFSEQ, GENE_INFO),
                "chat": (HGNC,), "genept-v2": (GENEPT_V2,)}
TEXTS = tuple(TEXT_SOURCES)
TEXTS_VERSION = 2  # raised when a text changes, so that kept vectors are not taken for new ones
IDENTIFIERS = ["ensembl_id", "entrez_id", "gene_type"]
CHAT_MODEL = "gpt-3.5-turbo"  # the published one; another: texts("chat:MODEL")
PROMPT = "Tell me about gene {symbol}"  # as published
HOW = ("approved", "ensembl", "entrez", "hgnc", "previous", "alias", "case", "date",
       "ambiguous", "missing")

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
    return _hgnc().assign(summary=lambda hgnc: hgnc["entrez_id"].map(_summaries()).fillna(""))


@functools.cache
def _hgnc():
    hgnc = pd.read_csv(sources.fetch(HGNC), sep="\t", dtype=str, keep_default_na=False)
    hgnc = hgnc.rename(columns={"locus_type": "gene_type", "ensembl_gene_id": "ensembl_id"})
    return hgnc.set_index("symbol")[
        ["name", "hgnc_id", "ensembl_id", "entrez_id", "gene_type", "locus_group",
         "alias_symbol", "prev_symbol", "gene_group"]
    ]


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
        cache); ``"genept-v2"``: the text that the authors released, as they released it.
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
    table = gene_table() if REFSEQ in text_sources(kind) else _hgnc()
    table = table if symbols is None else table.loc[list(symbols)]
    head = table.index.astype(str) + " " + table["name"] + "."
    if kind == "name":
        made = head
    elif kind == "summary":
        made = head + " " + table["summary"]
    elif kind == "section":
        made = _section(table)
    else:
        from genept_utils import api

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


# ---------------------------------------------------------------- names -> genes

@dataclasses.dataclass(frozen=True)
class Matched:
    """What :func:`match` found.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per name, in the order given: ``name``, ``symbol`` (approved symbol, "" where
        none), ``how`` (one of :data:`HOW`), ``candidates`` (all symbols of an ambiguous name,
        "|"-separated, "" otherwise).
    source : str
        Where the names come from, for the record.
    mass : float or None
        Share of the counts that lie on names with a symbol; None where no counts were given.
    """

    table: pd.DataFrame
    source: str
    mass: float | None = None

    @property
    def symbols(self):
        """(n_names,) approved symbols, "" where there is none."""
        return self.table["symbol"].to_numpy(object)

    @property
    def counts(self):
        """How many names were matched in which way, in the order of :data:`HOW`."""
        return self.table["how"].value_counts().reindex(HOW, fill_value=0)

    @property
    def ambiguous(self):
        """The names with more than one candidate, each once."""
        rows = self.table[self.table["how"] == "ambiguous"]
        return rows[["name", "candidates"]].drop_duplicates().reset_index(drop=True)

    @property
    def missing(self):
        """The names that match nothing, each once."""
        return self.table.loc[self.table["how"] == "missing", "name"].unique().tolist()

    def __str__(self):
        n, found = len(self.table), int((self.symbols != "").sum())
        ways = ", ".join(f"{how} {count:,}" for how, count in self.counts.items() if count)
        said = f"{found:,} of {n:,} names have a gene ({ways})."
        if self.mass is not None:
            said += f"\nThey carry {self.mass:.1%} of the counts."
        return f"{said}\nNames from {self.source}."


_ROW_NUMBERS = [[str(i) for i in range(start, start + 10)] for start in (0, 1)]


def match(names, counts=None):
    """From any gene names to approved symbols.

    An exact name wins over a differently written one. Among exact names the order is: approved
    symbol, identifier (Ensembl with or without version, Entrez, HGNC), previous symbol, alias.
    What is left is tried without regard to case, in the same order, and last as a date into
    which a spreadsheet turned a symbol ("1-Mar", "Sep-2", "2006-09-02"). A name that the
    deciding step gives to several genes is reported with all of them and gets no symbol. Blanks
    around a name are ignored; NaN and None are missing, but the text "NA" is a name.

    Parameters
    ----------
    names : sequence of str, or anndata.AnnData
        (n,) names in any of these forms, mixed at will. A bare number is an Entrez id. Of an
        AnnData the ``var_names`` are taken, and the counts.
    counts : array_like, optional
        (n,) counts per name, or a (cells, n) matrix: for the share of counts that is covered.

    Returns
    -------
    Matched

    Raises
    ------
    ValueError
        The names are the row numbers that a table gets when its gene names were lost.
    genept_utils.sources.SourceError
        Neither HGNC's file nor the shipped embedding, which stands in for it, is here.
    """
    if hasattr(names, "var_names"):
        counts = names.X if counts is None else counts
        names = names.var_names
    values = pd.Series(np.asarray(names, dtype=object))
    if [str(name) for name in values[:10]] in _ROW_NUMBERS:
        raise ValueError("the names are row numbers, not genes; with an AnnData, set its "
                         "var_names to the column of var that holds the genes")
    codes, unique = pd.factorize(values.where(values.notna(), "").astype(str).str.strip())
    matched = _match_unique(pd.Series(unique, dtype=object))
    table = matched.iloc[codes].reset_index(drop=True)
    table.insert(0, "name", values.where(values.notna(), "").astype(str))
    covered = None
    if counts is not None:
        covered = mass(counts, table["symbol"].to_numpy() != "")
    return Matched(table, _lookup()[2], covered)


def identified(keys):
    """A table of identifiers for the keys of an embedding.

    Parameters
    ----------
    keys : sequence of str
        (n,) names in any form.

    Returns
    -------
    pandas.DataFrame
        (n, 3) indexed by the keys as they are: :data:`IDENTIFIERS`, "" where not known; with a
        first column ``symbol`` where the keys are not all approved symbols.
    """
    table = _named_genes()[0][IDENTIFIERS]
    keys = pd.Index(keys, dtype=object)
    if keys.isin(table.index).all():
        return table.loc[keys]
    symbols = pd.Index(match(keys).symbols, name="symbol")
    found = table.reindex(symbols).fillna("").reset_index()
    return found.set_axis(keys)


def _match_unique(names):
    exact, folded, _ = _lookup()
    bare = names.str.replace(r"(?i)^(ENSG\d{11})(?:\.\d+)?(?:_PAR_Y)?$", r"\1", regex=True)
    found = exact.reindex(bare)
    found.index = names.index
    rest = found["how"].isna()
    # "nan" is what a table program writes for no value; it is not the alias NaN
    fold = bare[rest & ~bare.str.lower().isin(["nan", ""])].str.upper()
    again = folded.reindex(fold)
    again.index = fold.index
    again["how"] = again["how"].where(again["how"].isna() | (again["how"] == "ambiguous"), "case")
    found.update(again)
    for i in names.index[found["how"].isna()][names[found["how"].isna()].str.match(_DATED)]:
        symbols = _from_date(names[i], folded)
        if symbols:
            found.loc[i, ["symbols", "how"]] = ["|".join(symbols),
                                                "ambiguous" if len(symbols) > 1 else "date"]
    found["how"] = found["how"].fillna("missing")
    symbols, several = found["symbols"].fillna(""), found["how"] == "ambiguous"
    return pd.DataFrame({"symbol": symbols.where(~several, ""), "how": found["how"],
                         "candidates": symbols.where(several, "")})


_MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8,
           "sep": 9, "oct": 10, "nov": 11, "dec": 12}
# Symbols that a spreadsheet reads as a day of the month.
_STEMS = {1: ["JAN"], 2: ["FEB"], 3: ["MARCH", "MARC", "MAR"], 4: ["APR"], 5: ["MAY"],
          6: ["JUN"], 7: ["JUL"], 8: ["AUG"], 9: ["SEPT", "SEP"], 10: ["OCT"], 11: ["NOV"],
          12: ["DEC"]}
_DATED = re.compile(
    r"(?i)^(?:(?P<d1>\d{1,2})[-/ ](?P<m1>[a-z]{3,9})(?:[-/ ]\d{2,4})?"
    r"|(?P<m2>[a-z]{3,9})[-/ ](?P<d2>\d{1,2})"
    r"|\d{4}-(?P<m3>\d{2})-(?P<d3>\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?)$"
)


def _from_date(name, folded):
    """Approved symbols that a date such as "1-Mar" may stand for, best kind of name only."""
    parts = _DATED.match(name).groupdict()
    month = parts["m1"] or parts["m2"]
    number = _MONTHS.get(month[:3].lower()) if month else int(parts["m3"])
    day = int(parts["d1"] or parts["d2"] or parts["d3"])
    rows = folded.reindex([f"{stem}{day}" for stem in _STEMS.get(number, [])]).dropna()
    rows = rows[rows["tier"] == rows["tier"].min()]
    return sorted(set("|".join(rows["symbols"]).split("|"))) if len(rows) else []


@functools.cache
def _lookup():
    """Every known name -> its genes: (exact, case-folded, source).

    Both tables are indexed by name, with ``symbols`` ("|"-separated), ``how`` and ``tier``.
    """
    genes, source = _named_genes()
    own = genes.index.to_series()

    def names(values, symbols, how):
        given = pd.DataFrame({"name": values.to_numpy(), "symbols": symbols.to_numpy(),
                              "how": how})
        return given[given["name"] != ""]

    def split(column, how):
        one = genes[column].str.split("|").explode()
        return names(one, one.index, how)

    every = pd.concat([
        names(own, own, "approved"), names(genes["ensembl_id"], own, "ensembl"),
        names(genes["entrez_id"], own, "entrez"), names(genes["hgnc_id"], own, "hgnc"),
        split("prev_symbol", "previous"), split("alias_symbol", "alias"),
    ], ignore_index=True)
    every["tier"] = every["how"].map(HOW.index)
    folded = every.assign(name=every["name"].str.upper())
    return _one_row_a_name(every), _one_row_a_name(folded), source


def _one_row_a_name(names):
    names = names.drop_duplicates(["name", "symbols", "tier"])
    names = names[names["tier"] == names.groupby("name")["tier"].transform("min")]
    several = names["name"].duplicated(keep=False)
    shared = names[several].groupby("name").agg({"symbols": lambda s: "|".join(sorted(s)),
                                                 "tier": "first"})
    shared = shared.assign(how="ambiguous")
    return pd.concat([names[~several].set_index("name"), shared])


@functools.cache
def _named_genes():
    """Genes with identifiers and other names: HGNC's file, or what stands in for it."""
    try:
        return _hgnc(), "HGNC's complete set"
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
        other = _ensembl100().reindex(genes.index).fillna("")
        return genes.join(other), source + ", other names from Ensembl 100"
    except sources.SourceError:
        return genes.assign(prev_symbol="", alias_symbol=""), source + ", no other names"


def _ensembl100():
    """Previous symbols and aliases as Ensembl 100 had them, by approved symbol."""
    with lzma.open(sources.fetch(ENSEMBL)) as file:
        table = pickles.load(file, pickles.FRAMES)
    table = table[table["Status"] == "Approved"].drop_duplicates("Approved symbol")
    table = table.set_index("Approved symbol")[["Previous symbols", "Alias symbols"]]
    table.columns = ["prev_symbol", "alias_symbol"]
    return table.fillna("").apply(lambda column: column.str.replace(", ", "|"))


def mass(counts, found):
    """Share of all counts that lies on the names ``found`` (n,) says yes to.

    ``counts`` is (n,) or (cells, n), dense or sparse.
    """
    total = counts if np.ndim(counts) == 1 else counts.sum(axis=0)
    total = np.asarray(total, dtype=float).ravel()
    if total.size != found.size:
        raise ValueError(f"there are {found.size} names but counts for {total.size}")
    return float(total[found].sum() / total.sum()) if total.sum() else 0.0
