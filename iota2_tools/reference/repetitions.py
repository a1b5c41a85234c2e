"""Reference polygons that stand in the file more than once."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.geo.vectors import shown


def first_of_its_shape(polygons: gpd.GeoDataFrame) -> pd.Series:
    """For each polygon the first one with the same corners, in whatever order and direction.

    Parameters
    ----------
    polygons : GeoDataFrame
        With the column `polygon`, in increasing order.

    Returns
    -------
    Series of int
        A `polygon` for each, on the index of `polygons`; its own where no earlier one is the same.
    """
    first = polygons["polygon"].copy()
    bounds = pd.DataFrame(polygons.geometry.bounds.to_numpy(), index=polygons.index)
    alike = bounds.duplicated(keep=False)  # few: the shapes of these alone are compared
    shapes = polygons.geometry[alike].to_numpy()
    single = shapely.get_num_geometries(shapes) == 1
    plain = np.where(single, shapely.get_geometry(shapes, 0), shapes)
    corners = pd.Series(shapely.to_wkb(shapely.normalize(plain)), index=first.index[alike])
    first[alike] = first[alike].groupby(corners).transform("first")
    return first


def check_classes(polygons: gpd.GeoDataFrame, first: pd.Series, path: str) -> None:
    """Raise InputDataError if the same shape stands with two classes, naming the polygons."""
    codes = polygons.set_index("polygon")["code"]
    other = polygons[polygons["code"].to_numpy() != codes[first].to_numpy()]
    problems = [
        f"polygons {same} and {polygon} (counted from 1, in the order of the file) are the same, with "
        f"class {codes[same]} and class {code}; keep one of them"
        for polygon, code, same in zip(
            other["polygon"], other["code"], first[other.index], strict=True
        )
    ]
    if problems:
        raise InputDataError(one_message(path, problems))


def repetition_remarks(polygons: gpd.GeoDataFrame, first: pd.Series, path: str) -> list[str]:
    """One sentence a class: which polygons repeat an earlier one."""
    repeated = polygons[first != polygons["polygon"]]
    remarks = []
    for code, group in repeated.groupby("code"):
        pairs = zip(group["polygon"], first[group.index], strict=True)
        which = shown(f"{polygon} is {same}" for polygon, same in pairs)
        remarks.append(
            f"{path}: class {code}: {len(group)} polygon(s) repeat an earlier one and count once ({which})"
        )
    return remarks
