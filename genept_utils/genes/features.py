"""What the features of a matrix are: genes, or antibodies, guides, controls and spike-ins; and
whether bare numbers as names are Entrez ids, or the row numbers that a table gets when names are
lost."""

import re
import warnings
from collections import Counter

import numpy as np
import pandas as pd

from genept_utils import untrusted

GENES = {"gene expression", "gene", "rna", "gex", "expression", "endogenous"}
# Words that mean no gene, in small letters and in the singular: in any column of kinds; where the
# column is one of features or probes; and where it is 10x's own. Elsewhere "control" is a group
# of cells, "protein" a biotype or a node of a network, "custom" a panel of genes.
_ALWAYS = {
    "antibody", "antibodie", "adt", "hto", "hashtag", "crispr", "peak", "atac", "vdj", "vdj t",
    "vdj b", "vdj t gd", "chromatin accessibility", "protein expression", "spike in", "spikein",
    "ercc", "negative control", "negative control probe", "negative control codeword",
    "genomic control", "control probe", "control codeword", "unassigned codeword",
    "blank codeword", "deprecated codeword", "systemcontrol", "falsecode", "intergenic region",
    *(f"{kind} capture" for kind in ("antibody", "crispr guide", "multiplexing", "antigen"))}
_OF_FEATURES = _ALWAYS | {"control", "negative", "positive", "blank", "guide", "unassigned",
                          "deprecated", "false code", "system control"}
_OF_TENX = _OF_FEATURES | {"protein", "custom"}
_COLUMNS = {r"feature[-_. ]?types?|modality": _OF_TENX,
            r"(feature|probe|target|code(word)?|control)[-_. ]?(\w*type|class|category)":
                _OF_FEATURES,
            r"(gene[-_. ]?)?(types?|bio_?types?|class|kinds?|category)": _ALWAYS}
# Names of features that are no genes, as instruments and kits write them.
# A pattern is tried where its letters occur at all, which most lists of genes spare it.
_NAMES = [
    ("spike-in", "ercc", r"ERCC[-_.]\d{5}"),
    ("spike-in", "sirv", r"SIRV[-_.]?\d+\w*"),
    ("spike-in", "sequin", r"Sequin[-_.]?\w+"),
    ("spike-in", "arraycontrol", r"ArrayControl[-_.]?\d+"),
    ("control", "neg", r"(Neg(ative)?[-_. ]?(Control|Prb|Probe)|Negative)[-\w. ]*"),
    ("control", "control", r"(System|Genomic)Control[-\w. ]*"),
    ("control", "code", r"(Unassigned|Deprecated|Blank|False)[-_. ]?Code[-\w. ]*"),
    ("control", "blank", r"Blank[-_. ]?\d+"),
    ("control", "antisense", r"antisense[-_]\w+"),
    ("control", "intergenic", r"Intergenic[-_ ]?Region[-\w. ]*"),
    ("antibody", "totalseq", r"\S+[-_. ]TotalSeq[-_. ]?[A-D]?"),
    ("antibody", "adt_", r"ADT_\S+"),
    ("antibody", "hto_", r"HTO_\S+"),
    ("antibody", "hashtag", r"Hashtag[-_. ]?\d+")]

MIN_DENSITY = 0.5  # share of the numbers between the smallest and the largest that occur
MIN_KNOWN = 0.9  # share of true Entrez ids that are on record; of numbers below 12,000 it is 72 %
MAX_TABLE_ROWS = 150_000  # of no table of genes; a fifth of all coding genes is above it
MIN_NUMBERS = 10
MAX_GROUPS = 1000  # a handful of smaller numbers, often repeated, are those of clusters
_ENTREZ = re.compile(r"(?i)entrez|ncbi|gene_?ids?$")
_COUNTS = re.compile(r"(?i)^n_|count|cells|rank|length|size|start|end$|mean|score|bin")
_STEM = re.compile(r"[A-Za-z]+[-_. ]?")


def as_text(values):
    """Values of any kind as the strings that are looked up: 7157 and 7157.0 are "7157", missing
    values are "", blanks around a name are dropped, bytes (also as Python prints them, b'TP53')
    are the text that they stand for."""
    values = np.asarray(values, dtype=object)
    if pd.api.types.infer_dtype(values, skipna=False) != "string":
        values = ["" if missing else value.decode(errors="replace") if isinstance(value, bytes)
                  else str(value) for value, missing in zip(values, pd.isna(values))]
    values = list(map(str.strip, values))
    text = "\n".join(values)
    if "b'" in text or 'b"' in text:
        values = [value[2:-1] if value[:2] in ("b'", 'b"') and value[-1] == value[1] else value
                  for value in values]
    if ".0" in text:
        values = [value[:-2] if value[-2:] == ".0" and value[:-2].isdecimal() else value
                  for value in values]
    return pd.Series(np.array(values, dtype=object), dtype=object)


def kinds(table, names=None):
    """The kind of each feature that is no gene.

    By a column that is called as one of kinds (``feature_types`` of 10x, ``feature_biotype``,
    ``CodeClass``) or holds nothing but 10x's kinds, and by the names of controls and spike-ins
    ("NegControlProbe_00042", "ERCC-00002").

    Parameters
    ----------
    table : pandas.DataFrame
        (n, ...), as ``adata.var``.
    names : sequence of str, optional
        (n,) names of the features as :func:`as_text` gives them; by default the table's index.

    Returns
    -------
    pandas.Series
        (n,) str: "Antibody Capture" and the like; "" for genes and where nothing is said.
    """
    found = pd.Series("", range(len(table)), dtype=object)
    for place, column in enumerate(table.columns):
        values = table.iloc[:, place]
        if values.dtype.kind in "biufc":
            continue
        values = as_text(values)
        plain = values.str.lower().str.replace(r"[-_.\s]+", " ", regex=True).str.rstrip("s")
        words = next((words for pattern, words in _COLUMNS.items()
                      if re.fullmatch(pattern, str(column), re.IGNORECASE)), set())
        if "gene expression" in set(plain) and plain.isin(_OF_TENX | GENES).all():
            words = _OF_TENX
        found = found.where((found != "") | ~plain.isin(words), values)
    names = list(as_text(table.index) if names is None else names)
    folded = "\n".join(names).casefold()
    for kind, letters, pattern in _NAMES:
        if letters in folded:
            named = [letters in name.casefold() and re.fullmatch(pattern, name, re.IGNORECASE)
                     is not None for name in names]
            found[(found == "").to_numpy() & named] = kind
    return found


def left_out(kind):
    """The sentence on features that are no genes, from :func:`kinds`."""
    each = kind[kind != ""].value_counts()
    said = ", ".join(f"{name} {count:,}" for name, count in each.items())
    return f"{each.sum():,} of {len(kind):,} features are no genes and are left out ({said})"


def gene_features(table):
    """Which features of a table are genes, (n,) bool, with a warning about the others; None where
    all are."""
    kind = kinds(table)
    kept = (kind == "").to_numpy()
    if kept.all() or not kept.any():  # the latter is refused with the names
        return None
    warnings.warn(left_out(kind), stacklevel=4)
    return kept


def only_genes(adata):
    """``adata`` without its non-gene features (10x's ``feature_types``), with a warning.

    So antibody counts enter neither the normalisation nor the vectors. The object itself where
    all features are genes.
    """
    untrusted.compressed(adata.X)
    kept = gene_features(adata.var)
    return adata if kept is None else adata[:, kept].copy()


def filtered(table, counts):
    """The sentence on genes whose values CELLxGENE set to 0 (``feature_is_filtered``), "" for
    none: they stay among the genes, and ``raw`` holds their counts."""
    if counts is None:
        return ""
    marked = as_text(table["feature_is_filtered"]).str.lower().isin(["true", "1"]).to_numpy()
    marked &= np.asarray(counts) == 0 if np.ndim(counts) == 1 else marked
    if not marked.any():
        return ""
    return (f"{marked.sum():,} of {len(table):,} genes are marked feature_is_filtered and are 0 in "
            "every cell of this matrix; raw=True takes the counts of all genes")


def are_numbers(values):
    """Whether most of a Series of strings are bare numbers."""
    values = values.tolist()
    return sum(map(str.isdecimal, values)) > 0.5 * sum(map(bool, values))


def are_row_numbers(values, entrez):
    """Whether most names are the numbers of rows and not Entrez ids.

    All names are judged, in any order. Row numbers lie close together, or, after a filter, are no
    larger than a table is long and no more often Entrez ids than any numbers. True Entrez ids
    are spread over millions, and nearly all of them are known.

    Parameters
    ----------
    values : pandas.Series
        (n,) str, see :func:`as_text`.
    entrez : pandas.Index or set
        Entrez ids that are on record.
    """
    if not are_numbers(values):
        return False
    every = values[[value.isdecimal() for value in values]]
    given = every.drop_duplicates()
    numbers = given.astype(float)
    low, high, known = numbers.min(), numbers.max(), given.isin(entrez).mean()
    if len(given) < MIN_NUMBERS <= len(every) and 2 * len(given) < len(every) and high < MAX_GROUPS:
        return True  # a few numbers again and again, as those of clusters
    dense = len(numbers) / (high - low + 1)
    if len(numbers) < MIN_NUMBERS:  # a few neighbours may be meant, as 7157, 7158, 7159
        return bool(len(numbers) > 2 and dense == 1 and (low <= 1 or known < 1))
    return bool(dense >= MIN_DENSITY or high < MAX_TABLE_ROWS and known < MIN_KNOWN)


def are_positions(names, found):
    """Whether names are codes such as "V1", "V2", ...: one word and the numbers of rows.

    A few of them are always the alias of some gene. A list of one gene family (ZNF2, ZNF3, ...)
    differs in that most of its names are found.

    Parameters
    ----------
    names : numpy.ndarray
        (n,) distinct str.
    found : numpy.ndarray
        (n,) bool, which of them have a gene.
    """
    none = np.zeros(len(names), dtype=bool)
    if len(names) < MIN_NUMBERS or found.mean() >= 0.75:
        return none
    stems = [name.rstrip("0123456789") for name in names.tolist()]
    least = max(MIN_NUMBERS, 0.5 * len(names))
    often = [stem for stem, count in Counter(stems).items()
             if count >= least and _STEM.fullmatch(stem)]
    numbered = {stem: np.equal(np.array(stems, dtype=object), stem) & (names != stem)
                for stem in sorted(often)}
    stem, same = max(numbered.items(), key=lambda one: one[1].sum(), default=("", none))
    if same.sum() < least or found[same].mean() >= 0.5:
        return none
    numbers = pd.unique(np.array([float(name[len(stem):]) for name in names[same]]))
    dense = len(numbers) / (numbers.max() - numbers.min() + 1) >= MIN_DENSITY
    return same & dense


def are_entrez(values, entrez, column):
    """Whether a column of numbers holds Entrez ids.

    Numbers of cells and lengths are numbers too: all must differ and nearly all be known, of few
    numbers every one. Where the name of the column says so, half must be known.
    """
    given = values[values != ""]
    known = given.isin(entrez).mean() if len(given) else 0
    if _ENTREZ.search(column):
        least = 0.5
    elif _COUNTS.search(column):
        return False
    else:
        least = MIN_KNOWN if len(given) >= 50 else 1
    return (known >= least and given.nunique() >= 0.95 * len(given)
            and not are_row_numbers(values, entrez))
