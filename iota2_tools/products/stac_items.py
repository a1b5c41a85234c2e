"""Local STAC items: where they are, when and over which ground; plain JSON, nothing is fetched.

A path may be a folder of items, a collection or catalogue with its links, a list of items
(FeatureCollection), or one item. What the plan needs of each is kept in an index, so that a file
is read once.

References
----------
STAC 1.0.0 and 1.1.0, item and common metadata; extensions grid 1.1, projection 2.0, eo 1.1 and
2.0, raster 1.1 and 2.0.
"""

import hashlib
import itertools
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import shapely
from osgeo import osr

from iota2_tools.core.errors import InputDataError, Iota2Error, OutputError
from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid, crs_name, spatial_reference

DEGREES = "EPSG:4326"
LONGEST = timedelta(days=45)
"""A longer period is none that one date could stand for."""
LEAST_SHARE = 1e-5
"""Of the smaller area that two have in common; straight lines in degrees leave slivers."""
ENDINGS = (".json", ".geojson")
MGRS = re.compile(r"T?\d{1,2}[A-Z]{3}", re.IGNORECASE)
CODES = ("grid:code", "s2:mgrs_tile")
VERSIONS = ("s2:processing_baseline", "processing:version", "version", "updated", "created")
"""What tells how new a processing is, the first of most weight."""
FORM = 2
"""Of the index; another one is made anew."""


@dataclass(frozen=True)
class Item:
    """What the plan knows of an item.

    Parameters
    ----------
    name : str
        Its file, relative to the path; with ``#`` and its identifier where a file holds several.
    collection : str
        Its collection, empty if it names none.
    time : str
        Of acquisition (ISO, UTC); the middle of a period.
    platform : str
        Satellite.
    place : str
        The same for items whose images lie on one grid.
    codes : tuple of str
        Tiles that it names.
    version : tuple of int
        Of the processing; larger is newer.
    outline : tuple of rings of (longitude, latitude)
        Polygons of the ground it shows, degrees.
    contents : str
        Digest of the item.
    """

    name: str
    collection: str
    time: str
    platform: str
    place: str
    codes: tuple[str, ...]
    version: tuple[int, ...]
    outline: tuple[tuple[tuple[float, float], ...], ...]
    contents: str

    def names(self, tile: str) -> bool:
        """Whether it names a tile."""
        return any(_bare(code) == _bare(tile) for code in self.codes)


@dataclass(frozen=True)
class Found:
    """Items of a path by name, and what looks like an item and cannot be used."""

    items: dict[str, Item] = field(default_factory=dict)
    strangers: dict[str, str] = field(default_factory=dict)


def _bare(code: str) -> str:
    """A tile without what may stand before its name: MGRS-31TCJ, T31TCJ -> 31TCJ."""
    bare = code.upper().removeprefix("MGRS-")
    return bare.removeprefix("T") if MGRS.fullmatch(bare) else bare


def base_of(path: str) -> Path:
    """Folder that names of items are relative to."""
    return Path(path) if os.path.isdir(path) else Path(path).parent


def over_tile(items: Iterable[Item], tile: str, grid: Grid) -> list[Item]:
    """Items that name a tile, or whose ground touches it.

    Where both the tile and an item name a square of MGRS their names alone count: neighbours show
    the same acquisition again along the edge.
    """
    ground = shapely.Polygon(_tile_outline(grid))
    square = bool(MGRS.fullmatch(tile))
    return [item for item in items if item.names(tile) or _touches(item, ground, square)]


def _touches(item: Item, ground: shapely.Polygon, square: bool) -> bool:
    if square and any(MGRS.fullmatch(_bare(code)) for code in item.codes):
        return False
    middle = ground.centroid.x
    for ring in item.outline:
        shape = shapely.make_valid(shapely.Polygon(_near(ring, middle)))
        least = LEAST_SHARE * min(shape.area, ground.area)
        if shape.intersects(ground) and shape.intersection(ground).area > least:
            return True
    return False


def _tile_outline(grid: Grid) -> list[tuple[float, float]]:
    """Outline of a tile in degrees, without a jump at the date line."""
    return _unwrapped(_bounds_outline(grid.bounds, grid.crs))


def _bounds_outline(
    bounds: Sequence[float], crs: str, steps: int = 64
) -> list[tuple[float, float]]:
    """Outline of a rectangle of a projection, degrees."""
    left, bottom, right, top = bounds
    corners = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
    points = [
        (x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps)
        for (x0, y0), (x1, y1) in itertools.pairwise(corners)
        for step in range(steps)
    ]
    to_degrees = osr.CoordinateTransformation(spatial_reference(crs), spatial_reference(DEGREES))
    try:
        shown = to_degrees.TransformPoints(points)
    except RuntimeError as error:
        raise InputDataError(f"{crs_name(crs)} cannot be told in degrees ({error})") from None
    return [(longitude, latitude) for longitude, latitude, *_ in shown]


def _unwrapped(ring: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A ring whose longitudes go on beyond 180 where it crosses the date line."""
    first = ring[0][0]
    return [(first + (lon - first + 180) % 360 - 180, lat) for lon, lat in ring]


def _near(ring: Sequence[tuple[float, float]], middle: float) -> list[tuple[float, float]]:
    """The same ring, on the turn of the globe of a longitude."""
    unwrapped = _unwrapped(ring)
    turns = round((unwrapped[0][0] - middle) / 360)
    return [(lon - 360 * turns, lat) for lon, lat in unwrapped]


def find_items(path: str, index: str = "") -> Found:
    """Items of a path.

    Parameters
    ----------
    path : str
        Folder, collection, catalogue, list of items, or item.
    index : str
        JSON file that keeps what files tell; written if it can be. Empty: none.
    """
    known = _read_index(index)
    told: dict[str, dict[str, Any]] = {}
    base = base_of(path)
    waiting = list(_files_below(path))
    while waiting:
        file = os.path.normpath(waiting.pop(0))
        name = os.path.relpath(file, base)
        if name in told:
            continue
        told[name] = _facts(file, name, known.get(name))
        waiting += [os.path.join(os.path.dirname(file), link) for link in told[name]["links"]]
    if told != known and index:
        with suppress(OutputError, OSError):
            _write_index(index, told)
    return _joined(told)


def _files_below(path: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    for folder, folders, files in os.walk(path, followlinks=True):
        folders.sort()
        yield from (os.path.join(folder, name) for name in sorted(files) if name.endswith(ENDINGS))


def _facts(file: str, name: str, known: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a file tells: its items, those of them that cannot be used, and links to others."""
    try:
        about = os.stat(file)
    except OSError:
        return {
            "state": [], "items": [], "links": [], "strangers": {name: "is missing, a collection links to it"},
        }  # fmt: skip
    state = [about.st_size, about.st_mtime_ns]
    if known and known["state"] == state:
        return dict(known)
    facts: dict[str, Any] = {"state": state, "items": [], "links": [], "strangers": {}}
    try:
        given = read_json(file)
    except InputDataError as error:
        facts["strangers"][name] = str(error)
        return facts
    kind = given.get("type") if isinstance(given, dict) else None
    if kind in ("Collection", "Catalog"):
        facts["links"], facts["strangers"] = _links(given, name)
        return facts
    for own, item in named_items(given, name).items():
        try:
            facts["items"].append(_look_at(item, own))
        except InputDataError as error:
            facts["strangers"][own] = str(error)
    return facts


def read_json(file: str) -> Any:
    """What a JSON file holds.

    Raises
    ------
    InputDataError
        If it cannot be read.
    """
    try:
        return json.loads(Path(file).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputDataError(f"{file}: is no whole JSON file ({error})") from None


def named_items(given: Any, name: str) -> dict[str, dict[str, Any]]:
    """Items of a file by name; of two with one identifier the first."""
    if isinstance(given, dict) and _is_item(given):
        return {name: given}
    several = given if isinstance(given, list) else []
    if isinstance(given, dict) and given.get("type") in ("FeatureCollection", "ItemCollection"):
        features = given.get("features")
        several = features if isinstance(features, list) else []
    items: dict[str, dict[str, Any]] = {}
    for item in several:
        if isinstance(item, dict) and _is_item(item):
            own = f"{name}#{item.get('id')}"
            while own in items and items[own] != item:
                own += "'"
            items[own] = item
    return items


def _is_item(given: Mapping[str, Any]) -> bool:
    """Whether it is meant as an item; other features of GeoJSON have neither assets nor a version of STAC."""
    return given.get("type") == "Feature" and ("assets" in given or "stac_version" in given)


def _links(given: Mapping[str, Any], name: str) -> tuple[list[str], dict[str, str]]:
    """Items and parts of a collection that lie on this machine, and those that do not."""
    links, strangers = [], {}
    given_links = given.get("links")
    for link in given_links if isinstance(given_links, list) else []:
        if not isinstance(link, dict) or link.get("rel") not in ("item", "child"):
            continue
        href = str(link.get("href"))
        try:
            links.append(local_path(href))
        except InputDataError as error:
            strangers[href] = f"{error} (a link of {name})"
    return links, strangers


def local_path(href: str) -> str:
    """Path that a reference of an item stands for.

    Raises
    ------
    InputDataError
        If it is on the network.

    >>> local_path("file:///data/B%2004.tif"), local_path("./B04.tif")
    ('/data/B 04.tif', './B04.tif')
    """
    if href.startswith("file://"):
        return unquote(href.removeprefix("file://").removeprefix("localhost"))
    if "://" in href:
        raise InputDataError(
            f"{href} is not on this machine; fetch it, and let the item name the file"
        )
    return href


def _look_at(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the plan needs of an item, as plain values."""
    for place, value, kind in _parts(given):
        if not isinstance(value, kind):
            shown = f"{value!r:.60}"
            raise InputDataError(f"is not written as an item is ({place} is {shown})")
    try:
        return asdict(_item(given, name))
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise InputDataError(f"is not written as an item is ({error})") from None


BAND_LISTS = ("bands", "eo:bands", "raster:bands")
"""Keys of an asset that hold a list of what its bands are."""


def _parts(given: Mapping[str, Any]) -> Iterator[tuple[str, Any, type | tuple[type, ...]]]:
    """Parts of an item that are read, by their place, and what each of them must be."""
    yield "properties", given.get("properties") or {}, dict
    yield "assets", given.get("assets"), dict
    for key, asset in given["assets"].items():
        place = f"assets.{key}"
        yield place, asset, dict
        yield f"{place}.href", asset.get("href", ""), str
        yield f"{place}.roles", asset.get("roles") or [], list
        yield f"{place}.gsd", asset.get("gsd") or 0, (int, float)
        for name in BAND_LISTS:
            bands = asset.get(name) or []
            yield f"{place}.{name}", bands, list
            yield from ((f"{place}.{name}.{n}", band, dict) for n, band in enumerate(bands))


def _item(given: Mapping[str, Any], name: str) -> Item:
    about = given.get("properties") or {}
    codes = tuple(str(about[key]) for key in CODES if about.get(key))
    outline = _outline(given, about)
    if not outline and not codes:
        raise InputDataError("has neither geometry nor projected bounds: its place is not known")
    platform = str(about.get("platform") or about.get("constellation") or "")
    return Item(
        name=name,
        collection=str(given.get("collection") or ""),
        time=_time(about).isoformat(),
        platform=platform,
        place=_place(given, about, codes, outline),
        codes=codes,
        version=_version(about),
        outline=outline,
        contents=contents_of(given),
    )


def contents_of(given: Mapping[str, Any]) -> str:
    """Digest of what an item tells of its files."""
    told = {key: given.get(key) for key in ("id", "properties", "assets", "geometry")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def _time(about: Mapping[str, Any]) -> datetime:
    """When an item was acquired; the middle of a period that is short enough."""
    if about.get("datetime"):
        return _moment(about["datetime"], "datetime")
    if not about.get("start_datetime") or not about.get("end_datetime"):
        raise InputDataError("has no datetime, and not both start_datetime and end_datetime")
    start = _moment(about["start_datetime"], "start_datetime")
    end = _moment(about["end_datetime"], "end_datetime")
    if end < start:
        raise InputDataError(f"ends before it starts ({start.date()} to {end.date()})")
    if end - start > LONGEST:
        raise InputDataError(
            f"is of a period of {(end - start).days} days ({start.date()} to {end.date()}), not of a date; "
            "what stands for a season or a year is a user feature"
        )
    return start + (end - start) / 2


def _moment(text: Any, key: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputDataError(f"has {key} {text!r}, which is no time") from None


def _version(about: Mapping[str, Any]) -> tuple[int, ...]:
    """Numbers of a processing; the same number of them whatever is known."""
    numbers: list[int] = []
    for key in VERSIONS[:3]:
        found = [int(part) for part in re.findall(r"\d+", str(about.get(key) or ""))][:2]
        if found:
            numbers = [*found, 0][:2]
            break
    stamp = next((str(about[key]) for key in VERSIONS[3:] if about.get(key)), "")
    made = [int(part) for part in re.findall(r"\d+", stamp)][:6]
    day = made[0] * 10000 + made[1] * 100 + made[2] if len(made) > 2 else 0
    clock = made[3] * 10000 + made[4] * 100 + made[5] if len(made) > 5 else 0
    return (*(numbers or [0, 0]), day, clock)


def _place(
    given: Mapping[str, Any], about: Mapping[str, Any], codes: tuple[str, ...], outline: Any
) -> str:
    """The same text for items whose images lie on one grid."""
    if codes:
        return _bare(codes[0])
    corner = _projected(given, about)
    if corner:
        return " ".join(f"{value:.10g}" for value in corner[0]) + f" {corner[1]}"
    west, south, east, north = shapely.MultiPoint([p for ring in outline for p in ring]).bounds
    return f"{west:.3f} {south:.3f} {east:.3f} {north:.3f}"


def _outline(given: Mapping[str, Any], about: Mapping[str, Any]) -> tuple:
    """Polygons of the ground of an item, degrees."""
    geometry = given.get("geometry") or {}
    with suppress(KeyError, TypeError, ValueError, IndexError):
        shapes = geometry["coordinates"]
        if geometry["type"] == "Polygon":
            shapes = [shapes]
        rings = [tuple((float(p[0]), float(p[1])) for p in polygon[0]) for polygon in shapes]
        numbers = [value for ring in rings for point in ring for value in point]
        if (
            geometry["type"] in ("Polygon", "MultiPolygon")
            and all(len(ring) > 3 for ring in rings)
            and all(map(math.isfinite, numbers))
        ):
            return tuple(rings)
    projected = _projected(given, about)
    if projected:
        with suppress(Iota2Error):
            return (tuple(_bounds_outline(*projected)),)
    return ()


def _projected(
    given: Mapping[str, Any], about: Mapping[str, Any]
) -> tuple[tuple[float, ...], str] | None:
    """Bounds of an item in its projection, and that projection, if both are told."""
    for source in (about, *(given.get("assets") or {}).values()):
        crs = projection_of(source) or projection_of(about)
        if not crs:
            continue
        with suppress(KeyError, TypeError, ValueError):
            box = [float(value) for value in source["proj:bbox"]]
            half = len(box) // 2  # with heights there are six
            return (*box[:2], *box[half : half + 2]), crs
        with suppress(KeyError, TypeError, ValueError, IndexError):
            a, _, left, _, e, top = (float(value) for value in source["proj:transform"][:6])
            rows, cols = source["proj:shape"]
            return (left, top + e * rows, left + a * cols, top), crs
    return None


def projection_of(source: Mapping[str, Any]) -> str:
    """Projection that an item or asset states; empty if it states none."""
    if source.get("proj:code"):
        return str(source["proj:code"])
    if source.get("proj:epsg"):
        return f"EPSG:{source['proj:epsg']}"
    return str(source.get("proj:wkt2") or "")


def _joined(told: Mapping[str, Mapping[str, Any]]) -> Found:
    """All items; one that stands in two files counts once."""
    found = Found()
    seen: dict[tuple[str, str, str], str] = {}
    for facts in told.values():
        found.strangers.update(facts["strangers"])
        for plain in facts["items"]:
            item = Item(**plain)
            key = (item.collection, item.time, item.contents)
            if key not in seen:
                seen[key] = item.name
                found.items[item.name] = item
    return found


def _read_index(index: str) -> dict[str, dict[str, Any]]:
    try:
        stored = json.loads(Path(index).read_text(encoding="utf-8"))
        return dict(stored["files"]) if stored["form"] == FORM else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write_index(index: str, told: Mapping[str, Any]) -> None:
    Path(index).parent.mkdir(parents=True, exist_ok=True)
    with whole_file(index) as temporary:
        text = json.dumps({"form": FORM, "files": told})
        Path(temporary).write_text(text, encoding="utf-8")


def raw_item(base: Path, name: str) -> dict[str, Any]:
    """An item by its name.

    Raises
    ------
    InputDataError
        If its file no longer holds it.
    """
    file = str(base / name.partition("#")[0])
    try:
        state = os.stat(file).st_mtime_ns
    except OSError:
        raise InputDataError(f"{file} is missing") from None
    items = _items_of(file, name.partition("#")[0], state)
    if name not in items:
        raise InputDataError(f"{file} no longer holds the item {name.partition('#')[2]}")
    return items[name]


@lru_cache(maxsize=256)
def _items_of(file: str, name: str, state: int) -> dict[str, dict[str, Any]]:
    return named_items(read_json(file), name)


def item_of(base: Path, name: str) -> Item:
    """What the plan knows of an item, from its file."""
    plain = _look_at(raw_item(base, name), name)
    return Item(**plain)
