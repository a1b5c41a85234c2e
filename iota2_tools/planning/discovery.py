"""What lies in a folder that a production could be made of: products by tile, polygons, classes."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyogrio

from iota2_tools.core.errors import Iota2Error
from iota2_tools.core.words import plain_text
from iota2_tools.geo.vectors import layer_header
from iota2_tools.products import FORMATS, Identity, Listing, Request, same_tile

DEEPEST = 5
"""Folders below the one that is looked at, for products."""
MOST_FOLDERS = 20_000
MOST_CLASSES = 300
"""Values of a field above which it is not that of the class."""
VECTORS = (".gpkg", ".shp", ".geojson", ".fgb", ".sqlite", ".json", ".parquet")
NAMES_OF_CLASS = (
    "code",
    "class",
    "classe",
    "label",
    "lc",
    "code_class",
    "classcode",
    "crop",
    "type",
)
CHOSEN_BY_HAND = ("own_series", "stac")
"""Formats whose names or bands the user tells: nothing can be recognised."""


@dataclass
class Series:
    """Products of a sensor: the folder that holds those of the tiles, their tiles and days."""

    sensor: str
    path: Path
    tiles: list[str] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    count: int = 0
    looked_at: list[tuple[str, ...]] = field(default_factory=list)
    """Bands that the first product of each tile has."""

    @property
    def without(self) -> list[str]:
        """Bands of the format that all tiles lack; empty where none is found, for then all is lacking."""
        found = {band for bands in self.looked_at for band in bands}
        return (
            [band for band in FORMATS[self.sensor].band_names if band not in found] if found else []
        )


@dataclass(frozen=True)
class Polygons:
    """A file of polygons: its fields that may hold a class, each with its values, best first."""

    path: Path
    features: int
    fields: dict[str, list[str]]

    @property
    def classes(self) -> dict[str, list[str]]:
        """The fields without those of regions."""
        return {name: values for name, values in self.fields.items() if not _of_regions(name)}


@dataclass
class Discovery:
    """What was found, and what looks like something and cannot be used, with the reason."""

    series: list[Series] = field(default_factory=list)
    polygons: list[Polygons] = field(default_factory=list)
    nomenclatures: list[Path] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def tiles(self) -> list[str]:
        """Tiles that every series has; where there is none, those of the first series."""
        if not self.series:
            return []
        shared = set.intersection(*(set(item.tiles) for item in self.series))
        return sorted(shared or self.series[0].tiles)


def discover(folder: Path) -> Discovery:
    """Look for products, polygons and tables of classes in a folder and those below it."""
    found = Discovery()
    for place, files in _folders(folder, found):
        _look_for_products(place, found)
        for name in files:
            path = place / name
            if path.suffix.lower() in VECTORS:
                look_for_polygons(path, found)
            elif path.suffix.lower() == ".csv" and _is_nomenclature(path):
                found.nomenclatures.append(path)
    found.series.sort(key=lambda item: (list(FORMATS).index(item.sensor), str(item.path)))
    _one_folder_a_sensor(found)
    found.polygons.sort(key=lambda item: (-item.features, str(item.path)))
    return found


def _folders(folder: Path, found: Discovery) -> Iterator[tuple[Path, list[str]]]:
    """Folders with their files, but not what lies inside products."""
    for seen, (place, below, files) in enumerate(os.walk(folder)):
        depth = len(Path(place).relative_to(folder).parts)
        below[:] = sorted(
            name for name in below if not name.startswith(".") and not _is_product(name)
        )
        if depth >= DEEPEST:
            below.clear()
        if seen == MOST_FOLDERS:
            found.remarks.append(
                f"{folder}: holds more than {MOST_FOLDERS} folders: only those were looked at"
            )
            return
        yield Path(place), sorted(files)


def _is_product(name: str) -> bool:
    return any(
        FORMATS[sensor].recognise(name) for sensor in FORMATS if sensor not in CHOSEN_BY_HAND
    )


def _look_for_products(place: Path, found: Discovery) -> None:
    """A folder that holds products is that of a tile, or all that a radar has passed over."""
    for sensor, known in FORMATS.items():
        if sensor in CHOSEN_BY_HAND:
            continue
        listing = _listing(place, sensor)
        if not listing.products:
            continue
        if known.passes:
            found.remarks.append(
                f"{place}: {len(listing.products)} products of {sensor}, which lie by pass: add its section by "
                "hand (docs/radar.md)"
            )
            continue
        strange = {item.tile for item in listing.products if item.tile} - {place.name}
        if any(not same_tile(tile, place.name) for tile in strange):
            found.remarks.append(
                f"{place}: holds {len(listing.products)} products of {sensor} and is not called after their tile "
                f"({', '.join(sorted(strange))}); put them into a folder of that name"
            )
            continue
        series = next(
            (s for s in found.series if s.sensor == sensor and s.path == place.parent), None
        )
        if series is None:
            series = Series(sensor, place.parent)
            found.series.append(series)
        series.tiles.append(place.name)
        series.days |= {item.day for item in listing.products}
        series.count += len(listing.products)
        _look_at_bands(place, listing.products[0], series)


def _look_at_bands(place: Path, product: Identity, series: Series) -> None:
    """Add the bands of a product, unless its section needs more than a path."""
    known = FORMATS[series.sensor]
    with suppress(ValueError, OSError):
        options = known.section(path=str(place.parent)).options
        request = Request(place, product.name, (), options, product.sources)
        series.looked_at.append(known.bands_of(request))


def _listing(place: Path, sensor: str) -> Listing:
    known = FORMATS[sensor]
    if known.passes:
        names = [name for name in os.listdir(place) if known.recognise(name)]
        return Listing([item for item in map(known.recognise, names) if item])
    try:
        return known.listing(str(place))
    except (Iota2Error, OSError):
        return Listing()


def _one_folder_a_sensor(found: Discovery) -> None:
    """Of several folders of a sensor the one with most products; the others are told."""
    chosen: dict[str, Series] = {}
    for item in sorted(found.series, key=lambda item: -item.count):
        if item.sensor in chosen:
            kept = chosen[item.sensor].path
            found.remarks.append(
                f"{item.path}: more products of {item.sensor}; a production reads one folder of a sensor, here {kept}"
            )
        else:
            chosen[item.sensor] = item
    found.series = [item for item in found.series if chosen[item.sensor] is item]


def look_for_polygons(path: Path, found: Discovery) -> None:
    """Add a file of polygons that have a field which may hold a class."""
    try:
        header = layer_header(str(path))
    except Iota2Error as error:
        if path.suffix.lower() not in (".json", ".parquet", ".sqlite"):
            found.remarks.append(str(error))
        return
    if "olygon" not in header.kind and header.kind != "Unknown":
        return
    try:
        table = pyogrio.read_dataframe(path, layer=header.layer, read_geometry=False)
    except (RuntimeError, ValueError) as error:  # cut, or text in another encoding
        found.remarks.append(f"{path}: its fields cannot be read ({error})")
        return
    fields = {}
    for name in table.columns:
        if table[name].dtype.kind == "f" and (table[name].dropna() % 1 != 0).any():
            continue
        values = sorted({plain_text(value) for value in table[name].dropna()}, key=_order)
        least = 0 if _of_regions(name) else 1  # a region may be one polygon
        if 0 < len(values) <= min(MOST_CLASSES, max(len(table) - least, 1)):
            fields[name] = values
    fields = dict(sorted(fields.items(), key=lambda item: _rank(item[0])))
    if fields:
        found.polygons.append(Polygons(path, header.features, fields))


def _of_regions(name: str) -> bool:
    return "region" in name.lower()


def _rank(name: str) -> int:
    lower = name.lower()
    return NAMES_OF_CLASS.index(lower) if lower in NAMES_OF_CLASS else len(NAMES_OF_CLASS)


def _order(text: str) -> tuple[int, int | str]:
    return (0, int(text)) if text.lstrip("-").isdigit() else (1, text)


def _is_nomenclature(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            first = file.readline().strip().lower()
    except OSError:
        return False
    columns = [word.strip().strip('"') for word in re.split("[,;\t]", first)]
    return "code" in columns and bool({"name", "label"} & set(columns))
