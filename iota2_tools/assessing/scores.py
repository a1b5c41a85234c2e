"""How right the map is: confusion matrices, scores, and their spread over seeds.

A confusion matrix has one row a class of the reference and one column a class of the map, in the
order of the nomenclature's codes, then one column for reference pixels the map leaves without
class. It counts pixels, as int64, so that the matrices of tiles and seeds can be added.

Conventions, where a score has no value (NaN in arrays, ``-`` in the report, empty in tables):

- a class without reference pixels cannot be judged: no precision, recall nor F-score;
- a class with reference pixels that is never mapped has no precision; its recall and F-score are
  a true 0, so that a class the map misses weighs on the mean over seeds;
- kappa has no value when reference and map hold one class, the same;
- pixels without class in the map stand apart: they are counted, and left out of every score;
- fewer than three seeds have no interval: that of two would be wider than all that is possible.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.core.tables import write_csv
from iota2_tools.core.words import number

CONFIDENCE_LEVEL = 0.95
FEWEST_RUNS = 3
"""Seeds below which their spread tells nothing: Student's t with one degree of freedom is 12.7."""
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
    agreement = ratio(right.sum(), total)
    by_chance = ratio((in_reference * in_map).sum(), total**2)
    judged = in_reference > 0
    return Scores(
        overall_accuracy=float(agreement),
        kappa=float(ratio(agreement - by_chance, 1 - by_chance)),
        precision=np.where(judged, ratio(right, in_map), np.nan),
        recall=ratio(right, in_reference),
        f_score=np.where(judged, ratio(2 * right, in_reference + in_map), np.nan),
    )


def ratio(part: np.ndarray | float, whole: np.ndarray | float) -> np.ndarray:
    """Quotient, NaN where `whole` is 0 (or NaN)."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)


@dataclass(frozen=True)
class Estimate:
    """Mean of a score over seeds, and half the width of its interval.

    `mean` is NaN when no seed has a value, `half_width` when fewer than `FEWEST_RUNS` have one.
    """

    mean: float
    half_width: float
    runs: int

    def __str__(self) -> str:
        if not self.runs:
            return ABSENT
        half = "" if math.isnan(self.half_width) else f" +- {number(self.half_width, 3)}"
        return f"{number(self.mean, 3)}{half}"


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
        Half width t(runs - 1) * s / sqrt(runs), s being the sample standard deviation; none for
        fewer than `FEWEST_RUNS`. IOTA2 took the number of classes - 1 as degrees of freedom, which
        does not depend on the runs.
    """
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    runs = known.size
    if runs == 0:
        return Estimate(math.nan, math.nan, 0)
    if runs < FEWEST_RUNS:
        return Estimate(float(known.mean()), math.nan, runs)
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
    shares = ratio(square, square.sum(axis=1, keepdims=True))
    np.fill_diagonal(shares, 0)
    shares = np.nan_to_num(shares)
    order = np.argsort(-shares, axis=1, kind="stable")[:, :n]
    return [
        [(int(col), float(shares[row, col])) for col in cols if shares[row, col] > 0]
        for row, cols in enumerate(order)
    ]


def check_shapes(matrices: Mapping[int, np.ndarray], nomenclature: Nomenclature) -> None:
    """Raise InputDataError unless all matrices fit the nomenclature and one another."""
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


def write_matrix_csv(matrix: np.ndarray, nomenclature: Nomenclature, path: str) -> None:
    """Write a matrix: columns `code`, `name`, then `<code> <name>` of each class of the map."""
    check_shapes({0: matrix}, nomenclature)
    header = ["code", "name", *(f"{item.code} {item.name}" for item in nomenclature.classes)]
    header += [UNCLASSIFIED] * (matrix.shape[1] - len(nomenclature.codes))
    rows = [
        [item.code, item.name, *counts]
        for item, counts in zip(nomenclature.classes, matrix.tolist(), strict=True)
    ]
    write_csv([header, *rows], path)


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
