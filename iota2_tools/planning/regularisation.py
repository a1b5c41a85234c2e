"""The regularised map in numbers of pixels: units, groups, blocks, and what is wrong with them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.config.regularisation import RegularisationSection
from iota2_tools.core.errors import Iota2Error
from iota2_tools.core.words import listed
from iota2_tools.geo.grid import (
    Grid,
    Window,
    crs_name,
    placed,
    spatial_reference,
    transform_bounds,
)
from iota2_tools.geo.raster import open_raster
from iota2_tools.timeseries.headers import file_faults

CAP = 64
"""Pixels up to which sizes of neighbours are compared, for units that are no larger."""
MARGIN, UNIT = 128, 10
"""Pixels around a block that are enough for a unit of so many pixels; larger units spread as wide as
they are, so the margin grows with the square root of the unit. With a quarter of it no pixel of
2745 x 2745 differed, for units of 10 to 1000 pixels."""
LARGEST_WINDOW = 130_000_000
"""Pixels that GDAL's rule may work on at once: one tile of 110 km at 10 m."""
MOST_PIXELS = 2**31 - 1
"""Of a window that the sieve can number."""


@dataclass(frozen=True)
class RegularisationPlan:
    """What is done to the maps of a production, and in which blocks.

    Parameters
    ----------
    section : RegularisationSection
        What the user chose.
    grid : Grid
        Of the maps.
    tiles : sequence of Grid
        Grids of the tiles: elsewhere the map is empty.
    nomenclature : Nomenclature
        Classes of the maps.
    """

    section: RegularisationSection
    grid: Grid
    tiles: Sequence[Grid]
    nomenclature: Nomenclature

    @property
    def factor(self) -> int:
        """Pixels of the map along the side of one of the regularised map."""
        wanted = self.section.resolution or self.grid.resolution
        return max(round(wanted / self.grid.resolution), 1)

    @property
    def target(self) -> Grid:
        """Grid of the regularised map."""
        return self.grid.coarser(self.factor)

    @property
    def unit(self) -> int:
        """Pixels of the smallest area that stays."""
        return pixels_of(self.section.minimum_mapping_unit_m2, self.grid)

    @property
    def second_unit(self) -> int:
        """The same of the second pass, in pixels of the regularised map; 0, there is none."""
        wanted = self.section.second_minimum_mapping_unit_m2
        return pixels_of(wanted, self.target) if wanted else 0

    @property
    def margin(self) -> int:
        """Pixels around a block that are looked at for it."""
        return self.section.margin_pixels or margin_of(self.unit)

    @property
    def second_margin(self) -> int:
        """The same for the second pass, in pixels of the regularised map."""
        if not self.second_unit:
            return 0
        return self.section.margin_pixels or margin_of(self.second_unit)

    @cached_property
    def blocks(self) -> dict[str, Window]:
        """Blocks of the regularised map that hold a part of a tile, by row and column: `0_1`."""
        target = self.target
        side = max(target.rows, target.cols)
        if self.section.rule == "capped":
            side = self.section.block_pixels
        rows, cols = (-(-length // -(-length // side)) for length in (target.rows, target.cols))
        places = [placed(tile, self.grid) for tile in self.tiles]
        return {
            f"{window.row // rows}_{window.col // cols}": window
            for window in target.windows(rows, cols)
            if any(_share(_times(window, self.factor), place) for place in places)
        }

    @property
    def largest_window(self) -> int:
        """Pixels of the map that the largest block looks at."""
        beyond = self.margin + self.factor * (self.second_margin + 1)
        return max(
            (
                _times(window, self.factor).grown(beyond, self.grid.window).size
                for window in self.blocks.values()
            ),
            default=0,
        )

    @property
    def settings(self) -> dict[str, Any]:
        """Plain values of `vectors.regularisation.Regularisation`, for parameters of rules."""
        water = self.section.water_mask
        return {
            "unit": {"threshold": self.unit, "cap": self._cap(self.unit)},
            "margin": self.margin,
            "groups": self.groups,
            "factor": self.factor,
            "water": {"path": water.path, "code": water.code} if water else None,
            "second": (
                {"threshold": self.second_unit, "cap": self._cap(self.second_unit)}
                if self.second_unit
                else None
            ),
            "second_margin": self.second_margin,
        }

    def _cap(self, unit: int) -> int:
        return 0 if self.section.rule == "gdal" else max(CAP, unit)

    @property
    def groups(self) -> dict[str, int]:
        """Number of the group of each class, by its code as text; empty without groups."""
        if self.section.groups == "none":
            return {}
        names = sorted({item.parent or "" for item in self.nomenclature.classes})
        return {
            str(item.code): 1 + names.index(item.parent or "") for item in self.nomenclature.classes
        }

    @property
    def tags(self) -> Mapping[str, str]:
        """What is told of the regularisation in the file of a map."""
        section = self.section
        parts = [f"unit {self.unit} px", f"rule {section.rule}", f"groups {section.groups}"]
        if section.water_mask:
            parts.append(f"water class {section.water_mask.code}")
        if self.second_unit:
            parts.append(f"second unit {self.second_unit} px")
        return {"REGULARISATION": ", ".join(parts)}

    def problems(self) -> Iterator[str]:
        """What is wrong with the section on this map, with its place."""
        if not spatial_reference(self.grid.crs).IsProjected():
            yield (
                f"regularisation: the map is in degrees ({crs_name(self.grid.crs)}), so an area in m² is no "
                "number of pixels; choose a projection in metres, `grid: {projection: …}`"
            )
            return
        yield from self._resolution_problems()
        yield from self._unit_problems()
        yield from self._group_problems()
        yield from self._water_problems()
        if self.largest_window > MOST_PIXELS and self.section.rule == "capped":
            yield (
                f"regularisation: a block and its margin of {self.margin} pixels hold {self.largest_window} pixels, "
                f"more than {MOST_PIXELS}; give smaller units, block_pixels or margin_pixels"
            )
        if self.section.rule == "gdal" and self.largest_window > LARGEST_WINDOW:
            yield (
                f"regularisation.rule: gdal works on the whole map at once, and this one has "
                f"{self.largest_window} pixels, more than the {LARGEST_WINDOW} that fit its memory; take `rule: capped`"
            )

    def _resolution_problems(self) -> Iterator[str]:
        wanted = self.section.resolution
        if wanted and not math.isclose(wanted, self.factor * self.grid.resolution, rel_tol=1e-6):
            yield (
                f"regularisation.resolution: {wanted:g} is no multiple of the resolution of the map, "
                f"{self.grid.resolution:g}; take {self.factor * self.grid.resolution:g} or another multiple"
            )
        elif self.factor > min(self.grid.rows, self.grid.cols):
            yield (
                f"regularisation.resolution: one pixel of {wanted:g} is larger than the whole map "
                f"({self.grid.cols} x {self.grid.rows} pixels of {self.grid.resolution:g}); take less"
            )

    def _unit_problems(self) -> Iterator[str]:
        for name, unit, grid in (
            ("minimum_mapping_unit_m2", self.unit, self.grid),
            ("second_minimum_mapping_unit_m2", self.second_unit, self.target),
        ):
            wanted = getattr(self.section, name)
            area = area_of_pixel(grid)
            if wanted and unit < 2:
                yield (
                    f"regularisation.{name}: {wanted:.10g} m² is no more than one pixel ({area:g} m²), which changes "
                    "nothing; give more, or leave it out"
                )
            elif wanted and unit > grid.rows * grid.cols:
                yield (
                    f"regularisation.{name}: {wanted:.10g} m² is larger than the whole map "
                    f"({grid.rows * grid.cols * area:.10g} m²); give less, in m² (1 ha is 10000)"
                )

    def _group_problems(self) -> Iterator[str]:
        if self.section.groups == "none":
            return
        orphans = [item.name for item in self.nomenclature.classes if not item.parent]
        if orphans:
            yield (
                f"regularisation.groups: parent, but {listed(orphans)} of the nomenclature "
                f"{'has' if len(orphans) == 1 else 'have'} no parent; fill in its column `parent` (a class alone in "
                "its group may bear its own name), or set `groups: none`"
            )

    def _water_problems(self) -> Iterator[str]:
        water = self.section.water_mask
        if not water:
            return
        if water.code not in self.nomenclature.codes:
            yield (
                f"regularisation.water_mask.code: {water.code} is no class of the nomenclature, which has "
                f"{', '.join(map(str, self.nomenclature.codes))}"
            )
        yield from (
            f"regularisation.water_mask.path: {fault}"
            for fault in mask_faults(water.path, self.grid)
        )


def pixels_of(square_metres: float, grid: Grid) -> int:
    """Pixels that cover at least an area."""
    return math.ceil(square_metres / area_of_pixel(grid) - 1e-6)


def area_of_pixel(grid: Grid) -> float:
    """Square metres of a pixel of a grid in a projection."""
    return float((grid.resolution * spatial_reference(grid.crs).GetLinearUnits()) ** 2)


def margin_of(unit: int) -> int:
    """Pixels around a block that are enough for a unit, see `MARGIN`."""
    return math.ceil(MARGIN * math.sqrt(max(unit, UNIT) / UNIT))


def mask_faults(path: str, grid: Grid) -> list[str]:
    """What keeps a raster from being a mask of a map: not there, no place, somewhere else."""
    faults = file_faults(path)
    if faults:
        return faults
    dataset = open_raster(path)
    if dataset.RasterCount != 1:
        return [
            f"{path} has {dataset.RasterCount} bands, a mask has one; write it alone (gdal_translate -b)"
        ]
    crs = dataset.GetProjection()
    if not crs:
        return [f"{path} has no coordinate reference system; assign it (gdal_edit)"]
    left, width, _, top, _, height = dataset.GetGeoTransform()
    right, bottom = left + width * dataset.RasterXSize, top + height * dataset.RasterYSize
    try:
        own = transform_bounds(grid.bounds, grid.crs, crs)
    except Iota2Error as error:
        return [f"{path}: {error}"]
    if own[0] >= right or own[2] <= left or own[1] >= top or own[3] <= bottom:
        return [
            f"{path} does not touch the map: its bounds are ({left:.10g}, {bottom:.10g}, {right:.10g}, {top:.10g}), "
            f"those of the map there ({', '.join(f'{value:.10g}' for value in own)})"
        ]
    return []


def _times(window: Window, factor: int) -> Window:
    """A window of larger pixels in those of the map; it may go beyond."""
    return Window(*(factor * value for value in window))


def _share(first: Window, second: Window) -> bool:
    """Whether two windows have pixels in common."""
    return (
        first.row < second.row + second.rows
        and second.row < first.row + first.rows
        and first.col < second.col + second.cols
        and second.col < first.col + first.cols
    )
