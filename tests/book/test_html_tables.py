"""Tables of pandas as pages show them: heads, numbers, intervals, differences and groups."""

import pandas as pd
import pytest

pytest.importorskip("bs4", reason="beautifulsoup4 is not installed")

from bs4 import BeautifulSoup  # noqa: E402
from markupsafe import Markup  # noqa: E402

from genept_book import html_tables  # noqa: E402


def test_table_of_a_frame():
    frame = pd.DataFrame({"method": ["a<b", "c"], "value": [0.12345, None]})
    frame["link"] = "<i>x</i>"
    html = html_tables.html_table(frame, raw=("link",))
    assert "a&lt;b" in html and "<i>x</i>" in html
    assert '<td class="num">0.123</td>' in html and '<td class="num"></td>' in html


def test_pandas_table_is_tidied():
    frame = pd.DataFrame({"id": [1, 2], "kind": ["x", "y"], "mean": [0.5, 0.25]}).set_index("id")
    html = html_tables.tidy_tables(frame.to_html())
    assert html.count("<tr") == 3 and "<th>id</th>" in html.replace(' class=""', "")
    assert '<td class="num">0.25</td>' in html and "<td>x</td>" in html


@pytest.mark.parametrize("index", ["method", ["set", "method"]])
def test_name_of_the_index_takes_the_place_of_the_name_of_all_columns(index):
    frame = pd.DataFrame({"set": ["a", "a"], "method": ["x", "y"], "metric": "ARI", "value": .5})
    html = html_tables.tidy_tables(frame.pivot_table("value", index, "metric").to_html())
    head = html[:html.index("</thead>")]
    assert head.count("<tr") == 1 and "metric" not in head
    assert "method" in head and "ARI" in head


@pytest.mark.parametrize("index, kept", [(None, False), ([1, 2], True), (["a", "b"], True)])
def test_row_numbers_are_left_out_and_what_is_missing_is_a_dash(index, kept):
    frame = pd.DataFrame({"method": ["x", "y"], "value": [.5, None]}, index)
    html = html_tables.tidy_tables(frame.to_html())
    assert ("<th>" in html.split("<tbody>")[1]) == kept
    assert "NaN" not in html and '<td class="num">–</td>' in html


@pytest.mark.parametrize("head, parts", [("knn_agreement", 2), ("wordllama/summary", 2),
                                         ("permuted:minilm", 2), ("accuracy", 1)])
def test_long_heads_break_where_their_parts_meet(head, parts):
    html = html_tables.tidy_tables(pd.DataFrame({head: [.5]}).to_html())
    assert html.count("<wbr") == parts - 1 and head in html.replace("<wbr/>", "")


def test_two_levels_of_columns_keep_their_rows():
    frame = pd.DataFrame([[.5, .6]], pd.Index(["x"], name="method"),
                         pd.MultiIndex.from_tuples([("kang", "ari"), ("kang", "ami")]))
    head = html_tables.tidy_tables(frame.to_html()).split("</thead>")[0]
    assert head.count("<tr") == 2 and "kang" in head and "AMI" in head


@pytest.mark.parametrize("name, rows", [("value", 1), ("difference", 2)])
def test_interval_stands_under_its_number_in_a_table_of_two_heads(name, rows):
    columns = pd.MultiIndex.from_product([["ari x"], [name, "low", "high"]])
    frame = pd.DataFrame([[.5, -.25, .75], [.1, 0., .2], 3 * [None]],
                         pd.Index(["x", "y", "z"], name="method"), columns, float)
    html = html_tables.tidy_tables(frame.to_html())
    assert "<small>-0.25 to 0.75</small>" in html and html.count("<small>") == 2
    head, body = html.split("</thead>")
    assert head.count("<tr") == rows and body.count("<td") == 3 and "– to" not in body
    assert "low" not in head and (name in head) == (rows == 2) and "ari x" in head


def test_each_head_stands_above_its_own_columns_where_intervals_are_joined():
    columns = pd.MultiIndex.from_product([["kang", "lung"], ["type", "batch"],
                                          ["value", "low", "high"]])
    frame = pd.DataFrame([range(12)], pd.Index(["x"], name="method"), columns)
    html = html_tables.tidy_tables(frame.to_html())
    heads = [[(cell.get_text(), int(cell.get("colspan", 1))) for cell in row.find_all(["th", "td"])]
             for row in BeautifulSoup(html, "html.parser").select("thead tr")]
    assert heads == [[("", 1), ("kang", 2), ("lung", 2)],
                     [("method", 1), *[("type", 1), ("batch", 1)] * 2]]


def test_intervals_are_joined_in_rows_that_repeat_no_name_and_in_wide_tables():
    index = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")], names=["set", "method"])
    wide = pd.DataFrame({"n": [1, 2], "auc": [.5, .6], "auc_low": [.4, .5], "auc_high": [.6, .7],
                         "mean": [.1, .2], "mean low": [0., .1], "mean high": [.2, .3]}, index)
    html = html_tables.tidy_tables(wide.to_html())
    assert html.count("<small>") == 4 and "<small>0.5 to 0.7</small>" in html
    assert "auc_low" not in html.replace("<wbr/>", "") and "mean low" not in html
    few = html_tables.tidy_tables(wide.loc["a", ["auc", "auc_low", "auc_high"]].to_html())
    assert "<small>" not in few


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("pairs, head, lines", [
    ([("A", "b"), ("A", "c")], ["A minus", "x"], ["b", "c"]),
    ([("A", ""), ("A", "c")], ["method", "x"], ["A", "A minus c"]),
    ([("A", "b"), ("B", "c")], ["method", "against", "x"], ["A", "b", "B", "c"])])
def test_differences_say_what_is_taken_from_what(pairs, head, lines, parts):
    index = pd.MultiIndex.from_tuples(pairs, names=["method", "against"])
    columns = ["x"] if parts == 1 else pd.MultiIndex.from_product([["x"], ["value", "low", "high"]])
    html = html_tables.tidy_tables(pd.DataFrame(
        [[.5, .4, -.6][:parts], [None] * parts], index, columns, float).to_html())
    soup = BeautifulSoup(html, "html.parser")
    assert [cell.get_text() for cell in soup.select("thead tr > *")] == head
    assert [cell.get_text() for cell in soup.select("tbody th")] == lines
    assert parts == 1 or "0.5<small>0.4 to -0.6</small>" in html
    assert html.count("<small>") == (parts == 3) and "–" in html


@pytest.mark.parametrize("first, groups", [("aabb", 2), ("abcd", 0)])
def test_name_of_several_rows_also_stands_above_them(first, groups):
    index = pd.MultiIndex.from_arrays([list(first), list("wxyz")], names=["set", "method"])
    soup = BeautifulSoup(html_tables.tidy_tables(
        pd.DataFrame({"value": range(4)}, index).to_html()), "html.parser")
    assert [row.get_text(strip=True) for row in soup.select("tr.group")] == list("ab")[:groups]
    assert len(soup.select(".grouped")) == (groups and groups + 1)


def test_thousands_are_parted_in_columns_of_numbers_only():
    frame = pd.DataFrame({"cells": [16791, 900], "gene": ["7157", "TP53"], "share": [.5, 1234.5]})
    html = html_tables.tidy_tables(frame.to_html())
    assert ">16,791<" in html and ">900<" in html and ">7157<" in html and ">1234.5<" in html


@pytest.mark.parametrize("values, shown", [
    ([11187.0, 54.0], [">11,187<", ">54<"]), ([3284.0, None], [">3,284<", ">–<"]),
    ([1.0, 0.0], [">1.0<", ">0.0<"]), ([12.0, 0.5], [">12.0<", ">0.5<"])])
def test_counts_have_no_decimals(values, shown):
    html = html_tables.tidy_tables(pd.DataFrame({"n": values}).to_html())
    assert all(text in html for text in shown)


def test_markup_in_a_column_of_text_stays_markup_and_text_is_escaped():
    made = html_tables.html_table(pd.DataFrame({"a": [Markup("<code>x</code> ") + "b" * 50,
                                                      "<i>" + "c" * 50]}), plain=True)
    assert '<td class="long"><code>x</code> b' in made and "&lt;i&gt;c" in made
