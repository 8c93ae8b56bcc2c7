"""Chapter 10: gene vectors from other cells, settings, tables, and rows of results."""

import functools

import numpy as np
import pandas as pd

from genept_utils import cells, datasets, embed, evaluate, memory, sources
from genept_utils.embed.vectors import by_symbol, checked
from genept_utils.evaluate.gene_spaces import shared_rows

BLOOD, LINES, THREE_LINES = ("pbmc_facs", "kang"), "mixology_5cl", "mixology, three lines"
OF_BLOOD = {"pbmc_facs", "pbmc3k", "kang", "immune", "symphony_pbmc"}
SAME, OTHER = "loadings, same tissue", "loadings, other tissue"
NARROW = ", genes of the other tissue"  # behind a task that is scored on fewer genes
STUDIES = [("pbmc3k", "pbmc_facs"), ("kang", "pbmc3k"), ("kang control", "kang stimulated"),
           ("kang 101", "kang 107"), ("symphony_pbmc 3pv1", "symphony_pbmc 5p")]
ORDER = ["Gene2vec", SAME, "text + co-expression", "GenePT MiniLM", "GenePT WordLlama",
         "name only", "GO processes", "TF-IDF", "spelling", "permuted", "permuted Gene2vec",
         "random"]
PAIRS = [("GenePT MiniLM", other) for other in
         ("permuted", "spelling", "TF-IDF", "name only", "GenePT WordLlama", "GO processes",
          "Gene2vec", SAME, OTHER)] + [
    ("Gene2vec", "permuted Gene2vec"), ("Gene2vec", OTHER), ("Gene2vec", SAME),
    ("text + co-expression", "Gene2vec"), (SAME, OTHER)]

# Names of blood cell types in the open sets -> the lineages that all of them hold.
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


def ready(sets, max_cells, seed):
    """The sets sampled, each type in its share."""
    return {name: adata[evaluate.subsample(adata.obs["cell_type"], max_cells, seed)].copy()
            for name, adata in sets.items()}


def lineages(adata):
    """A copy of the cells of the five blood lineages, with these as their ``cell_type``."""
    found = _lineage(adata.obs)
    return _of_lineage(adata, found, np.flatnonzero(found.notna()))


def _lineage(obs):
    name_of = {name: lineage for lineage, names in _LINEAGES.items() for name in names}
    return obs["cell_type"].astype(str).map(name_of)


def _of_lineage(adata, found, rows):
    made = adata[rows].copy()
    made.obs["cell_type"] = pd.Categorical(found.iloc[rows])
    return made


def studies(name, whole, max_cells, seed):
    """The cells of a set for the pairs of studies, conditions, donors and chemistries, with the
    lineages that all share, by name ("kang control"), sampled as by :func:`ready`; none where no
    pair names the set."""
    wanted = sorted({one for pair in STUDIES for one in pair if one.split()[0] == name})
    if not wanted:
        return {}
    found, parts = _lineage(whole.obs), {}
    known = found.notna().to_numpy()
    parts[name] = known
    for column in [one for one in ("condition", "donor", "batch") if one in whole.obs]:
        values = whole.obs[column]
        parts |= {f"{name} {value}": known & (values == value).to_numpy()
                  for value in values.dropna().unique()}
    rows = {one: np.flatnonzero(parts[one]) for one in wanted if one in parts}
    return {one: _of_lineage(whole, found, own[evaluate.subsample(
        found.iloc[own], max_cells, seed)]) for one, own in rows.items() if len(own)}


def read(wanted, seed=0):
    """Gene vectors by method on the genes that all have, each cut when it is read to the genes of
    those before it: all genes of all methods take half a gigabyte."""
    shared, made = None, {}
    for method, name in wanted.items():
        for found in evaluate.readable({method: name}, seed).values():
            rows = by_symbol(found)
            rows = rows if shared is None else rows[rows.index.isin(shared)]
            made[method], shared = found[rows.to_numpy()].copy(), rows.index
    del found
    made = on_shared_genes(made)
    memory.release()
    return made


def on_shared_genes(embeddings):
    """Several embeddings by method, cut to the genes that all of them have, sorted by symbol."""
    shared, rows = shared_rows(embeddings)
    obs = pd.DataFrame(index=shared.rename("symbol"))
    return {method: embed.as_embedding(embedding.X[rows[method]], obs, **_about(embedding))
            for method, embedding in embeddings.items()}


def _about(embedding):
    own = embedding.uns.get("genept", {})
    return {name: str(own.get(name, "unknown")) for name in ("model", "text")}


def side_by_side(*embeddings):
    """One embedding of several of the same genes: each of unit length, one behind the other."""
    names = embeddings[0].obs_names
    if not all(names.equals(other.obs_names) for other in embeddings[1:]):
        raise ValueError("the embeddings are of different genes, or have them in another order; "
                         "on_shared_genes aligns them")
    about = pd.DataFrame([_about(embedding) for embedding in embeddings])
    return embed.as_embedding(np.hstack([embed.unit(embedding.X) for embedding in embeddings]),
                              pd.DataFrame(index=names), **about.agg(" + ".join).to_dict())


def relabelled(embedding, seed=0):
    """The vectors under the names of other genes, in the memory of the original."""
    names = np.random.default_rng(seed).permutation(checked(embedding).obs_names.to_numpy())
    return type(embedding)(embedding.X, obs=pd.DataFrame(index=names))


def references(names):
    """Sets that gene vectors are learnt from, none of ``names``: of the same tissue, of another."""
    blood = next(name for name in BLOOD if name not in names)
    return (THREE_LINES, blood) if LINES in names else (blood, LINES)


def loadings(names, seed=0, report=print):
    """Gene vectors learnt from the cells of two other sets, as {method: embedding} each; named by
    their tissue where that of the sets is known, else by the set."""
    made = []
    for reference, label in zip(references(names), (SAME, OTHER)):
        known = set(names) <= OF_BLOOD | {LINES}
        try:
            made.append({label if known else f"loadings, {reference}": _loadings(reference, seed)})
        except sources.SourceError as error:
            report(f"loadings of {reference} are left out: {str(error).splitlines()[0]}")
            made.append({})
    return made


@functools.cache
def _loadings(reference, seed):
    if reference != THREE_LINES:
        return embed.read_embedding(f"coexpression:{reference}", seed)
    adata = datasets.load("mixology")
    learnt = cells.coexpression(adata[adata.obs["experiment"].str.endswith("3 lines")], seed=seed)
    del adata
    memory.release()
    return learnt


def names_in(name):
    """The sets behind a name such as "kang control -> kang stimulated"."""
    return {part.split()[0] for part in name.split(" -> ")}


def overview(sets, vectors_for):
    """Per set where its loadings are learnt, and how many genes it has for all methods, and for
    those beside the other tissue."""
    made = {}
    for name, adata in sets.items():
        groups, learnt = vectors_for(name), references([name])
        made[name] = {"learnt from": learnt[0], "genes": len(evaluate.shared_genes(
            groups[""], adata)), "other tissue": learnt[1], "genes there": len(
            evaluate.shared_genes(groups[NARROW], adata)) if NARROW in groups else 0}
    return pd.DataFrame.from_dict(made, orient="index").rename_axis("dataset")


def by_panel_size(adata, embeddings, sizes, among=None, report=print, **options):
    """:func:`genept_utils.evaluate.across_panels` for panels of several sizes, as far as the pool
    holds three; ``among`` draws them from so many variable genes instead of all."""
    pool = "all genes" if among is None else "variable genes"
    if among is not None:
        among = adata.var_names[cells.highly_variable(adata, among)]  # once for all sizes
        memory.release()
    genes = evaluate.shared_genes(embeddings, adata)
    most = len(genes if among is None else among.intersection(genes))
    made = [evaluate.across_panels(adata, embeddings, size=size, among=among, same=False,
                                   **options).assign(
        size=size, pool=pool, task=f"panels of {size} from {pool}")
        for size in sizes if 3 * size <= most]
    if not made:
        report(f"{most:,} genes are fewer than three panels of {min(sizes)}: panel sizes are left "
               "out.")
    return pd.concat(made) if made else pd.DataFrame(columns=["size", "pool", "task", "split"])


def table(runs, split="disjoint panels", columns="dataset"):
    """Mean accuracy, a line per method and a column per data set; last the share of the largest
    type."""
    runs = runs[runs["split"] == split]
    made = runs.pivot_table("accuracy", "method", columns, sort=False)
    order = [name for name in ORDER if name in made.index]
    made = made.loc[[*[name for name in made.index if name not in order], *order]]
    made.loc["largest type"] = runs.groupby(columns, sort=False)["majority"].mean()
    return made.round(2).rename(columns=_plain)


def differences(runs, pairs=PAIRS, unit="draw", value="accuracy"):
    """Paired differences by ``unit`` in every data set, and over the data sets with one mean
    each: rows for the ledger."""
    by = ["task", "split"]
    made = [evaluate.compare(runs, pairs, unit, [value], [*by, "dataset"])]
    sets = runs.groupby(by)["dataset"].nunique()
    for (task, split), number in sets[sets > 1].items():
        here = runs[(runs["task"] == task) & (runs["split"] == split)]
        mean = here.groupby(["dataset", "method"], as_index=False)[value].mean()
        made.append(evaluate.compare(mean, pairs, "dataset", [value]).assign(
            task=task, split=split, dataset=f"{number} sets"))
    return pd.concat(made, ignore_index=True).assign(metric="accuracy")


def of_cells(predictions, **about):
    """Predictions of one draw as scores: a row per cell and method, 1 where it is right."""
    cell = predictions.groupby("method").cumcount()
    largest = predictions["true"].value_counts(normalize=True).max()
    return predictions.assign(cell=cell, accuracy=1.0 * (predictions["true"] == predictions[
        "found"]), majority=largest, split="disjoint panels", **about)


def shown(gaps, by=("method", "against"), across=("dataset",)):
    """Differences on disjoint panels as text, value and interval in columns. Beside a column over
    three sets or more a set has its value, with a star where its interval excludes zero; one over
    two sets says too little to be shown."""
    gaps = gaps[gaps["split"] == "disjoint panels"].reset_index(drop=True)
    over = gaps["dataset"].str.extract(r"^(\d+) sets$", expand=False).astype(float)
    gaps, over = gaps[~(over < 3)], over[~(over < 3)]
    brief = over.isna() & over.notna().any()
    starred = brief & ((gaps["low"] > 0) | (gaps["high"] < 0))
    text = gaps[["value", "low", "high"]].map("{:+.2f}".format)
    text["value"] += starred.map({True: "*", False: ""})
    text.loc[brief, ["low", "high"]] = None
    text = text.rename_axis(columns="number").stack().rename("text").reset_index("number")
    return gaps[[*by, *across]].join(text).pivot_table(
        "text", by, [*across, "number"], aggfunc="first", sort=False).rename(
        columns=_plain).rename_axis(columns=[*across, None])


def _plain(name):
    """"a -> b" breaks between its dash and its arrow."""
    return str(name).replace("->", "to")


def rows(runs, kind="spread", unit=None, values=("accuracy", "f1_macro")):
    """Rows for the ledger: by default with the middle 95 % of the draws."""
    return evaluate.summarise(runs, ["task", "dataset", "method", "split"], list(values), kind,
                              unit)


def second(path, label, **options):
    """Cells to predict, with their types where the file has them under ``label`` or
    ``cell_type``; where it has neither, a sentence says so."""
    given = {name: value for name, value in options.items() if value}
    adata = datasets.load(path, labelled=False, **given)
    if label in adata.obs:
        adata.obs["cell_type"] = adata.obs[label]
    if "cell_type" not in adata.obs:
        print(f"{path} has no column {label or 'cell_type'}, so no method is scored on it; its "
              f"columns are {', '.join(map(str, adata.obs)) or 'none'}.")
    return adata


def prepared(embedding, how):
    """An embedding with its vectors centred or whitened."""
    X = {"plain": lambda X: X, "centred": lambda X: X - X.mean(axis=0),
         "whitened": cells.whiten}[how](embedding.X)
    return embed.as_embedding(X, embedding.obs, **embedding.uns["genept"])


def transferred(train, test, embeddings, settings, name):
    """Accuracy of each method on cells of a second file that have types of their own."""
    made = {}
    for method, embedding in embeddings.items():
        C, how = next(found[method] for (own, _), found in settings.items()
                      if own == name and method in found)
        found = evaluate.transfer_labels(train, test, prepared(embedding, how), C=C)
        known = test.obs["cell_type"].notna().to_numpy()
        made[method] = (found["predicted"].to_numpy(object)[known]
                        == test.obs["cell_type"].to_numpy(object)[known]).mean()
    made["largest type"] = test.obs["cell_type"].value_counts(normalize=True).max()
    return pd.Series(made, name="accuracy").round(2).to_frame()
