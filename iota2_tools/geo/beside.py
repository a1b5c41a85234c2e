"""Images whose pixels lie beside those of a grid, all by the same: interpolated in any window alike.

So are images that co-registration has moved. GDAL would warp them at a tenth of the speed.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from iota2_tools.core.kernels import kernel
from iota2_tools.geo.grid import Grid, Window, same_crs

TAPS = 4
LEAST_SHARE = np.float32(0.5)
"""Of the weights: where less of them have data, the nearest pixel stands for all."""


class Taps(NamedTuple):
    """Pixels of the image that each row, or each column, of a window is made of."""

    first: np.ndarray
    """The first of four; int64, shape (n,)"""
    weights: np.ndarray
    """Of these four; float32, shape (n, 4)"""
    nearest: np.ndarray
    """The one that holds the centre of a pixel of the grid; int64, shape (n,)"""


@dataclass(frozen=True)
class Beside:
    """Where a grid lies on an image.

    Parameters
    ----------
    factor : int
        How many times larger the pixels of the image are.
    down, right : float
        From the corner of the image to that of the grid, pixels of the grid.
    """

    factor: int
    down: float
    right: float

    def needed(self, window: Window) -> Window:
        """Pixels of the image for a window of the grid; they may lie beyond the image."""
        rows, cols = self._taps(window)
        (top, bottom), (left, right) = ((taps.first[0], taps.first[-1]) for taps in (rows, cols))
        return Window(int(top), int(left), int(bottom - top) + TAPS, int(right - left) + TAPS)

    def nearest(self, window: Window, codes: np.ndarray) -> np.ndarray:
        """Pixels of a window from those `needed`, each that of the image that holds its centre."""
        rows, cols = self._taps(window)
        found: np.ndarray = codes[
            np.ix_(rows.nearest - rows.first[0], cols.nearest - cols.first[0])
        ]
        return found

    def interpolated(self, window: Window, values: np.ndarray) -> np.ndarray:
        """Pixels of a window from those `needed`, by the bicubic kernel of Keys, a = -0.5.

        Pixels without data are left out, and the weights of the others scaled to a sum of 1.

        Parameters
        ----------
        values : ndarray of float32
            NaN without data.

        Returns
        -------
        ndarray of float32, shape (rows, cols)
            Of any use only where the nearest pixel of the image has data.
        """
        rows, cols = self._taps(window)
        out = np.empty((window.rows, window.cols), dtype=np.float32)
        _interpolate(
            values, rows.first - rows.first[0], rows.weights,
            cols.first - cols.first[0], cols.weights, out,
        )  # fmt: skip
        return out

    def _taps(self, window: Window) -> tuple[Taps, Taps]:
        return (
            _taps(window.row, window.rows, self.down, self.factor),
            _taps(window.col, window.cols, self.right, self.factor),
        )


def beside(native: Grid, grid: Grid) -> Beside | None:
    """Where a grid lies on an image; None unless its pixels are so many times as large, in its CRS."""
    size = grid.resolution
    factor = round(native.resolution / size)
    if factor < 1 or abs(native.resolution - factor * size) > 1e-6 * size:
        return None
    if not same_crs(native.crs, grid.crs):
        return None
    down, right = native.top - grid.top, grid.left - native.left
    return Beside(factor, round(down / size, 6), round(right / size, 6))


def _taps(first: int, count: int, offset: float, factor: int) -> Taps:
    """Taps of pixels of the grid, from `first` on.

    References
    ----------
    R. Keys, Cubic convolution interpolation for digital image processing, IEEE Transactions on
    Acoustics, Speech, and Signal Processing 29(6), 1981.
    """
    whole, phase = np.divmod(np.arange(first, first + count), factor)
    # By phase: a pixel has the same weights in each window.
    place = np.round((np.arange(factor) + 0.5 + offset) / factor - 0.5, 9)
    base = np.floor(place).astype(np.int64)
    part = place - base
    apart = np.abs(part[:, np.newaxis] - np.arange(-1, TAPS - 1))
    near = (1.5 * apart - 2.5) * apart**2 + 1
    far = ((-0.5 * apart + 2.5) * apart - 4) * apart + 2
    weights = np.where(apart < 1, near, np.where(apart < 2, far, 0)).astype(np.float32)
    nearest = base + (part >= 0.5)
    return Taps(whole + base[phase] - 1, weights[phase], whole + nearest[phase])


@kernel
def _interpolate(values, row_taps, row_weights, column_taps, column_weights, out):
    """Fill `out`; `row_taps` and `column_taps` are the first of four in `values`."""
    zero = np.float32(0)
    sums = np.empty(values.shape[1], np.float32)
    shares = np.empty(values.shape[1], np.float32)
    for row in range(out.shape[0]):
        sums[:] = zero
        shares[:] = zero
        for tap in range(TAPS):
            weight, taps = row_weights[row, tap], values[row_taps[row] + tap]
            for column in range(sums.size):
                there = taps[column] == taps[column]
                sums[column] += weight * taps[column] if there else zero
                shares[column] += weight if there else zero
        line = out[row]
        for column in range(line.size):
            first, total, share = column_taps[column], zero, zero
            for tap in range(TAPS):
                total += column_weights[column, tap] * sums[first + tap]
                share += column_weights[column, tap] * shares[first + tap]
            if share >= LEAST_SHARE:
                line[column] = total / share
            else:
                below = 1 + (row_weights[row, 2] >= row_weights[row, 1])
                beyond = 1 + (column_weights[column, 2] >= column_weights[column, 1])
                line[column] = values[row_taps[row] + below, first + beyond]
