"""Spectral indices of each date.

References
----------
NDVI: Rouse et al. 1974; NDWI of vegetation water: Gao 1996, 10.1016/S0034-4257(96)00067-3;
brightness: Euclidean norm of the bands. Scaled as in IOTA²: NDVI and NDWI times 1000.
"""

import numpy as np

from iota2_tools.core.kernels import kernel

LOWEST, HIGHEST = -32768.0, 32767.0


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
    values, start = _matrix_of(bands)
    target, column = _matrix_of(out)
    _normalised_difference(values, first + start, second + start, haze, target, column)
    _give(target, out)


@kernel(error_model="numpy")
def _normalised_difference(bands, first, second, haze, out, column):
    """Kernel of `normalised_difference`; `column` is where its result starts in `out`."""
    n_dates = first.size
    a, b = np.empty(n_dates), np.empty(n_dates)
    for pixel in range(bands.shape[0]):
        for number in range(n_dates):
            a[number] = bands[pixel, first[number]]
            b[number] = bands[pixel, second[number]]
        line = out[pixel, column : column + n_dates]
        for number in range(n_dates):
            total = a[number] + b[number] + haze
            value = 1000.0 * (a[number] - b[number] - haze) / total
            value = 0.0 if abs(total) < 1e-5 else value
            line[number] = min(max(np.rint(value), LOWEST), HIGHEST)


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
    values, start = _matrix_of(bands)
    target, column = _matrix_of(out)
    used = columns.ravel() + start
    together = bool((np.diff(used) == 1).all())
    _brightness(values, used, together, len(columns), target, column)
    _give(target, out)


@kernel(error_model="numpy")
def _brightness(bands, used, together, n_dates, out, column):
    """Kernel of `brightness`; columns that lie `together` are squared by vector code.

    `used` are the columns, date by date; `column` is where the result starts in `out`.
    """
    n_used = used.size // n_dates
    squares = np.empty(used.size)
    totals = np.empty(n_dates)
    for pixel in range(bands.shape[0]):
        if together:
            run = bands[pixel, used[0] : used[0] + used.size]
            for place in range(used.size):
                value = np.float64(run[place])
                squares[place] = value * value
        else:
            for place in range(used.size):
                value = np.float64(bands[pixel, used[place]])
                squares[place] = value * value
        for number in range(n_dates):
            total = 0.0
            for square in squares[number * n_used : (number + 1) * n_used]:
                total += square
            totals[number] = total
        line = out[pixel, column : column + n_dates]
        for number in range(n_dates):
            line[number] = min(np.rint(np.sqrt(totals[number])), HIGHEST)


def _matrix_of(part: np.ndarray) -> tuple[np.ndarray, int]:
    """The C-contiguous matrix that some columns are a part of, and the first of these columns.

    Compilers make vector code of rows only where they know that their values lie side by side,
    which the type of a part does not tell. Columns of no such matrix are copied.
    """
    whole = part.base
    if isinstance(whole, np.ndarray) and whole.ndim == 2 and whole.flags.c_contiguous:
        first, rest = divmod(part.ctypes.data - whole.ctypes.data, whole.itemsize)
        same_rows = part.strides == whole.strides and len(part) == len(whole)
        inside = 0 <= first <= whole.shape[1] - part.shape[1]
        if same_rows and inside and not rest and part.dtype == whole.dtype:
            return whole, first
    return np.ascontiguousarray(part), 0


def _give(target: np.ndarray, out: np.ndarray) -> None:
    """Copy a result to where it is wanted, if it was computed in a copy."""
    if target is not out and target is not out.base:
        out[...] = target
