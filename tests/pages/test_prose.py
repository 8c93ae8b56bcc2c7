"""Numbers in prose that no output, result, setting or published table holds are named."""

import json
import re

import nbformat
import pytest

from genept_utils import paths
from genept_utils.__main__ import main
from genept_book import notebooks, prose

LINES = [prose.numbers(text) for text in (
    "GenePT MiniLM ; 0.8848 ; 0.8466 ; 0.9231", "spelling ; 0.6312 ; 0.55 ; 0.71",
    "over spelling -0.0221 [-0.0500, +0.0100]", "36,021 genes, 11 of 13 cathepsins, 96.3% found",
    "7 of 24 claims, p = 2.4e-05", "minus zero \u22120.125", "counts 3 44 12")]


def missing(markdown):
    return [number for number, _ in prose.missing_numbers(markdown, LINES)]


@pytest.mark.parametrize("sentence", [
    "ROC-AUC is .885.", "ROC-AUC is 0.88 there.", "It has 88 % and 88.5 per cent.", "It is .9.",
    "A gap of .022, written -.022 or \u2212.02.", "The loss of \u2212.12 or \u2212.13 is small.",
    "Of all names 96.3 % are found, a share of .963.", "There are 36,021 genes.",
    "The program holds 11 of 13 genes.", "The value is .885 [.847, .923].", "Within [.55, .71].",
    "p = 2.4e-05 is small.", "The gap is -.022 [-.050, +.010]."])
def test_what_the_page_holds_passes(sentence):
    assert missing(sentence) == []


@pytest.mark.parametrize("sentence, named", [
    ("ROC-AUC is .886.", [".886"]), ("ROC-AUC is 0.8849.", ["0.8849"]), ("It has 87 %.", ["87 %"]),
    ("A gap of +.022.", ["+.022"]), ("A gain of -.885 is none.", ["-.885"]),
    ("Only 44 % and 3 per cent.", ["44 %", "3 per cent"]), ("There are 36,022 genes.", ["36,022"]),
    ("The program holds 12 of 13 genes.", ["12 of 13"]), ("p = 2.5e-05 is small.", ["2.5e-05"]),
    ("The value is .885 [.847, .71].", [".885 [.847, .71]"]), ("See (.77).", [".77"]),
    ("The value is .631 [.847, .923].", [".631 [.847, .923]"]), ("[.55, .923]", [".55, .923]"]),
    ("- **Bold .333**, and .885.", [".333"]), ("Where p < .04 and x > .3, no.", [".04", ".3"]),
    ("Good: .885. Bad: .222. See [there](https://example.org/a).", [".222"])])
def test_what_is_nowhere_is_named(sentence, named):
    assert missing(sentence) == named


@pytest.mark.parametrize("sentence", [
    "The paper has .77 ([Chen 2024](https://doi.org/10.1/x.77)).", "Their [file](https://doi.org/10.5281/zenodo.1) has .77.", "See <https://example.org/0.77>.",
    "With `seed=0.77` and scikit-learn 1.9.77.", "On 2023-10-16, GPT-3.5 read L2.5 texts.",
    "doi:10.1038/s41551.77 and 10.1101/2023.10.16 stand there.", "In 20 runs of 5 folds.",
    "[The method](page-0.77.md) is said there.", "| Run time | about 7.7 min |",
    "A 95 % interval, the 95 % bootstrap interval, the middle 95 % of them.",
    "The 2,000 most variable genes.", "![a figure of](0.77.png)"])
def test_what_is_no_result_or_cited_passes(sentence):
    assert missing(sentence) == []


def test_a_citation_holds_for_its_own_sentence_only():
    text = "They report .77 ([source](https://example.org)).\nWe have .78.\nAnd .79."
    assert missing(text) == [".78", ".79"]


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page of the given Markdown, whose outputs, settings and results hold a few numbers."""
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "notebooks")
    (tmp_path / "notebooks").mkdir()
    data = tmp_path / "data"
    (data / "results").mkdir(parents=True)
    (data / "published.csv").write_bytes((paths.DATA / "published.csv").read_bytes())
    monkeypatch.setattr(paths, "DATA", data)
    monkeypatch.setattr(paths, "ROOT", tmp_path)

    def write(markdown, stem="02-small", caption="", alt=""):
        (data / "results" / f"{stem}.json").write_text(json.dumps(
            [{"method": stem, "value": 0.4321 if stem == "02-small" else 0.1234, "n": 55}]))
        html = ("<style>td {width: 0.654px}</style><table><tr><th>a</th><td>0.765</td></tr>"
                "<tr><th>b</th><td>41.2%</td></tr></table>")
        v4 = nbformat.v4
        code = v4.new_code_cell("share: float = 0.0625  # 0.3333", outputs=[
            v4.new_output("stream", text="12 of 34, 0.567\n78 of 90"),
            v4.new_output("display_data", {"text/html": html, "text/plain": "0.876"}),
            v4.new_output("display_data", {"image/png": "", "text/plain": "0.987"})])
        code.metadata["mystnb"] = {"figure": {"caption": caption}, "image": {"alt": alt}}
        notebook = v4.new_notebook(cells=[code, v4.new_markdown_cell(markdown)])
        nbformat.write(notebook, tmp_path / "notebooks" / f"{stem}.ipynb")
        return prose.check([stem])["number"].tolist()

    return write


def test_outputs_settings_results_and_published_numbers_count(page):
    assert page("Printed .567, shown .765 and 41 %, set .0625, recorded .432, published .889.") == []
    assert page("Style .654, comment .3333, plain twin .876, picture .987.") == [
        ".654", ".3333", ".876", ".987"]
    assert page("Two lines do not make 12 of 90.") == ["12 of 90"]
    assert page("", caption="Bars show .111 and .567.") == [".111"]
    assert page("", caption="Bars.", alt="Bars at .567 and .111") == [".111"]


def test_a_link_to_another_chapter_brings_its_numbers(page):
    page("", stem="03-other")
    assert page("[Chapter 3](03-other.ipynb) has .1234.\nHere it is .1234.") == [".1234"]
    assert page("[Chapter 3](03-other.ipynb) has .2345.") == [".2345"]


def test_the_command_names_page_and_sentence_and_fails(page, capsys):
    page("It is .567. It is .568 elsewhere.")
    assert main(["check", "--prose", "02"]) == 1
    said = capsys.readouterr().out
    assert "02-small: .568 " in said and "It is .568 elsewhere." in said
    page("It is .567.")
    assert main(["check", "--prose"]) == 0
    assert "every number" in capsys.readouterr().out


@pytest.mark.parametrize("path", sorted(paths.NOTEBOOKS.glob("[0-9]*.ipynb")),
                         ids=lambda path: path.stem)
def test_a_wrong_number_in_a_chapter_is_named(path):
    """Four digits that no chapter holds, put behind each number of the real text."""
    cells = nbformat.read(path, as_version=4).cells
    known = prose.lines(path)
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    before = len(prose.missing_numbers(text, known))
    spoilt = text + "\n\nIt gained .31415 there, or 31.415 %, that is .5 [.11111, .99999]."
    assert len(prose.missing_numbers(spoilt, known)) == before + 3


def test_numbers_are_written_as_the_tables_write_them():
    """With the zero before the point, in pages and captions; code and settings are not read."""
    bare = re.compile(r"(?<![\w.,])[-+\u2212]?\.\d")
    texts = {path.name: path.read_text(encoding="utf-8")
             for path in [paths.ROOT / "README.md", *(paths.ROOT / "book").glob("*.md")]}
    for path in notebooks.notebooks():
        texts[path.name] = "\n\n".join(
            text for _, text in notebooks.texts(nbformat.read(path, as_version=4)))
    found = {name: [sentence for sentence, _ in prose.sentences(text) if bare.search(sentence)]
             for name, text in texts.items()}
    assert not any(found.values()), {name: said for name, said in found.items() if said}
