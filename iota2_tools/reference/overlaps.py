"""Reference polygons that lie over one another."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.geo.grid import Grid, union
from iota2_tools.geo.vectors import shown

MOST_TOLD = 20
LARGEST = 1 << 20
"""Pixels of a piece whose centres are looked at one by one; a larger one holds some."""


def overlapping_pairs(polygons: gpd.GeoDataFrame, grids: Sequence[Grid]) -> pd.DataFrame:
    """Pairs of polygons that both hold the centre of a pixel.

    Parameters
    ----------
    polygons : GeoDataFrame
        Columns `polygon`, `code` and the shapes, in the CRS of the grids.
    grids : sequence of Grid
        Of the tiles, aligned with one another.

    Returns
    -------
    DataFrame
        `first`, `second` (the later one), `first_code`, `second_code`, by `first` and `second`.
    """
    shapes, everywhere = polygons.geometry.to_numpy(), union(list(grids))
    one, other = _near(shapes, everywhere)
    pieces = shapely.intersection(shapes[one], shapes[other])
    held = np.array([_holds_a_centre(piece, everywhere) for piece in pieces], dtype=bool)
    numbers, codes = polygons["polygon"].to_numpy(), polygons["code"].to_numpy()
    one, other = one[held], other[held]
    return pd.DataFrame(
        {
            "first": numbers[one],
            "second": numbers[other],
            "first_code": codes[one],
            "second_code": codes[other],
        }
    )


def _near(shapes: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of positions, the smaller first, whose rectangles share the centre of a pixel."""
    one, other = shapely.STRtree(shapes).query(shapes)
    one, other = one[one < other], other[one < other]
    bounds = shapely.bounds(shapes)
    low = np.maximum(bounds[one, :2], bounds[other, :2])
    high = np.minimum(bounds[one, 2:], bounds[other, 2:])
    corner = np.array([grid.left, grid.top])
    first = np.ceil((low - corner) / grid.resolution - 0.5)
    last = np.floor((high - corner) / grid.resolution - 0.5)
    shared = (first <= last).all(axis=1)
    one, other = one[shared], other[shared]
    order = np.lexsort((other, one))
    return one[order], other[order]


def _holds_a_centre(shape: shapely.Geometry, grid: Grid) -> bool:
    """Whether a shape holds the centre of a pixel of a grid that goes on beyond its edges."""
    if shape.is_empty:
        return False
    left, bottom, right, top = shape.bounds
    size = grid.resolution
    cols = np.arange(
        np.ceil((left - grid.left) / size - 0.5), (right - grid.left) / size - 0.5 + 1e-9
    )
    rows = np.arange(
        np.ceil((grid.top - top) / size - 0.5), (grid.top - bottom) / size - 0.5 + 1e-9
    )
    if len(cols) * len(rows) > LARGEST:
        return True
    x = grid.left + (cols + 0.5) * grid.resolution
    y = grid.top - (rows + 0.5) * grid.resolution
    shapely.prepare(shape)
    return bool(shapely.contains_xy(shape, *np.meshgrid(x, y)).any())


def check_overlaps(pairs: pd.DataFrame, path: str) -> None:
    """Raise InputDataError if polygons of two classes hold the same pixel, naming the polygons."""
    other = pairs[pairs["first_code"] != pairs["second_code"]]
    problems = [
        f"polygons {pair.first} (class {pair.first_code}) and {pair.second} (class {pair.second_code}), counted "
        "from 1 in the order of the file, hold the same pixels; cut one of them, or take it out"
        for pair in other.head(MOST_TOLD).itertuples()
    ]
    if len(other) > MOST_TOLD:
        problems.append(
            f"{len(other) - MOST_TOLD} more pairs of polygons hold the same pixels; cut them too"
        )
    if problems:
        raise InputDataError(one_message(path, problems))


def overlap_remarks(pairs: pd.DataFrame, path: str) -> list[str]:
    """One sentence a class: which of its polygons hold the same pixels."""
    remarks = []
    for code, group in pairs[pairs["first_code"] == pairs["second_code"]].groupby("first_code"):
        which = shown(f"{pair.first} and {pair.second}" for pair in group.itertuples())
        remarks.append(
            f"{path}: class {code}: {len(group)} pair(s) of polygons hold the same pixels, which belong to the "
            f"later one ({which}); merge them, or draw them together (`sampling.split_by: touching`)"
        )
    return remarks
