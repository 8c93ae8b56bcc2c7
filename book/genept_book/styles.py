"""How a method looks in every figure: a colour family says what it reads, a mark which it is."""

import colorsys
import itertools

import matplotlib.pyplot as plt
from matplotlib.colors import to_hex, to_rgb

from genept_book.methods import FIXED, KINDS, reads

# Okabe & Ito's colour-blind-safe set without its yellow, which is too light on white.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5B5B5B", "#8C510A"]
# More classes than colours: the same hues again, darker, then lighter; dark orange comes last,
# since it is next to the brown.
_AGAIN = [PALETTE[i] for i in (0, 3, 2, 6, 5, 4, 7, 1)]
MANY = PALETTE + [
    to_hex(colorsys.hls_to_rgb(hue, light, full)) for light in (0.20, 0.80)
    for hue, _, full in (colorsys.rgb_to_hls(*to_rgb(colour)) for colour in _AGAIN)]
# Hues of Okabe & Ito's colour-blind-safe set; all shades have a contrast of 3:1 or more on white
# and on the card of the dark book (#1a2028).
FAMILIES = {
    "text": ["#0072B2", "#2F93D1", "#0A6FD0"], "words": ["#D55E00", "#B85200", "#E0701F"],
    "letters": ["#00875F", "#009E73", "#3D8B2D"], "expression": ["#B5528A", "#CC79A7", "#9C5BA8"],
    "annotations": ["#A67400", "#917A1C", "#B3781A"], "nothing": ["#757575", "#8C8C8C", "#6E7480"]}
MARKS = "osD^vPX*<>ph"
LINES = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))


def looks(methods):
    """Per method its ``color``, ``marker`` and ``linestyle``, in the order of what they read,
    those of no known kind last; else as given.

    Names of which none is a method (classifiers) have a colour each and one mark; among methods
    one of no known kind is black.
    """
    made, order = {}, [*KINDS, ""]
    methods = sorted(dict.fromkeys(methods), key=lambda method: order.index(reads(str(method))))
    if not any(reads(str(method)) for method in methods):
        return {method: {"color": colour, "marker": "o", "linestyle": "-"}
                for method, colour in zip(methods, itertools.cycle(MANY))}
    for kind, own in itertools.groupby(methods, key=lambda method: reads(str(method))):
        fixed = [method for method in FIXED if reads(method) == kind]
        free, family = itertools.count(len(fixed)), FAMILIES.get(kind, ["#222222"])
        for method in own:
            at = fixed.index(method) if method in fixed else next(free)
            made[method] = {"color": family[at % len(family)], "marker": MARKS[at % len(MARKS)],
                            "linestyle": LINES[at % len(LINES)]}
    return made


def legend(ax, columns, **options):
    """A legend below the figure that names what methods read above the methods that do."""
    pairs = list(zip(*ax.get_legend_handles_labels()))
    kinds = [kind for kind in (*KINDS, "") if kind in {reads(name) for _, name in pairs}]
    heads, empty = [f"reads {kind}" for kind in kinds if kind], plt.Line2D([], [], linestyle="none")
    if len(heads) > 1:
        pairs = [pair for kind in kinds for pair in (
            *([(empty, f"reads {kind}")] if kind else []),
            *((handle, name) for handle, name in pairs if reads(name) == kind))]
    middle = (len(pairs) - 1) // 2
    while columns == 2 and pairs[middle][1] in heads:  # else a head ends its column
        pairs.insert(middle, (empty, ""))
        middle = (len(pairs) - 1) // 2
    made = ax.figure.legend(*zip(*pairs), loc="outside lower center", ncols=columns, **options)
    for text in made.get_texts():
        if text.get_text() in heads:
            text.set(fontweight="bold", fontsize="small")
