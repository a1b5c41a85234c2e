"""Reference polygons, with their class."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.core.words import plain_text
from iota2_tools.geo.vectors import (
    layer_header,
    polygons_only,
    read_features,
    read_fields,
    shown,
)


@dataclass(frozen=True)
class ReferenceSource:
    """Where the reference polygons are, and which of the user's fields are read.

    Parameters
    ----------
    path, layer : str
        File, and its layer if there are several.
    field : str
        Field with the class: integer codes or names.
    identifier : str, optional
        Field that a table of given splits names the polygons by.
    group : str, optional
        Field whose values tell which polygons are drawn together.
    """

    path: str
    layer: str | None
    field: str
    identifier: str | None = None
    group: str | None = None

    @property
    def fields(self) -> dict[str, str]:
        """Names of the user's fields by ours."""
        own = {"class": self.field, "identifier": self.identifier, "group": self.group}
        return {name: field for name, field in own.items() if field is not None}


def read_reference(
    source: ReferenceSource, nomenclature: Nomenclature, crs: str
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Reference polygons in a CRS, and what there is to remark of them.

    Returns
    -------
    polygons : GeoDataFrame
        `polygon` (number in the file, from 1), `code`, `geometry`; with an identifier or a group also
        their values as text, in `identifier` and `group`; empty where there is none.
    remarks : list of str
        Polygons repaired or dropped.

    Raises
    ------
    InputDataError
        If a field is missing or holds values the nomenclature does not know (all are named).
    """
    every = read_features(source.path, source.layer, source.fields, crs)
    codes = class_codes(source, every.values["class"], nomenclature)
    found = polygons_only(every, source.path)
    columns = {"polygon": found.shapes.index.astype(np.int64), "code": codes[found.shapes.index]}
    if source.identifier is not None:
        columns["identifier"] = identifiers(found.values["identifier"])
    if source.group is not None:
        values = found.values["group"]
        columns["group"] = identifiers(values).where(values.notna(), "")
    frame = gpd.GeoDataFrame(columns, geometry=found.shapes, crs=found.shapes.crs)
    return frame, list(found.remarks)


def class_codes(
    source: ReferenceSource, values: pd.Series, nomenclature: Nomenclature
) -> pd.Series:
    """Code of each value of the class field.

    Raises
    ------
    InputDataError
        Naming the values that the nomenclature knows neither as code nor as name.
    """
    which, known = pd.factorize(values, use_na_sentinel=False)
    codes = [None if pd.isna(value) else nomenclature.code_of(value) for value in known]
    if None in codes:
        at = {
            place: values.index[which == place] for place, code in enumerate(codes) if code is None
        }
        told = [
            f"{'no value' if pd.isna(known[place]) else repr(str(known[place]))} "
            f"(feature{'s' if len(own) > 1 else ''} {shown(own, 5)})"
            for place, own in at.items()
        ]
        others = _fields_of_classes(source, nomenclature) if 2 * len(at) > len(known) else []
        taken = f", or take the field that holds classes: {', '.join(others)}" if others else ""
        raise InputDataError(
            f"{source.path}: field {source.field!r} holds {shown(told)}, which the nomenclature has "
            f"neither as code nor as name; add the class to the nomenclature, or take those polygons out{taken}"
        )
    return pd.Series(np.array(codes, dtype=np.int64)[which], index=values.index)


def _fields_of_classes(source: ReferenceSource, nomenclature: Nomenclature) -> list[str]:
    """Other fields of a layer whose values are classes alone."""
    header = layer_header(source.path, source.layer)
    fields = {name: name for name in header.fields if name != source.field}
    return [
        name
        for name, values in read_fields(source.path, source.layer, fields).items()
        if values.notna().all() and None not in map(nomenclature.code_of, values.unique())
    ]


def identifiers(values: pd.Series) -> pd.Series:
    """Values of an identifier field as text, whole numbers without a point."""
    return values.map(plain_text)
