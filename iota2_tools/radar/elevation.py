"""Heights above the ellipsoid: a digital elevation model and a geoid, from local files."""

import glob
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
from osgeo import gdal

from iota2_tools.core.errors import InputDataError, MissingSoftwareError
from iota2_tools.geo.grid import (
    Grid,
    Window,
    crs_name,
    same_crs,
    spatial_reference,
    transform_bounds,
)
from iota2_tools.geo.raster import open_raster, read_window

GEOIDS = ("/usr/share/proj/egm96_15.gtx", "/usr/share/otb/geoid/egm96.grd")
"""Where a geoid may lie that nobody names; Debian's package proj-data has the first."""
DEM_ENDINGS = (".tif", ".tiff", ".hgt", ".vrt", ".dt2", ".dt1")
LATLON = "EPSG:4326"
LARGEST_READ = 4_000_000
"""Pixels of an elevation model that are read at once, some 100 MB with what is computed of them."""
LOWEST, HIGHEST = -1000.0, 9500.0
"""Heights on the earth lie between, m."""


@dataclass(frozen=True)
class Elevation:
    """Where heights come from.

    Parameters
    ----------
    dem : str
        A raster of heights above sea level, m, or a folder of such rasters.
    geoid : str
        A raster of the heights of the sea level above the ellipsoid, m; empty if the heights of the
        DEM are above the ellipsoid already.
    missing_is_sea : bool
        Whether the sea lies where the DEM has no height; otherwise that is refused.
    """

    dem: str
    geoid: str = ""
    missing_is_sea: bool = False


HIGHEST_SEA = 120.0
"""Metres: EGM96 lies between -107 m south of India and 86 m at New Guinea."""


def default_geoid() -> str:
    """Path of the geoid that the machine has.

    Raises
    ------
    MissingSoftwareError
        If it has none.
    """
    for path in GEOIDS:
        if Path(path).is_file():
            return path
    found = sorted(glob.glob("/usr/share/**/egm96_15.gtx", recursive=True))
    if found:
        return found[0]
    raise MissingSoftwareError(
        f"no geoid at {', '.join(GEOIDS)}: without it an image is some seven pixels off; install the package "
        "proj-data, or name a file such as egm96_15.gtx"
    )


def open_dem(dem: str) -> gdal.Dataset:
    """Open a DEM; the rasters of a folder as one.

    Raises
    ------
    InputDataError
        If there is none, or one is no raster, or has no projection.
    """
    place = Path(dem)
    if place.is_dir():
        files = sorted(
            str(path) for path in place.rglob("*") if path.name.lower().endswith(DEM_ENDINGS)
        )
        if not files:
            raise InputDataError(
                f"{dem}: holds no elevation model ({', '.join(DEM_ENDINGS)}); give its folder or file"
            )
        _check_alike(files)
        dataset = gdal.BuildVRT("", files)
    else:
        dataset = open_raster(dem)
    if not dataset.GetProjection():
        raise InputDataError(f"{dem}: has no coordinate reference system; assign it (gdal_edit)")
    return dataset


class Heights:
    """Reads heights above the ellipsoid at the centres of the pixels of a grid.

    Parameters
    ----------
    elevation : Elevation
    grid : Grid
        Of the nodes that heights are asked for.
    tile : Grid
        Where they are needed: the last nodes may lie beyond it.
    """

    def __init__(self, elevation: Elevation, grid: Grid, tile: Grid) -> None:
        self.elevation = elevation
        self.grid = grid
        self.tile = tile
        self.dem = Surface(open_dem(elevation.dem), elevation.dem, grid.crs)
        self.geoid = None
        if elevation.geoid:
            self.geoid = Surface(open_geoid(elevation.geoid), elevation.geoid, grid.crs)

    def places(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates of the nodes of a window, shape (rows, cols)."""
        cols = np.arange(window.col, window.col + window.cols)
        rows = np.arange(window.row, window.row + window.rows)
        size = self.grid.resolution
        x, y = np.meshgrid(
            self.grid.left + (cols + 0.5) * size, self.grid.top - (rows + 0.5) * size
        )
        return x, y

    def read(self, window: Window) -> np.ndarray:
        """Heights above the ellipsoid, m, float64, shape (rows, cols).

        Raises
        ------
        InputDataError
            If DEM or geoid have no height somewhere.
        """
        x, y = self.places(window)
        # Beyond the last pixel of the tile the DEM may end: the height there is that of the pixel.
        half = 0.5 * self.tile.resolution
        x = np.minimum(x, self.tile.right - half)
        y = np.maximum(y, self.tile.bottom + half)
        heights = self.dem.at(x, y)
        missing = np.isnan(heights)
        if missing.any():
            if not self.elevation.missing_is_sea:
                raise InputDataError(_no_height(self, float(x[missing][0]), float(y[missing][0])))
            heights[missing] = 0.0
        if self.geoid is not None:
            sea = self.geoid.at(x, y)
            heights += sea
            if (np.abs(sea) > HIGHEST_SEA).any():
                raise InputDataError(
                    f"{self.elevation.geoid}: is no geoid: it has heights up to {np.nanmax(np.abs(sea)):.0f} m over "
                    f"the tile, and the sea lies within {HIGHEST_SEA:.0f} m of the ellipsoid; give one such as "
                    "egm96_15.gtx of the package proj-data"
                )
            if np.isnan(heights).any():
                raise InputDataError(
                    f"{self.elevation.geoid}: has no height for some of the tile; give a geoid that covers it, "
                    "such as egm96_15.gtx of the package proj-data"
                )
        return heights


def dem_problems(elevation: Elevation, grid: Grid, spacing: float = 40.0) -> Iterator[str]:
    """What keeps a tile from being orthorectified with a DEM: looks at every node that would be read.

    Parameters
    ----------
    elevation : Elevation
    grid : Grid
        Of the tile.
    spacing : float
        Metres between the nodes.

    Yields
    ------
    str
        One problem.
    """
    try:
        nodes = node_grid(grid, node_step(grid, spacing))
        heights = Heights(elevation, nodes, grid)
        for window in nodes.windows(512, 512):
            heights.read(window)
    except (InputDataError, MissingSoftwareError) as error:
        yield str(error)


def node_step(grid: Grid, spacing: float) -> int:
    """Pixels of a tile from node to node; a CRS in degrees has 111 km a degree."""
    metres = 1.11e5 if spatial_reference(grid.crs).IsGeographic() else 1.0
    return max(1, int(spacing / (grid.resolution * metres) + 1e-6))


def node_grid(grid: Grid, step: int) -> Grid:
    """Grid whose pixels have a node at each `step`-th pixel centre of a tile in their centre.

    The last nodes lie on the last pixels of the tile or beyond them.
    """
    half = 0.5 * (step - 1) * grid.resolution
    return Grid(
        grid.crs,
        grid.left - half,
        grid.top + half,
        grid.resolution * step,
        math.ceil((grid.rows - 1) / step) + 1,
        math.ceil((grid.cols - 1) / step) + 1,
    )


def _no_height(heights: Heights, x: float, y: float) -> str:
    """Message of the first place without a height."""
    crs = heights.grid.crs
    longitude, latitude, _, _ = transform_bounds((x, y, x, y), crs, LATLON)
    row, col = (float(place) for place in heights.dem.pixels(np.array(x), np.array(y)))
    dataset = heights.dem.dataset
    inside = -0.5 <= row < dataset.RasterYSize - 0.5 and -0.5 <= col < dataset.RasterXSize - 0.5
    what = "has a hole"
    if not inside:
        what = f"does not cover the tile (its bounds are {_round(heights.dem.bounds)})"
    return (
        f"{heights.elevation.dem}: {what}: no height at longitude {longitude:.5f}, latitude {latitude:.5f} "
        f"({x:.0f}, {y:.0f} in {crs_name(crs)}); give a DEM that covers the tile without holes, or say "
        "that the sea lies where it has none"
    )


def _round(box: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.6g}" for value in box)


def _check_alike(files: list[str]) -> None:
    """Raise InputDataError unless rasters can be one: other rasters may lie in their folder."""
    first = open_raster(files[0])
    height = first.GetGeoTransform()[5]
    for file in files[1:]:
        other = open_raster(file)
        if not same_crs(other.GetProjection() or LATLON, first.GetProjection() or LATLON):
            raise InputDataError(
                f"{file}: is in another projection than {files[0]}; the rasters of a folder must share one"
            )
        if abs(other.GetGeoTransform()[5] / height - 1.0) > 0.01:
            raise InputDataError(
                f"{file}: has pixels of another height than {files[0]}; is one of them no elevation model? "
                "keep those that belong together in a folder of their own"
            )


def open_geoid(geoid: str) -> gdal.Dataset:
    """Open a geoid; one without a CRS is in degrees, as those of PROJ.

    Raises
    ------
    InputDataError
        If it is no raster.
    """
    dataset = open_raster(geoid)
    if not dataset.GetProjection():
        dataset.SetProjection(spatial_reference(LATLON).ExportToWkt())
    return dataset


class Surface:
    """A raster of heights, read at places of another CRS: bilinear, whatever the window.

    A place has no height if the pixel that holds it has none; of the four pixels around it those
    without a height have no weight.

    Parameters
    ----------
    dataset : gdal.Dataset
    name : str
        For messages.
    crs : str
        Of the places.
    """

    def __init__(self, dataset: gdal.Dataset, name: str, crs: str) -> None:
        self.dataset, self.name = dataset, name
        left, self.width, shear_x, top, shear_y, self.height = dataset.GetGeoTransform()
        if shear_x or shear_y or self.width <= 0 or self.height >= 0:
            raise InputDataError(f"{name}: is not north up; warp it first (gdalwarp)")
        self.left, self.top = left, top
        self.nodata = dataset.GetRasterBand(1).GetNoDataValue()
        self._whole_turn = spatial_reference(dataset.GetProjection()).IsGeographic()
        self._transform = pyproj.Transformer.from_crs(crs, dataset.GetProjection(), always_xy=True)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) in its own CRS."""
        bottom = self.top + self.dataset.RasterYSize * self.height
        return self.left, bottom, self.left + self.dataset.RasterXSize * self.width, self.top

    def pixels(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of places; integers are the centres of pixels."""
        own_x, own_y = self._transform.transform(x, y)
        across = np.asarray(own_x) - self.left
        if self._whole_turn:
            across %= 360.0
        return (np.asarray(own_y) - self.top) / self.height - 0.5, across / self.width - 0.5

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Heights at places, float64, shape as `x`; NaN where there is none.

        Raises
        ------
        InputDataError
            If the raster cannot be read.
        """
        rows, cols = self.pixels(x, y)
        if not (np.isfinite(rows).all() and np.isfinite(cols).all()):
            return np.full(np.shape(x), np.nan)
        first_row, last_row = _span(rows, self.dataset.RasterYSize)
        first_col, last_col = _span(cols, self.dataset.RasterXSize)
        if last_row < first_row or last_col < first_col:
            return np.full(np.shape(x), np.nan)
        if (last_row - first_row) * (last_col - first_col) > LARGEST_READ and np.size(x) > 1:
            axis = int(np.argmax(np.shape(x)))
            halves = zip(np.array_split(x, 2, axis), np.array_split(y, 2, axis), strict=True)
            return np.concatenate([self.at(*half) for half in halves], axis)
        window = Window(first_row, first_col, last_row - first_row + 1, last_col - first_col + 1)
        values = read_window(self.dataset, window, 1).astype(np.float64)
        # Holes without a declared nodata are -32768 or so; no land lies there.
        missing = ~((values > LOWEST) & (values < HIGHEST))
        if self.nodata is not None:
            missing |= values == self.nodata
        values[missing] = np.nan
        return _bilinear(values, rows, cols, (first_row, first_col))


def _span(places: np.ndarray, count: int) -> tuple[int, int]:
    """First and last pixel around some places, of those that there are."""
    return max(int(np.floor(places.min())), 0), min(int(np.floor(places.max())) + 1, count - 1)


def _bilinear(
    values: np.ndarray, rows: np.ndarray, cols: np.ndarray, corner: tuple[int, int]
) -> np.ndarray:
    """Mean of the four values around places by their nearness; see `Surface`.

    Parameters
    ----------
    values : ndarray of float64
        A window of a raster, from `corner` on.
    rows, cols : ndarray of float64
        Places in the whole raster, so that weights do not depend on the window.
    corner : tuple of int
    """
    total, weights = np.zeros(rows.shape), np.zeros(rows.shape)
    for row in (np.floor(rows), np.floor(rows) + 1):
        for col in (np.floor(cols), np.floor(cols) + 1):
            found = _value(values, row - corner[0], col - corner[1])
            weight = (1.0 - np.abs(rows - row)) * (1.0 - np.abs(cols - col))
            weight = np.where(np.isnan(found), 0.0, weight)
            total += weight * np.where(np.isnan(found), 0.0, found)
            weights += weight
    holder = _value(values, np.floor(rows + 0.5) - corner[0], np.floor(cols + 0.5) - corner[1])
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(holder), np.nan, total / weights)


def _value(values: np.ndarray, row: np.ndarray, col: np.ndarray) -> np.ndarray:
    """Values of some pixels; NaN where there is no such pixel."""
    height, width = values.shape
    inside = (row >= 0) & (row < height) & (col >= 0) & (col < width)
    place = row.clip(0, height - 1).astype(np.int64), col.clip(0, width - 1).astype(np.int64)
    return np.where(inside, values[place], np.nan)
