"""Multitemporal speckle filter: smoother images that keep their edges.

References
----------
Quegan and Yu (2001), Filtering of multichannel SAR images, IEEE TGRS 39(11), 2373-2379, eq. 6 with
equal weights: J_k = (E_k / M) * sum_i (I_i / E_i), E the mean over a square around the pixel.
"""

import numpy as np

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.kernels import kernel


def filter_speckle(power: np.ndarray, radius: int) -> np.ndarray:
    """Filter a window of a series; any window gives what the whole image gives, bit for bit.

    Parameters
    ----------
    power : ndarray of float32, shape (n_dates, rows + 2 radius, cols + 2 radius)
        Linear power with `radius` pixels more on each side; NaN where it is not valid, outside the
        image too.
    radius : int
        Of the square whose mean is taken, pixels; 0: nothing is filtered.

    Returns
    -------
    ndarray of float32, shape (n_dates, rows, cols)
        NaN where the pixel of that date is not valid. Dates that are not valid at a pixel, or dark
        in its whole square, have no part in the others.

    Raises
    ------
    InputDataError
        If the window is not larger than its margins.
    """
    if radius < 0 or min(power.shape[1:]) <= 2 * radius:
        raise InputDataError(
            f"speckle filter: a window of {power.shape[1]} x {power.shape[2]} pixels has no room for a margin "
            f"of {radius} on each side"
        )
    if radius == 0:
        return power
    return _filtered(np.ascontiguousarray(power, dtype=np.float32), radius)


@kernel
def _filtered(power, radius):
    dates, height, width = power.shape
    rows, cols = height - 2 * radius, width - 2 * radius
    out = np.empty((dates, rows, cols), dtype=np.float32)
    sums = np.empty(width)
    counts = np.empty(width, dtype=np.int64)
    means = np.empty((dates, cols))
    ratios = np.empty(cols)
    parts = np.empty(cols, dtype=np.int64)
    for row in range(rows):
        ratios[:] = 0.0
        parts[:] = 0
        for date in range(dates):
            _sum_columns(power[date], row, radius, sums, counts)
            for col in range(cols):
                value = power[date, row + radius, col + radius]
                means[date, col] = _mean(sums, counts, col, radius)
                if not np.isnan(value) and means[date, col] > 0.0:
                    ratios[col] += value / means[date, col]
                    parts[col] += 1
        for date in range(dates):
            for col in range(cols):
                value = power[date, row + radius, col + radius]
                if np.isnan(value) or parts[col] == 0:
                    out[date, row, col] = value
                else:
                    out[date, row, col] = means[date, col] * ratios[col] / parts[col]
    return out


@kernel
def _sum_columns(image, row, radius, sums, counts):
    """Sum and number of the valid pixels of each column, in the rows of the squares of `row`.

    Added in the same order whatever the window: so the sums are the same to the last bit.
    """
    sums[:] = 0.0
    counts[:] = 0
    for p in range(row, row + 2 * radius + 1):
        for q in range(image.shape[1]):
            valid = image[p, q] == image[p, q]  # no branch: several columns at once
            sums[q] += image[p, q] if valid else np.float32(0.0)
            counts[q] += valid


@kernel
def _mean(sums, counts, col, radius):
    total = 0.0
    count = 0
    for q in range(col, col + 2 * radius + 1):
        total += sums[q]
        count += counts[q]
    return total / count if count > 0 else 0.0
