"""What Landsat sees of the land: instruments, passes, and pixels of 30 m on any grid.

A pixel of 30 m is the mean of what it covers, counted in squares of 5 m: so the grid of the USGS,
15 m beside that of Sentinel-2, is exact as well.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from iota2_tools.core.kernels import kernel
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.simulate.atmosphere import (
    CIRRUS,
    Sky,
    clear_sky,
    seen_and_cloudy,
    sky_over,
    swath_lines,
)
from iota2_tools.simulate.hashing import gaussian_table, hash_at, mix, stream_key, uniform
from iota2_tools.simulate.imaging import between_nodes, inside
from iota2_tools.simulate.landscape import WATER, Land, describe_land
from iota2_tools.simulate.phenology import Surfaces, parcel_spectra, parcel_traits
from iota2_tools.simulate.settings import (
    FALSE_NORTHING,
    PATHS,
    RESOLUTION,
    Acquisition,
    SceneSettings,
    cloud_cover,
    day_of_growth,
    day_of_year,
    scene_window,
    spread,
    sun_angles,
    tile_window,
)

PIXEL = 30
SQUARE = 5
REPEAT_DAYS = 16
NEXT_PATH_DAYS = 9
DATES_PER_SENTINEL2_DATE = 23 / 36
SMALLEST_PART = 0.005
GAUSSIAN = gaussian_table()
WIDEST_GAP = 0.45

# Reflectance of the surfaces of `phenology.END_MEMBERS`.
OLI_MEMBERS = np.array(
    [
        [0.018, 0.021, 0.056, 0.023, 0.470, 0.208, 0.094],
        [0.017, 0.019, 0.043, 0.019, 0.386, 0.168, 0.073],
        [0.015, 0.016, 0.031, 0.018, 0.230, 0.102, 0.046],
        [0.062, 0.073, 0.104, 0.140, 0.238, 0.318, 0.268],
        [0.070, 0.087, 0.131, 0.174, 0.318, 0.373, 0.258],
        [0.048, 0.045, 0.044, 0.026, 0.013, 0.008, 0.006],
        [0.112, 0.126, 0.144, 0.159, 0.219, 0.242, 0.226],
        [0.040, 0.050, 0.150, 0.142, 0.470, 0.232, 0.116],
    ]
)
TM_MEMBERS = np.array(
    [
        [0.024, 0.060, 0.026, 0.462, 0.202, 0.090],
        [0.021, 0.046, 0.021, 0.378, 0.162, 0.070],
        [0.017, 0.033, 0.020, 0.226, 0.099, 0.044],
        [0.076, 0.106, 0.142, 0.233, 0.312, 0.262],
        [0.090, 0.134, 0.176, 0.312, 0.366, 0.250],
        [0.044, 0.043, 0.026, 0.014, 0.008, 0.006],
        [0.128, 0.146, 0.161, 0.216, 0.238, 0.222],
        [0.055, 0.148, 0.138, 0.462, 0.227, 0.113],
    ]
)


@dataclass(frozen=True)
class Instrument:
    """An imager of 30 m.

    Parameters
    ----------
    bands : tuple of str
        Reflective bands, in the order of the arrays.
    thermal : str
        The thermal band.
    surfaces : Surfaces
        What the bands see of pure surfaces.
    clouds : ndarray of float32, shape (bands,)
        Reflectance x 10000 of clouds.
    noise : float
        Deviation of the noise over dark ground, reflectance x 10000.
    sees_cirrus : bool
        Whether it has a band that tells cirrus.
    """

    bands: tuple[str, ...]
    thermal: str
    surfaces: Surfaces
    clouds: np.ndarray
    noise: float
    sees_cirrus: bool

    @property
    def red(self) -> int:
        """Place of the red band; the near infrared is the next."""
        return self.surfaces.infrared - 1


OLI = Instrument(
    ("B1", "B2", "B3", "B4", "B5", "B6", "B7"),
    "B10",
    Surfaces(OLI_MEMBERS, 4),
    np.array([7500, 7400, 7300, 7300, 7800, 5600, 4600], dtype=np.float32),
    12.0,
    True,
)
TM = Instrument(
    ("B1", "B2", "B3", "B4", "B5", "B7"),
    "B6",
    Surfaces(TM_MEMBERS, 3),
    np.array([7400, 7300, 7300, 7700, 5600, 4600], dtype=np.float32),
    40.0,
    False,
)


@dataclass(frozen=True)
class Mission:
    """A satellite: its number, its imager, one of its passes on path 199, stripes or none."""

    number: int
    instrument: Instrument
    pass_199: date
    striped: bool = False


LANDSAT5 = Mission(5, TM, date(2018, 6, 6))
LANDSAT7 = Mission(7, TM, date(2018, 5, 29), striped=True)
LANDSAT8 = Mission(8, OLI, date(2018, 6, 6))
LANDSAT9 = Mission(9, OLI, date(2018, 5, 29))


@dataclass(frozen=True)
class LandsatProduct:
    """One date of a mission over a tile.

    Parameters
    ----------
    mission : Mission
    tile : str
    acquisition : Acquisition
    number : int
        Place of the date among those of the year.
    cloud_percent : float
        Share of the tile under cloud.
    """

    mission: Mission
    tile: str
    acquisition: Acquisition
    number: int
    cloud_percent: float

    @property
    def sensing_time(self) -> datetime:
        """UTC."""
        return datetime(*self.acquisition.day.timetuple()[:3], *self.acquisition.time)


def landsat_acquisitions(settings: SceneSettings, mission: Mission) -> list[Acquisition]:
    """Days of a mission in order of time, drawn from its passes on two paths.

    Of each 36 dates of Sentinel-2 it has 23, and at most all passes.
    """
    count = max(1, round(settings.dates * DATES_PER_SENTINEL2_DATE))
    chosen = []
    for path, wanted in ((199, (count + 1) // 2), (198, count // 2)):
        days = _passes(mission, path, settings.year)
        chosen += [(day, path) for day in spread(settings, days, min(wanted, len(days)))]
    return [_acquisition(settings, mission, day, path) for day, path in sorted(chosen)]


def _passes(mission: Mission, path: int, year: int) -> list[date]:
    """All passes on a path in a year."""
    anchor = mission.pass_199 + timedelta(days=NEXT_PATH_DAYS * (199 - path))
    first = date(year, 1, 1)
    wait = (anchor - first).days % REPEAT_DAYS
    days = (date(year, 12, 31) - first).days + 1
    return [first + timedelta(days=offset) for offset in range(wait, days, REPEAT_DAYS)]


def _acquisition(settings: SceneSettings, mission: Mission, day: date, path: int) -> Acquisition:
    hour, minute, _ = PATHS[path]
    zenith, azimuth = sun_angles(day_of_year(day), hour + minute / 60)
    cirrus = uniform(stream_key(settings.seed, "cirrus", day)) < 0.25
    saturated = uniform(stream_key(settings.seed, "saturated", mission.number, day)) < 0.25
    return Acquisition(
        day, path, f"LANDSAT{mission.number}", zenith, azimuth, cloud_cover(settings, day),
        cirrus, saturated, False,
    )  # fmt: skip


def plan_landsat(
    settings: SceneSettings, tile: str, mission: Mission, cloudiest: float
) -> list[LandsatProduct]:
    """Products of a tile in order of time; what the path does not see, or overcast, is left out."""
    window = tile_window(settings, tile)
    products = []
    for number, acquisition in enumerate(landsat_acquisitions(settings, mission)):
        lines = swath_lines(settings, acquisition, None)
        seen, cloudy = seen_and_cloudy(settings, window, acquisition, lines)
        if seen >= SMALLEST_PART and cloudy <= cloudiest:
            percent = round(100 * cloudy, 1)
            products.append(LandsatProduct(mission, tile, acquisition, number, percent))
    return products


@dataclass(frozen=True)
class LandsatImage:
    """Pixels of a product.

    Parameters
    ----------
    bands : ndarray of int16, shape (bands, rows, cols)
        Reflectance x 10000, from -1990 to 16000 (saturated); -10000 where nothing was seen.
    clouds : ndarray of uint8, shape (rows, cols)
        Bits of MUSCATE's CLM.
    saturated : ndarray of uint8, shape (rows, cols)
        Bit n: band n, counted from 0, is saturated.
    unseen : ndarray of bool, shape (rows, cols)
        Outside the swath, or in a stripe.
    water : ndarray of bool, shape (rows, cols)
    temperature : ndarray of float32, shape (rows, cols)
        Kelvin.
    """

    bands: np.ndarray
    clouds: np.ndarray
    saturated: np.ndarray
    unseen: np.ndarray
    water: np.ndarray
    temperature: np.ndarray


def covering_window(grid: Grid) -> Window:
    """World window of the pixels of 10 m under a grid."""
    row = math.floor((FALSE_NORTHING - grid.top) / RESOLUTION)
    col = math.floor(grid.left / RESOLUTION)
    last_row = math.ceil((FALSE_NORTHING - grid.bottom) / RESOLUTION)
    return Window(row, col, last_row - row, math.ceil(grid.right / RESOLUTION) - col)


def joined(lands: list[Land]) -> Land:
    """Blocks of land, one under the other, as one."""
    counts = np.cumsum([0] + [len(land.codes) for land in lands[:-1]])
    first, last = lands[0].window, lands[-1].window
    return Land(
        Window(first.row, first.col, last.row + last.rows - first.row, first.cols),
        np.concatenate(
            [land.parcel + np.int32(count) for land, count in zip(lands, counts, strict=True)]
        ),
        np.concatenate([land.texture for land in lands]),
        np.concatenate([land.identifiers for land in lands]),
        np.concatenate([land.codes for land in lands]),
        np.concatenate([land.regions for land in lands]),
    )


def take_landsat(
    settings: SceneSettings, land: Land, grid: Grid, product: LandsatProduct
) -> LandsatImage:
    """Simulate the pixels of a product on a grid of 30 m.

    Parameters
    ----------
    settings : SceneSettings
    land : Land
        Of `covering_window(grid)` at least.
    grid : Grid
        Its corner lies on multiples of 5 m.
    product : LandsatProduct
    """
    mission, acquisition = product.mission, product.acquisition
    gaps = np.zeros((grid.rows, grid.cols), dtype=np.bool_)
    if mission.striped:
        gaps = stripes(settings, grid, acquisition.day)
    between = _Between(
        sky_over(settings, land.window, acquisition),
        swath_lines(settings, acquisition, None),
        gaps,
        settings.saturated if acquisition.saturated else 0.0,
    )
    return _expose(settings, land, grid, mission, acquisition.day, between)


def clear_landsat(settings: SceneSettings, mission: Mission, grid: Grid, day: date) -> np.ndarray:
    """What a product of that day shows where no cloud, edge, stripe or saturation comes between.

    Parameters
    ----------
    settings : SceneSettings
    mission : Mission
    grid : Grid
        Of 30 m; its corner lies on multiples of 5 m.
    day : datetime.date
        Any day.

    Returns
    -------
    ndarray of int16, shape (bands, rows, cols)
        Reflectance x 10000, noise included.
    """
    land = describe_land(settings, covering_window(grid))
    gaps = np.zeros((grid.rows, grid.cols), dtype=np.bool_)
    between = _Between(clear_sky(land.window), np.zeros((0, 3)), gaps, 0.0)
    return _expose(settings, land, grid, mission, day, between).bands


@dataclass(frozen=True)
class _Between:
    """What comes between land and image: sky, edges, stripes, share of saturated pixels."""

    sky: Sky
    lines: np.ndarray
    gaps: np.ndarray
    saturated: float


def stripes(settings: SceneSettings, grid: Grid, day: date) -> np.ndarray:
    """Gaps of Landsat 7 without its scan line corrector, bool, shape (rows, cols).

    Nothing is missing in the middle of the swath, nearly half of the lines at its sides; the
    scans lie across the path and their places drift from date to date.
    """
    scene = scene_window(settings)
    period = min(99.0, max(12.0, settings.size / 4))
    x = (grid.left + PIXEL * (np.arange(grid.cols) + 0.5)) / RESOLUTION
    y = FALSE_NORTHING - grid.top + PIXEL * (np.arange(grid.rows)[:, np.newaxis] + 0.5)
    y = y / RESOLUTION
    middle = scene.col + 0.4 * scene.cols
    share = np.minimum(WIDEST_GAP, WIDEST_GAP * np.abs(x - middle) / (0.6 * scene.cols))
    drift = uniform(stream_key(settings.seed, "scan", day))
    return ((y + 0.2 * x) / period + drift) % 1.0 < share


def _expose(
    settings: SceneSettings, land: Land, grid: Grid, mission: Mission, day: date, between: _Between
) -> LandsatImage:
    instrument, sky = mission.instrument, between.sky
    keys = [
        stream_key(settings.seed, f"landsat {name}", mission.number, day)
        for name in ("noise", "saturation")
    ]
    level, slope = parcel_spectra(
        land.codes, parcel_traits(land), day_of_growth(settings, day), _gains(settings, mission, day),
        instrument.surfaces,
    )  # fmt: skip
    shape = (grid.rows, grid.cols)
    bands = np.empty((len(instrument.bands), *shape), dtype=np.int16)
    clouds, saturated = np.zeros(shape, dtype=np.uint8), np.zeros(shape, dtype=np.uint8)
    water, unseen = np.zeros(shape, dtype=np.bool_), between.gaps.copy()
    veil = np.zeros(shape, dtype=np.float32)
    _photograph(
        np.array(keys, dtype=np.uint64), round((FALSE_NORTHING - grid.top) / SQUARE),
        round(grid.left / SQUARE), land.window.row, land.window.col, land.parcel, land.texture,
        land.codes, level, slope, sky.first_row, sky.first_col, sky.opacity, sky.shadow,
        sky.detected, between.lines, between.saturated,
        np.float32(instrument.noise), GAUSSIAN, instrument.clouds,
        bands, clouds, saturated, unseen, water, veil,
    )  # fmt: skip
    if not instrument.sees_cirrus:
        clouds = without_cirrus(clouds)
    temperature = _temperature(bands, veil, instrument, day)
    return LandsatImage(bands, clouds, saturated, unseen, water, temperature)


def without_cirrus(clouds: np.ndarray) -> np.ndarray:
    """Cloud codes of a detector that has no band for cirrus: what was cirrus alone is clear."""
    left = clouds & ~np.uint8(CIRRUS)
    return np.where((clouds & CIRRUS != 0) & (left & ~np.uint8(3) == 0), 0, left).astype(np.uint8)


def _gains(settings: SceneSettings, mission: Mission, day: date) -> np.ndarray:
    """Error of the atmospheric correction: up to 3 %, the same in all bands and band by band."""
    draws = [
        uniform(stream_key(settings.seed, "landsat gain", mission.number, day, name)) - 0.5
        for name in ("all", *mission.instrument.bands)
    ]
    return 1.0 + 0.06 * draws[0] + 0.03 * np.array(draws[1:])


def _temperature(
    bands: np.ndarray, veil: np.ndarray, instrument: Instrument, day: date
) -> np.ndarray:
    """Kelvin: warm in summer, cooler under leaves, cold where cloud is seen."""
    red, near = (bands[instrument.red + k].astype(np.float32) for k in (0, 1))
    greenness = np.clip((near - red) / np.maximum(near + red, 1.0), 0.0, 1.0)
    season = math.sin(2 * math.pi * (day_of_year(day) - 110) / 365.25)
    kelvin = 289.0 + 12.0 * season + 14.0 * (0.5 - greenness) - 30.0 * veil
    return kelvin.astype(np.float32)


@kernel
def _value(value, deviate, opacity, shadow, cloud, noise):
    """Reflectance x 10000 of a surface seen through the sky, with noise; it may be negative."""
    value = value * (np.float32(1.0) - shadow)
    value += (cloud - value) * opacity
    value += deviate * (np.float32(0.015) * value + noise)
    return np.int16(min(np.float32(16000.0), max(np.float32(-1990.0), np.rint(value))))


@kernel
def _photograph(
    keys, top, left, first_row, first_col, parcel, texture, codes, level, slope,
    sky_row, sky_col, opacity, shadow, detected, lines, saturated_share,
    noise, gaussian, cloud, bands, clouds, saturated, unseen, water, veil,
):  # fmt: skip
    """Fill the arrays of a `LandsatImage`; `top` and `left` count squares of 5 m of the world."""
    count, rows, cols = bands.shape
    for i in range(rows):
        for j in range(cols):
            y, x = top + 6 * i, left + 6 * j
            if unseen[i, j] or not inside(lines, (x + 3) * 0.5, (y + 3) * 0.5):
                bands[:, i, j] = -10000
                unseen[i, j] = True
                continue
            row, col = (y + 3) // 2, (x + 3) // 2
            clouds[i, j] = detected[row // 4 - sky_row, col // 4 - sky_col]
            haze = between_nodes(opacity, sky_row, sky_col, row, col)
            shade = between_nodes(shadow, sky_row, sky_col, row, col)
            veil[i, j] = haze
            water[i, j] = codes[parcel[row - first_row, col - first_col]] == WATER
            place = hash_at(keys[0], x, y)
            bits = place
            for b in range(count):
                if b == 6:
                    bits = mix(place)
                total = np.float32(0.0)
                for p in range(y, y + 6):
                    for q in range(x, x + 6):
                        here = parcel[p // 2 - first_row, q // 2 - first_col]
                        grain = np.float32(texture[p // 2 - first_row, q // 2 - first_col])
                        total += level[here, b] + grain * slope[here, b]
                deviate = gaussian[np.int64(bits & np.uint64(1023))]
                bits = bits >> np.uint64(10)
                mean = total / np.float32(36.0)
                bands[b, i, j] = _value(mean, deviate, haze, shade, cloud[b], noise)
            if saturated_share > 0.0:
                bits = hash_at(keys[1], x // 12, y // 12)
                if uniform(bits) < saturated_share:
                    flags = (np.int64(bits & np.uint64(127)) | 1) & ((1 << count) - 1)
                    saturated[i, j] = flags
                    for b in range(count):
                        if flags >> b & 1:
                            bands[b, i, j] = 16000
