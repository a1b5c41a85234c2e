"""What points tell of a map, as a text for readers and tables for programs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from iota2_tools.assessing.assessment import Judgement, Judgements
from iota2_tools.assessing.estimators import QUANTILE, Estimated
from iota2_tools.assessing.points import Design
from iota2_tools.assessing.scores import ABSENT, write_matrix_csv
from iota2_tools.core.files import whole_file
from iota2_tools.core.tables import cell, write_csv
from iota2_tools.core.words import number

HEADER = ("region", "code", "name", "estimate", "value", "standard_error", "low", "high")


def design_text(design: Design) -> str:
    """A line a stratum: pixels, expected accuracy, points."""
    drawn = design.drawn
    width = max(len("Stratum"), *map(len, design.names))
    lines = [f"{'Code':>5}  {'Stratum':<{width}}  {'Pixels':>14}  Expected  Points"]
    for code, name, pixels, expected, size in zip(
        drawn.strata, design.names, drawn.pixels, design.accuracies, design.sizes, strict=True
    ):
        told = number(pixels, apart=" ")
        lines.append(f"{code:>5}  {name:<{width}}  {told:>14}  {number(expected, 2):>8}  {size:>6}")
    lines.append(
        f"Overall accuracy will be known to +- {number(QUANTILE * design.expected_error, 3)} (95 %), if what is "
        "expected is right"
    )
    if drawn.left_out:
        lines.append(f"{drawn.left_out} pixel(s) of the map have no stratum, and are not judged")
    return "\n".join(lines)


def assessment_text(judgements: Judgements, title: str) -> str:
    """The whole map, each region, and the remarks."""
    parts = [_text(judgements.whole, title)]
    parts += [_text(item, f"Region {name}") for name, item in judgements.regions.items()]
    if judgements.remarks:
        parts.append(
            "\n".join(["Remarks", "-------", *(f"- {text}" for text in judgements.remarks)])
        )
    return "\n\n".join([*parts, NOTES])


NOTES = """\
How to read this
----------------
A +- B      estimate, and half the width of its 95 % interval (1.96 standard errors)
User's      share of what is mapped as the class that is right
Producer's  share of what is of the class in truth that is mapped so
Mapped      hectares of the pixels of the class. Area: hectares of the class in truth, as the points tell
-           no value: no point is of the class (or mapped as it), or a stratum has a single point
+- 0.0      no point tells of an error here, which does not mean that there is none
Points of strata of different size count by the pixels they stand for (Olofsson et al. 2014, Stehman 2014)."""


def _text(judged: Judgement, title: str) -> str:
    found = judged.found
    lines = [
        title,
        "-" * len(title),
        f"Points            {number(judged.points, apart=' ')}",
        f"Overall accuracy  {_both(found.overall, 0, 3)}",
        "",
        *_classes(judged),
        "",
        "Error matrix, in points (rows: reference, columns: map)",
        *_matrix([[str(value) for value in row] for row in found.counts.tolist()], judged),
        "",
        "Error matrix, in % of the area",
        *_matrix([[number(100 * value, 2) for value in row] for row in found.cells], judged),
    ]
    return "\n".join(lines)


def _both(values: Estimated, place: int, decimals: int, apart: str = "") -> str:
    value, half = values.value[place], values.half_width[place]
    if np.isnan(value):
        return ABSENT
    return f"{number(value, decimals, apart=apart)} +- {number(half, decimals, absent=ABSENT, apart=apart)}"


def areas_of(judged: Judgement) -> Estimated:
    """Hectares of each class in truth."""
    return judged.found.shares.times(float(judged.mapped.sum()) * judged.hectares)


def _classes(judged: Judgement) -> list[str]:
    """A line a class."""
    found, areas = judged.found, areas_of(judged)
    names = [item.name for item in judged.legend.classes]
    width = max(len("Class"), *map(len, names))
    rows = [
        (
            _both(found.users, place, 3), _both(found.producers, place, 3), _both(found.f_scores, place, 3),
            number(judged.mapped[place] * judged.hectares, 1, absent=ABSENT, apart=" "),
            _both(areas, place, 1, " "),
        )
        for place in range(len(names))
    ]  # fmt: skip
    titles = ("User's", "Producer's", "F-score", "Mapped, ha", "Area, ha")
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]

    def line(head: str, cells: Sequence[str]) -> str:
        return "  ".join([head, *(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))])

    lines = [line(f"{'Code':>5}  {'Class':<{width}}", titles)]
    for item, row in zip(judged.legend.classes, rows, strict=True):
        lines.append(line(f"{item.code:>5}  {item.name:<{width}}", row))
    return lines


def _matrix(rows: Sequence[Sequence[str]], judged: Judgement) -> list[str]:
    codes = [str(code) for code in judged.legend.codes]
    width = max(map(len, [*codes, *(value for row in rows for value in row)]))
    lines = ["  ".join([f"{'':>5}", *(f"{code:>{width}}" for code in codes)])]
    for code, row in zip(codes, rows, strict=True):
        lines.append("  ".join([f"{code:>5}", *(f"{value:>{width}}" for value in row)]))
    return lines


def write_assessment(judgements: Judgements, title: str, folder: str) -> None:
    """Write `assessment.txt`, `estimates.csv` and the error matrices of the whole map into a folder.

    `estimates.csv` has the columns of `HEADER`; `estimate` is overall_accuracy, users_accuracy,
    producers_accuracy, f_score, area_share or area_ha; `region` is empty for the whole map; `low` and
    `high` are the ends of the 95 % interval, which may lie beyond what is possible.
    """
    place, whole = Path(folder), judgements.whole
    with whole_file(str(place / "assessment.txt")) as temporary:
        Path(temporary).write_text(assessment_text(judgements, title) + "\n", encoding="utf-8")
    rows: list[Sequence] = [HEADER, *_rows("", whole)]
    for name, item in judgements.regions.items():
        rows += _rows(name, item)
    write_csv(rows, str(place / "estimates.csv"))
    write_matrix_csv(whole.found.counts, whole.legend, str(place / "matrix_points.csv"))
    header = ["code", "name", *(f"{item.code} {item.name}" for item in whole.legend.classes)]
    shares = [
        [item.code, item.name, *(cell(value, 6) for value in row)]
        for item, row in zip(whole.legend.classes, whole.found.cells, strict=True)
    ]
    write_csv([header, *shares], str(place / "matrix_area.csv"))


def _rows(region: str, judged: Judgement) -> list[list]:
    found = judged.found
    rows = [_row([region, "", "", "overall_accuracy"], found.overall, 0, 6)]
    by_class = {
        "users_accuracy": (found.users, 6),
        "producers_accuracy": (found.producers, 6),
        "f_score": (found.f_scores, 6),
        "area_share": (found.shares, 6),
        "area_ha": (areas_of(judged), 4),
    }
    for place, item in enumerate(judged.legend.classes):
        for name, (values, decimals) in by_class.items():
            rows.append(_row([region, item.code, item.name, name], values, place, decimals))
    return rows


def _row(head: list, values: Estimated, place: int, decimals: int) -> list:
    value, error, half = values.value[place], values.error[place], values.half_width[place]
    numbers = (value, error, value - half, value + half)
    return [*head, *(cell(float(item), decimals) for item in numbers)]
