"""Which features of a matrix are genes: antibodies, guides, controls and spike-ins are not."""

import re

import numpy as np
import pandas as pd

from genept_utils.genes.numbers import as_text

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
_NAMES = {
    "spike-in": r"ERCC[-_.]\d{5}|SIRV[-_.]?\d+\w*|Sequin[-_.]?\w+|ArrayControl[-_.]?\d+",
    "control": r"(Neg(ative)?[-_. ]?(Control|Prb|Probe)|Negative|SystemControl|GenomicControl)"
               r"[-\w. ]*|(Unassigned|Deprecated|Blank|False)[-_. ]?Code[-\w. ]*|"
               r"Blank[-_. ]?\d+|antisense[-_]\w+|Intergenic[-_ ]?Region[-\w. ]*",
    "antibody": r"\S+[-_. ]TotalSeq[-_. ]?[A-D]?|(ADT|HTO)_\S+|Hashtag[-_. ]?\d+"}


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
        (n,) names of the features; by default the index of the table.

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
    names = as_text(table.index if names is None else names)
    for kind, pattern in _NAMES.items():
        found[(found == "").to_numpy() & names.str.fullmatch(pattern, case=False).to_numpy()] = kind
    return found


def left_out(kind):
    """The sentence on features that are no genes, from :func:`kinds`."""
    each = kind[kind != ""].value_counts()
    said = ", ".join(f"{name} {count:,}" for name, count in each.items())
    return f"{each.sum():,} of {len(kind):,} features are no genes and are left out ({said})"


def filtered(table, counts):
    """The sentence on genes whose values CELLxGENE set to 0 (``feature_is_filtered``), "" for
    none: they stay among the genes, and ``raw`` holds their counts."""
    if "feature_is_filtered" not in table or counts is None:
        return ""
    marked = as_text(table["feature_is_filtered"]).str.lower().isin(["true", "1"]).to_numpy()
    marked &= np.asarray(counts) == 0 if np.ndim(counts) == 1 else marked
    if not marked.any():
        return ""
    return (f"{marked.sum():,} of {len(table):,} genes are marked feature_is_filtered and are 0 in "
            "every cell of this matrix; raw=True takes the counts of all genes")
