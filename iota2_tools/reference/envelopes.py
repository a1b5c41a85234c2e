"""Who maps what: each pixel of a production belongs to one tile, and to one region at most."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from shapely import Geometry

from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster
from iota2_tools.reference.regions import read_regions

BLOCK_ROWS = 256
"""Rows that are burnt together: those of the blocks of the raster."""


def priority(grids: dict[str, Grid]) -> list[str]:
    """Tiles from north to south, then west to east, then by name."""
    return sorted(grids, key=lambda tile: (-grids[tile].top, grids[tile].left, tile))


def footprint(grid: Grid) -> Geometry:
    """Rectangle of a tile, in its CRS."""
    return shapely.box(*grid.bounds)


def overlapping(tile: str, grids: dict[str, Grid], beyond: float = 0) -> list[str]:
    """Tiles whose rectangle shares an area with that of `tile`, itself left out.

    Parameters
    ----------
    beyond : float
        Width by which the rectangle of `tile` is grown before, units of the CRS.
    """
    left, bottom, right, top = grids[tile].bounds
    left, bottom, right, top = left - beyond, bottom - beyond, right + beyond, top + beyond
    return [
        other
        for other, grid in grids.items()
        if other != tile
        and grid.left < right
        and grid.right > left
        and grid.bottom < top
        and grid.top > bottom
    ]


def exclusive_envelope(tile: str, grids: dict[str, Grid], margin: float) -> Geometry:
    """Part of a tile that no other tile maps.

    Each place goes to the first tile, in order of priority, whose rectangle less a margin along
    its right and lower edge holds it: beyond, its neighbours see the ground as well. What is left
    goes to the first whose rectangle less the right margin alone holds it, then less the lower
    one, then to the first that covers it, so that a border between two tiles stays straight to
    the outer edge of both. The envelopes of all tiles are a partition of the area they cover.

    Parameters
    ----------
    tile : str
        The tile asked for.
    grids : dict of str to Grid
        At least `tile` and the tiles that overlap it.
    margin : float
        Width left to the neighbours, in units of the CRS; rounded down to whole pixels.

    Returns
    -------
    shapely Geometry
        Polygon or MultiPolygon, edges on pixel edges; empty if other tiles cover all.
    """
    order = priority({name: grids[name] for name in [tile, *overlapping(tile, grids)]})
    place = order.index(tile)
    envelope, taken = [], shapely.Polygon()
    for claims in zip(*(_claims(grids[name], margin) for name in order), strict=True):
        before = shapely.union_all([taken, *claims[:place]])
        envelope.append(claims[place].difference(before))
        taken = shapely.union_all([taken, *claims])
    return shapely.union_all(envelope)


def _claims(grid: Grid, margin: float) -> list[Geometry]:
    """What a tile claims, first to last: less both margins, the right one, the lower one, none."""
    kept = int(margin / grid.resolution) * grid.resolution
    left, bottom, right, top = grid.bounds
    if right - kept <= left or bottom + kept >= top:
        kept = 0
    return [
        shapely.box(left, bottom + below, right - beside, top)
        for below, beside in ((kept, kept), (0, kept), (kept, 0), (0, 0))
    ]


def write_regions(
    tile: str,
    grids: dict[str, Grid],
    margin: float,
    regions: Mapping[str, Any] | None,
    names: list[str],
    output: str,
) -> None:
    """Write which region each pixel of a tile's exclusive envelope belongs to.

    Parameters
    ----------
    grids : dict of str to Grid
        Of the tile and of those that overlap it.
    margin : float
        See `envelopes.exclusive_envelope`.
    regions : mapping or None
        Section of the configuration.
    names : list of str
        Names of all regions; the first bears number 1.
    output : str
        Raster to write: uint16, number of the region, 0 outside envelope and regions.
    """
    grid = grids[tile]
    envelope = exclusive_envelope(tile, grids, margin)
    shapes = [] if envelope.is_empty else [envelope]
    inside = Burner(shapes, [1] * len(shapes), grid)
    burner = inside
    if regions:
        places = read_regions(regions["path"], regions["layer"], regions["field"], grid.crs)
        numbers = [names.index(name) + 1 for name in places.index]
        burner = Burner(places.to_numpy(), numbers, grid)
    tags = {f"REGION_{number}": name for number, name in enumerate(names, start=1)}
    with create_raster(output, grid, "uint16", nodata=0, tags=tags) as raster:
        for window in grid.windows(BLOCK_ROWS):
            raster.write((burner.burn(window) * inside.burn(window)).astype(np.uint16), window)
