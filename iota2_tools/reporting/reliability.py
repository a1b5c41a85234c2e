"""The reliability curve of a map, as a table and a figure."""

from collections.abc import Sequence

import numpy as np

from iota2_tools.assessing.confidence import (
    BINS,
    calibration_error,
    read_confidence,
    reliability_curve,
    write_curve,
)
from iota2_tools.core.words import number
from iota2_tools.reporting.figures import GREY, INK, new_figure, save_figure, write_head

SIZE = (5.2, 6.0)
"""Of the figure, inches."""
BLUE = "#0072b2"


def write_reliability(tables: Sequence[str], output: str, figure: str, title: str) -> None:
    """Add up the counts of all tiles; write the curve as a table and draw it.

    Parameters
    ----------
    tables : sequence of str
        Of `confidence.write_confidence`.
    output : str
        CSV (`confidence.write_curve`).
    figure : str
        PNG; the same byte for byte when written again.
    """
    counts = read_confidence(tables)
    write_curve(counts, output)
    draw_reliability(counts, figure, title)


def draw_reliability(counts: np.ndarray, path: str, title: str) -> None:
    """Draw the share right against the confidence; below, how many pixels have which confidence."""
    n, confidence, accuracy = reliability_curve(counts)
    figure = new_figure(SIZE)
    axes = figure.add_axes((0.15, 0.36, 0.78, 0.48))
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle=(0, (4, 3)))
    seen = n > 0
    axes.plot(confidence[seen], accuracy[seen], color=BLUE, linewidth=1.6, marker="o", markersize=5)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_ylabel("Share right", color=GREY, size=9)
    below = figure.add_axes((0.15, 0.1, 0.78, 0.18))
    below.bar((np.arange(BINS) + 0.5) / BINS, 100 * n / max(n.sum(), 1), 0.9 / BINS, color=BLUE)
    below.set(xlim=(0, 1))
    below.set_ylabel("% of pixels", color=GREY, size=9)
    below.set_xlabel("Confidence", color=GREY, size=9)
    for part in (axes, below):
        part.tick_params(labelsize=8, labelcolor=INK)
    error = calibration_error(counts)
    told = (
        f"Calibration error {number(error, 3)}, {number(n.sum(), apart=' ')} validation pixels.\n"
        "Above the line the map is right more often than it says, below it less often"
        if n.sum()
        else "The learner tells no confidence, or no pixel validates"
    )
    write_head(figure, SIZE, title, told)
    save_figure(figure, path)
