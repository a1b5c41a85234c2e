"""Gap-filling: the series of each pixel on regular dates, from its clear acquisitions alone."""

from collections.abc import Sequence

import numpy as np

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.kernels import kernel

BLOCK = 288
"""Pixels filled together: all their dates and bands (400 kB for 70 x 10) stay in a 1 MB cache.

A power of two would be slower by half: the rows of a column would share a few places in cache.
"""

NEVER = 1 << 30
"""Day of an acquisition that does not exist."""


def fill_gaps(
    series: np.ndarray,
    clear: np.ndarray,
    days: Sequence[int] | np.ndarray,
    target_days: Sequence[int] | np.ndarray,
    out: np.ndarray | None = None,
    pixels: Sequence[int] | np.ndarray | None = None,
) -> np.ndarray:
    """Interpolate each band of each pixel linearly in time between its clear acquisitions.

    Before the first clear acquisition its value is copied, after the last one too. A pixel never
    clear gets 0. Of several clear acquisitions of one day, the last in order counts. Values are
    rounded to the nearest integer, halves away from zero, exactly.

    Parameters
    ----------
    series : ndarray of int16, shape (n_dates, n_bands, n_pixels), C-contiguous
        Values as read, e.g. reflectance x 10000. What is not clear is not looked at.
    clear : ndarray of bool or uint8, shape (n_dates, n_pixels)
        Not zero where the acquisition is usable.
    days : sequence of int, shape (n_dates,)
        Day of each acquisition, from any origin, never decreasing; at most 500 years in all.
    target_days : sequence of int, shape (n_targets,)
        Days wanted, from the same origin, never decreasing.
    out : ndarray of int16 or float32, shape (n_pixels, n_targets * n_bands), optional
        Where to write, e.g. some columns of a feature matrix. Whole numbers in float32 too.
    pixels : sequence of int, optional
        Pixels of `series` to fill, the others cost nothing; all by default. Row k of the result
        is pixel `pixels[k]`. Runs of neighbours are the fastest.

    Returns
    -------
    ndarray, shape (n_pixels, n_targets * n_bands)
        `out`, or a new int16 array. Band b of target t is column `t * n_bands + b`.

    Raises
    ------
    InputDataError
        If shapes or types do not fit together, or days decrease.

    References
    ----------
    J. Inglada et al., Operational High Resolution Land Cover Map Production at the Country Scale
    Using Satellite Image Time Series, Remote Sensing 9(1), 2017. OTB `ImageTimeSeriesGapFilling`,
    linear (without the rounding).
    """
    days = np.ascontiguousarray(days, np.int32)
    targets = np.ascontiguousarray(target_days, np.int32)
    clear = np.ascontiguousarray(clear)
    _check_series(series, clear, days, targets)
    n_dates, n_bands, n_pixels = series.shape
    chosen = np.arange(n_pixels) if pixels is None else np.ascontiguousarray(pixels, np.int64)
    if chosen.size and not (chosen.min() >= 0 and chosen.max() < n_pixels):
        raise InputDataError(f"pixels to fill must be from 0 to {n_pixels - 1}")
    shape = (chosen.size, targets.size * n_bands)
    if out is None:
        out = np.empty(shape, np.int16)
    if out.shape != shape or out.dtype not in (np.int16, np.float32):
        raise InputDataError(
            f"gap-filled values need an int16 or float32 array of shape {shape}, "
            f"got {out.dtype} {out.shape}"
        )
    rows = series.reshape(n_dates * n_bands, n_pixels)
    _fill(rows, clear.view(np.uint8), days, targets, chosen, n_bands, out)
    return out


def _check_series(series, clear, days, targets) -> None:
    if series.dtype != np.int16 or series.ndim != 3 or not series.flags.c_contiguous:
        raise InputDataError(
            "a series must be a C-contiguous int16 array (n_dates, n_bands, n_pixels), "
            f"got {series.dtype} {series.shape}"
        )
    n_dates, _, n_pixels = series.shape
    if clear.dtype not in (np.bool_, np.uint8) or clear.shape != (n_dates, n_pixels):
        raise InputDataError(
            f"the clear-sky masks of the series must be bool or uint8 {(n_dates, n_pixels)}, "
            f"got {clear.dtype} {clear.shape}"
        )
    if days.shape != (n_dates,):
        raise InputDataError(f"{n_dates} dates in the series, but {days.size} days")
    for name, values in (("acquisitions", days), ("targets", targets)):
        if (np.diff(values) < 0).any():
            raise InputDataError(f"the days of the {name} must never decrease, got {values}")


@kernel
def _fill(rows, clear, days, targets, pixels, n_bands, out):
    """Fill block after block: bring in, weigh, interpolate band by band, turn to pixel-major."""
    n_dates, n_targets = days.size, targets.size
    stage = np.zeros((n_dates * n_bands, BLOCK), np.int16)
    usable = np.zeros((n_dates, BLOCK), np.int16)
    weights = np.empty((n_targets, BLOCK))
    before = np.empty((n_targets, BLOCK), np.int32)
    value_before = np.empty((n_targets, BLOCK), np.int16)
    filled = np.empty((n_targets * n_bands, BLOCK), np.int16)
    seen = np.empty(n_dates, np.int64)
    for start in range(0, pixels.size, BLOCK):
        block = pixels[start : start + BLOCK]
        side_by_side = np.all(np.diff(block) == 1)
        n_seen = _stage_clear(clear, days, block, side_by_side, usable, seen)
        _stage_series(rows, seen[:n_seen], n_bands, block, side_by_side, stage)
        days_seen = days[seen[:n_seen]]
        _weigh(usable, days_seen, targets, before, weights)
        for band in range(n_bands):
            _interpolate(stage, usable, days_seen, targets, weights, band, value_before, filled)
        for pixel in range(block.size):
            for column in range(filled.shape[0]):
                out[start + pixel, column] = filled[column, pixel]


@kernel
def _stage_clear(clear, days, block, side_by_side, usable, seen):
    """Copy the masks of a block as -1 (all bits set) where usable, 0 elsewhere.

    Acquisitions of no use to any pixel of the block are dropped: `seen` receives the numbers of
    those kept, and their count is returned. An acquisition is of no use to a pixel where a later
    one of the same day is clear.
    """
    mask = np.zeros(BLOCK, np.uint8)
    flat = clear.ravel()
    n_seen = 0
    for row in range(days.size):
        any_clear = np.uint8(0)
        if side_by_side:
            first = row * clear.shape[1] + block[0]
            run = flat[first : first + block.size]
            for rank in range(run.size):
                mask[rank] = run[rank]
                any_clear |= run[rank]
        else:
            for rank in range(block.size):
                mask[rank] = clear[row, block[rank]]
                any_clear |= mask[rank]
        if any_clear == 0:
            continue
        for rank in range(BLOCK):
            usable[n_seen, rank] = -np.int16(mask[rank] != 0)
        earlier = n_seen - 1
        while earlier >= 0 and days[seen[earlier]] == days[row]:
            for rank in range(BLOCK):
                usable[earlier, rank] &= ~usable[n_seen, rank]
            earlier -= 1
        seen[n_seen] = row
        n_seen += 1
    return n_seen


@kernel
def _stage_series(rows, seen, n_bands, block, side_by_side, stage):
    """Copy the bands of the dates kept for a block of pixels, side by side."""
    flat = rows.ravel()
    line = 0
    for number in seen:
        for row in range(number * n_bands, (number + 1) * n_bands):
            if side_by_side:
                first = row * rows.shape[1] + block[0]
                run = flat[first : first + block.size]
                for rank in range(run.size):
                    stage[line, rank] = run[rank]
            else:
                for rank in range(block.size):
                    stage[line, rank] = rows[row, block[rank]]
            line += 1


@kernel(error_model="numpy")
def _weigh(usable, days, targets, before, weights):
    """Weight of the next clear acquisition, from 0 to 1, at each target and pixel.

    1 without a previous one, 0 without a next one. `a ^= (a ^ b) & mask` puts b in a where the
    mask is set; it is written so because compilers turn it, not a condition, into vector code.
    """
    day = np.empty(BLOCK, np.int32)
    day[:] = -NEVER
    row = 0
    for target in range(targets.size):
        while row < days.size and days[row] <= targets[target]:
            for pixel in range(BLOCK):
                day[pixel] ^= (day[pixel] ^ days[row]) & usable[row, pixel]
            row += 1
        for pixel in range(BLOCK):
            before[target, pixel] = day[pixel]
    day[:] = NEVER
    row = days.size - 1
    for target in range(targets.size - 1, -1, -1):
        while row >= 0 and days[row] > targets[target]:
            for pixel in range(BLOCK):
                day[pixel] ^= (day[pixel] ^ days[row]) & usable[row, pixel]
            row -= 1
        for pixel in range(BLOCK):
            first = before[target, pixel]
            last = day[pixel]
            weight = np.float64(targets[target] - first) / np.float64(last - first)
            weight = weight if last != NEVER else 0.0
            weights[target, pixel] = weight if first != -NEVER else 1.0


@kernel
def _interpolate(stage, usable, days, targets, weights, band, value_before, filled):
    """Interpolate one band of a block: forth for the values before, back for those after.

    The rounding is exact: over 500 years, a value that is not a half lies 2.7e-6 at least from
    one, and the sum is off by less than 1e-10; so a half is told from the rest at 1e-6.
    """
    n_bands = filled.shape[0] // targets.size
    value = np.zeros(BLOCK, np.int16)
    row = 0
    for target in range(targets.size):
        while row < days.size and days[row] <= targets[target]:
            line = stage[row * n_bands + band]
            for pixel in range(BLOCK):
                value[pixel] ^= (value[pixel] ^ line[pixel]) & usable[row, pixel]
            row += 1
        for pixel in range(BLOCK):
            value_before[target, pixel] = value[pixel]
    value[:] = 0
    row = days.size - 1
    for target in range(targets.size - 1, -1, -1):
        while row >= 0 and days[row] > targets[target]:
            line = stage[row * n_bands + band]
            for pixel in range(BLOCK):
                value[pixel] ^= (value[pixel] ^ line[pixel]) & usable[row, pixel]
            row -= 1
        column = target * n_bands + band
        for pixel in range(BLOCK):
            first = value_before[target, pixel]
            step = np.float64(np.int32(value[pixel]) - np.int32(first))
            exact = first + step * weights[target, pixel]
            filled[column, pixel] = np.int16(np.int32(exact + np.copysign(0.500001, exact)))
