"""How right the map is: confusion matrices, scores, their spread over seeds, and the report.

A confusion matrix has one row a class of the reference and one column a class of the map, in the
order of the nomenclature's codes, then one column for reference pixels the map leaves without
class. It counts pixels, as int64, so that the matrices of tiles and seeds can be added.

Conventions, where a score has no value (NaN in arrays, ``-`` in the report, empty in tables):

- a class without reference pixels cannot be judged: no precision, recall nor F-score;
- a class with reference pixels that is never mapped has no precision; its recall and F-score are
  a true 0, so that a class the map misses weighs on the mean over seeds;
- kappa has no value when reference and map hold one class, the same;
- pixels without class in the map stand apart: they are counted, and left out of every score;
- one seed has no interval.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iota2_tools.errors import InputDataError, one_message
from iota2_tools.nomenclature import Nomenclature
from iota2_tools.raster import whole_file

CONFIDENCE_LEVEL = 0.95
UNCLASSIFIED = "unclassified"
ABSENT = "-"


def confusion(
    reference: np.ndarray,
    predicted: np.ndarray,
    codes: Sequence[int],
    *,
    unclassified: Sequence[int] = (0,),
) -> np.ndarray:
    """Count the pixels of each pair (class of the reference, class of the map).

    Parameters
    ----------
    reference : ndarray of integers
        Code of the reference; 0 where there is none: those pixels are not counted.
    predicted : ndarray of integers, same shape
        Code of the map.
    codes : sequence of int
        Codes of the nomenclature, each once: order of the rows and columns.
    unclassified : sequence of int
        Values of the map that mean "no class", such as the label of undecided votes.

    Returns
    -------
    ndarray of int64, shape (n_classes, n_classes + 1)
        Rows: reference. Columns: map, then the pixels the map leaves without class.

    Raises
    ------
    InputDataError
        If the shapes differ, or a value is none of the codes.
    """
    if reference.shape != predicted.shape:
        raise InputDataError(
            f"reference {reference.shape} and map {predicted.shape} differ in shape; "
            "bring both on the grid of the tile"
        )
    used = reference != 0
    found = predicted[used]
    rows = _positions(reference[used], codes, "reference")
    missing = np.isin(found, unclassified)
    cols = np.full(found.shape, len(codes), dtype=np.int64)
    cols[~missing] = _positions(found[~missing], codes, "map")
    shape = (len(codes), len(codes) + 1)
    counts = np.bincount(rows * shape[1] + cols, minlength=shape[0] * shape[1])
    return counts.reshape(shape).astype(np.int64)


def _positions(values: np.ndarray, codes: Sequence[int], origin: str) -> np.ndarray:
    """Position of each value in `codes`."""
    order = np.argsort(codes)
    ranked = np.asarray(codes)[order]
    ranks = np.searchsorted(ranked, values).clip(max=len(ranked) - 1)
    unknown = np.unique(values[ranked[ranks] != values])
    if unknown.size:
        raise InputDataError(
            f"{origin}: code(s) {', '.join(map(str, unknown[:10]))} are not in the nomenclature; "
            "add them to it, or recode them"
        )
    return order[ranks]


def classified(matrix: np.ndarray) -> np.ndarray:
    """Square part of a matrix, (n_classes, n_classes): pixels that bear a class in the map."""
    return matrix[:, : matrix.shape[0]]


@dataclass(frozen=True)
class Scores:
    """Agreement of a map with its reference, from 0 to 1 (kappa from -1 to 1).

    Parameters
    ----------
    overall_accuracy : float
        Share of the pixels whose class is right.
    kappa : float
        Cohen's kappa: agreement beyond that of the same class totals drawn at random.
    precision, recall, f_score : ndarray of float, shape (n_classes,)
        User's accuracy, producer's accuracy, and their harmonic mean. NaN: no value.
    """

    overall_accuracy: float
    kappa: float
    precision: np.ndarray
    recall: np.ndarray
    f_score: np.ndarray


def scores(matrix: np.ndarray) -> Scores:
    """Scores of a confusion matrix, of counts or of estimated area shares.

    Parameters
    ----------
    matrix : ndarray, shape (n_classes, n_classes) or (n_classes, n_classes + 1)
        Rows: reference, columns: map; the last column of the second form is left out.

    Returns
    -------
    Scores
        With NaN where a score has no value (see the module's conventions).

    References
    ----------
    Cohen (1960), A coefficient of agreement for nominal scales, 10.1177/001316446002000104.
    """
    square = classified(matrix).astype(float)
    right = np.diagonal(square)
    in_reference = square.sum(axis=1)
    in_map = square.sum(axis=0)
    total = square.sum()
    agreement = _ratio(right.sum(), total)
    by_chance = _ratio((in_reference * in_map).sum(), total**2)
    judged = in_reference > 0
    return Scores(
        overall_accuracy=float(agreement),
        kappa=float(_ratio(agreement - by_chance, 1 - by_chance)),
        precision=np.where(judged, _ratio(right, in_map), np.nan),
        recall=_ratio(right, in_reference),
        f_score=np.where(judged, _ratio(2 * right, in_reference + in_map), np.nan),
    )


def _ratio(part: np.ndarray | float, whole: np.ndarray | float) -> np.ndarray:
    """Quotient, NaN where `whole` is 0 (or NaN)."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)


@dataclass(frozen=True)
class Estimate:
    """Mean of a score over seeds, and half the width of its interval.

    `mean` is NaN when no seed has a value, `half_width` when fewer than two have one.
    """

    mean: float
    half_width: float
    runs: int

    def __str__(self) -> str:
        if not self.runs:
            return ABSENT
        width = ABSENT if math.isnan(self.half_width) else f"{self.half_width:.3f}"
        return f"{self.mean:.3f} +- {width}"


def estimate(values: Sequence[float], level: float = CONFIDENCE_LEVEL) -> Estimate:
    """Mean over seeds and its confidence interval, by Student's t.

    Parameters
    ----------
    values : sequence of float
        One score a seed; NaN (no value for that seed) is left out.
    level : float
        Probability that the interval holds the expectation over random splits.

    Returns
    -------
    Estimate
        Half width t(runs - 1) * s / sqrt(runs), s being the sample standard deviation. IOTA2 took
        the number of classes - 1 as degrees of freedom, which does not depend on the runs.
    """
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    runs = known.size
    if runs == 0:
        return Estimate(math.nan, math.nan, 0)
    if runs == 1:
        return Estimate(float(known[0]), math.nan, 1)
    from scipy.special import stdtrit

    quantile = float(stdtrit(runs - 1, (1 + level) / 2))
    return Estimate(
        float(known.mean()), quantile * float(known.std(ddof=1)) / math.sqrt(runs), runs
    )


@dataclass(frozen=True)
class ScoresOverSeeds:
    """Estimates of each score; those of classes are lists in the order of the nomenclature."""

    overall_accuracy: Estimate
    kappa: Estimate
    precision: list[Estimate]
    recall: list[Estimate]
    f_score: list[Estimate]


def scores_over_seeds(matrices: Mapping[int, np.ndarray]) -> ScoresOverSeeds:
    """Mean and interval of every score over the matrices of the seeds."""
    runs = [scores(matrix) for matrix in matrices.values()]

    def by_class(name: str) -> list[Estimate]:
        return [estimate(column) for column in np.array([getattr(run, name) for run in runs]).T]

    return ScoresOverSeeds(
        overall_accuracy=estimate([run.overall_accuracy for run in runs]),
        kappa=estimate([run.kappa for run in runs]),
        precision=by_class("precision"),
        recall=by_class("recall"),
        f_score=by_class("f_score"),
    )


def mean_matrix(matrices: Mapping[int, np.ndarray]) -> np.ndarray:
    """Mean over seeds, float64, of matrices of one shape."""
    return np.mean([matrix for _, matrix in sorted(matrices.items())], axis=0)


def first_confusions(matrix: np.ndarray, n: int = 3) -> list[list[tuple[int, float]]]:
    """For each class of the reference, the other classes it is most often mapped as.

    Parameters
    ----------
    matrix : ndarray, shape (n_classes, n_classes) or (n_classes, n_classes + 1)
        Rows: reference, columns: map.
    n : int
        At most so many classes.

    Returns
    -------
    list of list of (int, float)
        For each row: position of the other class, and share (0-1) of the row's classified pixels,
        largest first, the first position first when equal. Classes never confused do not appear.
    """
    square = classified(matrix).astype(float)
    shares = _ratio(square, square.sum(axis=1, keepdims=True))
    np.fill_diagonal(shares, 0)
    shares = np.nan_to_num(shares)
    order = np.argsort(-shares, axis=1, kind="stable")[:, :n]
    return [
        [(int(col), float(shares[row, col])) for col in cols if shares[row, col] > 0]
        for row, cols in enumerate(order)
    ]


@dataclass(frozen=True)
class AreaEstimates:
    """Accuracy and class areas inferred from a sample; half widths are of the same unit.

    `area` is the area of each class in the reference world, corrected for the errors of the map,
    in the unit of the mapped areas. Arrays have shape (n_classes,); NaN: no value.
    """

    overall_accuracy: Estimate
    precision: np.ndarray
    precision_half_width: np.ndarray
    recall: np.ndarray
    recall_half_width: np.ndarray
    area: np.ndarray
    area_half_width: np.ndarray


def area_adjusted(
    matrix: np.ndarray, mapped_areas: Sequence[float], quantile: float = 1.96
) -> AreaEstimates:
    """Accuracy weighted by the area each class covers in the map, and unbiased class areas.

    Valid for a random sample of independent units, stratified by the classes of the map or
    simple. Pixels of reference polygons are no such sample: they lie together, and polygons are
    drawn where it was easy. Then the areas are indications, and the intervals far too narrow.

    Parameters
    ----------
    matrix : ndarray, shape (n_classes, n_classes) or (n_classes, n_classes + 1)
        Sample units; rows: reference, columns: map.
    mapped_areas : sequence of float, n_classes
        Area or number of pixels of each class in the whole map.
    quantile : float
        Of the normal law: 1.96 gives 95 % intervals.

    Returns
    -------
    AreaEstimates

    Raises
    ------
    InputDataError
        If a mapped class has fewer than two sample units: its variance is unknown.

    References
    ----------
    Olofsson et al. (2014), Good practices for estimating area and assessing accuracy of land
    change, 10.1016/j.rse.2014.02.015, equations 2 to 11.
    """
    counts = classified(matrix).astype(float).T  # rows: map, as in the paper
    weights = np.asarray(mapped_areas, float) / np.sum(mapped_areas)
    sampled = counts.sum(axis=1)
    poor = [str(i + 1) for i in np.flatnonzero((weights > 0) & (sampled < 2))]
    if poor:
        raise InputDataError(
            f"column(s) {', '.join(poor)} of the matrix: mapped, with fewer than 2 reference "
            "units; their error is unknown: add reference there, or merge classes"
        )
    shares = np.nan_to_num(_ratio(counts, sampled[:, None]))
    cells = weights[:, None] * shares
    spread = np.nan_to_num(_ratio(shares * (1 - shares), sampled[:, None] - 1))
    area_share = cells.sum(axis=0)
    precision = _ratio(np.diagonal(counts), sampled)
    recall = _ratio(np.diagonal(cells), area_share)
    overall_variance = (weights**2 * np.diagonal(spread)).sum()
    area_variance = (weights[:, None] ** 2 * spread).sum(axis=0)
    recall_variance = _recall_variance(weights, spread, recall, area_share)
    total = float(np.sum(mapped_areas))
    return AreaEstimates(
        Estimate(float(np.trace(cells)), quantile * math.sqrt(overall_variance), 1),
        precision,
        np.where(sampled > 1, quantile * np.sqrt(np.diagonal(spread)), np.nan),
        recall,
        quantile * np.sqrt(recall_variance),
        total * area_share,
        total * quantile * np.sqrt(area_variance),
    )


def _recall_variance(
    weights: np.ndarray, spread: np.ndarray, recall: np.ndarray, area_share: np.ndarray
) -> np.ndarray:
    """Variance of producer's accuracies: equation 7, areas taken as shares of the whole."""
    own = weights**2 * np.diagonal(spread)
    others = (weights[:, None] ** 2 * spread).sum(axis=0) - own
    return _ratio((1 - recall) ** 2 * own + recall**2 * others, area_share**2)


def write_results(
    matrices: Mapping[int, np.ndarray],
    nomenclature: Nomenclature,
    path: str,
    remarks: Sequence[str] = (),
) -> None:
    """Write RESULTS.txt: overall scores, a table of the classes, the mean matrix, the conventions.

    Parameters
    ----------
    matrices : mapping of int to ndarray
        Confusion matrix of each seed, in the order of `nomenclature.codes`.
    nomenclature : Nomenclature
        Codes and names.
    path : str
        Text file to write, UTF-8.
    remarks : sequence of str
        Sentences the reader must know, such as what was left out.
    """
    _check_shapes(matrices, nomenclature)
    parts = [
        _overall_text(matrices),
        _classes_text(matrices, nomenclature),
        _matrix_text(mean_matrix(matrices), nomenclature),
        *(
            ["\n".join([*_title("Remarks"), *(f"- {remark}" for remark in remarks)])]
            if remarks
            else []
        ),
        NOTES,
    ]
    with whole_file(path) as temporary:
        Path(temporary).write_text("\n\n".join(parts), encoding="utf-8")


NOTES = """\
How to read this file
---------------------
A +- B    mean over the seeds, and half the width of its 95 % interval: Student's t with as many
          degrees of freedom as seeds less one. It tells how much the random split matters, not
          how well the reference stands for the country. One seed has no interval: +- -
Precision user's accuracy: share right among the pixels mapped as this class
Recall    producer's accuracy: share found among the reference pixels of this class
F-score   harmonic mean of both
-         no value: the class has no reference pixel, or (precision) is never mapped. Seeds
          without a value are left out of the mean.
Pixels the map leaves without class are counted in the matrix and left out of every score.
"""


def _check_shapes(matrices: Mapping[int, np.ndarray], nomenclature: Nomenclature) -> None:
    n = len(nomenclature.codes)
    if not matrices:
        raise InputDataError("no confusion matrix: no tile holds validation pixels")
    wrong = [
        f"seed {seed}: matrix of shape {matrix.shape}"
        for seed, matrix in matrices.items()
        if matrix.shape not in ((n, n), (n, n + 1))
    ]
    if wrong or len({matrix.shape for matrix in matrices.values()}) > 1:
        wrong = wrong or ["shapes differ between seeds"]
        raise InputDataError(one_message(f"confusion of {n} classes", wrong))


def _title(text: str) -> list[str]:
    return [text, "-" * len(text)]


def _count(value: float) -> str:
    """Number of pixels, thousands apart."""
    return f"{value:,.0f}".replace(",", " ")


def _overall_text(matrices: Mapping[int, np.ndarray]) -> str:
    mean = mean_matrix(matrices)
    result = scores_over_seeds(matrices)
    seeds = ", ".join(map(str, sorted(matrices)))
    lost = mean.sum() - classified(mean).sum()
    share = 100 * float(np.nan_to_num(_ratio(lost, mean.sum())))
    lines = [
        *_title("Accuracy of the land-cover map"),
        f"Seeds              {seeds}",
        f"Reference pixels   {_count(mean.sum())}" + (" (mean)" if len(matrices) > 1 else ""),
        f"Without class      {_count(lost)} ({share:.2f} %)",
        "",
        f"Overall accuracy   {result.overall_accuracy}",
        f"Kappa              {result.kappa}",
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
        listed = [f"{names[col]} {100 * share:.1f}" for col, share in others]
        confusions.append(f"{head}  {', '.join(listed) or ABSENT}")
    return "\n".join([*table, "", "", *confusions])


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


def write_matrix_csv(matrix: np.ndarray, nomenclature: Nomenclature, path: str) -> None:
    """Write a matrix: columns `code`, `name`, then `<code> <name>` of each class of the map."""
    _check_shapes({0: matrix}, nomenclature)
    header = ["code", "name", *(f"{item.code} {item.name}" for item in nomenclature.classes)]
    header += [UNCLASSIFIED] * (matrix.shape[1] - len(nomenclature.codes))
    rows = [
        [item.code, item.name, *counts]
        for item, counts in zip(nomenclature.classes, matrix.tolist(), strict=True)
    ]
    _write_csv([header, *rows], path)


def read_matrix_csv(path: str) -> tuple[np.ndarray, tuple[int, ...]]:
    """Read a matrix of `write_matrix_csv`.

    Returns
    -------
    matrix : ndarray of int64, shape (n_classes, n_classes) or (n_classes, n_classes + 1)
    codes : tuple of int
        Order of the rows and columns.

    Raises
    ------
    InputDataError
        If the file is not such a table.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        codes = tuple(int(row[0]) for row in rows)
        matrix = np.array([[int(cell) for cell in row[2:]] for row in rows], dtype=np.int64)
        titles = [int(title.split()[0]) for title in header[2:] if title != UNCLASSIFIED]
        if list(codes) != titles or matrix.shape != (len(codes), len(header) - 2):
            raise ValueError("rows and columns do not name the same classes")
    except (OSError, ValueError, IndexError) as error:
        raise InputDataError(
            f"{path}: not a confusion matrix ({error}); delete it and run again"
        ) from None
    return matrix, codes


def write_scores_csv(
    matrices: Mapping[int, np.ndarray], nomenclature: Nomenclature, path: str
) -> None:
    """Write every score of every seed, one a line: `seed,code,name,score,value`.

    `score` is overall_accuracy or kappa (code and name empty), precision, recall or f_score.
    `value` is from 0 to 1 with six decimals, empty where it has no value.
    """
    _check_shapes(matrices, nomenclature)
    rows: list[list] = [["seed", "code", "name", "score", "value"]]
    for seed, matrix in sorted(matrices.items()):
        result = scores(matrix)
        for name in ("overall_accuracy", "kappa"):
            rows.append([seed, "", "", name, _cell(getattr(result, name))])
        for position, item in enumerate(nomenclature.classes):
            for name in ("precision", "recall", "f_score"):
                value = _cell(getattr(result, name)[position])
                rows.append([seed, item.code, item.name, name, value])
    _write_csv(rows, path)


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6f}"


def _write_csv(rows: Sequence[Sequence], path: str) -> None:
    with (
        whole_file(path) as temporary,
        Path(temporary).open("w", encoding="utf-8", newline="") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows(rows)
