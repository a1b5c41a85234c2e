"""Rasters of the user, per tile or over all tiles: of any type and resolution, each band a feature."""

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from osgeo import gdal

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid, Window, spatial_reference, transform_bounds
from iota2_tools.geo.gridded import GridBand, ImagePool, Reading
from iota2_tools.geo.raster import open_raster, read_window
from iota2_tools.timeseries.headers import file_faults
from iota2_tools.timeseries.inputs import Missing, band_names

logger = logging.getLogger(__name__)

INT16_TYPES = ("Byte", "Int8", "Int16")
"""Types whose values an int16 holds."""
PART = 512
"""Pixels along a side of what is read of many bands at a time: 128 of them are 64 MB as int16."""
LARGEST_CODE = 1 << 24
"""Whole numbers beyond that are not told apart by a float32."""


@dataclass(frozen=True)
class UserImage:
    """A raster of the user over a tile, looked at once.

    Parameters
    ----------
    path : str
        Image file.
    interpolation : {"bicubic", "nearest"}
        How it is brought to the grid of the tile.
    missing : {"leave_out", "mean", "keep"} or float
        What pixels without data do (`config.sections.UserRaster`).
    types : tuple of str
        Type of each band, GDAL's names.
    fills : tuple of float
        Value of pixels without data, of each band.
    """

    path: str
    interpolation: str
    missing: Missing
    types: tuple[str, ...]
    fills: tuple[float, ...]


def look_at_user_raster(path: str, interpolation: str, missing: Missing, grid: Grid) -> UserImage:
    """Look at a raster of the user: does it lie on its tile, and what do its pixels hold?

    Raises
    ------
    InputDataError
        If it cannot be read, has no projection, lies elsewhere, or holds what no feature can be.
    """
    for fault in file_faults(path):
        raise InputDataError(f"user_features: {fault}")
    dataset = open_raster(path)
    part = _part_over_tile(dataset, path, grid)
    types = tuple(
        gdal.GetDataTypeName(dataset.GetRasterBand(number).DataType)
        for number in range(1, dataset.RasterCount + 1)
    )
    for number, kind in enumerate(types, start=1):
        if kind.startswith("C"):
            raise InputDataError(
                f"user_features: {path}: band {number} holds complex numbers ({kind}); "
                "write amplitude and phase, or real and imaginary part, as bands"
            )
    fills = tuple(
        _fill(dataset, number, interpolation, missing, kind, part)
        for number, kind in enumerate(types, start=1)
    )
    return UserImage(path, interpolation, missing, types, fills)


def covered_share(path: str, grid: Grid) -> float:
    """Share of a tile that a raster of the user covers, about, from its header: 0 to 1.

    Raises
    ------
    InputDataError
        As for `look_at_user_raster`, where the header tells it.
    """
    dataset = open_raster(path)
    _part_over_tile(dataset, path, grid)
    own = transform_bounds(grid.bounds, grid.crs, dataset.GetProjection())
    transform = dataset.GetGeoTransform()
    ends = [
        gdal.ApplyGeoTransform(transform, x, y)
        for x in (0, dataset.RasterXSize)
        for y in (0, dataset.RasterYSize)
    ]
    share = 1.0
    for axis in (0, 1):
        places = [end[axis] for end in ends]
        low, high = own[axis], own[axis + 2]
        share *= (min(high, max(places)) - max(low, min(places))) / (high - low)
    return share


def _part_over_tile(dataset: gdal.Dataset, path: str, grid: Grid) -> Window:
    """Window of an image that holds all its pixels over a tile.

    Raises
    ------
    InputDataError
        If it covers nothing of the tile.
    """
    if not dataset.GetProjection():
        raise InputDataError(
            f"user_features: {path}: has no coordinate reference system; assign it (gdal_edit)"
        )
    spatial_reference(dataset.GetProjection())
    transform = gdal.Info(dataset, format="json")["cornerCoordinates"]
    corners = [transform[name] for name in ("upperLeft", "lowerLeft", "lowerRight", "upperRight")]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    bottom, top = min(y for _, y in corners), max(y for _, y in corners)
    own = transform_bounds(grid.bounds, grid.crs, dataset.GetProjection())
    if own[0] >= right or own[2] <= left or own[1] >= top or own[3] <= bottom:
        raise InputDataError(
            f"user_features: {path}: does not touch its tile; its bounds are "
            f"({left:.10g}, {bottom:.10g}, {right:.10g}, {top:.10g}), those of the tile there "
            f"({', '.join(f'{value:.10g}' for value in own)})"
        )
    to_pixels = gdal.InvGeoTransform(dataset.GetGeoTransform())
    places = [gdal.ApplyGeoTransform(to_pixels, x, y) for x in own[::2] for y in own[1::2]]
    ends = []
    for values, size in zip(
        zip(*places, strict=True), (dataset.RasterXSize, dataset.RasterYSize), strict=True
    ):
        ends.append((max(math.floor(min(values)), 0), min(math.ceil(max(values)), size)))
    (first, last), (top_row, bottom_row) = ends
    return Window(top_row, first, bottom_row - top_row, last - first)


def _fill(
    dataset: gdal.Dataset,
    number: int,
    interpolation: str,
    missing: Missing,
    kind: str,
    part: Window,
) -> float:
    """Value of pixels without data of a band, from the part of its image that lies over the tile."""
    whole = kind not in ("Float32", "Float64")
    wide = kind not in (*INT16_TYPES, "UInt16", "Float32")
    if missing != "mean" and not (wide and interpolation == "nearest"):
        return float(missing) if isinstance(missing, int | float) else 0.0
    count, total, largest = _statistics(dataset, number, part)
    if wide and interpolation == "nearest" and largest > LARGEST_CODE:
        raise InputDataError(
            f"user_features: {dataset.GetDescription()}: band {number} holds codes up to {largest:.0f}; "
            f"beyond {LARGEST_CODE} they cannot be told apart: number them anew from 1"
        )
    if missing != "mean":
        return float(missing) if isinstance(missing, int | float) else 0.0
    if not count:
        raise InputDataError(
            f"user_features: {dataset.GetDescription()}: band {number} holds no data over the tile, so it "
            "has no mean; choose a number for `missing`, or leave_out"
        )
    mean = total / count
    return float(np.rint(mean)) if whole else mean


def _statistics(dataset: gdal.Dataset, number: int, part: Window) -> tuple[int, float, float]:
    """Number of pixels with data of a part of a band, their sum and largest absolute value."""
    band = dataset.GetRasterBand(number)
    nodata = band.GetNoDataValue()
    count, total, largest = 0, 0.0, 0.0
    rows = 256
    end = part.row + part.rows
    for row in range(part.row, end, rows):
        window = Window(row, part.col, min(rows, end - row), part.cols)
        values = read_window(dataset, window, number)
        seen = np.isfinite(values)
        if nodata is not None:
            seen &= values != np.asarray(nodata).astype(values.dtype)
        found = values[seen].astype(np.float64)
        if found.size:
            count += found.size
            total += float(found.sum())
            largest = max(largest, float(np.abs(found).max()))
    return count, total, largest


class UserBand:
    """One band of a raster of the user on the grid of a tile.

    Attributes
    ----------
    dtype : str
        ``int16`` or ``float32``: type of its values.
    leaves_out : bool
        True if pixels without data are neither learnt nor mapped.
    keeps_missing : bool
        True if they are NaN.
    """

    def __init__(
        self, image: UserImage, band: int, grid: Grid, pool: ImagePool | None = None
    ) -> None:
        dataset = open_raster(image.path)
        nodata = dataset.GetRasterBand(band).GetNoDataValue()
        self._fill = np.nan if image.missing == "keep" else image.fills[band - 1]
        self.leaves_out = image.missing == "leave_out"
        self.keeps_missing = image.missing == "keep"
        whole = image.types[band - 1] in INT16_TYPES and float(self._fill).is_integer()
        self.dtype = "int16" if whole and -32768 <= self._fill <= 32767 else "float32"
        reading = Reading(nodata, image.interpolation == "bicubic", covered=True)
        self._image = GridBand(image.path, grid, reading, band, pool, shared=len(image.types) > 1)

    def read(self, window: Window) -> np.ndarray:
        """Values of a window, shape (rows, cols); where there are none, what the user chose."""
        values, seen = self._image.observe(window)
        values[~seen] = 0  # nodata may be out of the range of the feature
        out = values.astype(self.dtype)
        out[~seen] = self._fill
        return out

    def seen(self, window: Window) -> np.ndarray:
        """Where a window has data, bool, shape (rows, cols)."""
        return self._image.seen(window)


def read_together(bands: Sequence[UserBand], window: Window) -> list[np.ndarray]:
    """Values of a window of some bands, as `UserBand.read`.

    Part by part, all bands of each: where a file holds them pixel by pixel, its blocks are decoded
    once.
    """
    out = [np.empty((window.rows, window.cols), dtype=band.dtype) for band in bands]
    for part in parts_of(window) if len(bands) > 1 else [window]:
        place = part.inside(window).slices
        for band, values in zip(bands, out, strict=True):
            values[place] = band.read(part)
    return out


def seen_by_all(bands: Sequence[UserBand], window: Window) -> np.ndarray:
    """Where a window has data in each of some bands, bool, shape (rows, cols)."""
    seen = np.ones((window.rows, window.cols), dtype=bool)
    for part in parts_of(window) if len(bands) > 1 else [window]:
        for band in bands:
            seen[part.inside(window).slices] &= band.seen(part)
    return seen


def parts_of(window: Window) -> Iterator[Window]:
    """Parts of a window that end where multiples of `PART` do on the grid."""
    for row in range(window.row // PART * PART, window.row + window.rows, PART):
        for col in range(window.col // PART * PART, window.col + window.cols, PART):
            top, left = max(row, window.row), max(col, window.col)
            bottom = min(row + PART, window.row + window.rows)
            right = min(col + PART, window.col + window.cols)
            yield Window(top, left, bottom - top, right - left)


def user_bands(
    images: dict[str, UserImage], grid: Grid, pool: ImagePool | None = None
) -> tuple[list[UserBand], list[str]]:
    """Bands of the user's rasters over a tile, and the names of their features."""
    bands: list[UserBand] = []
    names: list[str] = []
    for word, image in images.items():
        count = len(image.types)
        bands += [UserBand(image, number, grid, pool) for number in range(1, count + 1)]
        names += band_names(word, count)
    return bands, names
