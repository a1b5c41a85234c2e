"""Upsampling of rasters onto a grid twice as fine, window by window."""

import numpy as np

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.kernels import kernel
from iota2_tools.geo.grid import Window

KEYS = (-3, 29, 111, -9)
"""Keys' kernel (a = -0.5) at 1.75, 0.75, 0.25 and 1.25 source pixels, times 128: exact integers.

The centre of an even destination pixel lies a quarter of a source pixel before the centre of the
source pixel that holds it: taps -2 to 1 with these weights. That of an odd one lies as much
after it: taps -1 to 2 with the weights reversed.
"""

TAPS = 4
UNIT = 128

HALO = 2
"""Source pixels needed on each side of the one that holds a destination pixel."""

INT16_MIN, INT16_MAX = -32768, 32767


def source_window(window: Window, source_shape: tuple[int, int]) -> Window:
    """Find the part of the source which a destination window needs, halo included.

    Parameters
    ----------
    window : (row, col, rows, cols)
        Window on the fine grid, whose pixel (0, 0) shares its upper left corner with that of
        the source; any of its sides may be odd.
    source_shape : (n_rows, n_columns)
        Size of the whole source raster; the halo stops at its borders.

    Raises
    ------
    InputDataError
        If the window is not inside the fine grid, twice the size of the source.
    """
    row, column, n_rows, n_columns = window
    inside_rows = row >= 0 and n_rows > 0 and row + n_rows <= 2 * source_shape[0]
    inside_columns = column >= 0 and n_columns > 0 and column + n_columns <= 2 * source_shape[1]
    if not (inside_rows and inside_columns):
        raise InputDataError(
            f"window {tuple(window)} is not inside the grid twice as fine as {source_shape}"
        )
    top, bottom = _with_halo(row, n_rows, source_shape[0])
    left, right = _with_halo(column, n_columns, source_shape[1])
    return Window(top, left, bottom - top, right - left)


def _with_halo(first: int, length: int, source_length: int) -> tuple[int, int]:
    start = max(first // 2 - HALO, 0)
    return start, min((first + length - 1) // 2 + HALO + 1, source_length)


def upsample_cubic_2x(
    source: np.ndarray,
    window: Window,
    source_shape: tuple[int, int],
    nodata: float | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Upsample by two with the bicubic kernel of Keys, a = -0.5.

    A destination pixel depends on the 4 x 4 source pixels around it, not on the window it is
    computed in. Source pixels outside the raster or without data are left out, and the weights
    of the others scaled to a sum of 1. A destination pixel in a source pixel without data has
    none. Sums are integers, so exact; rounded half away from zero, clipped to int16.

    Parameters
    ----------
    source : ndarray of int16, shape of `source_window(window, source_shape)`
        The source, read on that window; C-contiguous.
    window : (row, col, rows, cols)
        Destination window on the fine grid, which shares the origin of the source.
    source_shape : (n_rows, n_columns)
        Size of the whole source raster.
    nodata : int, optional
        Value of source and destination pixels without data. A computed value may happen to
        equal it: where that matters, masks tell.
    out : ndarray of int16, shape (n_rows, n_columns), optional
        Where to write.

    Returns
    -------
    ndarray of int16, shape (n_rows, n_columns)
        `out`, or a new array.

    Raises
    ------
    InputDataError
        If the source is not int16, or not on the window needed.

    References
    ----------
    R. Keys, Cubic convolution interpolation for digital image processing, IEEE Transactions on
    Acoustics, Speech, and Signal Processing 29(6), 1981. GDAL `cubic`; OTB `bco` of radius 2.
    """
    window = Window(*window)
    needed = source_window(window, source_shape)
    if source.dtype != np.int16 or source.shape != (needed.rows, needed.cols):
        raise InputDataError(
            f"destination window {tuple(window)} needs an int16 source of window {tuple(needed)}, "
            f"got {source.dtype} of shape {source.shape}"
        )
    if out is None:
        out = np.empty((window.rows, window.cols), np.int16)
    if out.dtype != np.int16 or out.shape != (window.rows, window.cols):
        raise InputDataError(
            f"upsampled values need an int16 array of shape {window[2:]}, "
            f"got {out.dtype} {out.shape}"
        )
    first_row = window.row - 2 * needed.row
    first_column = window.col - 2 * needed.col
    absent = INT16_MAX + 1 if nodata is None else int(nodata)
    _upsample(np.ascontiguousarray(source), first_row, first_column, absent, out)
    return out


@kernel
def _upsample(source, first_row, first_column, absent, out):
    """Fill `out`, whose pixel (0, 0) is (first_row, first_column) of the whole window upsampled.

    `absent` is the value without data, out of the range of int16 if there is none.
    """
    n_rows, n_columns = source.shape
    sums = np.empty(n_columns, np.int32)
    wide = np.empty(2 * n_columns, np.int16)
    holes = np.empty(n_columns, np.bool_)
    for out_row in range(out.shape[0]):
        line = out[out_row]
        row = first_row + out_row
        top = _first_tap(row)
        if 0 <= top <= n_rows - TAPS:
            taps = source[top : top + TAPS]
            _sum_columns(taps, row % 2, sums)
            _sum_rows(sums, wide)
            for column in range(line.size):
                line[column] = wide[first_column + column]
            ends = line.size if _find_holes(taps, absent, holes) else 2 * HALO
        else:
            holes[:] = True
            ends = line.size
        _mend(source, row, first_column, absent, holes, line, 0, ends)
        _mend(
            source, row, first_column, absent, holes, line, max(ends, line.size - ends), line.size
        )


@kernel
def _first_tap(position):
    """First of the four source pixels around a destination pixel, in one direction."""
    return position // 2 - HALO + position % 2


@kernel
def _sum_columns(taps, odd, sums):
    """Weigh four source rows into one, in units of 1/128."""
    first, second, third, fourth = taps[0], taps[1], taps[2], taps[3]
    if odd:
        first, second, third, fourth = fourth, third, second, first
    for column in range(sums.size):
        sums[column] = np.int32(
            KEYS[0] * first[column]
            + KEYS[1] * second[column]
            + KEYS[2] * third[column]
            + KEYS[3] * fourth[column]
        )


@kernel
def _sum_rows(sums, wide):
    """Weigh the columns into the two destination pixels of each, but for the HALO at each end."""
    for column in range(HALO, sums.size - HALO):
        before, own, after = sums[column - 1], sums[column], sums[column + 1]
        even = KEYS[0] * sums[column - 2] + KEYS[1] * before + KEYS[2] * own + KEYS[3] * after
        odd = KEYS[3] * before + KEYS[2] * own + KEYS[1] * after + KEYS[0] * sums[column + 2]
        wide[2 * column] = _rounded(np.int32(even))
        wide[2 * column + 1] = _rounded(np.int32(odd))


@kernel
def _rounded(total):
    """Bring a sum in units of 1/128² to an int16, halves away from zero."""
    nearest = (total + UNIT * UNIT // 2 - (total < 0)) >> 14
    return np.int16(min(max(nearest, INT16_MIN), INT16_MAX))


@kernel
def _find_holes(taps, absent, holes):
    """Mark the columns where one of four source rows has no data; tell whether there is one."""
    found = False
    for column in range(holes.size):
        hole = (
            (taps[0, column] == absent)
            | (taps[1, column] == absent)
            | (taps[2, column] == absent)
            | (taps[3, column] == absent)
        )
        holes[column] = hole
        found |= hole
    return found


@kernel
def _mend(source, row, first_column, absent, holes, line, start, stop):
    """Compute, from `start` to `stop`, the pixels near the ends of the window or lacking a tap."""
    for column in range(start, min(stop, line.size)):
        position = first_column + column
        lacking = position < 2 * HALO or position >= 2 * (holes.size - HALO)
        left = _first_tap(position)
        if lacking or holes[left : left + TAPS].any():
            line[column] = _upsample_pixel(source, row, position, absent)


@kernel
def _upsample_pixel(source, row, column, absent):
    """Weigh the source pixels around one destination pixel that are inside and have data."""
    if source[row // 2, column // 2] == absent:
        return np.int16(absent)
    top, left = _first_tap(row), _first_tap(column)
    total = weights = 0
    for tap_row in range(max(-top, 0), min(source.shape[0] - top, TAPS)):
        for tap_column in range(max(-left, 0), min(source.shape[1] - left, TAPS)):
            value = source[top + tap_row, left + tap_column]
            if value != absent:
                weight = KEYS[3 - tap_row if row % 2 else tap_row]
                weight *= KEYS[3 - tap_column if column % 2 else tap_column]
                total += weight * value
                weights += weight
    nearest = (2 * abs(total) + weights) // (2 * weights)
    return np.int16(min(max(nearest if total > 0 else -nearest, INT16_MIN), INT16_MAX))
