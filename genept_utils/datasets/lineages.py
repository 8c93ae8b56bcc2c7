"""The blood lineages that several open sets share."""

import pandas as pd

# Names of blood cell types in the sets above -> the lineages that all of them hold.
_LINEAGES = {
    "B": ["B", "CD19+ B"],
    "CD4 T": ["CD4 T", "CD4+ T cells", "T_CD4", "CD4+ T Helper2", "CD4+/CD45RO+ Memory",
              "CD4+/CD25 T Reg", "CD4+/CD45RA+/CD25- Naive T"],
    "CD8 T": ["CD8 T", "CD8+ T cells", "T_CD8", "CD8+ Cytotoxic T",
              "CD8+/CD45RA+ Naive Cytotoxic"],
    "NK": ["NK", "NK cells", "CD56+ NK"],
    "monocyte": ["CD14 Monocytes", "FCGR3A Monocytes", "CD14+ Monocytes", "CD16+ Monocytes",
                 "CD14+ Monocyte", "Mono_CD14", "Mono_CD16"],
}


def lineages(adata):
    """The blood cells of five lineages that several sets share, as their ``cell_type``.

    Returns
    -------
    anndata.AnnData
        A copy with the cells whose type belongs to B, CD4 T, CD8 T, NK or monocyte.
    """
    name_of = {name: lineage for lineage, names in _LINEAGES.items() for name in names}
    found = adata.obs["cell_type"].astype(str).map(name_of)
    kept = adata[found.notna().to_numpy()].copy()
    kept.obs["cell_type"] = pd.Categorical(found.dropna())
    return kept
