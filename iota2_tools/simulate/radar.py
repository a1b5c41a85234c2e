"""Backscatter of the simulated land in C band, passes of Sentinel-1, and speckle."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from scipy.special import gammaincinv

from iota2_tools.core.kernels import kernel
from iota2_tools.geo.grid import Window
from iota2_tools.simulate.hashing import hash_at, mix, normal, stream_key, uniform
from iota2_tools.simulate.landscape import Land, describe_land
from iota2_tools.simulate.phenology import leaf_areas, parcel_traits
from iota2_tools.simulate.settings import (
    FALSE_NORTHING,
    RESOLUTION,
    SceneSettings,
    day_of_growth,
    scene_window,
)

POLARISATIONS = ("VV", "VH")
LOOKS = 4.4
SPECKLE_BITS = 12

# Gamma nought of each class, dB: VV bare and in full leaf, VH bare and in full leaf.
CLASS_DECIBELS = np.array(
    [
        [-10.0, -10.0, -17.0, -17.0],  # no class
        [-4.5, -4.3, -11.5, -11.2],  # built-up
        [-10.0, -14.5, -18.0, -17.0],  # winter wheat
        [-10.0, -13.5, -18.0, -15.2],  # winter barley
        [-10.0, -9.0, -18.0, -11.5],  # rapeseed
        [-10.0, -9.5, -18.5, -13.5],  # maize
        [-10.0, -7.5, -18.5, -12.0],  # sunflower
        [-11.5, -10.8, -18.5, -16.2],  # pasture
        [-11.5, -10.0, -18.5, -15.0],  # hay meadow
        [-9.0, -8.4, -14.8, -13.0],  # broad-leaved forest
        [-9.6, -9.4, -15.2, -14.8],  # coniferous forest
        [-20.0, -20.0, -27.0, -27.0],  # water
    ]
)
MORNING = 0.4
"""Decibels more in the morning, when a descending satellite passes over dew."""
PARCEL_SPREAD = 0.5
"""Decibels by which parcels of a class differ."""

REFLECTOR_SPACING = 200
"""World pixels from one corner reflector to the next, in both directions."""
REFLECTOR_POWER = 300.0
"""Backscatter of a pixel with a corner reflector."""

# Direction -> relative orbit, time of the pass (UTC), day of its first pass in the cycle of six days.
ORBITS = {"ASC": (30, (17, 48, 9), 2), "DES": (110, (6, 0, 41), 5)}
CYCLE = 6
FIRST_ORBIT = {"A": 73, "B": 27}
"""Absolute orbit of relative orbit 1, less one, in the first cycle."""
ORBITS_IN_CYCLE = 175
SECOND_SATELLITE = (date(2016, 9, 30), date(2021, 12, 22))
"""Days between which Sentinel-1B worked."""


@dataclass(frozen=True)
class RadarPass:
    """One pass over the scene.

    Parameters
    ----------
    day : datetime.date
    platform : str
        ``S1A`` or ``S1B``.
    direction : str
        ``ASC`` or ``DES``.
    """

    day: date
    platform: str
    direction: str

    @property
    def orbit(self) -> int:
        """Relative orbit."""
        return ORBITS[self.direction][0]

    @property
    def time(self) -> datetime:
        """When the middle of the scene is abreast, UTC."""
        return datetime(*self.day.timetuple()[:3], *ORBITS[self.direction][1])

    @property
    def absolute_orbit(self) -> int:
        """Revolutions since launch, about."""
        cycles = (self.day - date(2014, 4, 3)).days // (2 * CYCLE)
        return FIRST_ORBIT[self.platform[-1]] + self.orbit - 1 + ORBITS_IN_CYCLE * cycles


def radar_passes(settings: SceneSettings) -> list[RadarPass]:
    """Passes of the year in order of time: `dates` of them, half in each direction."""
    wanted = {"ASC": (settings.dates + 1) // 2, "DES": settings.dates // 2}
    chosen = []
    for direction, count in wanted.items():
        found = _all_passes(settings.year, direction)
        count = min(count, len(found))
        chosen += [found[int((number + 0.5) * len(found) / count)] for number in range(count)]
    return sorted(chosen, key=lambda radar_pass: radar_pass.time)


def _all_passes(year: int, direction: str) -> list[RadarPass]:
    """All passes in a direction in a year: every sixth day, or every twelfth by one satellite."""
    first = date(year, 1, 1)
    wait = (ORBITS[direction][2] - first.toordinal()) % CYCLE
    passes = []
    for offset in range(wait, (date(year, 12, 31) - first).days + 1, CYCLE):
        day = first + timedelta(days=offset)
        platform = "S1A" if day.toordinal() // CYCLE % 2 == 0 else "S1B"
        if platform == "S1A" or SECOND_SATELLITE[0] <= day <= SECOND_SATELLITE[1]:
            passes.append(RadarPass(day, platform, direction))
    return passes


def parcel_backscatter(settings: SceneSettings, land: Land, radar_pass: RadarPass) -> np.ndarray:
    """Gamma nought of each parcel on a day, linear power without speckle.

    Returns
    -------
    ndarray of float64, shape (2, parcels)
        VV and VH.
    """
    leaves = leaf_areas(land.codes, parcel_traits(land), day_of_growth(settings, radar_pass.day))
    cover = 1.0 - np.exp(-0.6 * leaves)
    spread = PARCEL_SPREAD * _deviates(land.identifiers)
    dew = MORNING if radar_pass.direction == "DES" else 0.0
    table = CLASS_DECIBELS[land.codes]
    decibels = [
        bare + (full - bare) * cover + spread + dew
        for bare, full in (table[:, :2].T, table[:, 2:].T)
    ]
    return 10.0 ** (np.stack(decibels) / 10.0)


def clear_backscatter(settings: SceneSettings, window: Window, radar_pass: RadarPass) -> np.ndarray:
    """Gamma nought of a window of the world grid, linear power without speckle and reflectors.

    Returns
    -------
    ndarray of float64, shape (2, rows, cols)
        VV and VH.
    """
    land = describe_land(settings, window)
    return parcel_backscatter(settings, land, radar_pass)[:, land.parcel]


@kernel
def _deviates(identifiers):
    """Standard normal deviate of each parcel."""
    found = np.empty(len(identifiers))
    for n in range(len(identifiers)):
        found[n] = normal(mix(identifiers[n] ^ np.uint64(0x51AE)))
    return found


def speckle_table() -> np.ndarray:
    """Quantiles of speckle of `LOOKS` looks, mean 1, shape (4096,), float64."""
    count = 1 << SPECKLE_BITS
    quantiles = gammaincinv(LOOKS, (np.arange(count) + 0.5) / count)
    return quantiles / quantiles.mean()


def speckle_over(settings: SceneSettings, window: Window, *names: object) -> np.ndarray:
    """Speckle of a window of an image, mean 1, shape (rows, cols); `names` tell images apart."""
    return _draw(stream_key(settings.seed, "speckle", *names), *window, speckle_table())


@kernel
def _draw(key, row, col, rows, cols, table):
    found = np.empty((rows, cols))
    last = np.uint64(len(table) - 1)
    for i in range(rows):
        for j in range(cols):
            found[i, j] = table[np.int64(hash_at(key, col + j, row + i) & last)]
    return found


def reflectors(settings: SceneSettings) -> list[tuple[int, int]]:
    """World row and column of the pixels with a corner reflector in their middle."""
    window = scene_window(settings)
    step = REFLECTOR_SPACING
    found = []
    for row in range(window.row // step, (window.row + window.rows) // step + 1):
        for col in range(window.col // step, (window.col + window.cols) // step + 1):
            key = stream_key(settings.seed, "reflector", row, col)
            place = (
                row * step + int(uniform(key) * step),
                col * step + int(uniform(np.uint64(mix(key))) * step),
            )
            inside = (
                0 <= place[0] - window.row < window.rows
                and 0 <= place[1] - window.col < window.cols
            )
            if inside:
                found.append(place)
    return found


def world_pixels(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the world grid that places of UTM zone 31 lie in."""
    rows = np.floor((FALSE_NORTHING - y) / RESOLUTION).astype(np.int64)
    return rows, np.floor(x / RESOLUTION).astype(np.int64)
