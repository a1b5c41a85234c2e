"""A smoothed map of a tile, from the probabilities that were mapped there and around it.

The probabilities of a production are one image, whatever its tiles and regions: each pixel is mapped
by one model, that of its region. A tile is smoothed with the pixels of its neighbours, so that
its border is nowhere to be seen.
"""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from osgeo import gdal

from iota2_tools.classifying.markov import Field, smooth
from iota2_tools.classifying.tile import NO_PROBABILITY, confidence_percent
from iota2_tools.geo.grid import BLOCK, Grid, Window, grid_of, placed
from iota2_tools.geo.raster import CACHE_MB, STRIP_ROWS, create_raster, open_raster, read_window

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DrawFiles:
    """Probabilities of one draw, and the smoothed maps that are made of them.

    Parameters
    ----------
    own : sequence of str
        Of each region of the tile (`classify_tile`); each pixel has values in one at most.
    around : sequence of str
        Of each region of each tile near by, on grids aligned with that of the tile.
    classes, confidence : str
        Rasters to write: class code (0: not mapped) and percent.
    """

    own: Sequence[str]
    around: Sequence[str]
    classes: str
    confidence: str


def smooth_tile(
    draws: Sequence[DrawFiles], codes: Sequence[int], dtype: str, field: Field, threads: int
) -> None:
    """Smooth the maps of a tile, draw by draw.

    Memory is that of a window. The result depends on neither windows nor threads.

    Parameters
    ----------
    codes : sequence of int
        Classes of the bands of the probabilities.
    dtype : {"uint8", "uint16"}
        Type of the class maps.
    """
    grid = grid_of(draws[0].own[0])
    with ThreadPoolExecutor(threads) as pool:
        for files in draws:
            _smooth_draw(files, grid, (np.array(codes), dtype), field, pool)


def _smooth_draw(
    files: DrawFiles,
    grid: Grid,
    legend: tuple[np.ndarray, str],
    field: Field,
    pool: ThreadPoolExecutor,
) -> None:
    codes, dtype = legend
    probabilities = _Probabilities(files, grid, len(codes))
    mapped = 0
    with ExitStack() as open_files:
        meaning = {"MEANING": "class code, 0 no data", "SMOOTHING": _told(field)}
        classes = open_files.enter_context(
            create_raster(files.classes, grid, dtype, nodata=0, tags=meaning)
        )
        units = {"UNITS": "percent", "SMOOTHING": _told(field)}
        confidence = open_files.enter_context(
            create_raster(files.confidence, grid, "uint8", nodata=0, tags=units)
        )
        for window in _windows(grid, len(codes)):
            values, own = probabilities.read(window, field.iterations)
            if not own.any():
                continue
            place, belief = _smooth_window(values, field, pool)
            found = np.where(own, codes[place], 0).astype(dtype)
            classes.write(found, window)
            confidence.write(confidence_percent(belief, found), window)
            mapped += int(own.sum())
    logger.info("%s: %d pixels smoothed", files.classes, mapped)


def _told(field: Field) -> str:
    return f"Markov field, beta {field.beta:g}, {field.iterations} iterations"


class _Probabilities:
    """The probabilities of a draw on the grid of a tile, and beyond it as far as they are known."""

    def __init__(self, files: DrawFiles, grid: Grid, classes: int) -> None:
        self._own = [self._place(path, grid) for path in files.own]
        self._around = [self._place(path, grid) for path in files.around]
        self._classes = classes

    @staticmethod
    def _place(path: str, grid: Grid) -> tuple[gdal.Dataset, Window]:
        return open_raster(path), placed(grid_of(path), grid)

    def read(self, window: Window, margin: int) -> tuple[np.ndarray, np.ndarray]:
        """Per mille of a window with a margin, and which pixels of it are those of the tile.

        Returns
        -------
        values : ndarray of uint16, shape (n_classes, rows + 2 margin, cols + 2 margin)
            `NO_PROBABILITY` where nothing is mapped.
        own : ndarray of bool, shape (rows, cols)
        """
        rows, cols = window.rows + 2 * margin, window.cols + 2 * margin
        outer = Window(window.row - margin, window.col - margin, rows, cols)
        values = np.full((self._classes, rows, cols), NO_PROBABILITY, dtype=np.uint16)
        self._fill(values, outer, self._own)
        own = values[0, margin : rows - margin, margin : cols - margin] != NO_PROBABILITY
        if own.any():
            self._fill(values, outer, self._around)
        return values, own

    @staticmethod
    def _fill(
        values: np.ndarray, outer: Window, pieces: Sequence[tuple[gdal.Dataset, Window]]
    ) -> None:
        """Put what the pieces hold of a window into it: each pixel has values in one of them."""
        for dataset, place in pieces:
            shared = outer.grown(0, place)
            if min(shared.rows, shared.cols) > 0:
                target = values[(slice(None), *shared.inside(outer).slices)]
                np.minimum(target, read_window(dataset, shared.inside(place)), out=target)


def _windows(grid: Grid, classes: int) -> Iterator[Window]:
    """Windows in columns from top to bottom, so narrow that the block cache holds three rows of blocks.

    So a block is decoded once, though its pixels are the margin of two windows.
    """
    blocks = int(CACHE_MB * 1e6 / (2 * 3 * BLOCK * BLOCK * classes)) - 2
    width = BLOCK * max(blocks, 1)
    for col in range(0, grid.cols, width):
        for row in range(0, grid.rows, STRIP_ROWS):
            rows, cols = min(STRIP_ROWS, grid.rows - row), min(width, grid.cols - col)
            yield Window(row, col, rows, cols)


def _smooth_window(
    values: np.ndarray, field: Field, pool: ThreadPoolExecutor
) -> tuple[np.ndarray, np.ndarray]:
    """As `markov.smooth`, part by part: their beliefs stay in the caches of the processor."""
    margin = 2 * field.iterations
    cols = values.shape[2] - margin
    parts = [
        values[:, :, first : min(first + BLOCK, cols) + margin] for first in range(0, cols, BLOCK)
    ]
    found = list(pool.map(lambda part: smooth(part, field), parts))
    return (
        np.concatenate([place for place, _ in found], axis=1),
        np.concatenate([belief for _, belief in found], axis=1),
    )
