"""What keeps learning and validation apart: polygons drawn together, and a distance between both.

References
----------
Roberts et al. 2017, *Ecography* 40, 913-929, doi:10.1111/ecog.02881 (blocks).
Ploton et al. 2020, *Nature Communications* 11, 4540, doi:10.1038/s41467-020-18321-y (buffers).
"""

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from iota2_tools.core.draws import generator
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid, spatial_reference
from iota2_tools.reference.sets import LEARN, UNUSED, VALIDATION

POLYGON, TOUCHING, BLOCK = "polygon", "touching", "block"
"""Words of `sampling.split_by`; any other is a field of the reference."""
NO_GAP = 0.1
"""Pixels between two polygons that touch all the same: pieces of one parcel were drawn by hand."""


def in_units(metres: float, crs: str, key: str) -> float:
    """A length in units of a projection.

    Parameters
    ----------
    key : str
        Of the configuration, for the message.

    Raises
    ------
    InputDataError
        If its coordinates are angles.
    """
    reference = spatial_reference(crs)
    if not reference.IsProjected():
        raise InputDataError(
            f"{key}: the coordinates of the map are angles, so that metres are none; set grid.projection to one in "
            "metres"
        )
    return float(metres / reference.GetLinearUnits())


def groups_of(
    polygons: gpd.GeoDataFrame, split_by: str, block: float | None, grid: Grid
) -> pd.Series | None:
    """Which polygons are drawn as one.

    Parameters
    ----------
    polygons : GeoDataFrame
        Columns `polygon`, `code`, the shapes, and `group`, the value of the field if it is one.
    split_by, block
        See `config.sampling.Sampling`.
    grid : Grid
        Of a tile: its CRS is that of the shapes.

    Returns
    -------
    Series of int or None
        Smallest `polygon` of the group of each; None: each polygon is one.
    """
    if split_by == POLYGON or (split_by == BLOCK and not block):  # which the check refuses
        return None
    if split_by == TOUCHING:
        return touching_groups(polygons, NO_GAP * grid.resolution)
    if split_by == BLOCK and block:
        return block_groups(polygons, in_units(block, grid.crs, "sampling.block"))
    return value_groups(polygons["group"], polygons["polygon"])


def one_a_group(polygons: gpd.GeoDataFrame, groups: pd.Series) -> pd.DataFrame:
    """One row a group, as `splits.draw_split` takes polygons: class, and region of its largest polygon."""
    largest = polygons.assign(group=groups, area=polygons.geometry.area)
    largest = largest.sort_values(["group", "area", "polygon"], ascending=[True, False, True])
    found = largest.drop_duplicates("group").set_index("group")[["code", "region"]]
    return pd.DataFrame(found.assign(polygon=found.index))


def touching_groups(polygons: gpd.GeoDataFrame, tolerance: float) -> pd.Series:
    """Polygons of one class that touch, overlap or nearly touch, also by way of others.

    Parameters
    ----------
    polygons : GeoDataFrame
        Columns `polygon`, `code` and the shapes.
    tolerance : float
        Gap that counts as none, units of the CRS.

    Returns
    -------
    Series of int
        Smallest `polygon` of the group of each, on the index of `polygons`.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    shapes, codes = polygons.geometry.to_numpy(), polygons["code"].to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=tolerance)
    same = codes[one] == codes[other]
    links = coo_array((np.ones(same.sum()), (one[same], other[same])), shape=(len(shapes),) * 2)
    _, labels = connected_components(links, directed=False)
    return polygons["polygon"].groupby(labels).transform("min")


def value_groups(values: pd.Series, polygons: pd.Series) -> pd.Series:
    """Polygons that share the value of a field; one without a value is alone.

    Returns
    -------
    Series of int
        Smallest `polygon` of the group of each.
    """
    own = values.where(values != "", [f"polygon {number}" for number in polygons])
    return polygons.groupby(own).transform("min")


def block_groups(polygons: gpd.GeoDataFrame, side: float) -> pd.Series:
    """Polygons whose centroids lie in one square of a net that begins at the origin of the CRS.

    Parameters
    ----------
    side : float
        Of a square, units of the CRS.

    Returns
    -------
    Series of int
        Smallest `polygon` of the group of each.
    """
    middle = shapely.get_coordinates(shapely.centroid(polygons.geometry.to_numpy()))
    col, row = np.floor(middle / side).astype(np.int64).T
    return polygons["polygon"].groupby([col, row]).transform("min")


def learning_groups(
    polygons: pd.DataFrame, wanted: pd.Series, seed: int, random_seed: int
) -> np.ndarray:
    """Draw whole groups, so that each class and region learns about as many polygons as wanted.

    Groups are taken in random order. Each goes where more of its polygons are still wanted, every
    class and region of it weighing alike. Afterwards a class that nobody learns gets a group, and
    one that nobody validates another, if it has two.

    Parameters
    ----------
    polygons : DataFrame
        Columns `group` and `stratum` (class and region, any name).
    wanted : Series of int
        Polygons of each stratum that shall learn, by its name.

    Returns
    -------
    ndarray of bool, shape (n_polygons,)
        Whether each learns.
    """
    counts = pd.crosstab(polygons["group"], polygons["stratum"]).sort_index()
    table = counts.to_numpy()
    total = table.sum(axis=0)
    room = np.stack([wanted[counts.columns].to_numpy(), total - wanted[counts.columns].to_numpy()])
    learns = np.zeros(len(table), dtype=bool)
    order = generator(random_seed, "groups", seed).permutation(len(table))
    for group in order:
        fitting = (np.minimum(table[group], np.maximum(room, 0)) / total).sum(axis=1)
        learns[group] = fitting[0] >= fitting[1]
        room[0 if learns[group] else 1] -= table[group]
    _give_each_a_side(table, learns, order, wanted[counts.columns].to_numpy() < total)
    return pd.Series(learns, index=counts.index)[polygons["group"]].to_numpy()


def _give_each_a_side(
    table: np.ndarray, learns: np.ndarray, order: np.ndarray, validated: np.ndarray
) -> None:
    """Move groups, in place, so that each stratum learns, and validates where it can and shall."""
    for stratum in np.arange(table.shape[1]):
        own = [group for group in order if table[group, stratum]]
        if not any(learns[group] for group in own):
            losses = [_left_without(table, ~learns, group) for group in own]
            learns[own[int(np.argmin(losses))]] = True
    for stratum in np.flatnonzero(validated):
        own = [group for group in order if table[group, stratum]]
        if len(own) > 1 and all(learns[group] for group in own):
            free = [group for group in own if not _left_without(table, learns, group)]
            if free:
                learns[free[0]] = False


def _left_without(table: np.ndarray, chosen: np.ndarray, group: int) -> int:
    """Strata that some chosen group has, and none would if this one were not chosen."""
    others = chosen.copy()
    others[group] = False
    return int(((table[chosen].sum(axis=0) > 0) & (table[others].sum(axis=0) == 0)).sum())


def kept_apart(shapes: np.ndarray, sets: pd.Series, distance: float) -> pd.Series:
    """Sets in which no polygon learns nearer than a distance to one that validates.

    Those that do are unused: what validates stands, so that the scores are those of the same ground.

    Parameters
    ----------
    shapes : ndarray of shapely Geometry
        One for each of `sets`.
    distance : float
        Units of the CRS.
    """
    learns, validates = (np.flatnonzero(sets == word) for word in (LEARN, VALIDATION))
    apart = sets.copy()
    if len(learns) and len(validates):
        tree = shapely.STRtree(shapes[validates])
        near, which = tree.query(shapes[learns], predicate="dwithin", distance=distance)
        exact = shapely.distance(shapes[learns[near]], shapes[validates[which]]) < distance
        apart.iloc[learns[np.unique(near[exact])]] = UNUSED
    return apart


def distances_kept(polygons: gpd.GeoDataFrame, seed: int) -> np.ndarray:
    """Distance of each validation polygon of a draw to the nearest that learns.

    Parameters
    ----------
    polygons : GeoDataFrame
        Columns `seed_N` and `has_pixel` (`splits.Split`).

    Returns
    -------
    ndarray of float64, shape (n_validation_polygons,)
        Units of the CRS; empty if nothing learns or validates.
    """
    used = polygons[polygons["has_pixel"].to_numpy(dtype=bool)]
    sets, shapes = used[f"seed_{seed}"], used.geometry.to_numpy()
    learns, validates = (shapes[sets.str.contains(word)] for word in (LEARN, VALIDATION))
    if not len(learns) or not len(validates):
        return np.empty(0)
    tree = shapely.STRtree(learns)
    (which, _), found = tree.query_nearest(validates, return_distance=True, all_matches=False)
    return found[np.argsort(which)]


def metres_kept(polygons: gpd.GeoDataFrame, seeds: Iterable[int]) -> dict[int, np.ndarray]:
    """`distances_kept` of each draw that has any, in metres; none where coordinates are angles."""
    reference = spatial_reference(str(polygons.crs))
    if not reference.IsProjected():
        return {}
    found = {seed: distances_kept(polygons, seed) for seed in seeds}
    return {seed: own * reference.GetLinearUnits() for seed, own in found.items() if len(own)}
