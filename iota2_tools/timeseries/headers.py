"""The header of an image: is it what its format says, and does it fit its tile?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osgeo import gdal

from iota2_tools.core.errors import Iota2Error
from iota2_tools.geo.grid import Grid, crs_name, grid_of, same_corner, same_crs, transform_bounds
from iota2_tools.geo.raster import open_raster
from iota2_tools.products import Pixels

FETCH_AGAIN = (
    "Fetch those products again, or set `inputs: {damaged_acquisition: skip}` to do without them."
)


@dataclass(frozen=True)
class Expected:
    """What an image should be.

    Parameters
    ----------
    pixels : Pixels
        What its pixels hold.
    grid : Grid
        Grid of the finest band of its product over the tile.
    factors : tuple of int, optional
        How many times larger than those of the grid its pixels may be; None: any whole number.
    anywhere : bool
        True: it may have any grid that touches the tile.
    stated : bool
        Whether scale, offset and nodata that the file states should be those of `pixels`.
    """

    pixels: Pixels
    grid: Grid
    factors: tuple[int, ...] | None = (1,)
    anywhere: bool = False
    stated: bool = True


COARSEST = 6
"""Times that the pixels of a mask may be larger than those of the finest band."""


def image_faults(path: str, expected: Expected, band: int = 1) -> list[str]:
    """What is wrong with an image, from its header; nothing if it can be read as it should.

    A fault inside a file of the right length shows when it is decoded.

    Parameters
    ----------
    band : int
        Band of the file that is read, from 1.
    """
    faults = file_faults(path)
    if faults:
        return faults
    dataset = open_raster(path)
    if dataset.RasterCount < band:
        return [f"{path} has {dataset.RasterCount} band(s), band {band} is needed"]
    if band == 1 and dataset.RasterCount != 1 and not expected.pixels.several:
        faults.append(f"{path} has {dataset.RasterCount} bands, one is expected")
    faults += [f"{path} {fault}" for fault in _value_faults(dataset, expected, band)]
    try:
        native = grid_of(path)
    except Iota2Error as error:
        return [*faults, str(error)]
    place = (
        _apart(native, expected.grid)
        if expected.anywhere
        else _misplaced(native, expected.grid, expected.factors)
    )
    if place:
        faults.append(f"{path} {place}")
    return faults


ANY = Pixels(
    ("Byte", "UInt16", "Int16", "UInt32", "Int32", "Float32", "Float64"), "a quantity", several=True
)


def reference_faults(path: str, band: int, tile: Grid) -> list[str]:
    """What is wrong with the image that a series is to be moved onto, for a tile."""
    return image_faults(path, Expected(ANY, tile, None, anywhere=True, stated=False), band)


def _value_faults(dataset: gdal.Dataset, expected: Expected, number: int) -> list[str]:
    """What is wrong with the values of an image as its header states them."""
    band, pixels = dataset.GetRasterBand(number), expected.pixels
    kind = gdal.GetDataTypeName(band.DataType)
    if kind not in pixels.types:
        return [
            f"holds {kind}, {' or '.join(pixels.types[:1])} is expected ({pixels.meaning}); "
            "take the product as it was delivered"
        ]
    if not expected.stated:
        return []
    faults = []
    scale, offset = band.GetScale(), band.GetOffset()
    if scale not in (None, 1.0) and not math.isclose(scale, pixels.scale or scale, rel_tol=1e-6):
        faults.append(f"states a scale of {scale:g}, {pixels.scale:g} is expected")
    if pixels.offset is not None and offset not in (None, 0.0, pixels.offset):
        if pixels.offset:
            faults.append(f"states an offset of {offset:g}, {pixels.offset:g} is expected")
        else:
            faults.append(f"states an offset of {offset:g}, which this format does not have")
    nodata = band.GetNoDataValue()
    if nodata is None or math.isnan(nodata) or nodata == pixels.nodata:
        return faults  # NaN has no data anyway
    if pixels.nodata is None:
        faults.append(
            f"states {nodata:g} as nodata, and no value is to be nodata; say it (`nodata: {nodata:g}` in "
            "the section of the sensor), or take the tag away (gdal_edit.py -unsetnodata)"
        )
    else:
        faults.append(
            f"states {nodata:g} as nodata, this format has {pixels.nodata:g}; mend the tag "
            "(gdal_edit.py -unsetnodata) if the pixels are right"
        )
    return faults


def _misplaced(native: Grid, grid: Grid, factors: tuple[int, ...] | None) -> str:
    """Why an image does not lie on its tile; empty if it does."""
    for factor in factors or range(1, COARSEST + 1):
        # A tile of odd width ends in half a coarse pixel.
        shapes = {(side * factor, other) for side, other in _sides(native, grid)}
        if same_corner(native, grid, factor) and all(abs(a - b) < factor for a, b in shapes):
            return ""
    if not same_crs(native.crs, grid.crs):
        return f"is in {crs_name(native.crs)}, its tile in {crs_name(grid.crs)}"
    return f"lies elsewhere than its tile: {_place(native)}, the tile has {_place(grid)}"


def _apart(native: Grid, grid: Grid) -> str:
    """Why an image that may lie anywhere has nothing of a tile; empty if it has."""
    left, bottom, right, top = transform_bounds(grid.bounds, grid.crs, native.crs)
    if left < native.right and right > native.left and bottom < native.top and top > native.bottom:
        return ""
    return f"does not touch its tile: {_place(native)}, in {crs_name(native.crs)}"


def uneven_faults(paths: Sequence[str]) -> list[str]:
    """Which images of one product cover other ground than most of them, by more than a pixel."""
    grids = {path: grid_of(path) for path in dict.fromkeys(paths)}
    alike = {
        path: sum(_same_ground(grid, other) for other in grids.values())
        for path, grid in grids.items()
    }
    if not grids or min(alike.values()) == len(grids):
        return []
    usual = max(alike, key=lambda path: alike[path])
    return [
        f"{path} covers other ground than the other images of its product: {_place(grid)}, "
        f"{Path(usual).name} has {_place(grids[usual])}"
        for path, grid in grids.items()
        if not _same_ground(grid, grids[usual])
    ]


def _same_ground(first: Grid, second: Grid) -> bool:
    pixel = max(first.resolution, second.resolution)
    apart = (abs(a - b) for a, b in zip(first.bounds, second.bounds, strict=True))
    return same_crs(first.crs, second.crs) and all(distance < pixel for distance in apart)


def _sides(native: Grid, grid: Grid) -> tuple[tuple[int, int], tuple[int, int]]:
    return (native.rows, grid.rows), (native.cols, grid.cols)


def _place(grid: Grid) -> str:
    return f"{grid.cols} x {grid.rows} pixels of {grid.resolution:g} from ({grid.left:.10g}, {grid.top:.10g})"


def exists(path: str) -> bool:
    """Whether there is a file, on disk or in an archive (``/vsizip/…``)."""
    about = gdal.VSIStatL(path)
    return about is not None and not about.IsDirectory()


def file_faults(path: str) -> list[str]:
    """What is wrong with an image: missing, no image, or shorter than its header says."""
    if not exists(path):
        return [f"{path} is missing"]
    try:
        dataset = open_raster(path)
    except Iota2Error:
        return [f"{path} is no readable image (truncated or half-copied?)"]
    needed, size = _bytes_needed(dataset), gdal.VSIStatL(path).size
    if needed > size:
        return [f"{path} is truncated: {size} bytes, its header tells of {needed}"]
    return []


def _bytes_needed(dataset: gdal.Dataset) -> int:
    """Length a TIFF must have to hold its blocks; 0 where the format does not tell."""
    if dataset.GetDriver().ShortName != "GTiff":
        return 0
    needed = 0
    for number in range(1, dataset.RasterCount + 1):
        band = dataset.GetRasterBand(number)
        width, height = band.GetBlockSize()
        columns = -(-dataset.RasterXSize // width)
        rows = -(-dataset.RasterYSize // height)
        # Writers append blocks, by rows or by columns of blocks: the ends of the file are among these.
        border = {(x, rows - 1) for x in range(columns)} | {(columns - 1, y) for y in range(rows)}
        for x, y in border:
            offset = band.GetMetadataItem(f"BLOCK_OFFSET_{x}_{y}", "TIFF")
            length = band.GetMetadataItem(f"BLOCK_SIZE_{x}_{y}", "TIFF")
            if offset and length:
                needed = max(needed, int(offset) + int(length))
    return needed
