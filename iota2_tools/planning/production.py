"""What a production consists of, known before its first job: tiles, grids, dates, regions.

Snakemake parses the workflow in every process it starts, so this reads little: one listing of
each tile's folder, the header of one image a sensor and tile, the regions.
"""

import hashlib
import math
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

import shapely

from iota2_tools.config.fusion import BoundaryFusion, RegionFusion, SeedFusion, SensorFusion
from iota2_tools.config.nomenclature import Nomenclature, read_nomenclature
from iota2_tools.config.sections import UserRaster
from iota2_tools.config.sensors import SensorSection
from iota2_tools.core.errors import ConfigError, InputDataError, Iota2Error
from iota2_tools.geo.grid import (
    Grid,
    crs_name,
    grid_of,
    metres,
    reprojected,
    side_of_pixel,
    spatial_reference,
    union,
)
from iota2_tools.geo.mgrs import tile_grid
from iota2_tools.geo.vectors import shown
from iota2_tools.learning.traits import traits_of
from iota2_tools.planning.configuration import Configuration
from iota2_tools.planning.regularisation import RegularisationPlan
from iota2_tools.planning.vectorisation import VectorPlan
from iota2_tools.products import (
    Identity,
    Listing,
    ProductFormat,
    Request,
    format_of,
    same_tile,
)
from iota2_tools.reference.envelopes import exclusive_envelope, overlapping
from iota2_tools.reference.inspection import Findings, inspect_reference
from iota2_tools.reference.management import Copy, read_copies
from iota2_tools.reference.regions import read_regions
from iota2_tools.reference.splits import SplitPlan
from iota2_tools.timeseries.dates import Period, day_in_name, interpolation_dates

REGION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""Names of models are longer, and hold that of the region; file systems know 255 bytes."""
STANDARD_TILE = re.compile(r"T?\d{2}[A-Z]{3}", re.IGNORECASE)
"""A tile of Sentinel-2's grid, with which products in its folder must agree."""

RASTERS = (".tif", ".tiff", ".vrt", ".jp2", ".img")


class NoAcquisitionError(InputDataError):
    """A series has nothing over a tile."""


@dataclass(frozen=True)
class Series:
    """What shares a grid of dates and a place in the stack of features.

    Parameters
    ----------
    sensor : str
        Key of `products.FORMATS`.
    part : str
        Kind of its acquisitions (`ProductFormat.parts`), empty where there is one.
    """

    sensor: str
    part: str

    @property
    def name(self) -> str:
        """In names of files: the sensor, and the part."""
        return f"{self.sensor}_{self.part}" if self.part else self.sensor


@dataclass
class Production:
    """The plan of a production, from its configuration.

    Raises
    ------
    Iota2Error
        On first use of something that cannot be known; `checks.check` lists all of them at once.
    """

    config: Configuration
    _grids: dict[str, Grid] = field(default_factory=dict, repr=False)
    _native: dict[tuple[str, str], Grid] = field(default_factory=dict, repr=False)
    _listings: dict[tuple[str, str], Listing] = field(default_factory=dict, repr=False)
    _keys: dict[str, str] = field(default_factory=dict, repr=False)
    _read: dict[tuple[str, str], list[Identity]] = field(default_factory=dict, repr=False)

    @property
    def tiles(self) -> list[str]:
        """Tiles of the production, in the order of the configuration."""
        return self.config.tiles

    @property
    def sensors(self) -> list[str]:
        """Sensors of the production, in stack order."""
        return list(self.config.sensors.given)

    @cached_property
    def series(self) -> dict[str, Series]:
        """Series of the production by name, in stack order.

        A sensor has one, or one for each kind of acquisition that never share a grid of dates.
        """
        found = [series for sensor in self.sensors for series in self._series_of(sensor)]
        return {series.name: series for series in found}

    def _series_of(self, sensor: str) -> list[Series]:
        parts = self.format(sensor).parts
        if parts == ("",):
            return [Series(sensor, "")]
        period = self.period(sensor)
        known = {
            item.part
            for tile in self.tiles
            for item in self.listed(sensor, tile)
            if period.reads(item.day)
        }
        wanted = self.section(sensor).parts or parts
        return [Series(sensor, part) for part in parts if part in known and part in wanted]

    def listed(self, sensor: str, tile: str) -> list[Identity]:
        """Products of a tile; none where that may be."""
        try:
            return self.listing(sensor, tile).products
        except NoAcquisitionError as error:
            if self._stops:
                raise NoAcquisitionError(f"{error}{self._doing_without(sensor, tile)}") from None
            return []

    def _doing_without(self, sensor: str, tile: str) -> str:
        """How to do without a sensor that a tile lacks and others have; empty if there is nothing else."""
        elsewhere = any(
            os.path.isdir(self.sensor_folder(sensor, other))
            for other in self.tiles
            if other != tile
        )
        if not elsewhere or not (len(self.sensors) > 1 or self.config.user_features):
            return ""
        return f", or do without {sensor} in all regions of such tiles, `inputs: {{missing_series: leave_out}}`"

    @property
    def _stops(self) -> bool:
        return self.config.inputs.missing_series == "stop"

    def has(self, series: str, tile: str) -> bool:
        """Whether a series has acquisitions over a tile, where that may be otherwise."""
        if self._stops:
            return True
        try:
            return bool(self.products(series, tile))
        except NoAcquisitionError:
            return False

    def series_of_region(self, region: str) -> list[str]:
        """Series that the model of a region learns from: those that all its tiles have."""
        if self._stops:
            return list(self.series)
        tiles = self.tiles_of(region)
        return [name for name in self.series if all(self.has(name, tile) for tile in tiles)]

    def series_of_tile(self, tile: str) -> list[str]:
        """Series that are read over a tile: those of its regions."""
        if self._stops:
            return list(self.series)
        used = {
            name for region in self.regions_of_tiles[tile] for name in self.series_of_region(region)
        }
        return [name for name in self.series if name in used]

    def format(self, sensor: str) -> ProductFormat:
        """Format of the products of a sensor."""
        return format_of(sensor, self.section(sensor).options)

    @property
    def seeds(self) -> range:
        """Draws: one split, set of models and map each."""
        return range(self.config.sampling.runs)

    @cached_property
    def nomenclature(self) -> Nomenclature:
        """Classes of the map."""
        return read_nomenclature(self.config.nomenclature)

    @cached_property
    def reference_findings(self) -> Findings:
        """What is wrong with the reference polygons, and what is strange about them; nothing without any.

        Where the tiles or regions are at fault the fields of the polygons alone are looked at.
        """
        if not self.config.reference:
            return Findings()
        try:
            grids, regions = list(self.grids.values()), self.used_regions
        except Iota2Error:
            grids, regions = [], []
        sections = (self.config.reference, self.config.sampling, self.config.regions)
        return inspect_reference(
            SplitPlan(
                *sections,
                self.nomenclature,
                grids,
                regions,
                self.held_back,
                self.parts if grids else {},
                self.judged_by_folds,
            )
        )

    @property
    def fused_seeds(self) -> SeedFusion | None:
        """How the maps of all draws are fused; None: they are not."""
        return self.config.fusion.seeds if self.config.fusion else None

    @property
    def fused_sensors(self) -> SensorFusion | None:
        """How the models of radar and optical sensors are fused; None: one model has learnt both."""
        return self.config.fusion.sensors if self.config.fusion else None

    def sources_of_region(self, region: str) -> dict[str, list[str]]:
        """Series that each of the two models of a region learns, with late fusion: radar, optical."""
        found: dict[str, list[str]] = {"radar": [], "optical": []}
        for name in self.series_of_region(region):
            kind = "radar" if self.section(self.series[name].sensor).radar else "optical"
            found[kind].append(name)
        return found

    @property
    def fused_parts(self) -> RegionFusion | None:
        """How large regions are learnt in parts; None: each has one model."""
        return self.config.fusion.regions if self.config.fusion else None

    @cached_property
    def parts(self) -> dict[str, int]:
        """Regions that are learnt in parts, and in how many.

        Raises
        ------
        ConfigError
            If the coordinates of the map are angles.
        """
        if not self.fused_parts:
            return {}
        reference = spatial_reference(self.mosaic_grid.crs)
        if not reference.IsProjected():
            raise ConfigError(
                "fusion.regions: the coordinates of the map are angles, so that its regions have no area; set "
                "grid.projection to one in metres"
            )
        unit = reference.GetLinearUnits() / 1000
        covered = shapely.union_all([shapely.box(*grid.bounds) for grid in self.grids.values()])
        found = {}
        for region in self.used_regions:
            shape = self._region_shapes.get(region, covered)
            area = shapely.intersection(shape, covered).area * unit**2
            found[region] = math.ceil(area / self.fused_parts.above_km2)
        return {region: count for region, count in found.items() if count > 1}

    @property
    def judged_by_folds(self) -> bool:
        """Whether a fusion believes models by what folds of their learning polygons tell."""
        sections = (self.fused_seeds, self.fused_sensors)
        return any(section and section.method == "dempster_shafer" for section in sections)

    @property
    def folded(self) -> bool:
        """Whether each model is judged by folds as it is learnt; those of fusions are on demand, others' not."""
        config = self.config
        wanted = (
            config.learning.calibration != "none"
            or config.sampling.suspicious_polygons != "none"
            or config.classification.prediction_sets is not None
        )
        if config.fusion or config.learning.models:
            return False
        return wanted and traits_of(config.learning.learner).probabilities

    @property
    def tempered(self) -> bool:
        """Whether probabilities are calibrated; by itself only where no class depends on them."""
        chosen = self.config.learning.calibration
        usual = chosen == "auto" and not self.config.classification.smoothing.used
        return self.folded and (chosen == "temperature" or usual)

    @property
    def suspects(self) -> bool:
        """Whether learning polygons whose label looks wrong are listed."""
        asked = self.config.sampling.suspicious_polygons != "none"
        return self.folded and asked and not self.config.learning.samples

    @property
    def boundaries(self) -> BoundaryFusion | None:
        """How far neighbouring regions are averaged; None: they are not."""
        return self.config.fusion.boundaries if self.config.fusion else None

    def neighbours(self, tile: str, region: str) -> list[str]:
        """Other regions of the production that have a say in what a tile maps of a region."""
        if not self.boundaries:
            return []
        unit = spatial_reference(self.mosaic_grid.crs).GetLinearUnits()
        margin = self.config.sampling.envelope_margin
        envelope = exclusive_envelope(tile, self.neighbourhood(tile), margin)
        own = shapely.intersection(self._region_shapes[region], envelope)
        reach = self.boundaries.exterior / unit + 2 * self.grid(tile).resolution
        return [
            name
            for name in self.used_regions
            if name != region and shapely.distance(self._region_shapes[name], own) <= reach
        ]

    def model_names(self, region: str) -> list[str]:
        """Names of the models of a region in a draw, beside region and draw; one of none: the only one."""
        if self.fused_sensors:
            return list(self.sources_of_region(region))
        if region in self.parts:
            return [f"part{number}" for number in range(1, self.parts[region] + 1)]
        return [""]

    @property
    def held_back(self) -> float | None:
        """Share of the polygons that learn in no draw, where the maps of all draws are fused."""
        return self.fused_seeds.held_back if self.fused_seeds else None

    def section(self, sensor: str) -> SensorSection:
        """Section of the configuration of a sensor."""
        return self.config.sensors.given[sensor]

    def sensor_folder(self, sensor: str, tile: str) -> str:
        """Folder that holds the products of a tile; the leading T of Sentinel-2's may be missing."""
        folder = Path(self.section(sensor).path)
        if self.format(sensor).passes:
            return str(folder)
        other = tile.removeprefix("T") if tile.startswith("T") else f"T{tile}"
        known = (folder / tile).is_dir() or not STANDARD_TILE.fullmatch(tile)
        return str(folder / (tile if known or not (folder / other).is_dir() else other))

    def listing(self, sensor: str, tile: str) -> Listing:
        """What lies in the folder of a tile, whatever its day.

        Raises
        ------
        InputDataError
            If the folder is missing, holds no product, or products of another tile.
        """
        if (sensor, tile) not in self._listings:
            self._listings[sensor, tile] = self._list_products(sensor, tile)
        return self._listings[sensor, tile]

    def _list_products(self, sensor: str, tile: str) -> Listing:
        folder = self.sensor_folder(sensor, tile)
        product_format = self.format(sensor)
        found = os.path.exists if product_format.passes else os.path.isdir
        if not found(folder):
            if product_format.passes:
                raise NoAcquisitionError(f"sensors.{sensor}: there is no {folder}; check its path")
            known = _folders_in(self.section(sensor).path)
            raise NoAcquisitionError(
                f"sensors.{sensor}: no folder {folder} for tile {tile}, {known}; check its path, and the "
                "name of the tile"
            )
        if product_format.passes:
            listing = product_format.passes(folder, tile, self.grid(tile), self._index(sensor))
        else:
            listing = product_format.listing(folder)
        if not listing.products:
            seen = "".join(
                f"\n{name}: {reason}" for name, reason in list(listing.strangers.items())[:5]
            )
            raise NoAcquisitionError(
                f"sensors.{sensor}: {folder} holds no product; expected products like "
                f"{product_format.example.format(tile=tile)}{seen}"
            )
        _refuse_other_tiles(listing.products, tile, folder)
        return listing

    def period(self, sensor: str) -> Period:
        """Days of which acquisitions are read, and of which they count as clear dates."""
        section = self.section(sensor)
        return Period(section.first_date, section.last_date, section.margin_days, section.in_season)

    def products(self, series: str, tile: str) -> list[Identity]:
        """Products of a series over a tile that are read, by day.

        Raises
        ------
        InputDataError
            As `listing`, or if none is of the period.
        """
        if (series, tile) not in self._read:
            self._read[series, tile] = self._products_of_period(self.series[series], tile)
        return self._read[series, tile]

    def _products_of_period(self, series: Series, tile: str) -> list[Identity]:
        sensor = series.sensor
        period = self.period(sensor)
        folder = self.sensor_folder(sensor, tile)
        every = [item for item in self.listing(sensor, tile).products if item.part == series.part]
        if not every:
            raise NoAcquisitionError(
                f"sensors.{sensor}: {folder} holds no acquisition of {series.name}, which other tiles "
                f"have; fetch them, name the others alone in `sensors.{sensor}.orbits`, or set "
                "`inputs: {missing_series: leave_out}`"
            )
        found = [item for item in every if period.reads(item.day)]
        kinds = sorted({item.kind for item in found})
        if len(kinds) > 1:
            raise InputDataError(
                f"sensors.{sensor}: {folder} holds acquisitions of several processings "
                f"({', '.join(kind or 'no word' for kind in kinds)}), which one series cannot mix; choose one "
                f"in `sensors.{sensor}.calibration`, or move the others away"
            )
        if not any(period.counts(item.day) for item in found):
            raise NoAcquisitionError(
                f"sensors.{sensor}: of the {len(every)} acquisitions of {folder}, "
                f"{every[0].day} to {every[-1].day}, none is from {period}; "
                "change first_date and last_date, or fetch the products of that time"
            )
        return found

    def ready(self, series: str, tile: str) -> list[str]:
        """Products of a series that are read as they have been prepared."""
        must = self.format(self.series[series].sensor).must_be_prepared
        return [item.name for item in self.products(series, tile) if must or item.sources]

    def prepared_folder(self, sensor: str, tile: str) -> str:
        """Folder of the prepared products of a tile.

        What is prepared by choices of the user, and on the grid of the tile, has a folder for each.
        """
        known = self.format(sensor)
        if not known.settings_key:
            return f"{self.prepared}/{sensor}/{tile}"
        if sensor not in self._keys:
            self._keys[sensor] = known.settings_key(self.section(sensor).options)
        text = f"{self._keys[sensor]} {self.grid(tile)}"
        return f"{self.prepared}/{sensor}_{hashlib.sha256(text.encode()).hexdigest()[:8]}/{tile}"

    @property
    def prepared(self) -> str:
        """Folder of all prepared products."""
        return self.config.prepared or f"{self.config.output}/prepared"

    def _index(self, sensor: str) -> str:
        """Where it is kept what the manifests of a sensor's products tell."""
        where = os.path.abspath(self.section(sensor).path)
        return f"{self.prepared}/{sensor}/{hashlib.sha256(where.encode()).hexdigest()[:8]}.json"

    def product_names(self, series: str, tile: str) -> list[str]:
        """Names of the `products`."""
        return [item.name for item in self.products(series, tile)]

    def clear_dates(self, tile: str) -> int:
        """Largest number of clear dates that a pixel of a tile may have."""
        return sum(
            self.period(series.sensor).counts(item.day)
            for series in map(self.series.__getitem__, self.series_of_tile(tile))
            for item in self.products(series.name, tile)
        )

    @cached_property
    def target_dates(self) -> dict[str, list[str]]:
        """Interpolation dates of each series (ISO), the same for all tiles."""
        return {name: self._target_dates(series) for name, series in self.series.items()}

    def last_day(self, sensor: str) -> date:
        """Day of the last acquisition of a sensor over all tiles that counts."""
        return max(max(self._days(item)) for item in self.series.values() if item.sensor == sensor)

    def _days(self, series: Series) -> set[date]:
        """Days of the acquisitions of a series over all tiles that count."""
        period = self.period(series.sensor)
        return {
            item.day
            for tile in self.tiles
            if self.has(series.name, tile)
            for item in self.products(series.name, tile)
            if period.counts(item.day)
        }

    def _target_dates(self, series: Series) -> list[str]:
        section = self.section(series.sensor)
        days = self._days(series)
        if not days:
            raise InputDataError(
                f"sensors.{series.sensor}: no tile has an acquisition of {series.name}; "
                "check path and dates, or leave the sensor out"
            )
        if self.format(series.sensor).own_dates:
            return [day.isoformat() for day in sorted(days)]
        first = section.first_date or min(days)
        asked = None if section.in_season else section.last_date
        last = asked or max(days)
        if last < first:
            raise ConfigError(
                f"sensors.{series.sensor}: the dates asked for, {first} to {last}, are in the wrong order; "
                f"the acquisitions go from {min(days)} to {max(days)}"
            )
        days_between = interpolation_dates(
            first, last, section.step_days, leap_days=not section.travelling
        )
        return [day.isoformat() for day in days_between]

    def grid(self, tile: str) -> Grid:
        """Grid of a tile: that of its products, or the one the configuration asks for."""
        if tile not in self._grids:
            native = self.finest_grid(tile)
            wanted = self.config.grid
            if wanted.projection or wanted.spatial_resolution:
                native = reprojected(
                    native,
                    wanted.projection or native.crs,
                    wanted.spatial_resolution or native.resolution,
                )
            self._grids[tile] = native
        return self._grids[tile]

    def finest_grid(self, tile: str) -> Grid:
        """Grid of the sensor with the smallest pixels; of equals, of the one first in stack order.

        Sensors whose images lie anywhere decide only where no other does; the user's rasters where
        there is no sensor; the tile's name where there is radar alone.
        """
        grids = [
            (not self.format(sensor).on_tile, metres(self.native_grid(sensor, tile)), number)
            for number, sensor in enumerate(self.sensors)
            if not self.format(sensor).passes and (self._stops or self.listed(sensor, tile))
        ]
        if grids:
            return self.native_grid(self.sensors[min(grids)[-1]], tile)
        for pattern, path in self.user_feature_files(tile).items():
            if not self.user_rasters[pattern].path:
                return grid_of(path)
        return self._named_grid(tile) or tile_grid(tile)

    def _named_grid(self, tile: str) -> Grid | None:
        """Grid of the products that name a tile, where its own name tells none."""
        if STANDARD_TILE.fullmatch(tile):
            return None
        looked_in = []
        for sensor in self.sensors:
            named_grid = self.format(sensor).named_grid
            if named_grid:
                folder = self.sensor_folder(sensor, tile)
                grid = named_grid(folder, tile, self._index(sensor))
                if grid:
                    return grid
                looked_in.append(folder)
        if looked_in:
            raise InputDataError(
                f"{tile}: is no tile of Sentinel-2's grid, such as T31TCJ, and nothing in "
                f"{', '.join(looked_in)} names it (grid:code); check the name of the tile"
            )
        return None

    def native_grid(self, sensor: str, tile: str) -> Grid:
        """Grid of the finest band of the first product of a sensor that can be read.

        The inventory holds all products against it, and refuses it if most have another.
        """
        if self.format(sensor).passes:
            return self.grid(tile)
        if (sensor, tile) not in self._native:
            self._native[sensor, tile] = self._look_for_grid(sensor, tile)
        return self._native[sensor, tile]

    def _look_for_grid(self, sensor: str, tile: str) -> Grid:
        product_format, options = self.format(sensor), self.section(sensor).options
        folder = self.sensor_folder(sensor, tile)
        band = product_format.finest(self.section(sensor).kept)
        period = self.period(sensor)
        for item in self.listing(sensor, tile).products:
            if not period.reads(item.day):
                continue
            request = Request(Path(folder), item.name, (band,), options, item.sources)
            with suppress(Iota2Error):
                return grid_of(product_format.acquisition(request).bands[band].path)
        asked = "".join(f" ({key}: {value})" for key, value in options.items())
        raise InputDataError(
            f"sensors.{sensor}: no product of {folder} has a readable image of band {band}{asked}; "
            f"{self._without_bands(sensor, tile) or 'check the section and the files'}"
        )

    def _without_bands(self, sensor: str, tile: str) -> str:
        """What to do where the first product of a tile lacks bands that are kept; empty if it lacks none."""
        product_format, section = self.format(sensor), self.section(sensor)
        folder = Path(self.sensor_folder(sensor, tile))
        for item in self.listing(sensor, tile).products[:1]:
            request = Request(folder, item.name, (), section.options, item.sources)
            there = product_format.bands_of(request)
            kept = [band for band in section.kept if band in there]
            if kept and len(kept) < len(section.kept):
                return f"if your products lack it, do without: `keep_bands: [{', '.join(kept)}]`"
        return ""

    @cached_property
    def grids(self) -> dict[str, Grid]:
        """Grid of every tile."""
        return {tile: self.grid(tile) for tile in self.tiles}

    @cached_property
    def mosaic_grid(self) -> Grid:
        """Grid of the final maps."""
        return union(list(self.grids.values()))

    @cached_property
    def regularisation(self) -> RegularisationPlan | None:
        """What is done to the maps to regularise them, if that is asked for."""
        section = self.config.regularisation
        if not section:
            return None
        return RegularisationPlan(
            section, self.mosaic_grid, list(self.grids.values()), self.nomenclature
        )

    @cached_property
    def vectorisation(self) -> VectorPlan | None:
        """What becomes of a map as polygons, if that is asked for."""
        section = self.config.vectorisation
        if not section:
            return None
        tiles = list(self.grids.values())
        return VectorPlan(
            section,
            self.config.delivery,
            self.regularisation.target if self.regularisation else self.mosaic_grid,
            tiles,
            self.nomenclature,
            self.config.output,
            fused=self.fused_seeds is not None,
        )

    def neighbourhood(self, tile: str) -> dict[str, Grid]:
        """Grids of a tile and of those that overlap it: what its envelope depends on."""
        grids = self.grids
        return {name: grids[name] for name in sorted([tile, *overlapping(tile, grids)])}

    def near(self, tile: str, pixels: int) -> list[str]:
        """Tiles that have ground within so many pixels of a tile, by name."""
        return sorted(overlapping(tile, self.grids, pixels * self.grid(tile).resolution))

    def user_feature_files(self, tile: str) -> dict[str, str]:
        """The user's raster of each pattern, and date of dated ones, over a tile.

        Raises
        ------
        InputDataError
            If a pattern matches no file, or more than one, or a file over all tiles is not there.
        """
        chosen: dict[str, str] = {}
        section = self.config.user_features
        for raster in section.patterns if section else ():
            if raster.path and not os.path.isfile(raster.path):
                raise InputDataError(f"user_features: {raster.name}: no file {raster.path}")
            if raster.dated:
                chosen |= self._same_dates(raster, tile)
            else:
                chosen[raster.name] = raster.path or self._user_raster_of_tile(raster.name, tile)
        return chosen

    def _user_files(self, pattern: str, tile: str) -> tuple[Path, list[Path], list[Path]]:
        """Folder of the user's rasters of a tile, those whose name holds a pattern, and all."""
        section = self.config.user_features
        assert section
        assert section.path  # without it the configuration is refused
        folder = Path(section.path) / tile
        if not folder.is_dir():
            raise InputDataError(
                f"user_features: no folder {folder}, {_folders_in(section.path)}; check its path, and the "
                "name of the tile"
            )
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in RASTERS)
        return folder, [path for path in files if pattern in path.name], files

    def _user_raster_of_tile(self, pattern: str, tile: str) -> str:
        folder, matches, files = self._user_files(pattern, tile)
        if len(matches) != 1:
            what = ", ".join(path.name for path in matches or files) or "none"
            hint = "; if they are of several dates, say `dated: true`" if len(matches) > 1 else ""
            raise InputDataError(
                f"user_features: pattern {pattern!r} must match one raster of {folder}, it matches "
                f"{len(matches)} (found: {what}){hint}"
            )
        return str(matches[0])

    def _same_dates(self, raster: UserRaster, tile: str) -> dict[str, str]:
        """The user's raster of each date over a tile, which are those of the first tile."""
        found, first = self._dated_rasters(raster, tile), self.tiles[0]
        wanted = found if tile == first else self._dated_rasters(raster, first)
        if found.keys() != wanted.keys():
            lacking = ", ".join(sorted(wanted.keys() - found.keys())) or "none"
            more = ", ".join(sorted(found.keys() - wanted.keys())) or "none"
            raise InputDataError(
                f"user_features: {raster.name}: the dates of {tile} are not those of {first}: it lacks "
                f"{lacking} and has besides {more}; all tiles need the same"
            )
        return found

    def _dated_rasters(self, raster: UserRaster, tile: str) -> dict[str, str]:
        """Rasters by pattern and day, `NDVI_20180131`, in order of time."""
        folder, matches, files = self._user_files(raster.name, tile)
        if not matches:
            what = ", ".join(path.name for path in files) or "none"
            raise InputDataError(
                f"user_features: pattern {raster.name!r} matches no raster of {folder} (found: {what})"
            )
        days: dict[date, Path] = {}
        for path in matches:
            day = day_in_name(path.stem.replace(raster.name, " ", 1))
            if day is None:
                raise InputDataError(
                    f"user_features: {path}: its name tells no day such as 20180131, 2018-01-31 or 2018031; "
                    f"rename it, or leave `dated` out of {raster.name}"
                )
            if day in days:
                raise InputDataError(
                    f"user_features: {folder}: {days[day].name} and {path.name} are both {raster.name} of {day}; "
                    "leave one of them"
                )
            days[day] = path
        return {f"{raster.name}_{day:%Y%m%d}": str(path) for day, path in sorted(days.items())}

    @cached_property
    def user_rasters(self) -> dict[str, UserRaster]:
        """How the user's rasters are read, by the word of their files' names, and date of dated ones."""
        section = self.config.user_features
        found: dict[str, UserRaster] = {}
        for raster in section.patterns if section else ():
            names = [raster.name]
            if raster.dated:
                names = list(self._dated_rasters(raster, self.tiles[0]))
            found |= dict.fromkeys(names, raster)
        return found

    @cached_property
    def _region_shapes(self) -> dict[str, shapely.Geometry]:
        """Regions by name, in the CRS of the map; empty without a region file."""
        section = self.config.regions
        if not section:
            return {}
        frame = read_regions(section.path, section.layer, section.field, self.mosaic_grid.crs)
        bad = [name for name in frame.index if not REGION_NAME.fullmatch(name)]
        if bad:
            raise InputDataError(
                f"{section.path}: found {shown(repr(name[:120]) for name in bad)}, but region names become file names: "
                "letters, digits, _ and - only, 100 at most; give those regions other names"
            )
        return dict(zip(frame.index, frame.geometry, strict=True))

    @cached_property
    def regions(self) -> list[str]:
        """Names of the regions, in the order of their numbers in `regions.tif` (from 1)."""
        return sorted(self._region_shapes) or ["1"]

    @cached_property
    def regions_of_tiles(self) -> dict[str, list[str]]:
        """Regions that touch the envelope of each tile."""
        if not self.config.regions:
            return {tile: ["1"] for tile in self.tiles}
        margin = self.config.sampling.envelope_margin
        touching = {}
        for tile in self.tiles:
            envelope = exclusive_envelope(tile, self.neighbourhood(tile), margin)
            touching[tile] = [
                name for name in self.regions if _share_an_area(self._region_shapes[name], envelope)
            ]
        return touching

    def region_numbers(self, tile: str) -> dict[str, int]:
        """Regions of a tile with their numbers in its region raster."""
        return {name: self.regions.index(name) + 1 for name in self.regions_of_tiles[tile]}

    def tiles_of(self, region: str) -> list[str]:
        """Tiles a region touches."""
        return [tile for tile in self.tiles if region in self.regions_of_tiles[tile]]

    @cached_property
    def copies(self) -> list[Copy]:
        """Samples that models of other regions learn as well; none without a table of the user."""
        path = self.config.sampling.management
        return read_copies(path, self.used_regions, self.nomenclature) if path else []

    @cached_property
    def used_regions(self) -> list[str]:
        """Regions that touch at least one tile."""
        return [region for region in self.regions if self.tiles_of(region)]


def _share_an_area(region: shapely.Geometry, envelope: shapely.Geometry) -> bool:
    return region.intersects(envelope) and not region.touches(envelope)


def _refuse_other_tiles(products: list[Identity], tile: str, folder: str) -> None:
    """Raise InputDataError if products are of another tile than their folder, or of several."""
    named = sorted({item.tile for item in products if item.tile})
    comparable = STANDARD_TILE.fullmatch(tile) and all(map(STANDARD_TILE.fullmatch, named))
    expected = tile if comparable or not named else named[0]
    others = [item.name for item in products if item.tile and not same_tile(item.tile, expected)]
    if others:
        raise InputDataError(
            f"{folder}: {len(others)} product(s) of another tile than {expected}: "
            f"{', '.join(others[:3])}{' …' if len(others) > 3 else ''}; move them to the folder of their tile"
        )


def _folders_in(path: str) -> str:
    """Hint for a missing tile folder."""
    if not os.path.isdir(path):
        return f"the folder {path} does not exist"
    names = sorted(entry.name for entry in os.scandir(path) if entry.is_dir())
    return f"{path} holds {', '.join(names[:8]) or 'no folder'}{' …' if len(names) > 8 else ''}"


def describe_grid(grid: Grid) -> str:
    """One line for logs: CRS, resolution, shape."""
    return f"{crs_name(grid.crs)}, {side_of_pixel(grid)}, {grid.cols} x {grid.rows} pixels"
