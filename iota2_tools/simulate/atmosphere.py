"""The sky of a date: clouds, their shadows, cirrus, and the mask a cloud detector makes of them.

The sky is computed at nodes 40 m apart (every fourth pixel of the world grid) and interpolated
between them; the detector works on cells of 40 m, hence its masks at 10 and 20 m agree.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from iota2_tools.core.kernels import kernel
from iota2_tools.geo.grid import Window
from iota2_tools.simulate.hashing import hash_at, stream_key, uniform, value_noise
from iota2_tools.simulate.settings import Acquisition, SceneSettings, scene_window, tile_window

CELL = 4

# Bits of the MUSCATE cloud mask (CLM).
ALL_CLOUDS_AND_SHADOWS = 1
ALL_CLOUDS = 2
CLOUD_BY_BRIGHTNESS = 4
CLOUD_BY_CHANGE = 8
THINNEST_CLOUDS = 16
SHADOW = 32
CIRRUS = 128

SWATH_LEAN = math.tan(math.radians(12.0))
PATH_LEAN = math.tan(math.radians(16.0))

# An orbit sees what lies on the inner side of these lines: (side, place, lean); the place is a
# share of the width of the scene, the side +1 where the swath lies to the east of the line.
SWATH_EDGES = {
    51: (1.0, 0.10, SWATH_LEAN),
    94: (-1.0, 0.86, SWATH_LEAN),
    198: (1.0, 0.05, PATH_LEAN),
    199: (-1.0, 0.90, PATH_LEAN),
}


@dataclass(frozen=True)
class Sky:
    """The sky over a window of the world grid on a date, at nodes 4 px apart.

    Parameters
    ----------
    first_row, first_col : int
        Node of the first element; node n lies at world row or column 4 n.
    opacity, shadow : ndarray of float32, shape (node rows, node columns)
        Share of the light from the cloud, and of direct light taken away by its shadow, 0 to 1.
    detected : ndarray of uint8, shape (node rows, node columns)
        CLM code of the cell of 4 x 4 px that begins at the node.
    """

    first_row: int
    first_col: int
    opacity: np.ndarray
    shadow: np.ndarray
    detected: np.ndarray


def sky_over(settings: SceneSettings, window: Window, acquisition: Acquisition) -> Sky:
    """Compute clouds, shadows and the cloud mask over a window of the world grid."""
    first_row, first_col = window.row // CELL - 1, window.col // CELL - 1
    rows = (window.row + window.rows - 1) // CELL + 3 - first_row
    cols = (window.col + window.cols - 1) // CELL + 3 - first_col
    keys = _sky_keys(settings, acquisition)
    length = cloud_length(settings)
    threshold = cloud_threshold(acquisition)
    place = (first_row, first_col, rows, cols)
    opacity = _cloud_field(keys, *place, 1, 0, 0, length, threshold)
    east, south = shadow_shift(settings, acquisition)
    shadow = 0.72 * _cloud_field(keys, *place, 1, east, south, length, threshold)
    cirrus = np.zeros_like(opacity)
    if acquisition.cirrus:
        cirrus = 0.28 * _cloud_field(keys[3:], *place, 1, 0, 0, 2.2 * length, 0.55)
    detected = _detect(keys, *place, opacity, shadow, cirrus)
    return Sky(first_row, first_col, np.maximum(opacity, cirrus), shadow, detected)


def clear_sky(window: Window) -> Sky:
    """A sky without cloud over a window of the world grid."""
    first_row, first_col = window.row // CELL - 1, window.col // CELL - 1
    shape = (
        (window.row + window.rows - 1) // CELL + 3 - first_row,
        (window.col + window.cols - 1) // CELL + 3 - first_col,
    )
    nothing = np.zeros(shape, dtype=np.float32)
    return Sky(first_row, first_col, nothing, nothing, np.zeros(shape, dtype=np.uint8))


def _sky_keys(settings: SceneSettings, acquisition: Acquisition) -> np.ndarray:
    names = ("cloud 1", "cloud 2", "cloud 3", "cirrus 1", "cirrus 2", "cirrus 3", "missed", "false")
    keys = [stream_key(settings.seed, name, acquisition.day) for name in names]
    return np.array(keys, dtype=np.uint64)


def cloud_length(settings: SceneSettings) -> float:
    """Wavelength of the largest clouds in pixels: a third of a tile, 15 km at most."""
    return min(1500.0, max(40.0, settings.size / 3))


def cloud_threshold(acquisition: Acquisition) -> float:
    """Level above which the noise is cloud, so that the meant share of the sky is covered."""
    return NormalDist().inv_cdf(1.0 - min(0.9999, max(0.0001, acquisition.cloud_cover)))


def shadow_shift(settings: SceneSettings, acquisition: Acquisition) -> tuple[int, int]:
    """Shift from a shadow to the cloud that casts it: pixels eastwards and southwards.

    The cloud stands towards the sun, at its height times the tangent of the zenith angle. Cloud
    base lies between 500 and 1500 m, and lower over small scenes, whose clouds are small.
    """
    draw = uniform(stream_key(settings.seed, "cloud base", acquisition.day))
    base = min(50.0 + 100.0 * draw, (0.04 + 0.06 * draw) * settings.size)
    distance = base * math.tan(math.radians(acquisition.sun_zenith))
    azimuth = math.radians(acquisition.sun_azimuth)
    return round(distance * math.sin(azimuth)), round(-distance * math.cos(azimuth))


@kernel
def _cloud_field(keys, first_row, first_col, rows, cols, step, east, south, length, threshold):
    """Opacity at nodes, 0 to 1: three octaves of noise above a threshold."""
    field = np.empty((rows, cols), dtype=np.float32)
    for i in range(rows):
        for j in range(cols):
            column = (first_col + j * step) * 4 + east
            line = (first_row + i * step) * 4 + south
            x = 0.8 * column - 0.6 * line
            y = 0.6 * column + 0.8 * line
            noise = value_noise(keys[0], x / length, y / (1.3 * length))
            noise += 0.5 * value_noise(keys[1], x * 2.9 / length, y * 2.9 / length)
            noise += 0.27 * value_noise(keys[2], x * 7.9 / length, y * 7.9 / length)
            rise = (noise / 0.44 - threshold) * 2.2
            rise = min(1.0, max(0.0, rise))
            field[i, j] = rise * rise * (3.0 - 2.0 * rise)
    return field


@kernel
def _detect(keys, first_row, first_col, rows, cols, opacity, shadow, cirrus):
    """CLM code of each cell: the truth widened by a cell, with omissions and false alarms."""
    detected = np.zeros((rows, cols), dtype=np.uint8)
    for i in range(1, rows - 2):
        for j in range(1, cols - 2):
            cloud, shade, veil = 0.0, 0.0, 0.0
            for k in range(i - 1, i + 3):
                for m in range(j - 1, j + 3):
                    cloud = max(cloud, opacity[k, m])
                    shade = max(shade, shadow[k, m])
                    veil = max(veil, cirrus[k, m])
            x, y = first_col + j, first_row + i
            missed = uniform(hash_at(keys[6], x // 4, y // 4)) < 0.025
            invented = uniform(hash_at(keys[7], x // 3, y // 3)) < 0.008
            detected[i, j] = _code(cloud, shade, veil, missed, invented)
    return detected


@kernel
def _code(cloud, shade, veil, missed, invented):
    """CLM code of a cell from the greatest opacity, shadow and cirrus around it."""
    code = 0
    if cloud > 0.2 and not (missed and cloud < 0.75):
        code = 1 | 2 | (4 if cloud > 0.6 else 8)
    elif cloud > 0.06:
        code = 16
    if shade > 0.16 and not missed:
        code |= 1 | 32
    if veil > 0.09:
        code |= 1 | 2 | 128
    if code == 0 and invented:
        code = 1 | 2 | 8
    return code


def swath_lines(
    settings: SceneSettings, acquisition: Acquisition, datastrip: int | None
) -> np.ndarray:
    """Lines that bound what a product shows.

    Parameters
    ----------
    settings : SceneSettings
    acquisition : Acquisition
    datastrip : int, optional
        0 for the northern and 1 for the southern of two datastrips, None for a whole product.

    Returns
    -------
    ndarray of float64, shape (lines, 3)
        The image holds (x, y), world column and row, where ``a x + b y + c >= 0`` on each line.
    """
    scene = scene_window(settings)
    side, place, lean = SWATH_EDGES[acquisition.orbit]
    drift = uniform(stream_key(settings.seed, "orbit drift", acquisition.day)) - 0.5
    middle = scene.row + scene.rows / 2
    edge = scene.col + (place + 0.02 * drift) * scene.cols
    lines = [(side, side * lean, -side * (edge + lean * middle))]
    if datastrip is not None:
        first = tile_window(settings, settings.tiles[0])
        turn = first.row + 0.55 * first.rows - SWATH_LEAN * (scene.col + scene.cols / 2)
        sign = -1.0 if datastrip == 0 else 1.0
        lines.append((-sign * SWATH_LEAN, sign, -sign * turn))
    return np.array(lines)


def seen_and_cloudy(
    settings: SceneSettings, window: Window, acquisition: Acquisition, lines: np.ndarray
) -> tuple[float, float]:
    """Share of a window inside the swath, and share of that under cloud.

    Estimated on at most about 150 x 150 points, the same for any block size.
    """
    step = max(1, window.rows // (CELL * 150))
    rows, cols = (-(-side // (CELL * step)) for side in (window.rows, window.cols))
    first_row, first_col = window.row // CELL, window.col // CELL
    opacity = _cloud_field(
        _sky_keys(settings, acquisition), first_row, first_col, rows, cols, step, 0, 0,
        cloud_length(settings), cloud_threshold(acquisition),
    )  # fmt: skip
    y = (first_row + np.arange(rows)[:, np.newaxis] * step) * CELL
    x = (first_col + np.arange(cols) * step) * CELL
    seen = np.all([a * x + b * y + c >= 0 for a, b, c in lines], axis=0)
    if not seen.any():
        return 0.0, 0.0
    return float(seen.mean()), float((opacity[seen] > 0.2).mean())
