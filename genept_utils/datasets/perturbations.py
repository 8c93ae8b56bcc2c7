"""Effects of perturbed genes, and pairs of perturbed genes, as tables."""

from pathlib import Path

import numpy as np
import pandas as pd

from genept_utils import genes, sources

_LINCS = "perturbation/lincs_overexpression_dysreg.tsv"
_INTERACTIONS = "perturbation/norman_emap_gene.txt"
_FITNESS = "perturbation/norman_phenotype_gene.txt"
_DOUBLES = "perturbation/norman_doubles_fits.csv"
_REPLOGLE = "perturbation/replogle_k562"
PERTURBATIONS = {"lincs": [_LINCS], "norman": [_INTERACTIONS, _FITNESS, _DOUBLES],
                 "replogle_k562": [_REPLOGLE]}


def perturbation_effects(name="lincs", least=5):
    """What each perturbed gene does to the others.

    Parameters
    ----------
    name : str
        ``"lincs"``: genes overexpressed in cell lines, consensus signatures of LINCS L1000
        (Himmelstein et al. 2016), of which significant effects alone are published.
        ``"replogle_k562"``: essential genes repressed in K562 (Replogle et al. 2022), all effects,
        80 MB, from the network. Or the path of an .h5ad file of one row per perturbation and one
        column per gene: rows are named after genes, or ``NUMBER_GENE_...`` as there, columns by
        symbols or identifiers, in ``var_names`` or a text column of ``var``.
    least : int
        Effects on other genes that a perturbed gene must have.

    Returns
    -------
    pandas.DataFrame
        (n_perturbed, n_genes) float32: z-scores, 0 where no effect is known; rows by approved
        symbol, sorted, columns by Entrez identifier (the file's own names for a file). The effect
        on the perturbed gene itself is 0: it only says that the perturbation worked. Rows of one
        gene are averaged. ``.attrs`` counts ``lines`` read, ``own`` effects and ``perturbed``
        genes before ``least``.

    Raises
    ------
    ValueError
        Fewer than ten genes are left, or a file names no genes.
    """
    if name == "lincs":
        table = pd.read_csv(sources.fetch(_LINCS), sep="\t")
        symbol = _by_entrez()
        own = table["perturbagen"] == table["entrez_gene_id"]
        counts = {"lines": len(table), "own": int(own.sum()),
                  "perturbed": table["perturbagen"].nunique()}
        table = table[~own].assign(symbol=table["perturbagen"].map(symbol))
        made = table.pivot_table("z_score", "symbol", "entrez_gene_id", fill_value=0)
    else:
        made, counts = _of_file(sources.fetch(_REPLOGLE) if name == "replogle_k562" else name)
    made = made.loc[(made != 0).sum(axis=1) >= least].astype(np.float32)
    if len(made) < 10:
        raise ValueError(f"{name} has {len(made)} perturbed genes with {least} effects or more; "
                         "take a smaller `least`, or another file")
    made = made.loc[:, (made != 0).any()].rename_axis(index="symbol", columns=None)
    made.attrs = counts
    return made


def genetic_interactions():
    """Genetic interactions of 112 genes activated in pairs in K562 (Norman et al. 2019).

    Returns
    -------
    scores : pandas.DataFrame
        (112, 112) symmetric, by approved symbol: by how much the fitness of the double departs
        from what its singles let expect, in units of the screen; above 0 it grows better. NaN on
        the diagonal, a gene with itself.
    fitness : pandas.Series
        (112,) fitness of each gene activated alone: beside the negative control.
    """
    scores, fitness = (pd.read_csv(sources.fetch(key), sep="\t", index_col=0)
                       for key in (_INTERACTIONS, _FITNESS))
    values = (scores.to_numpy() + scores.to_numpy().T) / 2
    np.fill_diagonal(values, np.nan)
    names = approved(scores.index)
    return (pd.DataFrame(values, names, names),
            fitness.loc[scores.index, "negative"].set_axis(names).rename("fitness"))


def double_perturbations():
    """Double activations in K562 whose transcriptomes were measured (Norman et al. 2019).

    Returns
    -------
    pandas.DataFrame
        (125, 5): ``a``, ``b`` (approved symbols); ``additive``, the correlation of the double's
        profile with the sum of its singles' profiles; and of the singles alone ``similarity``,
        the distance correlation of the two profiles, and ``strength``, log10 of the number of
        genes that the two change, added.
    """
    table = pd.read_csv(sources.fetch(_DOUBLES), index_col="name")
    first, second = zip(*(name.split("_") for name in table.index))
    return pd.DataFrame({
        "a": approved(first), "b": approved(second), "additive": table["corr_sum"].to_numpy(),
        "similarity": table["dcor_singles"].to_numpy(),
        "strength": (table["de_first"] + table["de_second"]).to_numpy()})


def approved(names):
    """(n,) approved symbols; a name that has none stays as it is."""
    found = genes.match(list(names)).symbols
    return np.where(found == "", np.asarray(names, dtype=object), found)


def _by_entrez():
    known = genes.hgnc()["entrez_id"].loc[lambda ids: ids != ""]
    return pd.Series(known.index, known.astype(int))


def _of_file(path):
    from genept_utils.datasets.formats import read_cells

    adata = read_cells(path)
    values = adata.X.toarray() if hasattr(adata.X, "toarray") else np.asarray(adata.X)
    rows = pd.Series(adata.obs_names, dtype=str)
    rows = rows.str.extract(r"^\d+_([^_]+)_", expand=False).fillna(rows)
    symbols = genes.match(rows).symbols
    texts = [adata.var_names, *(adata.var[name].astype(str) for name in adata.var
                                if not pd.api.types.is_numeric_dtype(adata.var[name]))]
    columns = max((genes.match(list(names)).symbols for names in texts),
                  key=lambda found: (found != "").sum())
    for side, found, form in (("row", symbols, "a gene, or NUMBER_GENE_... as in Replogle et al."),
                              ("column", columns, "a gene")):
        if not (found != "").any():
            raise ValueError(f"{Path(path).name} is no table of perturbations by genes: no {side} "
                             f"is named after {form}")
    own = (columns == symbols[:, None]) & (columns != "")
    values = np.where(own | ~np.isfinite(values), 0, values)
    made = pd.DataFrame(values, symbols, adata.var_names)[symbols != ""]
    return made.groupby(level=0).mean(), {"lines": len(rows), "own": int(own.sum()),
                                          "perturbed": len(set(symbols) - {""})}
