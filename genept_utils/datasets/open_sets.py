"""The open sets of cells, each by name."""

import hashlib
import warnings

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import genes, memory, paths, sources
from genept_utils.datasets.columns import categorical, writable
from genept_utils.datasets.files import read_h5ad

_MIXOLOGY = {  # file -> (experiment, plate)
    "sc_celseq2": ("CEL-seq2, 3 lines", "CEL-seq2 3cl"),
    "sc_dropseq": ("Drop-seq, 3 lines", "Drop-seq 3cl"),
    **{f"sc_celseq2_5cl_p{n}": ("CEL-seq2, 5 lines", f"CEL-seq2 5cl p{n}") for n in (1, 2, 3)},
}
_FIVE_LINES = [plate for plate in _MIXOLOGY if "5cl" in plate]
CELLS = {}  # name -> its loader, its files, and what the loader must find


def open_set(shape, types, values, *keys, also=()):
    """Decorator: register a loader as the open set of its name.

    ``shape`` and number of cell ``types`` as the registry's notes state them, ``values`` "raw" or
    "log", ``keys`` of its files; it does without those of ``also``.
    """
    def register(read):
        CELLS[read.__name__] = {"read": read, "required": keys, "keys": [*keys, *also],
                                "shape": shape, "types": types, "values": values}
        return read
    return register


def _mixology_keys(plates):
    return [f"cells/sc_mixology_{plate}.{part}.csv.gz"
            for plate in plates for part in ("count", "metadata")]


def sources_of(name, required=False):
    """Keys of the registered files of a set (with ``required``: those it cannot do without)."""
    return CELLS[name]["required" if required else "keys"] if name in CELLS else []


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


def _from_r(matrix, transposed=False):
    """An R ``dgCMatrix`` (column-compressed) as float32 CSR; genes x cells if ``transposed``."""
    # int() because the slots are int32 arrays; compressed columns read as rows are the transpose
    shape = tuple(int(n) for n in matrix.Dim)
    columns = sp.csc_matrix((matrix.x.astype(np.float32), matrix.i, matrix.p), shape=shape)
    return columns.T.tocsr() if transposed else columns.tocsr()


def _read_r(key):
    import rdata

    with warnings.catch_warnings(), memory.uncollected():
        warnings.simplefilter("ignore")  # classes that rdata has no constructor for, as expected
        return rdata.read_rda(sources.fetch(key))


@open_set((3774, 16791), 10, "raw", "cells/pbmc_facs.RData")
def pbmc_facs():
    """Zheng et al. 2017: labels from sorting, not from clustering the same cells."""
    data = _read_r("cells/pbmc_facs.RData")["pbmc_facs"]
    obs = data["samples"].astype(str)
    obs = pd.DataFrame({"cell_type": obs["celltype"], "subpopulation": obs["subpop"]})
    obs.index = np.char.add("cell", np.arange(len(obs)).astype(str))  # barcodes repeat
    var = data["genes"].astype(str)
    var.index = ad.utils.make_index_unique(pd.Index(var["symbol"], name=None))
    return ad.AnnData(_from_r(data["counts"]), obs=obs, var=var)


@open_set((2700, 32738), 8, "raw", "cells/pbmc3k.h5ad")
def pbmc3k():
    adata = read_h5ad(sources.fetch("cells/pbmc3k.h5ad"))
    adata.var_names_make_unique()
    adata.obs["cell_type"] = adata.obs.pop("celltype")
    return adata


@open_set((13576, 14053), 8, "raw", "cells/kang.h5ad", also=["cells/muscat_example_sce.rda"])
def kang():
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


@open_set((1000, 6397), 14, "log", "cells/immune.h5ad")
def immune():
    adata = read_h5ad(sources.fetch("cells/immune.h5ad"))
    adata.obs["cell_type"] = adata.obs.pop("cell_type_annotations")
    return adata


@open_set((1408, 11533), 5, "raw", *_mixology_keys(_MIXOLOGY))
def mixology(plates=tuple(_MIXOLOGY)):
    """Tian et al. 2019: cell lines told apart by genotype; genes that every plate measured."""
    parts = []
    for plate in plates:
        count_key, metadata_key = _mixology_keys([plate])
        counts = pd.read_csv(sources.fetch(count_key), index_col=0)
        counts = counts[(genes.kinds(counts[[]]) == "").to_numpy()]  # without ERCC spike-ins
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
    return joined


@open_set((909, 12627), 5, "raw", *_mixology_keys(_FIVE_LINES))
def mixology_5cl():
    return mixology(_FIVE_LINES)


@open_set((1200, 1767), 9, "log", "cells/symphony_pbmcs_exprs.rda",
          "cells/symphony_pbmcs_meta.rda")
def symphony_pbmc():
    """Kang et al. 2021: PBMC on three 10x chemistries."""
    matrix = _read_r("cells/symphony_pbmcs_exprs.rda")["pbmcs_exprs_small"]
    cells = _read_r("cells/symphony_pbmcs_meta.rda")["pbmcs_meta_small"].set_index("cell_id")
    symbols, names = matrix.Dimnames
    obs = cells.loc[names, ["cell_type", "cell_type_broad"]].astype(str)
    obs["batch"] = cells.loc[names, "donor"].astype(str)
    return ad.AnnData(_from_r(matrix, transposed=True), obs=obs, var=pd.DataFrame(index=symbols))


@open_set((550, 3523), 3, "log", "cells/melanoma_icb.RData")
def melanoma_icb():
    """Sade-Feldman et al. 2018: T cells before therapy, response known per patient."""
    data = _read_r("cells/melanoma_icb.RData")["example_scrnaseq"]
    cells = vars(data)["meta.data"]
    matrix = data.assays["RNA"].data
    obs = pd.DataFrame({"cell_type": cells["celltype"], "donor": cells["patient"],
                        "condition": cells["respond"], "therapy": cells["therapy"]}).astype(str)
    return ad.AnnData(_from_r(matrix, transposed=True), obs=obs.loc[matrix.Dimnames[1]],
                      var=pd.DataFrame(index=matrix.Dimnames[0]))


def load_open(name):
    """The open set of this name; ValueError where it has not the shape it must have.

    Parsing takes up to three seconds, so what was read is kept, by the hashes of its files.
    """
    known, digest = sources.registry()["sha256"], hashlib.sha256()
    for key in CELLS[name]["keys"]:
        try:
            sources.fetch(key)
        except sources.SourceError:
            if key in CELLS[name]["required"]:
                raise
        else:
            digest.update(known[key].encode())
    return ad.read_h5ad(sources.derived(
        paths.cache() / "derived" / f"{name}_{digest.hexdigest()[:16]}.h5ad",
        lambda part: _read(name).write_h5ad(part, compression="lzf",
                                            convert_strings_to_categoricals=False)))


def _read(name):
    expected = CELLS[name]
    adata = expected["read"]()
    found = adata.shape, adata.obs["cell_type"].nunique()
    if found != (expected["shape"], expected["types"]):
        raise ValueError(f"{name}: {found[0]} with {found[1]} cell types was read, "
                         f"{expected['shape']} with {expected['types']} is right")
    for name in adata.obs.columns[adata.obs.isna().any()]:  # text with gaps cannot be written
        adata.obs[name] = categorical(adata.obs[name])
    adata.obs, adata.var, adata.uns = writable(adata.obs), writable(adata.var), {}
    return adata
