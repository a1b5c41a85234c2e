"""Figures of the report as SVG, to stand inside the page."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from iota2_tools.reporting.figures import GREY, INK, new_figure
from iota2_tools.reporting.page.model import (
    Acquired,
    Bin,
    ClassScores,
    ClearDates,
    Importance,
    LegendEntry,
    Profile,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

MOST_MARKS = 3000
"""Marks of a figure that are drawn one by one; more become one picture."""
MOST_ROWS = 60
"""Rows of a figure that have room for their names."""
POINTS = 72
"""Of an inch; marks are measured by the square of their points."""
MOST_DAYS = 12
"""Labels along a time axis of a heat map."""


def svg(figure: Figure, name: str, title: str) -> str:
    """A figure as an SVG element with a title for screen readers, the same byte for byte each time.

    Parameters
    ----------
    name : str
        Tells the figures of one page apart.
    """
    import matplotlib as mpl

    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(
        r' id="(figure|axes|patch|text|line2d|matplotlib\.axis|xtick|ytick)_\d+"', "", text
    )
    words = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return re.sub(r"^<svg ", f'<svg role="img" aria-label="{words}" ', text, count=1)


def _axes(
    width: float, height: float, left: float = 0.6, right: float = 0.15
) -> tuple[Figure, Axes]:
    """A figure of a size and its axes, inches, with room for labels at both sides and below."""
    figure = new_figure((width, height))
    bottom, top = 0.45, 0.15
    box = (left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height)
    axes = figure.add_axes(box)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#999999")
    axes.tick_params(length=3, color="#999999", labelcolor=INK, labelsize=8)
    axes.grid(color="#e6e6e6", linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _days(days: Sequence[date]) -> np.ndarray:
    """Days as matplotlib takes them."""
    return np.array(days, dtype="datetime64[D]")


def _dated(axes: Axes) -> None:
    """Months along the horizontal axis."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=4, maxticks=12)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def f_scores(classes: Sequence[LegendEntry], scores: Sequence[ClassScores]) -> str:
    """Bars of the F-score of each class, with its interval where there is one."""
    count = len(classes)
    figure, axes = _axes(7.2, 0.6 + 0.26 * count, left=2.2)
    for row, (item, score) in enumerate(zip(classes, scores, strict=True)):
        value = score.f_score
        if value.mean is None:
            axes.text(0.01, row, "no value", va="center", size=8, color=GREY)
            continue
        axes.barh(row, value.mean, 0.7, color=item.colour, edgecolor="#555555", linewidth=0.5)
        if value.half_width is not None:
            axes.errorbar(value.mean, row, xerr=value.half_width, ecolor=INK, capsize=3, lw=1)
    axes.set(xlim=(0, 1), ylim=(count - 0.5, -0.5), xlabel="F-score")
    axes.set_yticks(range(count), [_short(item.name) for item in classes], parse_math=False)
    return svg(figure, "f-scores", "F-score of each class")


def _short(name: str, longest: int = 28) -> str:
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"


def reliability(bins: Sequence[Bin]) -> str:
    """Share that is right against the confidence, a line a draw; the diagonal is a perfect one."""
    figure, axes = _axes(4.2, 4.0)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--")
    for draw, steps in groupby(
        sorted(bins, key=lambda item: (item.draw, item.confidence)), lambda i: i.draw
    ):
        found = list(steps)
        x, y = [item.confidence for item in found], [item.accuracy for item in found]
        axes.plot(x, y, marker="o", markersize=4, linewidth=1.2, label=f"draw {draw}")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="Confidence of the map", ylabel="Share that is right")
    axes.legend(fontsize=8, frameon=False)
    return svg(figure, "reliability", "How often the map is right, by its confidence")


def calendar(acquisitions: Sequence[Acquired]) -> str:
    """A mark for each acquisition, a row for each tile and series, coloured by its cloud cover."""
    from matplotlib.colors import LinearSegmentedColormap

    rows = sorted({(item.tile, item.series) for item in acquisitions})
    place = {row: number for number, row in enumerate(rows)}
    named = len(rows) <= MOST_ROWS
    step = 0.3 if named else 8 / len(rows)
    figure, axes = _axes(9.5, 0.9 + step * len(rows), left=1.9, right=0.7)
    sky = LinearSegmentedColormap.from_list("sky", ["#1f78b4", "#a6cee3", "#d9d9d9", "#969696"])
    known = [item for item in acquisitions if item.clear is not None]
    other = [item for item in acquisitions if item.clear is None]
    flat = len(acquisitions) > MOST_MARKS
    size = 30 if named else (0.9 * step * POINTS) ** 2
    marks = axes.scatter(
        _days([item.day for item in known]), [place[item.tile, item.series] for item in known],
        c=[100 * (1 - (item.clear or 0)) for item in known], cmap=sky, vmin=0, vmax=100,
        s=size, marker="s", linewidths=0, rasterized=flat,
    )  # fmt: skip
    axes.scatter(
        _days([item.day for item in other]), [place[item.tile, item.series] for item in other],
        s=size, marker="s", facecolors="none", edgecolors=GREY, linewidths=0.8, rasterized=flat,
    )  # fmt: skip
    _dated(axes)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    if named:
        axes.set_yticks(range(len(rows)), [f"{tile} {series}" for tile, series in rows])
    else:
        axes.set_ylabel(f"{len(rows)} tiles and series, by name", color=GREY, size=8)
        axes.set_yticks([])
    if known:
        _add_bar(figure, axes, marks, "cloud cover, %")
    return svg(figure, "calendar", "Acquisitions of each tile over the year, by cloud cover")


def _add_bar(figure: Figure, axes: Axes, mapped: ScalarMappable, label: str) -> None:
    """What the colours mean, at the right."""
    bar = figure.colorbar(mapped, ax=axes, fraction=0.03, pad=0.02, format="%g")
    bar.set_label(label, size=8, color=GREY)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)


def clear_dates(tiles: Sequence[ClearDates]) -> str:
    """Share of the mapped pixels by number of clear dates, over all tiles."""
    longest = max(len(tile.pixels) for tile in tiles)
    counts = np.zeros(longest)
    for tile in tiles:
        counts[: len(tile.pixels)] += tile.pixels
    figure, axes = _axes(7.2, 2.4)
    axes.bar(np.arange(longest), 100 * counts / max(counts.sum(), 1), 0.9, color="#4f6d8f")
    axes.set(xlabel="clear dates", ylabel="% of the mapped pixels")
    axes.grid(axis="x", visible=False)
    return svg(figure, "clear-dates", "Clear dates of the mapped pixels")


def profiles(of_quantity: Sequence[Profile], classes: Mapping[int, LegendEntry]) -> str:
    """Mean of each class over the year; its quantiles (5 to 95 %, 25 to 75 %) are hidden until asked for."""
    quantity = of_quantity[0].quantity
    figure, axes = _axes(8.2, 3.8, left=0.8)
    for item in of_quantity:
        colour, days = classes[item.code].colour, _days(item.days)
        for low, high, strength, name in (
            (item.q05, item.q95, 0.18, "wide"),
            (item.q25, item.q75, 0.3, "narrow"),
        ):
            band = axes.fill_between(days, low, high, color=colour, alpha=strength, linewidth=0)
            band.set_gid(f"{name}-{item.code}")
        (line,) = axes.plot(days, item.mean, color=colour, linewidth=1.8)
        line.set_gid(f"mean-{item.code}")
    _dated(axes)
    axes.set_ylabel(quantity, color=GREY, size=8)
    text = svg(figure, f"profiles-{quantity}", f"{quantity} of each class over the year")
    # The same identifiers stand in the figure of each quantity: classes of CSS instead.
    return re.sub(r'id="(mean|narrow|wide)-(\d+)"', r'class="\1 of-\2"', text)


def importance(items: Sequence[Importance], series: str) -> str:
    """Heat map of one series: quantities by days; white where there is no such feature."""
    quantities = list(dict.fromkeys(item.quantity for item in items))
    days = sorted({item.day for item in items if item.day})
    values = np.full((len(quantities), len(days)), np.nan)
    for item in items:
        if item.day:
            values[quantities.index(item.quantity), days.index(item.day)] = 100 * item.value
    figure, axes = _axes(8.6, 1.2 + 0.24 * len(quantities), left=1.9, right=0.7)
    image = axes.imshow(values, cmap="YlGnBu", aspect="auto", vmin=0, interpolation="nearest")
    axes.grid(visible=False)
    axes.set_yticks(range(len(quantities)), quantities, parse_math=False)
    ticks = range(
        0, len(days), math.ceil(len(days) / MOST_DAYS) or 1
    )  # as far apart as room is needed
    axes.set_xticks(ticks, [_day(days[tick]) for tick in ticks])
    _add_bar(figure, axes, image, "importance, %")
    return svg(figure, f"importance-{series}", f"Importance of bands and dates, {series}")


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
