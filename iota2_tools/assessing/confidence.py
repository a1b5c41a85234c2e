"""What the confidence of a map is worth: of the pixels it is 80 % sure of, are 80 % right?"""

import csv
from collections.abc import Sequence

import numpy as np

from iota2_tools.assessing.scores import ratio
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.tables import cell, write_csv

PERCENT = 101
"""Values of a confidence map: 0 to 100."""
BINS = 10
HEADER = ("confidence", "wrong", "right")
CURVE_HEADER = ("bin", "n", "mean_confidence", "accuracy")


def count_confidence(
    reference: np.ndarray, mapped: np.ndarray, confidence: np.ndarray
) -> np.ndarray:
    """Count validation pixels by confidence, wrong and right.

    Parameters
    ----------
    reference, mapped : ndarray of int
        Class in truth and in the map; 0: none, which does not count.
    confidence : ndarray of int, the same shape
        Percent, 0-100; 0: none, which does not count.

    Returns
    -------
    ndarray of int64, shape (101, 2)
        Rows: percent; columns: wrong, right.

    >>> count_confidence(np.array([1, 1, 0]), np.array([1, 2, 1]), np.array([80, 80, 90]))[80].tolist()
    [1, 1]
    """
    used = (reference > 0) & (mapped > 0) & (confidence > 0)
    places = confidence[used].astype(np.int64) * 2 + (reference == mapped)[used]
    return np.bincount(places, minlength=2 * PERCENT).reshape(PERCENT, 2)


def write_confidence(counts: np.ndarray, path: str) -> None:
    """Write counts of `count_confidence` as CSV; values that no pixel has are left out."""
    rows = [(value, *pair) for value, pair in enumerate(counts.tolist()) if any(pair)]
    write_csv([HEADER, *rows], path)


def read_confidence(paths: Sequence[str]) -> np.ndarray:
    """Sum of the counts of all tiles.

    Raises
    ------
    InputDataError
        If a file is no such table.
    """
    total = np.zeros((PERCENT, 2), dtype=np.int64)
    for path in paths:
        try:
            with open(path, encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    total[int(row["confidence"])] += [int(row["wrong"]), int(row["right"])]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise InputDataError(
                f"{path}: cannot be read as a table ({error}); delete it to make it anew"
            ) from None
    return total


def reliability_curve(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels, mean confidence and share right in each of ten bins of the confidence.

    A map holds whole percents, rounded down: half of one is added.

    Parameters
    ----------
    counts : ndarray of int, shape (101, 2)
        Of `count_confidence`.

    Returns
    -------
    n : ndarray of int64, shape (10,)
        Pixels; the last bin holds 100 % too.
    confidence, accuracy : ndarray of float, shape (10,)
        0-1; NaN where a bin is empty.
    """
    values = np.arange(PERCENT)
    bins = np.minimum(values // (100 // BINS), BINS - 1)
    pixels = counts.sum(axis=1)
    n = np.bincount(bins, pixels, BINS)
    told = np.bincount(bins, pixels * np.minimum((values + 0.5) / 100, 1), BINS)
    right = np.bincount(bins, counts[:, 1], BINS)
    return n.astype(np.int64), ratio(told, n), ratio(right, n)


def calibration_error(counts: np.ndarray) -> float:
    """Expected calibration error: mean distance of confidence and share right; NaN without pixels.

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks, arXiv:1706.04599.
    """
    n, confidence, accuracy = reliability_curve(counts)
    distances = np.nan_to_num(np.abs(confidence - accuracy))
    return float(ratio((n * distances).sum(), n.sum()))


def write_curve(counts: np.ndarray, path: str) -> None:
    """Write the reliability curve as CSV: a line a bin; `bin` is its lower end, 0-1."""
    rows: list[Sequence] = [CURVE_HEADER]
    for place, (n, confidence, accuracy) in enumerate(zip(*reliability_curve(counts), strict=True)):
        rows.append((cell(place / BINS, 1), n, cell(confidence, 6), cell(accuracy, 6)))
    write_csv(rows, path)


def read_curve_error(path: str) -> float:
    """Calibration error of a curve of `write_curve`; NaN where no pixel has a confidence."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["n"])]
    n = np.array([int(row["n"]) for row in rows], dtype=float)
    gaps = np.array([abs(float(r["mean_confidence"]) - float(r["accuracy"])) for r in rows])
    return float(ratio((n * gaps).sum(), n.sum()))
