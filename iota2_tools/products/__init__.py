"""Product formats: how an acquisition is recognised, its bands, its masks.

One module per format; each defines `FORMAT`, a `ProductFormat`, with its section of the
configuration. A new sensor is a new module and its line in `FORMATS`, or an entry point of another
package: ``[project.entry-points."iota2.formats"]``, ``name = "module:FORMAT"``.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from iota2_tools.products import (
    l8_l2a_theia,
    landsat_c2l2,
    landsat_l2a_old,
    own_series,
    s1_grd_safe,
    s1_s1tiling,
    s2_l2a_sen2cor,
    s2_l2a_theia,
    s2_l3a_theia,
    stac,
)
from iota2_tools.products.format import (
    Acquisition,
    Band,
    Identity,
    Listing,
    Pixels,
    ProductFormat,
    Request,
    same_tile,
)
from iota2_tools.products.images import Codes, Image, Mask, Shift

FORMATS: dict[str, ProductFormat] = {
    "landsat5": landsat_l2a_old.LANDSAT5,
    "landsat5_usgs": landsat_c2l2.LANDSAT5,
    "landsat7_usgs": landsat_c2l2.LANDSAT7,
    "landsat8": l8_l2a_theia.FORMAT,
    "landsat8_old": landsat_l2a_old.LANDSAT8,
    "landsat8_usgs": landsat_c2l2.LANDSAT8,
    "sentinel1": s1_grd_safe.FORMAT,
    "sentinel1_s1tiling": s1_s1tiling.FORMAT,
    "sentinel2": s2_l2a_theia.FORMAT,
    "sentinel2_sen2cor": s2_l2a_sen2cor.FORMAT,
    "sentinel2_l3a": s2_l3a_theia.FORMAT,
    "own_series": own_series.FORMAT,
    "stac": stac.FORMAT,
}

ENTRY_POINTS = "iota2.formats"
"""Group of entry points by which other packages add formats."""

for _entry in entry_points(group=ENTRY_POINTS):
    if _entry.name not in FORMATS:
        FORMATS[_entry.name] = _entry.load()

__all__ = [
    "FORMATS",
    "Acquisition",
    "Band",
    "Codes",
    "Identity",
    "Image",
    "Listing",
    "Mask",
    "Pixels",
    "ProductFormat",
    "Request",
    "Shift",
    "format_of",
    "same_tile",
]


def format_of(sensor: str, options: Mapping[str, Any]) -> ProductFormat:
    """Format of a sensor, with what its section says of its files (`SensorSection.options`)."""
    found = FORMATS[sensor]
    return found.configured(options) if found.configured else found
