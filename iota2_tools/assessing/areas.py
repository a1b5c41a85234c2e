"""How much land each class covers: as mapped, and corrected for the errors of the map.

The correction takes the pixels mapped as a class as a stratum, and the validation pixels mapped so
as its sample: their shares tell what the stratum is in truth. A class that is mapped and has no
such pixel is a stratum without sample. What stands there is unknown, but how much land it is, is
known. So the corrected area of every other class lies between what the sampled strata give and that
much more: both ends are reported. No share is invented for the stratum: one of the rest of the map
would give the class to others, one of the map itself would call it free of errors. Of the class
itself the lower end would be read as an estimate, though most of its stratum may be its own: it has
the upper end only.

One pixel in a stratum is enough for an area, which stays unbiased; a variance needs two.

How sure a corrected area is follows from how the polygons differ (`clusters`), not from the number
of pixels: those of one polygon look alike.
"""

import csv
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iota2_tools.assessing.clusters import PolygonCounts, area_half_widths, read_polygon_counts
from iota2_tools.assessing.scores import Estimate, classified, ratio, read_matrix_csv
from iota2_tools.config.nomenclature import Nomenclature, read_nomenclature
from iota2_tools.core.tables import cell, write_csv
from iota2_tools.core.words import listed
from iota2_tools.geo.grid import grid_of, pixel_hectares
from iota2_tools.geo.raster import open_raster, read_window
from iota2_tools.maps.layers import BLOCK

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClassAreas:
    """Land of each class of one map, in the order of the nomenclature; NaN: no value.

    Parameters
    ----------
    pixels : ndarray of int64
        Pixels mapped.
    mapped : ndarray of float
        Hectares mapped.
    corrected, corrected_most : ndarray of float
        Least and largest number of hectares that the map and its errors allow (`area_adjusted`);
        the same where all that is mapped was validated.
    half_width : ndarray of float
        Half width, in hectares, of the 95 % interval of both, polygons taken as drawn at random.
    """

    pixels: np.ndarray
    mapped: np.ndarray
    corrected: np.ndarray
    corrected_most: np.ndarray
    half_width: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """Share of the mapped pixels, 0-1."""
        return ratio(self.pixels, self.pixels.sum())


def count_classes(path: str, codes: Sequence[int]) -> np.ndarray:
    """Pixels of each class of a map, int64, window by window."""
    dataset, grid = open_raster(path), grid_of(path)
    counts = np.zeros(max(codes) + 1, dtype=np.int64)
    for window in grid.windows(BLOCK):
        values = read_window(dataset, window, 1).ravel()
        counts += np.bincount(values, minlength=counts.size)[: counts.size]
    return counts[list(codes)]


def hectares_of_a_pixel(path: str) -> float:
    """Area of a pixel of a map; NaN where its coordinates are angles."""
    return pixel_hectares(grid_of(path))


@dataclass(frozen=True)
class Unvalidated:
    """Classes of a map of which the validation polygons tell nothing; bool, shape (n_classes,).

    Parameters
    ----------
    stratum : ndarray of bool
        The class is mapped, and its pixels have no sample: no validation pixel is mapped as it,
        or none is of it. In the second case those of other classes that are mapped as it are no
        sample either: pixels that are right could not be drawn, and would seem to be none.
    absent : ndarray of bool
        No validation pixel is of the class, be it mapped or not: how much the map misses of it
        cannot show.
    """

    stratum: np.ndarray
    absent: np.ndarray


def unvalidated(matrix: np.ndarray, pixels: np.ndarray) -> Unvalidated:
    """Classes of which a matrix of validation polygons tells nothing.

    Parameters
    ----------
    matrix : ndarray, shape (n_classes, n_classes) or (n_classes, n_classes + 1)
        Validation pixels; rows: reference, columns: map.
    pixels : ndarray of int, shape (n_classes,)
        Pixels of each class in the map.
    """
    square = classified(matrix)
    absent = square.sum(axis=1) == 0
    return Unvalidated((np.asarray(pixels) > 0) & (absent | (square.sum(axis=0) == 0)), absent)


def measure_areas(
    pixels: np.ndarray,
    hectares: float,
    matrix: np.ndarray,
    codes: Sequence[int] = (),
    polygons: PolygonCounts | None = None,
) -> ClassAreas:
    """Areas of the classes from their pixels, the area of a pixel and the confusion matrix.

    A class without validation pixel has no corrected area; without any, no class has one.

    Parameters
    ----------
    codes, polygons
        Order of the classes, and the pixels of the matrix by polygon; without them areas have no
        intervals.
    """
    found = unvalidated(matrix, pixels)
    sample = np.where(found.stratum, 0, classified(matrix))
    mapped = pixels * hectares
    nothing = np.full(len(pixels), math.nan)
    if not sample.sum():
        return ClassAreas(pixels, mapped, nothing, nothing, nothing)
    half = nothing
    if polygons is not None:
        shares = area_half_widths(polygons, codes, pixels, ~found.stratum)
        half = np.where(found.absent | found.stratum, math.nan, shares * mapped.sum())
    estimates = area_adjusted(sample, pixels)
    least, most = (
        np.where(found.absent, math.nan, area * hectares)
        for area in (estimates.area, estimates.area_most)
    )
    return ClassAreas(pixels, mapped, least, most, half)


NO_ERROR = (
    "no validation pixel mapped as this class is wrong, and none is missed: +- 0 is no certainty"
)
ROUNDING = 1e-9
"""Share of an area below which half an interval is none."""
NO_REFERENCE = "not corrected: there is no reference"

HEADER = (
    "code", "name", "pixels", "share", "mapped_ha", "corrected_ha", "corrected_max_ha", "half_width_ha",
    "note",
)  # fmt: skip


def areas_as_mapped(pixels: np.ndarray, hectares: float) -> ClassAreas:
    """Areas of a map that no reference judges: those of its pixels, none corrected.

    Parameters
    ----------
    pixels : ndarray of int, shape (n_classes,)
        Pixels of each class.
    hectares : float
        Area of a pixel.
    """
    nothing = np.full(len(pixels), math.nan)
    return ClassAreas(pixels, pixels * hectares, nothing, nothing, nothing)


def write_areas(
    classes: str, matrix: str | None, polygons: Sequence[str], nomenclature: str, output: str
) -> None:
    """Write the areas of a map.

    Parameters
    ----------
    classes : str
        Class map.
    matrix : str or None
        Its confusion matrix (`scores.write_matrix_csv`); None: there is no reference, and no area is corrected.
    polygons : sequence of str
        The same pixels by polygon, of all tiles (`clusters.write_polygon_counts`).
    output : str
        CSV with the columns of `HEADER`. Cells are empty where there is no value; the note says
        why, why the corrected area is a range, or what an interval of 0 is worth.
    """
    legend = read_nomenclature(nomenclature)
    counts, hectares_each = count_classes(classes, legend.codes), hectares_of_a_pixel(classes)
    if matrix is None:
        areas, told = areas_as_mapped(counts, hectares_each), [NO_REFERENCE] * len(counts)
    else:
        sample = read_matrix_csv(matrix)[0]
        pixels_of_polygons = read_polygon_counts(polygons)
        areas = measure_areas(counts, hectares_each, sample, legend.codes, pixels_of_polygons)
        told = notes(sample, counts, legend)
        certain = (counts > 0) & (areas.half_width <= ROUNDING * areas.mapped)
        told = [
            note or (NO_ERROR if sure else "") for note, sure in zip(told, certain, strict=True)
        ]
    rows: list[Sequence] = [HEADER]
    for item, pixels, share, mapped, least, most, half, note in zip(
        legend.classes, areas.pixels, areas.share, areas.mapped, areas.corrected,
        areas.corrected_most, areas.half_width, told, strict=True,
    ):  # fmt: skip
        hectares = (cell(value, 2) for value in (mapped, least, most, half))
        rows.append([item.code, item.name, pixels, cell(share, 6), *hectares, note])
        if note and matrix is not None:
            logger.info("%s: %s", item.name, note)
    write_csv(rows, output)


def notes(matrix: np.ndarray, pixels: np.ndarray, nomenclature: Nomenclature) -> list[str]:
    """Why each class has no corrected area, or a range of it; empty where it has one."""
    found = unvalidated(matrix, pixels)
    names = [item.name for item in nomenclature.classes]
    unknown = [name for name, without in zip(names, found.stratum, strict=True) if without]
    texts = []
    for without, absent in zip(found.stratum, found.absent, strict=True):
        if absent:
            texts.append("no validation pixel is of this class")
        elif without:
            texts.append("no validation pixel is mapped as this class")
        elif unknown:
            texts.append(f"corrected_max_ha if all mapped as {listed(unknown)} is of this class")
        else:
            texts.append("")
    return texts


def read_areas(path: str) -> ClassAreas:
    """Read a table of `write_areas`."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name] or "nan") for row in rows])

    return ClassAreas(
        column("pixels").astype(np.int64),
        column("mapped_ha"),
        column("corrected_ha"),
        column("corrected_max_ha"),
        column("half_width_ha"),
    )


def mean_areas(areas: Mapping[int, ClassAreas]) -> ClassAreas:
    """Mean over seeds; pixels are rounded.

    The corrected area of a class is the mean over the seeds that have one, and so is its largest;
    where none has one, the largest is that over all seeds. The half width is the root of the mean
    square of those of these seeds, though a mean is surer than a single one: seeds draw from the
    same polygons, so that how much surer is not known.
    """
    every = list(areas.values())
    pixels, mapped, least, most, half = (
        np.array([getattr(item, name) for item in every], dtype=float)
        for name in ("pixels", "mapped", "corrected", "corrected_most", "half_width")
    )
    known = ~np.isnan(least)
    counted = np.where(known.any(axis=0), known, ~np.isnan(most))
    return ClassAreas(
        np.rint(pixels.mean(axis=0)).astype(np.int64),
        mapped.mean(axis=0),
        _mean(least, counted),
        _mean(most, counted),
        np.sqrt(_mean(half**2, known)),
    )


def _mean(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean of each column over the values that count; NaN where none does."""
    return ratio(np.where(counted, values, 0).sum(axis=0), counted.sum(axis=0))


@dataclass(frozen=True)
class AreaEstimates:
    """Accuracy and class areas inferred from a sample; half widths are of the same unit.

    `area` is the area of each class in the reference world, corrected for the errors of the map,
    in the unit of the mapped areas: the least there may be if strata are without sample, and
    `area_most` the largest. Arrays have shape (n_classes,); NaN: no value.
    """

    overall_accuracy: Estimate
    precision: np.ndarray
    precision_half_width: np.ndarray
    recall: np.ndarray
    recall_half_width: np.ndarray
    area: np.ndarray
    area_half_width: np.ndarray
    area_most: np.ndarray


def area_adjusted(
    matrix: np.ndarray, mapped_areas: Sequence[float] | np.ndarray, quantile: float = 1.96
) -> AreaEstimates:
    """Accuracy weighted by the area each class covers in the map, and unbiased class areas.

    Valid for a random sample of independent units, stratified by the classes of the map or
    simple. Pixels of reference polygons are no such sample: they lie together, and polygons are
    drawn where it was easy. Then the areas are indications, and the intervals far too narrow.

    A class that is mapped without a sample unit leaves the share of every class in its stratum
    unknown, between none and all of it. Overall accuracy and recall, which need it, have no value
    then, nor has the area of that class; `area` and `area_most` bound that of the others. A class
    with one unit gives its share to the areas, which is unbiased, but no variance: the intervals
    of all that its stratum enters have no value.

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

    References
    ----------
    Olofsson et al. (2014), Good practices for estimating area and assessing accuracy of land
    change, 10.1016/j.rse.2014.02.015, equations 2 to 11.
    """
    counts = classified(matrix).astype(float).T  # rows: map, as in the paper
    total = float(np.sum(mapped_areas))
    weights = ratio(np.asarray(mapped_areas, float), total)
    sampled = counts.sum(axis=1)
    unknown = (weights > 0) & (sampled == 0)
    shares = np.nan_to_num(ratio(counts, sampled[:, None]))
    cells = weights[:, None] * shares
    area_share = cells.sum(axis=0)
    spread = _spread(shares, sampled)
    error = weights[:, None] ** 2 * np.where(weights[:, None] > 0, spread, 0)
    whole = np.where(unknown.any(), math.nan, 1.0)  # what needs every stratum has no value
    recall = whole * ratio(np.diagonal(cells), area_share)
    overall = float(whole * np.trace(cells))
    return AreaEstimates(
        Estimate(overall, quantile * math.sqrt(np.trace(error)), int(not unknown.any())),
        ratio(np.diagonal(counts), sampled),
        quantile * np.sqrt(np.diagonal(spread)),
        recall,
        quantile * np.sqrt(_recall_variance(error, recall, area_share)),
        np.where(unknown, math.nan, total * area_share),
        total * quantile * np.sqrt(error.sum(axis=0)),
        total * (area_share + weights[unknown].sum()),
    )


def _spread(shares: np.ndarray, sampled: np.ndarray) -> np.ndarray:
    """Variance of the shares of each stratum (row); NaN with fewer than two units."""
    degrees = np.where(sampled > 1, sampled - 1, math.nan)
    return shares * (1 - shares) / degrees[:, None]


def _recall_variance(error: np.ndarray, recall: np.ndarray, area_share: np.ndarray) -> np.ndarray:
    """Variance of producer's accuracies: equation 7, areas taken as shares of the whole.

    `error` holds the variance of each cell: rows strata, columns classes in truth.
    """
    own = np.diagonal(error)
    others = error.sum(axis=0) - own
    return ratio((1 - recall) ** 2 * own + recall**2 * others, area_share**2)
