"""Statistics of zones of any layer: hectares of each class of a map, and what other rasters hold.

One rule for all figures of a table. `centre`: a pixel belongs to a zone if its centre lies in it. So zones
that share a border share no pixel, zones that overlap count theirs each, and counts are whole numbers.
A zone smaller than a pixel may hold no centre: its line stays, and says 0.
`fraction`: each pixel counts by the part of it that lies in the zone; for zones of few pixels.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import shapely

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file
from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import Grid, Window, crs_name, grid_of, pixel_hectares
from iota2_tools.geo.raster import (
    STRIP_ROWS,
    class_names,
    code_of_nothing,
    open_raster,
    read_window,
)
from iota2_tools.geo.units import Units
from iota2_tools.vectors import fractions
from iota2_tools.vectors.measuring import Quantity, QuantityReader

HEADER = ("zone", "zone_ha", "rule", "pixels", "covered")
OF_A_RASTER = ("count", "mean", "sd", "min", "max")
Rule = Literal["centre", "fraction"]


class Figures(NamedTuple):
    """What a raster holds in a zone: `OF_A_RASTER`. A number of parts of pixels is a float."""

    pixels: float
    mean: float = math.nan
    deviation: float = math.nan
    least: float = math.nan
    most: float = math.nan

    @property
    def cells(self) -> tuple[str, ...]:
        """As they are written; empty without any value."""
        others = self[1:]
        told = (f"{value:.6g}" for value in others) if self.pixels else [""] * len(others)
        return (counted(self.pixels), *told)


def counted(pixels: float) -> str:
    """Pixels as text: whole ones, or four decimals of parts.

    >>> counted(3), counted(3.0)
    ('3', '3.0000')
    """
    return f"{pixels:.4f}" if isinstance(pixels, float) else str(pixels)


@dataclass
class Moments:
    """Count, sums and limits of values, while they are gone over."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    least: float = math.inf
    most: float = -math.inf

    def add(self, values: np.ndarray) -> None:
        """Add values; NaN are left out."""
        known = values[~np.isnan(values)]
        if known.size:
            self.count += known.size
            self.total += float(known.sum())
            self.squares += float((known**2).sum())
            self.least, self.most = min(self.least, known.min()), max(self.most, known.max())

    @property
    def figures(self) -> Figures:
        """Count, mean, deviation of the population, smallest and largest value."""
        if not self.count:
            return Figures(0)
        mean = self.total / self.count
        deviation = math.sqrt(max(self.squares / self.count - mean**2, 0))
        return Figures(self.count, mean, deviation, self.least, self.most)


def write_zones(
    classes: str,
    zones: Units,
    quantities: Sequence[Quantity],
    output: str,
    rule: Rule = "centre",
) -> list[str]:
    """Write a table with a line a zone.

    Parameters
    ----------
    classes : str
        Class map; 0: no class.
    zones : Units
        Layer of polygons; those of one value are one zone.
    quantities : sequence of Quantity
        Other rasters, on any grid; each gets the columns `OF_A_RASTER`.
    output : str
        CSV table: `HEADER`, hectares of each class of the map, columns of the rasters.
    rule : {"centre", "fraction"}
        Which pixels belong to a zone: those whose centre lies in it, or each by the part that does.

    Returns
    -------
    list of str
        Zones, in the order of the table.

    Raises
    ------
    InputDataError
        If the map is in degrees, or a layer or raster cannot be read, or no zone touches the map.
    MissingSoftwareError
        If parts of pixels are asked for, and exactextract is not installed.
    """
    if rule == "fraction":
        fractions.check_library()
    grid = grid_of(classes)
    hectare = pixel_hectares(grid)
    if math.isnan(hectare):
        raise InputDataError(
            f"{classes}: is in degrees ({crs_name(grid.crs)}), so pixels have no area; warp it to a projection"
        )
    outlines = zones.outlines(grid.crs)
    box = shapely.box(*grid.bounds)
    if not any(shape.intersects(box) for shape in outlines.values()):
        raise InputDataError(
            f"{zones.path}: none of its {len(outlines)} zone(s) touches {classes}; check its coordinate "
            "reference system"
        )
    readers = [QuantityReader(item, grid) for item in quantities]
    look = _by_centres if rule == "centre" else _by_fractions
    found = {name: look(classes, shape, grid, readers) for name, shape in outlines.items()}
    nothing = code_of_nothing(classes)
    for counts, _ in found.values():
        if nothing in counts:
            counts[0] = counts.get(0, 0) + counts.pop(nothing)
    names = names_of(classes, {code for counts, _ in found.values() for code in counts})
    with (
        whole_file(output) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        of_rasters = [f"{item.name}_{kind}" for item in quantities for kind in OF_A_RASTER]
        table.writerow((*HEADER, *names.values(), *of_rasters))
        for name, (counts, figures) in found.items():
            size = shapely.area(outlines[name]) / grid.resolution**2 * hectare
            pixels = sum(counts.values())
            mapped = pixels - counts.get(0, 0)
            table.writerow(
                (
                    name, f"{size:.4f}", rule, counted(pixels),
                    f"{mapped * hectare / size if size else 0:.6f}",
                    *(f"{counts.get(code, 0) * hectare:.4f}" for code in names),
                    *(cell for item in figures for cell in item.cells),
                )
            )  # fmt: skip
    return list(found)


def _by_fractions(
    classes: str, shape: shapely.Geometry, grid: Grid, readers: Sequence[QuantityReader]
) -> tuple[dict[int, float], list[Figures]]:
    """The same by the part of each pixel that lies in the zone."""
    inside = shapely.intersection(shape, shapely.box(*grid.bounds))
    if not shapely.area(inside):
        return {0: 0.0}, [Figures(0.0) for _ in readers]
    counts = fractions.class_pixels(classes, shape, grid)
    return counts, [Figures(*fractions.moments(reader, shape, grid)) for reader in readers]


def _by_centres(
    classes: str, shape: shapely.Geometry, grid: Grid, readers: Sequence[QuantityReader]
) -> tuple[dict[int, float], list[Figures]]:
    """Pixels of each class whose centres lie in a zone, and what the rasters hold there."""
    dataset = open_raster(classes)
    burner = Burner([shape], [1], grid)
    counts: dict[int, float] = {}
    moments = [Moments() for _ in readers]
    for window in _windows(shape, grid):
        inside = burner.burn(window) > 0
        codes, pixels = np.unique(read_window(dataset, window, 1)[inside], return_counts=True)
        for code, number in zip(codes.tolist(), pixels.tolist(), strict=True):
            counts[code] = counts.get(code, 0) + number
        for reader, item in zip(readers, moments, strict=True):
            item.add(reader.read(window)[inside])
    return counts, [item.figures for item in moments]


def _windows(shape: shapely.Geometry, grid: Grid) -> list[Window]:
    """Strips of the map around a zone."""
    frame = grid.window_over(shape.bounds)
    return list(frame.strips(STRIP_ROWS)) if frame else []


def names_of(classes: str, codes: set[int]) -> Mapping[int, str]:
    """Names of the classes by code, from the tags of the map; those it does not name by code."""
    told = class_names(classes)
    return {code: told.get(code, str(code)) for code in sorted({*told, *codes} - {0})}
