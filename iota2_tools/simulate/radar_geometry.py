"""How a radar that flies past sees the scene: a circular orbit, seen from the turning earth.

What a reader must undo is here in closed form: the time of zero Doppler of a point P is where
P . v(t) = 0, since position and velocity of a circle stand at right angles.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iota2_tools.geo.earth import earth_fixed
from iota2_tools.simulate.relief import TO_DEGREES, land_height, sea_height
from iota2_tools.simulate.settings import (
    FALSE_NORTHING,
    RESOLUTION,
    SceneSettings,
    scene_window,
)

LIGHT = 299792458.0
ORBIT_RADIUS = 7_071_000.0
TURN = math.sqrt(3.986004418e14 / ORBIT_RADIUS**3)
"""Radians a second."""
EARTH_RADIUS = 6_371_000.0
SPACING = 10.0
"""Metres from line to line and from sample to sample."""
LINE_INTERVAL = SPACING / (TURN * EARTH_RADIUS)
HEADINGS = {"ASC": 348.0, "DES": 192.0}
INCIDENCE = 38.0
"""Degrees, in the middle of the scene."""
AROUND = 400.0
"""Metres around the scene that are imaged as well."""
BLANK = 12
"""Lines and samples at the edges of the image without data."""
DEGREE = 6
STEP = 8
"""Pixels between those whose place on the ground is solved for."""
ROUNDS = 6


@dataclass(frozen=True)
class PassGeometry:
    """Geometry of the passes of one direction over a scene.

    Parameters
    ----------
    settings : SceneSettings
    direction : str
        ``ASC`` or ``DES``.
    """

    settings: SceneSettings
    direction: str

    @cached_property
    def _circle(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors of position and velocity when the middle of the scene is abreast."""
        window = scene_window(self.settings)
        x = (window.col + window.cols / 2) * RESOLUTION
        y = FALSE_NORTHING - (window.row + window.rows / 2) * RESOLUTION
        longitude, latitude = (math.radians(value) for value in TO_DEGREES.transform(x, y))
        up = np.array(
            [
                math.cos(latitude) * math.cos(longitude),
                math.cos(latitude) * math.sin(longitude),
                math.sin(latitude),
            ]
        )
        east = np.array([-math.sin(longitude), math.cos(longitude), 0.0])
        north = np.cross(up, east)
        heading = math.radians(HEADINGS[self.direction])
        ahead = math.cos(heading) * north + math.sin(heading) * east
        left = math.cos(heading) * -east + math.sin(heading) * north
        look = math.asin(EARTH_RADIUS / ORBIT_RADIUS * math.sin(math.radians(INCIDENCE)))
        aside = math.radians(INCIDENCE) - look
        return math.cos(aside) * up + math.sin(aside) * left, ahead

    def satellite(self, time: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Position, m, and velocity, m/s, earth-fixed, at seconds after the middle of the scene."""
        start, ahead = self._circle
        angle = TURN * np.asarray(time, dtype=np.float64)[..., np.newaxis]
        place = ORBIT_RADIUS * (np.cos(angle) * start + np.sin(angle) * ahead)
        speed = ORBIT_RADIUS * TURN * (np.cos(angle) * ahead - np.sin(angle) * start)
        return place, speed

    def seen(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Time of zero Doppler, s, and slant range, m, of places of UTM zone 31."""
        longitude, latitude = TO_DEGREES.transform(x, y)
        height = land_height(self.settings, x, y) + sea_height(longitude, latitude)
        points = earth_fixed(longitude, latitude, height)
        start, ahead = self._circle
        times = np.arctan2(points @ ahead, points @ start) / TURN
        return times, np.linalg.norm(points - self.satellite(times)[0], axis=-1)

    @cached_property
    def _extent(self) -> tuple[float, float, float, float]:
        """First and last time, s, nearest and farthest range, m, of the image."""
        window = scene_window(self.settings)
        x = np.linspace(
            window.col * RESOLUTION - AROUND, (window.col + window.cols) * RESOLUTION + AROUND, 60
        )
        top = FALSE_NORTHING - window.row * RESOLUTION
        y = np.linspace(top + AROUND, top - window.rows * RESOLUTION - AROUND, 60)
        times, ranges = self.seen(*np.meshgrid(x, y))
        return times.min(), times.max(), ranges.min(), ranges.max()

    @property
    def start(self) -> float:
        """Time of the first line, seconds after the middle of the scene."""
        return self._extent[0]

    @property
    def nearest(self) -> float:
        """Slant range of the first sample, m."""
        return self._extent[2]

    @cached_property
    def to_ground(self) -> np.ndarray:
        """Coefficients from slant range beyond the nearest, m, to ground range, m."""
        nearest, farthest = self._extent[2:]
        ranges = np.linspace(nearest - 100.0, farthest + 100.0, 200)
        cosine = (ORBIT_RADIUS**2 + EARTH_RADIUS**2 - ranges**2) / (2 * ORBIT_RADIUS * EARTH_RADIUS)
        ground = EARTH_RADIUS * np.arccos(cosine)
        fitted = np.polynomial.Polynomial.fit(ranges - nearest, ground, DEGREE).convert().coef
        return np.concatenate([[0.0], fitted[1:]])

    @cached_property
    def lines(self) -> int:
        """Lines of the whole pass over the scene."""
        return int((self._extent[1] - self._extent[0]) / LINE_INTERVAL) + 2

    @cached_property
    def samples(self) -> int:
        beyond = self._extent[3] - self.nearest
        return int(np.polynomial.polynomial.polyval(beyond, self.to_ground) / SPACING) + 2

    def late(self, ranges: np.ndarray) -> np.ndarray:
        """Seconds after its time that the satellite passes what a line shows (see ESA's grid)."""
        middle = 0.5 * (self._extent[2] + self._extent[3])
        return (ranges - middle) / LIGHT

    def place(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Line and sample, in the image of the whole pass, of places of UTM zone 31."""
        times, ranges = self.seen(x, y)
        ground = np.polynomial.polynomial.polyval(ranges - self.nearest, self.to_ground)
        return (times - self.late(ranges) - self.start) / LINE_INTERVAL, ground / SPACING

    def ground(self, lines: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places of UTM zone 31 that are seen at some lines and samples (Newton's method)."""
        x, y = self._first_guess(lines, samples)
        for _ in range(ROUNDS):
            here = np.stack(self.place(x, y))
            by_x = np.stack(self.place(x + 1.0, y)) - here
            by_y = np.stack(self.place(x, y + 1.0)) - here
            missing = np.stack([lines, samples]) - here
            scale = by_x[0] * by_y[1] - by_y[0] * by_x[1]
            x = x + (missing[0] * by_y[1] - missing[1] * by_y[0]) / scale
            y = y + (by_x[0] * missing[1] - by_x[1] * missing[0]) / scale
        return x, y

    @cached_property
    def _guess(self) -> np.ndarray:
        window = scene_window(self.settings)
        left, top = window.col * RESOLUTION, FALSE_NORTHING - window.row * RESOLUTION
        x, y = np.meshgrid(
            np.linspace(left, left + window.cols * RESOLUTION, 9),
            np.linspace(top, top - window.rows * RESOLUTION, 9),
        )
        lines, samples = self.place(x.ravel(), y.ravel())
        table = np.stack([np.ones(lines.size), lines, samples], axis=-1)
        return np.linalg.lstsq(table, np.stack([x.ravel(), y.ravel()], axis=-1), rcond=None)[0]

    def _first_guess(self, lines: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a, b, c = self._guess
        return a[0] + b[0] * lines + c[0] * samples, a[1] + b[1] * lines + c[1] * samples

    def incidence(self, samples: np.ndarray) -> np.ndarray:
        """Angle of incidence on a sphere, radians, by sample; it does not change along the orbit."""
        nearest, farthest = self._extent[2:]
        ranges = np.linspace(nearest - 100.0, farthest + 100.0, 400)
        ground = np.polynomial.polynomial.polyval(ranges - nearest, self.to_ground) / SPACING
        found = np.interp(samples, ground, ranges)
        cosine = (ORBIT_RADIUS**2 - EARTH_RADIUS**2 - found**2) / (2 * EARTH_RADIUS * found)
        return np.arccos(cosine)
