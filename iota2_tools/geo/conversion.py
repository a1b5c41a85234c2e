"""From the digital numbers of a file to the int16 values of the chain."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from iota2_tools.core.kernels import kernel

UNSEEN = -32768
"""Converted value of pixels without data."""
LOWEST, HIGHEST = -32767, 32767
"""Of converted values; those beyond are kept at the ends."""
NEAR = 0.49
"""How far single precision may be from a whole number, hundredths of a decibel, to be rounded as
double precision would. Its error is below 0.003."""
HUNDREDTHS = 1000 / math.log(10)
"""Hundredths of a decibel in a natural logarithm."""


@dataclass(frozen=True)
class Values:
    """From digital numbers to int16: ``scale * DN + offset``, in decibels x 100 if wanted."""

    scale: float = 1.0
    offset: float = 0.0
    decibel: bool = False

    def of(
        self, numbers: np.ndarray, nodata: float | None = None, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Convert digital numbers, rounded half to even.

        Parameters
        ----------
        numbers : ndarray, shape (rows, cols)
            As the file holds them.
        nodata : float, optional
            Digital number of pixels without data.
        out : ndarray of int16, shape (rows, cols), optional
            Written.

        Returns
        -------
        ndarray of int16, shape (rows, cols)
            -32767 to 32767; `UNSEEN` where the number is `nodata`, NaN or infinite, or power of 0 or less.

        >>> Values(0.275, -2000).of(np.array([[10000, 0]], np.uint16), 0).tolist()
        [[750, -32768]]
        """
        if out is None:
            out = np.empty(numbers.shape, np.int16)
        if numbers.dtype.kind in "iu" and numbers.dtype.itemsize <= 2:
            table = _table(self, nodata, numbers.dtype.str)
            _look_up(table, numbers.view(f"u{numbers.dtype.itemsize}"), out)
        else:
            self._compute(numbers, nodata, out)
        return out

    def _compute(self, numbers: np.ndarray, nodata: float | None, out: np.ndarray) -> None:
        hole = float("nan") if nodata is None else float(numbers.dtype.type(nodata))
        _convert(numbers, self.scale, self.offset, self.decibel, hole, out)


@lru_cache(maxsize=64)
def _table(values: Values, nodata: float | None, kind: str) -> np.ndarray:
    """The value of each number of a type of 8 or 16 bits, by its bits."""
    bits = 8 * np.dtype(kind).itemsize
    numbers = np.arange(2**bits, dtype=f"u{bits // 8}").view(kind).astype(np.float64)
    table = np.empty((1, numbers.size), np.int16)
    values._compute(numbers[None], nodata, table)
    return table[0]


@kernel
def _look_up(table: np.ndarray, patterns: np.ndarray, out: np.ndarray) -> None:
    """Write the value of each number."""
    for row in range(patterns.shape[0]):
        for col in range(patterns.shape[1]):
            out[row, col] = table[patterns[row, col]]


@kernel
def _convert(
    numbers: np.ndarray, scale: float, offset: float, decibel: bool, hole: float, out: np.ndarray
) -> None:
    """Write the values of digital numbers, one by one.

    A logarithm of single precision takes a third of the time, and tells where it is not enough.
    """
    for row in range(numbers.shape[0]):
        for col in range(numbers.shape[1]):
            number = np.float64(numbers[row, col])
            value = number * scale + offset
            if number == hole or not np.isfinite(number) or (decibel and value <= 0):
                out[row, col] = UNSEEN
                continue
            if decibel:
                near = np.float64(np.log(np.float32(value))) * HUNDREDTHS
                if abs(near - np.rint(near)) > NEAR:
                    near = 1000 * np.log10(value)
                value = near
            out[row, col] = np.int16(min(max(np.rint(value), LOWEST), HIGHEST))
