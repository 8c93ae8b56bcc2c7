"""Chapter 7: what the shared genes cover, and scores of every set and over the sets."""

import pandas as pd

from genept_utils import evaluate


def coverage(sets):
    """Per set the genes that :func:`genept_utils.evaluate.on_same_genes` left, and the shares of
    all genes and of the expression that they are."""
    rows = {name: adata.uns["same_genes"] for name, adata in sets.items()}
    return pd.DataFrame(rows.values(), pd.Index(rows, name="dataset")).round(3)


def over_sets(table, values, pairs, unit, kind="units", shown=None):
    """Scores and paired differences of every set, and over the sets with the set as unit.

    ``kind``: of the interval within a set; ``shown``: that of a set's scores, where it is another.
    Differences of sets in which two methods share no unit are left out; rows of "N sets" come
    last.
    """
    pairs = [tuple(pair) for pair in pairs]
    alone = (kind, unit) if shown is None else (shown,)
    scores = [evaluate.summarise(table, ["dataset", "method"], values, *alone)]
    gaps = [evaluate.compare(table, pairs, unit, values, ["dataset"], kind)]
    if (n := table["dataset"].nunique()) > 1:
        scores.append(evaluate.summarise(table, ["method"], values, "units", "dataset"))
        gaps.append(evaluate.compare(table, pairs, "dataset", values))
        for rows in (scores, gaps):
            rows[-1] = rows[-1].assign(dataset=f"{n} sets")
    made = [pd.concat([part.dropna(axis=1, how="all") for part in rows],  # pandas warns of those
                      ignore_index=True).reindex(columns=rows[0].columns)
            for rows in (scores, gaps)]
    return tuple(table.dropna(subset=["value"]) for table in made)
