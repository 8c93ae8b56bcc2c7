"""The tables of the page on reliability: promises with their tests, and the figures of the soak."""

import html
import re

import pandas as pd
from markupsafe import Markup

from genept_book.directives import DataTable


class PromiseTable(DataTable):
    """One promise a line, ``promise | tests/FILE.py::test_name; ::test_name``; a test without a
    file lies in the file before it. The number of cases is the one that was collected."""

    has_content = True
    raw = ("kept by",)

    def read(self):
        collected, rows = self.results("reliability.json")["cases"], []
        for line in filter(str.strip, self.content):
            promise, _, tests = (part.strip() for part in line.partition("|"))
            shown, cases, file = [], 0, ""
            for named, _, name in (test.strip().partition("::") for test in tests.split(";")):
                file = named or file
                if name not in collected.get(file, {}):
                    raise self.error(f"{file}::{name} was not collected; `python tests/faults/soak"
                                     ".py --cases` counts the cases again")
                cases += collected[file][name]
                shown.append(re.sub("([/_]|::)", r"\1<wbr>", f"{file[len('tests/'):]}::{name}"))
            promise = Markup(re.sub("`(.+?)`", r"<code>\1</code>",
                                    html.escape(promise, quote=False)))
            rows.append({"promise": promise, "kept by": "<br>".join(
                f"<code>{one}</code>" for one in shown), "cases": str(cases)})
        return pd.DataFrame(rows)


class SoakTable(DataTable):
    """What the soak counted."""

    def read(self):
        said = self.results("reliability.json")
        texts, writers, downloads = said["texts"], said["writers"], said["downloads"]
        counts = {
            "texts embedded": texts["texts"],
            f"requests, of which {texts['faults']} failed in {texts['kinds_of_faults']} ways":
                texts["requests"],
            "vectors that were wrong": texts["vectors_wrong"],
            "texts that were billed twice": texts["texts_billed_twice"],
            "writers killed": writers["kills"],
            "downloads killed before they ended":
                downloads["kills"] - downloads["ended_before_the_kill"],
            "files lost": writers["files_lost"] + downloads["files_lost"],
            "files that were wrong or half": writers["files_wrong"] + downloads["files_wrong"],
            "files left behind at most":
                max(writers["most_files_left_behind"], downloads["most_files_left_behind"]),
        }
        return pd.DataFrame([(what, f"{n:,}") for what, n in counts.items()],
                            columns=["what", "count"])
