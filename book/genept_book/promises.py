"""The tables of the page on reliability: promises with their tests, and the figures of the soak."""

import re

import pandas as pd

from genept_utils import paths

from genept_book.directives import DataTable

RESULTS = paths.DATA / "results" / "reliability.json"


class PromiseTable(DataTable):
    """One promise a line, ``promise | tests/FILE.py::test_name; ::test_name``; a test without a
    file lies in the file before it. The number of cases is the one that was collected."""

    has_content = True
    raw = ("kept by",)

    def read(self):
        collected, rows = self.results(RESULTS)["cases"], []
        for line in filter(str.strip, self.content):
            promise, _, tests = (part.strip() for part in line.partition("|"))
            file, names = "", []
            for test in map(str.strip, tests.split(";")):
                named, _, name = test.partition("::")
                file = named or file
                if name not in collected.get(file, {}):
                    raise self.error(f"{file}::{name} was not collected; `python tests/faults/soak"
                                     ".py --cases` counts the cases again")
                names.append((file, name))
            rows.append({"promise": promise, "tests": names,
                         "cases": sum(collected[file][name] for file, name in names)})
        return pd.DataFrame(rows)

    def show(self, frame):
        shown = [["<code>" + re.sub("([/_]|::)", r"\1<wbr>", f"{file[len('tests/'):]}::{name}")
                  + "</code>" for file, name in tests] for tests in frame["tests"]]
        return pd.DataFrame({"promise": frame["promise"], "kept by": map("<br>".join, shown),
                             "cases": frame["cases"].map(str)})


class SoakTable(DataTable):
    """What the soak counted."""

    def read(self):
        said = self.results(RESULTS)
        texts, writers, downloads = said["texts"], said["writers"], said["downloads"]
        rows = [
            ("texts embedded", texts["texts"]),
            (f"requests, of which {texts['faults']} failed in {texts['kinds_of_faults']} ways",
             texts["requests"]),
            ("vectors that were wrong", texts["vectors_wrong"]),
            ("texts that were billed twice", texts["texts_billed_twice"]),
            ("writers killed", writers["kills"]),
            ("downloads killed before they ended",
             downloads["kills"] - downloads["ended_before_the_kill"]),
            ("files lost", writers["files_lost"] + downloads["files_lost"]),
            ("files that were wrong or half", writers["files_wrong"] + downloads["files_wrong"]),
            ("files left behind at most",
             max(writers["most_files_left_behind"], downloads["most_files_left_behind"])),
        ]
        return pd.DataFrame(rows, columns=["what", "count"])

    def show(self, frame):
        return frame.assign(count=[f"{n:,}" for n in frame["count"]])
