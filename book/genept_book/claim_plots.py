"""Claims drawn: paired differences by what the control reads, coloured by their verdicts."""

import textwrap

from genept_utils import optional

optional.need("matplotlib")

import matplotlib.pyplot as plt
import numpy as np

from genept_book.claims import KINDS
from genept_book.styles import PALETTE
from genept_book.plots import INK, QUIET


def verdicts(table, xlim=(-0.3, 0.3)):
    """Paired differences of claims, one line a claim and one panel a kind of control; as narrow as
    a phone, so the name of a claim stands above its line.

    Parameters
    ----------
    table : pandas.DataFrame
        ``claim``, ``kind``, ``value``, ``low``, ``high``, ``verdict``, as
        :func:`genept_utils.claims.verdicts` returns it.
    xlim : tuple of float
        Ends of every panel; a difference beyond them is drawn at the end, as a triangle.

    Returns
    -------
    list of matplotlib.axes.Axes
    """
    names = list(dict.fromkeys(table["claim"]))
    kinds = [kind for kind in KINDS if (table["kind"] == kind).any()]
    axes = plt.subplots(1, len(kinds), sharey=True, squeeze=False, layout="constrained",
                        figsize=(4, 1.3 + 0.36 * len(names)))[1][0]
    colour = {"ahead": PALETTE[0], "behind": PALETTE[1], "level": INK, "undecided": QUIET}
    for number, (ax, kind) in enumerate(zip(axes, kinds)):
        ax.set_title(kind, loc="center", fontsize=8, fontweight="normal",
                     pad=3 + 10 * (number % 2))  # two heights: long names do not touch
        ax.set_facecolor("none")  # names reach over all panels
        ax.axvline(0, color=QUIET, linewidth=1, linestyle=":", zorder=0)
        ax.hlines(range(len(names)), *xlim, color="#EEEEEE", linewidth=0.8, zorder=0)
        for row in table[table["kind"] == kind].itertuples():
            word, y = row.verdict.split()[-1], names.index(row.claim)
            at, low, high = np.clip([row.value, row.low, row.high], *xlim)
            ax.plot([low, high], [y, y], color=colour[word], linewidth=1.5)
            ax.plot(at, y, "o" if at == row.value else "<" if at < 0 else ">", color=colour[word],
                    markersize=5, fillstyle="none" if word == "undecided" else "full")
        ax.set(xlim=xlim, xticks=[-0.2, 0, 0.2], xticklabels=["-.2", "0", ".2"])
        ax.tick_params(axis="x", labelsize=8)
        ax.spines["left"].set_visible(False)
    axes[0].set(yticks=[], ylim=(len(names) - 0.5, -0.8))
    axes[0].set_zorder(1)
    for y, name in enumerate(names):
        axes[0].text(xlim[0], y - 0.45, textwrap.shorten(name, 64, placeholder="..."),
                     fontsize=8, va="center", bbox={"facecolor": "white", "edgecolor": "none",
                                                    "pad": 0.5}).set_in_layout(False)
    axes[0].figure.get_layout_engine().set(w_pad=0.01, wspace=0.02)
    axes[0].figure.supxlabel("subject minus control", fontsize=9)
    marks = [plt.Line2D([], [], color=colour[word], marker="o", label=word,
                        fillstyle="none" if word == "undecided" else "full") for word in colour]
    axes[0].figure.legend(handles=marks, loc="outside upper center", ncols=4,
                          fontsize=8, columnspacing=1, handletextpad=0.3)
    return list(axes)
