"""Figures of the report: the confusion matrix, and the F-scores over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from iota2_tools.assessing.scores import (
    ABSENT,
    Estimate,
    Scores,
    classified,
    scores,
    scores_over_seeds,
)
from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.files import whole_file
from iota2_tools.core.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
INK = "#222222"
GREY = "#666666"
LONGEST_NAME = 30
CELL = 0.36  # side of a cell of the matrix, in inches
MOST_CLASSES = 60
"""Classes that a figure shows: the whole matrix of hundreds would take gigabytes, and nobody would read it."""
Style = dict[str, Any]


def write_matrix_figure(
    matrix: np.ndarray, nomenclature: Nomenclature, path: str, title: str = "Confusion matrix"
) -> None:
    """Draw a confusion matrix as PNG, in percent of the reference pixels of each class.

    Recall (R) and F-score (F) stand at the right of each row, precision (P) under each column,
    overall accuracy and kappa under the title. Cells below 0.5 % stay empty.

    Parameters
    ----------
    matrix : ndarray, shape (n_classes, n_classes) or (n_classes, n_classes + 1)
        Pixels; rows: reference, columns: map, in the order of the nomenclature's codes.
    nomenclature : Nomenclature
        Codes, names and colours; readable up to some 25 classes. Of more than `MOST_CLASSES`, those with
        most reference pixels are drawn, and the title says so.
    path : str
        PNG to write; the same byte for byte when written again.
    title : str
        Text above the figure.
    """
    square = classified(matrix).astype(float)
    totals = square.sum(axis=1, keepdims=True)
    shown = _shown(totals[:, 0])
    percent = 100 * np.divide(square, totals, out=np.zeros_like(square), where=totals > 0)
    percent, result = percent[np.ix_(shown, shown)], scores(matrix)
    title, n = _told(title, shown, nomenclature), len(shown)
    nomenclature = Nomenclature(tuple(nomenclature.classes[place] for place in shown))
    left, right, top, bottom = 2.9, 2.0, 1.4, 2.75
    size = (max(left + n * CELL + right, 6.5), top + n * CELL + bottom)
    figure, axes = _canvas(size, (left, bottom, n * CELL, n * CELL))
    axes.imshow(percent, cmap="Blues", vmin=0, vmax=100, aspect="equal")
    _write_cells(axes, percent)
    _write_class_names(axes, nomenclature)
    _write_margins(axes, result, shown, totals[shown, 0])
    overall = (
        f"Overall accuracy {number(result.overall_accuracy, 3)}   "
        f"kappa {number(result.kappa, 3)}   {number(totals.sum(), apart=' ')} pixels\n"
        "Cells: % of the reference pixels of the class.   P precision, R recall, F F-score, in %"
    )
    write_head(figure, size, title, overall)
    save_figure(figure, path)


def write_scores_figure(
    matrices: Mapping[int, np.ndarray],
    nomenclature: Nomenclature,
    path: str,
    title: str = "F-score of each class",
) -> None:
    """Draw the F-score of each class, mean and 95 % interval over seeds, as PNG.

    Parameters
    ----------
    matrices : mapping of int to ndarray
        Confusion matrix of each seed.
    nomenclature : Nomenclature
        Names and colours of the bars.
    path : str
        PNG to write; the same byte for byte when written again.
    title : str
        Text above the figure.
    """
    result = scores_over_seeds(matrices)
    shown = _shown(np.sum([classified(matrix).sum(axis=1) for matrix in matrices.values()], axis=0))
    title, n = _told(title, shown, nomenclature), len(shown)
    classes = [nomenclature.classes[place] for place in shown]
    size = (9.0, 1.5 + 0.32 * n)
    figure, axes = _canvas(size, (3.0, 0.6, 5.0, 0.32 * n))
    for row, place in enumerate(shown):
        _draw_bar(axes, row, classes[row], result.f_score[place])
    axes.set(xlim=(0, 1), ylim=(n - 0.5, -0.5))
    axes.set_yticks(range(n), [_short(item) for item in classes], parse_math=False)
    axes.set_xlabel("F-score", color=GREY, size=10)
    axes.tick_params(length=0, labelsize=9, labelcolor=INK)
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color("#999999")
    runs = f"{len(matrices)} seeds, bars: 95 % interval" if len(matrices) > 1 else "one seed"
    overall = f"Overall accuracy {result.overall_accuracy}   kappa {result.kappa}   {runs}"
    write_head(figure, size, title, overall.replace("+-", "±").replace(" ± -", ""))
    save_figure(figure, path)


def _shown(totals: np.ndarray) -> np.ndarray:
    """Places of the classes that a figure shows, in their order: those with most reference pixels."""
    most = np.argsort(-totals, kind="stable")[:MOST_CLASSES]
    return np.sort(most)


def _told(title: str, shown: np.ndarray, nomenclature: Nomenclature) -> str:
    """The title, with how many of the classes are shown, if not all are."""
    every = len(nomenclature.codes)
    return (
        title
        if len(shown) == every
        else f"{title}: {len(shown)} of {every} classes, those with most pixels"
    )


def _canvas(
    size: tuple[float, float], box: tuple[float, float, float, float]
) -> tuple[Figure, Axes]:
    """Figure of a size and its axes, (left, bottom, width, height), all in inches."""
    figure = new_figure(size)
    width, height = size
    place = (box[0] / width, box[1] / height, box[2] / width, box[3] / height)
    return figure, figure.add_axes(place)


def new_figure(size: tuple[float, float]) -> Figure:
    """An empty figure of a size, inches, that needs no screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: str) -> None:
    """Write a figure as PNG, the same byte for byte when written again."""
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


def write_head(figure: Figure, size: tuple[float, float], title: str, subtitle: str) -> None:
    """Title and the line of figures under it, at the upper left."""
    left, top = 0.25 / size[0], 1 - 0.22 / size[1]
    text: Style = {"ha": "left", "va": "top", "parse_math": False}
    figure.text(left, top, title, size=14, weight="bold", color=INK, **text)
    figure.text(left, top - 0.32 / size[1], subtitle, size=9, color=GREY, linespacing=1.5, **text)


def _short(item: LandCoverClass) -> str:
    name = item.name
    name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"
    return f"{name}  {item.code}"


def _write_cells(axes: Axes, percent: np.ndarray) -> None:
    """Whole percentages, white on dark cells; thin lines between cells."""
    for row, col in np.argwhere(percent >= 0.5):
        value = percent[row, col]
        axes.text(
            col, row, number(value), ha="center", va="center", size=8,
            color="white" if value > 55 else INK, weight="bold" if row == col else "normal",
        )  # fmt: skip
    edges = np.arange(len(percent) + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="#d9d9d9", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set(color="#999999", linewidth=0.8)


def _write_class_names(axes: Axes, nomenclature: Nomenclature) -> None:
    """Names with a chip of the class colour: reference at the left, map below."""
    from matplotlib.patches import Rectangle

    n = len(nomenclature.codes)
    names = [_short(item) for item in nomenclature.classes]
    axes.set_yticks(range(n), names, size=8, color=INK, parse_math=False)
    axes.set_xticks(range(n), names, size=8, color=INK, rotation=90, parse_math=False)
    axes.tick_params(axis="y", pad=16)
    axes.tick_params(axis="x", pad=38)
    for row, item in enumerate(nomenclature.classes):
        for place, width, height in (
            ((-0.98, row - 0.3), 0.3, 0.6),
            ((row - 0.3, n + 0.45), 0.6, 0.3),
        ):
            chip = Rectangle(place, width, height, fc=item.hex_colour, ec="#555555", lw=0.5)
            chip.set_clip_on(False)
            axes.add_patch(chip)
    axis: Style = {"size": 10, "weight": "bold", "color": GREY}
    axes.text(-1.25, -1, "Reference", ha="right", va="center", **axis)
    axes.text(-1.25, n + 0.6, "Map", ha="right", va="center", **axis)


def _write_margins(axes: Axes, result: Scores, shown: np.ndarray, pixels: np.ndarray) -> None:
    """Precision under the columns; recall, F-score and reference pixels right of the rows."""
    n = len(pixels)
    text: Style = {"va": "center", "clip_on": False, "size": 8, "color": INK}
    recall, f_score, count = n + 0.4, n + 1.6, n + 4.6
    head: Style = {**text, "color": GREY, "weight": "bold"}
    axes.text(recall, -1, "R", ha="center", **head)
    axes.text(f_score, -1, "F", ha="center", **head)
    axes.text(count, -1, "pixels", ha="right", **head)
    axes.text(-0.68, n + 0.05, "P", ha="right", **head)
    for row, place in enumerate(shown):
        axes.text(recall, row, number(100 * result.recall[place]), ha="center", **text)
        axes.text(f_score, row, number(100 * result.f_score[place]), ha="center", **text)
        axes.text(count, row, number(pixels[row], apart=" "), ha="right", **text)
        axes.text(row, n + 0.05, number(100 * result.precision[place]), ha="center", **text)


def _draw_bar(axes: Axes, row: int, item: LandCoverClass, value: Estimate) -> None:
    """Bar in the colour of the class, interval, and the figures beside it."""
    style: Style = {"va": "center", "size": 8.5, "color": INK}
    if not value.runs:
        axes.text(1.02, row, ABSENT, **style)
        return
    axes.barh(row, value.mean, 0.68, color=item.hex_colour, edgecolor="#555555", linewidth=0.6)
    label = number(value.mean, 3)
    if not np.isnan(value.half_width):
        for colour, line, cap in (("white", 3, 4), (INK, 1.2, 3)):
            axes.errorbar(
                value.mean, row, xerr=value.half_width,
                ecolor=colour, elinewidth=line, capsize=cap, capthick=line,
            )  # fmt: skip
        label += f" ± {number(value.half_width, 3)}"
    axes.text(1.02, row, label, **style)
