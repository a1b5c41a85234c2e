"""A map in squares: what is worked on at once, of no effect on the result.

The boundaries of each square are traced, and the polygons that lie in it are shaped; between both
stands one job over the border rows alone (`joining`). A job works on a bundle of squares, one after
the other: a square takes seconds, and so does the start of a job.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import STRIP_ROWS, open_raster, read_window

SIDE = 4096
"""Side of a square, pixels."""
MOST_BUNDLES = 64
"""Jobs that the squares of a map are dealt to."""


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
    """Squares of a map by name, from plain values.

    Parameters
    ----------
    division : dict
        `grid` of the map, `side` of a square, and names of those that are `left_out`, if any: nothing
        lies in them, nor in the row of pixels above, the column to the left and their corner, whose
        boundaries with them are theirs.
    """
    left_out = set(division.get("left_out", ()))
    squares = squares_of(Grid(**division["grid"]), division["side"])
    return {name: square for name, square in squares.items() if name not in left_out}


def bundles(names: Iterable[str], most: int = MOST_BUNDLES) -> dict[str, list[str]]:
    """Names of squares, or of other parts of a map, dealt to jobs in their order.

    Returns
    -------
    dict
        At most so many bundles, by name: that of their first part.

    >>> bundles(["r0c0", "r0c1", "r1c0"], most=2)
    {'r0c0': ['r0c0', 'r0c1'], 'r1c0': ['r1c0']}
    """
    every = list(names)
    size = max(-(-len(every) // most), 1)
    return {every[first]: every[first : first + size] for first in range(0, len(every), size)}


def bundle_of(division: dict[str, Any], bundle: str) -> dict[str, Square]:
    """Squares of a bundle by name."""
    squares = divided(division)
    return {name: squares[name] for name in bundles(squares)[bundle]}


def files_in_bundles(folders: Iterable[str], names: Iterable[str], end: str) -> dict[str, str]:
    """File of each part of a map, by its name.

    Parameters
    ----------
    folders : iterable of str
        Folders of some bundles, which bear their names.
    names : iterable of str
        Parts of the map, all of them.
    end : str
        As their files end: `npz`.
    """
    dealt = bundles(names)
    return {
        name: os.path.join(folder, f"{name}.{end}")
        for folder in folders
        for name in dealt[os.path.basename(folder)]
    }


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
