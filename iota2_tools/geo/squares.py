"""A map in squares: what is worked on at once, of no effect on the result.

Of each square one job traces the boundaries and one shapes the polygons that lie in it. Between both
stands one job over the border rows alone (`joining`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import STRIP_ROWS, open_raster, read_window

SIDE = 4096
"""Side of a square, pixels."""


@dataclass(frozen=True)
class Square:
    """A part of a map.

    Parameters
    ----------
    row, col : int
        Its place among the squares.
    window : Window
        Its pixels.
    last_row, last_col : bool
        Whether no square lies below it, and to its right.
    """

    row: int
    col: int
    window: Window
    last_row: bool
    last_col: bool

    @property
    def name(self) -> str:
        """As files are named after it."""
        return name_of(self.row, self.col)


def name_of(row: int, col: int) -> str:
    """Name of the square at a place.

    >>> name_of(0, 12)
    'r0c12'
    """
    return f"r{row}c{col}"


def squares_of(grid: Grid, side: int = SIDE) -> dict[str, Square]:
    """Squares of a map by name, row by row."""
    found = {}
    for window in grid.windows(side, side):
        square = Square(
            window.row // side,
            window.col // side,
            window,
            window.row + side >= grid.rows,
            window.col + side >= grid.cols,
        )
        found[square.name] = square
    return found


def divided(division: dict[str, Any]) -> dict[str, Square]:
    """Squares of a map by name, from plain values: its `grid`, and the `side` of a square."""
    return squares_of(Grid(**division["grid"]), division["side"])


def with_margin(path: str, window: Window) -> np.ndarray:
    """Classes of a window and of the pixels around it, 0 outside the map.

    Returns
    -------
    ndarray, shape (rows + 2, cols + 2)
    """
    dataset = open_raster(path)
    whole = Window(0, 0, dataset.RasterYSize, dataset.RasterXSize)
    inner = window.grown(1, whole)
    found = None
    for strip in _strips(inner):
        values = read_window(dataset, strip, 1)
        if found is None:
            found = np.zeros((window.rows + 2, window.cols + 2), values.dtype)
        row, col = strip.row - window.row + 1, strip.col - window.col + 1
        found[row : row + strip.rows, col : col + strip.cols] = values
    assert found is not None
    return found


def _strips(window: Window) -> Iterator[Window]:
    for row in range(window.row, window.row + window.rows, STRIP_ROWS):
        rows = min(STRIP_ROWS, window.row + window.rows - row)
        yield Window(row, window.col, rows, window.cols)
