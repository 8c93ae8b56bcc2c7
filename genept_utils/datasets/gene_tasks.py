"""Gene tasks as tidy frames: the five tasks of Table 1 and the classes of Fig. 2."""

import ast

import numpy as np
import pandas as pd

from genept_utils import genes, sources

_BIVALENT, _LYS4, _NONE = (f"gene_tasks/{name}_gene_labels.txt"
                           for name in ("bivalent", "lys4_only", "no_methylation"))
_CHEN = "gene_tasks/41467_2020_16106_MOESM4_ESM.csv"
_RANGE = "gene_tasks/tf_regulatory_range.csv"
_DOSAGE = "gene_tasks/dosage_sens_tf_labels.csv"
# (task, dataset) as in published.csv -> the key (and list) of the positive and the negative genes
GENE_TASKS = {
    ("dosage-sensitive vs insensitive", "Theodoris"): (
        (_DOSAGE, "dosage_sensitive"), (_DOSAGE, "dosage_insensitive")),
    ("bivalent vs non-methylated", "Theodoris"): ((_BIVALENT, None), (_NONE, None)),
    ("bivalent vs Lys4-only", "Theodoris"): ((_BIVALENT, None), (_LYS4, None)),
    ("Lys4-only vs non-methylated", "Theodoris"): ((_LYS4, None), (_NONE, None)),
    ("long- vs short-range", "Chen 2020"): (
        (_CHEN, "long-range TF"), (_CHEN, "short-range TF")),
    # the headers of this file are swapped, and the list that it calls long-range has 46 genes
    ("long- vs short-range", "Theodoris"): ((_RANGE, "long_range"), (_RANGE, "short_range")),
}


def gene_task(task, dataset="Theodoris"):
    """Genes of one of the five two-class tasks of Table 1.

    Parameters
    ----------
    task, dataset : str
        A key of :data:`GENE_TASKS`, as in ``published.csv``.

    Returns
    -------
    pandas.DataFrame
        ``symbol`` (approved, each once) and ``label`` (1 for the class that the task names
        first). ``.attrs["loss"]`` counts what was left out: ``lines`` read, ``unmatched`` lines
        (no gene, or several), ``repeated`` lines, ``contradictory`` genes (on both lists; left
        out altogether), and ``genes`` kept.
    """
    if (task, dataset) not in GENE_TASKS:
        known = "; ".join(" / ".join(key) for key in GENE_TASKS)
        raise ValueError(f"gene task {task!r} / {dataset!r} is not one of {known}")
    lists = [_gene_list(key, column) for key, column in GENE_TASKS[task, dataset]]
    table = pd.DataFrame({"name": [name for part in lists for name in part],
                          "label": [1] * len(lists[0]) + [0] * len(lists[1])})
    table["symbol"] = genes.match(table["name"]).symbols
    lines, table = len(table), table[table["symbol"] != ""]
    matched, table = len(table), table.drop_duplicates(["symbol", "label"])
    distinct = len(table)
    table = table[~table["symbol"].duplicated(keep=False)]
    kept = table[["symbol", "label"]].reset_index(drop=True)
    kept.attrs["loss"] = {"lines": lines, "unmatched": lines - matched,
                          "repeated": matched - distinct,
                          "contradictory": (distinct - len(kept)) // 2, "genes": len(kept)}
    return kept


def _gene_list(key, column):
    path = sources.fetch(key)
    if key == _CHEN:
        table = pd.read_csv(path, index_col=0, keep_default_na=False)
        return table.index[table["assignment"] == column].tolist()
    if key == _RANGE:
        return ast.literal_eval(pd.read_csv(path, index_col=0).loc[column, "label"])
    if column:
        return pd.read_csv(path)[column].dropna().tolist()
    return path.read_text().split()


def gene_classes(universe="symbol", n_classes=15, more_than=75):
    """Genes of the most common functional classes, as in Fig. 2a-b.

    Rows without a class are left out, then all but the ``n_classes`` most frequent classes with
    more than ``more_than`` rows.

    Parameters
    ----------
    universe : {"symbol", "any"}
        Which rows of the class table count: those whose name is an approved symbol as it stands
        (closest to the paper, where the name is the key of a vector), or all whose name, other
        name or Ensembl id leads to one approved gene.

    Returns
    -------
    pandas.DataFrame
        One row per row of the table: ``symbol`` (approved; not unique, since the table repeats
        genes) and ``gene_type``. ``.attrs["loss"]`` counts ``lines``, ``unlabelled``,
        ``unmatched``, ``small_classes`` (rows), ``rows``, ``genes`` kept, and
        ``contradictory`` genes (kept; they have rows in several classes).
    """
    if universe not in ("symbol", "any"):
        raise ValueError(f"universe {universe!r} is not one of symbol, any")
    table = pd.read_csv(sources.fetch("genes/gene_info_table.csv"), dtype=str,
                        keep_default_na=False, index_col=0)
    lines = len(table)
    table = table[~table["gene_type"].isin(["nan", "None", "gene_type"])]
    labelled = len(table)
    found = genes.match(table["gene_name"]).table
    table["symbol"] = found["symbol"].to_numpy()
    if universe == "symbol":
        table = table[(found["match_type"] == "approved").to_numpy()]
    else:
        by_id = genes.match(table["ensembl_id"]).symbols
        table["symbol"] = np.where(table["symbol"] != "", table["symbol"], by_id)
        table = table[table["symbol"] != ""]
    matched, count = len(table), table["gene_type"].value_counts()
    chosen = count[count > more_than].index[:n_classes]
    kept = table.loc[table["gene_type"].isin(chosen), ["symbol", "gene_type"]]
    kept = kept.reset_index(drop=True)
    several = (kept.groupby("symbol")["gene_type"].nunique() > 1).sum()
    kept.attrs["loss"] = {"lines": lines, "unlabelled": lines - labelled,
                          "unmatched": labelled - matched, "small_classes": matched - len(kept),
                          "rows": len(kept), "genes": kept["symbol"].nunique(),
                          "contradictory": int(several)}
    return kept
