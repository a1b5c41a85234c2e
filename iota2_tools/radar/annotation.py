"""The annotation of one image of Sentinel-1 GRD: size, orbit, ranges and ground control points."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from iota2_tools.core.errors import InputDataError
from iota2_tools.radar.xml_files import (
    REMEDY,
    element_at,
    number_at,
    numbers_at,
    read_xml,
    text_at,
    time_at,
)


@dataclass(frozen=True, eq=False)
class Annotation:
    """Geometry of an image in ground range; times are seconds after its first line.

    Parameters
    ----------
    path : Path
        The file.
    polarisation : str
        ``VV``, ``VH``, ``HH`` or ``HV``.
    lines, samples : int
        Shape of the image.
    first_line : datetime
        Zero-Doppler time of line 0, UTC.
    line_interval : float
        Seconds from line to line.
    sample_spacing : float
        Metres on the ground from sample to sample.
    orbit_times : ndarray of float64, shape (n,)
        Of the state vectors, rising.
    positions, velocities : ndarray of float64, shape (n, 3)
        Earth-fixed, m and m/s.
    range_times : ndarray of float64, shape (m,)
        Of the polynomials from slant to ground range, rising.
    nearest_ranges : ndarray of float64, shape (m,)
        Slant range that each polynomial starts from, m.
    range_coefficients : ndarray of float64, shape (m, k)
        Ground range, m, is the sum of coefficient i times (slant range - nearest range) ** i.
    control_points : ndarray of float64, shape (p, 5)
        Line, sample, longitude, latitude (degrees), height above the ellipsoid (m).
    late : ndarray of float64, shape (2,)
        A line shows what the satellite passes ``late[0] + late[1] * (two-way range, s)`` after its
        time: the processor corrects the travel of the echo for the middle of the swath alone.
    noise_removed : bool
        Whether the processor took the thermal noise away.
    """

    path: Path
    polarisation: str
    lines: int
    samples: int
    first_line: datetime
    line_interval: float
    sample_spacing: float
    orbit_times: np.ndarray
    positions: np.ndarray
    velocities: np.ndarray
    range_times: np.ndarray
    nearest_ranges: np.ndarray
    range_coefficients: np.ndarray
    control_points: np.ndarray
    late: np.ndarray
    noise_removed: bool


LATEST = 2e-3
"""Seconds that control points may be late: more is no travel of an echo, and not applied."""
IMAGE = "imageAnnotation/imageInformation/"


def read_annotation(path: Path) -> Annotation:
    """Read ``annotation/s1?-iw-grd-*.xml``.

    Raises
    ------
    InputDataError
        If something that the geometry needs is missing, or not as in a GRD.
    """
    root = read_xml(path)
    projection = text_at(root, "generalAnnotation/productInformation/projection", path)
    if projection != "Ground Range":
        raise InputDataError(f"{path}: image in {projection!r}, not in ground range; give GRD")
    first_line = time_at(root, IMAGE + "productFirstLineUtcTime", path)
    lines, samples = (
        int(number_at(root, IMAGE + name, path)) for name in ("numberOfLines", "numberOfSamples")
    )
    interval = number_at(root, IMAGE + "azimuthTimeInterval", path)
    spacing = number_at(root, IMAGE + "rangePixelSpacing", path)
    if min(lines, samples) < 1 or min(interval, spacing) <= 0:
        raise InputDataError(
            f"{path}: {lines} lines of {samples} samples, every {interval} s and {spacing} m, "
            f"are no image; {REMEDY}"
        )
    orbit_times, positions, velocities = _orbit(root, path, first_line)
    if orbit_times[0] > 0 or orbit_times[-1] < (lines - 1) * interval:
        raise InputDataError(
            f"{path}: the state vectors of the orbit do not cover the image; {REMEDY}"
        )
    range_times, nearest, coefficients = _ranges(root, path, first_line)
    points, late = _control_points(root, path, first_line, interval)
    done = root.find("imageAnnotation/processingInformation/thermalNoiseCorrectionPerformed")
    return Annotation(
        path=path,
        polarisation=text_at(root, "adsHeader/polarisation", path),
        lines=lines,
        samples=samples,
        first_line=first_line,
        line_interval=interval,
        sample_spacing=spacing,
        orbit_times=orbit_times,
        positions=positions,
        velocities=velocities,
        range_times=range_times,
        nearest_ranges=nearest,
        range_coefficients=coefficients,
        control_points=points,
        late=late,
        noise_removed=done is not None and (done.text or "").strip() == "true",
    )


def _orbit(
    root: Element, path: Path, first_line: datetime
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, positions and velocities of the state vectors, in order of time."""
    rows = []
    for orbit in element_at(root, "generalAnnotation/orbitList", path).iterfind("orbit"):
        time = (time_at(orbit, "time", path) - first_line).total_seconds()
        place = [number_at(orbit, f"position/{axis}", path) for axis in "xyz"]
        speed = [number_at(orbit, f"velocity/{axis}", path) for axis in "xyz"]
        rows.append([time, *place, *speed])
    table = np.array(rows).reshape(-1, 7)
    table = table[np.unique(table[:, 0], return_index=True)[1]]
    if len(table) < 2:
        raise InputDataError(f"{path}: {len(table)} state vector(s) make no orbit; {REMEDY}")
    return (
        np.ascontiguousarray(table[:, 0]),
        np.ascontiguousarray(table[:, 1:4]),
        np.ascontiguousarray(table[:, 4:]),
    )


def _ranges(
    root: Element, path: Path, first_line: datetime
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, nearest ranges and coefficients of the polynomials from slant to ground range."""
    place = "coordinateConversion/coordinateConversionList"
    rows = {}
    for conversion in element_at(root, place, path).iterfind("coordinateConversion"):
        time = (time_at(conversion, "azimuthTime", path) - first_line).total_seconds()
        rows[time] = (
            number_at(conversion, "sr0", path),
            numbers_at(conversion, "srgrCoefficients", path),
        )
    if not rows:
        raise InputDataError(f"{path}: holds no coordinateConversion; {REMEDY}")
    times = sorted(rows)
    longest = max(len(rows[time][1]) for time in times)
    coefficients = np.zeros((len(times), longest))
    for row, time in enumerate(times):
        coefficients[row, : len(rows[time][1])] = rows[time][1]
    return np.array(times), np.array([rows[time][0] for time in times]), coefficients


def _control_points(
    root: Element, path: Path, first_line: datetime, interval: float
) -> tuple[np.ndarray, np.ndarray]:
    """Ground control points, and what their times say of `Annotation.late`."""
    place = "geolocationGrid/geolocationGridPointList"
    found = element_at(root, place, path).findall("geolocationGridPoint")
    names = ("line", "pixel", "longitude", "latitude", "height")
    points = np.array([[number_at(point, name, path) for name in names] for point in found])
    if len(points) < 4:
        raise InputDataError(
            f"{path}: {len(points)} ground control point(s): at least four are needed; {REMEDY}"
        )
    times = [(time_at(point, "azimuthTime", path) - first_line).total_seconds() for point in found]
    late = np.array(times) - points[:, 0] * interval
    ranges = np.array([number_at(point, "slantRangeTime", path) for point in found])
    if np.ptp(ranges) == 0 or np.abs(late).max() > LATEST:
        return points, np.zeros(2)
    slope, start = np.polynomial.Polynomial.fit(ranges, late, 1).convert().coef[::-1]
    return points, np.array([start, slope])
