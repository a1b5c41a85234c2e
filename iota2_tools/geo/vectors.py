"""Reading and writing vector layers.

What a user's file calls its fields never meets names of ours: `read_features` gives the values of
the fields asked for by themselves, and the shapes apart.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from osgeo import gdal, ogr

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.words import suggest
from iota2_tools.geo.raster import gdal_error

gdal.UseExceptions()
ogr.UseExceptions()

Bounds = tuple[float, float, float, float]
"""left, bottom, right, top"""
BESIDE = (".dbf", ".shx", ".prj", ".cpg", ".gpkg-wal")
"""Files that hold a part of a vector layer, by their ends."""


def files_of_layer(path: str) -> list[str]:
    """A vector file or table, and the files beside it that belong to it."""
    others = [Path(path).with_suffix(end) for end in BESIDE]
    return [path, *(str(other) for other in others if other.exists() and str(other) != path)]


@dataclass(frozen=True)
class LayerHeader:
    """What a vector layer says of itself.

    Parameters
    ----------
    layer : str
        Name.
    crs : str or None
        Coordinate reference system.
    fields : tuple of str
        Names of the fields.
    number : str or None
        Name of the feature numbers, where the format gives them one (``fid`` of a GeoPackage).
    kind : str
        Geometry type, ``Unknown`` where features may differ.
    features : int
        How many there are.
    """

    layer: str
    crs: str | None
    fields: tuple[str, ...]
    number: str | None
    kind: str
    features: int

    def is_number(self, name: str) -> bool:
        """True if a name means the feature numbers, not a field."""
        return name not in self.fields and name.lower() == (self.number or "").lower() != ""

    def check_field(self, path: str, name: str) -> None:
        """Raise InputDataError that lists the fields if there is none of that name."""
        if name not in self.fields and not self.is_number(name):
            found = ", ".join(self.fields) or "none"
            near = suggest(name, self.fields)
            meant = f"; {near}" if near else ""
            raise InputDataError(f"{path}: no field {name!r}, found {found}{meant}")


def layer_header(path: str, layer: str | None = None) -> LayerHeader:
    """Header of the layer of a file: the one asked for, or the only one that holds geometry.

    Raises
    ------
    InputDataError
        If the file cannot be read, has no such layer, or several to choose from.
    """
    name = _layer_name(path, layer)
    info = _told(path, pyogrio.read_info, layer=name, force_feature_count=True)
    return LayerHeader(
        layer=name,
        crs=info["crs"],
        fields=tuple(map(str, info["fields"])),
        number=info["fid_column"] or None,
        kind=str(info["geometry_type"] or "no geometry"),
        features=int(info["features"]),
    )


def _layer_name(path: str, layer: str | None) -> str:
    layers = [(str(name), kind) for name, kind in _told(path, pyogrio.list_layers)]
    names = [name for name, _ in layers]
    if layer is not None:
        if layer not in names:
            raise InputDataError(f"{path}: no layer {layer!r}, found {', '.join(names) or 'none'}")
        return layer
    spatial = [name for name, kind in layers if kind is not None]
    if len(spatial) > 1:
        raise InputDataError(
            f"{path}: has {len(spatial)} layers, {', '.join(spatial)}; say in `layer` which one is meant"
        )
    if not spatial:
        raise InputDataError(f"{path}: holds no layer with geometry")
    return spatial[0]


def _told(path: str, action: Any, **options: Any) -> Any:
    """What an action of pyogrio gives; InputDataError, with its reason, if it fails."""
    try:
        with warnings.catch_warnings():  # of measures and styles, in words that are not the user's
            warnings.simplefilter("ignore")
            return action(path, **options)
    except UnicodeDecodeError as error:
        raise InputDataError(
            f"{path}: text is not in the encoding that the file names ({error}); save it in UTF-8, "
            "or mend the .cpg file of a Shapefile"
        ) from None
    except Exception as error:  # pyogrio raises several unrelated classes
        raise InputDataError(f"{path}: cannot be read as a vector layer ({error})") from None


@dataclass(frozen=True)
class Features:
    """Features of a layer, in the order of the file.

    Parameters
    ----------
    shapes : GeoSeries
        Geometries in two dimensions, None where a feature has none; the index counts the features
        of the file from 1.
    values : dict of str to Series
        Values of each field asked for, under the name that the caller gave it, on the same index.
    remarks : tuple of str
        What a user may want to know of how they were read.
    """

    shapes: gpd.GeoSeries
    values: dict[str, pd.Series]
    remarks: tuple[str, ...] = ()


def read_features(
    path: str, layer: str | None, fields: Mapping[str, str], crs: str | None = None
) -> Features:
    """Read the shapes and some fields of a layer.

    Parameters
    ----------
    fields : mapping of str to str
        For each name of ours that of the field, as the file writes it.
    crs : str, optional
        Coordinate reference system the shapes are brought to.

    Raises
    ------
    InputDataError
        If the layer or a field cannot be read, or has no CRS while one is asked for.
    """
    found = _read(path, layer, fields, read_geometry=True)
    if found.shapes is None:
        raise InputDataError(f"{path}: layer {found.header.layer!r} holds no geometry")
    geometries = _told(path, lambda _: shapely.from_wkb(found.shapes))
    index = pd.RangeIndex(1, len(geometries) + 1)
    features = Features(gpd.GeoSeries(geometries, index), found.values)
    return features if crs is None else _brought_to(features, found.header.crs, crs, path)


def read_fields(path: str, layer: str | None, fields: Mapping[str, str]) -> dict[str, pd.Series]:
    """Values of some fields of a layer, without its shapes; see `read_features`."""
    return _read(path, layer, fields, read_geometry=False).values


class _Found(NamedTuple):
    """What was read: feature numbers, shapes (WKB), values of the fields by our names."""

    header: LayerHeader
    numbers: np.ndarray
    shapes: np.ndarray | None
    values: dict[str, pd.Series]


def _read(path: str, layer: str | None, fields: Mapping[str, str], **options: Any) -> _Found:
    header = layer_header(path, layer)
    for name in fields.values():
        header.check_field(path, name)
    wanted = sorted({name for name in fields.values() if not header.is_number(name)})
    meta, numbers, shapes, data = _told(
        path, pyogrio.raw.read, layer=header.layer, columns=wanted, force_2d=True,
        return_fids=True, **options,
    )  # fmt: skip
    columns = dict(zip(map(str, meta["fields"]), data, strict=True))
    index = pd.RangeIndex(1, len(numbers) + 1)
    values = {
        own: pd.Series(columns.get(name, numbers), index, dtype=object)
        for own, name in fields.items()
    }
    return _Found(header, numbers, shapes, values)


def _brought_to(features: Features, source: str | None, crs: str, path: str) -> Features:
    """Features in another CRS; a shape that lies where that one is not defined becomes None."""
    if source is None:
        raise InputDataError(
            f"{path}: has no coordinate reference system; assign it (ogr2ogr -a_srs)"
        )
    shapes = features.shapes
    try:
        moved = shapes.set_crs(source).to_crs(crs)
    except RuntimeError as error:  # what the errors of pyproj are
        raise InputDataError(
            f"{path}: its coordinate reference system cannot be brought to that of the map ({error}); "
            "assign the right one (ogr2ogr -a_srs)"
        ) from None
    lost = ~np.isfinite(moved.bounds).all(axis=1) & ~(shapes.isna() | shapes.is_empty)
    if not lost.any():
        return replace(features, shapes=moved)
    moved[lost] = None
    remark = f"{path}: {counted(lost)} cannot be brought to the CRS of the map and are not used"
    return replace(features, shapes=moved, remarks=(*features.remarks, remark))


def any_within(path: str, layer: str | None, bounds: Bounds) -> bool:
    """True if a feature of a layer touches a rectangle, given in the CRS of the layer."""
    found = _read(path, layer, {}, read_geometry=False, bbox=bounds, max_features=1)
    return len(found.numbers) > 0


def shown(numbers: Iterable[object], most: int = 10) -> str:
    """Some numbers or names for a message.

    >>> shown([3, 1, 2], most=2)
    '3, 1 …'
    """
    words = [str(number) for number in numbers]
    return ", ".join(words[:most]) + (" …" if len(words) > most else "")


def counted(chosen: pd.Series) -> str:
    """How many features are true in a mask, and which, by their index."""
    numbers = chosen.index[chosen]
    return f"{len(numbers)} feature(s) ({shown(numbers)})"


def read_layer(
    path: str,
    columns: Sequence[str] | None = None,
    bbox: Bounds | None = None,
    read_geometry: bool = True,
) -> gpd.GeoDataFrame:
    """Read a layer that `write_layer` has written.

    Parameters
    ----------
    columns : sequence of str, optional
        Fields to read; all of them if not given.
    bbox : tuple of float, optional
        Only features that touch this rectangle.

    Raises
    ------
    InputDataError
        If it cannot be read.
    """
    return _told(
        path, pyogrio.read_dataframe, columns=columns, bbox=bbox, read_geometry=read_geometry
    )


FIXED_DATE = "2000-01-01T00:00:00.000Z"


def write_layer(
    frame: gpd.GeoDataFrame,
    path: str,
    driver: str = "GPKG",
    *,
    layer: str = "polygons",
    append: bool = False,
) -> None:
    """Write polygons or points as a layer, of a GeoPackage that GDAL 3.6 reads by default.

    The same features give the same bytes: the hour of writing, which a GeoPackage holds, is fixed.

    Raises
    ------
    OutputError
        If the file could not be written whole.
    """
    # pyogrio writes GeoPackage 1.4, which GDAL 3.6 complains of.
    options = {"VERSION": "1.2"} if driver == "GPKG" and not append else {}
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED_DATE})
    try:
        mode = "a" if append else "w"
        frame.to_file(path, driver=driver, layer=layer, mode=mode, engine="pyogrio", **options)
    except RuntimeError as error:  # what all errors of pyogrio are
        raise gdal_error(path, [str(error)]) from None
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def write_table(frame: pd.DataFrame, path: str, *, layer: str) -> None:
    """Add a table without shapes to a GeoPackage that `write_layer` has begun.

    Raises
    ------
    OutputError
        If the file could not be written whole.
    """
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED_DATE})
    try:
        pyogrio.write_dataframe(frame, path, layer=layer, driver="GPKG", append=True)
    except RuntimeError as error:  # what all errors of pyogrio are
        raise gdal_error(path, [str(error)]) from None
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def polygons_only(features: Features, path: str) -> Features:
    """Polygons and MultiPolygons, repaired where they cross themselves.

    Features without geometry or area are dropped, so are lines and points that the repair of a
    polygon leaves over; the remarks tell of them.

    Raises
    ------
    InputDataError
        If other geometry types are present.
    """
    shapes, remarks = features.shapes.copy(), list(features.remarks)
    kinds = set(shapes.geom_type.dropna().unique()) - {"Polygon", "MultiPolygon"}
    if kinds:
        raise InputDataError(f"{path}: polygons are needed, found {', '.join(sorted(kinds))}")
    empty = shapes.isna() | shapes.is_empty
    crossing = ~empty & ~shapes.is_valid
    if crossing.any():
        shapes[crossing] = [_areal(shape) for shape in shapes[crossing].make_valid()]
        remarks.append(f"{path}: {counted(crossing)} with a border that crosses itself, repaired")
    empty |= shapes.is_empty
    if empty.any():
        remarks.append(f"{path}: {counted(empty)} without geometry or area, not used")
    values = {name: series[~empty] for name, series in features.values.items()}
    return Features(shapes[~empty], values, tuple(remarks))


def _areal(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a geometry."""
    if shape.geom_type != "GeometryCollection":
        return shape if shapely.area(shape) > 0 else shapely.MultiPolygon()
    return shapely.union_all([part for part in shape.geoms if shapely.area(part) > 0])
