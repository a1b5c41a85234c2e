"""Accuracy and areas from a stratified random sample of points, with what chance leaves open.

The strata may be the classes of the map that is judged, or those of another one: all figures are
means or ratios of means of indicators over the strata. With the classes of the map as strata they
are those of Olofsson et al. (2014).
"""

from dataclasses import dataclass

import numpy as np

from iota2_tools.assessing.scores import ratio

QUANTILE = 1.96
"""Standard errors on each side of a 95 % interval."""


@dataclass(frozen=True)
class Points:
    """A sample that was looked at. Strata and classes are told by their places, from 0.

    Parameters
    ----------
    pixels : ndarray of int64, shape (n_strata,)
        Pixels of each stratum.
    stratum, reference, mapped : ndarray of int64, shape (n_points,)
        Stratum of each point, its class in truth and in the map.
    n_classes : int
    class_of_stratum : ndarray of int64, shape (n_strata,), optional
        Class that the map has in all of a stratum; None: strata are others than the classes.
    """

    pixels: np.ndarray
    stratum: np.ndarray
    reference: np.ndarray
    mapped: np.ndarray
    n_classes: int
    class_of_stratum: np.ndarray | None = None

    @property
    def sizes(self) -> np.ndarray:
        """Points of each stratum, int64."""
        return np.bincount(self.stratum, minlength=len(self.pixels))


@dataclass(frozen=True)
class Estimated:
    """Values and their standard errors, arrays of one shape; NaN: no value."""

    value: np.ndarray
    error: np.ndarray

    @property
    def half_width(self) -> np.ndarray:
        """Of the 95 % interval."""
        return QUANTILE * self.error

    def times(self, factor: float) -> "Estimated":
        """In another unit: both grow."""
        return Estimated(self.value * factor, self.error * factor)


def ratio_of_means(
    points: Points, part: np.ndarray, whole: np.ndarray, absent: np.ndarray | None = None
) -> Estimated:
    """Ratio of the means of two quantities over all pixels, column by column.

    Parameters
    ----------
    part, whole : ndarray, shape (n_points, n)
        Of each point. With `whole` all 1 the ratio is a plain mean.
    absent : ndarray of bool, shape (n_strata, n), optional
        Where both are known to be 0 in all of a stratum.

    Returns
    -------
    Estimated
        Shape (n,). No value where the mean of `whole` is 0; no error where a stratum that is not
        looked at whole has a single point.

    References
    ----------
    Stehman (2014), Estimating area and map accuracy for stratified random sampling when the strata
    are different from the map classes, 10.1080/01431161.2014.930207, equations 2, 3 and 24 to 28.
    """
    means = _mean(points, whole)
    value = ratio(_mean(points, part), means)
    residual = part - np.nan_to_num(value) * whole
    if absent is None:
        absent = np.zeros((len(points.pixels), residual.shape[1]), dtype=bool)
    variance = _variance_of_mean(points, residual, absent)
    return Estimated(value, np.where(means != 0, ratio(np.sqrt(variance), means), np.nan))


def _mean(points: Points, values: np.ndarray) -> np.ndarray:
    """Mean over all pixels, shape (n,)."""
    weights = points.pixels / points.pixels.sum()
    return (weights / points.sizes)[points.stratum] @ values


def _variance_of_mean(points: Points, values: np.ndarray, absent: np.ndarray) -> np.ndarray:
    """Variance of that mean: points were drawn without putting any back."""
    sizes, pixels = points.sizes, points.pixels
    weights = pixels / pixels.sum()
    total = np.zeros(values.shape[1])
    for place, size in enumerate(sizes):
        if size < pixels[place]:
            own = values[points.stratum == place]
            # A single point tells nothing of how its stratum varies.
            spread = own.var(axis=0, ddof=1) if size > 1 else np.full(values.shape[1], np.nan)
            spread = np.where(absent[place], 0, spread)
            total += weights[place] ** 2 * (1 - size / pixels[place]) * spread / size
    return total


@dataclass(frozen=True)
class Assessment:
    """What a sample tells of a map; accuracies and shares are 0-1.

    Parameters
    ----------
    overall : Estimated
        Overall accuracy, shape (1,).
    users, producers, f_scores : Estimated
        Of each class, shape (n_classes,).
    shares : Estimated
        Share of the pixels that is of each class in truth.
    counts : ndarray of int64, shape (n_classes, n_classes)
        Points; rows: reference, columns: map.
    cells : ndarray of float, the same
        Shares of all pixels.
    """

    overall: Estimated
    users: Estimated
    producers: Estimated
    f_scores: Estimated
    shares: Estimated
    counts: np.ndarray
    cells: np.ndarray


def assess(points: Points, inside: np.ndarray | None = None) -> Assessment:
    """Accuracy of a map and areas of its classes, from points.

    Parameters
    ----------
    points : Points
        Each stratum has one at least.
    inside : ndarray of bool, shape (n_points,), optional
        Points in the part of the map that is judged; by default all of it is.
    """
    number = len(points.stratum)
    part = np.ones(number) if inside is None else inside.astype(float)
    classes = np.arange(points.n_classes)
    of_map = (points.mapped[:, None] == classes) * part[:, None]
    of_truth = (points.reference[:, None] == classes) * part[:, None]
    both = of_map * (points.reference[:, None] == classes)
    whole = part[:, None]
    counts = np.zeros((points.n_classes, points.n_classes), dtype=np.int64)
    cells = np.zeros(counts.shape)
    np.add.at(counts, (points.reference, points.mapped), part.astype(np.int64))
    weights = (points.pixels / points.pixels.sum() / points.sizes)[points.stratum] * part
    absent = None
    if points.class_of_stratum is not None:
        absent = points.class_of_stratum[:, None] != classes
    np.add.at(cells, (points.reference, points.mapped), weights)
    return Assessment(
        ratio_of_means(points, both.sum(axis=1, keepdims=True), whole),
        ratio_of_means(points, both, of_map, absent),
        ratio_of_means(points, both, of_truth),
        ratio_of_means(points, 2 * both, of_map + of_truth),
        ratio_of_means(points, of_truth, np.repeat(whole, points.n_classes, axis=1)),
        counts,
        cells / cells.sum() if cells.sum() else cells,
    )
