"""Chapter 10: gene vectors from other cells, settings, tables, and rows of results."""

import functools
import gc

import pandas as pd

from genept_utils import cells, datasets, embed, evaluate, sources

BLOOD, LINES, THREE_LINES = ("pbmc_facs", "kang"), "mixology_5cl", "mixology, three lines"
OF_BLOOD = {"pbmc_facs", "pbmc3k", "kang", "immune", "symphony_pbmc"}
SAME, OTHER = "loadings, same tissue", "loadings, other tissue"
NARROW = ", genes of the other tissue"  # behind a task that is scored on fewer genes
ORDER = ["Gene2vec", SAME, "text + co-expression", "GenePT MiniLM", "GenePT WordLlama",
         "name only", "GO processes", "TF-IDF", "spelling", "permuted", "permuted Gene2vec",
         "random"]
PAIRS = [("GenePT MiniLM", other) for other in
         ("permuted", "spelling", "TF-IDF", "name only", "GenePT WordLlama", "GO processes",
          "Gene2vec", SAME, OTHER)] + [
    ("Gene2vec", "permuted Gene2vec"), ("Gene2vec", OTHER), ("Gene2vec", SAME),
    ("text + co-expression", "Gene2vec"), (SAME, OTHER)]


def ready(sets, max_cells, seed):
    """The sets sampled and their genes named by symbol, so that it is done once."""
    made = {}
    for name, adata in sets.items():
        rows = evaluate.subsample(adata.obs["cell_type"], max_cells, seed)
        made[name] = cells.by_symbol(adata[rows])
    return made


def parts_of(sets, columns):
    """The sets, and their parts by the values of some columns of ``obs``: "kang control"."""
    parts = dict(sets)
    for name, adata in sets.items():
        for column in [column for column in columns if column in adata.obs]:
            for value in adata.obs[column].dropna().unique():
                parts[f"{name} {value}"] = adata[adata.obs[column] == value]
    return parts


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
    return cells.coexpression(adata[adata.obs["experiment"].str.endswith("3 lines")], seed=seed)


def by_panel_size(adata, embeddings, sizes, among=None, report=print, **options):
    """:func:`genept_utils.evaluate.across_panels` for panels of several sizes, as far as the pool
    holds three; ``among`` draws them from so many variable genes instead of all."""
    pool = "all genes" if among is None else "variable genes"
    if among is not None:
        among = adata.var_names[cells.highly_variable(adata, among)]  # once for all sizes
        gc.collect()  # the copies that this took
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
    return made.round(2)


def differences(runs, pairs=PAIRS):
    """Paired differences of accuracy draw by draw in every data set, and over the data sets with
    one mean each: rows for the ledger."""
    by = ["task", "split"]
    made = [evaluate.compare(runs, pairs, "draw", "accuracy", [*by, "dataset"])]
    sets = runs.groupby(by)["dataset"].nunique()
    for (task, split), number in sets[sets > 1].items():
        here = runs[(runs["task"] == task) & (runs["split"] == split)]
        mean = here.groupby(["dataset", "method"], as_index=False)["accuracy"].mean()
        made.append(evaluate.compare(mean, pairs, "dataset", "accuracy").assign(
            task=task, split=split, dataset=f"{number} sets"))
    return pd.concat(made, ignore_index=True).assign(metric="accuracy")


def shown(gaps, split="disjoint panels"):
    """Differences as text, "+.12 [.08, .16]": a line per pair, a column per data set."""
    gaps = gaps[gaps["split"] == split]
    text = [f"{row.value:+.2f} [{row.low:+.2f}, {row.high:+.2f}]" for row in gaps.itertuples()]
    return gaps.assign(text=text).pivot_table(
        "text", ["method", "against"], "dataset", aggfunc="first", sort=False)


def rows(runs):
    """Rows for the ledger: ``accuracy`` and ``f1_macro`` with the middle 95 % of the draws, and
    the number ``n`` of test cells."""
    made = evaluate.summary(runs, ["task", "dataset", "method", "split"], ["accuracy", "f1_macro"])
    size = runs.groupby(["task", "dataset"])["n_test"].first().astype(int).rename("n")
    return made.merge(size.reset_index(), on=["task", "dataset"])
