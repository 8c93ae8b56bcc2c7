"""Cells of a page: short lines, tables shown as tables, rows of the ledger made by one call."""

import ast
import re

import nbformat
import pytest

from genept_utils import paths
from genept_book import notebooks, plots

WIDTH = 79  # longer lines are cut off in the page
LONGEST_CELL = 30
MOST_DEFS = 4
# Lists of rows filled by hand, and columns of numbers printed with widths in place of a table.
PLUMBING = [r"\brows\.append\(", r"\brows \+= ", r"\bnote\(", r"\bsay\(", r"\"item\":"]
PADDED = r"\{[^{}\n]*?:(?:.?[<>^])?[+\- ]?\d+[,.\d]*[sdfg%]?\}"
PAGES = sorted(paths.NOTEBOOKS.glob("[0-9]*.ipynb"))
pages = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def code(path, without=("remove-cell",)):
    """Sources of the code cells, without the one that fetches the book on Colab."""
    notebook = nbformat.read(path, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"
            and not set(without) & set(cell.metadata.get("tags", []))]


def long_lines(cells):
    return [line for cell in cells for line in cell.splitlines() if len(line) > WIDTH]


def unfit_for_a_phone(cells):
    """Sizes that a cell gives its figure and which a phone shows too small, see plots.WIDEST."""
    text = "\n".join(cells)
    wide = [wide for wide in re.findall(r"figsize=\(([\d.]+)", text) if float(wide) > plots.WIDEST]
    return wide + [size for size in re.findall(r"(?:font|label)size=([\d.]+)", text)
                   if float(size) < 8]


def definitions(cells):
    return [node for cell in cells for node in ast.walk(ast.parse(cell))
            if isinstance(node, ast.FunctionDef)]


def plumbing(cells):
    return [line for cell in cells for line in cell.splitlines()
            if any(re.search(pattern, line) for pattern in [*PLUMBING, PADDED])]


@pages
def test_no_line_is_cut_off_in_the_page(path):
    assert not long_lines(code(path))


@pages
def test_figures_are_drawn_for_a_phone(path):
    assert not unfit_for_a_phone(code(path))


@pytest.mark.parametrize("cell, found", [
    ("plt.subplots(figsize=(7.2, 3))", ["7.2"]), ("ax.set_title('a', fontsize=6)", ["6"]),
    ("plt.subplots(figsize=(5, 12))\nax.text(0, 0, 'a', fontsize=8)", [])])
def test_figures_too_wide_for_a_phone_are_found(cell, found):
    assert unfit_for_a_phone([cell]) == found


@pages
def test_no_cell_is_long(path):
    for cell in code(path, without=("remove-cell", "parameters")):
        assert len(cell.splitlines()) <= LONGEST_CELL, cell


@pages
def test_a_page_defines_few_functions(path):
    found = definitions(code(path))
    assert len(found) <= MOST_DEFS, f"{[node.name for node in found]}: long logic leaves the page"


@pages
def test_a_page_keeps_no_books(path):
    assert not plumbing(code(path))


@pages
def test_a_styled_table_escapes_what_it_shows(path):
    """pandas' own tables do so; its Styler does where it is asked to."""
    cells = [cell for cell in code(path) if ".style." in cell]
    assert all('escape="html"' in cell for cell in cells)
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)


@pages
def test_results_are_recorded_by_one_call(path):
    calls = sum(cell.count("ledger.record(") for cell in code(path))
    recorded = (paths.DATA / "results" / f"{path.stem}.json").is_file()
    by_the_benchmarks = path.stem == "13-scale"  # the page only reads what `make bench` wrote
    assert calls == (recorded and not by_the_benchmarks)


@pages
def test_parameters_are_typed_and_explained(path):
    notebook = nbformat.read(path, as_version=4)
    assert notebooks.parameters(notebook)
    lines = next(cell.source for cell in notebook.cells
                 if "parameters" in cell.metadata.get("tags", [])).splitlines()
    for above, line in zip(["", *lines], lines):
        said = "#" in line or above.startswith("#") or line.startswith("seed")
        assert said or not re.match(r"\w+: \w+ = ", line), f"no comment: {line}"


@pytest.mark.parametrize("bad", [
    "rows.append({'method': name})", "rows += [line]", "note(method, scores)",
    "print(say(row))", 'rows = [{"item": "Fig 2b"}]', "print(f'{method:26s} {value:.3f}')",
    "print(f'{count:7,} {what}')", "print(f'{value:>8.3f}')"])
def test_the_check_finds_plumbing(bad):
    assert plumbing([bad])


@pytest.mark.parametrize("good", [
    "print(f'{count:,} genes; {value:.3f} [{low:+.2f}], {share:.0%}')",
    "ledger.record('02-gene-functions', table, item='Fig 2b')", "rows = table.query('n > 3')"])
def test_the_check_lets_sentences_pass(good):
    assert not plumbing([good])


def test_the_checks_find_long_lines_and_functions():
    assert long_lines(["x = 1\n" + "y" * 80]) and not long_lines(["y" * 79])
    assert len(definitions(["def f():\n    x = 1\n\ndef g():\n    pass\n"])) == 2


@pages
def test_the_top_of_a_chapter(path):
    """Title, claim, what was asked, three takeaways, facts; one figure to be shown there."""
    notebook = nbformat.read(path, as_version=4)
    title, claim, asked, taken, facts = notebook.cells[0].source.split("\n\n")
    assert title.startswith("# ") and claim.startswith("**") and asked.startswith("We ask ")
    assert [line[:2] for line in taken.splitlines()] == ["- "] * 3 and facts.startswith("| | |")
    figures = [cell for cell in notebook.cells
               if "main-figure" in cell.metadata.get("tags", [])]
    assert len(figures) == 1 and {"caption", "name"} <= set(figures[0].metadata.mystnb.figure)


@pages
def test_imports_and_parameters_are_folded(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if "plots.use_style()" in cell.source or "parameters" in cell.metadata.get("tags", []):
            assert "hide-input" in cell.metadata.tags
