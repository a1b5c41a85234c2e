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
SHARED = 19
"""Leading bits of numbers of single precision, the sign included, that make a step of `_stairs`."""
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
        elif numbers.dtype == np.float32 and self.decibel and self.scale > 0 and self.offset == 0:
            hole = np.float32("nan" if nodata is None else nodata)
            _climb(*_stairs(self), numbers, numbers.view(np.uint32), hole, out)
        else:
            self._compute(numbers, nodata, out)
        return out

    def _compute(self, numbers: np.ndarray, nodata: float | None, out: np.ndarray) -> None:
        hole = float("nan") if nodata is None else float(nodata)
        if numbers.dtype.kind == "f":  # what the file holds of it
            with np.errstate(over="ignore"):
                hole = float(numbers.dtype.type(hole))
        _convert(numbers, self.scale, self.offset, self.decibel, hole, out)


@lru_cache(maxsize=64)
def _table(values: Values, nodata: float | None, kind: str) -> np.ndarray:
    """The value of each number of a type of 8 or 16 bits, by its bits."""
    bits = 8 * np.dtype(kind).itemsize
    numbers = np.arange(2**bits, dtype=f"u{bits // 8}").view(kind).astype(np.float64)
    table = np.empty((1, numbers.size), np.int16)
    values._compute(numbers[None], nodata, table)
    return table[0]


@lru_cache(maxsize=8)
def _stairs(values: Values) -> tuple[np.ndarray, np.ndarray]:
    """Decibels of power in single precision, as stairs.

    Returns
    -------
    lowest : ndarray of int16, shape (2**18,)
        Value of the least number of those that share their `SHARED` leading bits. It is at most 1
        less than that of the greatest: a thousandth of an octave is 0.003 dB.
    next_from : ndarray of float32, shape (2**18,)
        From which of these numbers on the value is 1 more; infinity where it is not.
    """
    first = np.arange(2**18, dtype=np.uint32) << (32 - SHARED)
    last = first + np.uint32(2 ** (32 - SHARED) - 1)
    lowest, highest = _values_of_bits(values, first), _values_of_bits(values, last)
    below, above = first, last  # the value of `below` is the lowest, that of `above` is not
    for _ in range(32 - SHARED):
        middle = below + (above - below) // 2
        is_low = _values_of_bits(values, middle) == lowest
        below, above = np.where(is_low, middle, below), np.where(is_low, above, middle)
    next_from = np.where(highest > lowest, above.view(np.float32), np.float32(np.inf))
    return lowest, next_from


def _values_of_bits(values: Values, bits: np.ndarray) -> np.ndarray:
    out = np.empty((1, bits.size), np.int16)
    with np.errstate(invalid="ignore"):  # some are no numbers
        numbers = bits.view(np.float32)[None].astype(np.float64)
    values._compute(numbers, None, out)
    return out[0]


@kernel
def _climb(
    lowest: np.ndarray,
    next_from: np.ndarray,
    numbers: np.ndarray,
    bits: np.ndarray,
    hole: float,
    out: np.ndarray,
) -> None:
    """Write the values of power by `_stairs`."""
    for row in range(numbers.shape[0]):
        for col in range(numbers.shape[1]):
            number = numbers[row, col]
            step = bits[row, col] >> np.uint32(32 - SHARED)
            if number > 0 and number < np.inf and number != hole:
                out[row, col] = lowest[step] + (number >= next_from[step])
            else:
                out[row, col] = UNSEEN


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
