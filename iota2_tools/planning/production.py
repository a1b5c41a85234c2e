"""What a production consists of, known before its first job: tiles, grids, dates, regions.

Snakemake parses the workflow in every process it starts, so this reads little: one listing of
each tile's folder, the header of one image a tile, the regions.
"""

import os
import re
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

import shapely

from iota2_tools.config.nomenclature import Nomenclature, read_nomenclature
from iota2_tools.config.settings import Config
from iota2_tools.core.errors import ConfigError, InputDataError, Iota2Error
from iota2_tools.geo.grid import Grid, crs_name, grid_of, reprojected, union
from iota2_tools.products import FORMATS
from iota2_tools.reference.envelopes import exclusive_envelope, overlapping
from iota2_tools.reference.regions import read_regions
from iota2_tools.timeseries.dates import interpolation_dates

REGION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass
class Production:
    """The plan of a production, from its completed configuration (`config.complete_config`).

    Raises
    ------
    Iota2Error
        On first use of something that cannot be known; `checks.check` lists all of them at once.
    """

    config: Config
    _grids: dict[str, Grid] = field(default_factory=dict, repr=False)

    @property
    def tiles(self) -> list[str]:
        """Tiles of the production, in the order of the configuration."""
        return self.config["tiles"]

    @property
    def sensors(self) -> list[str]:
        """Sensors with a time series, in stack order."""
        return [name for name in FORMATS if name in self.config["sensors"]]

    @property
    def seeds(self) -> range:
        """Draws: one split, set of models and map each."""
        return range(self.config["sampling"]["runs"])

    @cached_property
    def nomenclature(self) -> Nomenclature:
        """Classes of the map."""
        return read_nomenclature(self.config["nomenclature"])

    def sensor_folder(self, sensor: str, tile: str) -> str:
        """Folder that holds the products of a tile."""
        return str(Path(self.config["sensors"][sensor]["path"]) / tile)

    @cached_property
    def _products(self) -> dict[tuple[str, str], list[str]]:
        return {}

    def product_names(self, sensor: str, tile: str) -> list[str]:
        """Products of a sensor over a tile, by day.

        Raises
        ------
        InputDataError
            If the folder is missing or holds no product.
        """
        if (sensor, tile) not in self._products:
            self._products[sensor, tile] = self._list_products(sensor, tile)
        return self._products[sensor, tile]

    def _list_products(self, sensor: str, tile: str) -> list[str]:
        folder = self.sensor_folder(sensor, tile)
        if not os.path.isdir(folder):
            known = _folders_in(self.config["sensors"][sensor]["path"])
            raise InputDataError(f"sensors.{sensor}: no folder {folder} for tile {tile}; {known}")
        names = FORMATS[sensor].product_names(folder)
        if not names:
            raise InputDataError(
                f"sensors.{sensor}: {folder} holds no product; expected folders like "
                f"{_example_name(sensor, tile)}"
            )
        return names

    @cached_property
    def target_dates(self) -> dict[str, list[str]]:
        """Interpolation dates of each sensor (ISO), the same for all tiles."""
        return {sensor: self._target_dates(sensor) for sensor in self.sensors}

    def _target_dates(self, sensor: str) -> list[str]:
        settings = self.config["sensors"][sensor]
        days = [
            FORMATS[sensor].day_of(name)
            for tile in self.tiles
            for name in self.product_names(sensor, tile)
        ]
        first = date.fromisoformat(settings["first_date"]) if settings["first_date"] else min(days)
        last = date.fromisoformat(settings["last_date"]) if settings["last_date"] else max(days)
        if last < first:
            raise ConfigError(
                f"sensors.{sensor}: the dates asked for, {first} to {last}, are in the wrong order; "
                f"the acquisitions go from {min(days)} to {max(days)}"
            )
        return [
            day.isoformat()
            for day in interpolation_dates(first, last, settings["temporal_resolution"])
        ]

    def grid(self, tile: str) -> Grid:
        """Grid of a tile: that of its products, or the one the configuration asks for."""
        if tile not in self._grids:
            native = grid_of(self._reference_image(tile))
            wanted = self.config["grid"]
            if wanted["projection"] or wanted["spatial_resolution"]:
                native = reprojected(
                    native,
                    wanted["projection"] or native.crs,
                    wanted["spatial_resolution"] or native.resolution,
                )
            self._grids[tile] = native
        return self._grids[tile]

    def _reference_image(self, tile: str) -> str:
        """First image of the tile that is there; damaged products are named by the inventory."""
        for sensor in self.sensors:
            product_format, level = FORMATS[sensor], self.config["sensors"][sensor]["level"]
            folder = self.sensor_folder(sensor, tile)
            for name in self.product_names(sensor, tile):
                band = product_format.reference_band
                path = product_format.acquisition(folder, name, level, (band,)).bands[band]
                if _opens(path):
                    return path
            raise InputDataError(
                f"sensors.{sensor}: no product of {folder} has a readable "
                f"{level} image of band {product_format.reference_band}; check `level` and the files"
            )
        return next(iter(self.user_feature_files(tile).values()))

    @property
    def grids(self) -> dict[str, Grid]:
        """Grid of every tile."""
        return {tile: self.grid(tile) for tile in self.tiles}

    @cached_property
    def mosaic_grid(self) -> Grid:
        """Grid of the final maps."""
        return union(list(self.grids.values()))

    def neighbourhood(self, tile: str) -> dict[str, Grid]:
        """Grids of a tile and of those that overlap it: what its envelope depends on."""
        grids = self.grids
        return {name: grids[name] for name in sorted([tile, *overlapping(tile, grids)])}

    def user_feature_files(self, tile: str) -> dict[str, str]:
        """The user's raster of each pattern over a tile.

        Raises
        ------
        InputDataError
            If a pattern matches no file, or more than one.
        """
        settings = self.config["user_features"]
        if not settings:
            return {}
        folder = Path(settings["path"]) / tile
        if not folder.is_dir():
            raise InputDataError(
                f"user_features: no folder {folder}; {_folders_in(settings['path'])}"
            )
        files = sorted(
            p
            for p in folder.rglob("*")
            if p.suffix.lower() in (".tif", ".tiff", ".vrt", ".jp2", ".img")
        )
        chosen = {}
        for pattern in settings["patterns"]:
            matches = [path for path in files if pattern in path.name]
            if len(matches) != 1:
                what = ", ".join(path.name for path in matches or files) or "none"
                raise InputDataError(
                    f"user_features: pattern {pattern!r} must match one raster of {folder}, it matches "
                    f"{len(matches)} (found: {what})"
                )
            chosen[pattern] = str(matches[0])
        return chosen

    @cached_property
    def _region_shapes(self) -> dict[str, shapely.Geometry]:
        """Regions by name, in the CRS of the map; empty without a region file."""
        settings = self.config["regions"]
        if not settings:
            return {}
        frame = read_regions(
            settings["path"], settings["layer"], settings["field"], self.mosaic_grid.crs
        )
        bad = [name for name in frame.index if not REGION_NAME.fullmatch(name)]
        if bad:
            raise InputDataError(
                f"{settings['path']}: region names become file names: letters, digits, _ and - only; "
                f"found {', '.join(map(repr, bad))}"
            )
        return dict(zip(frame.index, frame.geometry, strict=True))

    @cached_property
    def regions(self) -> list[str]:
        """Names of the regions, in the order of their numbers in `regions.tif` (from 1)."""
        return sorted(self._region_shapes) or ["1"]

    @cached_property
    def regions_of_tiles(self) -> dict[str, list[str]]:
        """Regions that touch the envelope of each tile."""
        if not self.config["regions"]:
            return {tile: ["1"] for tile in self.tiles}
        margin = self.config["sampling"]["envelope_margin"]
        touching = {}
        for tile in self.tiles:
            envelope = exclusive_envelope(tile, self.neighbourhood(tile), margin)
            touching[tile] = [
                name for name in self.regions if _share_an_area(self._region_shapes[name], envelope)
            ]
        return touching

    def tiles_of(self, region: str) -> list[str]:
        """Tiles a region touches."""
        return [tile for tile in self.tiles if region in self.regions_of_tiles[tile]]

    @property
    def used_regions(self) -> list[str]:
        """Regions that touch at least one tile."""
        return [region for region in self.regions if self.tiles_of(region)]


def _share_an_area(region: shapely.Geometry, envelope: shapely.Geometry) -> bool:
    return region.intersects(envelope) and not region.touches(envelope)


def _opens(path: str) -> bool:
    try:
        grid_of(path)
    except Iota2Error:
        return False
    return True


def _folders_in(path: str) -> str:
    """Hint for a missing tile folder."""
    if not os.path.isdir(path):
        return f"the folder {path} does not exist"
    names = sorted(entry.name for entry in os.scandir(path) if entry.is_dir())
    return f"{path} holds {', '.join(names[:8]) or 'no folder'}{' …' if len(names) > 8 else ''}"


def _example_name(sensor: str, tile: str) -> str:
    return {"sentinel2": f"SENTINEL2A_20180210-105158-000_L2A_{tile}_C_V2-2"}[sensor]


def describe_grid(grid: Grid) -> str:
    """One line for logs: CRS, resolution, shape."""
    return f"{crs_name(grid.crs)}, {grid.resolution:g} m, {grid.cols} x {grid.rows} pixels"
