"""Burning polygons on a grid, window by window."""

from collections.abc import Sequence

import numpy as np
import shapely
from osgeo import gdal, ogr

from iota2_tools.geo.grid import Grid, Window, spatial_reference

gdal.UseExceptions()


def vectors_in_memory() -> ogr.DataSource:
    """An empty dataset in memory; its driver has another name from GDAL 3.11 on."""
    name = "MEM" if int(gdal.VersionInfo()) >= 3110000 else "Memory"
    return ogr.GetDriverByName(name).CreateDataSource("")


class Burner:
    """Burns polygons on windows of a grid: a pixel takes the value its centre lies in.

    Where polygons overlap the last one wins.

    Parameters
    ----------
    geometries : sequence of shapely Geometry
        Polygons in the CRS of `grid`.
    values : sequence of int
        Value of each polygon, from 1 to 2³² - 1.
    grid : Grid
        Grid the windows are on.
    """

    def __init__(
        self,
        geometries: Sequence[shapely.Geometry] | np.ndarray,
        values: Sequence[int] | np.ndarray,
        grid: Grid,
    ) -> None:
        self._geometries = np.asarray(geometries, dtype=object)
        self._values = np.asarray(values, dtype=np.int64)
        self._grid = grid
        self._index = shapely.STRtree(self._geometries)

    def burn(self, window: Window) -> np.ndarray:
        """Values on a window, shape (rows, cols), uint32; 0 where no polygon is."""
        return self._burnt(self._found(window), window)

    def burn_both_ways(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Values on a window, and those there were if the first polygon won where they overlap."""
        found = self._found(window)
        return self._burnt(found, window), self._burnt(found[::-1], window)

    def _found(self, window: Window) -> np.ndarray:
        """Positions of the polygons that may touch a window, in order."""
        box = shapely.box(*self._grid.bounds_of(window))
        return np.sort(self._index.query(box, predicate="intersects"))

    def _burnt(self, numbers: np.ndarray, window: Window) -> np.ndarray:
        target = self._memory_raster(window)
        if len(numbers):
            source = vectors_in_memory()
            layer = source.CreateLayer("polygons", spatial_reference(self._grid.crs))
            layer.CreateField(ogr.FieldDefn("value", ogr.OFTInteger64))
            for number in numbers:
                feature = ogr.Feature(layer.GetLayerDefn())
                feature.SetField("value", int(self._values[number]))
                feature.SetGeometry(
                    ogr.CreateGeometryFromWkb(shapely.to_wkb(self._geometries[number]))
                )
                layer.CreateFeature(feature)
            gdal.RasterizeLayer(target, [1], layer, options=["ATTRIBUTE=value"])
        return target.ReadAsArray()

    def _memory_raster(self, window: Window) -> gdal.Dataset:
        left, _, _, top = self._grid.bounds_of(window)
        size = self._grid.resolution
        dataset = gdal.GetDriverByName("MEM").Create(
            "", window.cols, window.rows, 1, gdal.GDT_UInt32
        )
        dataset.SetGeoTransform((left, size, 0.0, top, 0.0, -size))
        dataset.SetProjection(self._grid.crs)
        return dataset
