"""One look for every figure of the book. Nothing here computes a result."""

import itertools
from pathlib import Path

from genept_utils import optional

optional.need("matplotlib")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler

from genept_book import cluster_labels
from genept_book.styles import MANY, PALETTE, legend, looks
from genept_book.methods import reads

INK, QUIET = "#222222", "#8A8A8A"
# Inches; a phone shows that at .68 of the size it was drawn in, letters of 8 points at 7.5 pixels.
WIDEST = 5.2


def use_style():
    """Set the book's matplotlib style; call once at the top of a notebook."""
    plt.style.use(Path(__file__).with_name("genept.mplstyle"))
    plt.rcParams["axes.prop_cycle"] = cycler(color=PALETTE)


def _axes(ax, width, height):
    """The axes given, or those of a figure of this size in inches, no wider than a page shows."""
    return plt.subplots(figsize=(min(width, WIDEST), height))[1] if ax is None else ax


def _rare(counts, most):
    """Name of each class that is drawn as one with others: of more than ``most`` the rarest."""
    rare = counts.sort_values(ascending=False, kind="stable").index[most - 1:]
    return dict.fromkeys(rare, f"other ({len(rare)} types)") if len(counts) > most else {}


def grouped(labels, most=24):
    """Labels (n,) as str; of more than ``most`` classes the rarest become "other (k types)"."""
    labels = pd.Series(np.asarray(labels)).astype(str)
    return labels.replace(_rare(labels.value_counts(), most)).to_numpy()


def scatter(xy, labels, ax=None, order=None, size=None, title=None, legend=True):
    """A map of points coloured by label, rare labels drawn last.

    Parameters
    ----------
    xy : array (n, 2)
        Coordinates without meaning of their own (UMAP): the axes carry no ticks.
    labels : array-like (n,)
        Class of each point; of more than 24 classes the rarest are drawn as one, in grey.
    order : list of str, optional
        Order of the legend and the colours; by default the most frequent first.
    legend : bool
        Write the names on the groups.

    Returns
    -------
    matplotlib.axes.Axes
    """
    labels = grouped(labels)
    counts = pd.Series(labels).value_counts()
    order = [name for name in map(str, () if order is None else order) if name in counts]
    order += [name for name in counts.index if name not in order]
    ax = _axes(ax, 5.2, 4.2)
    size = size or float(np.clip(30_000 / len(labels), 1.0, 14))
    chosen = {name: QUIET if name.startswith("other (") else colour
              for name, colour in zip(order, itertools.cycle(MANY))}
    for name in order:
        here = labels == name
        ax.scatter(xy[here, 0], xy[here, 1], s=size, color=chosen[name], linewidths=0, alpha=0.75,
                   rasterized=True)
    ax.set(xticks=[], yticks=[], xlabel="UMAP 1", ylabel="UMAP 2", title=title)
    if legend:
        cluster_labels.write(ax, {name: cluster_labels.middle(xy[labels == name]) for name in order},
                        {name: cluster_labels.dark(colour) for name, colour in chosen.items()})
    return ax


def confusion(matrix, labels, ax=None, title=None):
    """A confusion matrix in per cent of the true class.

    Parameters
    ----------
    matrix : array (k, k)
        Counts, rows true, columns predicted.
    labels : sequence of str
        (k,) class names; of more than 16 classes the rarest are added up as "other (n types)".

    Returns
    -------
    matplotlib.axes.Axes
    """
    table = pd.DataFrame(np.asarray(matrix, dtype=float), *2 * [list(map(str, labels))])
    merged = _rare(table.sum(axis=1), 16)
    table = table.rename(index=merged, columns=merged)
    table = table.groupby(level=0, sort=False).sum().T.groupby(level=0, sort=False).sum().T
    share = 100 * table.div(table.sum(axis=1).clip(lower=1), axis=0)
    share = share.rename_axis(index="true class", columns="predicted class")
    side = 1.8 + 0.25 * len(share)
    return heatmap(share, _axes(ax, side, side), title=title, cmap="Blues", cbar=False, fmt="",
                   square=True, vmin=0, vmax=100, annot_kws={"size": 8},
                   annot=np.where(share >= 0.5, np.char.mod("%.0f", share.to_numpy()), ""))


def forest(table, ax=None, xlabel=None, reference=None, mark="published"):
    """Estimates with intervals, one line per row, methods by what they read.

    Parameters
    ----------
    table : pandas.DataFrame
        ``row`` (line label), ``method``, ``value``, ``low``, ``high``; optional ``published``,
        drawn as an open diamond that the legend calls ``mark``; without ``ax`` there is one.
    reference : float, optional
        A vertical line, for example .5 for a ROC-AUC.

    Returns
    -------
    matplotlib.axes.Axes
    """
    rows, chosen = list(dict.fromkeys(table["row"])), looks(table["method"])
    methods = list(chosen)
    step, own = 0.8 / max(len(methods), 1), ax is None
    ax = _axes(ax, 4, 1.6 + max(0.3 * len(rows), 0.16 * len(rows) * len(methods)))
    for number, method in enumerate(methods):
        part = table[table["method"] == method]
        y = np.array([rows.index(row) for row in part["row"]]) + (number + 0.5) * step - 0.4
        spread = np.abs(part[["low", "high"]].sub(part["value"], axis=0)).to_numpy(float).T
        ax.errorbar(part["value"], y, xerr=spread, markersize=4.5, label=method,
                    **{**chosen[method], "linestyle": "none"}, elinewidth=1.4)
    if "published" in table:
        known = table.dropna(subset=["published"]).drop_duplicates(["row", "published"])
        ax.scatter(known["published"], [rows.index(row) for row in known["row"]], marker="D",
                   s=42, facecolors="none", edgecolors=INK, linewidths=1.3, zorder=5,
                   label=mark)
    if reference is not None:
        ax.axvline(reference, color=QUIET, linewidth=1, linestyle=":", zorder=0)
    for line in range(1, len(rows)):
        ax.axhline(line - 0.5, color="#E6E6E6", linewidth=0.8, zorder=0)
    ax.set(yticks=range(len(rows)), yticklabels=rows, xlabel=xlabel,
           ylim=(len(rows) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0)
    if own and (len(methods) > 1 or "published" in table):  # else the axis names what is drawn
        legend(ax, 2)
    return ax


def lines(table, x, ax=None, xlabel=None, ylabel=None, title=None, reference=None):
    """A line with a band per method, on a logarithmic axis.

    Parameters
    ----------
    table : pandas.DataFrame
        ``method``, the column ``x``, ``value``, ``low`` and ``high``.
    reference : float, optional
        A dotted horizontal line.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = _axes(ax, 4, 3)
    for method, look in looks(table["method"]).items():
        part = table[table["method"] == method]
        ax.plot(part[x], part["value"], label=method, markersize=4, **look)
        ax.fill_between(part[x].astype(float), part["low"], part["high"], color=look["color"],
                        alpha=0.15, linewidth=0)
    if reference is not None:
        ax.axhline(reference, color=QUIET, linestyle=":")
    tried = table[x].unique()
    ax.set(xscale="log", title=title, xlabel=xlabel, ylabel=ylabel, xticks=tried,
           xticklabels=[f"{value:,}" for value in tried])
    ax.minorticks_off()
    return ax


def roc(curves):
    """ROC curves, by what methods read and best first, with their areas in the legend.

    Parameters
    ----------
    curves : dict of str -> dict
        Per method ``fpr`` and ``tpr`` (m,), ``auc``, and optionally ``low`` and ``high`` (the
        interval of the area) and ``tpr_low``, ``tpr_high`` (m,), drawn as a band.

    Returns
    -------
    matplotlib.axes.Axes
    """
    rows = 1 + len(curves) + len({reads(name) for name in curves} - {""})
    ax = _axes(None, 5.2, 4.2 + 0.19 * rows)
    ax.plot([0, 1], [0, 1], color=QUIET, linestyle=":", linewidth=1)
    best = sorted(curves, key=lambda name: -curves[name]["auc"])
    for name, look in looks(best).items():
        curve, colour = curves[name], look["color"]
        area = f"{curve['auc']:.2f}"
        if "low" in curve:
            area += f" [{curve['low']:.2f}, {curve['high']:.2f}]"
        ax.plot(curve["fpr"], curve["tpr"], color=colour, linewidth=1.6,
                linestyle=look["linestyle"], label=f"{name}: {area}")
        if "tpr_low" in curve:
            ax.fill_between(curve["fpr"], curve["tpr_low"], curve["tpr_high"], linewidth=0,
                            color=colour, alpha=0.15)
    ax.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1),
           aspect="equal")
    legend(ax, 1, title="ROC-AUC [95 % interval]")
    return ax


def _short(name):
    return f"{name[:39]}\N{HORIZONTAL ELLIPSIS}" if len(str(name)) > 40 else name


def heatmap(table, ax=None, label=None, title=None, cmap="viridis", **options):
    """A labelled heatmap of a DataFrame; ``label`` names the colour scale and its unit. Names of
    more than 40 letters are cut."""
    sns = optional.need("seaborn")
    table = table.rename(_short).rename(columns=_short)
    ax = _axes(ax, 2.2 + 0.36 * table.shape[1], 2 + 0.26 * table.shape[0])
    sns.heatmap(table, ax=ax, cmap=cmap, linewidths=0.4, **options, cbar_kws={
        "label": label, "location": "bottom", "shrink": 0.7, "aspect": 30})
    ax.set(xlabel=table.columns.name, ylabel=table.index.name, title=title)
    ax.tick_params(length=0)
    plt.setp(ax.get_xticklabels(), rotation=50, ha="right", rotation_mode="anchor")
    plt.setp(ax.get_yticklabels(), rotation=0)
    return ax
