"""Heights above the ellipsoid: a digital elevation model and a geoid, from local files."""

import glob
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from osgeo import gdal

from iota2_tools.core.errors import InputDataError, MissingSoftwareError
from iota2_tools.geo.grid import Grid, Window, crs_name, spatial_reference, transform_bounds
from iota2_tools.geo.raster import open_raster

GEOIDS = ("/usr/share/proj/egm96_15.gtx", "/usr/share/otb/geoid/egm96.grd")
"""Where a geoid may lie that nobody names; Debian's package proj-data has the first."""
DEM_ENDINGS = (".tif", ".tiff", ".hgt", ".vrt", ".dt2", ".dt1")
NO_HEIGHT = -1.0e30
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
        for file in files:
            open_raster(file)
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
    """

    def __init__(self, elevation: Elevation, grid: Grid) -> None:
        self.elevation = elevation
        self.grid = grid
        self.dem = open_dem(elevation.dem)
        self.geoid = open_raster(elevation.geoid) if elevation.geoid else None

    def over_sea(self, window: Window) -> np.ndarray:
        """Heights of the DEM, m above sea level, float64; NaN where it has none.

        The last nodes may lie beyond the tile, where a DEM may end: those before them hold there.
        """
        heights = _warped(self.dem, self.grid, window)
        row, col, rows, cols = window
        if row + rows == self.grid.rows > 1 and np.isnan(heights[-1]).any():
            before = _warped(self.dem, self.grid, Window(self.grid.rows - 2, col, 1, cols))[0]
            heights[-1] = np.where(np.isnan(heights[-1]), before, heights[-1])
        if col + cols == self.grid.cols > 1 and np.isnan(heights[:, -1]).any():
            inner = heights[:, :-1] if cols > 1 else self.over_sea(Window(row, col - 1, rows, 1))
            before = inner[:, -1]
            heights[:, -1] = np.where(np.isnan(heights[:, -1]), before, heights[:, -1])
        return heights

    def read(self, window: Window) -> np.ndarray:
        """Heights above the ellipsoid, m, float64, shape (rows, cols).

        Raises
        ------
        InputDataError
            If DEM or geoid have no height somewhere.
        """
        heights = self.over_sea(window)
        missing = np.isnan(heights)
        if missing.any():
            if not self.elevation.missing_is_sea:
                row, col = (int(index[0]) for index in np.nonzero(missing))
                raise InputDataError(_no_height(self, window.row + row, window.col + col))
            heights[missing] = 0.0
        if self.geoid is not None:
            heights += _warped(self.geoid, self.grid, window)
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
        heights = Heights(elevation, nodes)
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


def _no_height(heights: Heights, row: int, col: int) -> str:
    """Message of the first node without a height."""
    nodes, dem = heights.grid, heights.dem
    x = nodes.left + (col + 0.5) * nodes.resolution
    y = nodes.top - (row + 0.5) * nodes.resolution
    longitude, latitude, _, _ = transform_bounds((x, y, x, y), nodes.crs, "EPSG:4326")
    left, width, _, top, _, height = dem.GetGeoTransform()
    box = (left, top + dem.RasterYSize * height, left + dem.RasterXSize * width, top)
    dem_x, dem_y, _, _ = transform_bounds((x, y, x, y), nodes.crs, dem.GetProjection())
    inside = box[0] <= dem_x <= box[2] and box[1] <= dem_y <= box[3]
    what = "has a hole" if inside else f"does not cover the tile (it ends at {_round(box)})"
    return (
        f"{heights.elevation.dem}: {what}: no height at longitude {longitude:.5f}, latitude {latitude:.5f} "
        f"({x:.0f}, {y:.0f} in {crs_name(nodes.crs)}); give a DEM that covers the tile without holes, or say "
        "that the sea lies where it has none"
    )


def _round(box: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.6g}" for value in box)


def _warped(source: gdal.Dataset, grid: Grid, window: Window) -> np.ndarray:
    """A raster at the centres of the pixels of a window, bilinear; NaN where it has no value."""
    left, bottom, right, top = grid.bounds_of(window)
    try:
        warped = gdal.Warp(
            "",
            source,
            format="MEM",
            dstSRS=grid.crs,
            outputBounds=(left, bottom, right, top),
            width=window.cols,
            height=window.rows,
            resampleAlg="bilinear",
            outputType=gdal.GDT_Float64,
            dstNodata=NO_HEIGHT,
            errorThreshold=0,
            multithread=False,
        )
        values = warped.ReadAsArray()
    except RuntimeError as error:
        name = source.GetDescription() or "the elevation model"
        raise InputDataError(
            f"{name}: cannot be read over the tile ({error}); is it whole, and on the earth?"
        ) from None
    # Holes without a declared nodata are -32768 or so; no land lies there.
    return np.where((values > LOWEST) & (values < HIGHEST), values, np.nan)
