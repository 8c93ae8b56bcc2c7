"""The page of ``score``: one HTML file that asks for nothing from elsewhere, and JSON beside it."""

import datetime
import html
import json

import pandas as pd

from genept_book import claims, methods
from genept_utils import sources

SCHEMA = "genept-score/1"
CITE = "https://doi.org/10.1038/s41551-024-01284-6"
TONES = {"ahead": "good", "slightly ahead": "good", "behind": "bad", "slightly behind": "bad"}
RULE = ("Ahead or behind: the 95 % interval of the paired difference excludes zero, slightly where "
        "the difference is below a margin. Level: it holds zero and lies within the margin on both "
        f"sides. Undecided: it holds zero and does not. The margin is {claims.MARGIN}, unless a "
        "task says otherwise.")
METRICS = {"roc_auc": "ROC-AUC", "ari": "adjusted Rand index"}
STYLE = """
:root { color-scheme: light dark; --text: #1e2530; --muted: #566070; --ground: #fff;
  --rule: #dfe3e8; --own: #1b639f; --good: #1d6b43; --bad: #944706; }
@media (prefers-color-scheme: dark) { :root { --text: #d6dce4; --muted: #a2acb9; --ground: #14181e;
  --rule: #343d4a; --own: #86bff0; --good: #7fcfa3; --bad: #f3b274; } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 66rem; padding: 1.2rem 1rem 4rem; background: var(--ground);
  color: var(--text); font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere }
h1, h2, h3 { font-family: Charter, Georgia, "DejaVu Serif", serif; line-height: 1.2 }
h2 { margin-top: 2.4rem; border-top: 1px solid var(--rule); padding-top: 1rem }
p { max-width: 44rem } .muted, caption, dt { color: var(--muted) } a { color: var(--own) }
table { border-collapse: collapse; width: 100%; margin: 1.2rem 0;
  font-variant-numeric: tabular-nums }
caption { text-align: left; padding-bottom: .3rem }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid var(--rule);
  vertical-align: top; font-weight: normal; overflow-wrap: normal } thead th { color: var(--muted) }
tr.own > * { font-weight: 600; color: var(--own) }
.good { color: var(--good) } .bad { color: var(--bad) }
.number { white-space: nowrap }
svg { display: block; width: 100%; min-width: 6rem; height: 1.2rem }
svg line { stroke: var(--muted) }
svg circle { fill: var(--muted) }
.own svg line { stroke: var(--own) } .own svg circle { fill: var(--own) }
td.bar { width: 26% }
@media (max-width: 700px) { thead { position: absolute; left: -9999px }
  tbody tr { display: block; border-bottom: 1px solid var(--rule); padding: .4rem 0 }
  tbody th, tbody td { display: flex; gap: .6rem; justify-content: space-between; border: 0;
    padding: .1rem 0 } tbody th { font-weight: 600 }
  td::before { content: attr(data-name); color: var(--muted); font-weight: normal }
  td.bar { width: 100% } td.bar::before { content: none } td:empty { display: none } }
"""


def payload(scores, differences):
    """What the JSON file holds: two long tables, and what they are of."""
    about = scores.attrs
    return {"schema": SCHEMA, "embedding": {name: about[name] for name in (
        "name", "genes", "dimensions", "sha256")}, "date": datetime.date.today().isoformat(),
        "left_out": about["left_out"],
        **{name: json.loads(table.to_json(orient="records", double_precision=6))
           for name, table in (("scores", scores), ("differences", differences))}}


def write(scores, differences, path):
    """Write PATH.html and PATH.json, each whole or not at all; return their paths."""
    made = payload(scores, differences)
    files = {path.with_name(path.name + ".html"): page(scores, differences, made["date"]),
             path.with_name(path.name + ".json"): json.dumps(made, ensure_ascii=False, indent=1)}
    for target, text in files.items():
        with sources.replacing(target) as part:
            part.write_text(text + "\n", encoding="utf-8")
    return list(files)


def page(scores, differences, date):
    """The HTML of :func:`write`."""
    about, name = scores.attrs, html.escape(scores.attrs["name"])
    left_out = "".join(f"<li>{html.escape(line)}</li>" for line in about["left_out"])
    body = [f"<h1>{name} on the gene tasks of the GenePT book</h1>",
            f"<p>{about['genes']:,} genes, {about['dimensions']:,} numbers each; scored on {date}. "
            "Every method of a task sees the same genes. Splits, settings and intervals are those "
            f"of the chapters, unless a task says otherwise.</p><p class=muted>{RULE}</p>"]
    if len(differences):
        body += ["<h2>Verdicts</h2>", _verdicts(differences, name)]
    if left_out:
        body += [f"<h2>Not scored</h2><ul>{left_out}</ul>"]
    for _, part in scores.groupby("task", sort=False) if len(scores) else ():
        body += _task(part, differences[differences["task"] == part["task"].iloc[0]], about["name"])
    body += ["<h2>How this was made</h2><p>By <code>python -m genept_utils score</code>, from the "
             "functions of the book's chapters. Vectors are told apart by the SHA-256 of numbers "
             f"and keys: <code>{about['sha256']}</code>. The tasks are those of "
             f"<a href='{CITE}'>Chen and Zou</a> and of the book; published scores are those of "
             "<a href='https://doi.org/10.1101/2025.01.29.635607'>Zhong et al. 2025</a>. The JSON "
             "file beside this page holds the same scores and differences.</p>"]
    return ("<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport "
            f"content='width=device-width, initial-scale=1'><title>{name}: gene tasks</title>"
            f"<style>{STYLE}</style></head><body>{''.join(body)}</body></html>")


def _verdicts(differences, name):
    """A line a task, a column a kind of control."""
    ours = differences[differences["source"] == "measured"]
    kinds = [kind for kind in methods.KINDS if kind in set(ours["reads"])]
    rows = []
    for _, part in ours.groupby(["title", "split", "dataset"], sort=False, dropna=False):
        cells = [f"<th scope=row>{html.escape(_titled(part.iloc[0]))}</th>"]
        for kind in kinds:
            told = "<br>".join(
                f"<span class='{TONES.get(row.verdict, '')}' title='{html.escape(row.against)}'>"
                f"{row.verdict}</span> <span class='number muted'>{row.value:+.3f}</span>"
                + (f" <span class=muted>{html.escape(row.against)}</span>"
                   if (part["reads"] == kind).sum() > 1 else "")
                for row in part[part["reads"] == kind].itertuples())
            cells.append(f"<td data-name='{kind}'>{f'<span>{told}</span>' if told else ''}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th scope=col>{_heads(ours, kind)}</th>" for kind in kinds)
    return (f"<table><caption>{name} less each control, by what the control reads: the verdict and "
            f"the difference</caption><thead><tr><th scope=col>task</th>{head}</tr></thead>"
            f"<tbody>{''.join(rows)}</tbody></table>")


def _heads(ours, kind):
    names = ours.loc[ours["reads"] == kind, "against"].drop_duplicates()
    return f"{kind}: {html.escape('; '.join(names))}"


def _titled(row):
    named = [row.title, *([row.dataset] if isinstance(row.dataset, str) and row.dataset else []),
             row.split]
    return ", ".join(named)


def _task(scores, gaps, name):
    """One task: a table for each split and set of genes."""
    first, margin = scores.iloc[0], gaps["margin"].min()
    told = f" The margin is {margin}." if margin != claims.MARGIN else ""
    yield (f"<h2>{html.escape(first.title)}</h2><p>Chapter {first.chapter}; "
           f"{METRICS.get(first.metric, first.metric)}. {html.escape(first.note)}{told}</p>")
    for (split, dataset, genes), part in scores.groupby(["split", "dataset", "genes"], sort=False,
                                                        dropna=False):
        here = gaps[(gaps["split"] == split) & (gaps["genes"] == genes)
                    & (gaps["dataset"].fillna("") == (dataset if isinstance(dataset, str) else ""))]
        if genes == "as published":
            own = scores[(scores["split"] == split) & (scores["method"] == name)]
            part = pd.concat([own.head(1), part])
        row = part.iloc[-1]
        size = (f"{row.n_genes:,.0f} of {row.of_genes:,.0f} genes" if genes != "as published"
                else "published embeddings, each on its own genes")
        table = _table(part.sort_values("value", ascending=False), here.set_index("against"), name,
                       f"{html.escape(', '.join(_parts(split, dataset)))}; {size}"
                       + (f" ({genes})" if "Gene2vec" in genes else ""))
        yield (f"<details><summary>{len(part) - 1} published embeddings, {html.escape(split)}"
               f"</summary>{table}</details>" if genes == "as published" else table)


def _parts(split, dataset):
    return [part for part in (dataset, split) if isinstance(part, str) and part]


def _table(part, gaps, name, caption):
    low = min(part["low"].min(), part["value"].min(), 0 if part["value"].min() < .3 else .5)
    high = max(part["high"].max(), part["value"].max())
    rows = []
    for row in part.itertuples():
        told = ""
        if row.method in gaps.index:
            gap = gaps.loc[row.method]
            told = (f"<span><span class='{TONES.get(gap.verdict, '')}'>{gap.verdict}</span> "
                    f"<span class=number>{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"
                    "</span></span>")
        interval = (f" [{row.low:.3f}, {row.high:.3f}]" if pd.notna(row.low) else "")
        rows.append(
            f"<tr{' class=own' if row.method == name else ''}><th scope=row>"
            f"{html.escape(row.method)}</th><td data-name=score class=number>{row.value:.3f}"
            f"{interval}</td><td class=bar>{_bar(row, low, high)}</td>"
            f"<td data-name=difference>{told}</td></tr>")
    return (f"<table><caption>{caption}</caption><thead><tr><th scope=col>method</th><th scope=col>"
            f"score</th><th scope=col></th><th scope=col>{html.escape(name)} less it</th></tr>"
            f"</thead><tbody>{''.join(rows)}</tbody></table>")


def _bar(row, low, high):
    """Value and interval on the common scale of a table."""
    def at(value):
        return 2 + 96 * (value - low) / max(high - low, 1e-9)

    line = (f"<line x1='{at(row.low):.1f}%' x2='{at(row.high):.1f}%' y1='50%' y2='50%' "
            "stroke-width='2'/>" if pd.notna(row.low) else "")
    return (f"<svg role=img aria-label='{row.value:.3f}'>{line}"
            f"<circle cx='{at(row.value):.1f}%' cy='50%' r='4'/></svg>")
