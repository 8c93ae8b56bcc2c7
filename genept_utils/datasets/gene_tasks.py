"""The functional classes of genes of Fig. 2, as a tidy frame."""

import numpy as np
import pandas as pd

from genept_utils import genes, sources


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
