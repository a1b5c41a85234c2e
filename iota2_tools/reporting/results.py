"""The accuracy report: RESULTS.txt for readers, scores.csv for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from iota2_tools.assessing.areas import ClassAreas, mean_areas
from iota2_tools.assessing.scores import (
    ABSENT,
    FEWEST_RUNS,
    UNCLASSIFIED,
    check_shapes,
    first_confusions,
    mean_matrix,
    ratio,
    scores,
    scores_over_seeds,
)
from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.files import whole_file
from iota2_tools.core.tables import cell, write_csv
from iota2_tools.core.words import listed, number
from iota2_tools.reporting.remarks import Remark


@dataclass(frozen=True)
class Certainty:
    """How sure the scores are, and what the confidence of the map is worth.

    Parameters
    ----------
    by_polygons : sequence of float
        Half width of the 95 % interval of the overall accuracy of each seed, polygons taken as
        drawn at random; NaN: none.
    calibration_errors : sequence of float
        Of the confidence of the map of each seed, 0-1; NaN: it has none.
    """

    by_polygons: Sequence[float] = ()
    calibration_errors: Sequence[float] = ()


@dataclass(frozen=True)
class Results:
    """What is known of how right a map is, of one draw or of several.

    Parameters
    ----------
    matrices : mapping of int to ndarray
        Confusion matrix of each seed, in the order of the codes of the nomenclature.
    remarks : sequence of Remark
        What the reader must know, such as what was left out; by topic.
    areas : mapping of int to ClassAreas, optional
        Areas of the map of each seed.
    raw : mapping of int to ndarray, optional
        Confusion matrices of the maps before they were smoothed.
    certainty : Certainty
        How sure this is; by default nothing is told.
    title : str
        First line of the report.
    about : mapping of str to str, optional
        Lines that say what is judged; by default the seeds.
    """

    matrices: Mapping[int, np.ndarray]
    remarks: Sequence[Remark] = ()
    areas: Mapping[int, ClassAreas] | None = None
    raw: Mapping[int, np.ndarray] | None = None
    certainty: Certainty = Certainty()
    title: str = "Accuracy of the land-cover map"
    about: Mapping[str, str] | None = None


def write_results(results: Results, nomenclature: Nomenclature, path: str) -> None:
    """Write RESULTS.txt: overall scores, a table of the classes, the mean matrix, the conventions.

    Parameters
    ----------
    nomenclature : Nomenclature
        Codes and names.
    path : str
        Text file to write, UTF-8.
    """
    matrices = results.matrices
    check_shapes(matrices, nomenclature)
    parts = [
        _overall_text(results),
        _smoothing_text(matrices, results.raw) if results.raw else "",
        _classes_text(matrices, nomenclature),
        _matrix_text(mean_matrix(matrices), nomenclature),
        _areas_text(mean_areas(results.areas), nomenclature) if results.areas else "",
        _remarks_text(results.remarks) if results.remarks else "",
        NOTES,
    ]
    with whole_file(path) as temporary:
        Path(temporary).write_text("\n\n".join(filter(None, parts)), encoding="utf-8")


def write_areas_text(
    areas: Mapping[int, ClassAreas],
    nomenclature: Nomenclature,
    path: str,
    remarks: Sequence[Remark] = (),
) -> None:
    """Write RESULTS.txt of maps that no reference judges: their areas, as mapped, and remarks.

    Parameters
    ----------
    areas : mapping of int to ClassAreas
        Of the map of each seed.
    nomenclature : Nomenclature
        Codes and names.
    path : str
        Text file to write, UTF-8.
    remarks : sequence of Remark
        What the reader must know; by topic.
    """
    head = [
        *_title("Land-cover map without reference"),
        f"{'Seeds':<19}{', '.join(map(str, sorted(areas)))}",
        f"{'Accuracy':<19}unknown: there is no reference",
    ]
    parts = [
        "\n".join(head),
        _mapped_text(mean_areas(areas), nomenclature),
        _remarks_text(remarks) if remarks else "",
        NOTES_WITHOUT_REFERENCE,
    ]
    with whole_file(path) as temporary:
        Path(temporary).write_text("\n\n".join(filter(None, parts)), encoding="utf-8")


NOTES_WITHOUT_REFERENCE = """\
How to read this file
---------------------
Mapped    hectares of the pixels of the class, as the map has them: not corrected for its errors, which
          nothing here tells. Points drawn in the map and looked at by a person tell them, and give
          areas with intervals (iota2 sample, iota2 assess)
-         no value: the coordinates of the map are angles
"""

NOTES = """\
How to read this file
---------------------
A +- B    mean over the seeds, and half the width of its 95 % interval: Student's t with as many
          degrees of freedom as seeds less one. It tells how much the random split matters, not
          how well the reference stands for the country. Fewer than three seeds have no interval
Polygons  half the width of the 95 % interval of the overall accuracy of one seed, if the polygons
          that validate were drawn at random. Pixels of a polygon are alike, and count as one draw
Confidence off by: mean distance of the confidence of the validation pixels and the share of them
          that is right; 0 where of those that are 80 % sure 80 % are right (calibration error)
Precision user's accuracy: share right among the pixels mapped as this class
Recall    producer's accuracy: share found among the reference pixels of this class
F-score   harmonic mean of both
-         no value: the class has no reference pixel, or (precision) is never mapped, or (kappa)
          there is one class alone. Seeds without a value are left out of the mean.
Pixels the map leaves without class are counted in the matrix and left out of every score.
Mapped    hectares of the pixels of the class. Corrected: what they would be if the map erred
          everywhere as it does on the validation pixels (Olofsson et al. 2014, equation 9). These
          lie in polygons chosen by hand, so it is an indication. Its interval, A +- B, 95 %, takes
          these polygons as drawn at random, and says nothing of how they were chosen: random points
          do (iota2 sample, iota2 assess)
A to B    a corrected area that is known within these bounds only: land is mapped as a class that
          has no validation there, and may be of any class (see Remarks). At most B: so for the
          class itself. Both ends may be wrong by what stands after +-. -: no validation pixel
          is of the class
+- 0.0    no validation pixel tells of an error here, which does not mean that there is none
"""


def _title(text: str) -> list[str]:
    return [text, "-" * len(text)]


def _count(value: float) -> str:
    """Number of pixels, thousands apart."""
    return number(value, apart=" ")


def _overall_text(results: Results) -> str:
    matrices, certainty = results.matrices, results.certainty
    about = results.about or {"Seeds": ", ".join(map(str, sorted(matrices)))}
    mean = mean_matrix(matrices)
    found = scores_over_seeds(matrices)
    lost = mean[:, len(mean) :].sum()
    share = 100 * float(np.nan_to_num(ratio(lost, mean.sum())))
    lines = [
        *_title(results.title),
        *(f"{name:<19}{text}" for name, text in about.items()),
        f"Reference pixels   {_count(mean.sum())}" + (" (mean)" if len(matrices) > 1 else ""),
        f"Without class      {_count(lost)} ({number(share, 2)} %)",
        "",
        f"Overall accuracy   {found.overall_accuracy}{_draws(matrices, 'overall_accuracy')}",
        f"Kappa              {found.kappa}{_draws(matrices, 'kappa')}",
    ]
    half = root_mean_square(certainty.by_polygons)
    if not np.isnan(half):
        lines.append(f"Polygons           +- {number(half, 3)}")
    errors = np.array(certainty.calibration_errors, dtype=float)
    if not np.isnan(errors).all():
        lines.append(f"Confidence off by  {number(float(np.nanmean(errors)), 3)}")
    return "\n".join(lines)


def root_mean_square(values: Sequence[float]) -> float:
    """Of half widths of intervals of seeds that draw from the same polygons; NaN without any.

    >>> root_mean_square([3.0, 4.0, float("nan")]) == 12.5**0.5
    True
    """
    known = np.array([value for value in values if not np.isnan(value)], dtype=float)
    return float(np.sqrt((known**2).mean())) if len(known) else float("nan")


def _draws(matrices: Mapping[int, np.ndarray], name: str) -> str:
    """Both values of a score where there are two: no interval can be told of so few."""
    values = [getattr(scores(matrix), name) for _, matrix in sorted(matrices.items())]
    known = [value for value in values if not np.isnan(value)]
    if not 1 < len(known) < FEWEST_RUNS:
        return ""
    return f" ({listed(number(value, 3) for value in known)}: too few draws for an interval)"


def _smoothing_text(matrices: Mapping[int, np.ndarray], raw: Mapping[int, np.ndarray]) -> str:
    """Scores with and without smoothing, and what they do not tell."""
    found = {"Smoothed map": scores_over_seeds(matrices), "Raw map": scores_over_seeds(raw)}
    lines = [
        *_title("Smoothing"),
        f"{'':<14}  {'Overall accuracy':<17}  Kappa",
        *(
            f"{name:<14}  {result.overall_accuracy!s:<17}  {result.kappa}"
            for name, result in found.items()
        ),
        "Reference polygons hold no edges of fields, and so reward whatever blurs a map: this gain is",
        "not that of the whole map (docs/smoothing.md).",
    ]
    return "\n".join(lines)


def _classes_text(matrices: Mapping[int, np.ndarray], nomenclature: Nomenclature) -> str:
    """Table of the classes, then the three first confusions of each."""
    result = scores_over_seeds(matrices)
    mean = mean_matrix(matrices)
    names = [item.name for item in nomenclature.classes]
    width = max(len("Class"), *map(len, names))
    head = f"{'Code':>5}  {'Class':<{width}}"
    columns = ("Precision", "Recall", "F-score")
    header = "  ".join([head, *(f"{title:^15}" for title in columns), f"{'Reference':>12}"])
    table = [*_title("Classes"), header.rstrip()]
    confusions = [*_title("First confusions, in % of the reference pixels of the class")]
    for row, (item, others) in enumerate(
        zip(nomenclature.classes, first_confusions(mean), strict=True)
    ):
        head = f"{item.code:>5}  {item.name:<{width}}"
        values = (result.precision[row], result.recall[row], result.f_score[row])
        cells = [f"{value!s:<15}" if value.runs else f"{ABSENT:^15}" for value in values]
        table.append("  ".join([head, *cells, f"{_count(mean[row].sum()):>12}"]))
        listed = [f"{names[col]} {number(100 * share, 1)}" for col, share in others]
        confusions.append(f"{head}  {', '.join(listed) or ABSENT}")
    return "\n".join([*table, "", "", *confusions])


def _areas_text(areas: ClassAreas, nomenclature: Nomenclature) -> str:
    """Table of the areas of the classes."""
    width = max(len("Class"), *(len(item.name) for item in nomenclature.classes))
    corrected = [
        _range(*values)
        for values in zip(areas.corrected, areas.corrected_most, areas.half_width, strict=True)
    ]
    wide = max(14, *map(len, corrected))
    lines = [
        *_title("Areas, in hectares (mean over the seeds)"),
        f"{'Code':>5}  {'Class':<{width}}  {'Mapped':>14}  {'Share':>7}  {'Corrected':>{wide}}",
    ]
    for item, mapped, share, text in zip(
        nomenclature.classes, areas.mapped, areas.share, corrected, strict=True
    ):
        percent = f"{number(100 * share, 1)} %"
        lines.append(
            f"{item.code:>5}  {item.name:<{width}}  {_hectares(mapped):>14}  "
            f"{percent:>7}  {text:>{wide}}"
        )
    return "\n".join(lines)


def _mapped_text(areas: ClassAreas, nomenclature: Nomenclature) -> str:
    """Table of the areas of the classes as they are mapped."""
    width = max(len("Class"), *(len(item.name) for item in nomenclature.classes))
    lines = [
        *_title("Areas, in hectares (mean over the seeds)"),
        f"{'Code':>5}  {'Class':<{width}}  {'Mapped':>14}  {'Share':>7}",
    ]
    for item, mapped, share in zip(nomenclature.classes, areas.mapped, areas.share, strict=True):
        percent = f"{number(100 * share, 1)} %"
        lines.append(f"{item.code:>5}  {item.name:<{width}}  {_hectares(mapped):>14}  {percent:>7}")
    return "\n".join(lines)


def _hectares(value: float) -> str:
    return number(value, 1, absent=ABSENT, apart=" ")


def _range(least: float, most: float, half: float) -> str:
    """A corrected area: one figure, both of its bounds, or the upper one; and its interval."""
    low, high = _hectares(least), _hectares(most)
    if low == ABSENT != high:
        return f"at most {high}"
    told = low if low == high else f"{low} to {high}"
    return told if np.isnan(half) else f"{told} +- {_hectares(half)}"


def _remarks_text(remarks: Sequence[Remark]) -> str:
    """The remarks under the heading of each topic."""
    lines = _title("Remarks")
    for topic, group in groupby(remarks, key=lambda remark: remark.topic):
        lines += [topic, *(f"- {remark.text}" for remark in group)]
    return "\n".join(lines)


def _matrix_text(matrix: np.ndarray, nomenclature: Nomenclature) -> str:
    """Matrix of mean pixel counts, codes above, codes and names at the left."""
    titles = [str(code) for code in nomenclature.codes]
    titles += [UNCLASSIFIED] * (matrix.shape[1] - len(titles))
    rows = [[_count(value) for value in row] for row in matrix]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    names = max(len("Class"), *(len(item.name) for item in nomenclature.classes))

    def line(head: str, cells: Sequence[str]) -> str:
        return "  ".join([head, *(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))])

    lines = [
        *_title("Confusion matrix, in pixels (mean over the seeds; rows: reference, columns: map)"),
        line(f"{'Code':>5}  {'Class':<{names}}", titles),
    ]
    for item, cells in zip(nomenclature.classes, rows, strict=True):
        lines.append(line(f"{item.code:>5}  {item.name:<{names}}", cells))
    return "\n".join(lines)


def write_scores_csv(
    matrices: Mapping[int, np.ndarray], nomenclature: Nomenclature, path: str
) -> None:
    """Write every score of every seed, one a line: `seed,code,name,score,value`.

    `score` is overall_accuracy or kappa (code and name empty), precision, recall or f_score.
    `value` is from 0 to 1 with six decimals, empty where it has no value.
    """
    check_shapes(matrices, nomenclature)
    rows: list[list] = [["seed", "code", "name", "score", "value"]]
    for seed, matrix in sorted(matrices.items()):
        result = scores(matrix)
        for name in ("overall_accuracy", "kappa"):
            rows.append([seed, "", "", name, cell(getattr(result, name), 6)])
        for position, item in enumerate(nomenclature.classes):
            for name in ("precision", "recall", "f_score"):
                value = cell(getattr(result, name)[position], 6)
                rows.append([seed, item.code, item.name, name, value])
    write_csv(rows, path)
