"""The maps of a production as pyramids of tiles that a page opened from a folder can draw and read.

A page opened as a file may show pictures that lie beside it, but not read their pixels. So a tile is
a script that holds a PNG of the values themselves: the page gives them their colours, and tells
what stands under a click.
"""

import base64
import io
import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
from osgeo import gdal

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_folder
from iota2_tools.geo.grid import Grid, crs_name, grid_of, spatial_reference
from iota2_tools.geo.raster import (
    MAP_CACHE_MB,
    block_cache,
    classes_named_by,
    open_raster,
    unreadable,
)
from iota2_tools.maps.preview import METRES_PER_DEGREE

logger = logging.getLogger(__name__)

SIDE = 512
"""Of a tile, pixels."""
NODES = 17
"""Points along each side of the map whose longitude and latitude the page knows."""
UNKNOWN = "#808080"
"""Colour of a class that no legend holds."""


@dataclass(frozen=True)
class MapLayer:
    """A raster of the production that the page can show.

    Parameters
    ----------
    name : str
        Folder of its tiles.
    title : str
        What a reader sees.
    kind : {"class", "difference", "confidence", "validity", "set"}
        What its values mean.
    path : str
        The raster; its first band is shown.
    other : bool
        Whether it is of another production, on a grid of its own.
    """

    name: str
    title: str
    kind: str
    path: str
    other: bool = False

    @property
    def averaged(self) -> bool:
        """Whether its values are quantities, which may be averaged."""
        return self.kind in ("confidence", "validity", "set")


@dataclass(frozen=True)
class Pyramid:
    """Levels of a map: the finest one, and each next of half the size.

    Parameters
    ----------
    rows, cols : int
        Of the map itself.
    factor : int
        Pixels of the map along a side of one of the finest level, a power of two.
    levels : int
        Their number; the last one fits into one tile.
    """

    rows: int
    cols: int
    factor: int
    levels: int

    @classmethod
    def of(cls, rows: int, cols: int, pixels: int) -> "Pyramid":
        """The pyramid of a map whose finest level has at most so many pixels along a side.

        >>> Pyramid.of(1000, 9000, 4096)
        Pyramid(rows=1000, cols=9000, factor=4, levels=4)
        """
        longest = max(rows, cols)
        factor = 1 << max(0, math.ceil(math.log2(longest / pixels)))
        finest = math.ceil(longest / factor)
        return cls(rows, cols, factor, 1 + max(0, math.ceil(math.log2(finest / SIDE))))

    def shape(self, level: int) -> tuple[int, int]:
        """Rows and columns of a level, 0 being the finest."""
        step = self.factor << level
        return math.ceil(self.rows / step), math.ceil(self.cols / step)


def write_tiles(layers: Sequence[MapLayer], pixels: int, output: str) -> None:
    """Cut the maps of a production into tiles.

    Parameters
    ----------
    layers : sequence of MapLayer
        The first one gives the grid. Maps on another one, of larger pixels or of another
        production, are brought onto it: the nearest pixel.
    pixels : int
        Most pixels of the finest level along a side; larger maps are shown by their overviews.
    output : str
        Folder to write: ``layers.json`` (`read_layers`), and for each layer a folder of scripts
        ``{level}_{row}_{col}.js``.
    """
    grid = grid_of(layers[0].path)
    pyramid = Pyramid.of(grid.rows, grid.cols, pixels)
    logger.info("%d layers, %d levels, 1 pixel of %d", len(layers), pyramid.levels, pyramid.factor)
    with whole_folder(output) as folder, block_cache(MAP_CACHE_MB):
        told = [_write_layer(layer, grid, pyramid, Path(folder, layer.name)) for layer in layers]
        about = {"grid": _described(grid, pyramid), "layers": told}
        Path(folder, "layers.json").write_text(json.dumps(about, indent=1), encoding="utf-8")


def read_layers(folder: str) -> dict[str, Any]:
    """What `write_tiles` tells of the maps: their common grid, and each layer."""
    return json.loads(Path(folder, "layers.json").read_text(encoding="utf-8"))


def _described(grid: Grid, pyramid: Pyramid) -> dict[str, Any]:
    rows, cols = pyramid.shape(0)
    step = grid.resolution * pyramid.factor
    reference = spatial_reference(grid.crs)
    metres = step * reference.GetLinearUnits()
    if reference.IsGeographic():
        metres = step * METRES_PER_DEGREE * math.cos(math.radians((grid.top + grid.bottom) / 2))
    return {
        "crs": crs_name(grid.crs),
        "left": grid.left,
        "top": grid.top,
        "resolution": grid.resolution,
        "factor": pyramid.factor,
        "rows": rows,
        "cols": cols,
        "levels": pyramid.levels,
        "side": SIDE,
        "metres": metres,
        "angles": bool(reference.IsGeographic()),
        "nodes": places(grid, rows * step, cols * step),
    }


def places(grid: Grid, height: float, width: float) -> list[list[list[float]]]:
    """Longitude and latitude (WGS 84, degrees) of `NODES` x `NODES` points over the map, by row."""
    transformer = pyproj.Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    shares = np.linspace(0, 1, NODES)
    x, y = np.meshgrid(grid.left + shares * width, grid.top - shares * height)
    lon, lat = transformer.transform(x, y)
    return np.round(np.stack([lon, lat], axis=-1), 6).tolist()


def _write_layer(layer: MapLayer, grid: Grid, pyramid: Pyramid, folder: Path) -> dict[str, Any]:
    """Write the tiles of a layer; returns what the page must know of it."""
    folder.mkdir()
    dataset = open_raster(layer.path)
    source = dataset if grid_of(layer.path) == grid else _onto(dataset, grid, pyramid)
    largest = 0
    for level in range(pyramid.levels):
        values = read_level(source, pyramid.shape(level), layer.averaged, layer.path)
        nodata = source.GetRasterBand(1).GetNoDataValue()
        largest = max(largest, int(values[values != nodata].max(initial=0)))
        for row, col, tile in _tiles(values):
            key = f"{layer.name}/{level}_{row}_{col}"
            text = f'mapTile("{key}","{encoded(tile)}");\n'
            Path(folder, f"{level}_{row}_{col}.js").write_text(text, encoding="ascii")
    told: dict[str, Any] = {"name": layer.name, "title": layer.title, "kind": layer.kind}
    told |= {"foreign": layer.other, "wide": values.dtype == np.uint16}
    told |= {"nodata": None if nodata is None else int(nodata), "largest": largest}
    if layer.kind == "class":
        told["legend"] = legend_of(dataset)
    return told


def read_level(
    dataset: gdal.Dataset, shape: tuple[int, int], averaged: bool, path: str
) -> np.ndarray:
    """Read the first band at a size, from the overviews where there are any, uint8 or uint16.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    averaged : bool
        Mean of the pixels that have data, else the most frequent value.
    """
    rows, cols = shape
    algorithm = gdal.GRIORA_Average if averaged else gdal.GRIORA_Mode
    if (rows, cols) == (dataset.RasterYSize, dataset.RasterXSize):
        algorithm = gdal.GRIORA_NearestNeighbour
    try:
        values = dataset.GetRasterBand(1).ReadAsArray(
            buf_xsize=cols, buf_ysize=rows, resample_alg=algorithm
        )
    except RuntimeError as error:
        raise unreadable(path, error) from None
    if values.dtype not in (np.uint8, np.uint16):
        raise InputDataError(f"{path}: {values.dtype} pixels; the report shows uint8 and uint16")
    return values


def _onto(dataset: gdal.Dataset, grid: Grid, pyramid: Pyramid) -> gdal.Dataset:
    """A map on the grid of the finest level: the nearest pixel, of its overviews if that is coarser."""
    rows, cols = pyramid.shape(0)
    step = grid.resolution * pyramid.factor
    bounds = (grid.left, grid.top - rows * step, grid.left + cols * step, grid.top)
    return gdal.Warp(
        "", dataset, format="MEM", outputBounds=bounds, width=cols, height=rows,
        dstSRS=grid.crs, resampleAlg="near", dstNodata=0,
    )  # fmt: skip


def legend_of(dataset: gdal.Dataset) -> list[dict[str, Any]]:
    """Classes of a map by its own tags ``CLASS_<code>`` and palette: code, name, colour."""
    palette = dataset.GetRasterBand(1).GetColorTable()
    return [
        {"code": code, "name": name, "colour": _colour(palette, code)}
        for code, name in classes_named_by(dataset).items()
    ]


def _colour(palette: gdal.ColorTable | None, code: int) -> str:
    if palette is None or code >= palette.GetCount():
        return UNKNOWN
    return "#{:02x}{:02x}{:02x}".format(*palette.GetColorEntry(code)[:3])


def _tiles(values: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """Row, column and values of each tile; those at the right and lower edge may be smaller."""
    rows, cols = values.shape
    for row in range(math.ceil(rows / SIDE)):
        for col in range(math.ceil(cols / SIDE)):
            place = slice(row * SIDE, (row + 1) * SIDE), slice(col * SIDE, (col + 1) * SIDE)
            yield row, col, values[place]


def encoded(values: np.ndarray) -> str:
    """Values as a PNG in base64: grey up to 255, else low byte red and high byte green."""
    from PIL import Image

    if values.dtype == np.uint16:
        bytes_of = np.stack([values & 255, values >> 8, np.zeros_like(values)], axis=-1)
        picture = Image.fromarray(bytes_of.astype(np.uint8), "RGB")
    else:
        picture = Image.fromarray(values, "L")
    file = io.BytesIO()
    picture.save(file, format="PNG", compress_level=6)
    return base64.b64encode(file.getvalue()).decode("ascii")
