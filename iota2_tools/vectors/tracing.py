"""Boundaries of one square of a class map, for the squares to be joined by."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_file, whole_folder
from iota2_tools.geo.grid import grid_of
from iota2_tools.geo.squares import Square, with_margin
from iota2_tools.vectors.arcs import Arcs, traced
from iota2_tools.vectors.components import label

ARC_FIELDS = ("points", "offsets", "left", "right", "ends")
BORDERS = ("top", "bottom", "west", "east")


def part_numbers(first: np.ndarray, square: Square, cols: int) -> np.ndarray:
    """Numbers of the parts of components that lie in a square: that of their first pixel in the map.

    Parameters
    ----------
    first : ndarray of int64
        First pixels, counted in the square (`components.Components`).
    cols : int
        Width of the map.

    Returns
    -------
    ndarray of int64
        From 1, row by row.
    """
    row, col = np.divmod(first, square.window.cols)
    return (row + square.window.row) * cols + col + square.window.col + 1


def trace_squares(classes: str, squares: Mapping[str, Square], folder: str) -> None:
    """Trace some squares of a class map, one after the other (`trace_square`).

    Parameters
    ----------
    squares : mapping of str to Square
        By name.
    folder : str
        Gets a file `NAME.npz` of each.
    """
    with whole_folder(folder) as unfinished:
        for name, square in squares.items():
            trace_square(classes, square, f"{unfinished}/{name}.npz")


def trace_square(classes: str, square: Square, output: str) -> None:
    """Write the arcs of a square and what joins it to the others.

    Parameters
    ----------
    classes : str
        Class map; 0: no class.
    output : str
        File `.npz`: numbers, pixels, perimeters and codes of the parts of components; the parts
        along its four sides; arcs (`ARC_FIELDS`).

    Raises
    ------
    InputDataError
        If the map cannot be read.
    """
    cols = grid_of(classes).cols
    codes = with_margin(classes, square.window)
    if codes.dtype not in (np.uint8, np.uint16):
        raise InputDataError(f"{classes}: pixels are {codes.dtype}, classes are uint8 or uint16")
    parts = label(codes)
    numbers = part_numbers(parts.first, square, cols)
    corner = square.window.row, square.window.col
    arcs = traced(codes, parts.ids, corner, (square.last_row, square.last_col))
    of_pixel = np.append(numbers, -1)  # the last stands for pixels without class
    sides = (parts.ids[0], parts.ids[-1], parts.ids[:, 0], parts.ids[:, -1])
    save(
        output,
        numbers=numbers,
        pixels=parts.pixels,
        perimeter=parts.perimeter,
        codes=parts.codes,
        **{name: of_pixel[side] for name, side in zip(BORDERS, sides, strict=True)},
        **arc_members(
            Arcs(
                arcs.points,
                arcs.offsets,
                _named(arcs.left, numbers),
                _named(arcs.right, numbers),
                arcs.ends,
            )
        ),
    )


def _named(components: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Numbers of parts in place of components of the square; what lies around it stays negative."""
    inside = components >= 0
    return (
        np.where(inside, numbers[np.where(inside, components, 0)], components)
        if len(numbers)
        else components
    )


def save(path: str, **members: np.ndarray) -> None:
    """Write arrays into a file `.npz` that appears only once whole."""
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **members)  # type: ignore[arg-type]


def arc_members(arcs: Arcs) -> dict[str, np.ndarray]:
    """Arcs as members of a file."""
    return {name: getattr(arcs, name) for name in ARC_FIELDS}


@dataclass(frozen=True)
class Around:
    """Parts that lie above a square and to its left, as its arcs refer to them (`arcs.traced`).

    Parameters
    ----------
    above, before : ndarray of int64
        Numbers of the parts in the row above, and in the column to the left; -1: none.
    """

    above: np.ndarray
    before: np.ndarray

    def resolved(self, components: np.ndarray) -> np.ndarray:
        """Numbers of components, those around the square by name."""
        ring = np.concatenate([self.above, self.before])
        outer = components < -1
        return np.where(outer, ring[np.where(outer, -2 - components, 0)], components)


def read_arcs(members: "np.lib.npyio.NpzFile", around: Around) -> Arcs:
    """Arcs of a file, with the numbers of all parts beside them."""
    arcs = Arcs(*(members[name] for name in ARC_FIELDS))
    return Arcs(
        arcs.points,
        arcs.offsets,
        around.resolved(arcs.left),
        around.resolved(arcs.right),
        arcs.ends,
    )
