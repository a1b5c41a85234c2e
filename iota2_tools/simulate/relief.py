"""The height of the simulated land, and the rasters a user would have of it."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj

from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import create_raster
from iota2_tools.simulate.hashing import stream_key, uniform
from iota2_tools.simulate.settings import (
    CRS,
    FALSE_NORTHING,
    RESOLUTION,
    SceneSettings,
    scene_window,
)

MEAN_HEIGHT = 250.0
WAVES = ((5100.0, 40.0), (7300.0, 50.0), (12100.0, 60.0))
"""Wave lengths and amplitudes of the hills, m."""
DEM, GEOID = "dem.tif", "geoid.tif"
ARC_SECOND = 1.0 / 3600.0
GEOID_STEP = 0.05
MARGIN = 0.03
"""Degrees around the scene that the rasters cover."""

# Sea level above WGS 84 around (1.5 E, 44 N), m: EGM96 within a metre.
UNDULATION = (
    (0, 0, 50.0452), (0, 1, -0.1485), (0, 2, 0.3972), (0, 3, -0.2221), (1, 0, 1.1107),
    (1, 1, 0.7163), (1, 2, -0.2736), (2, 0, -0.0580), (2, 1, -0.0400), (3, 0, -0.0725),
)  # fmt: skip

TO_DEGREES = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
TO_METRES = pyproj.Transformer.from_crs("EPSG:4326", CRS, always_xy=True)


def land_height(settings: SceneSettings, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Height above the sea, m, at coordinates of UTM zone 31, m."""
    height = np.full(np.shape(x), MEAN_HEIGHT)
    for number, (length, amplitude) in enumerate(WAVES):
        draws = [
            2 * math.pi * uniform(stream_key(settings.seed, "relief", number, name))
            for name in ("direction", "phase")
        ]
        along = np.asarray(x) * math.cos(draws[0]) + np.asarray(y) * math.sin(draws[0])
        height = height + amplitude * np.sin(2 * math.pi * along / length + draws[1])
    return height


def sea_height(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Height of the sea level above the ellipsoid, m, at degrees."""
    east, north = np.asarray(longitude) - 1.5, np.asarray(latitude) - 44.0
    return np.asarray(sum(factor * east**i * north**j for i, j, factor in UNDULATION))


@dataclass(frozen=True)
class HeightRaster:
    """A raster of heights in degrees; `sea`: of the sea above the ellipsoid, else of the land."""

    name: str
    sea: bool
    step: float


def plan_dem(settings: SceneSettings, place: str) -> list[HeightRaster]:
    """The elevation model of the scene."""
    return [HeightRaster(DEM, False, ARC_SECOND)]


def plan_geoid(settings: SceneSettings, place: str) -> list[HeightRaster]:
    """Its geoid; in a folder of its own, for a folder of elevation models is read whole."""
    return [HeightRaster(GEOID, True, GEOID_STEP)]


def write_heights(
    settings: SceneSettings, raster: HeightRaster, lands: list[Path], folder: Path
) -> None:
    """Write one of them, float32."""
    grid = _degrees_around(scene_window(settings), raster.step)
    path = str(folder / raster.name)
    with create_raster(path, grid, "float32", options=("PREDICTOR=3",)) as writer:
        for window in grid.windows(256):
            rows = np.arange(window.row, window.row + window.rows) + 0.5
            longitude, latitude = np.meshgrid(
                grid.left + (np.arange(grid.cols) + 0.5) * raster.step,
                grid.top - rows * raster.step,
            )
            if raster.sea:
                heights = sea_height(longitude, latitude)
            else:
                heights = land_height(settings, *TO_METRES.transform(longitude, latitude))
            writer.write(heights.astype(np.float32), window)


def _degrees_around(window: Window, step: float) -> Grid:
    left, right = window.col * RESOLUTION, (window.col + window.cols) * RESOLUTION
    top = FALSE_NORTHING - window.row * RESOLUTION
    x, y = np.meshgrid([left, right], [top, top - window.rows * RESOLUTION])
    longitude, latitude = TO_DEGREES.transform(x, y)
    west = math.floor((longitude.min() - MARGIN) / step) * step
    north = math.ceil((latitude.max() + MARGIN) / step) * step
    cols = math.ceil((longitude.max() + MARGIN - west) / step)
    rows = math.ceil((north - latitude.min() + MARGIN) / step)
    return Grid("EPSG:4326", west, north, step, rows, cols)


def no_land(settings: SceneSettings, place: str) -> Window:
    """Window whose land is wanted: as small as can be, since these files need none of it."""
    window = scene_window(settings)
    return Window(window.row, window.col, 2, 2)


def one_place(settings: SceneSettings) -> tuple[str, ...]:
    """The files lie in the folder of the sensor itself."""
    return ("",)
