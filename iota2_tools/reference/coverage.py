"""Which reference polygons hold a pixel: the centre of one lies in them, and in no later polygon."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import shapely

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import Grid, Window, placed, union
from iota2_tools.geo.vectors import Bounds

SIDE = 512
"""Rows and columns that are burnt together."""


def hold_pixels(shapes: np.ndarray, grids: Sequence[Grid]) -> np.ndarray:
    """Which polygons a pixel of the tiles belongs to, when all are burnt.

    Parameters
    ----------
    shapes : ndarray of shapely Polygon or MultiPolygon
        In the CRS of the grids, in order: of those that cover a pixel the last one has it.
    grids : sequence of Grid
        Of the tiles, aligned with one another.

    Returns
    -------
    ndarray of bool, shape (n_polygons,)
    """
    everywhere = union(list(grids))
    held = _hold_their_middle(shapes, everywhere, grids)
    burner = Burner(shapes, np.arange(1, len(shapes) + 1), everywhere)
    for number in np.flatnonzero(~held):
        held[number] = any(
            (burner.burn(window) == number + 1).any()
            for part in shapely.get_parts(shapes[number])
            for window in _windows(part.bounds, everywhere, grids)
        )
    return held


def _hold_their_middle(shapes: np.ndarray, everywhere: Grid, grids: Sequence[Grid]) -> np.ndarray:
    """Polygons that hold the pixel centre next to their centroid, and share it with no other."""
    size = everywhere.resolution
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    corner = np.array([everywhere.left, everywhere.bottom])
    x, y = (corner + (np.floor((middle - corner) / size) + 0.5) * size).T
    points = shapely.points(x, y)
    covered, _ = shapely.STRtree(shapes).query(points, predicate="intersects")
    alone = np.bincount(covered, minlength=len(shapes)) == 1
    on_tile = np.zeros(len(shapes), dtype=bool)
    for grid in grids:
        on_tile |= (grid.left < x) & (x < grid.right) & (grid.bottom < y) & (y < grid.top)
    return shapely.contains_properly(shapes, points) & alone & on_tile


def _windows(bounds: Bounds, everywhere: Grid, grids: Sequence[Grid]) -> Iterator[Window]:
    """Windows on `everywhere` that cover a rectangle as far as there is a tile."""
    left, bottom, right, top = bounds
    size = everywhere.resolution
    first_row = math.floor((everywhere.top - top) / size)
    first_col = math.floor((left - everywhere.left) / size)
    end_row = math.ceil((everywhere.top - bottom) / size)
    end_col = math.ceil((right - everywhere.left) / size)
    for grid in grids:
        tile = placed(grid, everywhere)
        row, end = max(first_row, tile.row), min(end_row, tile.row + tile.rows)
        col, last = max(first_col, tile.col), min(end_col, tile.col + tile.cols)
        for top_row in range(row, end, SIDE):
            for first in range(col, last, SIDE):
                yield Window(top_row, first, min(SIDE, end - top_row), min(SIDE, last - first))


def polygons_without_pixels(polygons: pd.DataFrame, nomenclature: Nomenclature) -> list[str]:
    """One sentence a class of which polygons hold no pixel.

    Parameters
    ----------
    polygons : DataFrame
        Columns `code` and `has_pixel` of the polygons of a production (`splits.write_splits`).
    """
    sentences = []
    for code, held in polygons.groupby("code")["has_pixel"]:
        if not held.all():
            sentences.append(
                f"class {code} ({nomenclature.name_of(code)}): {(~held).sum()} of {len(held)} polygons "
                "hold no pixel centre of their own on the tiles and are not used"
            )
    return sentences
