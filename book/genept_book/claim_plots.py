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
    """Paired differences of claims, one line a claim and one panel a kind of control.

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
    axes = plt.subplots(1, len(kinds), sharey=True, squeeze=False,
                        figsize=(3.0 + 1.05 * len(kinds), 1.2 + 0.3 * len(names)))[1][0]
    colour = {"ahead": PALETTE[0], "behind": PALETTE[1], "level": INK, "undecided": QUIET}
    for ax, kind in zip(axes, kinds):
        ax.axvline(0, color=QUIET, linewidth=1, linestyle=":", zorder=0)
        ax.hlines(range(len(names)), *xlim, color="#EEEEEE", linewidth=0.8, zorder=0)
        for row in table[table["kind"] == kind].itertuples():
            word, y = row.verdict.split()[-1], names.index(row.claim)
            at, low, high = np.clip([row.value, row.low, row.high], *xlim)
            ax.plot([low, high], [y, y], color=colour[word], linewidth=1.5)
            ax.plot(at, y, "o" if at == row.value else "<" if at < 0 else ">", color=colour[word],
                    markersize=5, fillstyle="none" if word == "undecided" else "full")
        ax.set(title=kind, xlim=xlim, xticks=[-0.2, 0, 0.2], xticklabels=["-.2", "0", ".2"])
        ax.title.set_fontsize(9)
        ax.tick_params(axis="y", length=0)
    axes[0].set(yticks=range(len(names)), ylim=(len(names) - 0.5, -0.5),
                yticklabels=[textwrap.shorten(name, 54, placeholder="...") for name in names])
    axes[0].figure.supxlabel("subject minus control", fontsize=10)
    marks = [plt.Line2D([], [], color=colour[word], marker="o", label=word,
                        fillstyle="none" if word == "undecided" else "full") for word in colour]
    axes[0].figure.legend(handles=marks, loc="outside upper center", ncols=4)
    return list(axes)
