"""Reference polygons, with their class."""

import geopandas as gpd
import numpy as np
import pandas as pd

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.words import plain_text
from iota2_tools.geo.vectors import polygons_only, read_layer


def read_reference(
    path: str,
    layer: str | None,
    field: str,
    nomenclature: Nomenclature,
    crs: str,
    identifier: str | None = None,
) -> gpd.GeoDataFrame:
    """Reference polygons with columns `polygon` (id from 1), `code`, `geometry`, in `crs`.

    Parameters
    ----------
    field : str
        Integer codes or class names.
    identifier : str, optional
        Field whose values become `identifier`, for given splits.

    Raises
    ------
    InputDataError
        If a field is missing or holds values the nomenclature does not know (all are named).
    """
    frame = read_layer(path, layer, crs)
    for name in filter(None, (field, identifier)):
        if name not in frame:
            fields = ", ".join(frame.columns.drop(frame.geometry.name))
            raise InputDataError(f"{path}: no field {name!r}, found {fields}")
    frame["polygon"] = np.arange(1, len(frame) + 1, dtype=np.int64)
    codes = {value: nomenclature.code_of(value) for value in frame[field].unique()}
    unknown = [value for value, code in codes.items() if code is None]
    if unknown:
        raise InputDataError(unknown_classes(path, field, unknown))
    frame["code"] = frame[field].map(codes).astype(np.int64)
    columns = {"polygon": frame["polygon"], "code": frame["code"]}
    if identifier:
        columns["identifier"] = frame[identifier].map(plain_text)
    result = gpd.GeoDataFrame(columns, geometry=frame.geometry, crs=frame.crs)
    return polygons_only(result, path)


def unknown_classes(path: str, field: str, values: list) -> str:
    """Message about reference values the nomenclature does not hold."""
    shown = ", ".join(
        "no value" if pd.isna(value) else repr(str(value)) for value in values[:10]
    ) + (" …" if len(values) > 10 else "")
    return (
        f"{path}: field {field!r} holds {shown}, which the nomenclature has neither as code nor as name; "
        "add the class to the nomenclature, or take those polygons out"
    )
