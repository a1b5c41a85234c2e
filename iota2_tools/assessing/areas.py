"""How much land each class covers: as mapped, and corrected for the errors of the map."""

import csv
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iota2_tools.assessing.scores import Estimate, classified, ratio, read_matrix_csv
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.tables import cell, write_csv
from iota2_tools.geo.grid import grid_of, spatial_reference
from iota2_tools.geo.raster import open_raster, read_window

logger = logging.getLogger(__name__)

SQUARE_METRES = 10_000
"""Of a hectare."""


@dataclass(frozen=True)
class ClassAreas:
    """Land of each class of one map, in the order of the nomenclature; NaN: no value.

    Parameters
    ----------
    pixels : ndarray of int64
        Pixels mapped.
    mapped, corrected : ndarray of float
        Hectares mapped, and estimated from the map and its errors (`area_adjusted`).
    """

    pixels: np.ndarray
    mapped: np.ndarray
    corrected: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """Share of the mapped pixels, 0-1."""
        return ratio(self.pixels, self.pixels.sum())


def count_classes(path: str, codes: Sequence[int]) -> np.ndarray:
    """Pixels of each class of a map, int64, window by window."""
    dataset, grid = open_raster(path), grid_of(path)
    counts = np.zeros(max(codes) + 1, dtype=np.int64)
    for window in grid.windows(512):
        values = read_window(dataset, window, 1).ravel()
        counts += np.bincount(values, minlength=counts.size)[: counts.size]
    return counts[list(codes)]


def hectares_of_a_pixel(path: str) -> float:
    """Area of a pixel of a map; NaN where its coordinates are angles."""
    grid = grid_of(path)
    reference = spatial_reference(grid.crs)
    if not reference.IsProjected():
        return math.nan
    return (grid.resolution * reference.GetLinearUnits()) ** 2 / SQUARE_METRES


def measure_areas(pixels: np.ndarray, hectares: float, matrix: np.ndarray) -> ClassAreas:
    """Areas of the classes from their pixels, the area of a pixel and the confusion matrix."""
    mapped = pixels * hectares
    try:
        corrected = area_adjusted(matrix, pixels).area * hectares
    except InputDataError as error:
        logger.warning("areas are not corrected: %s", error)
        corrected = np.full(len(pixels), math.nan)
    return ClassAreas(pixels, mapped, corrected)


def write_areas(classes: str, matrix: str, nomenclature: str, output: str) -> None:
    """Write the areas of a map.

    Parameters
    ----------
    classes, matrix : str
        Class map, and its confusion matrix (`accuracy.write_matrix_csv`).
    output : str
        CSV `code,name,pixels,share,mapped_ha,corrected_ha`; empty where there is no value.
    """
    legend = read_nomenclature(nomenclature)
    areas = measure_areas(
        count_classes(classes, legend.codes),
        hectares_of_a_pixel(classes),
        read_matrix_csv(matrix)[0],
    )
    rows: list[list] = [["code", "name", "pixels", "share", "mapped_ha", "corrected_ha"]]
    for item, pixels, share, mapped, corrected in zip(
        legend.classes, areas.pixels, areas.share, areas.mapped, areas.corrected, strict=True
    ):
        rows.append(
            [item.code, item.name, pixels, cell(share, 6), cell(mapped, 2), cell(corrected, 2)]
        )
    write_csv(rows, output)


def read_areas(path: str) -> ClassAreas:
    """Read a table of `write_areas`."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name] or "nan") for row in rows])

    return ClassAreas(
        column("pixels").astype(np.int64), column("mapped_ha"), column("corrected_ha")
    )


def mean_areas(areas: Mapping[int, ClassAreas]) -> ClassAreas:
    """Mean over seeds; pixels are rounded."""
    every = list(areas.values())

    def mean(name: str) -> np.ndarray:
        return np.mean([getattr(item, name) for item in every], axis=0)

    return ClassAreas(np.rint(mean("pixels")).astype(np.int64), mean("mapped"), mean("corrected"))


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
    shares = np.nan_to_num(ratio(counts, sampled[:, None]))
    cells = weights[:, None] * shares
    spread = np.nan_to_num(ratio(shares * (1 - shares), sampled[:, None] - 1))
    area_share = cells.sum(axis=0)
    precision = ratio(np.diagonal(counts), sampled)
    recall = ratio(np.diagonal(cells), area_share)
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
    return ratio((1 - recall) ** 2 * own + recall**2 * others, area_share**2)
