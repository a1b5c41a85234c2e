"""Small class maps for the tests of vectors, and their polygons."""

import numpy as np
import shapely
from osgeo import gdal, ogr

from iota2_tools.geo.grid import Grid
from iota2_tools.vectors.arcs import canonical, traced, vertices
from iota2_tools.vectors.components import label
from iota2_tools.vectors.polygons import Edges, polygons
from iota2_tools.vectors.simplification import Patch, Shape, budgets, simplified

CHECKERED = (np.indices((5, 6)).sum(axis=0) % 2 + 1).astype(np.uint8)
UNCHANGED = Shape(tolerance=0.0)


def random_map(seed: int, rows: int = 21, cols: int = 26) -> np.ndarray:
    """Blocks of two to four classes with single pixels among them; odd ones without nodata."""
    random = np.random.default_rng(seed)
    classes = random.integers(2, 5)
    least = seed % 2
    coarse = random.integers(least, classes + 1, (rows // 3 + 1, cols // 2 + 1))
    codes = np.repeat(np.repeat(coarse, 3, axis=0), 2, axis=1)[:rows, :cols]
    noise = random.random(codes.shape) < 0.12
    codes[noise] = random.integers(least, classes + 1, noise.sum())
    return codes.astype(np.uint8)


def coverage_of(codes: np.ndarray, shape: Shape = UNCHANGED) -> np.ndarray:
    """Polygons of a map treated as one, in pixels, the lower left corner at 0, 0."""
    grid = Grid("EPSG:32631", 0.0, float(len(codes)), 1.0, *codes.shape)
    padded = np.pad(codes, 1)
    parts = label(padded)
    arcs = canonical(traced(padded, parts.ids, (0, 0), (True, True)))
    sizes = np.vstack([np.column_stack([parts.pixels, parts.perimeter]), [[np.nan, np.nan]]])
    allowed = budgets(arcs, sizes[arcs.left], sizes[arcs.right], shape.area_limit)
    patch = Patch(vertices(padded), 0, 0)
    before = patch.vertices.copy()
    found = simplified(arcs, allowed, patch, shape)
    assert np.array_equal(patch.vertices, before), "marks are left in the patch"
    return polygons(Edges.of(arcs, found), np.arange(len(parts.first)), grid)


def pixels_of(codes: np.ndarray) -> np.ndarray:
    """Sizes of the components of a map."""
    return label(np.pad(codes, 1)).pixels


def unify(codes: np.ndarray) -> list[shapely.Geometry]:
    """Polygons by gdal.Polygonize, repaired where it lets a ring touch itself."""
    rows, cols = codes.shape
    raster = gdal.GetDriverByName("MEM").Create("", cols, rows, 1, gdal.GDT_Byte)
    raster.SetGeoTransform((0, 1, 0, rows, 0, -1))
    raster.GetRasterBand(1).WriteArray(codes)
    source = ogr.GetDriverByName("Memory").CreateDataSource("")
    layer = source.CreateLayer("polygons")
    layer.CreateField(ogr.FieldDefn("code", ogr.OFTInteger))
    gdal.Polygonize(raster.GetRasterBand(1), None, layer, 0, [])
    return [
        shapely.make_valid(shapely.from_wkb(bytes(feature.geometry().ExportToWkb())))
        for feature in layer
        if feature.GetField(0) > 0
    ]
