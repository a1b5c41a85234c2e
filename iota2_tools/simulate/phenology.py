"""The year of each parcel: leaf area by a double logistic, reflectance by a linear mixture.

Band order of Sentinel-2 everywhere: B2 B3 B4 B5 B6 B7 B8 B8A B11 B12.
"""

import math
from dataclasses import dataclass

import numpy as np

from iota2_tools.core.kernels import kernel
from iota2_tools.simulate.hashing import mix, normal, uniform
from iota2_tools.simulate.landscape import Land

BANDS = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")

# Reflectance of pure surfaces.
END_MEMBERS = np.array(
    [
        [0.022, 0.058, 0.024, 0.095, 0.330, 0.430, 0.455, 0.475, 0.205, 0.092],  # crop leaves
        [0.020, 0.044, 0.020, 0.076, 0.270, 0.350, 0.370, 0.390, 0.165, 0.072],  # tree leaves
        [0.017, 0.032, 0.019, 0.052, 0.165, 0.205, 0.220, 0.232, 0.100, 0.045],  # needles
        [0.072, 0.102, 0.138, 0.162, 0.184, 0.202, 0.222, 0.240, 0.315, 0.265],  # soil
        [0.085, 0.130, 0.172, 0.212, 0.242, 0.268, 0.300, 0.322, 0.370, 0.255],  # dry plants
        [0.046, 0.045, 0.027, 0.021, 0.017, 0.016, 0.014, 0.013, 0.008, 0.006],  # water
        [0.125, 0.143, 0.158, 0.170, 0.185, 0.198, 0.214, 0.220, 0.240, 0.225],  # roofs, asphalt
        [0.048, 0.150, 0.140, 0.215, 0.365, 0.430, 0.455, 0.475, 0.230, 0.115],  # yellow flowers
    ]
)


@dataclass(frozen=True)
class Surfaces:
    """Pure surfaces as the bands of an instrument see them.

    Parameters
    ----------
    members : ndarray of float64, shape (8, bands)
        Reflectance, in the order of `END_MEMBERS`.
    infrared : int
        The first band behind the red edge.
    """

    members: np.ndarray
    infrared: int


SENTINEL2 = Surfaces(END_MEMBERS, BANDS.index("B6"))

CROP_LEAVES, TREE_LEAVES, NEEDLES, SOIL, DRY, WATER_BODY, ROOFS, FLOWERS = range(len(END_MEMBERS))

# Of each class: leaf area low and high (m2/m2), start and end of season (day of the year), their
# length scales (days), dry cover after the season, roofs, water, leaf end-member, spread of
# the season's dates (days).
CLASS_TABLE = np.array(
    [
        [0.0, 0.0, 0, 0, 1, 1, 0.0, 0.0, 0.0, CROP_LEAVES, 0.0],  # no class
        [0.5, 1.1, 95, 300, 15, 20, 0.1, 0.62, 0.0, TREE_LEAVES, 10.0],  # built-up
        [0.75, 4.7, 84, 174, 10, 6, 0.75, 0.0, 0.0, CROP_LEAVES, 7.0],  # winter wheat
        [0.85, 4.2, 72, 154, 10, 6, 0.80, 0.0, 0.0, CROP_LEAVES, 7.0],  # winter barley
        [1.60, 4.8, 68, 167, 10, 9, 0.45, 0.0, 0.0, CROP_LEAVES, 7.0],  # rapeseed
        [0.05, 4.6, 166, 262, 7, 9, 0.65, 0.0, 0.0, CROP_LEAVES, 9.0],  # maize
        [0.05, 3.5, 156, 236, 8, 8, 0.55, 0.0, 0.0, CROP_LEAVES, 9.0],  # sunflower
        [1.35, 2.4, 92, 290, 17, 25, 0.45, 0.0, 0.0, CROP_LEAVES, 12.0],  # pasture
        [1.20, 3.9, 90, 295, 12, 25, 0.40, 0.0, 0.0, CROP_LEAVES, 12.0],  # hay meadow
        [0.60, 4.4, 106, 302, 7, 9, 0.50, 0.0, 0.0, TREE_LEAVES, 6.0],  # broad-leaved forest
        [4.40, 5.0, 120, 290, 20, 20, 0.10, 0.0, 0.0, NEEDLES, 10.0],  # coniferous forest
        [0.0, 0.0, 0, 0, 1, 1, 0.0, 0.0, 1.0, CROP_LEAVES, 0.0],  # water
    ]
)
(
    LOW, HIGH, START, END, RISE, FALL, DRY_COVER, ROOF_SHARE, WATER_SHARE, LEAF, SPREAD,
) = range(CLASS_TABLE.shape[1])  # fmt: skip

TRAITS = (
    "low", "high", "start", "end", "soil brightness", "brightness", "infrared", "autumn cover",
    "winter cover", "mowing day", "roofs", "dryness",
)  # fmt: skip


@kernel
def logistic(day, middle, scale):
    """Rise from 0 to 1, half of it at `middle`; a length `scale` later it is 0.73."""
    return 1.0 / (1.0 + math.exp(-(day - middle) / scale))


@kernel
def double_logistic(day, low, high, start, rise, end, fall):
    """Leaf area over a season.

    Parameters
    ----------
    day : float
        Day of the year.
    low, high : float
        Leaf area index out of season and at its height, m2/m2.
    start, end : float
        Days of half rise and half fall.
    rise, fall : float
        Length scales of both, days.

    Returns
    -------
    float
        low + (high - low) (logistic(day, start, rise) - logistic(day, end, fall))

    References
    ----------
    Beck et al. (2006), Improved monitoring of vegetation dynamics at very high latitudes.
    """
    season = logistic(day, start, rise) - logistic(day, end, fall)
    return low + (high - low) * season


def parcel_traits(land: Land) -> np.ndarray:
    """Draw what sets each parcel apart from others of its class; see `TRAITS`.

    Returns
    -------
    ndarray of float64, shape (parcels, 12)
    """
    return _draw_traits(land.identifiers, land.codes, land.regions, CLASS_TABLE)


@kernel
def _draw_traits(identifiers, codes, regions, table):
    traits = np.zeros((len(identifiers), 12))
    draws = np.empty(14)
    for n in range(len(identifiers)):
        code = codes[n]
        bits = identifiers[n]
        for k in range(14):
            bits = mix(bits)
            draws[k] = normal(bits) if k < 9 else uniform(bits)
        spread = table[code, 10]
        traits[n, 0] = table[code, 0] * max(0.3, 1.0 + 0.25 * draws[0])
        traits[n, 1] = table[code, 1] * max(0.45, 1.0 + 0.17 * draws[1])
        delay = regions[n] - 1  # the hills are late
        traits[n, 2] = table[code, 2] + spread * draws[2] + 5.0 * delay
        traits[n, 3] = table[code, 3] + spread * 0.6 * (draws[2] + draws[3]) + 4.0 * delay
        traits[n, 4] = max(0.5, 1.0 + 0.17 * draws[4] + 0.06 * delay)
        traits[n, 5] = max(0.6, 1.0 + 0.05 * draws[5])
        traits[n, 6] = max(0.7, 1.0 + 0.06 * draws[6])
        _draw_management(traits, n, code, draws)
        traits[n, 10] = min(0.95, max(0.25, table[code, 7] + 0.15 * draws[7])) if code == 1 else 0.0
        traits[n, 11] = min(0.95, max(0.05, table[code, 6] * (1.0 + 0.25 * draws[8])))
    return traits


@kernel
def _draw_management(traits, n, code, draws):
    """Cover crops and mowing of parcel n."""
    if 2 <= code <= 6 and draws[9] < 0.35:
        traits[n, 7] = 1.0 + 2.0 * draws[10]
    if (code == 5 or code == 6) and draws[11] < 0.35:
        traits[n, 8] = 0.7 + 1.6 * draws[12]
    mown = 0.95 if code == 8 else 0.15
    if (code == 7 or code == 8) and draws[9] < mown:
        traits[n, 9] = 138.0 + 45.0 * draws[10]


@kernel
def _leaf_area(day, code, traits, table):
    """Leaf area of one parcel with its cover crops and mowing, m2/m2."""
    area = double_logistic(
        day, traits[0], traits[1], traits[2], table[code, 4], traits[3], table[code, 5]
    )
    if 2 <= code <= 4:  # winter crops leave a bare field, weeds come back
        area -= traits[0] * 0.85 * logistic(day, traits[3] + 12.0, 5.0)
        area += 0.5 * logistic(day, 318.0, 8.0)
    if traits[7] > 0:
        area += traits[7] * (logistic(day, 262.0, 7.0) - logistic(day, 330.0, 9.0))
    if traits[8] > 0:
        area += traits[8] * (1.0 - logistic(day, traits[2] - 55.0, 7.0))
    since = day - traits[9]
    if traits[9] > 0 and since >= 0:
        area *= 1.0 - 0.72 * math.exp(-since / 22.0)
    if 7 <= code <= 8:  # summer drought
        area *= 1.0 - 0.3 * math.exp(-(((day - 222.0) / 28.0) ** 2))
    return max(area, 0.02)


@kernel
def _dryness(day, code, traits):
    """Share of dry plants in what is not green: straw, litter, withered grass."""
    if code == 9:
        return traits[11] * (1.0 - logistic(day, traits[2], 8.0) + logistic(day, traits[3], 8.0))
    if code == 7 or code == 8:
        return traits[11] * (0.25 + 0.75 * math.exp(-(((day - 222.0) / 32.0) ** 2)))
    if code == 1 or code == 10:
        return traits[11]
    tilled = logistic(day, traits[3] + 48.0, 8.0)
    return traits[11] * logistic(day, traits[3] + 4.0, 5.0) * (1.0 - 0.75 * tilled)


@kernel
def _bloom(day, code, traits):
    """Share of flowers in the canopy of rapeseed and sunflower."""
    if code == 4:
        return 0.9 * math.exp(-(((day - traits[2] - 43.0) / 11.0) ** 2))
    if code == 6:
        return 0.15 * math.exp(-(((day - traits[2] - 36.0) / 8.0) ** 2))
    return 0.0


@kernel
def _mixture(day, code, area, traits, table, members, infrared, out):
    """Reflectance of one parcel at a given leaf area, into `out`, shape (bands,).

    Green cover is 1 - exp(-0.6 leaf area); the rest is dry plants and soil. Bands from `infrared`
    on see how much leaves scatter.
    """
    green = 1.0 - math.exp(-0.6 * area)
    dry = (1.0 - green) * _dryness(day, code, traits)
    bloom = _bloom(day, code, traits)
    leaf = np.int64(table[code, 9])
    roofs = traits[10]
    for b in range(len(out)):
        plant = members[leaf, b] * (1.0 - bloom) + members[7, b] * bloom
        plant *= traits[6] if b >= infrared else 1.0
        soil = members[3, b] * traits[4]
        ground = green * plant + dry * members[4, b] + (1.0 - green - dry) * soil
        mixed = roofs * members[6, b] + (1.0 - roofs) * ground
        out[b] = mixed * traits[5]
        if code == 11:
            out[b] = members[5, b] * (0.55 + 0.45 * traits[4]) * traits[5]


@kernel
def _parcel_spectra(day, codes, traits, table, members, infrared, gains):
    count, bands = len(codes), members.shape[1]
    level = np.empty((count, bands), dtype=np.float32)
    slope = np.empty((count, bands), dtype=np.float32)
    plain = np.empty(bands)
    dense = np.empty(bands)
    contrast = np.array([0.0, 0.06, 0.1, 0.1, 0.1, 0.1, 0.1, 0.14, 0.14, 0.07, 0.07, 0.0])
    flicker = np.array([0.0, 0.13, 0.03, 0.03, 0.03, 0.03, 0.03, 0.03, 0.03, 0.06, 0.07, 0.05])
    for n in range(count):
        code = codes[n]
        area = _leaf_area(day, code, traits[n], table)
        _mixture(day, code, area, traits[n], table, members, infrared, plain)
        denser = area * (1.0 + contrast[code])
        _mixture(day, code, denser, traits[n], table, members, infrared, dense)
        for b in range(bands):
            level[n, b] = 10000.0 * gains[b] * plain[b]
            change = dense[b] - plain[b] + flicker[code] * plain[b]
            slope[n, b] = 10000.0 * gains[b] * change / 31.0
    return level, slope


@kernel
def _leaf_areas(day, codes, traits, table):
    areas = np.empty(len(codes))
    for n in range(len(codes)):
        areas[n] = _leaf_area(day, codes[n], traits[n], table)
    return areas


def leaf_areas(codes: np.ndarray, traits: np.ndarray, day: float) -> np.ndarray:
    """Leaf area of each parcel on a day of the year, m2/m2, float64."""
    return _leaf_areas(float(day), codes, traits, CLASS_TABLE)


def parcel_spectra(
    codes: np.ndarray,
    traits: np.ndarray,
    day: float,
    gains: np.ndarray,
    surfaces: Surfaces = SENTINEL2,
) -> tuple[np.ndarray, np.ndarray]:
    """Reflectance of each parcel on a day, and its change with the texture.

    Parameters
    ----------
    codes : ndarray of uint8, shape (parcels,)
        Class.
    traits : ndarray of float64, shape (parcels, 12)
        From `parcel_traits`.
    day : float
        Day of the year.
    gains : ndarray of float64, shape (bands,)
        Error of the atmospheric correction of that day, about 1.
    surfaces : Surfaces
        What the bands see.

    Returns
    -------
    level, slope : ndarray of float32, shape (parcels, bands)
        Reflectance x 10000, and its increase for each unit of texture.
    """
    return _parcel_spectra(
        float(day), codes, traits, CLASS_TABLE, surfaces.members, surfaces.infrared, gains
    )
