"""What to simulate: the settings of a scene, its tiles and its acquisitions."""

import math
import re
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta

from iota2_tools.core.errors import ConfigError, one_message
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.simulate.hashing import stream_key, uniform

EPSG = 32631
CRS = f"EPSG:{EPSG}"
RESOLUTION = 10
FALSE_NORTHING = 10_000_000
ANCHOR, ANCHOR_LEFT, ANCHOR_TOP = "T31TCJ", 300_000, 4_900_020
COLUMN_LETTERS = "ABCDEFGH"
ROW_LETTERS = "ABCDEFGHJKLMNPQRSTUV"
FULL_SIZE = 10_980
FULL_OVERLAP = 984
SMALLEST_SIZE = 64
LATITUDE, LONGITUDE = 44.0, 1.3

# Relative orbit of Sentinel-2 -> (first pass of its ten-day cycle as a proleptic ordinal, UTC of the pass).
ORBITS = {51: (736735, (10, 50, 31)), 94: (736738, (11, 1, 14))}
REVISIT_DAYS = 5
MOST_DATES = 146

# Landsat: WRS-2 path -> UTC of the pass.
PATHS = {198: (10, 39, 19), 199: (10, 44, 59)}
BASELINES = ("02.14", "05.09")


@dataclass(frozen=True)
class SceneSettings:
    """A scene; every file of it is a function of these values alone.

    Parameters
    ----------
    seed : int
        Another seed gives another landscape and another weather.
    tiles : tuple of str
        MGRS names of zone 31; their letters give their place in a row or grid.
    size : int
        Side of a tile in pixels of 10 m, even, from 64 to 10980.
    overlap : int, optional
        Pixels shared by two neighbours, even; by default about 10 % of `size`, from 20 to 984.
    year : int
        Calendar year.
    dates : int
        Acquisitions in the year, half of them from each of two relative orbits. Fewer products
        are written: THEIA drops what is cloudy beyond 90 %.
    cloud_cover : float
        Mean cloud cover over the dates, about, from 0.05 to 0.9.
    split_dates : int
        Dates delivered as two products (two datastrips), each holding a part.
    saturated : float
        Share of saturated pixels, in a quarter of the dates.
    label_noise : float
        Share of reference polygons with the code of another class.
    reference_polygons : int
        Most reference polygons to write, shared out among classes and regions.
    baselines : tuple of str
        Processing baselines of the Sen2Cor products, in turn from date to date.
    field_size : float
        Size of blocks, fields, woods, villages and water, against those of the usual land, from
        0.5 to 4.
    mixed_edges : float
        Share of the pixels beside another parcel that hold a part of it, up to half of the pixel;
        the truth is what covers most. Of the images of Sentinel-2; a Landsat pixel mixes what it covers.
    changed : float
        Share of the fields that bear another class in this year than the land has. The same seed
        and another year without it is the same land under another sky.
    season_shift : float
        Days by which all growth is later than usual, from -30 to 30.
    """

    seed: int = 1
    tiles: tuple[str, ...] = ("T31TCJ", "T31TDJ")
    size: int = 400
    overlap: int | None = None
    year: int = 2018
    dates: int = 36
    cloud_cover: float = 0.35
    split_dates: int = 1
    saturated: float = 0.01
    label_noise: float = 0.03
    reference_polygons: int = 1200
    baselines: tuple[str, ...] = BASELINES
    field_size: float = 1.0
    mixed_edges: float = 0.0
    changed: float = 0.0
    season_shift: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "tiles", tuple(self.tiles))
        object.__setattr__(self, "baselines", tuple(self.baselines))
        problems = [*_tile_problems(self), *_number_problems(self), *_baseline_problems(self)]
        if problems:
            raise ConfigError(one_message("The simulated scene", problems))

    @property
    def shared_pixels(self) -> int:
        """Overlap of two neighbouring tiles, in pixels of 10 m."""
        if self.overlap is not None:
            return self.overlap
        return min(FULL_OVERLAP, max(20, 2 * round(0.049 * self.size)))

    def as_dict(self) -> dict:
        """Plain values, for JSON; baselines and what came later only if they are not the usual ones."""
        values = {**asdict(self), "tiles": list(self.tiles), "baselines": list(self.baselines)}
        usual = {"baselines": list(BASELINES), "field_size": 1.0, "mixed_edges": 0.0}
        usual |= {"changed": 0.0, "season_shift": 0.0}
        return {k: value for k, value in values.items() if k not in usual or usual[k] != value}


def _tile_problems(settings: SceneSettings) -> list[str]:
    problems = []
    if not settings.tiles:
        problems.append("tiles: empty; give at least one, e.g. T31TCJ")
    if len(set(settings.tiles)) != len(settings.tiles):
        problems.append(f"tiles: a name stands twice in {' '.join(settings.tiles)}")
    for name in settings.tiles:
        if not re.fullmatch(rf"T31[C-X][{COLUMN_LETTERS}][{ROW_LETTERS}]", str(name)):
            problems.append(
                f"tiles: {name!r} is no MGRS tile of zone 31; T31TCJ, T31TDJ, T31TEJ make a row, "
                "T31TCK and T31TDK lie north of the first two"
            )
    return problems


def _baseline_problems(settings: SceneSettings) -> list[str]:
    wrong = [name for name in settings.baselines if not re.fullmatch(r"\d\d\.\d\d", str(name))]
    if wrong or not settings.baselines:
        found = repr(wrong[0]) if wrong else "none given"
        return [f"baselines: {found}; give numbers such as 02.14 or 05.09"]
    return []


def _number_problems(settings: SceneSettings) -> list[str]:
    """Values out of range, or of another type."""
    ranges = {
        "size": (int, SMALLEST_SIZE, FULL_SIZE),
        "year": (int, 2015, 2100),
        "dates": (int, 1, MOST_DATES),
        "split_dates": (int, 0, MOST_DATES),
        "reference_polygons": (int, 1, 1_000_000),
        "seed": (int, 0, 2**63 - 1),
        "cloud_cover": (float, 0.05, 0.9),
        "saturated": (float, 0.0, 0.5),
        "label_noise": (float, 0.0, 0.5),
        "field_size": (float, 0.5, 4.0),
        "mixed_edges": (float, 0.0, 1.0),
        "changed": (float, 0.0, 1.0),
        "season_shift": (float, -30.0, 30.0),
    }
    if settings.overlap is not None:
        ranges["overlap"] = (int, 2, 10**6)
    problems = []
    for name, (kind, lowest, highest) in ranges.items():
        value = getattr(settings, name)
        accepted = (int,) if kind is int else (int, float)
        if (
            not isinstance(value, accepted)
            or isinstance(value, bool)
            or not lowest <= value <= highest
        ):
            noun = "an integer" if kind is int else "a number"
            problems.append(f"{name}: {value!r} is not {noun} from {lowest} to {highest}")
    if problems:
        return problems
    for name in ("size", "overlap"):
        if (getattr(settings, name) or 0) % 2:
            problems.append(
                f"{name}: {getattr(settings, name)} is odd; it must be a multiple of 2, "
                "since a 20 m pixel covers two of 10 m"
            )
    if settings.shared_pixels * 2 > settings.size:
        problems.append(
            f"overlap: {settings.shared_pixels} is more than half of size {settings.size}"
        )
    return problems


def tile_window(settings: SceneSettings, tile: str) -> Window:
    """Place of a tile on the world grid of 10 m pixels.

    Columns count from easting 0 eastwards, rows from northing 10 000 km southwards.
    """
    if tile not in settings.tiles:
        raise ConfigError(f"tile {tile!r} is not in the scene ({', '.join(settings.tiles)})")
    step = settings.size - settings.shared_pixels
    eastward = COLUMN_LETTERS.index(tile[4]) - COLUMN_LETTERS.index(ANCHOR[4])
    northward = ROW_LETTERS.index(tile[5]) - ROW_LETTERS.index(ANCHOR[5])
    northward = (northward + 10) % 20 - 10
    row = (FALSE_NORTHING - ANCHOR_TOP) // RESOLUTION - northward * step
    col = ANCHOR_LEFT // RESOLUTION + eastward * step
    return Window(row, col, settings.size, settings.size)


def grid_of_window(window: Window, resolution: int = RESOLUTION) -> Grid:
    """Georeferenced grid over a world window (rows and columns of 10 m) at a multiple of 10 m.

    Its last pixels reach beyond a window that is no whole number of them.
    """
    factor = resolution // RESOLUTION
    return Grid(
        CRS,
        float(window.col * RESOLUTION),
        float(FALSE_NORTHING - window.row * RESOLUTION),
        float(resolution),
        -(-window.rows // factor),
        -(-window.cols // factor),
    )


def scene_window(settings: SceneSettings) -> Window:
    """Smallest world window that holds all tiles."""
    windows = [tile_window(settings, tile) for tile in settings.tiles]
    row = min(window.row for window in windows)
    col = min(window.col for window in windows)
    last_row = max(window.row + window.rows for window in windows)
    last_col = max(window.col + window.cols for window in windows)
    return Window(row, col, last_row - row, last_col - col)


@dataclass(frozen=True)
class Acquisition:
    """One day on which a satellite passes over the scene.

    Parameters
    ----------
    day : datetime.date
        Date.
    orbit : int
        Relative orbit of Sentinel-2, 51 or 94, or path of Landsat, 198 or 199.
    platform : str
        ``SENTINEL2A``, ``SENTINEL2B`` or ``LANDSAT8``.
    sun_zenith, sun_azimuth : float
        Degrees; azimuth clockwise from north.
    cloud_cover : float
        Share of the sky meant to be cloudy, 0 to 1.
    cirrus, saturated, split : bool
        Whether thin cirrus passes, some pixels saturate, two datastrips are delivered.
    """

    day: date
    orbit: int
    platform: str
    sun_zenith: float
    sun_azimuth: float
    cloud_cover: float
    cirrus: bool
    saturated: bool
    split: bool

    @property
    def time(self) -> tuple[int, int, int]:
        """Hour, minute and second (UTC) of the first datastrip."""
        return PATHS[self.orbit] if self.orbit in PATHS else ORBITS[self.orbit][1]


def acquisitions(settings: SceneSettings) -> tuple[Acquisition, ...]:
    """Days of the scene in order of time, evenly drawn from two orbits."""
    count = {51: (settings.dates + 1) // 2, 94: settings.dates // 2}
    chosen = []
    for orbit, wanted in count.items():
        chosen += [(day, orbit) for day in spread(settings, passes(orbit, settings.year), wanted)]
    clearest = sorted(chosen, key=lambda pair: (cloud_cover(settings, pair[0]), pair[0]))
    split = {day for day, _ in clearest[: settings.split_dates]}
    return tuple(_acquisition(settings, day, orbit, day in split) for day, orbit in sorted(chosen))


def spread(settings: SceneSettings, days: list[date], wanted: int) -> list[date]:
    """`wanted` days out of `days`, nearly regular; where there is room, a pass early or late.

    (Without that freedom one of the two satellites would take all the images.)
    """
    step = len(days) / max(wanted, 1)
    first = [int((i + 0.25) * step) for i in range(wanted)]
    if step < 2:
        return [days[i] for i in first]
    late = [int(stream_key(settings.seed, "pass", days[i])) & 1 for i in first]
    return [days[i + shift] for i, shift in zip(first, late, strict=True)]


def passes(orbit: int, year: int) -> list[date]:
    """All passes of both satellites on a relative orbit in a year."""
    first = date(year, 1, 1)
    wait = (ORBITS[orbit][0] - first.toordinal()) % REVISIT_DAYS
    days = (date(year, 12, 31) - first).days + 1
    return [first + timedelta(days=offset) for offset in range(wait, days, REVISIT_DAYS)]


def cloud_cover(settings: SceneSettings, day: date) -> float:
    """Cover drawn for a date: mostly clear or overcast, cloudier in winter."""
    draw = uniform(stream_key(settings.seed, "cover", day))
    season = math.cos(2 * math.pi * (day_of_year(day) - 15) / 365.25)
    mean = min(0.95, max(0.02, settings.cloud_cover + 0.12 * season))
    return math.sin(math.pi / 2 * draw ** ((1 - mean) / mean) ** 0.8) ** 2


def _acquisition(settings: SceneSettings, day: date, orbit: int, split: bool) -> Acquisition:
    cycles = (day.toordinal() - ORBITS[orbit][0]) // REVISIT_DAYS
    hour, minute, _ = ORBITS[orbit][1]
    zenith, azimuth = sun_angles(day_of_year(day), hour + minute / 60)
    chance = [uniform(stream_key(settings.seed, name, day)) for name in ("cirrus", "saturated")]
    return Acquisition(
        day, orbit, "SENTINEL2A" if cycles % 2 == 0 else "SENTINEL2B", zenith, azimuth,
        cloud_cover(settings, day), chance[0] < 0.25, chance[1] < 0.25, split,
    )  # fmt: skip


def day_of_year(day: date) -> int:
    """1 on the first of January, 366 on the last day of a leap year."""
    return day.timetuple().tm_yday


def day_of_growth(settings: SceneSettings, day: date) -> float:
    """Day of the year as plants have it: in a late season they stand where they usually did before."""
    return day_of_year(day) - settings.season_shift


def sun_angles(day: int, hour: float) -> tuple[float, float]:
    """Zenith and azimuth of the sun over the scene, degrees.

    Parameters
    ----------
    day : int
        Day of the year.
    hour : float
        UTC.

    References
    ----------
    Cooper (1969), The absorption of radiation in solar stills (declination).
    """
    latitude = math.radians(LATITUDE)
    declination = math.radians(23.45 * math.sin(2 * math.pi * (284 + day) / 365))
    hour_angle = math.radians(15 * (hour + LONGITUDE / 15 - 12))
    cosine = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(
        declination
    ) * math.cos(hour_angle)
    zenith = math.acos(cosine)
    east = -math.cos(declination) * math.sin(hour_angle)
    north = math.sin(declination) * math.cos(latitude) - math.cos(declination) * math.sin(
        latitude
    ) * math.cos(hour_angle)
    return math.degrees(zenith), math.degrees(math.atan2(east, north)) % 360


def settings_from(values: dict) -> SceneSettings:
    """Settings from plain values, as `as_dict` gives them; unknown keys are refused."""
    known = {field.name for field in fields(SceneSettings)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(
            one_message("The simulated scene", [f"unknown key {key!r}" for key in unknown])
        )
    return SceneSettings(**values)
