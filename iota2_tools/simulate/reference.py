"""The reference: a sample of parcels as polygons, regions, departments, the table of classes."""

import csv
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from osgeo import gdal, ogr

from iota2_tools.core.files import whole_file
from iota2_tools.geo.burning import vectors_in_memory
from iota2_tools.geo.grid import Window, spatial_reference
from iota2_tools.simulate.hashing import stream_key, uniform, value_noise
from iota2_tools.simulate.landscape import (
    CODES,
    NOMENCLATURE,
    REGION_STEP,
    Land,
    describe_land,
    region_limits,
)
from iota2_tools.simulate.settings import (
    CRS,
    FALSE_NORTHING,
    RESOLUTION,
    SceneSettings,
    grid_of_window,
    scene_window,
    tile_window,
)

ogr.UseExceptions()

LOGGER = logging.getLogger(__name__)

SURVEY_SIDE = 800
MOST_SURVEYS = 60
SMALLEST_POLYGON = 8
FIXED_DATE = "2000-01-01T00:00:00.000Z"
DEPARTMENTS = "departments.gpkg"
AROUND = 1000.0
"""Metres by which regions and departments reach beyond the scene."""
CONFUSED_WITH = {2: 3, 3: 2, 4: 2, 5: 6, 6: 5, 7: 8, 8: 7, 9: 10, 10: 9, 11: 7, 1: 7}


@dataclass(frozen=True)
class ReferencePolygon:
    """A parcel as the survey recorded it: name, true class, region, recorded code, outline."""

    name: int
    true_code: int
    region: int
    code: int
    outline: bytes


def write_reference(settings: SceneSettings, folder: Path) -> int:
    """Write `reference.gpkg`, `regions.gpkg`, `departments.gpkg` and `nomenclature.csv`.

    Returns
    -------
    int
        Number of polygons.
    """
    write_nomenclature(folder / "nomenclature.csv")
    labels = {code: name for code, name, *_ in NOMENCLATURE}
    polygons = survey(settings)
    rows = [({"code": p.code, "label": labels[p.code]}, p.outline) for p in polygons]
    columns = {"code": ogr.OFTInteger, "label": ogr.OFTString}
    _write_gpkg(folder / "reference.gpkg", "reference", columns, rows)
    regions = [({"region": name}, outline) for name, outline in region_outlines(settings)]
    _write_gpkg(folder / "regions.gpkg", "regions", {"region": ogr.OFTString}, regions)
    write_departments(settings, folder / DEPARTMENTS)
    classes = {polygon.code for polygon in polygons}
    LOGGER.info("reference: %d polygons of %d classes", len(polygons), len(classes))
    return len(polygons)


def write_nomenclature(path: Path) -> None:
    """Write the table of classes: code, name, colour, parent."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("code", "name", "colour", "parent"))
    table.writerows(NOMENCLATURE)
    with whole_file(str(path)) as temporary:
        Path(temporary).write_text(text.getvalue(), encoding="utf-8")


def survey(settings: SceneSettings) -> list[ReferencePolygon]:
    """Choose parcels, an equal number of each class and region as far as they exist.

    Squares of the scene are surveyed in random order until enough is found or 60 are seen.
    """
    quota = max(2, settings.reference_polygons // (2 * len(CODES)))
    found: dict[int, ReferencePolygon] = {}
    counts: Counter[tuple[int, int]] = Counter()
    for square in _squares(settings)[:MOST_SURVEYS]:
        for polygon in _parcels_of(settings, square):
            stratum = (polygon.true_code, polygon.region)
            if polygon.name not in found and counts[stratum] < quota:
                counts[stratum] += 1
                found[polygon.name] = polygon
        if len(counts) == 2 * len(CODES) and min(counts.values()) == quota:
            break
    chosen = sorted(found.values(), key=lambda polygon: polygon.name)
    return chosen[: settings.reference_polygons]


def _squares(settings: SceneSettings) -> list[Window]:
    """Survey squares of the scene in random order; a small scene is one or a few."""
    scene = scene_window(settings)
    squares = [
        Window(scene.row + place.row, scene.col + place.col, place.rows, place.cols)
        for place in grid_of_window(scene).windows(SURVEY_SIDE, SURVEY_SIDE)
    ]
    return sorted(
        squares, key=lambda square: stream_key(settings.seed, "survey", square.row, square.col)
    )


def _parcels_of(settings: SceneSettings, square: Window) -> Iterator[ReferencePolygon]:
    """Parcels of a square, eroded by one pixel, in random order."""
    land = describe_land(settings, square)
    kept = _eroded(land.parcel) & _in_tiles(settings, square)
    pieces = _largest_pieces(land, kept)
    names = land.identifiers
    for parcel in sorted(pieces, key=lambda n: stream_key(settings.seed, "sample", names[n])):
        code = int(land.codes[parcel])
        name = int(names[parcel])
        yield ReferencePolygon(
            name,
            code,
            int(land.regions[parcel]),
            recorded_code(settings, name, code),
            pieces[parcel],
        )


def recorded_code(settings: SceneSettings, name: int, code: int) -> int:
    """Code written in the reference: the truth, or for a few parcels a similar class."""
    draw = uniform(stream_key(settings.seed, "label noise", name))
    return CONFUSED_WITH[code] if draw < settings.label_noise else code


def _eroded(parcel: np.ndarray) -> np.ndarray:
    """True where a pixel and its eight neighbours are one parcel, and off the border."""
    kept = np.zeros(parcel.shape, dtype=bool)
    kept[1:-1, 1:-1] = True
    centre = parcel[1:-1, 1:-1]
    rows, cols = parcel.shape
    for i in range(3):
        for j in range(3):
            kept[1:-1, 1:-1] &= parcel[i : rows - 2 + i, j : cols - 2 + j] == centre
    return kept


def _in_tiles(settings: SceneSettings, square: Window) -> np.ndarray:
    """True where some tile holds the pixel."""
    inside = np.zeros((square.rows, square.cols), dtype=bool)
    for tile in settings.tiles:
        window = tile_window(settings, tile)
        row, col = window.row - square.row, window.col - square.col
        inside[max(row, 0) : max(row + window.rows, 0), max(col, 0) : max(col + window.cols, 0)] = (
            True
        )
    return inside


def _largest_pieces(land: Land, kept: np.ndarray) -> dict[int, bytes]:
    """Outline (WKB) of the largest connected piece of each parcel, if it is large enough."""
    grid = grid_of_window(land.window)
    source = gdal.GetDriverByName("MEM").Create("", grid.cols, grid.rows, 2, gdal.GDT_Int32)
    source.SetGeoTransform(grid.geotransform)
    source.GetRasterBand(1).WriteArray(land.parcel)
    source.GetRasterBand(2).WriteArray(kept.astype(np.int32))
    memory = vectors_in_memory()
    layer = memory.CreateLayer("pieces", None, ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn("parcel", ogr.OFTInteger))
    gdal.Polygonize(source.GetRasterBand(1), source.GetRasterBand(2), layer, 0)
    areas: dict[int, float] = {}
    outlines: dict[int, bytes] = {}
    for feature in layer:
        parcel, geometry = feature.GetField(0), feature.GetGeometryRef()
        area = geometry.GetArea() / RESOLUTION**2
        if area >= max(SMALLEST_POLYGON, areas.get(parcel, 0.0) + 0.5):
            areas[parcel] = area
            outlines[parcel] = bytes(geometry.ExportToWkb(ogr.wkbNDR))
    return outlines


def region_outlines(settings: SceneSettings) -> list[tuple[str, bytes]]:
    """Name and outline (WKB) of both regions, over the scene and 1 km around."""
    scene = scene_window(settings)
    limits, first = region_limits(settings, scene)
    x = limits * RESOLUTION
    y = FALSE_NORTHING - (first + np.arange(len(limits))) * REGION_STEP * RESOLUTION
    border = list(zip(x.tolist(), y.tolist(), strict=True))
    left, _, right, _ = grid_of_window(scene).bounds
    west, east = min(left, min(x)) - AROUND, max(right, max(x)) + AROUND
    corners = {"1": west, "2": east}
    return [
        (name, _polygon([*border, (side, border[-1][1]), (side, border[0][1])]))
        for name, side in corners.items()
    ]


def write_departments(settings: SceneSettings, path: Path) -> None:
    """Write a layer of three made-up departments: fields `code` (`01`, …) and `name`."""
    columns = {"code": ogr.OFTString, "name": ogr.OFTString}
    rows = [
        ({"code": f"{number:02}", "name": name}, outline)
        for number, (name, outline) in enumerate(department_outlines(settings), start=1)
    ]
    _write_gpkg(path, "departments", columns, rows)


def department_outlines(settings: SceneSettings) -> list[tuple[str, bytes]]:
    """Name and outline (WKB) of each department; together a rectangle, the scene and 1 km around.

    A wavy border runs from north to south, west of the middle; from its middle one to the east.
    """
    left, bottom, right, top = grid_of_window(scene_window(settings)).bounds
    west, south, east, north = left - AROUND, bottom - AROUND, right + AROUND, top + AROUND
    key = stream_key(settings.seed, "departments")
    steps = 16
    sway = [0.06 * value_noise(key, 4 * n / steps, 0.5) for n in range(steps + 1)]
    height = (north - south) / steps
    border = [
        (round(west + (0.4 + sway[n]) * (east - west)), north - n * height)
        for n in range(steps + 1)
    ]
    fork = steps // 2
    first, level = border[fork]
    width = (east - first) / steps
    branch = [
        (first + n * width, round(level + sway[n] * (north - south)) if n else level)
        for n in range(steps + 1)
    ]
    corners = {
        "West": [*border, (west, south), (west, north)],
        "Northeast": [*border[: fork + 1], *branch[1:], (east, north)],
        "Southeast": [*branch, (east, south), *border[:fork:-1]],
    }
    return [(name, _polygon(points)) for name, points in corners.items()]


def _polygon(corners: Iterable[tuple[float, float]]) -> bytes:
    ring = ogr.Geometry(ogr.wkbLinearRing)
    for x, y in corners:
        ring.AddPoint_2D(x, y)
    ring.CloseRings()
    polygon = ogr.Geometry(ogr.wkbPolygon)
    polygon.AddGeometry(ring)
    return bytes(polygon.ExportToWkb(ogr.wkbNDR))


@contextmanager
def fixed_date() -> Iterator[None]:
    """Let GeoPackages bear a constant date, so that equal content gives equal bytes."""
    before = gdal.GetConfigOption("OGR_CURRENT_DATE")
    gdal.SetConfigOption("OGR_CURRENT_DATE", FIXED_DATE)
    try:
        yield
    finally:
        gdal.SetConfigOption("OGR_CURRENT_DATE", before)


def _write_gpkg(
    path: Path, layer_name: str, columns: dict[str, int], rows: list[tuple[dict, bytes]]
) -> None:
    """Write one layer of polygons."""
    with fixed_date(), whole_file(str(path)) as temporary:
        dataset = ogr.GetDriverByName("GPKG").CreateDataSource(temporary)
        layer = dataset.CreateLayer(layer_name, spatial_reference(CRS), ogr.wkbPolygon)
        for name, kind in columns.items():
            layer.CreateField(ogr.FieldDefn(name, kind))
        layer.StartTransaction()
        for values, outline in rows:
            feature = ogr.Feature(layer.GetLayerDefn())
            for name, value in values.items():
                feature.SetField(name, value)
            feature.SetGeometry(ogr.CreateGeometryFromWkb(outline))
            layer.CreateFeature(feature)
        layer.CommitTransaction()
        del layer, dataset
