"""How sure scores and areas are that pixels of validation polygons tell.

Pixels of one polygon look alike: a hundred of them tell hardly more than one does. So it is the
polygons that count as drawn at random, each with all its pixels, and the intervals come from how the
polygons differ (linearisation of ratios of sums over clusters).
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iota2_tools.assessing.scores import CONFIDENCE_LEVEL, ratio
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.tables import write_csv

HEADER = ("polygon", "code", "mapped", "pixels")
CHUNK = 4096
"""Polygons whose errors are computed together: memory is this times the classes."""


@dataclass(frozen=True)
class PolygonCounts:
    """Validation pixels of each polygon by the class they are mapped as; a row a pair of both.

    Parameters
    ----------
    polygon, code, mapped, pixels : ndarray of int64, shape (n_rows,)
        Number of the polygon, its class, the class in the map (0: none), and how many.
    """

    polygon: np.ndarray
    code: np.ndarray
    mapped: np.ndarray
    pixels: np.ndarray


def count_polygons(ids: np.ndarray, reference: np.ndarray, mapped: np.ndarray) -> np.ndarray:
    """Count the pixels of each polygon and class of the map.

    Parameters
    ----------
    ids, reference, mapped : ndarray of int, of one shape
        Polygon of each pixel, its class (0: it does not count), its class in the map (0: none).

    Returns
    -------
    ndarray of int64, shape (n_rows, 4)
        The columns of `HEADER`, in increasing order.
    """
    used = reference > 0
    columns = [np.asarray(item)[used].astype(np.int64) for item in (ids, reference, mapped)]
    rows, counts = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
    return np.column_stack([rows, counts]).astype(np.int64)


def summed(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The same over parts that may each hold a piece of a polygon."""
    every = np.concatenate([np.zeros((0, len(HEADER)), dtype=np.int64), *parts])
    rows, places = np.unique(every[:, :3], axis=0, return_inverse=True)
    pixels = np.zeros(len(rows), dtype=np.int64)
    np.add.at(pixels, places.ravel(), every[:, 3])
    return np.column_stack([rows, pixels])


def write_polygon_counts(rows: np.ndarray, path: str) -> None:
    """Write counts as CSV with the columns of `HEADER`."""
    write_csv([HEADER, *rows.tolist()], path)


def read_polygon_counts(paths: Sequence[str]) -> PolygonCounts:
    """Read the counts of all tiles.

    Raises
    ------
    InputDataError
        If a file is no such table.
    """
    parts = []
    for path in paths:
        try:
            with open(path, encoding="utf-8", newline="") as file:
                header, *rows = csv.reader(file)
            if tuple(header) != HEADER:
                raise ValueError(f"columns {', '.join(header)}")
            numbers = [[int(cell) for cell in row] for row in rows]
            parts.append(np.array(numbers, dtype=np.int64).reshape(-1, len(HEADER)))
        except (OSError, ValueError) as error:
            raise InputDataError(
                f"{path}: cannot be read as a table ({error}); delete it to make it anew"
            ) from None
    return PolygonCounts(*summed(parts).T)


@dataclass(frozen=True)
class Linearised:
    """What makes an estimate of each class differ from polygon to polygon.

    Parameters
    ----------
    squares : ndarray of float, shape (n,)
        Sum over the polygons of the squares of their deviations.
    polygons : int
        How many there are.
    """

    squares: np.ndarray
    polygons: int

    @property
    def half_width(self) -> np.ndarray:
        """Of the 95 % interval, Student's t with the polygons less one as degrees of freedom."""
        if self.polygons < 2:
            return np.full(self.squares.shape, math.nan)
        from scipy.special import stdtrit

        quantile = float(stdtrit(self.polygons - 1, (1 + CONFIDENCE_LEVEL) / 2))
        return quantile * np.sqrt(self.squares * self.polygons / (self.polygons - 1))


def accuracy_half_width(counts: PolygonCounts) -> float:
    """Half width of the 95 % interval of the overall accuracy of a draw.

    The accuracy is the ratio of the sums, over the polygons, of the pixels that are right and of
    all that have a class in the map. NaN with fewer than two polygons.

    References
    ----------
    Cochran (1977), Sampling techniques, equation 9.20 (ratio estimate, clusters of unequal sizes);
    Stehman (1997), Estimating standard errors of accuracy assessment statistics under cluster
    sampling, 10.1016/S0034-4257(96)00176-9.
    """
    seen = counts.mapped > 0
    polygons, place = np.unique(counts.polygon[seen], return_inverse=True)
    pixels = counts.pixels[seen]
    right = pixels * (counts.code[seen] == counts.mapped[seen])
    total = pixels.sum()
    if not total:
        return math.nan
    deviations = np.zeros(len(polygons))
    np.add.at(deviations, place, (right - right.sum() / total * pixels) / total)
    found = Linearised(np.array([(deviations**2).sum()]), len(polygons))
    return float(found.half_width[0])


def area_half_widths(
    counts: PolygonCounts, codes: Sequence[int], pixels: np.ndarray, sampled: np.ndarray
) -> np.ndarray:
    """Half widths of the 95 % intervals of the corrected areas, as shares of the map.

    A corrected share is Σ W n(map, truth) / n(map) over the classes of the map, W being their
    shares of it (`areas.area_adjusted`): a sum of ratios of sums over polygons. Of a class that is
    mapped in a single polygon nothing tells how it varies: it is taken to vary as much as a share
    can, with the variance 1/4.

    Parameters
    ----------
    counts : PolygonCounts
        Of a draw.
    codes : sequence of int, n_classes
        Order of the classes.
    pixels : ndarray of int, shape (n_classes,)
        Pixels of each class in the map.
    sampled : ndarray of bool, shape (n_classes,)
        Classes of the map whose validation pixels count as a sample of them (`areas.unvalidated`).

    Returns
    -------
    ndarray of float, shape (n_classes,)
        NaN if fewer than two polygons validate the map.
    """
    weights = np.where(sampled, pixels, 0) / max(pixels.sum(), 1)
    order = np.argsort(codes)
    ranked = np.asarray(codes)[order]
    seen = (counts.mapped > 0) & (counts.code > 0)
    truth, mapped = (
        order[np.searchsorted(ranked, item[seen])] for item in (counts.code, counts.mapped)
    )
    known = sampled[mapped]
    truth, mapped, number = truth[known], mapped[known], counts.pixels[seen][known]
    polygons, place = np.unique(counts.polygon[seen][known], return_inverse=True)
    table = np.zeros((len(codes), len(codes)))  # rows: map
    np.add.at(table, (mapped, truth), number)
    of_map = table.sum(axis=1)
    shares = np.nan_to_num(ratio(table, of_map[:, None]))
    part = number * np.nan_to_num(ratio(weights, of_map))[mapped]
    squares = np.zeros(len(codes))
    for first in range(0, len(polygons), CHUNK):
        here = (place >= first) & (place < first + CHUNK)
        found, expected = np.zeros((2, min(CHUNK, len(polygons) - first), len(codes)))
        np.add.at(found, (place[here] - first, truth[here]), part[here])
        np.add.at(expected, (place[here] - first, mapped[here]), part[here])
        squares += ((found - expected @ shares) ** 2).sum(axis=0)
    squares += 0.25 * (weights[_mapped_in_one(mapped, place, len(codes))] ** 2).sum()
    return Linearised(squares, len(polygons)).half_width


def _mapped_in_one(mapped: np.ndarray, place: np.ndarray, n_classes: int) -> np.ndarray:
    """Classes of which the pixels mapped lie in a single polygon, bool."""
    pairs = np.unique(np.stack([mapped, place], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=n_classes) == 1
