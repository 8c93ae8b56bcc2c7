"""Directives for tables that are made from ``data/`` when the book is built."""

import json
import re

import pandas as pd
from docutils import nodes
from docutils.parsers.rst import directives
from markupsafe import Markup, escape
from sphinx.util.docutils import SphinxDirective

from genept_utils import paths, sources
from genept_book import claims, ledger
from genept_book.html_tables import (chip, html_table, interval_bar, number, readable, spans,
                                     together, two_lines)
from genept_book.methods import reads
from genept_book.paper_index import as_published, paper_index


class DataTable(SphinxDirective):
    """A table made from ``data/`` when the book is built.

    Options: ``where`` keeps rows, ``column=value, value``; ``plain`` leaves out the filter and
    sorting. A subclass has ``read``, the rows with columns named as in the file, and where a reader
    sees other columns ``show``.
    """

    raw = ()  # columns that are HTML already
    option_spec = {"where": directives.unchanged, "plain": directives.flag}

    def results(self, name):
        """Read a file of results and rebuild the page when it changes."""
        path = paths.DATA / "results" / name
        if not path.is_file():
            raise self.error(f"{path.name} does not exist in {path.parent}: run the notebook first")
        self.env.note_dependency(str(path))
        return json.loads(path.read_text(encoding="utf-8"))

    def notebook_link(self, name, words=None):
        """A link to the page of a notebook, or bare text where the book has no such page."""
        if f"notebooks/{name}" not in self.env.found_docs:
            return escape(words or name)
        chapter, _, title = name.partition("-")
        return Markup('<a class="internal" href="{}">{}</a>').format(
            self.env.app.builder.get_relative_uri(self.env.docname, f"notebooks/{name}"),
            words or f"{int(chapter)} {title.replace('-', ' ')}")

    def show(self, frame):
        return frame

    def run(self):
        frame = self.read()
        if where := self.options.get("where"):
            column, values = where.split("=")
            frame = frame[frame[column].astype(str).isin(map(str.strip, values.split(",")))]
        if frame.empty:
            raise self.error(f"{self.name}: no row is left, check the name and :where:")
        frame = self.show(frame)
        frame = frame.astype(object).where(frame.notna(), "")
        frame = frame[[name for name in frame if (frame[name] != "").any()]]
        html = html_table(frame, "plain" in self.options, self.raw)
        return [nodes.raw("", html, format="html")]


class LedgerTable(DataTable):
    """Published numbers beside ours. ``paired`` keeps the rows that have both; ``third`` shows what
    third parties measured, which stands nowhere else."""

    raw = ("result", "method", "published", "ours", "from 0 to 1", "our method", "chapter")
    option_spec = {**DataTable.option_spec, "paired": directives.flag, "third": directives.flag}

    def read(self):
        if "third" in self.options:
            frame = ledger.join(given=ledger.third_parties())
            return frame.dropna(subset=["published"]).drop_duplicates(
                [*ledger.KEY, "published", "source"])
        frame = ledger.join(given=ledger.published().query("source != @ledger.THIRD_PARTY"))
        if "paired" in self.options:
            return as_published(frame.dropna(subset=["published", "ours"]))
        return frame

    def show(self, frame):
        values = frame[["published", "ours", "low", "high"]].astype(float)
        frame = frame.astype(object).where(frame.notna(), "")
        if "third" not in self.options:  # elsewhere all printed numbers are the authors'
            frame["source"] = ""
        under = pd.Series(together(frame, "source", "published_note"), frame.index)
        for name in ("task", "dataset", "label", "classifier", "metric"):
            frame[name] = frame[name].map(readable)
        own, kinds = frame["note"].str.startswith("your files"), frame["our_method"].map(reads)
        beside = frame.assign(reads=("reads " + kinds).where(kinds != "", ""),
                              note=frame["note"].str.replace("^your files(; )?", "", regex=True))
        return pd.DataFrame({
            "result": two_lines(frame["item"] + ": " + frame["task"],
                                together(frame, "dataset", "label")),
            "method": two_lines(frame["method"], together(frame, "classifier", "metric")),
            "published": two_lines(values["published"], under.where(values["published"].notna(), "")),
            "ours": two_lines(values["ours"], spans(values)),
            "from 0 to 1": [interval_bar(*row) for row in values.to_numpy()],
            "our method": two_lines(
                frame["our_method"].mask(own, frame["our_method"] + ", your files"),
                together(beside, "reads", "split", "note")),
            "chapter": [self.notebook_link(name) if name else "" for name in frame["notebook"]]})


class SourcesTable(DataTable):
    """Every source with its address, size, licence and citation."""

    raw = ("file", "origin and content", "SHA-256")

    def read(self):
        return sources.registry().reset_index()

    def show(self, frame):
        def parted(name):
            return Markup(re.sub(r"([/_.-]|[0-9a-f]{12})(?=\w)", r"\1<wbr>", str(escape(name))))

        files = [Markup('<a href="{}">{}</a>').format(url, parted(key)) if url else parted(key)
                 for key, url in frame[["key", "url"]].to_numpy()]
        return pd.DataFrame({
            "file": two_lines(files, ["in " + parted(name) if name else ""
                                      for name in frame["wheel"]]),
            "kB": [f"{size / 1000:,.0f}" for size in frame["bytes"]],
            "licence": frame["licence"],
            "origin and content": two_lines(frame["citation"], frame["note"]),
            "SHA-256": [f'<code title="{sha}">{sha[:12]}</code>' for sha in frame["sha256"]],
        })


class RuntimesTable(DataTable):
    """Minutes and peak memory of every notebook, from ``data/results/runs.json``."""

    raw = ("notebook",)

    def read(self):
        return pd.DataFrame(self.results("runs.json")).T.sort_index()

    def show(self, frame):
        return pd.DataFrame({
            "notebook": [self.notebook_link(name) for name in frame.index],
            "minutes": [f"{value:.1f}" for value in frame["minutes"]],
            "peak memory, MB": [f"{value:,.0f}" for value in frame["peak_mb"]],
        })


class ClaimsTable(DataTable):
    """The book's claims, each beside its fixed controls, with what the paired interval says of the
    subject against the strongest of them; see :mod:`genept_book.claims`."""

    raw = ("claim", "best control", "from 0 to 1", "verdict")

    def read(self):
        self.env.note_dependency(str(paths.DATA / "claims.csv"))
        return claims.scores()

    def show(self, frame):
        rows, said = [], claims.verdicts().set_index(["id", "kind"])["verdict"]
        for name, part in frame.groupby("id", sort=False):
            text = part.iloc[0]
            controls = part[part["kind"].isin(claims.KINDS)]
            printed = part.loc[part["kind"] == "printed", "value"].max()
            best = controls.loc[controls["value"].idxmax()]
            claim, control = two_lines(
                [self.notebook_link(text["notebook"], text["claim"]), best["value"]],
                [readable(text["metric"]), best["method"]], 2)
            rows.append({
                "claim": claim, "published": number(printed, 2), "text": number(text["value"], 2),
                "best control": control,
                "from 0 to 1": interval_bar(printed, text["value"], text["low"], text["high"],
                                            controls["value"]),
                "verdict": chip(said[name, best["kind"]])})
        return pd.DataFrame(rows)


class PaperIndexTable(DataTable):
    """The paper's results, one a row; see :func:`genept_book.paper_index.paper_index`.
    ``without`` shows those that have no number of this book, else the others are shown."""

    raw = ("result", "printed", "ours", "best control", "verdict", "chapter")
    option_spec = {**DataTable.option_spec, "without": directives.flag}

    def read(self):
        self.env.note_dependency(str(paths.DATA / "paper-index.csv"))
        table = paper_index()
        return table[table["ours"].isna() == ("without" in self.options)].reset_index(drop=True)

    def show(self, frame):
        verdicts = [(*text.split(": ", 1), "")[:2] for text in frame["verdict"]]
        return pd.DataFrame({
            "item": frame["item"],
            "result": two_lines(frame["result"], frame["metric"].fillna("").map(readable)),
            "printed": two_lines(frame["printed"], frame["others"], 2),
            "ours": two_lines(frame["ours"], spans(frame, 2), 2),
            "best control": two_lines(frame["control_value"],
                                      together(frame, "control", "elsewhere"), 2),
            "verdict": [chip(word, why) for word, why in verdicts],
            "chapter": [self.notebook_link(name) for name in frame["notebook"]],
        })
