"""Check that every number in the text occurs in the outputs, results or inputs.

A page re-executes, its prose does not. Compared are decimals, percentages, numbers with a comma
for thousands, intervals and counts such as "11 of 13" in Markdown cells, captions and
alternative texts of figures.

Not read: code spans (they hold names and settings, a result belongs outside), link targets, DOIs,
versions with two dots, numbers that are part of a word or name ("GPT-3.5"), round thousands
("2,000 genes": a size that was chosen), the lines of the first table with run time and memory (a
test compares them with ``runs.json``), and the level of an interval ("95 % interval", "middle
95 %"). A sentence with a link to another site cites its numbers and passes; a sentence with a
link to another chapter may use that chapter's numbers.

A page with hundreds of results holds nearly every number of two digits, so that a wrong one can
pass. Of three digits at least a third of the wrong ones is found, of "value [low, high]" and of
"n of m" nearly all: results are best written so.
"""

import ast
import html
import json
import re
from decimal import Decimal
from typing import NamedTuple

import pandas as pd

from genept_utils import paths
from genept_book import ledger
from genept_book.notebooks import code_cells, inputs, notebooks, read, texts

_N = (r"(?<![\w.,])(?<![A-Za-z]-)([-+\u2212]?)"
      r"((?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+)(?:e[-+]?\d+)?)"
      r"(\s?(?:%|per ?cent\b))?(?!\w|[.,]?\d)")  # sign, digits, per cent
_NUMBER = re.compile(_N, re.IGNORECASE)
# Found together: "value [low, high]", "[low, high]", "n of m"; every other number by itself.
_GROUP = re.compile(rf"{_N} *\[{_N}, {_N}\]?|(?<=\[){_N}, {_N}\]?"
                    rf"|(?<![\w.,])\d+ of {_N}|{_N}", re.IGNORECASE)
_NOT_READ = re.compile(
    r"```.*?```|<!--.*?-->|`[^`\n]*`|\bdoi:[^\s)]+|\b10\.\d{4,}/[^\s)]+|</?[a-z][^>\n]*>"
    r"|^\|\s*(?:Run time|Peak memory)\b[^\n]*$"
    r"|\b95\s?% (?:[\w-]+ )?intervals?\b|\bmiddle 95\s?%", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]*)[^)]*\)")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z*_(\[])|\n+")
_TAG = re.compile(r"<(?:style|script)\b.*?</(?:style|script)>|<[^>]+>", re.DOTALL)


class Number(NamedTuple):
    """A number as written: ``value`` with ``step``, the unit of its last digit."""

    text: str
    value: float
    step: float
    sign: str
    percent: bool

    @property
    def checked(self):
        """Whether it must be found by itself; a bare count such as "20 runs" need not."""
        return (self.percent or "." in self.text or "e" in self.text
                or "," in self.text and not self.text.endswith(",000"))

    def among(self, known):
        """Whether one of the known numbers, rounded alike, is this one.

        Without a sign the amount counts. A share and a percentage are alike; a percentage is not
        found among counts.
        """
        for other in known:
            factors = [1]
            if self.percent and not other.percent:
                factors = [100, 1] if "." in other.text else [100]
            elif other.percent and not self.percent:
                factors = [.01]
            values = [factor * other.value for factor in factors]
            if any(abs((value if self.sign else abs(value)) - self.value) <= self.step * 0.500001
                   for value in values):
                return True
        return False


def numbers(text):
    """The numbers in a text, in order, as :class:`Number`."""
    found = []
    for match in _NUMBER.finditer(text):
        sign, digits, percent = match.groups()
        exact = Decimal(digits.replace(",", ""))
        found.append(Number(match[0].strip(), float(-exact if sign in ("-", "\u2212") else exact),
                            10.0 ** exact.as_tuple().exponent, sign, bool(percent)))
    return found


def sentences(markdown):
    """Sentences of a Markdown text as (text without links and code, targets of its links)."""
    plain = _NOT_READ.sub(" ", re.sub(r"<(https?://[^>\s]+)>", r"[](\1)", markdown))
    for part in _SENTENCE.split(plain):
        targets = [target for _, target in _LINK.findall(part)]
        yield " ".join(_LINK.sub(r"\1", part).split()), targets


def missing_numbers(markdown, lines, chapters=None):
    """Numbers of a Markdown text that stand in none of the lines.

    Parameters
    ----------
    markdown : str
        The text.
    lines : list of list of Number
        What is known, a row of a table or a line of output each: an interval with its value, and
        "11 of 13", must be found in one line.
    chapters : callable, optional
        From the stem of another chapter to its lines, for sentences that link to it.

    Returns
    -------
    list of tuple of str
        The number or numbers as written, and the sentence.
    """
    missing = []
    for sentence, targets in sentences(markdown):
        if any(target.startswith(("http:", "https:")) for target in targets):
            continue
        known = list(lines)
        for target in targets:
            if chapters and target.endswith(".ipynb"):
                known += chapters(target.rsplit("/", 1)[-1].removesuffix(".ipynb"))
        for match in _GROUP.finditer(sentence):
            group = numbers(match[0])
            if (len(group) > 1 or group[0].checked) and not any(
                    all(number.among(line) for number in group) for line in known):
                missing.append((match[0].strip(), sentence))
    return missing


def lines(path):
    """What a page may say: its outputs, code, results, inputs, and the published numbers.

    Parameters
    ----------
    path : pathlib.Path
        The notebook. Of its code count the numbers that are written as such, parameters and
        other settings; its inputs are the files under ``metadata.genept.inputs``.

    Returns
    -------
    list of list of Number
    """
    notebook = read(path)
    said = [_joined(row) for row in ledger.published().itertuples(index=False)]
    for cell in code_cells(notebook):
        said += [_settings(cell.source), *(line for output in cell.outputs
                                           for line in _shown(output))]
    files = {paths.DATA / "results" / f"{path.stem}.json"}.union(*inputs(notebook).values())
    for file in sorted(files):
        if file.suffix == ".json" and file.is_file():
            said += [_joined(row.values()) for row in json.loads(file.read_text(encoding="utf-8"))
                     if isinstance(row, dict)]
    return [found for text in said if (found := numbers(text))]


def _settings(source):
    code = "\n".join(line for line in source.splitlines() if not line.startswith(("%", "!")))
    return " ".join(repr(node.value) for node in ast.walk(ast.parse(code))
                    if isinstance(node, ast.Constant) and type(node.value) in (int, float))


def _joined(values):
    return " ; ".join(str(value) for value in values if not (
        value is None or isinstance(value, float) and pd.isna(value)))


def _shown(output):
    """Lines of an output: rows of its table, else lines of its text; a picture has none."""
    data = output.get("data", {})
    if output.output_type == "stream":
        return output.text.splitlines()
    if any(kind.startswith("image/") for kind in data):
        return []
    if "text/html" in data:
        return [html.unescape(_TAG.sub(" ; ", row)) for row in data["text/html"].split("</tr>")]
    return data.get("text/plain", "").splitlines()


def check(names=()):
    """Numbers in the prose of the committed pages that are nowhere.

    Parameters
    ----------
    names : sequence of str
        Notebooks, as in :func:`genept_book.notebooks.notebooks`; all without names.

    Returns
    -------
    pandas.DataFrame
        ``page``, ``number`` (as written) and ``sentence``, empty when every number is found.
    """
    def other(stem):
        file = paths.NOTEBOOKS / f"{stem}.ipynb"
        return lines(file) if file.is_file() else []

    rows = []
    for path in notebooks(names):
        known = lines(path)
        rows += [(path.stem, *missing) for _, written in texts(read(path))
                 for missing in missing_numbers(written, known, other)]
    return pd.DataFrame(rows, columns=["page", "number", "sentence"])
