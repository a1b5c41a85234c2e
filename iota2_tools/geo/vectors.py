"""Reading vector layers and burning them on a grid."""

from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely
from osgeo import gdal, ogr

from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.raster import gdal_error

gdal.UseExceptions()
ogr.UseExceptions()


BESIDE = (".dbf", ".shx", ".prj", ".cpg", ".gpkg-wal")
"""Files that hold a part of a vector layer, by their ends."""


def files_of_layer(path: str) -> list[str]:
    """A vector file or table, and the files beside it that belong to it."""
    others = [Path(path).with_suffix(end) for end in BESIDE]
    return [path, *(str(other) for other in others if other.exists() and str(other) != path)]


def read_layer(
    path: str, layer: str | None = None, crs: str | None = None, **options
) -> gpd.GeoDataFrame:
    """Read a vector layer, brought to `crs`.

    Raises
    ------
    InputDataError
        If the file or layer cannot be read, or has no CRS while one is asked for.
    """
    try:
        frame = gpd.read_file(path, layer=layer, engine="pyogrio", **options)
    except Exception as error:  # pyogrio raises several unrelated classes
        raise InputDataError(f"{path}: cannot be read as a vector layer ({error})") from None
    if crs is None or not len(frame):
        return frame
    if frame.crs is None:
        raise InputDataError(
            f"{path}: has no coordinate reference system; assign it (ogr2ogr -a_srs)"
        )
    return frame.to_crs(crs)


def layer_fields(path: str, layer: str | None = None) -> dict:
    """Header of a vector layer: `crs`, `fields`, `geometry_type`, `features` (count)."""
    try:
        return pyogrio.read_info(path, layer=layer)
    except Exception as error:  # pyogrio raises several unrelated classes
        raise InputDataError(f"{path}: cannot be read as a vector layer ({error})") from None


def write_layer(frame: gpd.GeoDataFrame, path: str, driver: str = "GPKG") -> None:
    """Write polygons or points as layer `polygons`, a GeoPackage that GDAL 3.6 reads by default.

    Raises
    ------
    OutputError
        If the file could not be written whole.
    """
    # pyogrio writes GeoPackage 1.4, which GDAL 3.6 complains of.
    options = {"VERSION": "1.2"} if driver == "GPKG" else {}
    try:
        frame.to_file(path, driver=driver, layer="polygons", engine="pyogrio", **options)
    except RuntimeError as error:  # what all errors of pyogrio are
        raise gdal_error(path, [str(error)]) from None


def polygons_only(frame: gpd.GeoDataFrame, path: str) -> gpd.GeoDataFrame:
    """Polygons and MultiPolygons, repaired where invalid; empty ones are dropped.

    Lines and points that the repair of a polygon leaves over are no part of it.

    Raises
    ------
    InputDataError
        If other geometry types are present.
    """
    frame = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    kinds = set(frame.geom_type.unique()) - {"Polygon", "MultiPolygon"}
    if kinds:
        raise InputDataError(f"{path}: polygons are needed, found {', '.join(sorted(kinds))}")
    invalid = ~frame.geometry.is_valid
    if invalid.any():
        frame = frame.copy()
        repaired = [_areal(shape) for shape in frame.geometry[invalid].make_valid()]
        frame.loc[invalid, frame.geometry.name] = gpd.GeoSeries(
            repaired, index=frame.index[invalid], crs=frame.crs
        )
    return frame[~frame.geometry.is_empty]


def _areal(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a geometry."""
    if shape.geom_type != "GeometryCollection":
        return shape if shapely.area(shape) > 0 else shapely.MultiPolygon()
    return shapely.union_all([part for part in shape.geoms if shapely.area(part) > 0])
