"""Upsampling of rasters onto grids two and three times as fine, window by window."""

import numpy as np

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.kernels import kernel
from iota2_tools.geo.grid import Window

HALVES = np.array([[-3, 29, 111, -9, 0], [0, -9, 111, 29, -3]])
"""Weights of the source pixels -2 to 2 around the one that holds a destination pixel, times 128.

Keys' kernel (a = -0.5): the centres of the two destination pixels lie a quarter of a source pixel
before and after that of the source pixel. So the taps lie at 1.75, 0.75, 0.25 and 1.25.
"""

THIRDS = np.array([[-1, 9, 21, -2, 0], [0, 0, 27, 0, 0], [0, -2, 21, 9, -1]])
"""The same for three destination pixels, times 27.

The centre of the second one is that of the source pixel; those of the others lie a third before
and after it: taps at 5/3, 2/3, 1/3 and 4/3.
"""

HALO = 2
"""Source pixels needed on each side of the one that holds a destination pixel."""

INT16_MIN, INT16_MAX = -32768, 32767

SHIFT = 729 * 65536 + 364
"""What makes each total of `_third` positive, and its rounding a division downwards."""
RECIPROCAL = -(-(2**37) // 729)
"""2**37 / 729 rounded up: a product with it gives the quotient of each number below 2**27."""


def source_window(window: Window, source_shape: tuple[int, int], factor: int = 2) -> Window:
    """Find the part of the source which a destination window needs, halo included.

    Parameters
    ----------
    window : (row, col, rows, cols)
        Window on the fine grid, whose pixel (0, 0) shares its upper left corner with that of
        the source; any of its sides may be odd.
    source_shape : (n_rows, n_columns)
        Size of the whole source raster; the halo stops at its borders.
    factor : int
        How many times finer the fine grid is.

    Raises
    ------
    InputDataError
        If the window is not inside the fine grid, `factor` times the size of the source.
    """
    row, column, n_rows, n_columns = window
    inside_rows = row >= 0 and n_rows > 0 and row + n_rows <= factor * source_shape[0]
    inside_columns = (
        column >= 0 and n_columns > 0 and column + n_columns <= factor * source_shape[1]
    )
    if not (inside_rows and inside_columns):
        raise InputDataError(
            f"window {tuple(window)} is not inside the grid {factor} times as fine as {source_shape}"
        )
    top, bottom = _with_halo(row, n_rows, source_shape[0], factor)
    left, right = _with_halo(column, n_columns, source_shape[1], factor)
    return Window(top, left, bottom - top, right - left)


def _with_halo(first: int, length: int, source_length: int, factor: int) -> tuple[int, int]:
    start = max(first // factor - HALO, 0)
    return start, min((first + length - 1) // factor + HALO + 1, source_length)


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
    return _upsampled(source, window, source_shape, nodata, out, HALVES)


def upsample_cubic_3x(
    source: np.ndarray,
    window: Window,
    source_shape: tuple[int, int],
    nodata: float | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Upsample by three, as `upsample_cubic_2x` does by two.

    The destination pixel in the middle of a source pixel has its value.

    Parameters
    ----------
    source : ndarray of int16, shape of `source_window(window, source_shape, 3)`
    window, source_shape, nodata, out
        As those of `upsample_cubic_2x`.

    Returns
    -------
    ndarray of int16, shape (n_rows, n_columns)
        `out`, or a new array.

    Raises
    ------
    InputDataError
        If the source is not int16, or not on the window needed.
    """
    return _upsampled(source, window, source_shape, nodata, out, THIRDS)


def _upsampled(
    source: np.ndarray,
    window: Window,
    source_shape: tuple[int, int],
    nodata: float | None,
    out: np.ndarray | None,
    weights: np.ndarray,
) -> np.ndarray:
    """Check the arrays, and upsample by as many times as there are rows of weights."""
    factor = len(weights)
    window = Window(*window)
    needed = source_window(window, source_shape, factor)
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
    first_row = window.row - factor * needed.row
    first_column = window.col - factor * needed.col
    absent = INT16_MAX + 1 if nodata is None else int(nodata)
    _upsample(np.ascontiguousarray(source), first_row, first_column, absent, weights, out)
    return out


@kernel
def _upsample(source, first_row, first_column, absent, weights, out):
    """Fill `out`, whose pixel (0, 0) is (first_row, first_column) of the whole window upsampled.

    `absent` is the value without data, out of the range of int16 if there is none. All destination
    rows of a source row come from one pass over the taps.
    """
    factor, n_rows, n_columns = weights.shape[0], source.shape[0], source.shape[1]
    first_place, last_place = first_column // factor, (first_column + out.shape[1] - 1) // factor
    last_row = first_row + out.shape[0] - 1
    sums = np.empty((factor, n_columns), np.int32)
    shares = np.empty((factor, n_columns), np.int32)
    all_shares = np.full((factor, n_columns), np.int32(weights[0].sum()))
    wide = np.empty(factor * n_columns, np.int16)
    lacking = np.zeros(n_columns, np.bool_)
    _mark_ends(lacking)
    ends = np.flatnonzero(lacking[first_place : last_place + 1]) + first_place
    holed = _holed_rows(source, absent)
    for row in range(first_row // factor, last_row // factor + 1):
        inside = HALO <= row < n_rows - HALO
        if inside and not holed[row - HALO : row + HALO + 1].any():
            _sum_columns(source[row - HALO : row + HALO + 1], sums)
            places, row_shares = ends, all_shares
        else:
            _sum_what_is_there(source, row, absent, weights, sums, shares)
            _find_lacking(source, row, absent, lacking)
            places = np.flatnonzero(lacking[first_place : last_place + 1]) + first_place
            row_shares = shares
        for out_row in range(max(factor * row, first_row), min(factor * (row + 1), last_row + 1)):
            phase, line = out_row - factor * row, out[out_row - first_row]
            if inside:
                _sum_rows(sums[phase], wide)
                part = wide[first_column : first_column + line.size]
                for column in range(line.size):
                    line[column] = part[column]
            _mend(
                source[row],
                sums[phase],
                row_shares[phase],
                places,
                first_column,
                absent,
                weights,
                line,
            )


@kernel
def _holed_rows(source, absent):
    """Which source rows have pixels without data."""
    holed = np.zeros(source.shape[0], np.bool_)
    if INT16_MIN <= absent <= INT16_MAX:
        value = np.int16(absent)
        for row in range(source.shape[0]):
            found = np.uint8(0)
            for number in source[row]:
                found |= np.uint8(number == value)
            holed[row] = found != 0
    return holed


@kernel
def _sum_what_is_there(source, row, absent, weights, sums, shares):
    """As `_sum_columns`, of the source pixels that are inside and have data; and their weights."""
    sums[:] = 0
    shares[:] = 0
    for tap_row in range(max(row - HALO, 0), min(row + HALO + 1, source.shape[0])):
        taps = source[tap_row]
        for phase in range(sums.shape[0]):
            weight = np.int32(weights[phase, tap_row - row + HALO])
            of_sums, of_shares = sums[phase], shares[phase]
            for column in range(taps.size):
                share = np.int32(weight * np.int32(np.int32(taps[column]) != np.int32(absent)))
                of_sums[column] += np.int32(share * taps[column])
                of_shares[column] += share


@kernel
def _sum_columns(taps, sums):
    """Weigh five source rows into those of each destination row, in units of 1/128 or 1/27.

    Each product is made an int32, for the compiler to compute eight at once.
    """
    first, second, own, fourth, fifth = taps[0], taps[1], taps[2], taps[3], taps[4]
    top, bottom = sums[0], sums[-1]
    if sums.shape[0] == 2:
        for column in range(own.size):
            middle = np.int32(111 * own[column])
            before = np.int32(29 * second[column] - 9 * fourth[column])
            after = np.int32(29 * fourth[column] - 9 * second[column])
            top[column] = middle + before - np.int32(3 * first[column])
            bottom[column] = middle + after - np.int32(3 * fifth[column])
    else:
        for column in range(own.size):
            middle = np.int32(21 * own[column])
            before = np.int32(9 * second[column] - 2 * fourth[column])
            after = np.int32(9 * fourth[column] - 2 * second[column])
            top[column] = middle + before - first[column]
            sums[1][column] = np.int32(27 * own[column])
            bottom[column] = middle + after - fifth[column]


@kernel
def _sum_rows(sums, wide):
    """Weigh the columns into the destination pixels of each, but for the HALO at each end."""
    n_inside = sums.size - 2 * HALO
    if wide.size == 2 * sums.size:
        _halve(sums, n_inside, wide[2 * HALO :])
    else:
        _third(sums, n_inside, wide[3 * HALO :])


@kernel
def _halve(sums, n_inside, wide):
    """Two destination pixels of each source pixel; written so that it becomes vector code."""
    first, second, own = sums[:n_inside], sums[1 : 1 + n_inside], sums[2 : 2 + n_inside]
    fourth, fifth = sums[3 : 3 + n_inside], sums[4 : 4 + n_inside]
    for column in range(n_inside):
        middle = np.int32(111 * own[column])
        left = np.int32(np.int32(29 * second[column]) - np.int32(9 * fourth[column]))
        right = np.int32(np.int32(29 * fourth[column]) - np.int32(9 * second[column]))
        left = np.int32(np.int32(middle + left) - np.int32(3 * first[column]))
        right = np.int32(np.int32(middle + right) - np.int32(3 * fifth[column]))
        wide[2 * column] = _rounded_16384th(left)
        wide[2 * column + 1] = _rounded_16384th(right)


@kernel
def _rounded_16384th(total):
    """Bring an int32 in units of 1/128² to an int16, halves away from zero."""
    nearest = np.int32(np.int32(total + 8192 - (total < 0)) >> 14)
    return np.int16(min(max(nearest, np.int32(INT16_MIN)), np.int32(INT16_MAX)))


@kernel
def _third(sums, n_inside, wide):
    """Three destination pixels of each source pixel, as `_halve` makes two."""
    first, second, own = sums[:n_inside], sums[1 : 1 + n_inside], sums[2 : 2 + n_inside]
    fourth, fifth = sums[3 : 3 + n_inside], sums[4 : 4 + n_inside]
    for column in range(n_inside):
        middle = np.int32(21 * own[column])
        left = np.int32(np.int32(9 * second[column]) - np.int32(2 * fourth[column]))
        right = np.int32(np.int32(9 * fourth[column]) - np.int32(2 * second[column]))
        left = np.int32(np.int32(middle + left) - first[column])
        right = np.int32(np.int32(middle + right) - fifth[column])
        wide[3 * column] = _rounded_729th(left)
        wide[3 * column + 1] = _rounded_729th(np.int32(27 * own[column]))
        wide[3 * column + 2] = _rounded_729th(right)


@kernel
def _rounded_729th(total):
    """Bring an int32 in units of 1/27² to the nearest int16; 729 is odd, so there are no halves."""
    quotient = (np.uint64(np.uint32(total + SHIFT)) * np.uint64(RECIPROCAL)) >> np.uint64(37)
    nearest = np.int32(quotient) - np.int32(65536)
    return np.int16(min(max(nearest, np.int32(INT16_MIN)), np.int32(INT16_MAX)))


@kernel
def _mark_ends(lacking):
    """Mark the source columns near the ends of the source."""
    lacking[:HALO] = True
    lacking[-HALO:] = True


@kernel
def _find_lacking(source, row, absent, lacking):
    """Mark the source columns whose destination pixels lack a tap, or may lack one.

    That is near the ends of the source, and where one of the 5 x 5 source pixels around has no
    data.
    """
    inside = HALO <= row < source.shape[0] - HALO
    lacking[:] = not inside
    _mark_ends(lacking)
    if not inside:
        return
    value = np.int16(absent)
    holes = np.zeros(lacking.size, np.bool_)
    for tap_row in range(row - HALO, row + HALO + 1):
        taps = source[tap_row]
        for column in range(taps.size):
            holes[column] |= taps[column] == value
    n_inside = lacking.size - 2 * HALO
    marked = lacking[HALO:]
    for shift in range(2 * HALO + 1):
        part = holes[shift:]
        for column in range(n_inside):
            marked[column] |= part[column]


@kernel
def _mend(own, sums, shares, places, first_column, absent, weights, line):
    """Compute, at some source columns, the destination pixels of a row from the taps there are.

    `own` is the source row that holds it; `sums` and `shares` are those of its five taps there.
    """
    factor = weights.shape[0]
    for place in places:
        first = factor * place - first_column
        start, stop = max(first, 0), min(first + factor, line.size)
        if own[place] == absent:
            line[start:stop] = np.int16(absent)
            continue
        low, high = max(place - HALO, 0), min(place + HALO + 1, sums.size)
        taps, tap_shares = sums[low:high], shares[low:high]
        for column in range(start, stop):
            of_taps = weights[column - first, low - place + HALO :]
            total = share = 0
            for tap in range(taps.size):
                total += of_taps[tap] * taps[tap]
                share += of_taps[tap] * tap_shares[tap]
            nearest = np.int64(np.uint32(2 * abs(total) + share) // np.uint32(2 * share))
            nearest = nearest if total > 0 else -nearest
            line[column] = np.int16(min(max(nearest, INT16_MIN), INT16_MAX))
