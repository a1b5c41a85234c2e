"""A SAFE of Sentinel-1 IW GRD: what its name and its manifest tell, and where its files are."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from xml.etree.ElementTree import Element

import numpy as np
import shapely

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid, transform_bounds
from iota2_tools.radar.xml_files import REMEDY, read_xml, text_at, time_at
from iota2_tools.radar.zips import read_manifest

NAME = re.compile(
    r"(?P<platform>S1[A-Z])_IW_GRD[FHM]_1[SA](?P<code>SH|SV|DH|DV)"
    r"_(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})_(?P<orbit>\d{6})_(?P<datatake>[0-9A-F]{6})"
    r"_[0-9A-F]{4}(_COG)?(\.SAFE)?(\.zip)?"
)
POLARISATIONS = {"SH": ("HH",), "SV": ("VV",), "DH": ("HH", "HV"), "DV": ("VV", "VH")}
DIRECTIONS = {"ASCENDING": "ASC", "DESCENDING": "DES"}
LONGEST_PAUSE = timedelta(minutes=5)
"""Between two frames of one pass, lost frames included; a revolution takes 99 minutes."""
SAME_START = timedelta(seconds=2)
"""Names have whole seconds, and images of one frame may begin some lines apart."""
REACH = 0.02
"""Degrees around a tile: manifests give corners, and edges are not straight."""


@dataclass(frozen=True)
class GrdName:
    """What the name of a SAFE tells.

    Parameters
    ----------
    name : str
        Name of the folder.
    platform : str
        ``S1A``, ``S1B``, … any letter.
    start, stop : datetime
        First and last line, UTC, whole seconds.
    absolute_orbit : int
        Revolutions since launch.
    polarisations : tuple of str
        ``VV``, ``VH``, ``HH``, ``HV``.
    """

    name: str
    platform: str
    start: datetime
    stop: datetime
    absolute_orbit: int
    polarisations: tuple[str, ...]


def parse_name(name: str) -> GrdName | None:
    """What the name of an IW GRD product tells; None if it is no such name.

    >>> parse_name("S1B_IW_GRDH_1SDV_20210401T052623_20210401T052648_026269_032297_ECC8.SAFE").platform
    'S1B'
    """
    found = NAME.fullmatch(name)
    if not found:
        return None
    try:
        start, stop = (
            datetime.strptime(found[key], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            for key in ("start", "stop")
        )
    except ValueError:
        return None
    return GrdName(
        name, found["platform"], start, stop, int(found["orbit"]), POLARISATIONS[found["code"]]
    )


@dataclass(frozen=True)
class Channel:
    """Files of one polarisation of a product."""

    polarisation: str
    measurement: Path
    annotation: Path
    calibration: Path
    noise: Path


@dataclass(frozen=True)
class Frame:
    """One product: a slice of some 25 s of a pass.

    Parameters
    ----------
    folder : Path
        The SAFE, or the zip it is in.
    platform : str
        ``S1A``, ``S1B``, …
    direction : str
        ``ASC`` or ``DES``.
    orbit : int
        Relative orbit, 1 to 175.
    start, stop : datetime
        First and last line, UTC.
    version : tuple of int
        Of the processor (IPF): (3, 31), (2, 84).
    channels : mapping of str to Channel
        By polarisation; empty for one in a zip.
    footprint : tuple of (longitude, latitude)
        Corners, degrees; empty if the manifest has none.
    """

    folder: Path
    platform: str
    direction: str
    orbit: int
    start: datetime
    stop: datetime
    version: tuple[int, ...]
    channels: Mapping[str, Channel]
    footprint: tuple[tuple[float, float], ...]

    @property
    def name(self) -> str:
        return self.folder.name


def read_frame(product: Path) -> Frame:
    """Read the manifest of a SAFE, or of one in a zip, and find its files.

    Files in a zip are not found before it is unpacked: then there are no channels.

    Raises
    ------
    InputDataError
        If it is no IW GRD, or lacks its orbit, its direction, its times or a file.
    """
    product = Path(product)
    root, path = _manifest(product)
    kind = text_at(root, ".//{*}productType", path)
    mode = text_at(root, ".//{*}instrumentMode/{*}mode", path)
    if (mode, kind) != ("IW", "GRD"):
        raise InputDataError(
            f"{path}: the product is {mode} {kind}; only IW GRD is read, move the others away"
        )
    polarisations = _polarisations(root, path)
    _refuse_other_name(product, root, path)
    return Frame(
        folder=product,
        platform=_platform(root, path),
        direction=_direction(root, path),
        orbit=_orbit(root, path),
        start=time_at(root, ".//{*}acquisitionPeriod/{*}startTime", path),
        stop=time_at(root, ".//{*}acquisitionPeriod/{*}stopTime", path),
        version=_version(root, path),
        channels={} if product.is_file() else _channels(product, polarisations),
        footprint=_footprint(root, path),
    )


def _manifest(product: Path) -> tuple[Element, Path]:
    """Root of a manifest, and the file that errors name."""
    if product.is_file():
        return read_manifest(product), product
    path = product / "manifest.safe"
    return read_xml(path), path


def read_facts(product: Path) -> tuple[str, int, tuple[tuple[float, float], ...]]:
    """Orbit direction, relative orbit and footprint of a SAFE or its zip, from its manifest alone.

    Raises
    ------
    InputDataError
        If it is no whole manifest, or lacks the direction or the orbit.
    """
    root, path = _manifest(Path(product))
    return _direction(root, path), _orbit(root, path), _footprint(root, path)


def _refuse_other_name(product: Path, root: Element, path: Path) -> None:
    """Raise InputDataError if the name of a product tells another time than its manifest: the name gives the date."""
    named, start = (
        parse_name(product.name),
        time_at(root, ".//{*}acquisitionPeriod/{*}startTime", path),
    )
    if named and abs(named.start - start) > SAME_START:
        raise InputDataError(
            f"{path}: the product begins at {start:%Y-%m-%d %H:%M:%S}, its name tells of "
            f"{named.start:%Y-%m-%d %H:%M:%S}; give it back its name"
        )


def _platform(root: Element, path: Path) -> str:
    letter = text_at(root, ".//{*}platform/{*}number", path).upper()
    if not re.fullmatch("[A-Z]", letter):
        raise InputDataError(f"{path}: platform {letter!r} is no letter; {REMEDY}")
    return f"S1{letter}"


def _direction(root: Element, path: Path) -> str:
    found = root.find(".//{*}orbitProperties/{*}pass")
    word = "" if found is None else (found.text or "").strip().upper()
    if word not in DIRECTIONS:
        raise InputDataError(
            f"{path}: tells no orbit direction (found {word!r} where ASCENDING or DESCENDING stands): "
            f"the two are never mixed in one series; {REMEDY}"
        )
    return DIRECTIONS[word]


def _orbit(root: Element, path: Path) -> int:
    text = text_at(root, ".//{*}relativeOrbitNumber", path)
    if not text.isdecimal() or not 1 <= int(text) <= 175:
        raise InputDataError(f"{path}: relative orbit {text!r} is not from 1 to 175; {REMEDY}")
    return int(text)


def _version(root: Element, path: Path) -> tuple[int, ...]:
    """Of the processor that made the product; (2, 84) from ``002.84``."""
    for software in root.iterfind(".//{*}software"):
        found = re.fullmatch(r"(\d+)\.(\d+).*", software.get("version", ""))
        if "IPF" in software.get("name", "") and found:
            return int(found[1]), int(found[2])
    raise InputDataError(
        f"{path}: tells no version of the processor (Sentinel-1 IPF): how its borders look depends on it; "
        f"{REMEDY}"
    )


def _polarisations(root: Element, path: Path) -> list[str]:
    found = [
        (element.text or "").strip().upper()
        for element in root.iterfind(".//{*}transmitterReceiverPolarisation")
    ]
    known = [name for name in found if re.fullmatch("[HV]{2}", name)]
    if not known or len(known) != len(found):
        raise InputDataError(f"{path}: polarisations {found} are none, or unknown; {REMEDY}")
    return known


def _footprint(root: Element, path: Path) -> tuple[tuple[float, float], ...]:
    found = root.find(".//{*}footPrint/{*}coordinates")
    if found is None or not found.text:
        return ()
    try:
        pairs = [pair.split(",") for pair in found.text.split()]
        return tuple((float(longitude), float(latitude)) for latitude, longitude in pairs)
    except ValueError:
        raise InputDataError(
            f"{path}: footprint {found.text!r} is no list of latitude,longitude; {REMEDY}"
        ) from None


def _channels(folder: Path, polarisations: Iterable[str]) -> dict[str, Channel]:
    """Files of each polarisation that is there; the first two fields of their names may vary."""
    found = {name: _channel(folder, name) for name in polarisations}
    channels = {name: channel for name, channel in found.items() if channel}
    if not channels:
        raise InputDataError(f"{folder}: holds no measurement; {REMEDY}")
    return channels


def _channel(folder: Path, polarisation: str) -> Channel | None:
    """Files of a polarisation, or None where its image is not there."""
    images = _files(folder / "measurement", "", polarisation, (".tif", ".tiff"))
    if not images:
        return None
    if len(images) > 1:
        raise InputDataError(
            f"{folder / 'measurement'}: {len(images)} images of {polarisation} "
            f"({', '.join(image.name for image in images)}); leave the one that counts"
        )
    texts = {}
    for kind, place, start in (
        ("annotation", "annotation", ""),
        ("calibration", "annotation/calibration", "calibration-"),
        ("noise", "annotation/calibration", "noise-"),
    ):
        files = _files(folder / place, start, polarisation, (".xml",))
        if len(files) != 1:
            number = "no" if not files else str(len(files))
            raise InputDataError(
                f"{folder}: {number} {kind} of {polarisation} ({place}/{start}*-{polarisation.lower()}-*.xml); {REMEDY}"
            )
        texts[kind] = files[0]
    return Channel(polarisation, images[0], **texts)


def _files(folder: Path, start: str, polarisation: str, endings: tuple[str, ...]) -> list[Path]:
    """Files of a folder with a polarisation in their name, between hyphens."""
    if not folder.is_dir():
        return []
    mark = re.compile(rf"{start}(?!calibration-|noise-|rfi-).*-{polarisation}[-.].*", re.IGNORECASE)
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.lower().endswith(endings) and mark.fullmatch(path.name) and path.is_file()
    )


Timed = TypeVar("Timed", GrdName, Frame)


def passes(products: Iterable[Timed]) -> list[tuple[Timed, ...]]:
    """Group products into passes, however they were cut into frames.

    Frames of one platform that follow one another within `LONGEST_PAUSE` belong together.
    In order of time.
    """
    groups: list[list[Timed]] = []
    for product in sorted(products, key=lambda found: (found.platform, found.start, found.name)):
        last = groups[-1][-1] if groups else None
        pause = product.start - last.stop if last else LONGEST_PAUSE
        if last and last.platform == product.platform and pause <= LONGEST_PAUSE:
            groups[-1].append(product)
        else:
            groups.append([product])
    return sorted(
        (tuple(group) for group in groups), key=lambda group: (group[0].start, group[0].name)
    )


def touches(footprint: Sequence[tuple[float, float]], grid: Grid) -> bool:
    """True if the footprint of a product, degrees, reaches a tile, or nearly (`REACH`).

    It may lie on both sides of the antimeridian.
    """
    left, bottom, right, top = transform_bounds(grid.bounds, grid.crs, "EPSG:4326")
    corners = np.array(footprint)
    middle = 0.5 * (left + right)
    corners[:, 0] = middle + (corners[:, 0] - middle + 180.0) % 360.0 - 180.0
    tile = shapely.box(left - REACH, bottom - REACH, right + REACH, top + REACH)
    return bool(shapely.intersects(shapely.Polygon(corners).convex_hull, tile))


def one_pass(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """Frames of one pass in order of time, each part of the ground once.

    Of two products of the same seconds the one of the newest processor counts.

    Raises
    ------
    InputDataError
        If there is none, or they are not of one pass.
    """
    if not frames:
        raise InputDataError("no Sentinel-1 product was given; give the frames of one pass")
    ordered = sorted(frames, key=lambda frame: (frame.start, frame.name))
    first = ordered[0]
    for before, frame in itertools.pairwise(ordered):
        for what in ("platform", "direction", "orbit"):
            if getattr(frame, what) != getattr(first, what):
                raise InputDataError(
                    f"{first.name} and {frame.name} are not of one pass: {what} "
                    f"{getattr(first, what)} and {getattr(frame, what)}; prepare them apart"
                )
        if frame.start - before.stop > LONGEST_PAUSE:
            raise InputDataError(
                f"{before.name} and {frame.name} are not of one pass: "
                f"{frame.start - before.stop} lie between them; prepare them apart"
            )
    kept: list[Frame] = []
    for frame in sorted(ordered, key=lambda frame: (frame.version, frame.name), reverse=True):
        if not any(_same_seconds(frame, other) for other in kept):
            kept.append(frame)
    return tuple(sorted(kept, key=lambda frame: (frame.start, frame.name)))


def _same_seconds(one: Frame, other: Frame) -> bool:
    """True if more than half of the shorter of two frames is in the other one."""
    shared = min(one.stop, other.stop) - max(one.start, other.start)
    return shared > 0.5 * min(one.stop - one.start, other.stop - other.start)
