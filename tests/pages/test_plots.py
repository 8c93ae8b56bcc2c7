"""Figures never end a run: many classes, long names, names beside their groups."""

import numpy as np
import pandas as pd
import pytest

from genept_utils import paths
from genept_book import cluster_labels, ledger, plots, styles
from genept_book.methods import KINDS, reads


@pytest.mark.parametrize("n", [24, 25, 60, 200])
def test_of_many_classes_the_rarest_are_drawn_as_one(n):
    labels = np.repeat([f"type {i}" for i in range(n)], np.arange(n, 0, -1))
    made = plots.grouped(labels)
    assert len(set(made)) == min(n, 24)
    if n > 24:
        assert f"other ({n - 23} types)" in made
        assert (made == "type 0").sum() == n  # common types stay
    assert len(plots.looks(range(n))) == n


@pytest.mark.parametrize("legend", [True, False])
def test_a_map_of_sixty_types_is_drawn(legend):
    rng = np.random.default_rng(0)
    ax = plots.scatter(rng.standard_normal((300, 2)), np.arange(300) % 60, legend=legend)
    shown = [text.get_text() for text in ax.texts]
    assert ("other (37 types)" in shown) == legend
    plots.plt.close(ax.figure)


def test_a_given_order_that_lacks_a_class_loses_no_points():
    ax = plots.scatter(np.zeros((4, 2)), ["a", "b", "c", "a"], order=["b", "absent"])
    drawn = sum(len(part.get_offsets()) for part in ax.collections)
    assert drawn == 4
    plots.plt.close(ax.figure)


@pytest.mark.parametrize("k", [2, 8, 14])
def test_names_on_groups_do_not_cover_each_other(k):
    boxes = np.tile([100.0, 100.0, 180.0, 112.0], (k, 1))
    made = cluster_labels.spread(boxes, [0, 0, 400, 300])
    for i in range(k):
        for j in range(i):
            high = min(made[i, 3], made[j, 3]) - max(made[i, 1], made[j, 1])
            assert high < 1, (i, j)
    assert made.min() >= 0 and made[:, 3].max() <= 300


@pytest.mark.parametrize("draw", [
    lambda: plots.confusion(np.eye(15) * 9, [f"a_class_of_{i}" for i in range(15)]),
    lambda: plots.confusion(np.eye(40) * 9, [f"a long name of a type {i}" for i in range(40)]),
    lambda: plots.heatmap(pd.DataFrame(np.eye(30)).add_prefix("a long name of a column "),
                          label="unit"),
    lambda: plots.forest(pd.DataFrame({"row": ["a"], "method": ["PCA"], "value": [1], "low": [0],
                                       "high": [2]})),
    lambda: plots.lines(pd.DataFrame({"n": [1], "method": ["PCA"], "value": [1], "low": [0],
                                      "high": [2]}), "n"),
    lambda: plots.roc({"PCA": {"fpr": [0, 1], "tpr": [0, 1], "auc": .5}}),
    lambda: plots.scatter(np.eye(2), ["a", "b"])])
def test_a_phone_shows_a_figure_in_letters_of_seven_pixels(draw):
    with plots.plt.rc_context():
        plots.use_style()
        figure = draw().figure
        figure.draw_without_rendering()
        wide = figure.get_tightbbox().width
        letters = min(text.get_fontsize() for text in figure.findobj(plots.plt.Text)
                      if text.get_text() and text.get_visible())
        plots.plt.close(figure)
    assert letters / 72 * 358 / wide >= 7  # points to pixels of a page that is 358 px wide


def test_the_rarest_of_many_classes_are_one_row_of_a_confusion_matrix():
    counts = np.diag(np.arange(40, 0, -1))
    counts[39, 38] = 7  # of one rare class for another
    ax = plots.confusion(counts, [f"type {i}" for i in range(40)])
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == [*(f"type {i}" for i in range(15)), "other (25 types)"]
    assert ax.texts[-1].get_text() == "100"
    plots.plt.close(ax.figure)


def light(colour):
    """Relative luminance, as WCAG defines it."""
    linear = [c / 12.92 if c <= .04045 else ((c + .055) / 1.055) ** 2.4
              for c in plots.plt.matplotlib.colors.to_rgb(colour)]
    return np.dot([.2126, .7152, .0722], linear)


def test_letters_on_a_map_are_dark_enough_to_read():
    for colour in [look["color"] for look in plots.looks(range(24)).values()]:
        assert 1.05 / (light(cluster_labels.dark(colour)) + .05) > 4.5  # on white, as WCAG asks


def test_every_method_of_the_results_has_a_kind():
    folder = paths.DATA / "results"
    rows = pd.concat([ledger.results(folder=folder), ledger.differences(folder=folder)])
    rows = rows[~rows["notebook"].str.endswith("-scale")]
    names = pd.unique(rows[["method", "against"]].to_numpy().ravel())
    assert not [name for name in names if isinstance(name, str) and reads(name) not in KINDS]


def test_colours_say_what_a_method_reads_and_are_seen_on_both_cards():
    for family in styles.FAMILIES.values():
        for colour in family:
            for card in ("#ffffff", "#1a2028"):
                low, high = sorted([light(colour), light(card)])
                assert (high + .05) / (low + .05) >= 3
    shades = [set(family) for family in styles.FAMILIES.values()]
    assert tuple(styles.FAMILIES) == KINDS and len(set.union(*shades)) == sum(map(len, shades))
    names = ["permuted", "TF-IDF, all words", "GenePT WordLlama", "own text", "GenePT MiniLM"]
    some = styles.looks(names)
    assert list(some) == ["GenePT WordLlama", "GenePT MiniLM", "TF-IDF, all words", "permuted",
                          "own text"]
    for name in names[:3]:  # whatever else is drawn
        assert styles.looks([name])[name] == some[name]
        assert some[name]["color"] in styles.FAMILIES[reads(name)]
    assert len({(one["color"], one["marker"]) for one in styles.looks(styles.FIXED).values()}
               ) == len(styles.FIXED)


def test_legends_name_what_methods_read():
    table = pd.DataFrame({"row": "task", "value": .5, "low": .4, "high": .6,
                          "method": ["permuted", "spelling", "GenePT MiniLM", "spelling, cut"]})
    ax = plots.forest(table)
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == [
        "reads text", "GenePT MiniLM", "reads letters", "spelling", "spelling, cut",
        "reads nothing", "permuted"]
    plots.plt.close(ax.figure)
    table["method"] = ["permuted", "spelling", "GenePT MiniLM", "Gene2vec"]
    names = [text.get_text() for text in plots.forest(table).figure.legends[0].get_texts()]
    assert len(names) % 2 == 0 and names[(len(names) - 1) // 2] == "spelling"  # no head ends it
    plots.plt.close("all")
    ax = plots.forest(table.assign(method=list("abcd")))  # classifiers, say
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == list("abcd")
    plots.plt.close(ax.figure)


def test_a_logarithmic_axis_names_the_sizes_that_were_tried():
    table = pd.DataFrame({"method": "text", "size": [50, 200, 2000], "value": .5, "low": .4,
                          "high": .6})
    ax = plots.lines(table, "size")
    ax.figure.canvas.draw()
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == ["50", "200", "2,000"] and not len(ax.xaxis.get_minorticklocs())
    plots.plt.close(ax.figure)


def test_estimates_and_lines_fit_a_phone_without_scrolling():
    """A figure keeps .85 of its size, 100 px to the inch and .07 inch around it, in 358 px."""
    table = pd.DataFrame({"row": "a row", "method": ["Gene2vec", "permuted"], "value": [.5, .6],
                          "low": .4, "high": .7, "size": [50, 100]})
    with plots.plt.rc_context():
        plots.use_style()
        for ax in (plots.forest(table), plots.lines(table, "size"), plots.plt.subplots()[1]):
            assert .85 * 100 * (ax.figure.get_figwidth() + .14) <= 358
            plots.plt.close(ax.figure)
