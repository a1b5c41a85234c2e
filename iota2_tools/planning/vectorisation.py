"""The polygons of the map as they are planned: squares, settings, units, and what is wrong with them."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.config.vectorisation import DeliverySection, VectorisationSection
from iota2_tools.core.contents import digest
from iota2_tools.core.errors import InputDataError, Iota2Error, OutputError
from iota2_tools.core.files import whole_file
from iota2_tools.core.words import suggest
from iota2_tools.geo.grid import Grid, Window, crs_name
from iota2_tools.geo.squares import Square, bundles, divided, squares_of
from iota2_tools.geo.units import Units, word_of
from iota2_tools.geo.vectors import files_of_layer

ENDS = {"gpkg": ".gpkg", "fgb": ".fgb", "parquet": ".parquet", "shp": ".shp.zip"}
"""How files of each format end."""
UNITS = "delivery_units.json"
"""In the output folder."""
SLIVER = 0.001
"""Share of the smaller of two units that both may hold without a word."""
TOLERANCE = 1.5
"""Sides of a pixel, where none is given: stairs of one and two pixels become lines."""


@dataclass(frozen=True)
class VectorPlan:
    """What becomes of the map as polygons.

    Parameters
    ----------
    section : VectorisationSection
        What the user chose.
    delivery : DeliverySection or None
        What the layer is cut by.
    grid : Grid
        Of the map that becomes polygons.
    tiles : sequence of Grid
        Where the map may hold something.
    nomenclature : Nomenclature
        Its classes.
    output : str
        Folder of the production, where the units are kept (`keep_units`).
    fused : bool
        Whether there is a map of all draws as one.
    """

    section: VectorisationSection
    delivery: DeliverySection | None
    grid: Grid
    tiles: Sequence[Grid]
    nomenclature: Nomenclature
    output: str = ""
    fused: bool = False

    @property
    def draw(self) -> str:
        """Draw whose map becomes polygons: its number, or `fusion`."""
        if self.section.seed is None:
            return "fusion" if self.fused else "0"
        return str(self.section.seed)

    @property
    def map(self) -> str:
        """That map, by its name in products: `Seed_0`, or `fusion`."""
        return self.draw if self.draw == "fusion" else f"Seed_{self.draw}"

    @cached_property
    def squares(self) -> dict[str, Square]:
        """Squares of the map that may hold something, by name."""
        return divided(self.division)

    @cached_property
    def division(self) -> dict[str, Any]:
        """The same as plain values, for parameters of rules."""
        side = self.section.square_pixels
        every = squares_of(self.grid, side)
        left_out = [name for name, square in every.items() if not self._may_hold(square.window)]
        return {
            "grid": self.grid.as_dict(),
            "side": side,
            **({"left_out": left_out} if left_out else {}),
        }

    def _may_hold(self, window: Window) -> bool:
        """Whether a tile lies in a square or beside it, above or to its left."""
        row, col = max(window.row - 1, 0), max(window.col - 1, 0)
        bottom, right = window.row + window.rows, window.col + window.cols
        place = self.grid.bounds_of(Window(row, col, bottom - row, right - col))
        return any(_overlap(place, tile.bounds) for tile in self.tiles)

    @cached_property
    def bundles(self) -> dict[str, list[str]]:
        """Names of the squares that one job works on, by name of the bundle."""
        return bundles(self.squares)

    def bundles_of_unit(self, word: str) -> list[str]:
        """Bundles with a square that a unit touches, by the word of its files."""
        bounds = self._known_units["bounds"][word]
        return [
            bundle
            for bundle, places in self._places.items()
            if any(_touch(place, bounds) for place in places)
        ]

    @cached_property
    def _places(self) -> dict[str, list[tuple[float, float, float, float]]]:
        """Where the squares of each bundle lie, in units of the CRS: there may be thousands of units."""
        return {
            bundle: [self.grid.bounds_of(self.squares[name].window) for name in names]
            for bundle, names in self.bundles.items()
        }

    @property
    def seam_pixels(self) -> int:
        """Pixels along which squares meet: what the jobs over the whole map grow with."""
        rows, cols, side = self.grid.rows, self.grid.cols, self.section.square_pixels
        return (rows - 1) // side * cols + (cols - 1) // side * rows

    @property
    def shape(self) -> dict[str, Any]:
        """Plain values of `vectors.simplification.Shape`."""
        given = self.section.tolerance
        return {
            "method": self.section.method,
            "tolerance": TOLERANCE if given is None else given / self.grid.resolution,
            "area_limit": self.section.area_limit,
            "smoothing": self.section.smoothing,
        }

    @property
    def rasters(self) -> list[dict[str, Any]]:
        """Further rasters, as plain values of `vectors.measuring.Quantity`."""
        return [
            {"name": item.name, "path": item.path, "continuous": item.interpolation != "nearest"}
            for item in self.section.rasters
        ]

    def files(self, name: str) -> list[str]:
        """Files of a layer, one a format."""
        return [name + ENDS[item] for item in self.section.formats]

    def layer_files(self, name: str) -> list[str]:
        """The same with the styles that stand beside formats that hold none."""
        beside = [f"{name}_{item}.qml" for item in self.section.formats if item != "gpkg"]
        return self.files(name) + beside

    @cached_property
    def units(self) -> dict[str, str]:
        """Units that are delivered: for the word of its files the value of each.

        Raises
        ------
        InputDataError
            If the layer cannot be used, misses the map, or two units have the same word.
        """
        return dict(self._known_units["units"]) if self.delivery else {}

    @cached_property
    def _known_units(self) -> dict[str, dict[str, Any]]:
        """`units`, and the `bounds` of each by its word."""
        return self._kept_units() or self._read_units()

    def keep_units(self) -> None:
        """Leave the units in the output folder: each job plans anew, and a layer may be large."""
        if not self.delivery or self._kept_units():
            return
        with suppress(OutputError), whole_file(str(Path(self.output, UNITS))) as temporary:
            stored = {"digest": self._about_units, **self._known_units}
            Path(temporary).write_text(json.dumps(stored, indent=1), encoding="utf-8")

    def _kept_units(self) -> dict[str, dict[str, Any]]:
        """Units that were kept of this layer over this map; none if they were not."""
        try:
            stored = json.loads(Path(self.output, UNITS).read_text(encoding="utf-8"))
            known = {name: dict(stored[name]) for name in ("units", "bounds")}
            return known if stored["digest"] == self._about_units else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    @cached_property
    def _about_units(self) -> str:
        """Digest of all that the units depend on."""
        assert self.delivery
        files = [
            digest(path) for path in files_of_layer(self.delivery.path) if os.path.exists(path)
        ]
        tiles = [tile.as_dict() for tile in self.tiles]
        about = [self.delivery.as_dict(), files, self.grid.as_dict(), tiles]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    def _read_units(self) -> dict[str, dict[str, Any]]:
        assert self.delivery
        layer = Units(self.delivery.path, self.delivery.layer, self.delivery.field)
        outlines = layer.outlines(self.grid.crs)
        extent = shapely.union_all([shapely.box(*tile.bounds) for tile in self.tiles])
        touching = [
            name for name, shape in outlines.items()
            if shape.intersects(extent) and not shape.touches(extent)
        ]  # fmt: skip
        if not touching:
            raise InputDataError(
                f"{self.delivery.path}: none of its {len(outlines)} unit(s) touches the map "
                f"({crs_name(self.grid.crs)}); check its coordinate reference system, or give another layer"
            )
        wanted = self._wanted(touching, list(outlines)) if self.delivery.values else touching
        words: dict[str, str] = {}
        for name in wanted:
            word = word_of(name)
            if not word or word in words:
                other = f", as {words[word]!r} would be" if word in words else ""
                raise InputDataError(
                    f"{self.delivery.path}: unit {name!r} cannot name a file{other}; take another field"
                )
            words[word] = name
        bounds = {word: list(outlines[name].bounds) for word, name in words.items()}
        return {"units": words, "bounds": bounds}

    def _wanted(self, touching: Sequence[str], known: Sequence[str]) -> list[str]:
        assert self.delivery
        for name in self.delivery.values:
            if name not in known:
                hint = suggest(name, known, f"it has {', '.join(known[:8])}")
                raise InputDataError(
                    f"{self.delivery.path}: no unit {name!r} in field {self.delivery.field!r}, {hint}"
                )
            if name not in touching:
                raise InputDataError(f"{self.delivery.path}: unit {name!r} does not touch the map")
        return list(self.delivery.values)

    def problems(self, seeds: Sequence[int]) -> Iterator[str]:
        """What is wrong with the sections on this map, with its place."""
        known = [*map(str, seeds), *(["fusion"] if self.fused else [])]
        if self.draw not in known:
            fault = f"there is no draw {self.draw}"
            if self.draw == "fusion":
                fault = "the maps of the draws are not fused (`fusion: {seeds: {}}`)"
            yield f"vectorisation.seed: {fault}; take one of {', '.join(known)}"
        if self.delivery:
            if not os.path.exists(self.delivery.path):
                yield f"delivery.path: no file {self.delivery.path}"
                return
            try:
                _ = self.units
            except Iota2Error as error:
                yield f"delivery: {error}"

    def remarks(self) -> Iterator[str]:
        """What is strange about the units: ground that several of them hold counts several times."""
        if not self.delivery:
            return
        layer = Units(self.delivery.path, self.delivery.layer, self.delivery.field)
        outlines = {
            name: shape
            for name, shape in layer.outlines(self.grid.crs).items()
            if name in self.units.values()
        }
        names, shapes = list(outlines), np.array(list(outlines.values()), dtype=object)
        first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        first, second = first[first < second], second[first < second]
        common = shapely.area(shapely.intersection(shapes[first], shapes[second]))
        least = np.minimum(shapely.area(shapes[first]), shapely.area(shapes[second]))
        found = np.flatnonzero(common > SLIVER * least)
        if len(found):
            pairs = [f"{names[first[at]]} and {names[second[at]]}" for at in found[:3].tolist()]
            yield (
                f"delivery: {self.delivery.path}: {len(found)} pair(s) of units overlap ({', '.join(pairs)}"
                f"{' …' if len(found) > 3 else ''}), so that their areas add up to more than that of the map; mend "
                "the layer, if units should be apart"
            )


Bounds = Sequence[float]


def _overlap(first: Bounds, second: Bounds) -> bool:
    """Whether rectangles (left, bottom, right, top) have more than an edge in common."""
    return (
        first[0] < second[2]
        and second[0] < first[2]
        and first[1] < second[3]
        and second[1] < first[3]
    )


def _touch(first: Bounds, second: Bounds) -> bool:
    """Whether they have anything in common."""
    return (
        first[0] <= second[2]
        and second[0] <= first[2]
        and first[1] <= second[3]
        and second[1] <= first[3]
    )
