"""A picture of the class map for reports: map, legend with the share of each class, scale bar, north.

The year, the sensors and the software are those that the tags of the map tell.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from osgeo import gdal, osr

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file
from iota2_tools.core.words import number
from iota2_tools.geo.grid import Grid, grid_of, spatial_reference
from iota2_tools.geo.raster import MAP_CACHE_MB, block_cache, open_raster, unreadable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DPI = 100
MARGIN = 40
PANEL = 400  # width of the legend, in points of the picture
ROW = 26  # height of a line of the legend
TITLE = 56
FOOT = 84
INK = "#222222"
USER_FEATURES = "user features"
"""What stands for sensors where there are none."""
UNKNOWN = (128, 128, 128)
METRES_PER_DEGREE = 111_320.0

logger = logging.getLogger(__name__)


def write_preview(
    class_map: str,
    nomenclature: Nomenclature,
    path: str,
    max_size: int = 1600,
    *,
    title: str = "Land cover",
) -> None:
    """Draw a class map as PNG, whatever its size, from decimated reads.

    Written again from the same map, the picture is the same byte for byte.

    Parameters
    ----------
    class_map : str
        Class codes, 0: not mapped.
    nomenclature : Nomenclature
        Names and colours. Codes it does not hold are drawn grey.
    path : str
        PNG to write.
    max_size : int
        Longest side of the map in the picture, in pixels; a smaller map is enlarged by a whole
        factor.
    title : str
        Text above the map, to which the year of the features is added.

    Raises
    ------
    InputDataError
        If the map cannot be read or holds no class at all.
    """
    grid = grid_of(class_map)
    shape = _picture_shape(grid, max_size)
    codes = read_decimated(class_map, *shape, "mode")
    shares = class_shares(class_map, max_size)
    if not shares:
        raise InputDataError(f"{class_map}: no pixel has a class; see the logs of classify_tile")
    logger.info("%s: %d classes, drawn as %d x %d pixels", class_map, len(shares), *shape)
    tags = open_raster(class_map).GetMetadata()
    period = period_of(tags)
    if period and _years(*period) not in title:
        title = f"{title} {_years(*period)}"
    source = " · ".join([area_text(class_map, max_size), *source_of(tags)])
    image = colourise(codes, nomenclature)
    _draw(_Picture(image, shares, nomenclature, grid, title, source), path)


def period_of(tags: Mapping[str, str]) -> tuple[str, str] | None:
    """First and last day of the features of a map, by its tag ``DATES``; None without time series.

    >>> period_of({"DATES": "sentinel1_asc:2018-01-03/2018-12-29 sentinel2:2018-01-06/2018-12-30"})
    ('2018-01-03', '2018-12-30')
    """
    days = re.findall(r"\d{4}-\d{2}-\d{2}", tags.get("DATES", ""))
    return (min(days), max(days)) if days else None


def _years(first: str, last: str) -> str:
    return first[:4] if first[:4] == last[:4] else f"{first[:4]}-{last[:4]}"


def sensors_told(names: Iterable[str]) -> list[str]:
    """Sensors as readers call them, by their keys in the configuration; each once.

    >>> sensors_told(["landsat8", "landsat8_usgs", "sentinel2_sen2cor", "own_series", "stac"])
    ['Landsat-8', 'Sentinel-2', 'series of the user', 'images of a STAC collection']
    """
    others = {
        "own_series": "series of the user", "stac": "images of a STAC collection",
        USER_FEATURES: "rasters of the user",
    }  # fmt: skip
    satellite = re.compile(r"^([a-z]+)(\d)(_.*)?$")
    told = [
        found[1].capitalize() + "-" + found[2]
        if (found := satellite.match(name))
        else others.get(name, name.replace("_", " ").capitalize())
        for name in names
    ]
    return list(dict.fromkeys(told))


def source_of(tags: Mapping[str, str]) -> list[str]:
    """What a map is of, by its tags: period of its features, sensors, software.

    The days are those that series are interpolated to; images may be from a few days more.

    >>> source_of({"DATES": "landsat8:2018-01-06/2018-12-08", "SENSORS": "landsat8", "SOFTWARE": "iota2-tools 0.1.0"})
    ['features of 2018-01-06 to 2018-12-08', 'Landsat-8', 'iota2-tools 0.1.0']
    """
    period = period_of(tags)
    given = tags.get("SENSORS", "")
    names = [given] if given == USER_FEATURES else given.split()
    sensors = ", ".join(sensors_told(names))
    days = f"features of {period[0]} to {period[1]}" if period else ""
    found = [days, sensors, tags.get("SOFTWARE", "")]
    return [text for text in found if text]


def area_text(path: str, max_size: int) -> str:
    """How much of the ground a map shows, from the same pixels as `class_shares`.

    Where coordinates are angles, the share of the pixels.
    """
    grid = grid_of(path)
    codes = read_decimated(path, min(grid.rows, max_size), min(grid.cols, max_size), "nearest")
    share = float((codes != 0).mean())
    reference = spatial_reference(grid.crs)
    if reference.IsGeographic():
        return f"{number(100 * share, 1)} % mapped"
    side = grid.resolution * reference.GetLinearUnits() / 1000
    return f"{_rounded(share * grid.rows * grid.cols * side**2)} km² mapped"


def _rounded(value: float) -> str:
    """Four figures, for the area of a large map is that of a sample of its pixels."""
    digits = max(0, 3 - math.floor(math.log10(value))) if value > 0 else 0
    return number(value, digits, apart=" ")


def north_of(grid: Grid) -> float:
    """Angle from up to true north in the middle of a map, degrees clockwise."""
    reference, degrees = spatial_reference(grid.crs), spatial_reference("EPSG:4326")
    left, bottom, right, top = grid.bounds
    x, y = (left + right) / 2, (bottom + top) / 2
    longitude, latitude, _ = osr.CoordinateTransformation(reference, degrees).TransformPoint(x, y)
    step = 0.01 if latitude < 89 else -0.01
    back = osr.CoordinateTransformation(degrees, reference)
    east, north, _ = back.TransformPoint(longitude, latitude + step)
    return math.degrees(math.atan2((east - x) * step, (north - y) * step))


def _picture_shape(grid: Grid, max_size: int) -> tuple[int, int]:
    """Rows and columns of the map in the picture."""
    ratio = max_size / max(grid.rows, grid.cols)
    if ratio > 1:
        ratio = math.floor(ratio)
    return max(1, round(grid.rows * ratio)), max(1, round(grid.cols * ratio))


def read_decimated(path: str, rows: int, cols: int, resampling: str) -> np.ndarray:
    """Read a map at a size, never whole.

    Parameters
    ----------
    path : str
        Class map.
    rows, cols : int
        Shape to read.
    resampling : {"mode", "nearest"}
        "mode": the most frequent class, from the overviews, for the eye. "nearest": a regular
        sample of the full resolution, for figures; modes swell large classes.
    """
    options = ["OVERVIEW_LEVEL=NONE"] if resampling == "nearest" else []
    open_raster(path)
    dataset = gdal.OpenEx(path, gdal.OF_RASTER, open_options=options)
    algorithm = gdal.GRIORA_Mode if resampling == "mode" else gdal.GRIORA_NearestNeighbour
    try:
        with block_cache(MAP_CACHE_MB):
            return dataset.GetRasterBand(1).ReadAsArray(
                buf_xsize=cols, buf_ysize=rows, resample_alg=algorithm
            )
    except RuntimeError as error:
        raise unreadable(dataset.GetDescription(), error) from None


def class_shares(path: str, max_size: int) -> dict[int, float]:
    """Share of the mapped area of each class present, from 0 to 1.

    Counted on every pixel up to `max_size` pixels a side, else on a regular sample of that size:
    with 1600 x 1600 pixels the standard error stays below 0.04 %.
    """
    grid = grid_of(path)
    codes = read_decimated(path, min(grid.rows, max_size), min(grid.cols, max_size), "nearest")
    present, counts = np.unique(codes[codes != 0], return_counts=True)
    return dict(zip(present.tolist(), (counts / counts.sum()).tolist(), strict=True))


def colourise(codes: np.ndarray, nomenclature: Nomenclature) -> np.ndarray:
    """Colours of class codes: uint8, shape (rows, cols, 4), transparent where the code is 0."""
    table = np.full((int(codes.max(initial=0)) + 1, 4), (*UNKNOWN, 255), dtype=np.uint8)
    table[0] = 0
    for item in nomenclature.classes:
        if item.code < len(table):
            table[item.code] = (*item.colour, 255)
    return table[codes]


@dataclass(frozen=True)
class ScaleBar:
    """Length of the bar as a fraction of the width of the map, and its label."""

    fraction: float
    label: str


def scale_bar(grid: Grid) -> ScaleBar:
    """A round length, 1, 2 or 5 times a power of ten, of at most a quarter of the map's width."""
    reference = spatial_reference(grid.crs)
    if reference.IsGeographic():
        latitude = math.radians((grid.top + grid.bottom) / 2)
        metres = METRES_PER_DEGREE * math.cos(latitude)
    else:
        metres = reference.GetLinearUnits()
    width = grid.cols * grid.resolution * metres
    power = 10.0 ** math.floor(math.log10(width / 4))
    length = max(power * step for step in (1, 2, 5) if power * step <= width / 4 * (1 + 1e-9))
    label = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    return ScaleBar(length / width, label)


@dataclass(frozen=True)
class _Picture:
    """What is drawn: the map as colours (rows, cols, 4), shares of the classes, title, sources."""

    image: np.ndarray
    shares: dict[int, float]
    nomenclature: Nomenclature
    grid: Grid
    title: str
    source: str


def _draw(picture: _Picture, path: str) -> None:
    """Lay out map, legend, title and foot, one picture pixel for one read pixel."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, cols = picture.image.shape[:2]
    inner = max(rows, ROW * (len(picture.shares) + 2))
    width, height = cols + PANEL + 3 * MARGIN, inner + TITLE + FOOT + 10
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    page = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    page.set_axis_off()
    head: dict[str, Any] = {"size": 18, "weight": "bold", "va": "center", "color": INK}
    page.text(MARGIN, TITLE / 2 + 4, picture.title, parse_math=False, **head)
    box = (MARGIN / width, 1 - (TITLE + rows) / height, cols / width, rows / height)
    view = figure.add_axes(box, xticks=[], yticks=[])
    view.imshow(picture.image, interpolation="nearest", aspect="auto")
    for spine in view.spines.values():
        spine.set(color="#999999", linewidth=0.8)
    _draw_legend(page, picture, cols + 2 * MARGIN)
    _draw_scale_bar(page, scale_bar(picture.grid), cols, TITLE + rows + 22)
    _draw_north(page, north_of(picture.grid), MARGIN + cols - 14, TITLE + rows + 28)
    small: dict[str, Any] = {"size": 10, "va": "center", "color": "#666666"}
    page.text(MARGIN, TITLE + rows + 54, picture.source, parse_math=False, **small)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


def _draw_legend(page: Axes, picture: _Picture, left: int) -> None:
    """One line a class present, in the order of the codes: colour, name, share."""
    from matplotlib.patches import Rectangle

    colours = {item.code: item.hex_colour for item in picture.nomenclature.classes}
    right = left + PANEL
    top = TITLE + 8
    page.text(left, top, "Class", size=10, color="#666666", va="center")
    page.text(right, top, "Share of mapped area", size=10, color="#666666", va="center", ha="right")
    page.plot([left, right], [top + 14, top + 14], color="#cccccc", linewidth=0.8)
    for line, (code, share) in enumerate(sorted(picture.shares.items())):
        y = top + 14 + ROW * (line + 0.75)
        colour = colours.get(code, "#{:02x}{:02x}{:02x}".format(*UNKNOWN))
        chip = Rectangle((left, y - 8), 26, 16, fc=colour, ec="#555555", lw=0.6)
        page.add_patch(chip)
        name = picture.nomenclature.name_of(code)
        name = name if len(name) <= 38 else name[:37].rstrip() + "…"
        page.text(left + 36, y, name, size=11, color=INK, va="center", parse_math=False)
        page.text(right, y, share_text(share), size=11, color=INK, va="center", ha="right")


def share_text(share: float) -> str:
    """Percentage with one decimal; a class present never reads 0."""
    return "< 0.1 %" if 0 < share < 0.0005 else f"{number(100 * share, 1)} %"


def _draw_north(page: Axes, angle: float, x: float, y: float) -> None:
    """An arrow to true north, and its letter beyond the tip."""
    turn = math.radians(angle)
    right, up = math.sin(turn), -math.cos(turn)
    tip, end = (x + 9 * right, y + 9 * up), (x - 13 * right, y - 13 * up)
    page.annotate("", tip, end, arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.2})
    letter = (x + 16 * right, y + 16 * up)
    page.text(*letter, "N", size=10, weight="bold", va="center", ha="center", color=INK)


def _draw_scale_bar(page: Axes, bar: ScaleBar, cols: int, y: float) -> None:
    """Bar in two halves under the left corner of the map."""
    from matplotlib.patches import Rectangle

    length = bar.fraction * cols
    for part, colour in enumerate((INK, "white")):
        place = (MARGIN + part * length / 2, y - 4)
        page.add_patch(Rectangle(place, length / 2, 8, fc=colour, ec=INK, lw=0.8))
    page.text(MARGIN + length + 10, y, bar.label, size=11, va="center", color=INK)
