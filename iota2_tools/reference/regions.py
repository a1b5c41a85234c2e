"""The regions of a production: one model each."""

import geopandas as gpd
import pandas as pd
import shapely

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.words import plain_text
from iota2_tools.geo.vectors import polygons_only, read_layer


def read_regions(path: str, layer: str | None, field: str, crs: str) -> gpd.GeoDataFrame:
    """Regions dissolved by name, in `crs`; the index holds the names.

    Raises
    ------
    InputDataError
        If the field is missing or a region has no name.
    """
    frame = read_layer(path, layer, crs)
    if field not in frame:
        fields = ", ".join(frame.columns.drop(frame.geometry.name))
        raise InputDataError(f"{path}: no field {field!r} (regions.field), found {fields}")
    if frame[field].isna().any():
        raise InputDataError(
            f"{path}: {frame[field].isna().sum()} polygon(s) have no value in field {field!r}"
        )
    frame = polygons_only(frame, path)
    names = frame[field].map(plain_text)
    return gpd.GeoDataFrame({"region": names}, geometry=frame.geometry, crs=frame.crs).dissolve(
        "region"
    )


def assign_regions(polygons: gpd.GeoDataFrame, regions: gpd.GeoDataFrame | None) -> pd.Series:
    """Region of each polygon: the one that holds most of it, "" if none does; "1" without regions.

    A polygon is drawn once, so it never learns on one side of a border and validates on the other.
    """
    if regions is None:
        return pd.Series("1", index=polygons.index)
    shapes = regions.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    geometries = polygons.geometry.to_numpy()
    which, region = tree.query(geometries, predicate="intersects")
    areas = shapely.area(shapely.intersection(geometries[which], shapes[region]))
    best = pd.DataFrame({"which": which, "region": region, "area": areas})
    best = best[best["area"] > 0].sort_values(
        ["which", "area", "region"], ascending=[True, False, True]
    )
    best = best.drop_duplicates("which").set_index("which")["region"]
    names = pd.Series("", index=range(len(polygons)), dtype=object)
    names[best.index] = regions.index.to_numpy()[best.to_numpy()]
    return pd.Series(names.to_numpy(), index=polygons.index)
