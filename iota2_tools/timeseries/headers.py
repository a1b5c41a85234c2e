"""The header of an image: is it what its format says, and does it fit its tile?"""

import math
from dataclasses import dataclass
from pathlib import Path

from osgeo import gdal

from iota2_tools.core.errors import Iota2Error
from iota2_tools.geo.grid import Grid, crs_name, grid_of, same_corner, same_crs
from iota2_tools.geo.raster import open_raster

WHOLE_TYPES = ("Byte", "Int8", "Int16", "UInt16", "Int32", "UInt32")


@dataclass(frozen=True)
class Expected:
    """What an image should be.

    Parameters
    ----------
    grid : Grid
        Grid of the tile.
    factors : tuple of int
        How many times larger than those of the grid its pixels may be.
    types : tuple of str
        Pixel types, GDAL's names.
    meaning : str
        What its values are, for messages.
    scale : float, optional
        Physical value of one step, which the file may state; None for masks.
    nodata : float, optional
        Value of pixels without data, which the file may state; None for masks.
    """

    grid: Grid
    factors: tuple[int, ...]
    types: tuple[str, ...]
    meaning: str
    scale: float | None = None
    nodata: float | None = None


def image_faults(path: str, expected: Expected) -> list[str]:
    """What is wrong with an image, from its header; nothing if it can be read as it should.

    A fault inside a file of the right length shows when it is decoded.
    """
    faults = file_faults(path)
    if faults:
        return faults
    dataset = open_raster(path)
    if dataset.RasterCount != 1:
        faults.append(f"{path} has {dataset.RasterCount} bands, one is expected")
    faults += [f"{path} {fault}" for fault in _value_faults(dataset, expected)]
    try:
        native = grid_of(path)
    except Iota2Error as error:
        return [*faults, str(error)]
    if place := _misplaced(native, expected):
        faults.append(f"{path} {place}")
    return faults


def _value_faults(dataset: gdal.Dataset, expected: Expected) -> list[str]:
    """What is wrong with the values of an image as its header states them."""
    band = dataset.GetRasterBand(1)
    kind = gdal.GetDataTypeName(band.DataType)
    if kind not in expected.types:
        return [
            f"holds {kind}, {' or '.join(expected.types[:1])} is expected ({expected.meaning}); "
            "take the product as it was delivered"
        ]
    if expected.scale is None:
        return []
    faults = []
    scale, offset = band.GetScale(), band.GetOffset()
    if scale not in (None, 1.0) and not math.isclose(scale, expected.scale, rel_tol=1e-6):
        faults.append(f"states a scale of {scale:g}, {expected.scale:g} is expected")
    if offset not in (None, 0.0):
        faults.append(f"states an offset of {offset:g}, which this format does not have")
    nodata = band.GetNoDataValue()
    if nodata is not None and nodata != expected.nodata:
        faults.append(
            f"states {nodata:g} as nodata, this format has {expected.nodata:g}; mend the tag "
            "(gdal_edit.py -unsetnodata) if the pixels are right"
        )
    return faults


def _misplaced(native: Grid, expected: Expected) -> str:
    """Why an image does not lie on its tile; empty if it does."""
    grid = expected.grid
    for factor in expected.factors:
        # A tile of odd width ends in half a coarse pixel.
        shapes = {(side * factor, other) for side, other in _sides(native, grid)}
        if same_corner(native, grid, factor) and all(abs(a - b) < factor for a, b in shapes):
            return ""
    if not same_crs(native.crs, grid.crs):
        return f"is in {crs_name(native.crs)}, its tile in {crs_name(grid.crs)}"
    return f"lies elsewhere than its tile: {_place(native)}, the tile has {_place(grid)}"


def _sides(native: Grid, grid: Grid) -> tuple[tuple[int, int], tuple[int, int]]:
    return (native.rows, grid.rows), (native.cols, grid.cols)


def _place(grid: Grid) -> str:
    return f"{grid.cols} x {grid.rows} pixels of {grid.resolution:g} from ({grid.left:.10g}, {grid.top:.10g})"


def file_faults(path: str) -> list[str]:
    """What is wrong with an image: missing, no image, or shorter than its header says."""
    if not Path(path).is_file():
        return [f"{path} is missing"]
    try:
        dataset = open_raster(path)
    except Iota2Error:
        return [f"{path} is no readable image (truncated or half-copied?)"]
    needed, size = _bytes_needed(dataset), Path(path).stat().st_size
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
