"""The page of ``score``: one HTML file that asks for nothing from elsewhere, and JSON beside it."""

import datetime
import json

import pandas as pd

from genept_book import claims, methods
from genept_book.templates import render
from genept_utils import sources

SCHEMA = "genept-score/1"
METRICS = {"roc_auc": "ROC-AUC", "ari": "adjusted Rand index"}
TONES = {"ahead": "good", "slightly ahead": "good", "behind": "bad", "slightly behind": "bad"}


def write(scores, differences, path):
    """Write PATH.html and PATH.json, each whole or not at all; return their paths."""
    about, date = scores.attrs, datetime.date.today().isoformat()
    made = {"schema": SCHEMA, "embedding": {name: about[name] for name in (
        "name", "genes", "dimensions", "sha256")}, "date": date, "left_out": about["left_out"],
        **{name: json.loads(table.to_json(orient="records", double_precision=6))
           for name, table in (("scores", scores), ("differences", differences))}}
    files = {path.with_name(path.name + ".html"): page(scores, differences, date),
             path.with_name(path.name + ".json"): json.dumps(made, ensure_ascii=False, indent=1)}
    for target, text in files.items():
        sources.save(target, text + "\n")
    return list(files)


def page(scores, differences, date):
    """The HTML of :func:`write`."""
    kinds, lines, tasks = {}, {}, []
    if len(scores):
        scores, gaps = (table.assign(dataset=table["dataset"].fillna(""))
                        for table in (scores, differences))
        ours = gaps[gaps["source"] == "measured"]
        kinds = {kind: ours.loc[ours["reads"] == kind, "against"].unique()
                 for kind in methods.KINDS if kind in set(ours["reads"])}
        lines = {", ".join(filter(None, named)): {
                     kind: list(part[part["reads"] == kind].itertuples()) for kind in kinds}
                 for named, part in ours.groupby(["title", "dataset", "split"], sort=False)}
        tasks = [_task(part, gaps[gaps["task"] == key], scores.attrs["name"])
                 for key, part in scores.groupby("task", sort=False)]
    return render("score.html.j2", about=scores.attrs, date=date, kinds=kinds, lines=lines,
                  tasks=tasks, tones=TONES, margin=claims.MARGIN)


def _task(scores, gaps, name):
    """One task: a table for each split and set of genes."""
    first, margin, where = scores.iloc[0], gaps["margin"].min(), ["split", "dataset", "genes"]
    return {"title": first.title, "chapter": first.chapter, "note": first.note,
            "metric": METRICS.get(first.metric, first.metric),
            "margin": margin if abs(margin - claims.MARGIN) > 0 else None,  # nan is not
            "tables": [_table(part, gaps[(gaps[where] == key).all(axis=1)], scores[
                (scores["split"] == part.iloc[0].split) & (scores["method"] == name)])
                for key, part in scores.groupby(where, sort=False)]}


def _table(part, gaps, own):
    """Rows of one table with places on a common scale, and the differences to each method."""
    about, published = part.iloc[-1], part.iloc[-1].genes == "as published"
    size = ("published embeddings, each on its own genes" if published
            else f"{about.n_genes:,.0f} of {about.of_genes:,.0f} genes")
    size += f" ({about.genes})" if "Gene2vec" in about.genes else ""
    part = pd.concat([own.head(1), part]) if published else part
    part = part.astype(dict.fromkeys(("value", "low", "high"), float))
    numbers = part[["value", "low", "high"]]
    low = min(numbers.min().min(), 0 if numbers["value"].min() < .3 else .5)
    part[["at", "from_", "to"]] = 2 + 96 * (numbers - low) / max(numbers.max().max() - low, 1e-9)
    gaps = gaps[["against", "verdict", "value", "low", "high"]].set_axis(
        ["method", "verdict", "gap", "gap_low", "gap_high"], axis=1)
    rows = part.merge(gaps, how="left").sort_values("value", ascending=False)
    return {"rows": list(rows.itertuples()), "published": published, "split": about.split,
            "caption": ", ".join(filter(None, (about.dataset, about.split))) + f"; {size}"}
