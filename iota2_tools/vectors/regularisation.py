"""Regularisation: a class map without areas smaller than a mapping unit, block by block.

The map goes through these steps, each over what the one before gave:

1. single pixels within groups of classes: a lone pixel becomes another class of its group beside it;
2. all classes, up to the minimum mapping unit;
3. larger pixels, each of the class that most of its pixels have;
4. water of a raster of the user;
5. all classes again, up to a second unit, counted in the larger pixels.

Sieves run with 8-connectivity, then with 4-connectivity. Blocks are windows of the whole map, not
tiles: tiles overlap, and which of them a pixel comes from is settled in the map. Each block reads a
margin around it, and writes one pixel more on each side than its own: `compare_seams` holds these
against the pixels of its neighbours. If none differs, the blocks are the map treated as one.
"""

import itertools
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from iota2_tools.core.errors import SeamError
from iota2_tools.core.files import whole_file, whole_folder
from iota2_tools.core.kernels import kernel
from iota2_tools.core.words import listed
from iota2_tools.geo.grid import Grid, Window, grid_of, placed
from iota2_tools.geo.gridded import GridBand, Reading
from iota2_tools.geo.raster import STRIP_ROWS, create_raster, open_raster, read_window
from iota2_tools.vectors.sieve import LARGEST_CODE, Sieve, sieve

logger = logging.getLogger(__name__)

LONE = 2
"""Pixels of the smallest component that stays within its group."""
EDGE = 1
"""Pixels that a block writes beyond its own, for its neighbours to be held against."""


@dataclass(frozen=True)
class Water:
    """Water that the user knows.

    Parameters
    ----------
    path : str
        Raster: neither 0 nor nodata where there is water; on any grid, the nearest pixel counts. Larger
        pixels are water if half of them is.
    code : int
        Class that the pixels of the map become that have a class.
    """

    path: str
    code: int


@dataclass(frozen=True)
class Regularisation:
    """What is done to a map.

    Parameters
    ----------
    unit : Sieve
        Over all classes.
    margin : int
        Pixels around a block that are looked at for it.
    groups : mapping of int to int
        Number of the group of each code; empty, no pass within groups.
    factor : int
        Pixels along a side that become one.
    water : Water, optional
        What is burnt into the map.
    second : Sieve, optional
        Over all classes, of the larger pixels, after the water.
    second_margin : int
        Larger pixels around a block that are looked at for it.
    """

    unit: Sieve
    margin: int
    groups: Mapping[int, int] = field(default_factory=dict)
    factor: int = 1
    water: Water | None = None
    second: Sieve | None = None
    second_margin: int = 0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Regularisation":
        """From plain values, as a rule's parameters hold them."""
        water, second = values["water"], values["second"]
        return cls(
            unit=Sieve(**values["unit"]),
            margin=values["margin"],
            groups={int(code): number for code, number in values["groups"].items()},
            factor=values["factor"],
            water=Water(**water) if water else None,
            second=Sieve(**second) if second else None,
            second_margin=values["second_margin"],
        )


def regularise(classes: np.ndarray, settings: Regularisation) -> np.ndarray:
    """Regularise a map, or a window of it: steps 1 to 3, which need nothing but its pixels.

    Parameters
    ----------
    classes : ndarray of uint8 or uint16, shape (rows, cols)
        Class codes, 0: no class. It is left as it is.
    settings : Regularisation
        What is done.

    Returns
    -------
    ndarray of the same type
        Shape (rows, cols), divided by the factor and rounded up.
    """
    out = np.array(classes, order="C")
    buffer = np.empty(out.size, dtype=np.int32)
    if settings.groups:
        table = np.zeros(LARGEST_CODE + 1, dtype=np.uint16)
        for code, number in settings.groups.items():
            table[code] = number
        _both_ways(out, replace(settings.unit, threshold=LONE), table, buffer)
    _both_ways(out, settings.unit, None, buffer)
    return out if settings.factor == 1 else majority(out, settings.factor)


def _both_ways(
    classes: np.ndarray, rule: Sieve, groups: np.ndarray | None, buffer: np.ndarray | None
) -> None:
    """Sieve in place with 8-, then with 4-connectivity."""
    for connectivity in (8, 4):
        sieve(classes, rule, connectivity, groups, buffer)


@kernel
def majority(classes: np.ndarray, factor: int) -> np.ndarray:
    """Most frequent class of each square of pixels; of equals the smaller code.

    Parameters
    ----------
    classes : ndarray of uint8 or uint16, shape (rows, cols)
        Class codes. Pixels without class (0) have no voice: a square has none only if it has no
        pixel with a class.
    factor : int
        Pixels along the side of a square. Those at the right and lower edge may be cut.

    Returns
    -------
    ndarray of the same type
        Shape (rows / factor, cols / factor), rounded up.
    """
    rows, cols = classes.shape
    out_rows, out_cols = (rows + factor - 1) // factor, (cols + factor - 1) // factor
    out = np.zeros((out_rows, out_cols), dtype=classes.dtype)
    codes = np.empty(factor * factor, dtype=classes.dtype)
    votes = np.empty(factor * factor, dtype=np.int64)
    for out_row in range(out_rows):
        for out_col in range(out_cols):
            found = 0
            for row in range(out_row * factor, min((out_row + 1) * factor, rows)):
                for col in range(out_col * factor, min((out_col + 1) * factor, cols)):
                    code = classes[row, col]
                    if code == 0:
                        continue
                    place = 0
                    while place < found and codes[place] != code:
                        place += 1
                    if place == found:
                        codes[place], votes[place] = code, 0
                        found += 1
                    votes[place] += 1
            best = -1
            for place in range(found):
                if (
                    best < 0
                    or votes[place] > votes[best]
                    or (votes[place] == votes[best] and codes[place] < codes[best])
                ):
                    best = place
            if best >= 0:
                out[out_row, out_col] = codes[best]
    return out


def write_blocks(
    source: str, blocks: Mapping[str, Window], settings: Regularisation, folder: str
) -> None:
    """Regularise some blocks of a map, one after the other (`write_block`).

    Parameters
    ----------
    blocks : mapping of str to Window
        By name.
    folder : str
        Gets a raster `NAME.tif` of each.
    """
    with whole_folder(folder) as unfinished:
        for name, block in blocks.items():
            write_block(source, block, settings, f"{unfinished}/{name}.tif")


def write_block(source: str, block: Window, settings: Regularisation, output: str) -> None:
    """Regularise a block of a map.

    Parameters
    ----------
    source : str
        Class map, 0: no class.
    block : Window
        On the grid of the regularised map (`Grid.coarser`).
    settings : Regularisation
        What is done.
    output : str
        Raster of the block and one pixel more on each side, where the map has any; type of the map.
    """
    dataset, grid = open_raster(source), grid_of(source)
    target = grid.coarser(settings.factor)
    written = block.grown(EDGE, target.window)
    wide = written.grown(settings.second_margin, target.window)
    exact = _finer(wide, settings.factor, grid)
    read = exact.grown(settings.margin, grid.window).rounded(settings.factor, grid.window)
    classes = read_window(dataset, read, 1)
    logger.info("%d x %d pixels, read with their margin", *classes.shape)
    classes = regularise(classes, settings)
    first = _coarse_corner(read, settings.factor)
    classes = classes[wide.inside(first).slices].copy()
    if settings.water:
        _burn_water(classes, settings.water, grid, wide, settings.factor)
    if settings.second:
        _both_ways(classes, settings.second, None, None)
    classes = classes[written.inside(wide).slices]
    dtype = str(classes.dtype)
    with create_raster(output, target.part(written), dtype, nodata=0) as raster:
        raster.write(classes, Window(0, 0, *classes.shape))


def _finer(window: Window, factor: int, grid: Grid) -> Window:
    """Pixels of a grid that make up those of a window of larger ones."""
    row, col = window.row * factor, window.col * factor
    return Window(
        row,
        col,
        min(window.rows * factor, grid.rows - row),
        min(window.cols * factor, grid.cols - col),
    )


def _coarse_corner(window: Window, factor: int) -> Window:
    """A window whose corner is a corner of larger pixels, in these."""
    return Window(window.row // factor, window.col // factor, 0, 0)


def _burn_water(classes: np.ndarray, water: Water, grid: Grid, window: Window, factor: int) -> None:
    """Give the pixels of a window that have a class, and lie in water, its code.

    Parameters
    ----------
    classes : ndarray
        Of the window, changed in place.
    water : Water
        Where there is water.
    grid : Grid
        Of the map before its pixels became larger: there the raster is read.
    window : Window
        In larger pixels, `factor` along a side. One is water if half of it is.
    """
    dataset = open_raster(water.path)
    nodata = dataset.GetRasterBand(1).GetNoDataValue()
    band = GridBand(water.path, grid, Reading(nodata, continuous=False, covered=True))
    burnt = 0
    for first in range(0, window.rows, STRIP_ROWS):
        rows = min(STRIP_ROWS, window.rows - first)
        strip = Window(window.row + first, window.col, rows, window.cols)
        values, seen = band.observe(_finer(strip, factor, grid))
        wet = half_of_each(seen & (values != 0), factor)
        part = classes[first : first + rows]
        wet &= part != 0
        part[wet] = water.code
        burnt += int(np.count_nonzero(wet))
    logger.info("%d pixels of water", burnt)


def half_of_each(chosen: np.ndarray, factor: int) -> np.ndarray:
    """Where at least half of the pixels of a square are chosen; squares at the edge may be cut.

    >>> half_of_each(np.array([[1, 1, 0], [0, 0, 1]], dtype=bool), 2).tolist()
    [[True, True]]
    """
    if factor == 1:
        return chosen
    rows, cols = (np.arange(0, length, factor) for length in chosen.shape)

    def sums(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.add.reduceat(values, rows, axis=0), cols, axis=1)

    return np.asarray(2 * sums(chosen.astype(np.int32)) >= sums(np.ones(chosen.shape, np.int32)))


def write_seams(blocks: Mapping[str, str], margin: int, output: str) -> None:
    """Compare the blocks of a map (`compare_seams`), and write how many pixels were (JSON)."""
    compared = compare_seams(blocks, margin)
    logger.info("%d pixels of %d blocks are the same in both that hold them", compared, len(blocks))
    with whole_file(output) as temporary:
        text = json.dumps({"blocks": len(blocks), "pixels_compared": compared, "different": 0})
        Path(temporary).write_text(text + "\n", encoding="utf-8")


def compare_seams(blocks: Mapping[str, str], margin: int) -> int:
    """Hold neighbouring blocks against one another where both have pixels.

    Small areas that lead to one another make chains, which no width bounds. One that leaves the margin
    of a block crosses the pixels it shares with its neighbours, so it shows there.

    Parameters
    ----------
    blocks : mapping of str to str
        Rasters of `write_block` by the names of their blocks.
    margin : int
        Pixels around them that were looked at, for the message.

    Returns
    -------
    int
        Pixels that were compared.

    Raises
    ------
    SeamError
        If a pixel differs, with the blocks, the number of pixels, and where the first one lies.
    """
    grids = {name: grid_of(path) for name, path in blocks.items()}
    compared, faults = 0, []
    for first, second in itertools.combinations(blocks, 2):
        common = _common(grids[first], grids[second])
        if common is None:
            continue
        one, other = (
            read_window(open_raster(blocks[name]), placed(common, grids[name]), 1)
            for name in (first, second)
        )
        compared += one.size
        differs = np.argwhere(one != other)
        if len(differs):
            row, col = differs[0]
            left, _, _, top = common.bounds_of(Window(int(row), int(col), 1, 1))
            faults.append(
                f"{first} and {second} in {len(differs)} of {one.size} pixels, the first at "
                f"({left:.10g}, {top:.10g})"
            )
    if faults:
        raise SeamError(
            f"regularised blocks differ where they meet: {listed(faults)}; chains of small areas reach beyond "
            f"their margin of {margin} pixels: set `regularisation: {{margin_pixels: {2 * margin}}}` and run again"
        )
    return compared


def _common(first: Grid, second: Grid) -> Grid | None:
    """Grid of the pixels that two aligned grids share; None where there are none."""
    place = placed(second, first)
    row, col = max(place.row, 0), max(place.col, 0)
    rows = min(place.row + place.rows, first.rows) - row
    cols = min(place.col + place.cols, first.cols) - col
    return first.part(Window(row, col, rows, cols)) if rows > 0 and cols > 0 else None
