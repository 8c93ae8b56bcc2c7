"""The Sphinx extension: executed copies, status lines, tables and image sizes."""

import json
import re
from types import SimpleNamespace

import nbformat
import pandas as pd
import pytest
from docutils import nodes
from docutils.utils import new_document
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from genept_utils import paths
from genept_book import bindings, claims, ledger
from genept_book.stamp import code_hash

pytest.importorskip("sphinx", reason="sphinx is not installed")

from genept_book import assets, html_tables, notebook_pages, roles, wording  # noqa: E402


@pytest.fixture
def render(tmp_path):
    """Function: what a page is rendered from, given the runner's copy and summary row."""
    committed = new_notebook(cells=[new_markdown_cell("# Title"), new_code_cell("1 + 1")])
    run = tmp_path / "_build" / "run"
    (run / "notebooks").mkdir(parents=True)

    def rendered(code="1 + 1", **row):
        copy = new_notebook(cells=[new_markdown_cell("# Older title"), new_code_cell(code)])
        copy.cells[1].outputs = [new_output("stream", text="fresh")]
        copy.metadata["genept"] = {"run": {"code_sha256": code_hash(copy)}}
        nbformat.write(copy, run / "notebooks" / "02-x.ipynb")
        (run / "summary.json").write_text(json.dumps([{"notebook": "02-x", **row}]))
        env = SimpleNamespace(note_dependency=lambda path: None)
        app = SimpleNamespace(srcdir=str(tmp_path), env=env)
        text = [nbformat.writes(committed)]
        notebook_pages.read_notebook(app, "notebooks/02-x", text)
        return nbformat.reads(text[0], as_version=4)

    return rendered


def test_page_shows_the_executed_copy(render):
    page = render(status="executed", missing=[])
    assert page.cells[1].outputs[0].text == "fresh" and len(page.cells) == 2
    assert page.cells[0].source == "# Title"  # its text may have changed since


def test_copy_of_other_code_is_not_shown(render):
    assert render(code="2 + 2", status="executed").cells[1].outputs == []


def test_kept_page_says_so_and_keeps_its_outputs(render):
    page = render(status="kept", missing=["a.csv", "b.csv"], run_date="2026-11-20")
    assert page.cells[1].source == ("> **Not re-executed here.** Outputs of 2026-11-20; "
                                    "`a.csv`, `b.csv` could not be reached.")
    assert page.cells[2].outputs == []


def test_partial_page_says_so(render):
    page = render(status="partial", missing=["a.csv"], run_date="2026-11-20")
    assert page.cells[1].source.startswith("> **Executed in part.** Run of 2026-11-20; `a.csv`")
    assert page.cells[2].outputs[0].text == "fresh"


def test_a_page_without_a_heading_is_left_as_it_is():
    page = new_document("page")
    page += nodes.paragraph("", "words")
    app = SimpleNamespace(env=SimpleNamespace(docname="notebooks/own"))
    notebook_pages.style_blocks(app, page)
    assert page.astext() == "words"


def test_zero_has_no_sign():
    html = html_tables.tidy_tables(pd.DataFrame({"a": [-0.0, -0.5]}).to_html())
    assert "-0.0<" not in html and ">0.0<" in html and ">-0.5<" in html


@pytest.mark.parametrize("text, kept", [
    ("<p>by GenePT-w here</p>", '<span class="keep">GenePT-w</span>'),
    ("<p>95 % of</p>", "95\u00a0%"), ("<pre>GenePT-w 95 %</pre>", "<pre>GenePT-w 95 %</pre>"),
    ('<code class="literal">GenePT-w</code>', '<code class="literal keep">GenePT-w</code>'),
    (f'<code class="literal">{"x" * 40}</code>', f'<code class="literal">{"x" * 40}</code>')])
def test_terms_and_units_are_not_parted_at_the_end_of_a_line(text, kept):
    assert kept in wording.keep_together(text)
    plain = re.sub(r"<span[^>]*>|</span>| keep", "", wording.keep_together(text))
    assert plain.replace("\u00a0", " ") == text


@pytest.mark.parametrize("frame, raw, cards", [
    ({"a": ["x"], "b": ["<a>y</a>"]}, ("b",), True), ({"a": ["x"], "b": ["y " * 40]}, (), True),
    ({"a": ["<a>x</a>"], "b": ["1.5"]}, ("a",), False), ({"a": ["x " * 40]}, (), False)])
def test_rows_of_words_are_cards_on_a_phone(frame, raw, cards):
    assert (" cards" in html_tables.html_table(pd.DataFrame(frame), raw=raw)) == cards


def test_drawing_only_between_0_and_1():
    assert html_tables.interval_bar(0.5, 0.6, 0.5, 0.7).count("<path") == 2
    assert html_tables.interval_bar(1.5, 0.6, None, None) == ""
    assert html_tables.interval_bar(None, None, None, None) == ""


def test_image_has_the_size_of_its_inches(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    figure = plt.figure(figsize=(4, 3))
    figure.savefig(tmp_path / "a.png", dpi=180)
    plt.close(figure)
    assert assets.png_size(tmp_path / "a.png") == (400, 300)
    (tmp_path / "b.svg").write_text("<svg/>")
    assert assets.png_size(tmp_path / "b.svg") is None


def test_only_used_part_of_mathjax_is_copied(tmp_path):
    app = SimpleNamespace(outdir=str(tmp_path), builder=SimpleNamespace(format="html"))
    assets.copy_mathjax(app)
    folder = tmp_path / "_static" / "mathjax"
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert (folder / "tex-chtml.js").is_file() and size < 3e6


def test_rows_of_a_readers_own_files_are_marked_in_the_ledger():
    from genept_book.directives import LedgerTable

    row = dict.fromkeys([*ledger.KEY, "published_note", "source", "split", "notebook"], "x")
    rows = [{**row, "published": .5, "spread": None, "ours": .4, "low": None, "high": None,
             "our_method": "GenePT-w", "note": note} for note in ("", "your files; drawn", "your files")]
    page = SimpleNamespace(options={}, notebook_link=str)
    shown = LedgerTable.show(page, pd.DataFrame(rows))
    first = [cell.split("<small>")[0] for cell in shown["our method"]]
    assert first == ["GenePT-w", *["GenePT-w, your files"] * 2]
    assert [(cell.count("your files"), "drawn" in cell) for cell in shown["our method"]] == [
        (0, False), (1, True), (1, False)]  # said once in each


def test_number_of_a_claim_is_that_of_the_results():
    for row in roles.scores().iloc[[0, 7, -1]].itertuples():
        assert roles.value(f"{row.id} | {row.kind}") == f"{row.value:.2f}"


@pytest.mark.parametrize("claim, kind, said", [
    ("no-such-claim", "subject", "there are: "), ("class", "no kind", "letters"),
    ("clusters", "printed", "expression")])
def test_unknown_claim_is_named(claim, kind, said):
    with pytest.raises(ValueError, match=said):
        roles.value(f"{claim}, {kind}")


def test_readme_tells_what_the_first_page_tells():
    """Findings and the table of results of the README are those of book/index.md, with the numbers
    and verdicts of the results."""
    page, readme = ((paths.ROOT / name).read_text(encoding="utf-8")
                    for name in ("book/index.md", "README.md"))
    said = re.sub(r"{claim}`([^`]+)`", lambda m: roles.value(m[1]), page)
    said = re.sub(r"{verdict}`([^`]+)`", lambda m: bindings.worded(m[1]), said)
    findings = said[said.index(":::{div} findings"):].split(":::")[1].splitlines()[1:]
    table = [line for line in said.splitlines() if line.startswith("|")]
    bare = " ".join(bindings.COMMENT.sub("", readme).split())
    lines = [" ".join(bindings.COMMENT.sub("", line).split()).strip("- ")
             for line in [*findings, *table] if not line.strip().startswith("[")]
    assert len([line for line in lines if line]) >= 14
    for line in lines:
        assert line in bare, f"the README does not say: {line}"


def test_comments_that_bind_are_not_in_the_book():
    source = ["It is ahead. <!-- claim: a b ahead --> <!-- claim: c d level -->\nMore."]
    notebook_pages.drop_bindings(None, "book/index", source)
    assert source == ["It is ahead.\nMore."]


def test_a_verdict_in_prose_is_the_recorded_one():
    row = roles.verdicts().iloc[0]
    assert roles.verdict(f"{row['id']} {row['kind']} {row['verdict']}") == row["verdict"]
    other = next(word for word in claims.VERDICTS if word != row["verdict"])
    with pytest.raises(ValueError, match=f"recorded is {row['verdict']}"):
        roles.verdict(f"{row['id']} {row['kind']} {other}")


def test_tables_use_words_that_a_reader_knows():
    """No short name of a metric or classifier reaches a reader."""
    for column in ("classifier", "metric"):
        for name in set(ledger.results()[column].dropna()) | set(ledger.published()[column]):
            shown = html_tables.readable(name)
            assert "_" not in shown and shown not in ("lr", "rf", "ari", "ami", "asw"), name


def test_head_without_a_word_is_no_head():
    frame = pd.DataFrame({"a": [1.5]}, index=["x"])
    html = html_tables.tidy_tables(frame.to_html())
    assert "<th></th>" not in html and html.count("<thead>") == 1 and "<td></td>" in html


@pytest.mark.parametrize("options, there, not_there", [
    ({}, "authors' notebook", ledger.THIRD_PARTY), ({"third": None}, "jethrocsau/GenePT",
                                                    "authors' notebook")])
def test_what_third_parties_measured_is_a_table_of_its_own(options, there, not_there):
    from genept_book.directives import LedgerTable

    page = SimpleNamespace(options=options, arguments=["Table 1"], notebook_link=str)
    sources = set(LedgerTable.read(page)["source"].dropna())
    assert there in sources and not_there not in sources
    if options:
        shown = LedgerTable.show(page, LedgerTable.read(page))["published"]
        assert shown.str.contains("jethrocsau/GenePT").any()


def test_what_the_soak_counted_is_a_table_of_numbers():
    from genept_book.promises import SoakTable

    said = json.loads((paths.DATA / "results" / "reliability.json").read_text())
    table = SoakTable.read(SimpleNamespace(results=lambda name: said)).set_index("what")["count"]
    assert table["texts embedded"] == f"{said['texts']['texts']:,}" and table["files lost"] == "0"
