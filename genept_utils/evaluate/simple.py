"""What a text carries besides its content: how long it is, and how much is known of the gene."""

import numpy as np
import pandas as pd

from genept_utils import datasets, embed, genes

FACTS = "facts"


def text_facts(symbols):
    """Three numbers of a gene that say nothing of what its text says.

    Parameters
    ----------
    symbols : sequence of str
        (n,) approved symbols; one may stand several times.

    Returns
    -------
    pandas.DataFrame
        (n, 3) float, indexed by symbol: ``"number of words"`` of name and RefSeq summary, as
        log(1 + words); ``"has a summary"``, 1 where RefSeq has one; ``"number of GO processes"``
        that the Gene Ontology gave the gene directly in 2020, as log(1 + processes).

    Raises
    ------
    KeyError
        A symbol has no text.
    genept_utils.sources.SourceError
        A file cannot be had.
    """
    once = pd.Index(pd.unique(np.asarray(symbols, dtype=object)))
    made = pd.DataFrame({
        "number of words": np.log1p(embed.texts("summary", once).str.split().str.len()),
        "has a summary": (genes.gene_table()["summary"].loc[once] != "").astype(float),
        "number of GO processes": np.log1p(
            datasets.go_processes().str.len().reindex(once).fillna(0)),
    }, index=once)
    return made.loc[list(symbols)]


def fact_features(facts):
    """Features of a linear model that may follow each number along a curve.

    Parameters
    ----------
    facts : pandas.DataFrame
        (n, k) columns of :func:`text_facts`.

    Returns
    -------
    numpy.ndarray
        (n, d) float: every column with zero mean and unit variance, followed by the seven cubic
        B-splines of scikit-learn's ``SplineTransformer`` with five knots where the column has
        more than two values. No label is seen.
    """
    from sklearn.preprocessing import SplineTransformer, StandardScaler

    made = []
    for values in StandardScaler().fit_transform(facts.to_numpy(dtype=float)).T[..., None]:
        made.append(values)
        if len(np.unique(values)) > 2:
            made.append(SplineTransformer(5).fit_transform(values))
    return np.hstack(made)


def is_fact(source):
    """Whether an input is ``"facts"``, ``"facts/COLUMN"`` or columns of :func:`text_facts`."""
    return (isinstance(source, pd.DataFrame)
            or isinstance(source, str) and source.partition("/")[0] == FACTS)


def facts_of(source, symbols, facts=None):
    """The columns that such an input names, (n, k) in the order of the genes; ``facts`` are their
    :func:`text_facts` where these were read before."""
    if isinstance(source, pd.DataFrame):
        return source.loc[list(symbols)]
    facts, column = text_facts(symbols) if facts is None else facts, source.partition("/")[2]
    if column and column not in facts:
        raise ValueError(f"fact {column!r} is not one of {', '.join(facts)}")
    return facts[[column]] if column else facts
