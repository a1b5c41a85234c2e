"""The grids of a production: resolutions in other units than meant, tiles that do not touch."""

from collections.abc import Iterator

from iota2_tools.core.findings import Finding
from iota2_tools.geo.grid import crs_name, metres, spatial_reference
from iota2_tools.planning.production import Production

COARSER, FINER = 50, 20
"""Times that pixels of the map may be larger, or smaller, than those of the images."""


def grid_findings(production: Production) -> Iterator[Finding]:
    """What is wrong or strange about the grids of the tiles."""
    yield from _no_plane(production)
    yield from _resolution(production)
    yield from _apart(production)


def _no_plane(production: Production) -> Iterator[Finding]:
    """Coordinates that are neither of a plane nor angles, as those from the middle of the Earth."""
    crs = production.grid(production.tiles[0]).crs
    reference = spatial_reference(crs)
    if not reference.IsProjected() and not reference.IsGeographic():
        yield Finding(
            "", "grid.projection", f"{crs_name(crs)} ({reference.GetName()}) is no projection of maps",
            "give one, as EPSG:32631, or leave it out for that of the images",
        )  # fmt: skip


def _resolution(production: Production) -> Iterator[Finding]:
    """A resolution in degrees where metres are meant, or the other way round."""
    if not production.config.grid.spatial_resolution:
        return
    tile = production.tiles[0]
    native, grid = production.finest_grid(tile), production.grid(tile)
    times = metres(grid) / metres(native)
    if 1 / FINER <= times <= COARSER:
        return
    unit = spatial_reference(grid.crs).GetAttrValue("UNIT") or "unit"
    size = metres(native) / metres(grid) * grid.resolution
    yield Finding(
        "", "grid.spatial_resolution",
        f"{grid.resolution:g} is {metres(grid):.4g} m in {crs_name(grid.crs)}, whose unit is the {unit}; the images "
        f"of {tile} have pixels of {metres(native):.4g} m",
        f"give it in that unit, as {size:.3g}, or leave it out",
    )  # fmt: skip


def _apart(production: Production) -> Iterator[Finding]:
    """Tiles that have nothing to do with one another."""
    groups = _groups(production)
    if len(groups) < 2:
        return
    grid = production.mosaic_grid
    covered = sum(item.rows * item.cols for item in production.grids.values())
    yield Finding(
        "", "tiles",
        f"they stand in {len(groups)} groups that do not touch: {'; '.join(', '.join(names) for names in groups[:4])}"
        f"{'; …' if len(groups) > 4 else ''}. The map is one raster of {grid.cols} x {grid.rows} pixels around all of "
        f"them, {grid.rows * grid.cols / covered:.3g} times those of the tiles",
        "check the names, or make a production of each group", "warning",
    )  # fmt: skip


def _groups(production: Production) -> list[list[str]]:
    """Tiles that overlap or touch, also by way of others, in the order of the configuration."""
    left, groups = list(production.tiles), []
    while left:
        group, waiting = [], [left[0]]
        while waiting:
            tile = waiting.pop()
            if tile in left:
                left.remove(tile)
                group.append(tile)
                waiting += production.near(tile, 1)
        groups.append(sorted(group, key=production.tiles.index))
    return groups
