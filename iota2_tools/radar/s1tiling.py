"""Products of S1Tiling: what their names tell, and their TIFF tags where the names do not.

Names as of versions 0 to 1.4: ``s1a_31UDS_vv_ASC_161_20180104txxxxxx.tif`` (frames joined),
``…t053000.tif`` (one frame), then ``_sigma``, ``_NormLim``, ``_GammaNaughtRTC``, ``_filtered``,
``_BorderMask``. Templates of names may be changed: then the tags tell.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time

from iota2_tools.core.errors import InputDataError

NAME = re.compile(
    r"(?P<platform>s1[a-z])_(?P<tile>\d{2}[A-Z]{3})_(?P<polarisation>vv|vh|hh|hv)"
    r"_(?P<direction>ASC|DES)_(?P<orbit>\d{3})_(?P<day>\d{8})t(?P<time>\d{6}|x{6})"
    r"(?:_(?P<calibration>sigma|beta|gamma|dn|normlim|GammaNaughtRTC))?"
    r"(?P<filtered>_filtered)?(?P<mask>_BorderMask)?\.tiff?",
    re.IGNORECASE,
)
CALIBRATIONS = {
    "sigma": "sigma",
    "beta": "beta",
    "gamma": "gamma",
    "dn": "dn",
    "normlim": "NormLim",
    "gammanaughtrtc": "GammaNaughtRTC",
    "gamma_naught_rtc": "GammaNaughtRTC",
}
UNSTATED = "unstated"
DIRECTIONS = {"ASC": "ASC", "DES": "DES", "ASCENDING": "ASC", "DESCENDING": "DES"}


@dataclass(frozen=True)
class S1TilingImage:
    """What is known of an image.

    Parameters
    ----------
    file : str
        Its name.
    platform : str
        ``S1A``, ``S1B``, … any letter; empty if unknown.
    tile : str
        MGRS name without T: ``31UDS``; empty if unknown.
    polarisation : str
        ``VV``, ``VH``, ``HH``, ``HV``.
    direction : str
        ``ASC`` or ``DES``.
    orbit : int
        Relative orbit, 1 to 175.
    day : date
        Of acquisition, UTC.
    clock : time or None
        Of the first line; None where several frames were joined.
    calibration : str
        ``sigma``, ``beta``, ``gamma``, ``dn``, ``NormLim``, ``GammaNaughtRTC``, or `UNSTATED`.
    filtered : bool
        Whether its speckle was filtered.
    border_mask : bool
        Whether it is a mask (1: valid) and no image.
    """

    file: str
    platform: str
    tile: str
    polarisation: str
    direction: str
    orbit: int
    day: date
    clock: time | None
    calibration: str
    filtered: bool
    border_mask: bool

    @property
    def acquisition(self) -> tuple[str, str, int, date, time | None]:
        """What the images of one pass share."""
        return self.platform, self.direction, self.orbit, self.day, self.clock


def parse_name(file: str) -> S1TilingImage | None:
    """What a name of S1Tiling tells; None if it is none, or has an impossible date or orbit.

    >>> parse_name("s1c_31UDS_vh_DES_037_20260104t053000_NormLim.tif").calibration
    'NormLim'
    """
    found = NAME.fullmatch(file)
    if not found:
        return None
    day, clock = _day(found["day"]), _clock(found["time"])
    orbit = int(found["orbit"])
    if day is None or not 1 <= orbit <= 175 or (clock is None and found["time"].isdecimal()):
        return None
    calibration = (found["calibration"] or "").lower()
    return S1TilingImage(
        file=file,
        platform=found["platform"].upper(),
        tile=found["tile"].upper(),
        polarisation=found["polarisation"].upper(),
        direction=found["direction"].upper(),
        orbit=orbit,
        day=day,
        clock=clock,
        calibration=CALIBRATIONS.get(calibration, UNSTATED),
        filtered=found["filtered"] is not None,
        border_mask=found["mask"] is not None,
    )


def identify(file: str, tags: Mapping[str, str]) -> S1TilingImage:
    """What name and TIFF tags tell together; the name before the tags.

    Parameters
    ----------
    file : str
        Name of the file.
    tags : mapping of str to str
        TIFF metadata, as GDAL reads it.

    Raises
    ------
    InputDataError
        If direction, orbit, date or polarisation stand in neither.
    """
    named = parse_name(file)
    calibration = CALIBRATIONS.get(tags.get("CALIBRATION", "").strip().lower(), UNSTATED)
    if named:
        stated = calibration if named.calibration == UNSTATED else named.calibration
        return S1TilingImage(**{**named.__dict__, "calibration": stated})
    direction = DIRECTIONS.get(tags.get("ORBIT_DIRECTION", "").strip().upper())
    orbit = re.fullmatch(r"0*(\d{1,3})", tags.get("RELATIVE_ORBIT_NUMBER", "").strip())
    moment = re.fullmatch(
        r"(\d{4})\D?(\d{2})\D?(\d{2})(?:\D(\d{2})\D?(\d{2})\D?(\d{2})(?:\.\d+)?Z?)?",
        tags.get("ACQUISITION_DATETIME", "").strip(),
    )
    polarisation = re.fullmatch("[hv]{2}", tags.get("POLARIZATION", "").strip().lower())
    day = _day("".join(moment.groups()[:3])) if moment else None
    facts = {
        "orbit direction (ORBIT_DIRECTION)": direction,
        "relative orbit (RELATIVE_ORBIT_NUMBER)": orbit and 1 <= int(orbit[1]) <= 175,
        "date (ACQUISITION_DATETIME)": day,
        "polarisation (POLARIZATION)": polarisation,
    }
    missing = [what for what, fact in facts.items() if not fact]
    if missing or not (direction and orbit and moment and day and polarisation):
        raise InputDataError(
            f"{file}: neither its name nor its TIFF tags tell its {', '.join(missing)}; name it as S1Tiling "
            "does (s1a_31UDS_vv_ASC_161_20180104t053000.tif), or set the tags (gdal_edit -mo)"
        )
    hour = "".join(moment.groups()[3:]) if moment[4] else ""
    return S1TilingImage(
        file=file,
        platform=tags.get("FLYING_UNIT_CODE", "").strip().upper(),
        tile=tags.get("S2_TILE_CORRESPONDING_CODE", "").strip().upper().removeprefix("T"),
        polarisation=polarisation[0].upper(),
        direction=direction,
        orbit=int(orbit[1]),
        day=day,
        clock=_clock(hour),
        calibration=calibration,
        filtered=tags.get("FILTERED", "").strip().lower() == "true",
        border_mask=tags.get("IMAGE_TYPE", "").strip().upper() == "MASK",
    )


def mixed_calibrations(images: Iterable[S1TilingImage]) -> str:
    """The problem of a series whose images differ in calibration or filter; empty if there is none.

    Backscatter coefficients differ by decibels: a series of two kinds would show changes that
    never were.
    """
    kinds: dict[tuple[str, bool], list[str]] = {}
    for image in images:
        if not image.border_mask:
            kinds.setdefault((image.calibration, image.filtered), []).append(image.file)
    if len(kinds) < 2:
        return ""
    parts = [
        f"{len(files)} of {calibration}{', filtered' if filtered else ''} (first: {min(files)})"
        for (calibration, filtered), files in sorted(kinds.items())
    ]
    return (
        f"images of several calibrations in one series: {'; '.join(parts)}; keep those of one kind in the "
        "folder"
    )


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def _clock(text: str) -> time | None:
    try:
        return time(int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None
