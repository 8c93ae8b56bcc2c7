"""Non-overlapping cluster labels for a scatter plot."""

import colorsys

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke

PAD = 2  # pixels kept free around a name


def write(ax, centres, colours):
    """Write names on a map and draw a line where one had to move away from its group.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With its points drawn.
    centres : dict of str to array (2,)
        Where each name belongs, in data coordinates.
    colours : dict of str to str
        Colour of each name.
    """
    halo = [withStroke(linewidth=2.5, foreground="white")]
    texts = [ax.text(*place, name, fontsize=9, ha="center", va="center", zorder=6,
                     color=colours[name], weight="bold", path_effects=halo)
             for name, place in centres.items()]
    ax.figure.draw_without_rendering()  # the layout settles, and texts know their extent
    boxes = np.array([text.get_window_extent().extents for text in texts]).reshape(-1, 4)
    moved = spread(boxes, ax.get_window_extent().extents)
    middle = (moved[:, :2] + moved[:, 2:]) / 2
    for text, place, centre in zip(texts, ax.transData.inverted().transform(middle),
                                   centres.values()):
        text.set_position(place)
        text.set_in_layout(False)
        if np.abs(ax.transData.transform(place) - ax.transData.transform(centre)).max() > 6:
            ax.plot(*zip(centre, place), color=text.get_color(), linewidth=0.8, zorder=5)


def spread(boxes, frame):
    """Boxes (k, 4: left, bottom, right, top) moved up or down until none covers another, and into
    the frame; as near to their places as this simple way brings them."""
    boxes = np.array(boxes, dtype=float) + [-PAD, -PAD, PAD, PAD]
    frame = np.asarray(frame, dtype=float)
    for _ in range(400):
        boxes += _inwards(boxes, frame)
        still = True
        for i, j in ((i, j) for i in range(len(boxes)) for j in range(i)):
            wide, high = (np.minimum(boxes[i, 2:], boxes[j, 2:])
                          - np.maximum(boxes[i, :2], boxes[j, :2]))
            if wide > 0 and high > 0.5:
                upper, lower = (i, j) if boxes[i, 1] >= boxes[j, 1] else (j, i)
                boxes[upper, 1::2] += high / 2
                boxes[lower, 1::2] -= high / 2
                still = False
        if still:
            break
    return boxes + _inwards(boxes, frame) + [PAD, PAD, -PAD, -PAD]


def _inwards(boxes, frame):
    return np.tile(np.maximum(frame[:2] - boxes[:, :2], 0)
                   + np.minimum(frame[2:] - boxes[:, 2:], 0), 2)


def dark(colour, most=0.22):
    """A colour dark enough to be read as letters on white."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*to_rgb(colour))
    return colorsys.hls_to_rgb(hue, min(lightness, most), saturation)


def middle(points):
    """The point of a group that lies nearest to the group's median: never between islands."""
    return points[np.abs(points - np.median(points, axis=0)).sum(axis=1).argmin()]
