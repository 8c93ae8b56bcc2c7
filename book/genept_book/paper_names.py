"""Results of a chapter under the names that the same numbers have in the paper."""

TASKS = {"batch agreement": "patient agreement"}
LABELS = {"batch": "patient", "condition": "phenotype"}
_SHARED = {"GenePT-w, every gene": "GenePT-w", "GenePT-w": "GenePT-w, shared genes"}
METHODS = {"Batch and context": {"PCA": "raw"}, "Table 2": _SHARED, "Appendix C4": _SHARED}
NOTES = {("Batch and context", "PCA"): "components of the counts",
         ("Appendix C4", "ensemble"): "components in the place of scGPT"}
# Sets whose phenotype of a cell the paper has beside their batches, this book in chapter 9.
BESIDE = {"aorta": "aorta", "cardiomyopathy": "cardiomyocyte"}


def rows(results, row, cells=0):
    """The results of one run, of the ``row`` of ``data/paper-datasets.csv``, for the ledger."""
    made = [named(result, row, cells) for result in results]
    if row["chapter"] == "09" and row["dataset"] in BESIDE:
        made += [{**one, "item": "Batch and context", "dataset": BESIDE[row["dataset"]]}
                 for one in made if one["task"] == "phenotype" and one.get("split") == "random cells"]
    return made


def named(result, row, cells=0):
    """One of them; its note says where it stands on fewer than the ``cells`` of the file."""
    made = {**result, "dataset": row["dataset"]}
    made["task"] = TASKS.get(made["task"], made["task"])
    label = made.get("label", "")
    made["label"] = row["labelled"] if label == "cell type" else LABELS.get(label, label)
    words = METHODS.get(made["item"], {})
    for side in {"method", "against"} & set(made):
        made[side] = words.get(made[side], made[side])
    notes = [made.get("note"), NOTES.get((made["item"], result["method"]))]
    if (made.get("n") or cells) < cells:
        notes.append(f"{made['n']:,} of the {cells:,} cells")
    if any(notes):
        made["note"] = "; ".join(filter(None, notes))
    return made
