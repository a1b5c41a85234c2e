"""How many pixels and polygons a model will learn, about, before polygons are drawn and burnt."""

import math
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Expectation:
    """What models and jobs of tiles will work on, about; 0 where it cannot be told.

    All polygons on the tiles count as if they lay on one tile alone; regions and tiles share them alike.

    Parameters
    ----------
    samples : float
        Pixels that the model of a region and draw learns.
    polygons : float
        Polygons that they lie in.
    on_tile : float
        Polygons on a tile, those that validate as well.
    read_on_tile : float
        Pixels of a tile whose features are read: those of all draws, as if none were drawn twice.
    """

    samples: float
    polygons: float
    on_tile: float
    read_on_tile: float


def expected(production: Production) -> Expectation:
    """What is known of the samples before there are any."""
    pixels, polygons = _reference(production)
    per_model = production.config.sampling.ratio / max(len(production.used_regions), 1)
    parts = max((production.parts.get(region, 1) for region in production.used_regions), default=1)
    taken, tiles = _taken(production, pixels * per_model), max(len(production.tiles), 1)
    draws = len(production.used_regions) * len(production.seeds)
    return Expectation(
        taken / parts, polygons * per_model / parts, polygons / tiles, taken * draws / tiles
    )


def _taken(production: Production, per_region: float) -> float:
    """Samples of a region, of so many pixels in polygons that learn."""
    sampling = production.config.sampling
    classes = len(production.nomenclature.codes)
    return {
        "percent": per_region * sampling.percent,
        "constant": min(per_region, float(sampling.constant * classes)),
        "total": min(per_region, float(sampling.total)),
        "byclass": min(per_region, float(sum(sampling.byclass.values()))),
        "smallest": per_region / max(classes, 1),
    }.get(sampling.strategy, per_region)


def _reference(production: Production) -> tuple[float, float]:
    """Pixels of the reference polygons on the tiles, and how many these are."""
    reference, grid = production.config.reference, production.mosaic_grid
    if not reference:
        return 0.0, 0.0
    try:
        side = grid.resolution * _metres(grid.crs)
        area, number = _area(reference.path, reference.layer, grid.bounds, grid.crs)
        return area / side**2, number
    except (Iota2Error, RuntimeError, ValueError):  # the check tells of it
        return 0.0, 0.0


def _area(path: str, layer: str | None, bounds: tuple[float, ...], crs: str) -> tuple[float, int]:
    """Area of the polygons within bounds, square metres, that of some times their number; and that."""
    header = layer_header(path, layer)
    box: Any = _in_crs(bounds, crs, header.crs)
    numbers, _ = pyogrio.read_bounds(path, layer=header.layer, bbox=box)
    some = pyogrio.read_dataframe(
        path, layer=header.layer, columns=[], bbox=box, max_features=MOST_READ
    )
    if some.empty:
        return 0.0, 0
    shapes = some.to_crs(crs) if header.crs else some
    mean = float(shapely.area(shapes.geometry.to_numpy()).mean())
    return mean * len(numbers) * _metres(crs) ** 2, len(numbers)


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
