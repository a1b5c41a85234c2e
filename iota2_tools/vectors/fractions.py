"""Pixels of a zone by the part of each that lies in it, computed by exactextract.

Parts are exact but for their storage in 32 bits: seven digits.

References
----------
D. Baston, exactextract: fast and accurate raster zonal statistics.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import shapely

from iota2_tools.core.errors import MissingSoftwareError
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import open_raster, read_window
from iota2_tools.vectors.measuring import QuantityReader

CELLS = 4_000_000
"""Pixels that are looked at together; of no effect on the result."""


def check_library() -> None:
    """Raise MissingSoftwareError where exactextract is not installed."""
    try:
        import exactextract  # noqa: F401  # asked for by few
    except ImportError as error:
        raise MissingSoftwareError(
            f"exactextract cannot be imported ({error}); install it (`pip install exactextract`), or take "
            "`--rule centre`"
        ) from None


def class_pixels(classes: str, shape: shapely.Geometry, grid: Grid) -> dict[int, float]:
    """Pixels of each class of a map in a zone, 0 among them, as sums of parts.

    Parameters
    ----------
    classes : str
        Class map.
    shape : geometry
        Zone, in the CRS of the map.
    grid : Grid
        Of the map.
    """
    dataset = open_raster(classes)
    raster = _raster(lambda window: read_window(dataset, window, 1), grid)
    found = _extracted(raster, shape, ["unique", "frac", "count"])
    pairs = zip(found["unique"], found["frac"], strict=True)
    return {int(code): float(part * found["count"]) for code, part in pairs}


def moments(
    reader: QuantityReader, shape: shapely.Geometry, grid: Grid
) -> tuple[float, float, float, float, float]:
    """Count (a sum of parts), mean, deviation of the population, least and largest value.

    Each value counts as much as its pixel lies in the zone; without any the count is 0, and the
    others are NaN.
    """
    found = _extracted(_raster(reader.read, grid), shape, ["count", "mean", "stdev", "min", "max"])
    names = ("mean", "stdev", "min", "max")
    if not found["count"]:
        return (0.0, *(float("nan") for _ in names))  # type: ignore[return-value]
    return (float(found["count"]), *(float(found[name]) for name in names))  # type: ignore[return-value]


def _extracted(raster: Any, shape: shapely.Geometry, wanted: Sequence[str]) -> dict[str, Any]:
    """Figures of one raster in one zone, by name."""
    from exactextract import exact_extract

    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(shape)}
    (found,) = exact_extract(raster, [feature], list(wanted), max_cells_in_memory=CELLS)
    return dict(found["properties"])


def _raster(read: Callable[[Window], np.ndarray], grid: Grid) -> Any:
    """A raster as exactextract reads it: window by window, from a function of ours; NaN: no value."""
    from exactextract.raster import RasterSource

    class Windows(RasterSource):
        def extent(self) -> tuple[float, float, float, float]:
            return grid.bounds

        def res(self) -> tuple[float, float]:
            return grid.resolution, grid.resolution

        def nodata_value(self) -> None:
            return None

        def srs_wkt(self) -> None:
            return None

        def read_window(self, x0: int, y0: int, nx: int, ny: int) -> np.ndarray:
            if not (nx and ny):  # it asks for the type of a raster by a window of nothing
                nothing = read(Window(0, 0, 1, 1))
                return np.empty((ny, nx), nothing.dtype)
            return np.ascontiguousarray(read(Window(y0, x0, ny, nx)))

    return Windows()
