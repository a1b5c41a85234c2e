"""The regions of a production: one model each."""

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.words import plain_text
from iota2_tools.geo.vectors import polygons_only, read_features

SHOWN = 4
"""Pairs of regions that a message names."""


def read_regions(path: str, layer: str | None, field: str, crs: str) -> gpd.GeoSeries:
    """Shapes of the regions in `crs`, all parts of a region together; the index holds the names.

    Raises
    ------
    InputDataError
        If the field is missing or a region has no name.
    """
    features = polygons_only(read_features(path, layer, {"name": field}, crs), path)
    if features.shapes.empty:
        raise InputDataError(f"{path}: holds no polygon")
    names = features.values["name"]
    nameless = names.isna() | (names.map(plain_text) == "")
    if nameless.any():
        raise InputDataError(
            f"{path}: {nameless.sum()} polygon(s) have no value in field {field!r}; name those "
            "regions, or take them out"
        )
    parts = features.shapes.groupby(names.map(plain_text))
    together = {name: shapely.union_all(shapes.to_numpy()) for name, shapes in parts}
    return gpd.GeoSeries(together, crs=features.shapes.crs)


def region_remarks(
    path: str, layer: str | None, field: str, crs: str, least: float
) -> Iterator[str]:
    """What is strange about the shapes of regions: borders that were repaired, regions that share ground.

    Parameters
    ----------
    least : float
        Ground that two regions may share without a word, square units of `crs`: slivers along borders.
    """
    yield from polygons_only(read_features(path, layer, {"name": field}, crs), path).remarks
    regions = read_regions(path, layer, field, crs)
    shapes = regions.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    places = np.flatnonzero(shared > least)
    pairs = [f"{regions.index[one[i]]} and {regions.index[other[i]]}" for i in places]
    if pairs:
        shown = ", ".join(pairs[:SHOWN]) + (" …" if pairs[SHOWN:] else "")
        yield (
            f"{path}: {len(pairs)} pair(s) of regions overlap ({shown}): pixels in both belong to the one named last; "
            "cut one of them, if they should not"
        )


def assign_regions(polygons: gpd.GeoDataFrame, regions: gpd.GeoSeries | None) -> pd.Series:
    """Region of each polygon: the one that holds most of it, "" if none does; "1" without regions.

    A polygon is drawn once, so it never learns on one side of a border and validates on the other.
    """
    if regions is None:
        return pd.Series("1", index=polygons.index)
    shapes = regions.to_numpy()
    geometries = polygons.geometry.to_numpy()
    which, region = shapely.STRtree(shapes).query(geometries, predicate="intersects")
    shapely.prepare(shapes)
    cut = ~shapely.covers(shapes[region], geometries[which])
    areas = shapely.area(geometries)[which]
    areas[cut] = shapely.area(shapely.intersection(geometries[which[cut]], shapes[region[cut]]))
    best = pd.DataFrame({"which": which, "region": region, "area": areas})
    best = best[best["area"] > 0].sort_values(
        ["which", "area", "region"], ascending=[True, False, True]
    )
    best = best.drop_duplicates("which").set_index("which")["region"]
    names = np.full(len(polygons), "", dtype=object)
    names[best.index] = regions.index.to_numpy()[best.to_numpy()]
    return pd.Series(names, index=polygons.index)
