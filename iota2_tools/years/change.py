"""What changed between two maps: a map of changes, its confidence, tables in hectares.

Two maps that are each right at nine pixels of ten differ at two of ten though nothing has changed.
So a difference is no change yet. The areas that changed come from a sample of points
(`iota2 sample`, with `Changed` as strata), not from counting its pixels.
"""

import math
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import writable_folder
from iota2_tools.core.tables import write_csv
from iota2_tools.geo.grid import Grid, crs_name, pixel_hectares
from iota2_tools.geo.raster import create_raster
from iota2_tools.maps.layers import (
    CHANGE,
    CHANGE_CONFIDENCE,
    CHANGE_JUDGEMENT,
    CHANGED,
    PALE,
    Layer,
)
from iota2_tools.maps.mosaic import FinalMap, write_mosaic
from iota2_tools.maps.style import write_attribute_table, write_class_style, write_ramp_style
from iota2_tools.years.transitions import Pair, count_by_zone, count_pairs

UNCHANGED = 1
"""Code of pixels of the same class in both maps."""
MOST_CLASSES = 255
"""Of whose pairs the codes still fit 16 bits."""


@dataclass(frozen=True)
class ChangeRules:
    """What is told beside the changes.

    Parameters
    ----------
    judgements : ndarray of uint8, shape (n_classes, n_classes), optional
        See `judgement.read_judgements`.
    zones : mapping of str to (mapping of str to Geometry)
        Layers of zones, in the CRS of the maps, by name.
    tags : mapping of str to str
        Of the rasters.
    """

    judgements: np.ndarray | None = None
    zones: Mapping[str, Mapping[str, shapely.Geometry]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Changes:
    """What was found.

    Parameters
    ----------
    legend : Nomenclature
        Classes that both maps were compared by.
    pixels : ndarray of int64, shape (n_classes, n_classes)
        Pixels of each class before (rows) that are of each class after (columns).
    hectare : float
        Of a pixel.
    """

    legend: Nomenclature
    pixels: np.ndarray
    hectare: float

    @property
    def unchanged(self) -> float:
        """Share of the pixels that are of one class in both maps; NaN without any."""
        total = int(self.pixels.sum())
        return float(np.trace(self.pixels)) / total if total else float("nan")


def change_codes(count: int) -> np.ndarray:
    """Code of each pair of classes in the map of changes.

    The same for any two maps with these classes, whatever occurs in them: 1 for no change, then 2, 3, …
    for the changes in order of the classes before, then after.

    Returns
    -------
    ndarray of uint16, shape (count, count)

    Raises
    ------
    InputDataError
        If there are more classes than codes for their pairs.

    >>> change_codes(3).tolist()
    [[1, 2, 3], [4, 1, 5], [6, 7, 1]]
    """
    if count > MOST_CLASSES:
        raise InputDataError(
            f"{count} classes have more changes than a map can hold; bring them to {MOST_CLASSES} or fewer by a "
            "table (--classes)"
        )
    codes = np.full((count, count), UNCHANGED, dtype=np.uint16)
    others = ~np.eye(count, dtype=bool)
    codes[others] = np.arange(2, 2 + others.sum())
    return codes


def change_legend(legend: Nomenclature, pixels: np.ndarray) -> Nomenclature:
    """Names and colours of the changes that occur, and of no change: `Winter wheat > Maize`, in the colour after."""
    codes = change_codes(len(legend.codes))
    found = [LandCoverClass(UNCHANGED, "unchanged", PALE)]
    for before, after in zip(*np.nonzero(pixels), strict=True):
        if before != after:
            first, second = legend.classes[before], legend.classes[after]
            name = f"{first.name} > {second.name}"
            found.append(LandCoverClass(int(codes[before, after]), name, second.colour))
    return Nomenclature(tuple(found))


def write_change(pair: Pair, rules: ChangeRules, folder: str) -> Changes:
    """Write maps and tables of what changed.

    Parameters
    ----------
    pair : Pair
        Both maps.
    rules : ChangeRules
        What else is told.
    folder : str
        Gets `Change.tif`, `Changed.tif`, `Change_Confidence.tif` if both maps have a confidence,
        `Change_Judgement.tif` if there are judgements, `transitions.csv`, `transition_matrix.csv`,
        and `transitions_<zones>.csv` for each layer of zones.

    Returns
    -------
    Changes

    Raises
    ------
    InputDataError
        If the maps are in degrees, so that pixels have no area, or hold codes they do not name.
    """
    hectare = _hectare(pair)
    writable_folder(folder)
    with tempfile.TemporaryDirectory(prefix=".part-change-", dir=folder) as work:
        rasters = {name: str(Path(work, f"{name}.tif")) for name in _layers(pair, rules)}
        pixels = _write_rasters(pair, rules, rasters)
        found = Changes(pair.common.legend, pixels, hectare)
        for name, path in rasters.items():
            _publish(name, path, found, pair.grid, Path(folder), rules.tags)
    write_csv(_rows(found, rules.judgements), str(Path(folder, "transitions.csv")))
    write_csv(_matrix(found), str(Path(folder, "transition_matrix.csv")))
    for name, outlines in rules.zones.items():
        rows = _zone_rows(found, count_by_zone(pair, dict(outlines)))
        write_csv(rows, str(Path(folder, f"transitions_{name}.csv")))
    _take_away_others(Path(folder), set(rasters), set(rules.zones))
    return found


def _take_away_others(folder: Path, rasters: Collection[str], zones: Collection[str]) -> None:
    """Take away what an earlier comparison wrote there and this one did not: it is of other maps, maybe."""
    for name in _KINDS.keys() - rasters:
        for end in (".tif", ".qml", ".tif.aux.xml"):
            (folder / f"{name}{end}").unlink(missing_ok=True)
    for path in folder.glob("transitions_*.csv"):
        if path.stem.removeprefix("transitions_") not in zones and _is_of_zones(path):
            path.unlink()


def _is_of_zones(path: Path) -> bool:
    """Whether a file begins as a table of zones does; others of such a name are the user's."""
    head = ",".join(OF_ZONES).encode() + b"\n"
    with path.open("rb") as file:
        return file.read(len(head)) == head


def _hectare(pair: Pair) -> float:
    hectare = pixel_hectares(pair.grid)
    if math.isnan(hectare):
        raise InputDataError(
            f"{pair.maps[0].classes}: is in degrees ({crs_name(pair.grid.crs)}), so pixels have no area; warp both "
            "maps to a projection"
        )
    return hectare


OF_ZONES = ("zone", "from_code", "from", "to_code", "to", "pixels", "hectares")
"""Columns of the table of a layer of zones."""
_KINDS: Mapping[str, tuple[Layer, str]] = {
    "Change": (CHANGE, "uint16"),
    "Changed": (CHANGED, "uint8"),
    "Change_Confidence": (CHANGE_CONFIDENCE, "uint8"),
    "Change_Judgement": (CHANGE_JUDGEMENT, "uint8"),
}


def _layers(pair: Pair, rules: ChangeRules) -> list[str]:
    wanted = {
        "Change": True,
        "Changed": True,
        "Change_Confidence": pair.has_confidence,
        "Change_Judgement": rules.judgements is not None,
    }
    return [name for name in _KINDS if wanted[name]]


def _write_rasters(pair: Pair, rules: ChangeRules, rasters: Mapping[str, str]) -> np.ndarray:
    """Write the layers window by window; pixels of each pair of classes."""
    codes = _with_unmapped(change_codes(pair.count))
    judgements = None if rules.judgements is None else _judged(rules.judgements)
    total = np.zeros((pair.count, pair.count), dtype=np.int64)
    with ExitStack() as files:
        writers = {
            name: files.enter_context(create_raster(path, pair.grid, _KINDS[name][1], nodata=0))
            for name, path in rasters.items()
        }
        for window in pair.windows():
            before, after = pair.read(window)
            total += count_pairs(before, after, pair.count)
            change = codes[before, after]
            writers["Change"].write(change, window)
            writers["Changed"].write(np.minimum(change, 2).astype(np.uint8), window)
            if "Change_Confidence" in writers:
                confidence = both_right(*pair.read_confidence(window)) * (before > 0)
                writers["Change_Confidence"].write(confidence.astype(np.uint8), window)
            if judgements is not None:
                writers["Change_Judgement"].write(judgements[before, after], window)
    return total


def _with_unmapped(table: np.ndarray) -> np.ndarray:
    """A table of classes with a row and a column of zeros for what is not mapped."""
    return np.pad(table, ((1, 0), (1, 0)))


def _judged(judgements: np.ndarray) -> np.ndarray:
    """Judgement of each pair of places; none (0) of pixels that did not change."""
    changed = ~np.eye(len(judgements), dtype=bool)
    return _with_unmapped(judgements * changed)


def both_right(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Confidence that both maps are right, were their errors independent: the product.

    Parameters
    ----------
    before, after : ndarray of uint8, same shape
        Percent; 0 where there is none.

    Returns
    -------
    ndarray of uint8
        Percent, at least 1 where both have a confidence; 0 where one has none.

    >>> both_right(np.array([90, 50, 0, 5], np.uint8), np.array([80, 50, 90, 5], np.uint8)).tolist()
    [72, 25, 0, 1]
    """
    product = before.astype(np.uint32) * after
    return np.where(product > 0, np.maximum((product + 50) // 100, 1), 0).astype(np.uint8)


def _publish(
    name: str, source: str, found: Changes, grid: Grid, folder: Path, tags: Mapping[str, str]
) -> None:
    """The raster under its name, cloud-optimised, with its style."""
    layer = _KINDS[name][0]
    classes = change_legend(found.legend, found.pixels) if layer is CHANGE else layer.classes
    target = str(folder / f"{name}.tif")
    write_mosaic([source], target, FinalMap(layer, grid=grid, tags=tags, classes=classes))
    style = str(folder / f"{name}.qml")
    if classes is None:
        write_ramp_style(layer, style)
    else:
        write_class_style(classes, style)
        write_attribute_table(classes, f"{target}.aux.xml")


def _rows(found: Changes, judgements: np.ndarray | None) -> list[Sequence]:
    """A line a pair of classes that occurs: in order of classes; and what was said of it."""
    words = {1: "possible", 2: "unlikely", 3: "impossible"}
    header = ["from_code", "from", "to_code", "to", "change_code", "pixels", "hectares"]
    rows: list[Sequence] = [header + (["judgement"] if judgements is not None else [])]
    codes = change_codes(len(found.legend.codes))
    for before, after in zip(*np.nonzero(found.pixels), strict=True):
        first, second = found.legend.classes[before], found.legend.classes[after]
        number = int(found.pixels[before, after])
        row = [first.code, first.name, second.code, second.name, int(codes[before, after]), number]
        row.append(f"{number * found.hectare:.4f}")
        if judgements is not None:
            row.append("" if before == after else words[int(judgements[before, after])])
        rows.append(row)
    return rows


def _matrix(found: Changes) -> list[Sequence]:
    """Hectares, a row a class before and a column a class after, with sums."""
    names = [item.name for item in found.legend.classes]
    hectares = found.pixels * found.hectare
    rows: list[Sequence] = [["from / to (ha)", *names, "before"]]
    for name, row in zip(names, hectares, strict=True):
        rows.append([name, *(f"{value:.4f}" for value in row), f"{row.sum():.4f}"])
    sums = hectares.sum(axis=0)
    rows.append(["after", *(f"{value:.4f}" for value in sums), f"{sums.sum():.4f}"])
    return rows


def _zone_rows(found: Changes, zones: Mapping[str, np.ndarray]) -> list[Sequence]:
    """A line a zone and pair of classes that occurs in it; a zone without any keeps a line."""
    rows: list[Sequence] = [OF_ZONES]
    for zone, pixels in zones.items():
        if not pixels.any():
            rows.append([zone, "", "", "", "", 0, "0.0000"])
        for before, after in zip(*np.nonzero(pixels), strict=True):
            first, second = found.legend.classes[before], found.legend.classes[after]
            number = int(pixels[before, after])
            area = f"{number * found.hectare:.4f}"
            rows.append([zone, first.code, first.name, second.code, second.name, number, area])
    return rows
