"""Maps of several years, as they stand in the final folders of productions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osgeo import gdal

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.locks import problems_of_lock
from iota2_tools.geo.grid import Grid, Window, crs_name, grid_of, placed, same_crs
from iota2_tools.geo.raster import class_names, open_raster

FUSED = "fusion"
"""Name of the map of all draws, where others have the number of a draw."""


@dataclass(frozen=True)
class YearMap:
    """The map of a year.

    Parameters
    ----------
    name : str
        For readers: the year, or what the user calls it.
    classes : str
        Class map; 0: not mapped.
    legend : Nomenclature
        Its classes.
    grid : Grid
        Of the map.
    confidence, probabilities : str or None
        Rasters on the same grid: percent (0: none); per mille, a band a class in the order of the
        codes (65535: not mapped).
    """

    name: str
    classes: str
    legend: Nomenclature
    grid: Grid
    confidence: str | None = None
    probabilities: str | None = None


def year_map(
    given: str, draw: str | None = None, legend: Nomenclature | None = None, name: str | None = None
) -> YearMap:
    """The map of a production, or a class map.

    Parameters
    ----------
    given : str
        Output folder of a production (or its folder `final`), or a GeoTIFF of classes.
    draw : str, optional
        Number of the draw, or `fusion`; by default the map of all draws where there is one, else draw 0.
    legend : Nomenclature, optional
        Of a map that names no classes (its tags ``CLASS_<code>``).
    name : str, optional
        By default what was given.

    Raises
    ------
    InputDataError
        If there is no map, or it names no classes and no legend is given; or the lock of the production is of
        a newer version.
    """
    path = Path(given)
    if path.is_dir():
        classes, confidence, probabilities = _of_production(path, draw)
    else:
        classes, confidence, probabilities = path, None, None
    if not classes.is_file():
        raise InputDataError(
            f"{classes}: no such file; name the output folder of a finished production, or a class map"
        )
    found = _legend_of(str(classes)) or legend
    if found is None:
        raise InputDataError(
            f"{classes}: names no classes (it has no tags CLASS_<code>); give its table by --nomenclature"
        )
    beside = [
        str(item) if item and item.is_file() else None for item in (confidence, probabilities)
    ]
    return YearMap(name or given, str(classes), found, grid_of(str(classes)), *beside)


def _of_production(folder: Path, draw: str | None) -> tuple[Path, Path, Path]:
    """Names of class map, confidence and probabilities of a draw."""
    final = folder / "final" if (folder / "final").is_dir() else folder
    for problem in problems_of_lock(final.parent):
        raise InputDataError(problem)
    fused = final / "Classifications_fusion.tif"
    if draw == FUSED or (draw is None and fused.is_file()):
        return fused, final / "Confidence_fusion.tif", final / "ProbabilityMap_fusion.tif"
    number = draw or "0"
    return (
        final / f"Classif_Seed_{number}.tif",
        final / f"Confidence_Seed_{number}.tif",
        final / f"ProbabilityMap_seed_{number}.tif",
    )


def _legend_of(path: str) -> Nomenclature | None:
    """Classes that a map names, with the colours of its table; None if it names none."""
    dataset = open_raster(path)
    table = dataset.GetRasterBand(1).GetColorTable()
    names = class_names(path)
    classes = (LandCoverClass(code, names[code], _colour(table, code)) for code in sorted(names))
    return Nomenclature(tuple(classes)) if names else None


def _colour(table: gdal.ColorTable | None, code: int) -> tuple[int, int, int]:
    if table is None or code >= table.GetCount():
        return (128, 128, 128)
    red, green, blue, *_ = table.GetColorEntry(code)
    return red, green, blue


def common_grid(maps: Sequence[YearMap]) -> Grid:
    """What all maps cover.

    Raises
    ------
    InputDataError
        If their pixels do not fall on one another, or they share none.
    """
    first = maps[0]
    advice = f"bring it onto the pixels of {first.classes}: gdalwarp -r mode -tr … -tap"
    for other in maps[1:]:
        if not same_crs(first.grid.crs, other.grid.crs):
            raise InputDataError(
                f"{other.classes}: is in {crs_name(other.grid.crs)}, {first.classes} in "
                f"{crs_name(first.grid.crs)}; {advice}"
            )
        if abs(first.grid.resolution / other.grid.resolution - 1) > 1e-9:
            raise InputDataError(
                f"{other.classes}: has pixels of {other.grid.resolution:g}, {first.classes} of "
                f"{first.grid.resolution:g}; {advice}"
            )
        for shift in (other.grid.left - first.grid.left, other.grid.top - first.grid.top):
            pixels = shift / first.grid.resolution
            if abs(pixels - round(pixels)) > 1e-3:
                raise InputDataError(
                    f"{other.classes}: its pixels lie {pixels % 1:.3f} of a pixel beside those of "
                    f"{first.classes}; {advice}"
                )
    return _intersection(maps)


def _intersection(maps: Sequence[YearMap]) -> Grid:
    first = maps[0].grid
    windows = [placed(item.grid, first) for item in maps]
    row, col = max(window.row for window in windows), max(window.col for window in windows)
    bottom = min(window.row + window.rows for window in windows)
    right = min(window.col + window.cols for window in windows)
    if bottom <= row or right <= col:
        raise InputDataError(
            f"{', '.join(item.classes for item in maps)}: have no pixel in common; are they of one area?"
        )
    return first.part(Window(row, col, bottom - row, right - col))


def window_in(inner: Window, grid: Grid, outer: Grid) -> Window:
    """A window of `grid`, on the aligned grid `outer`."""
    return placed(grid.part(inner), outer)
