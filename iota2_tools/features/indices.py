"""Spectral indices of each date.

References
----------
NDVI: Rouse et al. 1974; NDWI of vegetation water: Gao 1996, 10.1016/S0034-4257(96)00067-3;
brightness: Euclidean norm of the bands. Scaled as in IOTA²: NDVI and NDWI times 1000.
"""

import numpy as np

from iota2_tools.core.kernels import kernel

LOWEST, HIGHEST = -32768.0, 32767.0


@kernel(error_model="numpy")
def normalised_difference(
    bands: np.ndarray, first: np.ndarray, second: np.ndarray, haze: float, out: np.ndarray
) -> None:
    """Write 1000 · (first - second - haze) / (first + second + haze) of each date, rounded.

    0 where the sum is 0.

    Parameters
    ----------
    bands : ndarray, shape (n_pixels, n_dates * n_bands)
        Reflectance x 10000, date by date.
    first, second : ndarray of int64, shape (n_dates,)
        Columns of both bands.
    haze : float
        0, or of robust indices 500 (a reflectance of 0.05).
    out : ndarray, shape (n_pixels, n_dates)
        Written; clipped to the range of int16.
    """
    for pixel in range(bands.shape[0]):
        for number in range(first.shape[0]):
            a = np.float64(bands[pixel, first[number]])
            b = np.float64(bands[pixel, second[number]])
            total = a + b + haze
            value = 0.0 if abs(total) < 1e-5 else 1000.0 * (a - b - haze) / total
            out[pixel, number] = min(max(np.rint(value), LOWEST), HIGHEST)


@kernel
def difference(bands: np.ndarray, first: np.ndarray, second: np.ndarray, out: np.ndarray) -> None:
    """Write first - second of each date, clipped to int16: of decibels, the ratio of powers.

    Parameters
    ----------
    bands : ndarray, shape (n_pixels, n_dates * n_bands)
        Decibels x 100, date by date.
    first, second : ndarray of int64, shape (n_dates,)
        Columns of both bands.
    out : ndarray, shape (n_pixels, n_dates)
        Written.
    """
    for pixel in range(bands.shape[0]):
        for number in range(first.shape[0]):
            value = np.float64(bands[pixel, first[number]]) - bands[pixel, second[number]]
            out[pixel, number] = min(max(value, LOWEST), HIGHEST)


@kernel(error_model="numpy")
def brightness(bands: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    """Write the Euclidean norm of the bands of each date, rounded and clipped to int16.

    Parameters
    ----------
    bands : ndarray, shape (n_pixels, n_dates * n_bands)
        Reflectance x 10000, date by date.
    columns : ndarray of int64, shape (n_dates, n_used)
        Columns of the bands of each date.
    out : ndarray, shape (n_pixels, n_dates)
        Written.
    """
    for pixel in range(bands.shape[0]):
        for number in range(columns.shape[0]):
            total = 0.0
            for position in range(columns.shape[1]):
                value = np.float64(bands[pixel, columns[number, position]])
                total += value * value
            out[pixel, number] = min(np.rint(np.sqrt(total)), HIGHEST)
