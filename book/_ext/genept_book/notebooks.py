"""What the book adds to Sphinx.

Pages of notebooks are rendered from the copy that the strict runner executed, tables of
numbers are made from ``data/`` when the book is built, and nothing on a page asks another host.
"""

import json
import re
import shutil
from html import escape
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pandas as pd
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from genept_utils import ledger, paths, sources
from genept_utils.run import code_hash

MATHJAX = ["tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions"]
NUMBER = re.compile(r"^$|^(nan|–|[-+−]?[\d.,]+(e[-+]?\d+)?( ?%| to [\d.]+)?)$", re.IGNORECASE)
HEADS = {"drawn": "❘ published ● ours, 0 to 1", "by": "method, metric"}
CALLOUTS = {
    "note": "note",
    "result": "result",
    "tip": "result",
    "caution": "caution",
    "warning": "caution",
    "not": "status",
    "executed": "status",
}


# --- notebooks -----------------------------------------------------------------------------


def read_notebook(app, docname, source):
    """Render a notebook from its executed copy, and say so where it was not executed.

    ``_build/run/notebooks/NN-name.ipynb`` replaces the committed notebook if the hash of the
    code that the runner stamped into it is the hash of the committed code.
    """
    if not docname.startswith("notebooks/"):
        return
    name = docname.split("/", 1)[1]
    run = Path(app.srcdir, "_build", "run")
    notebook = nbformat.reads(source[0], as_version=4)
    row = summary_row(run / "summary.json", name)
    executed = run / "notebooks" / f"{name}.ipynb"
    if executed.is_file() and row.get("status") not in ("kept", "failed"):
        app.env.note_dependency(str(executed))
        copy = nbformat.read(executed, as_version=4)
        stamp = copy.metadata.get("genept", {}).get("run", {})
        if stamp.get("code_sha256") == code_hash(notebook):
            notebook = copy
    status = status_line(row)
    if status:
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(status))
    source[0] = nbformat.writes(notebook)


def summary_row(path, name):
    """What the runner's summary says of a notebook; empty where it says nothing."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return next((row for row in rows if row["notebook"] == name), {})


def status_line(row):
    """Markdown that says what of a notebook was not executed; None if all of it was."""
    keys = row.get("missing", [])
    missing = ", ".join(f"`{key}`" for key in keys[:3]) or "a source"
    if len(keys) > 3:
        missing += f" and {len(keys) - 3} more"
    if row.get("status") == "kept":
        return (
            f"> **Not re-executed here.** Outputs of {row['run_date']}; "
            f"{missing} could not be reached."
        )
    if row.get("status") == "failed":
        return (
            f"> **Not re-executed here.** The run of {row['run_date']} failed; the outputs are "
            "those of the last complete run."
        )
    if row.get("status") == "partial":
        return (
            f"> **Executed in part.** Run of {row['run_date']}; {missing} could not be reached, "
            "and what needs it is left out."
        )
    return None


def style_blocks(app, doctree):
    """Mark the claim of a page, the key facts of a chapter, and the quotes that are callouts.

    A quote is a callout if its first word is bold: that reads well on GitHub and Colab too.
    """
    for quote in doctree.findall(nodes.block_quote):
        first = next(iter(content(quote[0])), None) if quote.children else None
        if isinstance(first, nodes.strong):
            word = re.split(r"\W", first.astext().lower())[0]
            quote["classes"] += ["callout", f"callout-{CALLOUTS.get(word, 'plain')}"]
    for html in doctree.findall(nodes.raw):
        if "text_html" in html["classes"] and "dataframe" in html.astext():
            html.children = [nodes.Text(tidy_tables(html.astext()))]
    claim = next(doctree.findall(nodes.paragraph), None)
    if claim is not None and [type(node) for node in content(claim)] == [nodes.strong]:
        claim["classes"].append("claim")
    top = next(doctree.findall(nodes.section), None)
    if top is not None and app.env.docname.startswith("notebooks/"):
        table = next((node for node in top.children if isinstance(node, nodes.table)), None)
        if table is not None:
            table["classes"].append("key-facts")


def content(paragraph):
    """The parts of a paragraph that hold text."""
    return [node for node in paragraph.children if node.astext().strip()]


# --- tables --------------------------------------------------------------------------------


def number(value, digits=3):
    """A number as text; empty for a missing one."""
    if value is None or pd.isna(value):
        return ""
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def interval_bar(published, ours, low, high, controls=()):
    """A drawing from 0 to 1: a stroke for the published number, a dot and interval for ours,
    an open dot for each control."""
    shown = [v for v in (published, ours, low, high, *controls) if pd.notna(v)]
    if not shown or min(shown) < 0 or max(shown) > 1:
        return ""
    marks = ['<line class="axis" x1="2" x2="162" y1="8" y2="8"/>']
    if pd.notna(low) and pd.notna(high):
        ends = f'x1="{2 + 160 * low:.1f}" x2="{2 + 160 * high:.1f}"'
        marks.append(f'<line class="span" {ends} y1="8" y2="8"/>')
    if pd.notna(published):
        at = f"{2 + 160 * published:.1f}"
        marks.append(f'<line class="published" x1="{at}" x2="{at}" y1="2" y2="14"/>')
    for control in filter(pd.notna, controls):
        marks.append(f'<circle class="control" cx="{2 + 160 * control:.1f}" cy="8" r="2.6"/>')
    if pd.notna(ours):
        marks.append(f'<circle class="ours" cx="{2 + 160 * ours:.1f}" cy="8" r="3.2"/>')
    return f'<svg class="bar" viewBox="0 0 164 16" aria-hidden="true">{"".join(marks)}</svg>'


def html_table(frame, caption=None, plain=False, raw=()):
    """A frame as an HTML table; ``raw`` names the columns that already are HTML."""
    kind = {}
    for name in frame:
        texts = frame[name].map(number)
        if name == "ours" or name not in raw and all(map(NUMBER.match, texts)):
            kind[name] = ' class="num"'
        elif name not in raw and texts.str.len().max() > 45:
            kind[name] = ' class="long"'
        else:
            kind[name] = ""
    head = "".join(
        f'<th scope="col"{kind[name]}>{escape(HEADS.get(name, str(name)))}</th>' for name in frame
    )
    rows = []
    for values in frame.itertuples(index=False):
        cells = [
            f"<td{kind[name]}>{value if name in raw else escape(number(value))}</td>"
            for name, value in zip(frame, values)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="table-box{"" if plain or len(kind) < 5 else " wide"}">'
        f'<table class="{"dataframe" if plain else "dataframe sortable"}">{title}'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def tidy_tables(html):
    """Wrap the tables of pandas, mark their columns of numbers, and join their two head rows.

    pandas puts the name of the index into a second row of heads, otherwise empty.
    """
    soup = BeautifulSoup(html, "html.parser")
    for style in soup.find_all("style", scoped=True):  # browsers apply it to the whole page
        style.decompose()
    for table in soup.find_all("table", class_="dataframe"):
        del table["border"]
        table.wrap(soup.new_tag("div", attrs={"class": "table-box"}))
        heads = table.thead.find_all("tr") if table.thead else []
        if len(heads) > 1:
            pairs = list(zip(*(row.find_all("th") for row in heads[-2:])))
            texts = [[cell.get_text(strip=True) for cell in pair] for pair in pairs]
            if not any(all(pair) for pair in texts):
                for (above, _), (_, name) in zip(pairs, texts):
                    if name:
                        above.string = name
                heads.pop().decompose()
        rows = [row.find_all("td") for row in table.select("tbody tr")]
        names = heads[-1].find_all("th") if heads else []
        width = min((len(cells) for cells in rows), default=0)
        for i in range(1, width + 1):
            column = [cells[-i] for cells in rows]
            if all(NUMBER.match(cell.get_text(strip=True)) for cell in column):
                for cell in column + names[-i:][:1]:
                    cell["class"] = [*cell.get("class", []), "num"]
    return str(soup)


class DataTable(SphinxDirective):
    """A table made from ``data/`` when the book is built.

    Options: ``caption``; ``where`` keeps rows, ``column=value, value; column=value``;
    ``columns`` keeps and orders columns; ``plain`` leaves out the filter and sorting.
    """

    optional_arguments = 1
    final_argument_whitespace = True
    shown = ()  # columns where none are asked for; all that hold something where empty
    raw = ()  # columns that are HTML already
    option_spec = {
        "caption": directives.unchanged,
        "where": directives.unchanged,
        "columns": directives.unchanged,
        "plain": directives.flag,
    }

    def read(self):
        """The rows; columns named as in the file."""
        raise NotImplementedError

    def show(self, frame):
        """The columns as a reader sees them."""
        return frame

    def results(self, path):
        """Read a file of results and rebuild the page when it changes."""
        if not path.is_file():
            raise self.error(f"{path.name} does not exist in {path.parent}: run the notebook first")
        self.env.note_dependency(str(path))
        return json.loads(path.read_text(encoding="utf-8"))

    def notebook_link(self, name):
        """A link to the page of a notebook, or its bare name where the book has no such page."""
        if f"notebooks/{name}" not in self.env.found_docs:
            return escape(name)
        up = "../" * self.env.docname.count("/")
        return f'<a class="internal" href="{up}notebooks/{name}.html">{escape(name)}</a>'

    def run(self):
        frame = self.read()
        for rule in filter(str.strip, self.options.get("where", "").split(";")):
            column, _, values = (part.strip() for part in rule.partition("="))
            if column not in frame:
                raise self.error(f"no column {column!r}; there are: {', '.join(frame)}")
            wanted = [value.strip() for value in values.split(",")]
            frame = frame[frame[column].astype(str).isin(wanted)]
        if frame.empty:
            raise self.error(f"{self.name}: no row is left, check the name and :where:")
        frame = self.show(frame)
        frame = frame.astype(object).where(frame.notna(), "")
        columns = [name.strip() for name in self.options.get("columns", "").split(",") if name]
        unknown = set(columns) - set(frame)
        if unknown:
            raise self.error(f"no column {sorted(unknown)}; there are: {', '.join(frame)}")
        if not columns:
            columns = [name for name in self.shown or frame if (frame[name] != "").any()]
        frame = frame[columns]
        html = html_table(frame, self.options.get("caption"), "plain" in self.options, self.raw)
        return [nodes.raw("", html, format="html")]


class LedgerTable(DataTable):
    """Published numbers beside ours; the optional argument is an item such as ``Table 1``.

    ``paired`` keeps the rows that have both. ``columns`` may name ``item``, ``task``,
    ``dataset``, ``label``, ``method``, ``classifier``, ``metric``, ``95 % interval`` and the
    columns of ``shown``.
    """

    shown = ["result", "by", "published", "ours", "drawn", "our method", "split", "notebook",
             "notes"]
    raw = ("result", "by", "ours", "drawn", "notebook")
    option_spec = {**DataTable.option_spec, "paired": directives.flag}

    def read(self):
        frame = ledger.join(*self.arguments)
        if "paired" in self.options:
            frame = frame.dropna(subset=["published", "ours"])
        return frame

    def show(self, frame):
        numbers = ["published", "ours", "low", "high"]
        frame = frame.astype(dict.fromkeys(numbers, float))
        frame = frame.fillna({name: "" for name in frame.select_dtypes(object)})
        values = frame[numbers].to_numpy()
        frame["drawn"] = [interval_bar(*row) for row in values]
        frame["95 % interval"] = spans(frame)
        frame["published"] = [number(row[0]) for row in values]
        ours = [number(row[1]) for row in values]
        if "95 % interval" not in self.options.get("columns", ""):
            ours = two_lines(ours, frame["95 % interval"])
        frame["ours"] = ours
        frame["result"] = two_lines(
            frame["item"] + ": " + frame["task"], together(frame, "dataset", "label"))
        frame["by"] = two_lines(frame["method"], together(frame, "classifier", "metric"))
        frame["our method"] = frame["our_method"]
        frame["notebook"] = [self.notebook_link(name) for name in frame["notebook"]]
        frame["notes"] = together(frame, "published_note", "note")
        return frame


class ResultsTable(DataTable):
    """The rows of ``data/results/NAME.json``."""

    required_arguments = 1
    optional_arguments = 0

    def read(self):
        return pd.DataFrame(self.results(paths.results() / f"{self.arguments[0]}.json"))

    def show(self, frame):
        frame = frame.copy()
        frame["95 % interval"] = spans(frame)
        order = ["item", "task", "dataset", "label", "method", "classifier", "metric", "value",
                 "95 % interval", "n", "repeats", "split", "note"]
        return frame[[name for name in order if name in frame]]


class SourcesTable(DataTable):
    """Every source with its address, size, licence and citation."""

    raw = ("file", "origin and content", "SHA-256")

    def read(self):
        return sources.registry().reset_index()

    def show(self, frame):
        def link(key, url):
            text = escape(key).replace("/", "/<wbr>").replace("_", "_<wbr>")
            return f'<a href="{escape(url)}">{text}</a>' if url else text

        package = [f"<small>in {escape(name)}</small>" if name else "" for name in frame["wheel"]]
        links = [link(*row) for row in frame[["key", "url"]].to_numpy()]
        return pd.DataFrame({
            "file": [a + b for a, b in zip(links, package)],
            "kB": [f"{size / 1000:,.0f}" for size in frame["bytes"]],
            "licence": frame["licence"],
            "origin and content": two_lines(frame["citation"], frame["note"]),
            "SHA-256": [f'<code title="{sha}">{sha[:12]}</code>' for sha in frame["sha256"]],
        })


class RuntimesTable(DataTable):
    """Minutes and peak memory of every notebook, from ``data/results/runs.json``."""

    raw = ("notebook",)

    def read(self):
        runs = self.results(paths.DATA / "results" / "runs.json")
        return pd.DataFrame([{"notebook": name, **runs[name]} for name in sorted(runs)])

    def show(self, frame):
        return pd.DataFrame({
            "notebook": [self.notebook_link(name) for name in frame["notebook"]],
            "minutes": [f"{value:.1f}" for value in frame["minutes"]],
            "peak memory, MB": [f"{value:,.0f}" for value in frame["peak_mb"]],
        })


class ClaimsTable(DataTable):
    """The book's claims, each beside its controls; see :func:`genept_utils.ledger.claims`."""

    raw = ("claim", "best control", "drawn")

    def read(self):
        self.env.note_dependency(str(paths.DATA / "claims.csv"))
        return ledger.claims()

    def show(self, frame):
        rows = []
        for (name, claim), part in frame.groupby(["notebook", "claim"], sort=False):
            text, controls = part.iloc[0], part.iloc[1:]
            best = controls.loc[controls["value"].idxmax()]
            link = self.notebook_link(name).replace(f">{escape(name)}<", f">{escape(claim)}<")
            measure = {"roc_auc": "ROC-AUC", "ari": "adjusted Rand index", "f1_macro": "macro-F1"}
            rows.append({
                "claim": f'{link if "<a" in link else escape(claim)}<small>'
                         f'{measure.get(text["metric"], text["metric"])}</small>',
                "published": number(text["published"], 2),
                "text": number(text["value"], 2),
                "best control": f"{number(best['value'], 2)}<small>"
                                f"{escape(best['method'])}</small>",
                "drawn": interval_bar(text["published"], text["value"], text["low"],
                                      text["high"], controls["value"]),
            })
        return pd.DataFrame(rows)


def together(frame, *names):
    """The texts of some columns as one, parted by semicolons."""
    return ["; ".join(filter(None, row)) for row in frame[[*names]].to_numpy()]


def two_lines(upper, lower):
    """HTML of cells with a second, smaller line."""
    return [
        f"{escape(first)}<small>{escape(second)}</small>" if second else escape(first)
        for first, second in zip(upper, lower)
    ]


def spans(frame):
    """``low`` and ``high`` of each row as one text."""
    if "low" not in frame:
        return ["" for _ in frame.index]
    pairs = frame[["low", "high"]].to_numpy(float)
    return [f"{low:.3f} to {high:.3f}" if pd.notna(low) else "" for low, high in pairs]


# --- pages ---------------------------------------------------------------------------------


def png_size(path):
    """Width and height of a PNG in CSS pixels, 100 to the inch; None for other files.

    A figure then has the size that its author gave it in inches, whatever its resolution.
    """
    data = path.read_bytes()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    width, height = (int.from_bytes(data[i:i + 4], "big") for i in (16, 20))
    at = data.find(b"pHYs", 0, 2048)
    per_metre = int.from_bytes(data[at + 4:at + 8], "big") if at > 0 else 0
    scale = 100 / (per_metre * 0.0254) if per_metre else 1
    return round(width * scale), round(height * scale)


def finish_page(app, pagename, templatename, context, doctree):
    """Give images their size, so that nothing moves while they load, and keep hosts out."""
    for kind in ("script_files", "css_files"):
        context[kind] = [
            asset for asset in context[kind]
            if "//" not in str(getattr(asset, "filename", asset) or "")
        ]
    if "body" not in context:
        return
    stored = {name: path for path, name in
              ((Path(app.srcdir, key), value[1]) for key, value in app.env.images.items())}

    def sized(match):
        tag, name = match[0], match[1]
        path = stored.get(name)
        size = png_size(path) if path and path.is_file() and "width=" not in tag else None
        if size:
            tag = tag.replace("<img ", f'<img width="{size[0]}" height="{size[1]}" ', 1)
        return tag

    # the label of a closed cell should be what is seen: "Show code"
    context["body"] = context["body"].replace(' aria-label="Toggle hidden content"', "")
    pattern = r'<img [^>]*src="[^"]*_images/([^"/]+)"[^>]*>'
    context["body"] = re.sub(pattern, sized, context["body"])


def make_static_folder(app):
    """Make ``_static`` first: the theme copies its logo there even after a build that failed,
    and where the folder is missing it leaves a file of that name which stops the next build."""
    Path(app.outdir, "_static").mkdir(parents=True, exist_ok=True)


def copy_mathjax(app, exception):
    """Copy the part of MathJax that the book uses (2.2 MB of 24) from its package."""
    if exception or app.builder.format != "html":
        return
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None:
        raise ExtensionError("MathJax is missing: pip install sphinx-mathjax-offline")
    package = Path(spec.origin).parent / "static" / "mathjax"
    for part in MATHJAX:
        target = Path(app.outdir, "_static", "mathjax", part)
        target.parent.mkdir(parents=True, exist_ok=True)
        if (package / part).is_dir():
            shutil.copytree(package / part, target, dirs_exist_ok=True)
        else:
            shutil.copy2(package / part, target)


def setup(app):
    app.connect("builder-inited", make_static_folder)
    app.connect("source-read", read_notebook)
    app.connect("doctree-read", style_blocks)
    app.connect("html-page-context", finish_page, priority=900)
    app.connect("build-finished", copy_mathjax)
    app.add_directive("ledger-table", LedgerTable)
    app.add_directive("results-table", ResultsTable)
    app.add_directive("sources-table", SourcesTable)
    app.add_directive("runtimes-table", RuntimesTable)
    app.add_directive("claims-table", ClaimsTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
