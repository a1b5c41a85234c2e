"""How many pixels a model will learn, about, before polygons are drawn and burnt."""

import math
from typing import Any

import pyogrio
import shapely
from osgeo import osr

from iota2_tools.core.errors import Iota2Error
from iota2_tools.geo.grid import spatial_reference
from iota2_tools.geo.vectors import layer_header
from iota2_tools.planning.production import Production

MOST_READ = 5000
"""Polygons whose mean area stands for that of all."""


def expected_samples(production: Production) -> float:
    """Pixels that the model of a region and draw learns, about; 0 where it cannot be told.

    All polygons on the tiles count as if they lay on one tile alone; regions share them alike.
    """
    sampling = production.config.sampling
    per_region = _pixels(production) * sampling.ratio / max(len(production.used_regions), 1)
    classes = len(production.nomenclature.codes)
    taken = {
        "percent": per_region * sampling.percent,
        "constant": min(per_region, float(sampling.constant * classes)),
        "total": min(per_region, float(sampling.total)),
        "byclass": min(per_region, float(sum(sampling.byclass.values()))),
        "smallest": per_region / max(classes, 1),
    }.get(sampling.strategy, per_region)
    parts = max((production.parts.get(region, 1) for region in production.used_regions), default=1)
    return taken / parts


def _pixels(production: Production) -> float:
    """Pixels of the reference polygons on the tiles."""
    reference, grid = production.config.reference, production.mosaic_grid
    if not reference:
        return 0.0
    try:
        side = grid.resolution * _metres(grid.crs)
        return _area(reference.path, reference.layer, grid.bounds, grid.crs) / side**2
    except (Iota2Error, RuntimeError, ValueError):  # the check tells of it
        return 0.0


def _area(path: str, layer: str | None, bounds: tuple[float, ...], crs: str) -> float:
    """Area of the polygons within bounds, square metres: that of some, times their number."""
    header = layer_header(path, layer)
    box: Any = _in_crs(bounds, crs, header.crs)
    numbers, _ = pyogrio.read_bounds(path, layer=header.layer, bbox=box)
    some = pyogrio.read_dataframe(
        path, layer=header.layer, columns=[], bbox=box, max_features=MOST_READ
    )
    if some.empty:
        return 0.0
    shapes = some.to_crs(crs) if header.crs else some
    mean = float(shapely.area(shapes.geometry.to_numpy()).mean())
    return mean * len(numbers) * _metres(crs) ** 2


def _metres(crs: str) -> float:
    """Metres of a unit of a CRS, in degrees at the equator."""
    reference = spatial_reference(crs)
    if reference.IsProjected():
        return float(reference.GetLinearUnits())
    return 111_320.0


def _in_crs(bounds: tuple[float, ...], crs: str, other: str | None) -> tuple[float, ...]:
    """Bounds in another CRS, with what the edges between the corners reach."""
    if not other or not all(map(math.isfinite, bounds)):
        return bounds
    source, target = spatial_reference(crs), osr.SpatialReference()
    target.SetFromUserInput(other)
    target.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return tuple(osr.CoordinateTransformation(source, target).TransformBounds(*bounds, 21))
