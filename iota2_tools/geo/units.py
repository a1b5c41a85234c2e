"""Units that a map is cut by: departments, the cells of a grid."""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import shapely

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.vectors import polygons_only, read_features


@dataclass(frozen=True)
class Units:
    """A layer that the map is cut by.

    Parameters
    ----------
    path : str
        Vector file.
    layer : str or None
        Of the file; None: the only one.
    field : str
        Field that tells the unit; features with the same value are one unit.
    """

    path: str
    layer: str | None
    field: str

    def outlines(self, crs: str) -> dict[str, shapely.Geometry]:
        """Outline of each unit in a CRS, by its value as text, in order.

        Raises
        ------
        InputDataError
            If the layer cannot be read, has no CRS, no such field, other than polygons, or a
            feature without value.
        """
        found = read_features(self.path, self.layer, {"unit": self.field}, crs)
        found = polygons_only(found, self.path)
        shapes: dict[str, list[shapely.Geometry]] = {}
        for shape, value in zip(found.shapes, found.values["unit"], strict=True):
            if value is None or value != value or not text_of(value):
                raise InputDataError(
                    f"{self.path}: a feature has no value in field {self.field!r}; fill it in, or remove it"
                )
            shapes.setdefault(text_of(value), []).append(shape)
        return {name: shapely.union_all(shapes[name]) for name in sorted(shapes)}


def text_of(value: object) -> str:
    """A value as text; whole numbers without a point.

    >>> text_of(31.0), text_of("2A")
    ('31', '2A')
    """
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def word_of(name: str) -> str:
    """A unit as a part of the name of a file.

    >>> word_of("Côte-d'Or")
    'Cote-d-Or'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-")
