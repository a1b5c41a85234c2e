"""The final maps: what each one holds, and how the pieces of all tiles become one file.

A piece covers one tile, or one region of a tile, on the grid of its tile. Each pixel is set in
at most one piece and holds nodata in the others. The pieces are read through a virtual raster
and written as one Cloud-Optimised GeoTIFF, window by window, whatever the size of the country.
"""

import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from osgeo import gdal

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError, OutputError, one_message
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid, check_aligned, grid_of, placed, union
from iota2_tools.geo.raster import (
    GDAL_TYPES,
    MAP_CACHE_MB,
    STRIP_ROWS,
    block_cache,
    gdal_failures_raise,
    open_raster,
    read_window,
)
from iota2_tools.maps.layers import BLOCK, Layer

gdal.UseExceptions()

logger = logging.getLogger(__name__)

# Deflate, because a delivered map is opened by software we do not choose: every GDAL, ArcGIS and
# browser reads it, zstd not always. As small as zstd, it costs twice its CPU, and still decodes
# 500 million class pixels a second; level 9 is 10 % smaller and three times slower to write.
# IF_SAFER, because the size of a compressed file is only known once it no longer fits 4 GB.
COG_OPTIONS = (
    "COMPRESS=DEFLATE",
    "LEVEL=6",
    f"BLOCKSIZE={BLOCK}",
    "BIGTIFF=IF_SAFER",
    "OVERVIEWS=IGNORE_EXISTING",
    "GEOTIFF_VERSION=1.1",
)


@dataclass(frozen=True)
class FinalMap:
    """What a final map is beside its pixels.

    Parameters
    ----------
    layer : Layer
        What the pixels mean.
    grid : Grid, optional
        Extent of the map, holding every source; by default the union of the sources. Give the
        union of the tiles, so that a tile without pixels does not change the extent.
    tags : mapping
        Provenance (versions, digest of the config, inputs), written as text, sorted by name.
    classes : Nomenclature, optional
        Of a layer of codes: colour table and tags ``CLASS_<code>``. By default `layer.classes`.
    bands : sequence of str, optional
        Names of the bands; by default those of the sources, or the title of a one-band layer.
    shown : str, optional
        Name of the one band of the sources that the map shows; by default all.
    """

    layer: Layer
    grid: Grid | None = None
    tags: Mapping[str, object] = field(default_factory=dict)
    classes: Nomenclature | None = None
    bands: Sequence[str] | None = None
    shown: str | None = None


@dataclass(frozen=True)
class Piece:
    """One source file: place, type, and the nodata value and names of its bands."""

    path: str
    grid: Grid
    dtype: str
    nodata: tuple[float | None, ...]
    names: tuple[str, ...]


def write_mosaic(sources: Sequence[str], output: str, final: FinalMap, threads: int = 1) -> None:
    """Merge the pieces of a final product into one Cloud-Optimised GeoTIFF.

    The file depends on the sources and on `final` only: written again, with any number of threads
    and any cache, it is the same byte for byte.

    Parameters
    ----------
    sources : sequence of str
        GeoTIFFs of the same type and bands on aligned grids. Where two of them hold a value for
        the same pixel, the later one is kept.
    output : str
        File to write; it appears only once whole.
    final : FinalMap
        What the map is.
    threads : int
        Threads that compress.

    Raises
    ------
    InputDataError
        If sources are absent, unreadable, truncated, or differ in CRS, resolution, alignment,
        type, nodata or bands; every source at fault is listed.
    OutputError
        If the map could not be written whole.

    References
    ----------
    Cloud-Optimised GeoTIFF, OGC 21-026; GDAL's COG driver.
    """
    layer = final.layer
    pieces = _read_headers(sources, layer)
    grid = _extent(pieces, final.grid)
    dtype = pieces[0].dtype
    numbers = _bands_shown(pieces[0], final)
    names = (final.shown,) if final.shown else _band_names(pieces[0], final)
    logger.info(
        "%s: merging %d file(s) into %d x %d pixels, %d band(s) of %s",
        output, len(pieces), grid.rows, grid.cols, len(names), dtype,
    )  # fmt: skip
    virtual = gdal.Open(_virtual_raster(pieces, grid, layer.encodings[dtype], numbers))
    _describe(virtual, final, names, _classes_to_show(final, dtype))
    try:
        _write_cog(virtual, output, layer, threads)
    except (InputDataError, OutputError):
        _check_readable(pieces)
        raise


def _read_headers(sources: Sequence[str], layer: Layer) -> list[Piece]:
    """Open every source; list all that cannot be part of this layer in one error."""
    if not sources:
        raise InputDataError(
            f"{layer.title}: no file to merge; no tile was mapped, see the logs of classify_tile"
        )
    pieces: list[Piece] = []
    problems: list[str] = []
    for path in map(str, sources):
        if not Path(path).is_file():
            problems.append(f"{path}: no such file; run its tile again")
            continue
        try:
            piece = _read_header(path)
        except InputDataError as error:
            problems.append(str(error))
            continue
        problems += _problems(piece, pieces[0] if pieces else piece, layer)
        pieces.append(piece)
    if problems:
        raise InputDataError(one_message(f"mosaic of layer {layer.name!r}", problems))
    return pieces


def _read_header(path: str) -> Piece:
    grid = grid_of(path)
    dataset = open_raster(path)
    bands = [dataset.GetRasterBand(number + 1) for number in range(dataset.RasterCount)]
    types = {value: key for key, value in GDAL_TYPES.items()}
    return Piece(
        path=os.path.abspath(path),
        grid=grid,
        dtype=types.get(bands[0].DataType, gdal.GetDataTypeName(bands[0].DataType)),
        nodata=tuple(band.GetNoDataValue() for band in bands),
        names=tuple(band.GetDescription() for band in bands),
    )


def _problems(piece: Piece, first: Piece, layer: Layer) -> list[str]:
    """What keeps a piece from standing in the layer beside the first one."""
    if piece.dtype not in layer.encodings:
        allowed = " or ".join(layer.encodings)
        return [f"{piece.path}: pixels are {piece.dtype}, this layer is made of {allowed}"]
    expected = layer.encodings[piece.dtype]
    problems = []
    if piece.dtype != first.dtype:
        problems.append(f"pixels are {piece.dtype}, those of {first.path} are {first.dtype}")
    if len(piece.names) != len(first.names):
        problems.append(f"{len(piece.names)} band(s), {first.path} has {len(first.names)}")
    elif piece.names != first.names:
        problems.append(f"bands are {piece.names}, those of {first.path} {first.names}")
    if not all(_is_nodata(value, expected) for value in piece.nodata):
        problems.append(f"nodata is {set(piece.nodata)}, this layer has {expected}")
    return [f"{piece.path}: {problem}; run its tile again" for problem in problems]


def _is_nodata(value: float | None, expected: float) -> bool:
    """Whether a band states the nodata value that its layer has, or none."""
    return value is None or value == expected or (math.isnan(value) and math.isnan(expected))


def _bands_shown(first: Piece, final: FinalMap) -> list[int]:
    """Bands of the sources that the map shows, from 1."""
    if final.shown is None:
        return list(range(1, len(first.names) + 1))
    if final.shown not in first.names:
        raise InputDataError(f"{first.path}: has no band {final.shown}; run its tile again")
    return [first.names.index(final.shown) + 1]


def _extent(pieces: Sequence[Piece], grid: Grid | None) -> Grid:
    """Grid of the map, on which every piece falls."""
    if grid is None:
        return union([piece.grid for piece in pieces])
    for piece in pieces:
        check_aligned(grid, piece.grid)
        window = placed(piece.grid, grid)
        if (
            min(window.row, window.col) < 0
            or window.row + window.rows > grid.rows
            or window.col + window.cols > grid.cols
        ):
            raise InputDataError(
                f"{piece.path}: bounds {piece.grid.bounds} exceed those of the map, {grid.bounds}; "
                "give the union of the grids of all tiles"
            )
    return grid


def _band_names(first: Piece, final: FinalMap) -> tuple[str, ...]:
    names = first.names if final.bands is None else tuple(final.bands)
    if len(names) != len(first.names):
        raise InputDataError(
            f"{final.layer.title}: {len(names)} band names, {first.path} has "
            f"{len(first.names)} bands"
        )
    return (final.layer.title,) if names == ("",) else names


def _classes_to_show(final: FinalMap, dtype: str) -> Nomenclature | None:
    """Classes of a layer of codes; all their codes fit its pixels."""
    classes = final.classes or final.layer.classes
    if not final.layer.coded or classes is None:
        return None
    if max(classes.codes) > np.iinfo(dtype).max:
        raise InputDataError(
            f"{final.layer.title}: pixels of {dtype} cannot hold code {max(classes.codes)} of the "
            f"nomenclature; classify the tiles again as {classes.dtype}"
        )
    return classes


def _virtual_raster(
    pieces: Sequence[Piece], grid: Grid, nodata: float, bands: Sequence[int]
) -> str:
    """XML of a GDAL virtual raster that shows some bands of the pieces as one image.

    Offsets are whole pixels: gdalbuildvrt's are fractions when two origins differ by rounding,
    and then it resamples.
    """
    data_type = gdal.GetDataTypeName(GDAL_TYPES[pieces[0].dtype])
    lines = [
        f'<VRTDataset rasterXSize="{grid.cols}" rasterYSize="{grid.rows}">',
        f"<SRS>{escape(grid.crs)}</SRS>",
        f"<GeoTransform>{', '.join(map(repr, grid.geotransform))}</GeoTransform>",
    ]
    for place, band in enumerate(bands, start=1):
        lines.append(f'<VRTRasterBand dataType="{data_type}" band="{place}">')
        lines.append(f"<NoDataValue>{nodata}</NoDataValue>")
        lines += [_virtual_source(piece, grid, nodata, band, data_type) for piece in pieces]
        lines.append("</VRTRasterBand>")
    return "\n".join([*lines, "</VRTDataset>"])


def _virtual_source(piece: Piece, grid: Grid, nodata: float, band: int, data_type: str) -> str:
    """One piece in the virtual raster; with its properties given, GDAL opens it only when read."""
    place = placed(piece.grid, grid)
    size = f'RasterXSize="{place.cols}" RasterYSize="{place.rows}"'
    block = 'BlockXSize="256" BlockYSize="256"'
    shape = f'xSize="{place.cols}" ySize="{place.rows}"'
    return (
        f'<ComplexSource><SourceFilename relativeToVRT="0">{escape(piece.path)}</SourceFilename>'
        f"<SourceBand>{band}</SourceBand>"
        f'<SourceProperties {size} DataType="{data_type}" {block}/>'
        f'<SrcRect xOff="0" yOff="0" {shape}/>'
        f'<DstRect xOff="{place.col}" yOff="{place.row}" {shape}/>'
        f"<NODATA>{nodata}</NODATA></ComplexSource>"
    )


def _describe(
    dataset: gdal.Dataset, final: FinalMap, names: Sequence[str], classes: Nomenclature | None
) -> None:
    """Set tags, names and units of bands, and the colour table."""
    layer = final.layer
    own = {
        "LAYER": layer.name,
        "TITLE": layer.title,
        "UNITS": layer.unit,
        "DESCRIPTION": layer.description,
    }
    if classes:
        own |= {f"CLASS_{item.code}": item.name for item in classes.classes}
    everything = {key: str(value) for key, value in {**final.tags, **own}.items()}
    dataset.SetMetadata(dict(sorted(everything.items())))
    for number, name in enumerate(names, start=1):
        band = dataset.GetRasterBand(number)
        band.SetDescription(name)
        band.SetUnitType(layer.unit)
    if classes:
        table = gdal.ColorTable()
        for item in classes.classes:
            table.SetColorEntry(item.code, (*item.colour, 255))
        dataset.GetRasterBand(1).SetColorTable(table)


def _write_cog(virtual: gdal.Dataset, output: str, layer: Layer, threads: int) -> None:
    """Copy a virtual raster to a Cloud-Optimised GeoTIFF under a temporary name, then rename."""
    predictor = "NO" if layer.coded else "STANDARD"
    options = [
        *COG_OPTIONS,
        f"OVERVIEW_RESAMPLING={layer.overviews}",
        f"PREDICTOR={predictor}",
        f"OVERVIEW_PREDICTOR={predictor}",
        f"NUM_THREADS={threads}",
    ]
    with whole_file(output) as temporary, block_cache(MAP_CACHE_MB):
        try:
            with gdal_failures_raise(output):
                copy = gdal.GetDriverByName("COG").CreateCopy(temporary, virtual, 1, options)
                copy.FlushCache()
                del copy
        finally:
            Path(f"{temporary}.ovr.tmp").unlink(missing_ok=True)


def _check_readable(pieces: Sequence[Piece]) -> None:
    """After a failure, blame the source that cannot be decoded, if there is one."""
    for piece in pieces:
        dataset = open_raster(piece.path)
        for window in piece.grid.windows(STRIP_ROWS):
            read_window(dataset, window)
