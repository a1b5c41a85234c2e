"""Histograms of confidence and clear dates, of right and wrong pixels, as a table and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from iota2_tools.assessing.histograms import GROUPS, Counts, sum_of, write_counts
from iota2_tools.core.words import number
from iota2_tools.reporting.figures import GREY, INK, new_figure, save_figure, write_head

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRONG, RIGHT = "#d55e00", "#0072b2"
"""Those of the map of differences."""
SETS = ("validation", "learning")
TITLES = {"confidence": "Confidence, %", "clear_dates": "Clear dates"}
PANEL = (3.4, 2.2)
"""Width and height of a histogram, inches."""


def write_histograms(tables: Sequence[str], output: str, figure: str, title: str) -> None:
    """Add up the counts of all tiles; write them as a table and draw them.

    Parameters
    ----------
    tables : sequence of str
        Of `histograms.write_values`.
    output : str
        CSV table.
    figure : str
        PNG; the same byte for byte when written again.
    """
    counts = sum_of(tables)
    write_counts(counts, output)
    draw_histograms(counts, figure, title)


def draw_histograms(counts: Counts, path: str, title: str) -> None:
    """Draw the shares of each value among the right and among the wrong pixels of each set."""
    width, height = PANEL
    size = (2 * width + 1.9, 2 * height + 2.4)
    drawn = new_figure(size)
    for col, quantity in enumerate(TITLES):
        for row, name in enumerate(SETS):
            box = (0.8 + col * (width + 0.8), 0.6 + (1 - row) * (height + 0.7), width, height)
            place = (box[0] / size[0], box[1] / size[1], box[2] / size[0], box[3] / size[1])
            _draw(drawn.add_axes(place), counts[quantity], name, TITLES[quantity])
    told = "Share of each value among the pixels that the map has right (blue) and wrong (red)"
    write_head(drawn, size, title, told)
    save_figure(drawn, path)


def _draw(axes: Axes, counts: np.ndarray, name: str, label: str) -> None:
    """One set and quantity: two lines of steps."""
    pixels = {}
    for word, colour in (("right", RIGHT), ("wrong", WRONG)):
        values = counts[:, GROUPS.index(f"{name}_{word}")]
        pixels[word] = int(values.sum())
        if pixels[word]:
            edges = np.arange(len(values) + 1) - 0.5
            axes.stairs(100 * values / pixels[word], edges, color=colour, linewidth=1.3)
    told = ", ".join(f"{number(count, apart=' ')} {word}" for word, count in pixels.items())
    axes.set_title(f"{name}: {told}", size=9, color=INK, loc="left", parse_math=False)
    axes.set_xlabel(label, color=GREY, size=9)
    axes.set_ylabel("%", color=GREY, size=9)
    axes.tick_params(labelsize=8, labelcolor=INK)
    axes.set_ylim(bottom=0)
