"""Open data sets: cells as AnnData, gene tasks as tidy frames. Nothing here evaluates.

A set of cells is an AnnData with float32 CSR ``.X`` (cells x genes), ``.obs`` with the columns
``cell_type``, ``batch``, ``donor`` and ``condition`` as far as they are known, and
``.uns["genept_data"]`` with the set's name and whether its values are ``"raw"`` counts or
``"log"``-normalised.
"""

import ast
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import genes, sources

# ======================================================================================
# Cells
# ======================================================================================

_MIXOLOGY = {  # file -> (experiment, plate)
    "sc_celseq2": ("CEL-seq2, 3 lines", "CEL-seq2 3cl"),
    "sc_dropseq": ("Drop-seq, 3 lines", "Drop-seq 3cl"),
    "sc_celseq2_5cl_p1": ("CEL-seq2, 5 lines", "CEL-seq2 5cl p1"),
    "sc_celseq2_5cl_p2": ("CEL-seq2, 5 lines", "CEL-seq2 5cl p2"),
    "sc_celseq2_5cl_p3": ("CEL-seq2, 5 lines", "CEL-seq2 5cl p3"),
}


def _mixology_keys(plates):
    return [f"cells/sc_mixology_{plate}.{part}.csv.gz"
            for plate in plates for part in ("count", "metadata")]


# Shape and number of cell types that a loader must find, as the registry's notes state them.
CELLS = {
    "pbmc_facs": {"keys": ["cells/pbmc_facs.RData"], "shape": (3774, 16791), "types": 10,
                  "values": "raw"},
    "pbmc3k": {"keys": ["cells/pbmc3k.h5ad"], "shape": (2700, 32738), "types": 8,
               "values": "raw"},
    "kang": {"keys": ["cells/kang.h5ad", "cells/muscat_example_sce.rda"],
             "required": ["cells/kang.h5ad"], "shape": (13576, 14053), "types": 8,
             "values": "raw"},
    "immune": {"keys": ["cells/immune.h5ad"], "shape": (1000, 6397), "types": 14,
               "values": "log"},
    "mixology_5cl": {"keys": _mixology_keys([p for p in _MIXOLOGY if "5cl" in p]),
                     "shape": (909, 12653), "types": 5, "values": "raw"},
    "mixology": {"keys": _mixology_keys(_MIXOLOGY), "shape": (1408, 11533), "types": 5,
                 "values": "raw"},
    "symphony_pbmc": {"keys": ["cells/symphony_pbmcs_exprs.rda", "cells/symphony_pbmcs_meta.rda"],
                      "shape": (1200, 1767), "types": 9, "values": "log"},
    "melanoma_icb": {"keys": ["cells/melanoma_icb.RData"], "shape": (550, 3523), "types": 3,
                     "values": "log"},
    "pbmc68k_reduced": {"keys": [], "shape": (700, 765), "types": 10, "values": "log"},
}
COLUMNS = ("cell_type", "batch", "donor", "condition")


def sources_of(name, required=False):
    """Keys of the registered files of a set (with ``required``: those it cannot do without)."""
    if name not in CELLS:
        return []
    return CELLS[name]["required" if required and "required" in CELLS[name] else "keys"]


def available(names, report=print):
    """Those of the named sets (or paths) whose files can be had; the others are reported.

    Parameters
    ----------
    names : sequence of str
        Names as :func:`load` takes them.
    report : callable or None
        Is given one sentence about each set that cannot be had.

    Returns
    -------
    list of str
        In the order given.
    """
    had = []
    for name in names:
        try:
            for key in sources_of(name, required=True):
                sources.fetch(key)
        except sources.SourceError as error:
            if report:
                report(f"{name} is left out: {str(error).splitlines()[0]}")
        else:
            had.append(name)
    return had


def load(name_or_path, label=None, batch=None, donor=None, condition=None):
    """A set of cells by name, or any ``.h5ad`` by path.

    Parameters
    ----------
    name_or_path : str
        A name of :data:`CELLS`, or the path of an ``.h5ad`` file.
    label, batch, donor, condition : str, optional
        Column of ``.obs`` that holds the cell type, batch, donor and condition. A registered
        set knows its own. In a file a column that already bears the standard name
        (``cell_type``, ``batch``, ``donor``, ``condition``) is taken without being asked for.

    Returns
    -------
    anndata.AnnData
        (n_cells, n_genes), see the module's first lines. Cells without a cell type are left out.

    Raises
    ------
    KeyError
        A column does not exist; the message names those that do.
    FileNotFoundError
        Neither a known set nor a file.
    ValueError
        A registered set does not have the shape or the number of cell types it must have.
    genept_utils.sources.SourceError
        A registered file cannot be had.
    """
    name = str(name_or_path)
    if name in CELLS:
        adata = _LOADERS[name]()
        _check(name, adata)
        values = CELLS[name]["values"]
    elif Path(name).expanduser().suffix == ".h5ad":
        path = Path(name).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}; `dataset` is a path to an .h5ad "
                                    f"file or one of {', '.join(CELLS)}")
        adata, values, name = read_h5ad(path), None, path.stem
    else:
        raise FileNotFoundError(f"{name!r} is neither a known data set ({', '.join(CELLS)}) nor "
                                "the path of an .h5ad file")
    for column, given in zip(COLUMNS, (label, batch, donor, condition)):
        if given:
            _column(adata, given)
            adata.obs[column] = adata.obs[given]
        if column in adata.obs:
            adata.obs[column] = pd.Categorical(adata.obs[column].astype(object))
    if "cell_type" not in adata.obs:
        raise KeyError(f"{name} has no column cell_type; name the label column with label=COLUMN."
                       f" Columns: {', '.join(map(str, adata.obs.columns)) or 'none'}")
    unlabelled = adata.obs["cell_type"].isna().to_numpy()
    if unlabelled.any():
        warnings.warn(f"{unlabelled.sum():,} of {adata.n_obs:,} cells have no cell type and are "
                      "left out", stacklevel=2)
        adata = adata[~unlabelled].copy()
    adata.uns["genept_data"] = {"name": name} | ({"values": values} if values else {})
    return adata


def require(adata, *columns):
    """Raise a KeyError that names the columns there are if one of ``columns`` is missing."""
    for column in columns:
        if column not in adata.obs:
            raise KeyError(f"{adata.uns['genept_data']['name']} has no column {column}; name it "
                           f"with {column}=COLUMN. Columns: "
                           f"{', '.join(map(str, adata.obs.columns))}")


def read_h5ad(path, rows=1000):
    """An ``.h5ad`` file with ``.X`` as float32 CSR, read a block of rows at a time.

    A dense matrix is never held whole: 13,576 x 14,053 float32 numbers take 763 MB.

    Parameters
    ----------
    path : path
        The file.
    rows : int
        Rows of a dense matrix that are read at a time.
    """
    with warnings.catch_warnings():  # files of old anndata versions are read all the same
        warnings.filterwarnings("ignore", message=".*written without encoding metadata")
        backed = ad.read_h5ad(path, backed="r")
    try:
        if backed.X is None:
            raise ValueError(f"{path} has no matrix X")
        blocks = [sp.csr_matrix(backed.X[start:start + rows], dtype=np.float32)
                  for start in range(0, backed.n_obs, rows)]
        return ad.AnnData(sp.vstack(blocks, format="csr"), obs=backed.obs.copy(),
                          var=backed.var.copy(), uns=_kept_uns(backed))
    finally:
        backed.file.close()


def _kept_uns(adata):
    """Of a file's notes only scanpy's mark that the values are logged."""
    return {"log1p": {}} if "log1p" in adata.uns else {}


def _column(adata, column):
    if column not in adata.obs:
        raise KeyError(f"there is no column {column!r} in obs; the columns are "
                       f"{', '.join(map(str, adata.obs.columns)) or 'none'}")


def _check(name, adata):
    expected = CELLS[name]
    found = adata.shape, adata.obs["cell_type"].nunique()
    if found != (expected["shape"], expected["types"]):
        raise ValueError(f"{name}: {found[0]} with {found[1]} cell types was read, "
                         f"{expected['shape']} with {expected['types']} is right")


def _from_r(matrix, transposed=False):
    """An R ``dgCMatrix`` (column-compressed) as float32 CSR; genes x cells if ``transposed``."""
    # int() because the slots are int32 arrays; compressed columns read as rows are the transpose
    shape = tuple(int(n) for n in matrix.Dim)
    columns = sp.csc_matrix((matrix.x.astype(np.float32), matrix.i, matrix.p), shape=shape)
    return columns.T.tocsr() if transposed else columns.tocsr()


def _read_r(key):
    import rdata

    with warnings.catch_warnings():  # classes that rdata has no constructor for, as expected
        warnings.simplefilter("ignore")
        return rdata.read_rda(sources.fetch(key))


def _pbmc_facs():
    """Zheng et al. 2017: labels from sorting, not from clustering the same cells."""
    data = _read_r("cells/pbmc_facs.RData")["pbmc_facs"]
    obs = data["samples"].astype(str)
    obs = pd.DataFrame({"cell_type": obs["celltype"], "subpopulation": obs["subpop"]})
    obs.index = np.char.add("cell", np.arange(len(obs)).astype(str))  # barcodes repeat
    genes = data["genes"].astype(str)
    genes.index = ad.utils.make_index_unique(pd.Index(genes["symbol"], name=None))
    return ad.AnnData(_from_r(data["counts"]), obs=obs, var=genes)


def _pbmc3k():
    adata = read_h5ad(sources.fetch("cells/pbmc3k.h5ad"))
    adata.var_names_make_unique()
    adata.obs["cell_type"] = adata.obs.pop("celltype")
    return adata


def _kang():
    """Kang et al. 2018; donors of the 962 cells whose barcode and condition muscat has too."""
    adata = read_h5ad(sources.fetch("cells/kang.h5ad"))
    adata.obs["batch"] = adata.obs["condition"]
    try:
        sample = _muscat_samples()
    except sources.SourceError:
        return adata
    # Seurat writes "-1" for "." and muscat keeps the 10x suffix: both hold the same barcode
    own = adata.obs_names.str.replace(".", "-", regex=False)
    donor = pd.Series(sample.reindex(own).to_numpy(object), adata.obs_names)
    agrees = donor.str[:4].eq(adata.obs["stim"].astype(str).str.lower().to_numpy())
    adata.obs["donor"] = donor.str[4:].where(agrees)
    return adata


def _muscat_samples():
    """muscat's ``sample_id`` ("ctrl101" and so on) by barcode."""
    cells = _read_r("cells/muscat_example_sce.rda")["example_sce"].colData
    return pd.Series(np.asarray(cells.listData["sample_id"], dtype=object), list(cells.rownames))


def _immune():
    adata = read_h5ad(sources.fetch("cells/immune.h5ad"))
    adata.obs["cell_type"] = adata.obs.pop("cell_type_annotations")
    return adata


def _mixology(plates):
    """Tian et al. 2019: cell lines told apart by genotype; genes that every plate measured."""
    parts = []
    for plate in plates:
        count_key, metadata_key = _mixology_keys([plate])
        counts = pd.read_csv(sources.fetch(count_key), index_col=0)
        # one name fewer than columns in the head: pandas takes the cell names as the index
        cells = pd.read_csv(sources.fetch(metadata_key))
        part = ad.AnnData(sp.csr_matrix(counts.to_numpy(np.float32).T),
                          var=pd.DataFrame(index=counts.index))
        part.obs_names = [f"{plate}:{cell}" for cell in counts.columns]
        experiment, batch = _MIXOLOGY[plate]
        part.obs["cell_type"] = cells.loc[counts.columns, "cell_line_demuxlet"].to_numpy()
        part.obs["doublet"] = cells.loc[counts.columns, "demuxlet_cls"].eq("DBL").to_numpy()
        part.obs["plate"], part.obs["experiment"] = batch, experiment
        parts.append(part)
    joined = ad.concat(parts, join="inner")
    joined.obs["batch"] = joined.obs["plate" if len(plates) == 3 else "experiment"]
    joined.X = joined.X.tocsr()
    return joined


def _symphony_pbmc():
    """Kang et al. 2021: PBMC on three 10x chemistries."""
    matrix = _read_r("cells/symphony_pbmcs_exprs.rda")["pbmcs_exprs_small"]
    cells = _read_r("cells/symphony_pbmcs_meta.rda")["pbmcs_meta_small"].set_index("cell_id")
    genes, names = matrix.Dimnames
    obs = cells.loc[names, ["cell_type", "cell_type_broad"]].astype(str)
    obs["batch"] = cells.loc[names, "donor"].astype(str)
    return ad.AnnData(_from_r(matrix, transposed=True), obs=obs, var=pd.DataFrame(index=genes))


def _melanoma_icb():
    """Sade-Feldman et al. 2018: T cells before therapy, response known per patient."""
    data = _read_r("cells/melanoma_icb.RData")["example_scrnaseq"]
    cells = vars(data)["meta.data"]
    matrix = data.assays["RNA"].data
    obs = pd.DataFrame({"cell_type": cells["celltype"], "donor": cells["patient"],
                        "condition": cells["respond"], "therapy": cells["therapy"]}).astype(str)
    return ad.AnnData(_from_r(matrix, transposed=True), obs=obs.loc[matrix.Dimnames[1]],
                      var=pd.DataFrame(index=matrix.Dimnames[0]))


def _pbmc68k_reduced():
    """scanpy's own small set; its ``raw`` holds the log-normalised values."""
    import scanpy as sc

    with warnings.catch_warnings():  # the file is of an old anndata
        warnings.simplefilter("ignore")
        full = sc.datasets.pbmc68k_reduced()
        raw = full.raw.to_adata()
    raw.obs = pd.DataFrame({"cell_type": full.obs["bulk_labels"].astype(str)})
    return ad.AnnData(sp.csr_matrix(raw.X, dtype=np.float32), obs=raw.obs, var=raw.var[[]])


_LOADERS = {
    "pbmc_facs": _pbmc_facs, "pbmc3k": _pbmc3k, "kang": _kang, "immune": _immune,
    "mixology_5cl": lambda: _mixology([plate for plate in _MIXOLOGY if "5cl" in plate]),
    "mixology": lambda: _mixology(list(_MIXOLOGY)),
    "symphony_pbmc": _symphony_pbmc, "melanoma_icb": _melanoma_icb,
    "pbmc68k_reduced": _pbmc68k_reduced,
}

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


# ======================================================================================
# Gene tasks
# ======================================================================================

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
        table = table[(found["how"] == "approved").to_numpy()]
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


PAIR_SETS = {
    "ggi": [f"interactions/ggi_{split}_{part}.txt" for split in ("train", "valid", "test")
            for part in ("text", "label")],
    "HuRI": ["interactions/HuRI.tsv"],
    "Lit-BM": ["interactions/lit_bm_17.tsv"],
    "tissue-specific": [f"interactions/ohmnet_brain/{part}.edgelist" for part in (
        "cerebellum", "frontal_lobe", "medulla_oblongata", "midbrain", "occipital_lobe",
        "parietal_lobe", "pons", "substantia_nigra", "temporal_lobe")],
}


def gene_pairs(name):
    """Pairs of genes: the labelled GGI list with its given split, or a protein network.

    Parameters
    ----------
    name : {"ggi", "HuRI", "Lit-BM", "tissue-specific"}
        The last one is the union of nine brain regions (OhmNet).

    Returns
    -------
    pandas.DataFrame
        ``a``, ``b`` (approved symbols) and for ``"ggi"`` also ``label`` (0/1) and ``split``
        ("train", "valid", "test"). Networks hold reported pairs only, each once with a < b.
        ``.attrs["loss"]`` counts ``lines``, ``unmatched`` (an end has no gene, or several),
        ``self_pairs``, ``repeated`` and ``pairs`` kept.
    """
    if name not in PAIR_SETS:
        raise ValueError(f"pair set {name!r} is not one of {', '.join(PAIR_SETS)}")
    if name == "ggi":
        parts = [_ggi(split) for split in ("train", "valid", "test")]
    else:
        parts = [pd.read_csv(sources.fetch(key), sep="\t", dtype=str, usecols=[0, 1],
                             header=0 if name == "Lit-BM" else None, names=["a", "b"])
                 for key in PAIR_SETS[name]]
    table = pd.concat(parts, ignore_index=True)
    ends = genes.match(table[["a", "b"]].to_numpy().ravel()).symbols.reshape(-1, 2)
    table["a"], table["b"] = ends[:, 0], ends[:, 1]
    loss = {"lines": len(table)}
    table = table[(ends != "").all(axis=1)]
    loss["unmatched"] = loss["lines"] - len(table)
    before, table = len(table), table[table["a"] != table["b"]]
    loss["self_pairs"] = before - len(table)
    before = len(table)
    if name != "ggi":  # the list of Du et al. is used line by line, as it was published
        table = pd.DataFrame(np.sort(table[["a", "b"]].to_numpy(), axis=1), columns=["a", "b"])
        table = table.drop_duplicates()
    loss |= {"repeated": before - len(table), "pairs": len(table)}
    table = table.reset_index(drop=True)
    table.attrs["loss"] = loss
    return table


def _ggi(split):
    """A gene of this list is literally called NA, so nothing is read as missing."""
    pairs = pd.read_csv(sources.fetch(f"interactions/ggi_{split}_text.txt"), sep=r"\s+",
                        header=None, names=["a", "b"], dtype=str, keep_default_na=False)
    label = np.loadtxt(sources.fetch(f"interactions/ggi_{split}_label.txt"), dtype=int)
    return pairs.assign(label=label, split=split)
