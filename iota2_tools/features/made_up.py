"""Pixels that do not exist, on which functions of the user are tried."""

import zlib
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from iota2_tools.features.block import Outline
from iota2_tools.geo.grid import Window

SPECIAL = (0, -1000, 20000, 3000)
"""Pixels of one value on all dates: never clear, dark, saturated, without change."""


class MadeUp:
    """Arrays of pixels that do not exist: random, and some such as every tile has."""

    def __init__(self, outline: Outline, rows: int, cols: int) -> None:
        self._outline, self._shape = outline, (rows, cols)
        self._window = Window(0, 0, rows, cols)

    def of(self, window: Window) -> "MadeUp":
        """The arrays of a part."""
        part = MadeUp(self._outline, *self._shape)
        part._window = window
        return part

    def _numbers(self, key: str, layers: int, low: int, high: int, special: bool) -> np.ndarray:
        """Whole numbers from `low` to `high`, the same for a key, shape (layers, rows, cols)."""
        random = np.random.default_rng(zlib.crc32(key.encode()))
        values = random.integers(low, high, (layers, *self._shape)).astype(np.float32)
        if special:
            values.reshape(layers, -1)[:, : len(SPECIAL)] = SPECIAL
        return values[(..., *self._window.slices)]

    def band(self, series: str, name: str) -> np.ndarray:
        plan = self._outline.series[series]
        low, high = (-2500, 500) if "vv" in plan.format.roles else (1, 6000)
        return self._numbers(f"{series} {name}", len(plan.dates), low, high, True)

    def index(self, series: str, name: str) -> np.ndarray:
        dates = len(self._outline.series[series].dates)
        values = self._numbers(f"{series} index {name}", dates, -1000, 1000, True)
        return np.clip(values, -1000, 1000)

    def raw(self, series: str, name: str) -> np.ndarray:
        values = self._numbers(f"{series} raw {name}", len(self.acquired(series)), 1, 9000, False)
        return np.where(self.seen(series), values, np.float32(np.nan))

    def clear(self, series: str) -> np.ndarray:
        seen = self.seen(series)
        clouds = self._numbers(f"{series} clear", len(seen), 0, 3, True)
        return seen & (clouds > 0)

    def seen(self, series: str) -> np.ndarray:
        return self._numbers(f"{series} seen", len(self.acquired(series)), 0, 5, True) > 0

    def acquired(self, series: str) -> Sequence[date]:
        dates = self._outline.series[series].dates
        return (*dates, dates[-1] + timedelta(1))

    def user(self, name: str) -> np.ndarray:
        values = self._numbers(f"user {name}", 1, 0, 3000, False)[0]
        if self._outline.user[name]:
            values = np.where(self._numbers(f"no {name}", 1, 0, 4, True)[0] > 0, values, np.nan)
        return values.astype(np.float32)
