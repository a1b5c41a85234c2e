"""From land and sky to the pixels of a product: one block, one date."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.kernels import kernel
from iota2_tools.geo.grid import Window
from iota2_tools.simulate.atmosphere import Sky, clear_sky, sky_over, swath_lines
from iota2_tools.simulate.hashing import gaussian_table, hash_at, stream_key, uniform
from iota2_tools.simulate.landscape import Land, describe_land
from iota2_tools.simulate.phenology import BANDS, parcel_spectra, parcel_traits
from iota2_tools.simulate.settings import Acquisition, SceneSettings, day_of_growth

BANDS_10M = ("B2", "B3", "B4", "B8")
BANDS_20M = ("B5", "B6", "B7", "B8A", "B11", "B12")
ORDER = np.array([BANDS.index(name) for name in BANDS_10M + BANDS_20M])
NODATA = -10_000

# Reflectance of clouds, in the order of BANDS_10M then BANDS_20M.
CLOUD = 10_000 * np.array([0.74, 0.73, 0.73, 0.77, 0.74, 0.76, 0.77, 0.78, 0.56, 0.46])


@dataclass(frozen=True)
class Image:
    """Pixels of a product in a window.

    Parameters
    ----------
    fine : ndarray of int16, shape (4, rows, cols)
        Reflectance x 10000 of B2, B3, B4, B8 at 10 m; -10000 outside the swath.
    coarse : ndarray of int16, shape (6, rows / 2, cols / 2)
        The same of B5, B6, B7, B8A, B11, B12 at 20 m.
    masks : dict of str to ndarray of uint8
        CLM, SAT, EDG and MG2 of ``R1`` (10 m) and ``R2`` (20 m), e.g. ``masks["CLM_R1"]``.
    """

    fine: np.ndarray
    coarse: np.ndarray
    masks: dict[str, np.ndarray]


def truth_class(settings: SceneSettings, window: Window) -> np.ndarray:
    """True class of each pixel of a window of the world grid (see `tile_window`), uint8."""
    return describe_land(settings, window).class_map


def clear_reflectance(
    settings: SceneSettings, window: Window, day: date
) -> tuple[np.ndarray, np.ndarray]:
    """What a product of that day shows where no cloud, shadow or saturation comes between.

    Parameters
    ----------
    settings : SceneSettings
    window : Window
        Even rows and columns of the world grid; see `tile_window`.
    day : datetime.date
        Any day.

    Returns
    -------
    fine : ndarray of int16, shape (4, rows, cols)
        Reflectance x 10000 of B2, B3, B4, B8, noise included.
    coarse : ndarray of int16, shape (6, rows / 2, cols / 2)
        The same of B5, B6, B7, B8A, B11, B12.
    """
    land = describe_land(settings, window)
    image = clear_image(settings, land, parcel_traits(land), day)
    return image.fine, image.coarse


def clear_image(settings: SceneSettings, land: Land, traits: np.ndarray, day: date) -> Image:
    """Pixels over the window of `land` without cloud, edge or saturation; see `take_image`."""
    acquisition = Acquisition(day, 51, "SENTINEL2A", 0.0, 0.0, 0.0, False, False, False)
    return _expose(settings, land, traits, acquisition, clear_sky(land.window), np.zeros((0, 3)))


def take_image(
    settings: SceneSettings,
    land: Land,
    traits: np.ndarray,
    acquisition: Acquisition,
    datastrip: int | None = None,
) -> Image:
    """Simulate the pixels of a product over the window of `land`.

    Parameters
    ----------
    settings : SceneSettings
    land : Land
    traits : ndarray
        From `parcel_traits`.
    acquisition : Acquisition
    datastrip : int, optional
        0 or 1 for the northern or southern of two datastrips.
    """
    sky = sky_over(settings, land.window, acquisition)
    lines = swath_lines(settings, acquisition, datastrip)
    return _expose(settings, land, traits, acquisition, sky, lines)


def _expose(
    settings: SceneSettings,
    land: Land,
    traits: np.ndarray,
    acquisition: Acquisition,
    sky: Sky,
    lines: np.ndarray,
) -> Image:
    window = land.window
    if window.row % 2 or window.col % 2 or window.rows % 2 or window.cols % 2:
        raise InputDataError(
            f"{window} is not made of whole 20 m pixels; use even rows and columns"
        )
    day = acquisition.day
    keys = [stream_key(settings.seed, name, day) for name in ("noise", "noise 20 m", "saturation")]
    level, slope = parcel_spectra(
        land.codes, traits, day_of_growth(settings, day), _gains(settings, day)
    )
    fine = np.empty((4, window.rows, window.cols), dtype=np.int16)
    coarse = np.empty((6, window.rows // 2, window.cols // 2), dtype=np.int16)
    masks_fine = np.zeros((4, window.rows, window.cols), dtype=np.uint8)
    masks_coarse = np.zeros((4, window.rows // 2, window.cols // 2), dtype=np.uint8)
    _photograph(
        np.array(keys, dtype=np.uint64), window.row, window.col, land.parcel, land.texture,
        *_mixture(land), land.codes, np.ascontiguousarray(level[:, ORDER]), np.ascontiguousarray(slope[:, ORDER]),
        sky.first_row, sky.first_col, sky.opacity, sky.shadow, sky.detected, lines,
        settings.saturated if acquisition.saturated else 0.0,
        GAUSSIAN, CLOUD.astype(np.float32), fine, coarse, masks_fine, masks_coarse,
    )  # fmt: skip
    masks = {f"{name}_R1": masks_fine[k] for k, name in enumerate(MASKS)}
    masks |= {f"{name}_R2": masks_coarse[k] for k, name in enumerate(MASKS)}
    return Image(fine, coarse, masks)


def _mixture(land: Land) -> tuple[np.ndarray, np.ndarray]:
    """Other parcels and parts of mixed pixels; without columns where none is mixed."""
    if land.beside is None or land.part is None:
        return np.zeros((0, 0), dtype=np.int32), np.zeros((0, 0), dtype=np.float32)
    return land.beside, land.part


MASKS = ("CLM", "SAT", "EDG", "MG2")
GAUSSIAN = gaussian_table()


def _gains(settings: SceneSettings, day: date) -> np.ndarray:
    """Error of the atmospheric correction: up to 3 %, the same in all bands and band by band."""
    draws = [
        uniform(stream_key(settings.seed, "gain", day, band)) - 0.5 for band in ("all", *BANDS)
    ]
    return 1.0 + 0.06 * draws[0] + 0.03 * np.array(draws[1:])


@kernel
def between_nodes(field, first_row, first_col, row, col):
    """Bilinear value at a world pixel of a field given at every fourth one."""
    i = row // 4 - first_row
    j = col // 4 - first_col
    v = np.float32((row % 4) * 0.25)
    u = np.float32((col % 4) * 0.25)
    top = field[i, j] + (field[i, j + 1] - field[i, j]) * u
    bottom = field[i + 1, j] + (field[i + 1, j + 1] - field[i + 1, j]) * u
    return top + (bottom - top) * v


@kernel
def _measured(value, deviate, opacity, shadow, cloud):
    """Digital number of a surface reflectance seen through the sky, with noise."""
    value = value * (np.float32(1.0) - shadow)
    value += (cloud - value) * opacity
    value += deviate * (np.float32(0.015) * value + np.float32(12.0))
    return np.int16(min(np.float32(20000.0), max(np.float32(1.0), np.rint(value))))


@kernel
def _beyond(level, slope, here, other, grain, band):
    """How much more another parcel reflects than this one."""
    return level[other, band] - level[here, band] + grain * (slope[other, band] - slope[here, band])


@kernel
def _saturate(bits, fine, coarse, masks_fine, masks_coarse, i, j):
    """Blind some bands of one 20 m pixel and say so in SAT (bit n: band n of that resolution)."""
    some_fine = np.int64(bits & np.uint64(15)) | 1
    some_coarse = np.int64((bits >> np.uint64(8)) & np.uint64(63)) | 1
    for b in range(4):
        if some_fine >> b & 1:
            fine[b, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = 16000
    for b in range(6):
        if some_coarse >> b & 1:
            coarse[b, i, j] = 16000
    masks_fine[1, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = some_fine
    masks_coarse[1, i, j] = some_coarse


@kernel
def _geophysics(code, detected):
    """MG2 code: bit 0 water, 1 clouds, 3 cloud shadows."""
    mask = 1 if code == 11 else 0
    mask |= 2 if detected & 2 else 0
    return mask | (8 if detected & 32 else 0)


@kernel
def _photograph(
    keys, first_row, first_col, parcel, texture, beside, part, codes, level, slope,
    sky_row, sky_col, opacity, shadow, detected, lines, saturated,
    gaussian, cloud, fine, coarse, masks_fine, masks_coarse,
):  # fmt: skip
    """Fill the arrays of an `Image`, 20 m pixel by 20 m pixel."""
    for i in range(coarse.shape[1]):
        for j in range(coarse.shape[2]):
            row, col = first_row + 2 * i, first_col + 2 * j
            if not inside(lines, col + 0.5, row + 0.5):
                fine[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = -10000
                coarse[:, i, j] = -10000
                masks_fine[2, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = 1
                masks_coarse[2, i, j] = 1
                continue
            mask = detected[row // 4 - sky_row, col // 4 - sky_col]
            masks_coarse[0, i, j] = mask
            veil = np.float32(0.0)
            shade = np.float32(0.0)
            for p in range(2 * i, 2 * i + 2):
                for q in range(2 * j, 2 * j + 2):
                    here = parcel[p, q]
                    grain = np.float32(texture[p, q])
                    veil = between_nodes(opacity, sky_row, sky_col, first_row + p, first_col + q)
                    shade = between_nodes(shadow, sky_row, sky_col, first_row + p, first_col + q)
                    bits = hash_at(keys[0], first_col + q, first_row + p)
                    for b in range(4):
                        value = level[here, b] + grain * slope[here, b]
                        if part.size:
                            value += part[p, q] * _beyond(
                                level, slope, here, beside[p, q], grain, b
                            )
                        deviate = gaussian[np.int64(bits & np.uint64(1023))]
                        bits = bits >> np.uint64(10)
                        fine[b, p, q] = _measured(value, deviate, veil, shade, cloud[b])
                    masks_fine[0, p, q] = mask
                    masks_fine[3, p, q] = _geophysics(codes[here], mask)
            bits = hash_at(keys[1], col // 2, row // 2)
            for b in range(6):
                total = np.float32(0.0)
                for p in range(2 * i, 2 * i + 2):
                    for q in range(2 * j, 2 * j + 2):
                        here = parcel[p, q]
                        grain = np.float32(texture[p, q])
                        total += level[here, 4 + b] + grain * slope[here, 4 + b]
                        if part.size:
                            other = beside[p, q]
                            total += part[p, q] * _beyond(level, slope, here, other, grain, 4 + b)
                deviate = gaussian[np.int64(bits & np.uint64(1023))]
                bits = bits >> np.uint64(10)
                coarse[b, i, j] = _measured(
                    total * np.float32(0.25), deviate, veil, shade, cloud[4 + b]
                )
            masks_coarse[3, i, j] = masks_fine[3, 2 * i, 2 * j]
            if saturated > 0.0:
                bits = hash_at(keys[2], col // 6, row // 6)
                if uniform(bits) < saturated:
                    _saturate(bits, fine, coarse, masks_fine, masks_coarse, i, j)


@kernel
def inside(lines, x, y):
    """Whether (x, y) lies on the inner side of all lines."""
    for k in range(lines.shape[0]):  # noqa: SIM110  (numba has no all())
        if lines[k, 0] * x + lines[k, 1] * y + lines[k, 2] < 0.0:
            return False
    return True
